"""What ``graphic`` starts from: mixing weights, learnt by coding pictures one after the other.

``python -m arcomp.models.graphic.training FOLDER -o graphic.safetensors``

Nothing else is trained: counters start empty with each tile. Colour pictures are coded as they are; those of few
colours as indices, too, and all as gray.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from arcomp.contract.fixed_input import layer_digests
from arcomp.contract.weights_file import Weights
from arcomp.models.graphic.model import GraphicModel
from arcomp.models.graphic.tile import Start, Tile

SEED = 1
ROWS, COLUMNS = 500, 700
"""Of crops, at most: many pictures count for more than large ones."""
KINDS = ((1, 1), (1, 8), (2, 8), (3, 8), (4, 8))
"""Channels and depths that answers are kept for."""
SETTLED = 3
"""Weights are averaged after this part of the pictures, one in so many."""


def crops(folder: Path, rng: np.random.Generator) -> Iterator[npt.NDArray[np.uint8]]:
    """Crops of a folder's pictures, in random order: uint8 [H, W, C], of 3 channels and of 1."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".webp", ".bmp", ".gif"))
    for i in rng.permutation(len(paths)):
        with Image.open(paths[i]) as opened:
            picture = opened.convert("RGB")
        left, upper = (int(rng.integers(max(1, a - b + 1))) for a, b in zip(picture.size, (COLUMNS, ROWS), strict=True))
        part = picture.crop((left, upper, min(picture.width, left + COLUMNS), min(picture.height, upper + ROWS)))
        yield np.array(part)
        colours = part.getcolors(256)
        indexed = part.convert("L") if colours is None else part.quantize(len(colours), dither=Image.Dither.NONE)
        yield np.array(indexed)[..., None]


def learn(pictures: Iterator[npt.NDArray[np.uint8]]) -> Start:
    """The mean of the weights after each of the later pictures, each coded from where the one before ended."""
    start, learnt = Start(), list[Start]()
    for picture in pictures:
        tile = Tile(start, *picture.shape)
        tile.encode(picture, lambda positions: None)
        start = Start(tile.parts.candidates.mixer.weights.copy(), tile.parts.escape.mixer.weights.copy())
        learnt.append(start)
    later = learnt[len(learnt) // SETTLED :]
    return Start(_mean([one.candidates for one in later]), _mean([one.escape for one in later]))


def _mean(arrays: list[npt.NDArray[np.int32] | None]) -> npt.NDArray[np.int32]:
    return np.rint(np.mean([a for a in arrays if a is not None], axis=0)).astype(np.int32)


def weights(start: Start) -> Weights:
    """The file of weights, with digests of what the coder makes of a fixed picture."""
    assert start.candidates is not None and start.escape is not None
    made = Weights("graphic", {}, {"candidates": start.candidates, "escape": start.escape})
    model = GraphicModel(made)
    layers: dict[str, str] = {}
    for channels, depth in KINDS:
        layers |= layer_digests(model, channels, depth)
    return Weights(made.model, made.config, made.arrays, layers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    weights(learn(crops(given.folder, np.random.default_rng(SEED)))).save(given.output)


if __name__ == "__main__":
    main()
