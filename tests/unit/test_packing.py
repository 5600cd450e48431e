"""How small bytes could become: guessed without taking long."""

from __future__ import annotations

import numpy as np
import pytest

from arcomp.container import packing
from arcomp.container.packing import guessed, size_of, squeeze

RNG = np.random.default_rng(3)


def noise(length: int, levels: int = 256) -> bytes:
    return RNG.integers(0, levels, length, dtype=np.uint8).tobytes()


def test_few_bytes_are_tried() -> None:
    assert guessed(noise(1 << 17)) == 0


@pytest.mark.parametrize(("levels", "least"), [(2, 0.3), (40, 0.5)])
def test_noise_is_not_hoped_for(levels: int, least: float) -> None:
    """Of which LZMA makes little less than deflate: models do better, and would have to wait for it."""
    data = noise(400_000, levels)
    real = size_of(squeeze([data])[1])
    assert least * real < guessed(data) < real


@pytest.mark.parametrize("levels", [2, 40, 256])
def test_of_many_bytes_about_what_lzma_makes(levels: int) -> None:
    data = noise(1_300_000, levels)
    real = size_of(squeeze([data])[1])
    assert 0.8 * real < guessed(data) < real


def test_what_repeats_nearby_is_seen() -> None:
    data = noise(999) * 2000
    assert guessed(data) < len(data) / 20


def test_hundreds_of_megabytes_take_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    real = squeeze

    def watched(parts: packing.Parts) -> tuple[int, packing.Parts]:
        shown.append(size_of(parts))
        return real(parts)

    monkeypatch.setattr(packing, "squeeze", watched)
    guessed(bytes(200_000_000))
    assert shown == [16 << 15]
