"""Icons and cursors of Windows, and icons of macOS: PNGs, and bitmaps without the header of a BMP file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from arcomp.form import Layout, Literal, Raster
from arcomp.formats import png
from arcomp.formats.embedded import stacks, together
from arcomp.formats.layouts import row_bytes, unpack
from arcomp.formats.parsed import Parsed
from arcomp.samples import Pixels, Samples, in_colours

Mask: TypeAlias = npt.NDArray[np.bool_]
ICON, CURSOR, ICNS = b"\0\0\1\0", b"\0\0\2\0", b"icns"
_ENTRY = struct.Struct("<8xII")
_BITMAP = struct.Struct("<IiiHHI")
_HEADER = 40
"""Bytes of a BITMAPINFOHEADER, the only header that icons have."""
_LAYOUTS = {bits: Layout(bits, (0,)) for bits in (1, 4, 8)} | {24: Layout(8, (2, 1, 0)), 32: Layout(8, (2, 1, 0, 3))}


@dataclass(frozen=True)
class IconPicture:
    """A picture of an icon.

    Attributes:
        begin, end: where it lies.
        parsed: what it is made of.
        mask: bool [H, W], where there is nothing to see; None for a PNG.
    """

    begin: int
    end: int
    parsed: Parsed
    mask: Mask | None

    @property
    def has_opacity(self) -> bool:
        """Whether its last channel is opacity. Where it is 0 everywhere, as old programs left it, the mask counts."""
        samples = self.parsed.samples
        return samples.alpha and (self.mask is None or bool(samples.pixels[..., -1].any()))

    @property
    def is_masked(self) -> bool:
        """Whether only its mask says what there is to see."""
        return not self.has_opacity and (self.parsed.samples.alpha or (self.mask is not None and bool(self.mask.any())))

    @property
    def contradicts_mask(self) -> bool:
        """Whether opacity is not all that its mask says."""
        if self.mask is None or not self.has_opacity:
            return False
        return bool(self.mask.any()) and not np.array_equal(self.mask, self.parsed.samples.pixels[0, ..., -1] == 0)

    def shown(self) -> Pixels | None:
        """What there is to see, uint8 [H, W, 4], RGBA; None if it has more than 8 bits a sample, or fewer."""
        samples = in_colours(self.parsed.samples)
        if samples.depth != 8:
            return None
        pixels = samples.pixels[0]
        colour = pixels[..., : samples.channels - samples.alpha]
        made = np.full((*pixels.shape[:2], 4), 255, np.uint8)
        made[..., :3] = colour
        if self.has_opacity:
            made[..., 3] = pixels[..., -1]
        elif self.mask is not None:
            made[self.mask, 3] = 0
        return made


def parse(data: bytes) -> Parsed | None:
    """Take an .ico, .cur or .icns file apart.

    Args:
        data: the whole file.

    Returns:
        The pictures of the kind that holds most bytes, such as all with alpha; masks and the others stay literal. None
        if there are none.
    """
    return together(data, [(picture.begin, picture.end, picture.parsed) for picture in pictures(data)])


def read(data: bytes) -> Samples | None:
    """All pictures of an icon as they are seen: where masks say what there is to see, or pictures are of several kinds,
    as RGBA. None if there are none."""
    found = list(pictures(data))
    plain = together(data, [(picture.begin, picture.end, picture.parsed) for picture in found])
    if plain is None or (plain.samples.count == len(found) and not any(picture.is_masked for picture in found)):
        return plain.samples if plain else None
    seen = [shown for picture in found if (shown := picture.shown()) is not None]
    return Samples(stacks(seen), 8, alpha=True) if len(seen) == len(found) else plain.samples


def pictures(data: bytes) -> Iterator[IconPicture]:
    """The pictures of an icon that are taken apart, by where they lie."""
    for begin, end in spans(data)[1:]:
        body = data[begin:end]
        parsed = png.parse(body) if body.startswith(png.SIGNATURE) else _bitmap(body)
        if parsed is not None:
            yield IconPicture(begin, end, parsed, _mask(body, parsed))


def spans(data: bytes) -> list[tuple[int, int]]:
    """Where the header and all pictures of an icon lie."""
    if data.startswith(ICNS):
        return [(0, 8), *((begin, end) for kind, begin, end in elements(data) if is_png(data, begin))]
    found = [(0, 6 + 16 * len(list(entries(data))))]
    places = (_ENTRY.unpack(entry) for entry in entries(data))
    for begin, end in sorted((offset, offset + size) for size, offset in places):
        if found[-1][1] <= begin < end <= len(data):  # else it is one picture twice, or a trap: many that overlap
            found.append((begin, end))
    return found


def entries(data: bytes) -> Iterator[bytes]:
    """The entries of the directory of an .ico or .cur file, 16 bytes each."""
    if not data.startswith(ICNS):
        count = int.from_bytes(data[4:6], "little")
        yield from (data[at : at + 16] for at in range(6, min(6 + 16 * count, len(data) - 15), 16))


def elements(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The type of each element of an .icns file, and where its content begins and ends."""
    at = 8 if data.startswith(ICNS) else len(data)
    while len(data) - at >= 8:
        end = at + int.from_bytes(data[at + 4 : at + 8], "big")
        if not at + 8 < end <= len(data):
            return
        yield data[at : at + 4], at + 8, end
        at = end


def is_png(data: bytes, at: int) -> bool:
    """Whether a PNG begins at a place."""
    return data.startswith(png.SIGNATURE, at)


def _mask(body: bytes, parsed: Parsed) -> Mask | None:
    """The mask that follows a bitmap; None if there is none."""
    raster = parsed.skeleton[1]
    if body.startswith(png.SIGNATURE) or not isinstance(raster, Raster):
        return None
    begin = len(body) - sum(len(part.data) for part in parsed.skeleton[2:] if isinstance(part, Literal))
    stride = (raster.width + 31) // 32 * 4
    rows = body[begin : begin + stride * raster.height]
    mask = np.zeros((raster.height, raster.width, 1), np.uint8)
    if len(rows) < stride * raster.height:
        return None
    unpack(rows, mask, Layout(1, (0,)), stride=stride, upward=True)
    return mask[..., 0].astype(np.bool_)


def _bitmap(body: bytes) -> Parsed | None:
    """A bitmap of an icon: header, palette, colours from below, and a mask of as many pixels again, of 1 bit."""
    if len(body) < _HEADER:
        return None
    size, width, height, _, bits, compression = _BITMAP.unpack_from(body)
    used = int.from_bytes(body[32:36], "little")
    if size != _HEADER or bits not in _LAYOUTS or compression or width < 1 or height < 2:
        return None
    entries = (used or 1 << bits) if bits <= 8 else used
    layout, height, start = _LAYOUTS[bits], height // 2, _HEADER + 4 * entries
    stride = -(-row_bytes(layout, width) // 4) * 4
    end = start + stride * height
    if end > len(body) or entries > 256:
        return None
    pixels = np.empty((height, width, len(layout.channels)), np.uint8)
    padding = unpack(body[start:end], pixels, layout, stride=stride, upward=True)
    raster = Raster(0, 0, 0, height, width, layout, stride, True, padding)
    palette = None
    if bits <= 8:
        palette = np.frombuffer(body[_HEADER:start], np.uint8).reshape(-1, 4)[:, 2::-1].copy()
    samples = Samples((pixels[None],), layout.bits, alpha=bits == 32, palette=palette)
    rest = (Literal(body[end:]),) if end < len(body) else ()
    return Parsed(samples, (Literal(body[:start]), raster, *rest))
