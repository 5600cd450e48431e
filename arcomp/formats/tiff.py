"""TIFF and BigTIFF, taken apart: strips and tiles of any number of pictures, if they can be compressed again.

Where the pictures of a file are of several kinds, those are taken that hold most samples. All else is left as it is,
also pictures that are damaged, share bytes with others, or are packed in ways that are not taken apart.
"""

from __future__ import annotations

import zlib
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from arcomp.errors import PictureError
from arcomp.form import BitsReversed, Deflated, Differences, Literal, Lzw, PackBits, Raster, Segment
from arcomp.formats import lzw, packbits
from arcomp.formats.common import TO_RGB, damaged
from arcomp.formats.differences import accumulate
from arcomp.formats.kinds import refuse_lossy
from arcomp.formats.layouts import BITS_REVERSED, unpack
from arcomp.formats.parsed import Parsed
from arcomp.formats.tiff_pages import (
    COMPRESSION,
    DEFLATE,
    HEIGHT,
    LOSSY,
    LZW,
    NAMES,
    NONE,
    SUBFILE_TYPE,
    TAKEN_APART,
    TILE_WIDTH,
    WIDTH,
    Block,
    Page,
    PageFormat,
    page_of,
    peculiarity,
)
from arcomp.formats.tiff_tags import STARTS, Directory, OddTiffError, directories
from arcomp.samples import MAX_PIXELS, Pixels, Samples

__all__ = ["STARTS", "is_lossy", "is_peculiar", "is_tiled", "not_turned", "parse", "refusal", "size"]

_MOST = 2048
"""Most bytes of samples for each byte of a file: no compression that is taken apart gives more."""
SAVE_AGAIN = "save it again, uncompressed or with deflate"
_MORE = 1 << 16
"""Bytes that a strip or tile may unpack to beyond those that a whole one has."""


