"""Pictures to train on: found, split by picture, cropped, turned and degraded, each round from its own seed.

They come from files of pictures, or as arrays of numpy (.npy, or every array of an .npz): uint8 [N, H, W] or
[N, H, W, C].
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError, TrainingError

UInt8 = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.float64]
ENDINGS = {".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pnm"}
ARRAYS = {".npy", ".npz"}


@dataclass(frozen=True)
class DataConfig:
    """How training examples are cut.

    Attributes:
        crop: side of a square crop, in pixels; smaller pictures are taken whole.
        crops: number of crops in a round, shuffled together.
        held_out: number of pictures kept for validation.
        resampled: part of the crops whose chroma is subsampled or whose colour mosaic is interpolated, as
            cameras and earlier codecs do.
        turned: whether crops are transposed and mirrored at random.
    """

    crop: int = 256
    crops: int = 40
    held_out: int = 12
    resampled: float = 0.3
    turned: bool = True


def find_pictures(folders: list[Path]) -> list[Path]:
    """All files below the folders (or the files themselves) that look like pictures, sorted.

    Raises:
        TrainingError: there are none, or a path does not exist.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.exists():
            raise TrainingError("no such file or folder", path=str(folder), remedy="name a folder of pictures")
        found += (
            [folder] if folder.is_file() else [p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS | ARRAYS]
        )
    if not found:
        names = ", ".join(str(f) for f in folders)
        raise TrainingError(
            f"no pictures in {names}",
            remedy="PNG, WebP (lossless), BMP, TIFF and PNM are read, and arrays (.npy, .npz)",
        )
    return sorted(found)


def _read(path: Path) -> list[UInt8]:
    """The pictures of a file: uint8 [h, w, C] each.

    Raises:
        TrainingError: it cannot be read, or holds something else.
    """
    from arcomp.pictures import read_picture

    remedy = "move it out of the folder"
    if path.suffix.lower() not in ARRAYS:
        try:
            return [read_picture(str(path)).pixels]
        except PictureError as error:
            raise TrainingError(f"cannot train on it: {error.cause}", path=str(path), remedy=remedy) from error
    try:
        found = np.load(path, allow_pickle=False)
        arrays = [found[name] for name in found.files] if isinstance(found, np.lib.npyio.NpzFile) else [found]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError("not an array of numpy's, or damaged", path=str(path), remedy=remedy) from error
    pictures: list[UInt8] = []
    for a in arrays:
        if a.dtype != np.uint8 or a.ndim not in (3, 4) or not a.size:
            raise TrainingError(
                f"arrays must be uint8 [N, H, W] or [N, H, W, C], not {a.dtype} {list(a.shape)}",
                path=str(path),
                remedy=remedy,
            )
        pictures += list(a if a.ndim == 4 else a[..., np.newaxis])
    return pictures


class Pictures:
    """A training set held in memory, and its held-out part.

    Args:
        paths: files; those that cannot be read are refused.
        channels: 1 or 3; colour pictures become gray for 1, gray ones are left out for 3.
        config: see :class:`DataConfig`.
        seed: of the split and of every round.
    """

    def __init__(self, paths: list[Path], channels: int, config: DataConfig, seed: int) -> None:
        self.channels, self.config, self.seed = channels, config, seed
        pictures: list[UInt8] = []
        for path in paths:
            for pixels in _read(path):
                if channels in (1, pixels.shape[2]):
                    pictures.append(pixels)
        if len(pictures) <= config.held_out:
            raise TrainingError(
                f"{len(pictures)} usable pictures, of which {config.held_out} would be held out",
                remedy="give more pictures, or a recipe that holds out fewer",
            )
        order = np.random.default_rng([seed, 0]).permutation(len(pictures))
        self.held_out = [pictures[i] for i in order[: config.held_out]]
        self.training = [pictures[i] for i in order[config.held_out :]]

    def round(self, number: int) -> list[UInt8]:
        """The crops of a round: uint8 [h, w, channels] each; the same ones whenever it is asked for."""
        rng = np.random.default_rng([self.seed, 1, number])
        areas = np.array([float(p.shape[0] * p.shape[1]) for p in self.training])
        chosen = rng.choice(len(self.training), self.config.crops, p=areas / areas.sum())
        return [self._crop(self.training[i], rng) for i in chosen]

    def whole(self, count: int) -> list[UInt8]:
        """So many training pictures (or all there are), not cropped, degraded as in training."""
        rng = np.random.default_rng([self.seed, 3])
        chosen = rng.permutation(len(self.training))[:count]
        return [np.ascontiguousarray(self._degraded(self.training[i], rng)) for i in chosen]

    def validation(self) -> list[UInt8]:
        """Centre crops of the held-out pictures."""
        crops = []
        for picture in self.held_out:
            h, w = (min(self.config.crop, side) for side in picture.shape[:2])
            y, x = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
            crops.append(self._as_channels(picture[y : y + h, x : x + w], None))
        return crops

    def _crop(self, picture: UInt8, rng: np.random.Generator) -> UInt8:
        h, w = (min(self.config.crop, side) for side in picture.shape[:2])
        y, x = rng.integers(picture.shape[0] - h + 1), rng.integers(picture.shape[1] - w + 1)
        crop = picture[y : y + h, x : x + w]
        crop = self._degraded(crop, rng)
        if not self.config.turned:
            return np.ascontiguousarray(crop)
        if rng.random() < 0.5:
            crop = crop.transpose(1, 0, 2)
        if rng.random() < 0.5:
            crop = crop[::-1]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop)

    def _degraded(self, crop: UInt8, rng: np.random.Generator) -> UInt8:
        if rng.random() < self.config.resampled:
            crop = mosaic(crop, rng) if rng.random() < 0.2 else subsample_chroma(crop, rng)
        return self._as_channels(crop, rng)

    def _as_channels(self, crop: UInt8, rng: np.random.Generator | None) -> UInt8:
        """Gray out of colour: luma, or (in training, half of the time) one of the channels."""
        if self.channels == 3 or crop.shape[2] == 1:
            return crop
        if rng is not None and rng.random() < 0.5:
            c = int(rng.integers(3))
            return np.asarray(crop[..., c : c + 1])
        luma = (crop.astype(np.int64) * [299, 587, 114]).sum(2, keepdims=True)
        return np.asarray((luma + 500) // 1000, np.uint8)


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
