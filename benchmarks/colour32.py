"""Colour pictures of 32 x 32 as arrays to train and measure on: CIFAR-10, and patches of photographs at several scales.

    python -m benchmarks.colour32 FOLDER --cifar10 DIR --photos DIR --test-photos DIR [--test-photos DIR ..]

CIFAR-10 is given as mosaics of 50 x 50 pictures, train_*.jxl and test_*.jxl (pillow-jxl-plugin reads them), photographs
in folders. FOLDER gets train/cifar10.npy, train/patches.npy, test/cifar10.npy and test/patches.npy, uint8
[N, 32, 32, 3]. Patches are cut at random from photographs as they are, and reduced to a half and to a quarter.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from PIL import Image

UInt8 = npt.NDArray[np.uint8]
SIDE, MOSAIC = 32, 50
SCALES = (1, 2, 4)
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".jxl"}
PATCHES = {"train": 20000, "test": 1000}


def unpacked(mosaics: list[Path]) -> UInt8:
    """The pictures of mosaics, row by row: uint8 [N, 32, 32, 3]."""
    parts = []
    for path in mosaics:
        with Image.open(path) as image:
            tiles = np.asarray(image).reshape(MOSAIC, SIDE, MOSAIC, SIDE, 3).swapaxes(1, 2)
        parts.append(tiles.reshape(-1, SIDE, SIDE, 3))
    return np.concatenate(parts)


def patches(photos: list[Path], count: int, seed: int) -> UInt8:
    """About so many patches, the same number of each photograph and scale: uint8 [N, 32, 32, 3]."""
    rng = np.random.default_rng(seed)
    each = max(1, count // (len(photos) * len(SCALES)))
    found = []
    for path in photos:
        with Image.open(path) as image:
            whole = image.convert("RGB")
        for scale in SCALES:
            pixels = np.asarray(whole.reduce(scale))
            for _ in range(each):
                y, x = (int(rng.integers(side - SIDE + 1)) for side in pixels.shape[:2])
                found.append(pixels[y : y + SIDE, x : x + SIDE])
    return np.stack(found)[rng.permutation(len(found))]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--cifar10", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--photos", required=True, multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--test-photos", required=True, multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def main(folder: Path, cifar10: Path, photos: tuple[Path, ...], test_photos: tuple[Path, ...]) -> None:
    """Unpack and cut pictures into FOLDER."""
    import_module("pillow_jxl")
    for seed, (part, source) in enumerate((("train", photos), ("test", test_photos))):
        (folder / part).mkdir(parents=True, exist_ok=True)
        files = sorted(p for one in source for p in one.iterdir() if p.suffix.lower() in ENDINGS)
        arrays = {
            "cifar10": unpacked(sorted(cifar10.glob(f"{part}_*.jxl"))),
            "patches": patches(files, PATCHES[part], seed),
        }
        for name, array in arrays.items():
            np.save(folder / part / f"{name}.npy", array)
            print(f"{folder / part / name}.npy: {len(array)} pictures")


if __name__ == "__main__":
    main()
