"""A file from its form and its samples, whatever its format."""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from arcomp.coefficients import Coefficients, Shape
from arcomp.errors import LimitError
from arcomp.form import (
    BitsReversed,
    Chunks,
    Decimals,
    Deflated,
    Differences,
    Jpeg,
    Layout,
    Literal,
    Lzw,
    PackBits,
    Raster,
    Scanlines,
    Segment,
    Skeleton,
)
from arcomp.formats import lzw, packbits
from arcomp.formats.differences import difference
from arcomp.formats.layouts import BITS_REVERSED, Octets, check, packed, row_bytes
from arcomp.formats.scanlines import filtered_size, scanlines
from arcomp.limits import BYTES_PER_CHUNK, CHUNKS_FREELY, CONTENT_FREELY, CONTENT_PER_BYTE, Budget, JpegBudget
from arcomp.samples import Pixels, Samples

if TYPE_CHECKING:
    pass

Piece = bytes | memoryview
"""Some bytes of a file, in one dimension."""
Jpegs = Callable[[int, Shape], Coefficients]
"""Gives the coefficients of a JPEG of the file, by its number, once its headers say of what shape they are."""
_TOO_LONG = "a form of more bytes than its file has"
_HELD = 8
"""Bytes of memory that each byte of a packed content takes, with what it is packed into, at most about."""


MAX_CHANNELS_NAMED = 4
"""Most channels that a segment lists."""
UNLIMITED = 1 << 63


class _Source(NamedTuple):
    """What segments are made of.

    Attributes:
        samples: of the file.
        first: the number of each stack's first picture.
        packed: what may still be made of contents that are packed, and held for that, over all levels.
        chunks: how many may still be made.
        jpegs: where coefficients come from. of_jpegs: what they may still have.
    """

    samples: Samples
    first: list[int]
    packed: Budget
    chunks: Budget
    jpegs: Jpegs
    of_jpegs: JpegBudget


def rebuild(skeleton: Skeleton, samples: Samples) -> bytes:
    """The whole file, however large.

    Raises:
        ValueError: the form is not one of these samples.
    """
    return joined(pieces(skeleton, samples))


def no_jpegs(number: int, shape: Shape) -> Coefficients:
    """For a file without JPEGs."""
    raise ValueError("a JPEG that is not there")


