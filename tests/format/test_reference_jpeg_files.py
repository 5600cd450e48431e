"""JPEGs by the product and by the reference decoder: whole files, and segments of any kind of coefficients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp import files
from arcomp.coefficients import ComponentShape
from arcomp.coefficients import Shape as ProductShape
from arcomp.container import unpack
from arcomp.container.skeleton import SEGMENT_RECORDS
from arcomp.formats.jpeg import read
from tests.format import reference
from tests.format.reference_jpeg_files import Plane, Shape
from tests.format.reference_numbers import Reader
from tests.format.reference_rebuild import rebuilt
from tests.format.reference_records import SEGMENTS, read_record
from tests.jpeg_files import jpeg
from tests.standin import StandIn, standin


def by_standin(digest: bytes, weights: bytes | None, shape: Shape, streams: tuple[bytes, ...]) -> list[Plane]:
    components = tuple(
        ComponentShape(c.rows, c.columns, (c.h, c.v), np.array(c.steps, np.uint16)) for c in shape.components
    )
    made = standin().decode_coefficients(ProductShape(shape.width, shape.height, components), streams)
    return [one.blocks.tolist() for one in made.components]


@pytest.mark.parametrize(
    "how",
    [
        {"quality": 40},
        {"quality": 60, "progressive": True, "restart_marker_blocks": 2, "subsampling": "4:2:2"},
    ],
)
def test_files_of_jpegs(how: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reference.OF_JPEGS, StandIn.name, by_standin)
    monkeypatch.setattr(files, "guessed", lambda data: float("inf"))
    model = standin()
    data = jpeg(41, 30, **how)
    made = files.compress(files.examine(data, model), model)
    assert made.member.jpegs[0].width == 41
    assert files.restored(unpack(made.data), model) == data
    assert reference.restore(made.data) == data


@pytest.mark.parametrize(
    "how",
    [
        {"optimize": True, "subsampling": "4:2:0", "restart_marker_blocks": 1},
        {"progressive": True, "quality": 30},
        {"progressive": True, "mode": "L", "restart_marker_rows": 1},
        {"mode": "CMYK"},
    ],
)
def test_scans(how: dict[str, Any]) -> None:
    data = jpeg(29, 21, **how)
    found = read(data)
    assert found is not None

    def known(number: int, shape: Shape) -> list[Plane]:
        one = found.coefficients[number]
        assert [c.steps for c in shape.components] == [c.quantisation.tolist() for c in one.components]
        return [component.blocks.tolist() for component in one.components]

    reader = Reader(SEGMENT_RECORDS.encode(found.skeleton[0]))
    reader.items = 1 << 16
    assert rebuilt([read_record(reader, SEGMENTS)], [], len(data), jpegs=known) == data


def test_a_file_of_the_model() -> None:
    """All of the way: form, container and model."""
    data = jpeg(16, 16, progressive=True)
    weights = Path(__file__).parents[2] / "models" / "weights" / "jpeg-fast.safetensors"
    made = arcomp.compress(data, "photo-fast")
    assert unpack(made).jpegs
    assert reference.restore(made, weights.read_bytes()) == data
