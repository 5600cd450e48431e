"""PNG and APNG, chunk by chunk (PNG, third edition, sections 5 and 11): the samples of its pictures, and the rest.

Chunks of no picture stay literal bytes, with their checksums, right or wrong.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from arcomp.form import Chunks, Deflated, Layout, Literal, Scanlines, Segment
from arcomp.formats.embedded import stacks
from arcomp.formats.inflating import Inflater
from arcomp.formats.parsed import Parsed
from arcomp.formats.scanlines import filtered_size, is_chosen, unfilter
from arcomp.samples import MAX_PIXELS, Pixels, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">IIBBBBB")
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INDICES = 3
_TRANSPARENT = {0: 2, 2: 6}
"""Bytes of a tRNS chunk, by type of colour; of indices one for each that is not opaque."""
_FCTL_SIZE = 26
_EXCESS = 1 << 20
"""Most bytes of image data beyond the picture: more are a bomb, or not worth it."""
_ONE_CHUNK = 1 << 16
"""Bytes that are held at once, so that the length of a chunk follows from what it holds."""
_MOST_INFLATED = 1032
"""Bytes that a byte of deflate holds at most: four matches of 258 bytes, of 2 bits each."""


@dataclass(frozen=True)
class _Header:
    """What IHDR says."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def layout(self) -> Layout:
        return Layout(self.depth, tuple(range(_CHANNELS[self.colour])))


@dataclass(frozen=True)
class Chunk:
    """A chunk, and where it lies in its file."""

    kind: bytes
    start: int
    end: int

    @property
    def body(self) -> slice:
        return slice(self.start + 8, self.end - 4)


def parse(data: bytes) -> Parsed | None:
    """Take a PNG or an APNG apart.

    Args:
        data: the whole file; or of a file that begins with one, such as an icon's entry: what comes after the last
            chunk is a literal too.

    Returns:
        Samples as they are stored, of 1, 2, 4, 8 or 16 bits; frames of an APNG are pictures after the first, of their
        own size. None if there is no whole picture in it.
    """
    chunks = list(chunks_of(data))
    header = _header(data, chunks)
    if header is None:
        return None
    pictures: list[Pixels] = []
    skeleton: list[Segment] = []
    at, pixels_left = 0, MAX_PIXELS
    for run, height, width in _runs(data, chunks, header):
        if height * width > pixels_left or (run[0].kind == b"fdAT" and not pictures):
            continue
        found = _picture(data, run, header, (height, width), len(pictures))
        if found is None:
            if not pictures:
                return None
            continue
        picture, segment = found
        pictures.append(picture)
        pixels_left -= height * width
        skeleton += [Literal(data[at : run[0].start]), segment]
        at = run[-1].end
    if not pictures:
        return None
    if at < len(data):
        skeleton.append(Literal(data[at:]))
    palette = _palette(data, chunks) if header.colour == _INDICES else None
    samples = Samples(stacks(pictures), header.depth, alpha=header.colour in (4, 6), palette=palette)
    return Parsed(samples, tuple(skeleton))


def is_sound(data: bytes, parsed: Parsed) -> bool:
    """Whether the checksums of all that makes pixels are right: of header, palette, transparency and image data.

    libpng refuses a palette whose checksum is wrong, and shows a picture without its transparency; neither is what the
    picture was.
    """
    header = all(
        zlib.crc32(data[chunk.start + 4 : chunk.end - 4]).to_bytes(4, "big") == data[chunk.end - 4 : chunk.end]
        for chunk in chunks_of(data)
        if chunk.kind in (b"IHDR", b"PLTE", b"tRNS")
    )
    runs = [segment for segment in parsed.skeleton if isinstance(segment, Chunks)]
    streams = [held for run in runs for held in run.content if isinstance(held, Deflated)]
    return header and not any(run.wrong for run in runs) and all(stream.check is None for stream in streams)


def has_odd_palette(data: bytes) -> bool:
    """Whether its palette has a length that no palette has: readers differ in what colours they make of it."""
    palette = in_effect(data, chunks_of(data)).get(b"PLTE")
    return palette is not None and (len(data[palette.body]) % 3 > 0 or len(data[palette.body]) > 3 * 256)


def must_be_known(chunk: Chunk) -> bool:
    """Whether a chunk is unknown, and of those without which pixels cannot be understood (section 5.4)."""
    return not chunk.kind[0] & 32 and chunk.kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def has_transparent_colour(data: bytes) -> bool:
    """Whether a PNG says that one gray or colour is transparent; its samples do not."""
    return data[25] in _TRANSPARENT and b"tRNS" in in_effect(data, chunks_of(data))


def lacks_palette(start: bytes) -> bool:
    """Whether samples without a palette are indices, of which nobody knows the colours.

    Args:
        start: of a PNG, 26 bytes or more.
    """
    return start.startswith(SIGNATURE) and start[25:26] == bytes([_INDICES])


