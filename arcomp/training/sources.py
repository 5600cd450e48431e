"""What there is to train on: seen for choosing a recipe, gathered for following it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arcomp.contract import registry
from arcomp.errors import TrainingError
from arcomp.formats import named_as_pictures
from arcomp.samples import kind_of_channels
from arcomp.training import recipes
from arcomp.training.chunks import Chunks
from arcomp.training.data import Data, below
from arcomp.training.pictures import Pictures, find_pictures, pictures_in
from arcomp.training.recipes import Recipe
from arcomp.training.sounds import ENDING, Sounds
from arcomp.training.trainable import trainer_of

LOOKED_AT = 16
"""Files of pictures that are read to see of which kind they are."""
NOT_READ = {".jpg", ".jpeg", ".jxl", ".gif", ".jp2", ".avif", ".heic", ".psd", ".exr", ".qoi", ".ico", ".svg"}
"""Endings of pictures that are no data, and no text either."""


@dataclass(frozen=True)
class Seen:
    """Of which kind data are.

    Attributes:
        kind: see :data:`arcomp.training.data.KINDS`.
        channels: samples of a pixel; the most there are.
        depth: bits of the largest sample.
    """

    kind: str
    channels: int
    depth: int

    def __str__(self) -> str:
        if self.kind != "pictures":
            return "text or other bytes" if self.kind == "bytes" else "sounds"
        return f"{kind_of_channels(self.channels)} pictures of {self.depth} bit{'s' if self.depth > 1 else ''}"


def inspect(folders: list[Path]) -> Seen:
    """What files hold: pictures, where there are any, else bytes.

    Raises:
        TrainingError: there are no files, or pictures that cannot be read.
    """
    files = below(folders)
    if not files:
        raise TrainingError(f"no files in {', '.join(map(str, folders))}", remedy="name a folder of data")
    paths = [p for p in files if named_as_pictures(p)]
    if not paths and all(p.suffix.lower() == ENDING for p in files):
        return Seen("sounds", 2, 8)
    if not paths:
        others = [p for p in files if p.suffix.lower() in NOT_READ]
        if 2 * len(others) > len(files):
            raise TrainingError(
                f"no pictures that can be read in {', '.join(map(str, folders))}, but others, such as {others[0].name}",
                remedy="convert them to PNG; to train on their bytes, name a recipe by --recipe",
            )
        return Seen("bytes", 1, 8)
    some = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, LOOKED_AT).astype(int))]
    pictures = [picture for path in some for picture in pictures_in(path)]
    largest = max(int(picture.max()) for picture in pictures)
    return Seen("pictures", max(picture.shape[2] for picture in pictures), max(1, largest.bit_length()))


def recipe_for(name: str, folders: list[Path]) -> str:
    """The recipe, of those that come with arcomp, for a model (or a preset of one, or the recipe's own name) and data.

    Of several that fit it is the one with the fewest bits, then the one that the model's default weights come from,
    then the one with the shortest name.

    Raises:
        TrainingError: no such model, or none of its recipes fits the data.
    """
    known = {n: recipes.find(n) for n in recipes.names()}
    own = {n: r for n, r in known.items() if n == name or r.model == name or n.startswith(name + "-")}
    if not own:
        there = ", ".join(sorted({r.model for r in known.values()}))
        raise TrainingError(f"there is no recipe for model {name!r}", remedy=f"there are some for {there}")
    seen = inspect(folders)
    fit = {
        n: r
        for n, r in own.items()
        if (r.data.kind, r.channels) == (seen.kind, seen.channels) and (r.depth >= seen.depth or r.data.deep)
    }
    if not fit:
        raise TrainingError(
            f"no recipe of {name} is for {seen}, which these data are",
            remedy=f"there are {', '.join(own)}; choose one by --recipe, or give a .toml file of your own",
        )
    return min(fit, key=lambda n: (fit[n].depth, not n.startswith(registry.DEFAULT), len(n), n))


def gather(recipe: Recipe, folders: list[Path], without: tuple[Path, ...] = ()) -> Data:
    """The data that a recipe asks for.

    Args:
        folders: where; files, or folders of them.
        without: files that are not taken, such as what a run writes.

    Raises:
        TrainingError: there are none, too few, some that cannot be read, or larger ones than the network takes.
    """
    if recipe.data.kind == "bytes":
        return Chunks(folders, recipe.data, recipe.seed, without)
    if recipe.data.kind == "sounds":
        return Sounds(folders, recipe.data, recipe.seed, without)
    trainer = trainer_of(recipe.model)
    pictures = Pictures(
        find_pictures(folders, without), recipe.channels, recipe.data, recipe.seed, one_size=trainer.whole_crops
    )
    (height, width), frame = pictures.size, trainer.frame(recipe.config)
    if frame is not None and (height > frame[0] or width > frame[1]):
        raise TrainingError(
            f"crops of {height} x {width} pixels, the recipe's network takes {frame[0]} x {frame[1]} at most",
            remedy=f"set the recipe's crop to {min(frame)}, or its rows and columns to more",
        )
    return pictures
