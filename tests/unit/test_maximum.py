"""Samples of which another number than the largest is white: never darker without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import arcomp
from arcomp.errors import OutputError

MODEL = "histogram"
WHITE_200 = b"P5 4 2 200\n" + bytes(range(193, 201))
OF_SEVERAL = WHITE_200 + b"P5 4 2 255\n" + bytes(range(8))
BEYOND = b"P5 2 1 100\n\x64\xc8"


@pytest.mark.parametrize(
    ("file", "maximum"), [(WHITE_200, 200), (OF_SEVERAL, 0), (BEYOND, 100), (b"P5 1 1 255\n\n", None)]
)
def test_it_is_known_from_files(file: bytes, maximum: int | None) -> None:
    assert arcomp.open(file).maximum == maximum
    data = arcomp.compress(file, MODEL)
    assert arcomp.decompress(data).maximum == maximum
    assert arcomp.open(data).maximum == maximum
    assert arcomp.decompress(data, crop=(0, 0, 1, 1), picture=0).maximum == maximum
    assert arcomp.restore(data) == file


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.bmp"])
def test_what_would_become_darker_is_refused(name: str, tmp_path: Path) -> None:
    for samples in (arcomp.open(WHITE_200), arcomp.decompress(arcomp.compress(WHITE_200, MODEL))):
        with pytest.raises(OutputError, match="cannot hold samples of which 200 is white; choose pgm, ppm or npy"):
            arcomp.save(samples, tmp_path / name)
    with pytest.raises(OutputError, match="of which another number in each picture is white"):
        arcomp.save(arcomp.open(OF_SEVERAL), tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_what_holds_it_is_written(tmp_path: Path) -> None:
    arcomp.save(arcomp.open(WHITE_200), tmp_path / "x.pgm")
    assert arcomp.open(tmp_path / "x.pgm").maximum == 200


def test_what_is_not_kept_is_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"x\.npy: not kept: maximum value"):
        arcomp.save(arcomp.open(WHITE_200), tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").max() == 200
    with pytest.warns(UserWarning, match="not kept: maximum value; give the file itself"):
        arcomp.compress(arcomp.open(WHITE_200), MODEL)
