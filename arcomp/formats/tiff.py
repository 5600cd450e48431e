"""TIFF, by its tags: the few kinds that are 8-bit gray or RGB without loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.errors import PictureError
from arcomp.formats.common import TO_8_BITS, TO_RGB, damaged, names, ordinary_resolution
from arcomp.formats.kinds import refuse_lossy

BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, SAMPLES = 258, 259, 262, 274, 277
ROWS_PER_STRIP, PLANAR, EXTRA_SAMPLES, SAMPLE_FORMAT = 278, 284, 338, 339
WIDTH, HEIGHT, RESOLUTIONS, RESOLUTION_UNIT = 256, 257, (282, 283), 296
TILE_WIDTH, TILE_HEIGHT = 322, 323
STRIPS, TILES = (273, 279), (324, 325)

_LOSSLESS = {1, 5, 8, 32773, 32946, 34925, 50000}
_PHOTOMETRIC = {
    3: "palette",
    4: "transparency mask",
    5: "CMYK",
    6: "YCbCr",
    8: "Lab",
    9: "Lab",
    10: "Lab",
    32803: "raw sensor",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw",
}

# What describes the pixels themselves, and so is not lost.
_STRUCTURE = {254, 255, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, 266, *STRIPS, SAMPLES, ROWS_PER_STRIP}
_STRUCTURE |= {280, 281, PLANAR, RESOLUTION_UNIT, 297, 317, TILE_WIDTH, TILE_HEIGHT, *TILES, EXTRA_SAMPLES}
_STRUCTURE |= {SAMPLE_FORMAT, 347, 530, 531, 532}

_DROPPED = {
    269: "document name",
    270: "description",
    271: "camera",
    272: "camera",
    ORIENTATION: "orientation",
    285: "page name",
    305: "software",
    306: "time",
    315: "artist",
    316: "host computer",
    330: "sub-pictures",
    700: "XMP",
    33432: "copyright",
    33723: "IPTC",
    34377: "Photoshop data",
    34665: "Exif",
    34675: "ICC profile",
    34853: "position",
    37724: "Photoshop data",
}


def check_tiff(tags: Any, file_size: int, *, allow_lossy: bool) -> tuple[str, ...]:
    """Check the tags of a TIFF picture.

    Args:
        tags: Pillow's mapping of tag numbers to values, of the first picture.
        file_size: bytes in the whole file.
        allow_lossy: take pictures with JPEG inside and other lossy compression too.

    Returns:
        The names of what is not kept.

    Raises:
        PictureError: the picture is not of 8-bit gray or RGB, is lossy, or its data is not all there.
    """
    bits = _values(tags, BITS, 1)
    form = _values(tags, SAMPLE_FORMAT, 1)
    photometric = _values(tags, PHOTOMETRIC, 0)[0]
    compression = _values(tags, COMPRESSION, 1)[0]
    samples = _values(tags, SAMPLES, 1)[0]
    if any(value not in (1, 4) for value in form):
        raise _unsupported("of signed or floating-point samples", TO_8_BITS)
    lossy = compression not in _LOSSLESS
    if photometric in _PHOTOMETRIC and not (photometric == 6 and lossy):
        raise _unsupported(f"of {_PHOTOMETRIC[photometric]} colour", TO_RGB)
    if any(value != 8 for value in bits):
        raise _unsupported(f"of {max(bits)}-bit samples", TO_8_BITS)
    if lossy and not allow_lossy:
        raise refuse_lossy(f"a TIFF picture with compression {compression}")
    if EXTRA_SAMPLES in tags or samples != (1 if photometric < 2 else 3):
        raise _unsupported("with transparency or extra channels", TO_RGB)
    _check_data(tags, file_size, samples)
    return names(_name(tags, tag) for tag in tags)


def _unsupported(what: str, remedy: str) -> PictureError:
    return PictureError(f"a TIFF picture {what} is not supported", remedy=remedy)


def _values(tags: Any, tag: int, default: int) -> tuple[int, ...]:
    found = tags.get(tag, default)
    values = tuple(found) if isinstance(found, tuple) else (found,)
    if not values or not all(isinstance(value, int) for value in values):
        raise damaged("TIFF", f"tag {tag} does not hold numbers")
    return values


def _check_data(tags: Any, file_size: int, samples: int) -> None:
    """Every strip or tile must be there, and inside the file: Pillow leaves missing ones black."""
    width, height = _values(tags, WIDTH, 0)[0], _values(tags, HEIGHT, 0)[0]
    if TILES[0] in tags:
        offsets, counts = TILES
        tile_height, tile_width = _values(tags, TILE_HEIGHT, 0)[0], _values(tags, TILE_WIDTH, 0)[0]
    else:
        offsets, counts = STRIPS
        tile_height, tile_width = min(_values(tags, ROWS_PER_STRIP, height)[0], height), width
    if min(width, height, tile_width, tile_height) < 1:
        raise damaged("TIFF", "a size is zero")
    wanted = -(-height // tile_height) * -(-width // tile_width)
    if _values(tags, PLANAR, 1)[0] == 2:
        wanted *= samples
    starts = _values(tags, offsets, 0)
    lengths = _values(tags, counts, 0) if counts in tags else (1,) * len(starts)
    if len(starts) != wanted or len(lengths) != wanted:
        raise damaged("TIFF", f"it has {len(starts)} of {wanted} parts of its image data")
    if _values(tags, COMPRESSION, 1)[0] == 1 and sum(lengths) < width * height * samples and counts in tags:
        raise damaged("TIFF", f"it has {sum(lengths)} of {width * height * samples} samples")
    for start, length in zip(starts, lengths, strict=True):
        if start < 8 or length < 1 or start + length > file_size:
            raise damaged("TIFF", "it is truncated: a part of its image data is not in the file")


def _name(tags: Any, tag: int) -> str:
    if tag in _STRUCTURE or (tag == ORIENTATION and tags[tag] == 1):
        return ""
    if tag in RESOLUTIONS:
        # Without a unit of length (1), the value is an aspect ratio; 3 is dots per centimetre.
        unit = {1: 0.0, 3: 2.54}.get(tags.get(RESOLUTION_UNIT, 2), 1.0)
        return "" if ordinary_resolution(float(tags[tag]) * unit) else "resolution"
    return _DROPPED.get(tag, f"TIFF tag {tag}")


def as_stored(pixels: np.ndarray[Any, np.dtype[np.uint8]], orientation: object) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Undo the turn that Pillow gives a TIFF picture by its orientation tag.

    Args:
        pixels: uint8 [H, W, C] as Pillow returns them.
        orientation: the tag's value before loading; 1 to 8, others mean 1 (as for Pillow).

    Returns:
        The pixels as stored, uint8; of shape [W, H, C] for orientations 5 to 8.
    """
    turned = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: a.transpose(1, 0, 2)[::-1],
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    }
    undo = turned.get(orientation) if isinstance(orientation, int) else None
    return pixels if undo is None else undo(pixels)
