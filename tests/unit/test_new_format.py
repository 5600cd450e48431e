"""A format that is registered as ARCHITECTURE.md says, in three tables, is one for every part of arcomp."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

import arcomp
from arcomp.cli.inputs import is_picture
from arcomp.errors import PictureError
from arcomp.form import Layout, Literal, Raster
from arcomp.formats import kinds, parsing
from arcomp.formats.conversion import converted
from arcomp.formats.metadata import reading
from arcomp.formats.metadata.fields import Gathered, Metadata
from arcomp.formats.parsed import Parsed
from arcomp.samples import Samples

START = b"TOY!"
PIXELS = np.arange(96, dtype=np.uint8).reshape(8, 12)
DATA = START + bytes([8, 12]) + PIXELS.tobytes() + b"rest"


def parsed(data: bytes) -> Parsed | None:
    """Gray of 8 bits after two sides."""
    height, width = data[4:6]
    end = 6 + height * width
    if len(data) < end:
        raise PictureError("a toy that is truncated")
    pixels = np.frombuffer(data[6:end], np.uint8).reshape(1, height, width, 1)
    return Parsed(
        Samples.of(pixels), (Literal(data[:6]), Raster(0, 0, 0, height, width, Layout(8, (0,))), Literal(data[end:]))
    )


def of_toy(data: bytes) -> Metadata:
    found = Gathered()
    found.rest(data, [(0, 6 + data[4] * data[5])])
    return found.metadata()


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "STARTS", (*kinds.STARTS, (START, "toy")))
    monkeypatch.setattr(parsing, "PARSERS", MappingProxyType({**parsing.PARSERS, "toy": parsed}))
    monkeypatch.setattr("arcomp.formats.picture.PARSERS", parsing.PARSERS)
    monkeypatch.setattr(reading, "READERS", MappingProxyType({**reading.READERS, "toy": of_toy}))


def test_it_is_one_for_all(tmp_path: Path) -> None:
    path = tmp_path / "a.toy"
    path.write_bytes(DATA)
    data = arcomp.compress(path, "histogram")
    assert arcomp.restore(data) == DATA
    for found in (arcomp.decompress(data), arcomp.open(path)):
        assert np.array_equal(found.array, PIXELS)
    assert arcomp.code_lengths(path, "histogram").samples.shape == (1, 8, 12, 1)
    assert is_picture(str(path))
    made = converted(DATA, "png")
    assert made.lost == ("4 bytes of no known meaning",)
    assert np.array_equal(arcomp.open(made.data).array, PIXELS)
    with pytest.raises(PictureError, match="truncated"):
        arcomp.open(DATA[:20])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert arcomp.restore(arcomp.compress(DATA[:20])) == DATA[:20]


def test_the_tables_agree() -> None:
    names = {kind for _, kind in kinds.STARTS} | {"webp", "wav", "pnm"}
    assert set(reading.READERS) == names
    assert set(parsing.PARSERS) <= names
