"""The static binarized MNIST as arrays to train and measure on.

    python -m benchmarks.digits binarized_mnist.npz FOLDER

The file (Larochelle and Murray's binarization) has the arrays train, valid and test, uint8 [N, 98], bits packed as
``numpy.packbits`` does. FOLDER gets train/digits.npy (train and valid together) and test/digits.npy, uint8 [N, 28, 28]
of 0 and 1. The test part, which the file has sorted by digit, is shuffled, so that some first of it stand for all.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

SIDE = 28


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(source: Path, folder: Path) -> None:
    """Unpack the digits of SOURCE into FOLDER."""
    packed = np.load(source, allow_pickle=False)
    for part, names in (("train", ("train", "valid")), ("test", ("test",))):
        digits = np.concatenate([np.unpackbits(packed[name], axis=1) for name in names]).reshape(-1, SIDE, SIDE)
        if part == "test":
            digits = digits[np.random.default_rng(0).permutation(len(digits))]
        (folder / part).mkdir(parents=True, exist_ok=True)
        np.save(folder / part / "digits.npy", digits)
        print(f"{folder / part / 'digits.npy'}: {len(digits)} digits")


if __name__ == "__main__":
    main()