def in_effect(data: bytes, chunks: Iterable[Chunk]) -> dict[bytes, Chunk]:
    """The palette and the transparency that readers go by, by their types: as libpng, the first of each before the
    image data, transparency only after the palette that it is of, and of the right length. Others say nothing.
    """
    found: dict[bytes, Chunk] = {}
    depth, colour = data[24:26] if len(data) > 25 else (0, 0)
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            break
        length = len(data[chunk.body])
        if chunk.kind == b"PLTE":
            found.setdefault(b"PLTE", chunk)
        elif chunk.kind == b"tRNS" and colour == _INDICES:
            entries = min(len(data[found[b"PLTE"].body]) // 3, 1 << depth) if b"PLTE" in found else 0
            if 1 <= length <= entries:
                found.setdefault(b"tRNS", chunk)
        elif chunk.kind == b"tRNS" and length == _TRANSPARENT.get(colour):
            found.setdefault(b"tRNS", chunk)
    return found


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND, or up to what is none."""
    at = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    kind = b""
    while kind != b"IEND" and len(data) - at >= 12:
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if end > len(data):
            return
        yield Chunk(kind, at, end)
        at = end


def _header(data: bytes, chunks: list[Chunk]) -> _Header | None:
    """What the first chunk says, if it is a header of a picture that can be."""
    if not chunks or chunks[0].kind != b"IHDR" or len(data[chunks[0].body]) != _IHDR.size:
        return None
    width, height, depth, colour, compression, filtering, interlace = _IHDR.unpack(data[chunks[0].body])
    known = depth in _DEPTHS.get(colour, ()) and not compression and not filtering and interlace <= 1
    return _Header(width, height, depth, colour, bool(interlace)) if known and width and height else None


def _runs(data: bytes, chunks: list[Chunk], header: _Header) -> Iterator[tuple[list[Chunk], int, int]]:
    """Chunks of image data that follow each other, the height and the width of their picture.

    Of IDAT only the first run: one picture's data in separate places is against the specification.
    """
    height, width = header.height, header.width
    seen = False
    for kind, group in groupby(chunks, lambda chunk: chunk.kind):
        run = list(group)
        if kind == b"fcTL" and len(data[run[-1].body]) == _FCTL_SIZE:
            width, height = struct.unpack_from(">II", data, run[-1].start + 12)
        elif kind == b"IDAT" and not seen:
            seen = True
            yield run, header.height, header.width
        elif kind == b"fdAT" and height and width and _numbered(data, run):
            yield run, height, width


def _numbered(data: bytes, run: list[Chunk]) -> bool:
    """Whether chunks begin with sequence numbers, each one more than the one before."""
    if any(len(data[chunk.body]) < 4 for chunk in run):
        return False
    first = _number(data, run[0])
    return all(_number(data, chunk) == first + index for index, chunk in enumerate(run))


def _number(data: bytes, chunk: Chunk) -> int:
    return int.from_bytes(data[chunk.start + 8 : chunk.start + 12], "big")


def _picture(
    data: bytes, run: list[Chunk], header: _Header, size: tuple[int, int], index: int
) -> tuple[Pixels, Segment] | None:
    """The samples of a run of chunks, and the run as a segment; None if they are not a whole picture."""
    view = memoryview(data)
    prefix = 0 if run[0].kind == b"IDAT" else 4
    bodies = [view[chunk.body][prefix:] for chunk in run]
    stream = b"".join(bodies)
    if len(stream) < 2 or stream[0] & 0x0F != 8 or stream[1] & 0x20:  # not deflate, or with a preset dictionary
        return None
    need, _ = filtered_size(*size, header.layout, header.interlaced)
    if need > _MOST_INFLATED * len(stream):
        return None
    inflater = Inflater(memoryview(stream)[2:])
    picture = np.empty((*size, len(header.layout.channels)), np.uint8 if header.depth <= 8 else np.uint16)
    try:
        filters, padding = unfilter(inflater.take, picture, header.layout, header.interlaced)
        more = inflater.take(_EXCESS)
    except (zlib.error, ValueError):
        return None
    if not inflater.ended:
        return None
    if not header.interlaced and is_chosen(filters, picture, header.layout):
        filters = b""
    inside: tuple[Segment, ...] = (Scanlines(index, header.layout, filters, header.interlaced, padding),)
    inside += (Literal(more),) if more else ()
    end = 2 + inflater.used
    check: bytes | None = stream[end : end + 4]
    rest = stream[end + 4 :]
    check = None if check == inflater.check.to_bytes(4, "big") else check
    held: tuple[Segment, ...] = (Deflated(inside, stream[2:end], False, stream[:2], check),)
    held += (Literal(rest),) if rest else ()
    lengths = tuple((length, len(list(group))) for length, group in groupby(map(len, bodies)))
    if len(bodies) == 1 and len(stream) <= _ONE_CHUNK:
        lengths = ()
    sequence = _number(data, run[0]) if prefix else None
    return picture, Chunks(held, run[0].kind, lengths, sequence, tuple(_wrong(view, run)))


def _wrong(view: memoryview, run: list[Chunk]) -> Iterator[tuple[int, int]]:
    """Which chunk has which checksum, where it is not the right one."""
    for index, chunk in enumerate(run):
        check = int.from_bytes(view[chunk.end - 4 : chunk.end], "big")
        if check != zlib.crc32(view[chunk.start + 4 : chunk.end - 4]):
            yield index, check


def _palette(data: bytes, chunks: list[Chunk]) -> Pixels | None:
    """RGB of each entry, RGBA where there is a tRNS chunk; None if there is no palette."""
    bodies = {kind: data[chunk.body] for kind, chunk in in_effect(data, chunks).items()}
    entries = min(len(bodies.get(b"PLTE", b"")) // 3, 256)
    if not entries:
        return None
    colours = np.frombuffer(bodies[b"PLTE"][: 3 * entries], np.uint8).reshape(entries, 3)
    if b"tRNS" not in bodies:
        return colours
    alpha = np.full((entries, 1), 255, np.uint8)
    given = np.frombuffer(bodies[b"tRNS"][:entries], np.uint8)
    alpha[: len(given), 0] = given
    return np.hstack((colours, alpha))
