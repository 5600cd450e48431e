"""What a drawing costs where, and where photographs are in it: of large pictures, a part is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from arcomp import drawings
from arcomp.contract import registry
from arcomp.drawings import Drawing
from arcomp.samples import Pixels
from arcomp.transforms import Region, photographs

RNG = np.random.default_rng(5)


def mixed(height: int, width: int, place: Region) -> Pixels:
    """Stripes [1, H, W, 1] with noise in one place."""
    picture = np.repeat((np.arange(height) // 9 % 2 * 200).astype(np.uint8), width).reshape(1, height, width, 1)
    place.of(picture)[:] = RNG.integers(0, 256, (1, place.height, place.width, 1))
    return picture


@pytest.mark.parametrize("at_a_time", [1 << 10, 1 << 13])
def test_photographs_are_found_alike_by_bands(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    place = Region(0, 61, 37, 130, 150)
    picture = mixed(400, 300, place)[0]
    assert photographs.photographs(picture) == [place]
    monkeypatch.setattr(photographs, "AT_A_TIME", at_a_time)
    assert photographs.photographs(picture) == [place]


def test_of_a_large_drawing_bands_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Region(0, 200, 50, 700, 200)
    picture, model = mixed(1500, 256, place), registry.load("graphic")
    whole = Drawing(picture, 8, model)
    monkeypatch.setattr(drawings, "LOOKED", 1 << 17)
    banded = Drawing(picture, 8, model)
    assert banded.drawn(place) == pytest.approx(whole.drawn(place), rel=0.1)
    assert banded.drawn(banded.whole) == pytest.approx(whole.drawn(whole.whole), rel=0.2)
    unseen = next(y for y in range(1400) if y > 100 and banded.drawn(Region(0, y, 0, 1, 256)) is None)
    assert banded.otherwise(Region(0, unseen, 0, 1, 256), lambda part: part.size) == 1
    coded: list[int] = []

    def cost(part: Pixels) -> int:
        coded.append(part.size)
        return part.size

    assert banded.otherwise(place, cost) == pytest.approx(1, rel=0.1)
    assert len(coded) == drawings.BLOCKS
