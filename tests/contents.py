"""Pictures that tests draw, by integers and a seed: numpy is all they need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def converted(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Samples [..., 3] taken for JPEG's YCbCr, as RGB by libjpeg's integers."""
    y, cb, cr = (pixels[..., c].astype(np.int64) - (128 if c else 0) for c in range(3))
    red, blue = y + ((91881 * cr + 32768) >> 16), y + ((116130 * cb + 32768) >> 16)
    green = y + ((-22554 * cb - 46802 * cr + 32768) >> 16)
    return np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8)


def pictures(kind: str, shape: tuple[int, int, int], depth: int, seed: int = 0) -> npt.NDArray[Any]:
    """[H, W, C] of a kind of content: "smooth", "noise", "extreme" (only 0 and the largest level), "constant" or
    "converted" (RGB that was YCbCr before, in coding order)."""
    rng = np.random.default_rng(seed)
    top = (1 << depth) - 1
    h, w, c = shape
    out: npt.NDArray[Any]
    if kind == "noise":
        out = rng.integers(0, top + 1, shape)
    elif kind == "extreme":
        out = rng.integers(0, 2, shape) * top
    elif kind == "converted" and c == 3:
        out = converted(pictures("smooth", shape, depth, seed))[..., [1, 0, 2]]
    elif kind == "constant":
        out = np.broadcast_to(rng.integers(0, top + 1, c), shape)
    else:
        ramp = np.add.outer(np.arange(h) * 3, np.arange(w) * 2)[..., None] + np.arange(c) * 9
        out = (
            (ramp + rng.integers(0, 4, shape)) * (top + 1) // 256 % (top + 1)
            if depth < 8
            else (ramp + rng.integers(0, 4, shape)) % (top + 1)
        )
    return out.astype(np.uint8 if depth <= 8 else np.uint16)


def deep(shape: tuple[int, int, int], bits: int, seed: int = 0) -> npt.NDArray[np.uint16]:
    """[H, W, C] of 9 to 16 bits: a slope, noise in all but the highest six bits, and a few of the highest samples."""
    rng = np.random.default_rng(seed)
    found = np.add.outer(np.arange(shape[0]) * 3, np.arange(shape[1]) * 2)[..., None] + np.arange(shape[2]) * 9
    found = (found << bits - 8) + rng.integers(0, 1 << bits - 6, shape)
    found[rng.random(shape) < 0.02] = (1 << bits) - 1
    return np.minimum(found, (1 << bits) - 1).astype(np.uint16)


def screen(height: int, width: int, channels: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """[H, W, C] of 8 bits: letters with soft edges, a few of them again and again, on a pattern."""
    rng = np.random.default_rng(seed)
    pattern = rng.integers(0, 256, (3, channels))[rng.integers(0, 3, (7, 11))]
    page = np.tile(pattern, (height // 7 + 1, width // 11 + 1, 1))[:height, :width]
    inks, letters = rng.integers(0, 256, (2, channels)), np.maximum(rng.integers(-255, 256, (4, 6, 5)), 0)
    for top in range(2, height - 6, 9):
        for left in range(3, width - 5, 7):
            part = letters[rng.integers(4)][..., None]
            under = page[top : top + 6, left : left + 5]
            page[top : top + 6, left : left + 5] = (inks[rng.integers(2)] * part + under * (255 - part)) // 255
    return page.astype(np.uint8)
