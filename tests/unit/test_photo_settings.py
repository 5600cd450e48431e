"""Weights and settings of photo that a file may claim, and no network can have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.contract.settings import checked
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.stage import STAGES
from arcomp.models.photo.training import freeze
from arcomp.models.photo.windows import Window
from tests.contents import pictures
from tests.specimens import ONE_WINDOW, photo, photo_net

ROWS = {channels: STAGES["cheap"].shape(channels, 1).weight_rows for channels in (1, 3)}


def changed(weights: Weights, name: str, value: Any) -> Weights:
    arrays = {k: a for k, a in weights.arrays.items() if k != name}
    return replace(weights, arrays=arrays if value is None else {**arrays, name: value})


def _prior(change: str) -> npt.NDArray[Any] | None:
    good = photo().weights.arrays["3.prior"].copy()
    if change == "negative":
        return -good
    if change == "zero":
        return np.zeros_like(good)
    if change == "singular":
        return np.full_like(good, good[0])
    if change == "huge":
        return np.full_like(good, 2**31 - 1)
    if change == "long":
        return np.append(good, good[:1])
    if change == "int16":
        return good.astype(np.int16)
    return good[:-1] if change == "short" else None


@pytest.mark.parametrize("change", ["negative", "zero", "singular", "huge", "long", "short", "int16", "missing"])
def test_hostile_priors_are_refused(change: str) -> None:
    model = PhotoModel(changed(photo().weights, "3.prior", _prior(change)))
    with pytest.raises(ModelError, match="prior"):
        model.encode_tile(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ModelError, match="prior"):
        model.decode_tile(b"", np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trunk.0.weight", np.full((20, 132), 64, np.int8)),
        ("trunk.0.weight", np.zeros((20, 131), np.int8)),
        ("trunk.0.weight", np.zeros((20, 132), np.int16)),
        ("trunk.1.bias", np.zeros(11, np.int32)),
        ("trunk.1.bias", np.zeros(12, np.int8)),
        ("hidden.2.weight", np.zeros((10, 12), np.int8)),
        ("hidden.0.multiplier", np.full(10, -1, np.int16)),
        ("heads.1.weight", np.full((9, 10), -64, np.int8)),
        ("heads.1.weight", np.zeros((10, 9), np.int8)),
        ("heads.1.shift", np.zeros(9, np.int8)),
        ("heads.1.shift", np.full(9, 47, np.int8)),
        ("heads.0.weight", None),
        ("trunk.1.shift", None),
        ("mixer", np.zeros((ROWS[3], 15), np.int32)),
        ("mixer", np.zeros((ROWS[1], 16), np.int32)),
        ("mixer", np.zeros((ROWS[3], 16), np.int16)),
        ("mixer", np.full((ROWS[3], 16), 1 << 20, np.int32)),
        ("mixer", np.full((ROWS[3], 16), -(2**31), np.int32)),
        ("mixer", np.zeros(3, np.int32)),
    ],
)
def test_hostile_arrays_are_refused(name: str, value: Any) -> None:
    weights = photo().weights
    model = PhotoModel(changed(weights, f"3.{name}", value))
    with pytest.raises(ModelError):
        model.encode_tile(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ModelError):
        model.decode_tile(b"", np.zeros((4, 4, 3), np.uint8))
    gray = np.zeros((4, 4, 1), np.uint8)  # the other network is as it was
    assert model.encode_tile(gray) == PhotoModel(weights).encode_tile(gray)


def test_the_largest_mixer_is_taken() -> None:
    rng = np.random.default_rng(0)
    largest = rng.choice(np.array([-(1 << 20) + 1, (1 << 20) - 1], np.int32), (ROWS[3], 16))
    model = PhotoModel(changed(photo().weights, "3.mixer", largest))
    pixels = pictures("noise", (13, 17, 3), 8)
    out = np.zeros_like(pixels)
    model.decode_tile(model.encode_tile(pixels).data, out)
    assert np.array_equal(out, pixels)


PLAIN = PhotoConfig(3, ONE_WINDOW, (20, 12), 10, 3, "cheap").to_dict()


WINDOW = PLAIN["windows"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 2},
        {"channels": True},
        {"channels": 3.0},
        {"channels": [3]},
        {"channels": None},
        {"windows": []},
        {"windows": [WINDOW] * 5},
        {"windows": WINDOW},
        {"windows": 7},
        {"windows": [{}]},
        {"windows": [{**WINDOW, "what": 1}]},
        {"trunk": []},
        {"trunk": [0]},
        {"trunk": [10**9]},
        {"trunk": [16.0]},
        {"trunk": [8] * 5},
        {"trunk": "ab"},
        {"head": -1},
        {"head": True},
        {"mixture": 0},
        {"mixture": 9},
        {"stage": "none"},
        {"stage": ["cheap"]},
        {"stage": None},
        {"online": 1},
        {"online": None},
        {"rate": 0.0},
        {"rate": 1.5},
        {"rate": float("nan")},
        {"rate": 1},
        {"group": 0},
        {"group": 1 << 21},
        {"group": 512.0},
        {"inner_rate": -0.1},
        {"inner_rate": 2.0},
        {"inner_rate": float("nan")},
        {"inner_group": 0},
        {"what": 1},
    ],
)
def test_hostile_configurations_are_refused(change: dict[str, Any]) -> None:
    assert checked(PhotoConfig, PLAIN).to_dict() == PLAIN
    with pytest.raises(ModelError, match="configuration"):
        checked(PhotoConfig, {**PLAIN, **change})
    with pytest.raises(ModelError, match="needs `online`"):
        checked(PhotoConfig, {**PLAIN, "inner_rate": 0.1, "online": False})
    with pytest.raises(ModelError):
        PhotoModel(Weights("photo", {"networks": {"3": {**PLAIN, **change}}}, {}))
    for key in set(PLAIN) - {"online", "rate", "group", "inner_rate", "inner_group"}:
        with pytest.raises(ModelError):
            checked(PhotoConfig, {k: v for k, v in PLAIN.items() if k != key})


@pytest.mark.parametrize(
    "change",
    [
        {"step": 0},
        {"step": 3},
        {"step": "1"},
        {"rows": 0},
        {"rows": 21},
        {"rows": 10**30},
        {"rows": True},
        {"left": 0},
        {"left": 20},
        {"left": -3},
        {"left": 2.0},
        {"right": -1},
        {"right": 8},
        {"right": None},
        {"step": 2, "right": 4},
        {"step": 2, "rows": 11},
        {"step": 2, "left": 10},
        {"taps": 3},
        {"taps": 25},
        {"rows": 20, "left": 19, "right": 7, "weighted": True},
        {"weighted": 1},
        {"beta": -0.1},
        {"beta": 1.1},
        {"beta": 0},
        {"beta": float("nan")},
        {"ridge": 0.5},
        {"ridge": 1001.0},
        {"ridge": float("inf")},
        {"ridge": None},
        {"similarity": 0.05},
        {"similarity": 1001.0},
        {"similarity": 1},
        {"similarity": -1.0},
        {"similarity": float("nan")},
        {"similarity": 6.0, "weighted": True},
        {"similarity": 6.0, "step": 2, "rows": 2, "left": 2, "right": 1},
        {"similarity": 6.0, "fade": 0.4},
        {"similarity": 6.0, "fade": 1.1},
        {"similarity": 6.0, "fade": 1},
        {"similarity": 6.0, "rows": 20, "left": 19, "right": 7},
    ],
)
def test_windows_out_of_range_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"configuration|window"):
        checked(PhotoConfig, {**PLAIN, "windows": [WINDOW, {**WINDOW, **change}]})


def test_networks_that_are_not_what_they_are_called() -> None:
    networks: list[Any] = [{}, [], {"1": PLAIN}, {"3": None}]
    wrong: list[Any] = [{}, [], *({"networks": one} for one in networks)]
    for config in wrong:
        with pytest.raises(ModelError, match="configuration"):
            PhotoModel(Weights("photo", config, {}))


@pytest.mark.parametrize(
    "window",
    [
        Window(1, 20, 10, 7, 5, False, 1.0, 1.0),
        Window(2, 10, 9, 3, 24, False, 0.0, 1.0),
        Window(1, 2, 19, 0, 4, True, 0.0, 1000.0),
        Window(1, 1, 1, 0, 24, True, 0.0, 1.0),
        Window(1, 18, 18, 7, 4, False, 0.0, 1.0, similarity=0.1, fade=0.5),
        Window(1, 1, 1, 0, 24, False, 1.0, 1000.0, similarity=1000.0, fade=1.0),
    ],
)
def test_windows_at_their_limits_work(window: Window) -> None:
    """The largest and the smallest that are taken: what is decoded is what was encoded, and nothing leaves its
    planes."""
    net = photo_net(3, (window, replace(ONE_WINDOW[0])))
    assert checked(PhotoConfig, net.config.to_dict()) == net.config
    model = PhotoModel(freeze({3: net}))
    for content in ("noise", "extreme", "smooth"):
        for shape in ((23, 45), (30, 6)):
            pixels = pictures(content, (*shape, 3), 8)
            out = np.zeros_like(pixels)
            model.decode_tile(model.encode_tile(pixels).data, out)
            assert np.array_equal(out, pixels)
