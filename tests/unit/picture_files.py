"""Files of pictures, made by Pillow and by the formats' specifications."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import PictureError
from arcomp.formats import read

ROOT = Path(__file__).parents[2]


DATA = ROOT.parent / "shared" / "data"


RANDOM = np.random.default_rng(7)


GRAY = RANDOM.integers(0, 256, (11, 13, 1), dtype=np.uint8)


RGB = RANDOM.integers(0, 256, (11, 13, 3), dtype=np.uint8)


LARGE = RANDOM.integers(0, 256, (150, 210, 3), dtype=np.uint8)


Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def saved(pixels: Pixels, form: str, mode: str | None = None, **options: Any) -> bytes:
    """What Pillow saves for an array, or for it turned into another mode."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, format=form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    pixels: Pixels,
    *,
    depth: int = 8,
    colour: int | None = None,
    chunks: Iterable[bytes] = (),
    size: tuple[int, int] | None = None,
    rows: int | None = None,
) -> bytes:
    """A PNG written here, by its specification: filter 0, one IDAT."""
    width, height = size or (pixels.shape[1], pixels.shape[0])
    kind = {1: 0, 3: 2, 4: 6}[pixels.shape[2]] if colour is None else colour
    raw = b"".join(b"\0" + row.tobytes() for row in pixels[:rows])
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)),
            *chunks,
            chunk(b"IDAT", zlib.compress(raw)),
            chunk(b"IEND", b""),
        )
    )


def interlaced(pixels: Pixels) -> bytes:
    """The rows of the seven passes of a PNG, each after a zero for its filter."""
    passes = ["00 88", "40 88", "04 48", "20 44", "02 24", "10 22", "01 12"]
    parts = [pixels[int(p[1]) :: int(p[4]), int(p[0]) :: int(p[3])] for p in passes]
    return b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)


def interlaced_png(width: int, height: int, raw: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def tiff(tags: dict[int, tuple[str, tuple[int, ...]]], data: bytes, *, order: str = "<") -> bytes:
    """A TIFF written here: `data` at byte 8 as one strip, then the tags (format letter, values)."""
    entries = {273: ("I", (8,)), 279: ("I", (len(data),)), **tags}
    directory, extra = b"", b""
    data += b"\0" * (len(data) % 2)
    at = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag, (letter, values) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        kind = {"B": 1, "H": 3, "I": 4}[letter]
        if len(packed) > 4:
            extra, packed = extra + packed, struct.pack(f"{order}I", at + len(extra))
        directory += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    return head + data + struct.pack(f"{order}H", len(entries)) + directory + bytes(4) + extra


def tiff_rgb(pixels: Pixels, order: str = "<", data: bytes | None = None, **changes: Any) -> bytes:
    """An uncompressed 8-bit RGB TIFF with some tags changed (t258=...) or, with None, left out."""
    tags: dict[int, Any] = {
        256: ("H", (pixels.shape[1],)),
        257: ("H", (pixels.shape[0],)),
        258: ("H", (8, 8, 8)),
        259: ("H", (1,)),
        262: ("H", (2,)),
        277: ("H", (3,)),
        278: ("H", (pixels.shape[0],)),
    }
    tags |= {int(name[1:]): value for name, value in changes.items()}
    return tiff(
        {tag: value for tag, value in tags.items() if value is not None},
        pixels.tobytes() if data is None else data,
        order=order,
    )


def refusal(source: bytes | Path, **options: Any) -> str:
    with pytest.raises(PictureError) as caught:
        read(source, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert " at 0x" not in line
    assert len(line) < 200
    return line
