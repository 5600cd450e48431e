"""A file from its form and its samples, whatever its format."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from arcomp.form import (
    BitsReversed,
    Chunks,
    Decimals,
    Deflated,
    Differences,
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
from arcomp.formats.layouts import BITS_REVERSED, Octets, packed, row_bytes
from arcomp.samples import Pixels, Samples

Piece = bytes | memoryview
"""Some bytes of a file, in one dimension."""


def rebuild(skeleton: Skeleton, samples: Samples) -> bytes:
    """The whole file.

    Raises:
        ValueError: the form is not one of these samples.
    """
    made = io.BytesIO()  # gives its own buffer away: the file is not copied once more
    for piece in pieces(skeleton, samples):
        made.write(piece)
    return made.getvalue()


def pieces(skeleton: Skeleton, samples: Samples) -> Iterator[Piece]:
    """The file, some bytes after the other: as little as possible is held at once."""
    for segment in skeleton:
        yield from _segment(segment, samples)


def picture(samples: Samples, index: int, count: int = 1) -> Pixels:
    """A picture counted through all stacks, uint8 or uint16 [H, W, C]; or several of one stack, one below the other.

    Raises:
        ValueError: there are not so many.
    """
    for stack in samples.stacks:
        if 0 <= index < index + count <= len(stack):
            view: Pixels = stack[index : index + count].reshape(-1, *stack.shape[2:])
            return view
        index -= len(stack)
    raise ValueError("a picture that is not among the samples")


def _segment(segment: Segment, samples: Samples) -> Iterator[Piece]:
    if isinstance(segment, Literal):
        yield segment.data
    elif isinstance(segment, Raster):
        yield from _bytes_of(_raster(segment, samples))
    elif isinstance(segment, Differences):
        yield from _bytes_of(_differences(segment.raster, samples))
    elif isinstance(segment, Scanlines):
        whole = _with_channels(picture(samples, segment.picture), segment.layout)
        from arcomp.formats.scanlines import scanlines  # Numba takes a second to import: only where it is needed

        yield from _bytes_of(scanlines(segment, whole))
    elif isinstance(segment, Decimals):
        from arcomp.formats.decimals import rendered

        yield from _bytes_of(rendered(segment, picture(samples, segment.picture)))
    elif isinstance(segment, Deflated):
        yield from _deflated(segment, samples)
    elif isinstance(segment, PackBits):
        yield packbits.pack(rebuild(segment.content, samples), segment.row, segment.headers)
    elif isinstance(segment, Lzw):
        yield lzw.pack(rebuild(segment.content, samples), segment.clears, segment.end)
    elif isinstance(segment, BitsReversed):
        for piece in pieces(segment.content, samples):
            yield bytes(piece).translate(BITS_REVERSED)
    elif isinstance(segment, Chunks):
        yield from _chunks(segment, pieces(segment.content, samples))
    else:
        raise ValueError(f"segments of type {type(segment).__name__} cannot be rebuilt")


def _bytes_of(parts: Iterator[Octets]) -> Iterator[memoryview]:
    for part in parts:
        if part.size:
            yield part.data.cast("B")


def _differences(raster: Raster, samples: Samples) -> Iterator[Octets]:
    if raster.transposed or raster.layout.word:
        raise ValueError("differences of columns or words")
    for rows in _raster(raster, samples):
        difference(rows, raster.layout, raster.width)
        yield rows


def _raster(segment: Raster, samples: Samples) -> Iterator[Octets]:
    """The rows of a rectangle of a picture."""
    whole = _with_channels(picture(samples, segment.picture, segment.pictures), segment.layout)
    bottom, right = segment.y + segment.height, segment.x + segment.width
    inside = min(segment.y, segment.x) >= 0 and bottom <= whole.shape[0] and right <= whole.shape[1]
    if not inside or min(segment.height, segment.width) < 1:
        raise ValueError("a rectangle that is not within its picture")
    part = whole[segment.y : bottom, segment.x : right]
    part = part.transpose(1, 0, 2) if segment.transposed else part
    yield from packed(part, segment.layout, stride=segment.stride, upward=segment.upward, padding=segment.padding)


def _with_channels(pixels: Pixels, layout: Layout) -> Pixels:
    """The same, if it has the layout's channels."""
    if not layout.channels or not 0 <= min(layout.channels) <= max(layout.channels) < pixels.shape[2]:
        raise ValueError("channels that the picture does not have")
    if layout.word or layout.fields:
        inside = all(
            min(place, n) >= 0 and place + n <= layout.word and 0 < n <= layout.bits for place, n in layout.fields
        )
        if layout.word not in (16, 32) or len(layout.fields) != len(layout.channels) or not inside:
            raise ValueError("fields that a word does not have")
    return pixels


def _deflated(segment: Deflated, samples: Samples) -> Iterator[Piece]:
    """A deflate stream in its wrapping. What is deflated is made only where it is asked for."""
    yield segment.header
    content: Iterable[Piece] = pieces(segment.content, samples) if segment.check is None else ()
    if segment.predicted:
        from arcomp.deflate import restore

        data = rebuild(segment.content, samples)
        yield restore(data, segment.coded)
        content = (data,)
    else:
        yield segment.coded
    if segment.check is not None:
        yield segment.check
        return
    check = 1
    for piece in content:
        check = zlib.adler32(piece, check)
    yield check.to_bytes(4, "big")


def _chunks(segment: Chunks, content: Iterator[Piece]) -> Iterator[Piece]:
    """Chunks of PNG, each a length, a kind, perhaps a number, some of the content, and a checksum."""
    wrong, sequence = dict(segment.wrong), segment.sequence
    lengths = (length for length, count in segment.lengths for _ in range(count))
    rest = memoryview(b"")
    for index, length in enumerate(lengths):
        number = b"" if sequence is None else ((sequence + index) & 0xFFFFFFFF).to_bytes(4, "big")
        start = segment.kind + number
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


def predicted(skeleton: Skeleton, samples: Samples) -> Skeleton:
    """The same form, in which deflate streams are given by how they differ from predicted ones.

    A stream stays as it is where its corrections would be more than half as long: it is then packed by rules that are
    not known here, and to predict it costs time, also when the file is rebuilt, for little.

    Args:
        skeleton: as a reader of files makes it, with all streams in it.
        samples: with which it is a file.
    """
    return tuple(_predicted(segment, samples) for segment in skeleton)


def _predicted(segment: Segment, samples: Samples) -> Segment:
    if isinstance(segment, Chunks | BitsReversed):
        return replace(segment, content=predicted(segment.content, samples))
    if not isinstance(segment, Deflated) or segment.predicted:
        return segment
    from arcomp.deflate import DeflateError, predict

    try:
        prediction = predict(segment.coded, _fed(segment, samples))
    except DeflateError:
        return segment
    if prediction.length != len(segment.coded) or 2 * len(prediction.coded) > len(segment.coded):
        return segment
    return replace(segment, coded=prediction.coded, predicted=True)


def _fed(segment: Deflated, samples: Samples) -> int:
    """Bytes that an encoder of PNG is given at once, a row and its filter; 0 if nothing is known."""
    for inner in segment.content[:1]:
        if isinstance(inner, Scanlines):
            return row_bytes(inner.layout, picture(samples, inner.picture).shape[1]) + 1
    return 0
