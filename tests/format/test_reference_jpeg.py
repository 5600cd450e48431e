"""What a decoder written from docs/format.md alone makes of the streams of model ``jpeg``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from arcomp.models.jpeg import model as jpeg_model
from arcomp.models.jpeg.model import JpegModel
from arcomp.models.jpeg.tables import lookups
from tests.format import reference_jpeg, reference_jpeg_tables
from tests.jpegs import coefficients, tiny


@pytest.mark.parametrize(
    ("sampling", "content", "extreme"),
    [
        ("4:2:0", "usual", False),
        ("gray", "sparse", True),
        pytest.param("odd", "extreme", True, marks=pytest.mark.slow),
        pytest.param("4:2:0", "extreme", True, marks=pytest.mark.slow),
        pytest.param("four", "usual", False, marks=pytest.mark.slow),
        pytest.param("finer chroma", "usual", True, marks=pytest.mark.slow),
        pytest.param("4:1:1", "usual", False, marks=pytest.mark.slow),
        pytest.param("two", "extreme", False, marks=pytest.mark.slow),
    ],
)
def test_the_reference_decodes(sampling: str, content: str, extreme: bool, tmp_path: Path) -> None:
    check(tiny(extreme), sampling, content, (2, 1), tmp_path)


def check(model: JpegModel, sampling: str, content: str, units: tuple[int, int], folder: Path) -> None:
    given = coefficients(sampling, content, units)
    coded = model.encode_coefficients(given)
    model.weights.save(folder / "w.safetensors")
    shapes = [
        reference_jpeg.Shape(c.rows, c.columns, c.sampling, c.quantisation.tolist()) for c in given.shape.components
    ]
    weights = (folder / "w.safetensors").read_bytes()
    found = reference_jpeg.decode(shapes, coded.streams, weights, model.digest[:8])
    for own, component in zip(found, given.components, strict=True):
        assert np.array_equal(own, component.blocks)


@pytest.mark.parametrize(
    ("sampling", "content", "extreme"),
    [
        pytest.param("4:2:0", "usual", False, marks=pytest.mark.slow),
        pytest.param("odd", "extreme", True, marks=pytest.mark.slow),
        pytest.param("four", "sparse", False, marks=pytest.mark.slow),
    ],
)
def test_two_networks_that_learn(sampling: str, content: str, extreme: bool, tmp_path: Path) -> None:
    check(tiny(extreme, online=True), sampling, content, (2, 1), tmp_path)


@pytest.mark.slow
def test_fewer_tables_and_strips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(tiny(tables=5), "4:2:0", "usual", (3, 4), tmp_path)
    monkeypatch.setattr(reference_jpeg, "SPLIT", 100)
    monkeypatch.setattr(jpeg_model, "SPLIT_COEFFICIENTS", 100)
    check(tiny(), "4:2:0 and 4:2:2", "usual", (3, 1), tmp_path)


def test_tables() -> None:
    own = lookups()
    assert own.zigzag.tolist() == reference_jpeg_tables.ZIGZAG
    assert own.basis.tolist() == reference_jpeg_tables.BASIS
    assert own.inverse.tolist() == reference_jpeg_tables.INVERSE
    assert own.magnitude.tolist() == reference_jpeg_tables.SIZE
    for ratio in range(1, 5):
        assert own.shrinking[ratio, :ratio].tolist() == reference_jpeg_tables.SHRINK[ratio]
