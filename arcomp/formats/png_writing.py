"""Any picture as a PNG (PNG, third edition, sections 5 and 11), with what is known about it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from arcomp.container.dictionary import png_chunk
from arcomp.errors import OutputError
from arcomp.form import Chunks, Deflated, Layout, Literal, Scanlines, Segment
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.metadata.of_png import XMP
from arcomp.formats.parsed import Parsed
from arcomp.formats.png import SIGNATURE
from arcomp.formats.rebuild import pieces, rebuild
from arcomp.formats.scanlines import chosen, scanlines
from arcomp.samples import Samples

_COLOURS = {(1, False): 0, (3, False): 2, (2, True): 4, (4, True): 6}
"""PNG's colour types by channels and whether the last is alpha."""
_PALETTE = 3
_LEVEL = 6
_CHUNK = 1 << 20
_MAX_SIDE = (1 << 31) - 1
_MAX_KEY = 79


def write_png(samples: Samples, metadata: Metadata = NONE) -> bytes:
    """A PNG of which :func:`arcomp.formats.png.parse` gives the same samples back.

    Args:
        samples: one picture: gray of 1, 2, 4, 8 or 16 bits; gray and alpha, RGB or RGBA of 8 or 16; or indices of up to
            8 bits, which are put into the next of PNG's depths.
        metadata: goes along; texts under keywords of 1 to 79 characters of Latin-1.

    Raises:
        OutputError: PNG does not hold such samples as they are, or such keywords.
    """
    if samples.count != 1:
        raise OutputError(f"holds {samples.count} pictures", remedy="choose npy")
    colour, layout = _kind(samples)
    picture = samples.pixels[0]
    if max(picture.shape[:2]) > _MAX_SIDE:
        raise OutputError(f"png holds at most {_MAX_SIDE} pixels a side")
    height, width, _ = picture.shape
    chunks = [png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, layout.bits, colour, 0, 0, 0))]
    chunks += _metadata(metadata)
    chunks += _palette(samples)
    chunks += [png_chunk(b"IDAT", part) for part in _compressed(samples, layout)]
    return b"".join((SIGNATURE, *chunks, png_chunk(b"IEND", b"")))


def repacked(parsed: Parsed) -> bytes:
    """The same PNG, with image data that is deflated anew: all its other chunks, frames and filters stay.

    Args:
        parsed: by :func:`arcomp.formats.png.parse`.
    """
    skeleton = tuple(_again(segment, parsed.samples) for segment in parsed.skeleton)
    return rebuild(skeleton, parsed.samples)


def _again(segment: Segment, samples: Samples) -> Segment:
    """Image data in a new stream, and in as many chunks where they are numbered."""
    if not isinstance(segment, Chunks) or not isinstance(segment.content[0], Deflated):
        return segment
    inside = segment.content[0].content
    deflater = zlib.compressobj(_LEVEL, wbits=-15)
    coded = b"".join([deflater.compress(piece) for piece in pieces(inside, samples)]) + deflater.flush()
    size = len(coded) + 6 + sum(len(part.data) for part in segment.content[1:] if isinstance(part, Literal))
    count = -(-size // _CHUNK)
    if segment.sequence is not None:
        count = sum(many for _, many in segment.lengths or ((0, 1),))
    most = -(-size // count)
    whole, rest = divmod(size, most)
    lengths = ((most, whole), (rest, min(rest, 1)), (0, count - whole - min(rest, 1)))
    stream = Deflated(inside, coded, False, b"\x78\x9c", None)
    return replace(
        segment,
        content=(stream, *segment.content[1:]),
        wrong=(),
        lengths=tuple(part for part in lengths if part[1] > 0),
    )


def _metadata(metadata: Metadata) -> Iterator[bytes]:
    if metadata.icc:
        yield png_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc, 9))
    if metadata.exif:
        yield png_chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        yield png_chunk(b"iTXt", XMP + b"\0\0\0\0\0" + metadata.xmp)
    if sides := metadata.resolution or metadata.aspect:
        yield png_chunk(b"pHYs", struct.pack(">IIB", *sides, metadata.resolution is not None))
    for key, value in metadata.text:
        if "\0" not in value:  # which ends texts in other programs
            yield _text(key, value)


def _kind(samples: Samples) -> tuple[int, Layout]:
    """PNG's colour type, and how samples lie there.

    Raises:
        OutputError: there is none for them.
    """
    depth, layout = samples.depth, tuple(range(samples.channels))
    if samples.palette is not None:
        bits = next((bits for bits in (1, 2, 4, 8) if bits >= depth), 16)
        if bits > 8 or not 1 <= len(samples.palette) <= 1 << bits:
            raise OutputError(f"png cannot hold a palette of {len(samples.palette)} colours at {depth} bits")
        return _PALETTE, Layout(bits, layout)
    colour = _COLOURS.get((samples.channels, samples.alpha))
    if colour is None:
        raise OutputError(f"png cannot hold {samples.channels} channels of no known meaning", remedy="choose npy")
    if depth not in ((1, 2, 4, 8, 16) if colour == 0 else (8, 16)):
        what = {0: "gray", 2: "RGB", 4: "gray with alpha", 6: "RGBA"}[colour]
        raise OutputError(f"png cannot hold {what} of {depth} bits a sample as it is", remedy="choose npy")
    return colour, Layout(depth, layout)


def _palette(samples: Samples) -> list[bytes]:
    """The chunks of a palette, with alpha up to the last entry that is not opaque."""
    if samples.palette is None:
        return []
    made = [png_chunk(b"PLTE", samples.palette[:, :3].tobytes())]
    if samples.palette.shape[1] == 4:  # also if all is opaque: read again, it is RGBA again
        alpha = samples.palette[:, 3].tobytes()
        made.append(png_chunk(b"tRNS", alpha.rstrip(b"\xff") or alpha[:1]))
    return made


def _compressed(samples: Samples, layout: Layout) -> Iterator[bytes]:
    """The image data, some of it after the other."""
    picture = samples.pixels[0]
    filters = bytes(len(picture)) if samples.palette is not None else chosen(picture, layout)
    deflater = zlib.compressobj(_LEVEL)
    held = bytearray()
    for rows in scanlines(Scanlines(0, layout, filters), picture):
        held += deflater.compress(rows.data)
        while len(held) >= _CHUNK:
            yield bytes(held[:_CHUNK])
            del held[:_CHUNK]
    yield bytes(held) + deflater.flush()


def _text(key: str, value: str) -> bytes:
    """A chunk of text; of UTF-8 where Latin-1 does not do.

    Raises:
        OutputError: for a key that PNG does not take.
    """
    name = key.encode("latin-1", "replace")
    if name.decode("latin-1") != key or not 1 <= len(name) <= _MAX_KEY or b"\0" in name:
        raise OutputError(f"png has no text of the name {key[:80]!r}", remedy="name it by 1 to 79 letters")
    try:
        plain = value.encode("latin-1")
    except UnicodeEncodeError:
        return png_chunk(b"iTXt", name + b"\0\0\0\0\0" + value.encode("utf-8"))
    return png_chunk(b"tEXt", name + b"\0" + plain)
