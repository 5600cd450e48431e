"""JPEGs for training, made of pictures: of many qualities, tables, samplings and histories."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from arcomp.coefficients import Coefficients
from arcomp.formats.jpeg import read

UInt8 = npt.NDArray[np.uint8]
GRAY, SCALED, TWICE, OTHER_TABLES, THINNED = 0.06, 0.2, 0.12, 0.2, 0.15
"""Parts of the pictures: without colour; made smaller; compressed before; with other tables than the standard's; of an
encoder that rounds towards 0, as those do that weigh bits against errors."""
SUBSAMPLINGS, SHARES = (2, 0, 1), (0.6, 0.27, 0.13)
"""Pillow's: 4:2:0, 4:4:4, 4:2:2."""
LEAST = 64
"""Pixels of a side that a picture is not made smaller than."""
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
)  # fmt: skip
"""T.81, tables K.1 and K.2."""


def settings_for(pixels: UInt8) -> np.random.Generator:
    """Random numbers that depend on the picture alone."""
    return np.random.default_rng(zlib.crc32(pixels.tobytes()))


def make_coefficients(pixels: UInt8, rng: np.random.Generator) -> Coefficients:
    """Those of a JPEG of a picture, uint8 [H, W, 3]."""
    found = read(make_file(pixels, rng))
    assert found is not None
    made = found.coefficients[0]
    return _thinned(made, rng) if rng.random() < THINNED else made


def _thinned(made: Coefficients, rng: np.random.Generator) -> Coefficients:
    """The same as if AC had been rounded towards 0 more often: a part of them, of ones twice as many as of others."""
    part, components = rng.uniform(0.1, 0.5), []
    for component in made.components:
        blocks = component.blocks.copy()
        ac = blocks[..., 1:]
        ac -= (np.sign(ac) * (rng.random(ac.shape) < part / np.where(abs(ac) == 1, 1, 2))).astype(np.int16)
        components.append(replace(component, blocks=blocks))
    return replace(made, components=tuple(components))


def make_file(pixels: UInt8, rng: np.random.Generator) -> bytes:
    """A JPEG of a picture, with settings chosen at random."""
    picture = Image.fromarray(pixels)
    if rng.random() < TWICE:
        picture = _compressed_before(picture, rng)
    if rng.random() < SCALED:
        picture = _smaller(picture, rng)
    if rng.random() < GRAY:
        picture = picture.convert("L")
    return _saved(picture, rng)


def _saved(picture: Image.Image, rng: np.random.Generator) -> bytes:
    subsampling = int(rng.choice(SUBSAMPLINGS, p=SHARES))
    file, other = io.BytesIO(), rng.random() < OTHER_TABLES
    quality = _quality(rng)
    if other:
        tables = _other_tables(quality, rng)
        picture.save(file, "JPEG", qtables=tables, subsampling=subsampling)
    else:
        picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return file.getvalue()


def _quality(rng: np.random.Generator) -> int:
    """30 to 98, most of them around what cameras and the web use."""
    return int(rng.integers(30, 99) if rng.random() < 0.2 else rng.integers(70, 98))


def _smaller(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = rng.uniform(0.4, 1.0)
    size = tuple(max(min(LEAST, side), round(side * factor)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _compressed_before(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """By another JPEG, on the same grid or on a shifted one."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(60, 97)), subsampling=int(rng.choice(SUBSAMPLINGS)))
    again: Image.Image = Image.open(file)
    if rng.random() < 0.5 and min(picture.size) > 2 * LEAST:
        left, top = (int(v) for v in rng.integers(0, 16, 2))
        again = again.crop((left, top, picture.width, picture.height))
    return again.convert("RGB")


def _other_tables(quality: int, rng: np.random.Generator) -> list[list[int]]:
    """Such as cameras, Photoshop and other encoders have: flatter or steeper, smooth or not, chroma as fine as luma."""
    scale = (50 / quality if quality < 50 else 2 - quality / 50) + 0.01
    power, middle = rng.uniform(0.3, 1.2), rng.uniform(16, 60)
    noise = rng.uniform(0, 0.15)
    chroma = _LUMA if rng.random() < 0.25 else _CHROMA
    made = []
    for table in (_LUMA, chroma):
        own = middle * (np.array(table) / middle) ** power * scale
        own = own * np.exp(noise * rng.standard_normal(64))
        made.append([int(v) for v in np.clip(np.rint(own), 1, 255)])
    return made