class _Placed:
    """Where pieces of a file are that are not literal, and what they are."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.segments: list[tuple[int, int, tuple[Segment, ...]]] = []

    def claim(self, blocks: Iterable[Block]) -> None:
        """Take places for the blocks of a page; two of them may share one.

        Raises:
            OddTiffError: they overlap each other, or what was placed before.
        """
        places = sorted({(block.offset, block.offset + block.length) for block in blocks if block.length})
        if any(end > start for (_, end), (start, _) in pairwise(places)):
            raise OddTiffError("strips or tiles that overlap each other")
        for start, end in places:
            index = bisect(self.starts, start)
            if (index and self.ends[index - 1] > start) or (index < len(self.starts) and self.starts[index] < end):
                raise OddTiffError("strips or tiles that overlap those of another picture")
        for start, end in places:
            index = bisect(self.starts, start)
            self.starts.insert(index, start)
            self.ends.insert(index, end)

    def skeleton(self, data: bytes) -> Iterator[Segment]:
        """All of the file."""
        at = 0
        for start, end, segments in sorted(self.segments, key=lambda piece: piece[0]):
            if start > at:
                yield Literal(data[at:start])
            yield from segments
            at = end
        if at < len(data):
            yield Literal(data[at:])


def parse(data: bytes) -> Parsed | None:
    """Take a TIFF apart.

    Args:
        data: the whole file.

    Returns:
        None if there is no picture in it that can be taken apart.
    """
    try:
        pages = list(_pages(data))
    except OddTiffError:
        return None
    size: dict[PageFormat, int] = {}
    for page in pages:
        size[page.kind] = size.get(page.kind, 0) + page.pixels * page.kind.channels * page.kind.depth
    for kind in sorted(size, key=lambda kind: -size[kind]):
        parsed = _parsed(data, kind, [page for page in pages if page.kind == kind])
        if parsed is not None:
            return parsed
    return None


def _pages(data: bytes) -> Iterator[Page]:
    """Those of the main sequence, then those that they name.

    Raises:
        OddTiffError: it is no TIFF.
    """
    main, below = directories(data)
    for directory in main + below:
        try:
            page = page_of(directory, len(data), alone=len(main) == 1)
        except OddTiffError:
            continue
        yield page


def _parsed(data: bytes, kind: PageFormat, pages: list[Page]) -> Parsed | None:
    """The pictures of one kind."""
    pixels = sum(page.pixels for page in pages)
    dtype = np.dtype(np.uint8 if kind.depth <= 8 else np.uint16)
    if pixels > MAX_PIXELS or pixels * kind.channels * dtype.itemsize > _MOST * len(data):
        return None
    placed = _Placed()
    stacks: list[Pixels] = []
    done = 0
    for (height, width), run in groupby(pages, key=lambda page: (page.height, page.width)):
        same = list(run)
        stack = np.zeros((sum(page.count for page in same), height, width, kind.channels), dtype)
        many = 0
        for page in same:
            part = stack[many : many + page.count]
            try:
                placed.claim(page.blocks)
                placed.segments += _page(data, page, part, done + many)
            except OddTiffError:
                part[...] = 0
                continue
            many += page.count
        if many:
            stacks.append(stack[:many])
        done += many
    if not done:
        return None
    palette = np.frombuffer(kind.palette, np.uint8).reshape(-1, 3) if kind.palette else None
    samples = Samples(tuple(stacks), kind.depth, alpha=kind.alpha, palette=palette)
    return Parsed(samples, tuple(placed.skeleton(data)))


def _page(data: bytes, page: Page, pictures: Pixels, first: int) -> list[tuple[int, int, tuple[Segment, ...]]]:
    """Read the pictures behind a directory.

    Args:
        data: the file.
        page: what the directory says.
        pictures: [page.count, H, W, C], where to put the samples.
        first: which picture of the file pictures[0] is.

    Returns:
        For each strip or tile where it begins and ends, and what stands there.

    Raises:
        OddTiffError: one is damaged, or not packed in a way that can be repeated.
    """
    found: dict[int, tuple[int, int, tuple[Segment, ...]]] = {}
    whole = memoryview(data)
    for block in page.blocks:
        if not block.length:
            into = pictures[block.picture, block.y : block.y + block.height, block.x : block.x + block.width]
            into[..., block.channels[0] : block.channels[-1] + 1] = page.missing
            continue
        packed = whole[block.offset : block.offset + block.length]
        if page.reversed_bits:
            packed = memoryview(_reversed(packed))
        inside, used = _unpacked(packed, page, block, pictures, first)
        if page.reversed_bits:
            inside, used = (BitsReversed((*inside, *_rest(packed[used:]))),), block.length
        found.setdefault(block.offset, (block.offset, block.offset + used, inside))
    return list(found.values())


def _unpacked(
    packed: memoryview, page: Page, block: Block, pictures: Pixels, first: int
) -> tuple[tuple[Segment, ...], int]:
    """The segments of a strip or tile, and how many of its bytes they are."""
    need, limit = page.stride * block.height, page.stride * page.rows + _MORE
    if page.compression == NONE:
        return _rows(packed, page, block, pictures, first), len(packed)
    if need > _MOST * len(packed):
        raise OddTiffError("a stream that is too short")
    limit = min(limit, _MOST * len(packed))
    if page.compression == DEFLATE:
        content, stream, used = _inflated(packed, limit)
        return (replace(stream, content=_rows(content, page, block, pictures, first)),), used
    if page.compression == LZW:
        found = lzw.unpack(packed, limit)
        if found is None:
            raise OddTiffError("a stream of LZW that is not made again")
        inside = _rows(memoryview(found.data), page, block, pictures, first)
        return (Lzw(inside, found.clears, found.end),), found.used
    unpacked = packbits.unpack(packed, need, page.stride)
    if unpacked is None:
        raise OddTiffError("a stream that is too short")
    inside = _rows(memoryview(unpacked.data), page, block, pictures, first)
    return (PackBits(inside, page.stride, unpacked.headers),), unpacked.used


def _rows(raw: memoryview, page: Page, block: Block, pictures: Pixels, first: int) -> tuple[Segment, ...]:
    """Read the samples of a strip or tile."""
    stride = page.stride
    size = stride * block.height
    if len(raw) < size:
        raise OddTiffError("a strip or tile that has fewer bytes than samples")
    layout = page.layout if page.layout.channels == block.channels else replace(page.layout, channels=block.channels)
    rows = np.frombuffer(raw[:size], np.uint8).reshape(block.height, stride)
    if page.differences:
        rows = rows.copy()
        accumulate(rows, layout, block.width)
    right, bottom = block.x + block.width, block.y + block.height
    into = pictures[block.picture, block.y : bottom, block.x : right]
    padding = unpack(rows, into, layout, stride=stride)
    raster = Raster(
        first + block.picture,
        block.y,
        block.x,
        block.height,
        block.width,
        layout,
        stride if page.row != block.width else 0,
        padding=padding,
    )
    return (Differences(raster) if page.differences else raster, *_rest(raw[size:]))


def _rest(raw: memoryview) -> tuple[Literal, ...]:
    return (Literal(bytes(raw)),) if len(raw) else ()


def _reversed(packed: memoryview) -> bytes:
    """Each byte with its bits in reverse."""
    return bytes(packed).translate(BITS_REVERSED)


def _inflated(packed: memoryview, limit: int) -> tuple[memoryview, Deflated, int]:
    """Inflate a stream of zlib (RFC 1950).

    Returns:
        What it holds; the stream, still without its content; and its length in bytes.

    Raises:
        OddTiffError: it is none, or holds more than the limit.
    """
    header = bytes(packed[:2])
    inflater = zlib.decompressobj(-15)
    try:
        content = inflater.decompress(packed[2:], limit)
    except zlib.error:
        raise OddTiffError("a stream of deflate that is damaged") from None
    if len(header) < 2 or header[0] & 15 != 8 or header[1] & 32 or not inflater.eof:
        raise OddTiffError("a stream of deflate that is not whole")
    end = len(packed) - len(inflater.unused_data)
    check = bytes(packed[end : end + 4])
    right = zlib.adler32(content).to_bytes(4, "big") == check
    stream = bytes(packed[2:end])
    return memoryview(content), Deflated((), stream, False, header, None if right else check), end + len(check)


def refusal(data: bytes, parsed: Parsed | None) -> PictureError | None:
    """Why a TIFF is not one to read pictures from: not all of it is taken apart, or it is damaged, or who sees its
    samples alone would take them for something else.

    Args:
        data: the file.
        parsed: what :func:`parse` gives for it.
    """
    largest = _largest(data)
    if (
        parsed is None
        or largest is None
        or _area(largest) > max(s.shape[1] * s.shape[2] for s in parsed.samples.stacks)
    ):
        return _not_taken(largest)
    pages = sum(_is_page(directory) for directory in directories(data)[0])
    if parsed.samples.count < pages:
        return PictureError("a TIFF with pages of different kinds", remedy="split it into one file a page first")
    try:
        odd = peculiarity(largest)
    except OddTiffError:
        return _not_taken(largest)
    if odd:
        return PictureError(f"a TIFF picture of {odd} is not supported", remedy=TO_RGB)
    return None if all(_is_sound(segment) for segment in parsed.skeleton) else damaged("TIFF", "a checksum differs")


def size(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture, as its directory claims; at least 1."""
    largest = _largest(data)
    if largest is None:
        return 1, 1
    return max(1, _number(largest, WIDTH, 1)), max(1, _number(largest, HEIGHT, 1))


