"""What cameras, earlier codecs and editors do to pictures, done to crops in training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

SMALLEST = 3.0
"""Pictures are made smaller by this factor at most."""
TYPICAL = 2
"""Levels that half of a window's differences are below, at least where there are more levels than 256."""
MIDDLE = 128

UInt8 = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.float64]


def _blur2(plane: Pixels, centred: bool) -> Pixels:
    """Halve a plane and double it again, linearly: what 4:2:0 does to chroma."""
    h, w = plane.shape
    small = plane[: h // 2 * 2, : w // 2 * 2].reshape(h // 2, 2, w // 2, 2).mean((1, 3)) if centred else plane[::2, ::2]
    offset = 0.5 if centred else 0.0
    y = np.clip((np.arange(h) - offset) / 2, 0, small.shape[0] - 1)
    x = np.clip((np.arange(w) - offset) / 2, 0, small.shape[1] - 1)
    y0, x0 = np.minimum(y.astype(int), small.shape[0] - 2), np.minimum(x.astype(int), small.shape[1] - 2)
    fy, fx = (y - y0)[:, None], (x - x0)[None]
    rows = small[y0] * (1 - fy) + small[y0 + 1] * fy
    return np.asarray(rows[:, x0] * (1 - fx) + rows[:, x0 + 1] * fx)


def subsample_chroma(picture: UInt8, rng: np.random.Generator) -> UInt8:
    """JFIF YCbCr with half-resolution chroma, and back: uint8 [h, w, 3], any phase, co-sited or centred."""
    if min(picture.shape[:2]) < 8 or picture.shape[2] != 3:
        return picture
    p = picture.astype(np.float64)
    luma = p @ [0.299, 0.587, 0.114]
    dy, dx = rng.integers(2, size=2)
    centred = bool(rng.random() < 0.5)
    difference = []
    for c in (0, 2):
        plane = np.roll(p[..., c] - luma, (dy, dx), (0, 1))
        difference.append(np.roll(_blur2(plane, centred), (-dy, -dx), (0, 1)))
    red, blue = luma + difference[0], luma + difference[1]
    green = (luma - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(np.rint(np.stack([red, green, blue], 2)), 0, 255).astype(np.uint8)


def mosaic(picture: UInt8, rng: np.random.Generator) -> UInt8:
    """Keep one colour a pixel as a Bayer sensor does, and interpolate linearly: uint8 [h, w, 3]."""
    h, w = picture.shape[:2]
    if min(h, w) < 8 or picture.shape[2] != 3:
        return picture
    dy, dx = rng.integers(2, size=2)
    ys, xs = np.mgrid[dy : dy + h, dx : dx + w] % 2
    masks = [(ys == 0) & (xs == 0), ys != xs, (ys == 1) & (xs == 1)]
    out = np.empty_like(picture)
    for c, mask in enumerate(masks):
        total, weight = np.zeros((h, w)), np.zeros((h, w))
        for sy, sx, g in [
            (0, 0, 4.0),
            *((a, b, 2.0 if a == 0 or b == 0 else 1.0) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b),
        ]:
            m = np.roll(mask, (sy, sx), (0, 1)) * g
            total += m * np.roll(picture[..., c], (sy, sx), (0, 1))
            weight += m
        out[..., c] = np.where(mask, picture[..., c], np.rint(total / weight)).astype(np.uint8)
    return out


def scaled_down(picture: UInt8, height: int, width: int, rng: np.random.Generator) -> UInt8:
    """Make a picture smaller, by averaging or by Lanczos's filter: uint8 [h, w, C] to [height, width, C]."""
    how = Image.Resampling.BOX if rng.random() < 0.5 else Image.Resampling.LANCZOS
    planes = [Image.fromarray(np.ascontiguousarray(picture[..., c])) for c in range(picture.shape[2])]
    return np.stack([np.asarray(plane.resize((width, height), how)) for plane in planes], 2)


def window(picture: npt.NDArray[np.uint8 | np.uint16], rng: np.random.Generator | None) -> UInt8:
    """What of a picture of more than 8 bits can be seen in 256 levels, as radiologists look at it: steps of so many
    levels that half of the differences are below :data:`TYPICAL` of them, around the level of a pixel.

    Args:
        picture: [h, w, C]; of uint8 it is taken as it is.
        rng: chooses the pixel; None: the middle of all levels.
    """
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    levels = picture.astype(np.int32)
    changes = np.abs(np.diff(levels, axis=1))
    changes = changes[changes > 0]
    shift = max(0, (int(np.median(changes)) // TYPICAL).bit_length() - 1) if changes.size else 0
    y, x = (int(rng.integers(side)) for side in levels.shape[:2]) if rng is not None else (0, 0)
    middle = levels[y, x].astype(np.float64).mean() if rng is not None else np.median(levels)
    seen: UInt8 = np.clip((levels - int(middle) >> shift) + MIDDLE, 0, 2 * MIDDLE - 1).astype(np.uint8)
    return seen