def pieces(
    skeleton: Skeleton,
    samples: Samples,
    most: int = UNLIMITED,
    memory: float = float("inf"),
    jpegs: Jpegs = no_jpegs,
) -> Iterator[Piece]:
    """The file, some bytes after the other: as little as possible is held at once.

    Args:
        skeleton, samples: what it is made of.
        most: bytes that the file has.
        memory: bytes that may be taken.
        jpegs: gives the coefficients of the file's JPEGs.

    Raises:
        ValueError: the form is not one of these samples, or makes more bytes.
        LimitError: what is packed takes more memory.
    """
    size = sum(stack.size * stack.itemsize for stack in samples.stacks)
    contents, held = CONTENT_FREELY + CONTENT_PER_BYTE * size + _literal(skeleton), int(min(memory, UNLIMITED)) // _HELD
    packed = Budget(contents, why=_TOO_LONG)
    if held < contents:
        error = partial(LimitError, limit="memory", remedy="allow more with {}")
        packed = Budget(held, error, "needs more memory than is allowed")
    chunks = Budget(CHUNKS_FREELY + most // BYTES_PER_CHUNK, why="more chunks than there may be")
    source = _Source(samples, first_pictures(samples), packed, chunks, jpegs, JpegBudget(most))
    yield from _pieces(skeleton, source, Budget(most, why=_TOO_LONG))


def _literal(skeleton: Skeleton) -> int:
    """Bytes of all literal segments, at any level."""
    return sum(
        len(segment.data) if isinstance(segment, Literal) else _literal(getattr(segment, "content", ()))
        for segment in skeleton
    )


def first_pictures(samples: Samples) -> list[int]:
    """The number of each stack's first picture, counted through all of them."""
    return [0, *accumulate(map(len, samples.stacks))][:-1]


def joined(parts: Iterable[Piece]) -> bytes:
    """All of them; a single one is not copied."""
    rest = iter(parts)
    first, second = next(rest, b""), next(rest, None)
    if second is None:
        return bytes(first)
    made = io.BytesIO()  # gives its own buffer away: the bytes are not copied once more
    made.write(first)
    made.write(second)
    del first, second
    for piece in rest:
        made.write(piece)
    return made.getvalue()


def _pieces(skeleton: Skeleton, source: _Source, made: Budget) -> Iterator[Piece]:
    for segment in skeleton:
        yield from _segment(segment, source, made)


def _content(skeleton: Skeleton, source: _Source) -> bytes:
    """All bytes that a segment packs."""
    return joined(_pieces(skeleton, source, source.packed))


def picture(samples: Samples, index: int, count: int = 1, first: Sequence[int] = ()) -> Pixels:
    """A picture counted through all stacks, uint8 or uint16 [H, W, C]; or several of one stack, one below the other.

    Args:
        first: what :func:`first_pictures` gives, for many calls.

    Raises:
        ValueError: there are not so many.
    """
    first = first or first_pictures(samples)
    place = bisect_right(first, index) - 1
    stack, at = samples.stacks[place], index - first[place]
    if not 0 <= at < at + count <= len(stack):
        raise ValueError("a picture that is not among the samples")
    view: Pixels = stack[at : at + count].reshape(-1, *stack.shape[2:])
    return view


def _segment(segment: Segment, source: _Source, made: Budget) -> Iterator[Piece]:
    """The bytes of a segment; how many is taken from a budget before they are made."""
    if isinstance(segment, Literal):
        made.take(len(segment.data))
        yield segment.data
    elif isinstance(segment, Raster):
        yield from _bytes_of(_raster(segment, source, made))
    elif isinstance(segment, Differences):
        yield from _bytes_of(_differences(segment.raster, source, made))
    elif isinstance(segment, Scanlines):
        yield from _bytes_of(_scanlines(segment, source, made))
    elif isinstance(segment, Decimals):
        yield from _bytes_of(_decimals(segment, source, made))
    elif isinstance(segment, Deflated):
        yield from _deflated(segment, source, made)
    elif isinstance(segment, PackBits):
        content = _content(segment.content, source)
        if not segment.headers and 2 * -(-len(content) // max(1, segment.row)) > made.left:
            raise ValueError(_TOO_LONG)  # a row is two bytes at least
        yield _counted(packbits.pack(content, segment.row, segment.headers), made)
    elif isinstance(segment, Lzw):
        yield _counted(lzw.pack(_content(segment.content, source), segment.clears, segment.end), made)
    elif isinstance(segment, BitsReversed):
        for piece in _pieces(segment.content, source, made):
            yield bytes(piece).translate(BITS_REVERSED)
    elif isinstance(segment, Chunks):
        yield from _chunks(segment, source, made)
    elif isinstance(segment, Jpeg):
        yield from _jpeg(segment, source, made)
    else:
        raise ValueError(f"segments of type {type(segment).__name__} cannot be rebuilt")


def _counted(piece: Piece, made: Budget) -> Piece:
    made.take(len(piece))
    return piece


def _bytes_of(parts: Iterator[Octets]) -> Iterator[memoryview]:
    for part in parts:
        if part.size:
            yield part.data.cast("B")


def _differences(raster: Raster, source: _Source, made: Budget) -> Iterator[Octets]:
    if raster.transposed or raster.layout.word:
        raise ValueError("differences of columns or words")
    for rows in _raster(raster, source, made):
        difference(rows, raster.layout, raster.width)
        yield rows


def _raster(segment: Raster, source: _Source, made: Budget) -> Iterator[Octets]:
    """The rows of a rectangle of a picture."""
    layout = segment.layout
    whole = _with_channels(picture(source.samples, segment.picture, segment.pictures, source.first), layout)
    bottom, right = segment.y + segment.height, segment.x + segment.width
    inside = min(segment.y, segment.x) >= 0 and bottom <= whole.shape[0] and right <= whole.shape[1]
    if not inside or min(segment.height, segment.width) < 1:
        raise ValueError("a rectangle that is not within its picture")
    part = whole[segment.y : bottom, segment.x : right]
    rows, columns = (segment.width, segment.height) if segment.transposed else (segment.height, segment.width)
    made.take(rows * (segment.stride or row_bytes(layout, columns)))
    if segment.transposed:
        if segment.height % segment.pictures:
            raise ValueError("columns of pictures of several heights")
        apart = part.reshape(segment.pictures, -1, *part.shape[1:])  # [N, H, W, C]
        part = apart.transpose(2, 1, 0, 3).reshape(rows, columns, -1)
    yield from packed(part, layout, stride=segment.stride, upward=segment.upward, padding=segment.padding)


def _with_channels(pixels: Pixels, layout: Layout) -> Pixels:
    """The same, if it has the layout's channels.

    Raises:
        ValueError: it has not, or there is no such layout.
    """
    _check_channels(pixels, layout.channels)
    check(layout)
    return pixels


def _check_channels(pixels: Pixels, channels: tuple[int, ...]) -> None:
    if not 1 <= len(channels) <= MAX_CHANNELS_NAMED or not 0 <= min(channels) <= max(channels) < pixels.shape[2]:
        raise ValueError("channels that the picture does not have")


def _scanlines(segment: Scanlines, source: _Source, made: Budget) -> Iterator[Octets]:
    whole = _with_channels(picture(source.samples, segment.picture, first=source.first), segment.layout)
    height, width, _ = whole.shape
    made.take(filtered_size(height, width, segment.layout, segment.interlaced)[0])
    yield from scanlines(segment, whole)


def _decimals(segment: Decimals, source: _Source, made: Budget) -> Iterator[Octets]:
    whole = picture(source.samples, segment.picture, first=source.first)
    _check_channels(whole, segment.channels)
    from arcomp.formats.decimals import rendered  # Numba takes a second to import: only where it is needed

    for text in rendered(segment, whole):
        made.take(len(text))
        yield text


def _deflated(segment: Deflated, source: _Source, made: Budget) -> Iterator[Piece]:
    """A deflate stream in its wrapping. What is deflated is made only where it is asked for."""
    yield _counted(segment.header, made)
    content: Iterable[Piece] = ()
    if segment.predicted:
        from arcomp.deflate import restore

        data = _content(segment.content, source)
        yield _counted(restore(data, segment.coded, made.left), made)
        content = (data,)
    else:
        yield _counted(segment.coded, made)
        content = _pieces(segment.content, source, source.packed) if segment.check is None else ()
    check = 1
    for piece in content if segment.check is None else ():
        check = zlib.adler32(piece, check)
    yield _counted(check.to_bytes(4, "big") if segment.check is None else segment.check, made)


def _jpeg(segment: Jpeg, source: _Source, made: Budget) -> Iterator[Piece]:
    """A JPEG: its headers say how its coefficients are coded."""
    from arcomp.formats.jpeg.writing import shape_of, write  # Numba takes a second to import

    content = _content(segment.content, source)
    coefficients = source.jpegs(segment.picture, shape_of(segment, content, source.of_jpegs.visits))
    for piece in write(segment, content, coefficients, made.left):
        yield _counted(piece, made)


def _chunks(segment: Chunks, source: _Source, made: Budget) -> Iterator[Piece]:
    """Chunks of PNG, each a length, a kind, perhaps a number, some of the content, and a checksum."""
    wrong, sequence = dict(segment.wrong), segment.sequence
    _check_chunks(segment)
    content = _pieces(segment.content, source, made)
    lengths: Iterator[int] = (length for length, count in segment.lengths for _ in range(count))
    if not segment.lengths:
        whole = joined(content)
        lengths, content = iter((len(whole),)), iter((whole,))
    rest = memoryview(b"")
    for index, length in enumerate(lengths):
        number = b"" if sequence is None else ((sequence + index) & 0xFFFFFFFF).to_bytes(4, "big")
        start = segment.kind + number
        source.chunks.take(1)
        made.take(8 + len(start))
        yield (length + len(number)).to_bytes(4, "big") + start
        check = zlib.crc32(start)
        while length:
            while not rest:
                piece = next(content, None)
                if piece is None:
                    raise ValueError("chunks are longer than what they hold")
                rest = memoryview(piece)
            part, rest = rest[:length], rest[length:]
            check = zlib.crc32(part, check)
            yield part
            length -= len(part)
        yield wrong.get(index, check).to_bytes(4, "big")
    if rest or any(len(piece) for piece in content):
        raise ValueError("chunks are shorter than what they hold")


def _check_chunks(segment: Chunks) -> None:
    """Refuse what no chunks can be.

    Raises:
        ValueError: they cannot.
    """
    places, count = [place for place, _ in segment.wrong], sum(count for _, count in segment.lengths or ((0, 1),))
    ascending = all(before < after for before, after in pairwise(places)) and (not places or places[-1] < count)
    room = (1 << 32) - (1 if segment.sequence is None else 5)
    if (
        len(segment.kind) != 4 or not ascending or not 0 <= (segment.sequence or 0) < 1 << 32
        or any(check >= 1 << 32 for _, check in segment.wrong) or any(length > room for length, _ in segment.lengths)
    ):  # fmt: skip
        raise ValueError("chunks that cannot be")
