"""Pictures to train on: found, split by picture, cropped, turned and degraded, each round from its own seed.

They come from files of pictures, or as arrays of numpy (.npy, or every array of an .npz; :mod:`arcomp.formats.npy`
says which).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from arcomp.errors import PictureError, TrainingError
from arcomp.formats import START, is_array, named_as_pictures, read, read_arrays
from arcomp.samples import Pixels, Samples, in_colours
from arcomp.training.data import Data, DataConfig, UInt8, below, digest_of
from arcomp.training.degrade import SMALLEST, mosaic, scaled_down, subsample_chroma, window

LARGEST = 1 << 36
"""Pixels of an array, at most: many more than are coded as one file."""


RGB = 3
"""Channels of a colour picture."""


def find_pictures(folders: list[Path], without: tuple[Path, ...] = ()) -> list[Path]:
    """All files below the folders (or the files themselves) that look like pictures, sorted; but for some.

    Raises:
        TrainingError: there are none, or a path does not exist.
    """
    found = [p for p in below(folders, without) if named_as_pictures(p) or p in folders]
    if not found:
        names = ", ".join(str(f) for f in folders)
        raise TrainingError(
            f"no pictures in {names}",
            remedy="PNG, WebP (lossless), BMP, TIFF and PNM (PBM, PGM, PPM) are read, and arrays (.npy, .npz)",
        )
    return found


def pictures_in(path: Path) -> list[Pixels]:
    """The pictures of a file: uint8 or uint16 [h, w, C] each. Of pictures with a palette or with alpha these are the
    colours.

    Raises:
        TrainingError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            start = file.read(START)
            if not is_array(start):
                return _without_alpha(in_colours(read(path)))
            return [pixels for array in read_arrays(start + file.read(), LARGEST) for pixels in _without_alpha(array)]
    except PictureError as error:
        cause = f"cannot train on it: {error.cause}"
    except OSError as error:
        cause = f"cannot be read: {error.strerror or error}"
    raise TrainingError(cause, path=str(path), remedy="move it out of the folder")


def _without_alpha(samples: Samples) -> list[Pixels]:
    """The pictures: uint8, or uint16 if samples have more than 8 bits."""
    channels = samples.channels - samples.alpha
    return [np.ascontiguousarray(picture[..., :channels]) for stack in samples.stacks for picture in stack]


def _photograph(path: Path, pattern: str) -> str:
    """What the names of files of one photograph begin with; "" if each file is its own.

    Raises:
        TrainingError: the pattern is no regular expression.
    """
    try:
        found = re.match(pattern, path.name)
    except re.error as error:
        raise TrainingError(f"data.photograph is no regular expression: {error}") from error
    return found.group() if found else ""


def _cut(picture: Pixels, crop: int) -> tuple[int, int]:
    """Rows and columns of a crop of a picture."""
    return min(crop, picture.shape[0]), min(crop, picture.shape[1])


def _of_one_size(pictures: list[Pixels], crop: int) -> list[Pixels]:
    """Those of which crops of one size can be cut: whole crops where there are any.

    Raises:
        TrainingError: all are smaller than a crop, and they differ.
    """
    large = [picture for picture in pictures if _cut(picture, crop) == (crop, crop)]
    if large:
        return large
    sizes = sorted({_cut(picture, crop) for picture in pictures})
    if len(sizes) > 1:
        shown = " and ".join(f"{h} x {w}" for h, w in (sizes[0], sizes[-1]))
        raise TrainingError(
            f"all pictures are smaller than a crop, {crop} x {crop}, and of several sizes, such as {shown}",
            remedy="give pictures of one size, or a recipe with smaller crops",
        )
    return pictures