def is_peculiar(data: bytes) -> bool:
    """Whether samples of the largest picture are something that their channels alone do not say."""
    largest = _largest(data)
    try:
        return largest is None or bool(peculiarity(largest))
    except OddTiffError:
        return True


def is_tiled(data: bytes) -> bool:
    """Whether the largest picture is in tiles, which hold more than the picture at its edges."""
    largest = _largest(data)
    return largest is not None and TILE_WIDTH in largest.entries


def is_lossy(data: bytes) -> bool:
    """Whether the largest picture is packed in a way that loses something, and that Pillow reads."""
    largest = _largest(data)
    return largest is not None and _compression(largest) in LOSSY


def not_turned(data: bytes) -> bytes:
    """The same file without what says how to turn its first picture: for readers that do it."""
    changed = bytearray(data)
    try:
        directories(data)[0][0].forget_turn(changed)
    except (OddTiffError, IndexError):
        return data
    return bytes(changed)


def _not_taken(directory: Directory | None) -> PictureError:
    compression = _compression(directory) if directory else NONE
    name = NAMES.get(compression, f"compression {compression}")
    if compression in LOSSY:
        return refuse_lossy(f"a TIFF picture in {name}")
    if compression not in TAKEN_APART:
        return PictureError(f"a TIFF picture in {name} is not supported", remedy=SAVE_AGAIN)
    return PictureError("a TIFF picture that is damaged, or not of 1 to 4 channels of 1 to 16 bits", remedy=SAVE_AGAIN)


def _largest(data: bytes) -> Directory | None:
    try:
        main, below = directories(data)
    except OddTiffError:
        return None
    return max(main + below, key=_area, default=None)


def _area(directory: Directory) -> int:
    return _number(directory, WIDTH, 0) * _number(directory, HEIGHT, 0)


def _is_page(directory: Directory) -> bool:
    """Whether it is not marked as a smaller copy of another."""
    return not _number(directory, SUBFILE_TYPE, 0) & 1


def _compression(directory: Directory) -> int:
    return _number(directory, COMPRESSION, NONE)


def _number(directory: Directory, tag: int, default: int) -> int:
    """A tag's value; the default also if it is odd."""
    try:
        return directory.number(tag, default)
    except OddTiffError:
        return default


def _is_sound(segment: Segment) -> bool:
    if isinstance(segment, BitsReversed):
        return all(_is_sound(inside) for inside in segment.content)
    return not isinstance(segment, Deflated) or segment.check is None