class Pictures(Data):
    """A training set held in memory, and its held-out part.

    Args:
        paths: files; those that cannot be read are refused.
        channels: of the crops; colour pictures become gray for 1, others of another number of channels are left out, as
            are those of more than 8 bits, unless the config takes them.
        config: see :class:`DataConfig`.
        seed: of the split and of every round.
        one_size: whether all crops must be of one size, as those that are stacked. Then pictures smaller than a crop
            are left out, unless there are no others.

    Raises:
        TrainingError: there are too few, or they cannot be made of one size.
    """

    def __init__(
        self, paths: list[Path], channels: int, config: DataConfig, seed: int, *, one_size: bool = False
    ) -> None:
        self.channels, self.config, self.seed, self.one_size = channels, config, seed, one_size
        by_file = [(path, pixels) for path in paths for pixels in pictures_in(path)]
        found = [pixels for _, pixels in by_file]
        of_depth = [p for p in found if config.deep or p.dtype == np.uint8]
        of_channels = [p for p in of_depth if p.shape[2] == channels or (channels, p.shape[2]) == (1, RGB)]
        pictures = _of_one_size(of_channels, config.crop) if one_size else of_channels
        left_out = {
            "of more than 8 bits": len(found) - len(of_depth),
            f"not of {channels} channel{'s' if channels > 1 else ''}": len(of_depth) - len(of_channels),
            f"smaller than {config.crop} x {config.crop}": len(of_channels) - len(pictures),
        }
        others = "".join(f", {count:,} {why} left out" for why, count in left_out.items() if count)
        if len(pictures) <= config.held_out:
            raise TrainingError(
                f"{len(pictures)} usable pictures{others}, of which {config.held_out} would be held out",
                remedy="give more pictures, or hold out fewer by --held-out",
            )
        self.digest = digest_of(pictures)
        order = np.random.default_rng([seed, 0]).permutation(len(pictures))
        photograph = {id(pixels): _photograph(path, config.photograph) for path, pixels in by_file}
        chosen = {photograph[id(pictures[i])] for i in order[: config.held_out]} - {""}
        held_out = {*order[: config.held_out], *(i for i in order if photograph[id(pictures[i])] in chosen)}
        self.held_out = [pictures[i] for i in order if i in held_out]
        self.training = [pictures[i] for i in order if i not in held_out]
        self.about = f"{len(pictures):,} pictures, {len(held_out):,} of them held out{others}"

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the largest crop; where all are of one size, of each."""
        heights, widths = zip(*(_cut(picture, self.config.crop) for picture in self.training), strict=True)
        return max(heights), max(widths)

    def round(self, number: int) -> list[UInt8]:
        """The crops of a round."""
        rng = np.random.default_rng([self.seed, 1, number])
        areas = np.array([float(p.shape[0] * p.shape[1]) for p in self.training])
        chosen = rng.choice(len(self.training), self.config.crops, p=areas / areas.sum())
        return [self._crop(self.training[i], rng) for i in chosen]

    def uncropped(self, count: int) -> list[UInt8]:
        """The same."""
        rng = np.random.default_rng([self.seed, 3])
        chosen = rng.permutation(len(self.training))[:count]
        return [np.ascontiguousarray(self._degraded(window(self.training[i], rng), rng)) for i in chosen]

    def validation(self) -> list[UInt8]:
        """Centre crops of the held-out pictures."""
        crops = []
        for picture in self.held_out:
            h, w = _cut(picture, self.config.crop)
            y, x = (picture.shape[0] - h) // 2, (picture.shape[1] - w) // 2
            crops.append(self._as_channels(window(picture[y : y + h, x : x + w], None), None))
        return crops

    def _crop(self, picture: Pixels, rng: np.random.Generator) -> UInt8:
        h, w = _cut(picture, self.config.crop)
        crop = self._degraded(self._part(picture, h, w, rng), rng)
        if not self.config.turned:
            return np.ascontiguousarray(crop)
        if rng.random() < 0.5 and (h == w or not self.one_size):
            crop = crop.transpose(1, 0, 2)
        if rng.random() < 0.5:
            crop = crop[::-1]
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop)

    def _part(self, picture: Pixels, h: int, w: int, rng: np.random.Generator) -> UInt8:
        """A part of a picture, of h x w pixels of 8 bits; some are larger parts, made smaller."""
        factor = 1.0
        if self.config.scaled and rng.random() < self.config.scaled:
            factor = rng.uniform(1.0, min(SMALLEST, picture.shape[0] / h, picture.shape[1] / w))
        rows, columns = int(h * factor), int(w * factor)
        y, x = rng.integers(picture.shape[0] - rows + 1), rng.integers(picture.shape[1] - columns + 1)
        part = window(picture[y : y + rows, x : x + columns], rng)
        return part if (rows, columns) == (h, w) else scaled_down(part, h, w, rng)

    def _degraded(self, crop: UInt8, rng: np.random.Generator) -> UInt8:
        if rng.random() < self.config.resampled:
            crop = mosaic(crop, rng) if rng.random() < 0.2 else subsample_chroma(crop, rng)
        return self._as_channels(crop, rng)

    def _as_channels(self, crop: UInt8, rng: np.random.Generator | None) -> UInt8:
        """Gray out of colour: luma, or (in training, half of the time) one of the channels."""
        if crop.shape[2] == self.channels:
            return crop
        if rng is not None and rng.random() < 0.5:
            c = int(rng.integers(RGB))
            return np.asarray(crop[..., c : c + 1])
        luma = (crop.astype(np.int64) * [299, 587, 114]).sum(2, keepdims=True)
        return np.asarray((luma + 500) // 1000, np.uint8)
