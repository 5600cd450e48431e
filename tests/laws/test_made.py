"""MADE: degrees and masks, orders from a seed, the mean over masks, and its rules as docs/format.md has them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arcomp.contract.model import BatchSpec
from arcomp.errors import ModelError
from arcomp.exact.drawn import drawn
from arcomp.layers.categorical import averaged, categorical_of
from arcomp.layers.degrees import degrees, visible
from arcomp.layers.samples import carried
from arcomp.models.made import MADE
from arcomp.network.float import likelihoods
from arcomp.network.layered import Layered
from arcomp.network.likelihoods import Ensemble
from arcomp.orders import Shuffled
from tests.coded import decode, encode
from tests.contents import pictures
from tests.specimens import batch_of, layered

SMALL = {
    "channels": 2,
    "depth": 2,
    "rows": 4,
    "columns": 5,
    "width": 12,
    "blocks": 2,
    "masks": 3,
    "degrees": 9,
    "direct": 1,
}


def small(order: int = 0, extreme: bool = False, **other: int) -> MADE:
    model = layered(MADE, extreme, **{**SMALL, "order": order, **other})
    assert isinstance(model, MADE)
    return model


# --- numbers drawn, orders ------------------------------------------------------------------------------------------


def test_drawn_numbers_are_these_for_ever() -> None:
    assert drawn(0).tolist() == [0xE220A8397B1DCDAF]  # the first that SplitMix64 gives for seed 0
    assert drawn(1, np.arange(2), 3).tolist() == [drawn(1, 0, 3)[0], drawn(1, 1, 3)[0]]
    assert len({*drawn(np.arange(1000), 5).tolist(), *drawn(5, np.arange(1000)).tolist()}) == 1999


def test_a_shuffled_order_is_the_same_in_a_part_of_a_picture() -> None:
    order = Shuffled(4)
    large, part = order.path(9, 12).tolist(), order.path(6, 7).tolist()
    assert [p for p in large if p[0] < 6 and p[1] < 7] == part
    assert part != Shuffled(5).path(6, 7).tolist()


# --- degrees and masks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_masks_let_through_all_samples_before_and_no_others(blocks: int) -> None:
    """Sample i sees j < i by some path if there are units enough, and never j >= i (the paper's section 3)."""
    found = degrees(samples=9, units=300, blocks=blocks, masks=2, seed=3)
    assert not np.array_equal(found[0][0], found[0][1])
    for mask in range(2):
        paths: npt.NDArray[np.int64] = np.eye(9, dtype=np.int64)
        for shown in visible(9, 1, [own[mask] for own in found]):
            paths = np.minimum(shown.astype(np.int64) @ paths, 1)
        assert np.array_equal(paths, np.tri(9, 9, -1, dtype=np.int64))


def test_degrees_are_spread_evenly() -> None:
    (found,) = degrees(samples=11, units=500, blocks=1, masks=20, seed=0)
    counts = np.bincount(found.reshape(-1), minlength=11)
    assert counts[0] == 0
    assert len(counts) == 11
    assert (abs(counts[1:] - 1000) < 150).all()
    first, second = degrees(samples=50, units=4, blocks=2, masks=8, seed=0)
    assert (second.min(1) >= first.min(1)).all()


def test_one_sample_has_nothing_to_see() -> None:
    model = layered(MADE, **{**SMALL, "channels": 1, "rows": 1, "columns": 1, "order": 0})
    pixels = pictures("noise", (1, 1, 1), 2)[None]
    assert encode(pixels, 2, model).nll_bits > 0


# --- the mean over masks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "members"), [(1, 1), (1, 32), (3, 5), (8, 2)])
def test_probabilities_are_means_of_softmaxes(depth: int, members: int) -> None:
    rng = np.random.default_rng(0)
    n, others = 200, (1 << depth) - 1
    logits = np.rint(rng.normal(0, 400, (n, members * others))).astype(np.int16)
    values = rng.integers(0, 1 << depth, n).astype(np.int32)
    nats = likelihoods.bits(
        Ensemble(depth, members), torch.from_numpy(logits).float()[:, None] / 256, torch.from_numpy(values)[:, None]
    )
    masses = averaged(logits, depth).masses(values) / 2**28
    wanted = 2.0 ** -nats[:, 0].double().numpy()
    floor = 2.0**-16
    assert np.abs(masses - ((1 - floor) * wanted + floor / (1 << depth))).max() < 3e-5


def test_a_mean_of_one_is_the_softmax() -> None:
    rng = np.random.default_rng(1)
    logits = rng.integers(-32768, 32768, (300, 3)).astype(np.int16)
    values = rng.integers(0, 4, 300).astype(np.int32)
    alone = categorical_of(np.pad(logits, ((0, 0), (1, 0))), 2).masses(values)
    assert np.abs(averaged(logits, 2).masses(values) - alone).max() <= 2**28 * 2**-22


def test_in_training_masks_come_in_turn() -> None:
    torch.manual_seed(0)
    net = MADE.float_model({**SMALL, "order": 3})
    values = torch.from_numpy(np.stack([pictures("noise", (4, 5, 2), 2, seed) for seed in range(3)]))
    with torch.no_grad():
        first, again = ([net.bits(values) for _ in range(SMALL["masks"])] for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
        assert len({float(bits.sum()) for bits in first}) == SMALL["masks"]
        mean = -torch.log2(sum((2.0**-bits for bits in first), torch.zeros(())) / len(first))
        assert torch.allclose(net.eval().bits(values), mean, atol=1e-5)


@pytest.mark.parametrize("order", [0, 6])
def test_float_and_exact_nll_agree(order: int) -> None:
    torch.manual_seed(0)
    config = {**SMALL, "width": 60, "order": order}
    net = MADE.float_model(config)
    model = MADE(MADE.freeze({2: net}))
    pixels = np.stack([pictures(kind, (4, 5, 2), 2, seed) for kind in ("smooth", "noise") for seed in range(20)])
    exact = encode(pixels, 2, model).nll_bits / pixels.size
    with torch.no_grad():
        rounded, plain = (float(net.eval().bits(torch.from_numpy(pixels), r).double().mean()) for r in (True, False))
    assert rounded == pytest.approx(exact, rel=1e-3)
    assert plain == pytest.approx(exact, rel=5e-3)


# --- docs/format.md -------------------------------------------------------------------------------------------------


def number(*keys: int) -> int:
    v, m = 0, (1 << 64) - 1
    for key in keys:
        v = (v + key + 0x9E3779B97F4A7C15) & m
        v = ((v ^ (v >> 30)) * 0xBF58476D1CE4E5B9) & m
        v = ((v ^ (v >> 27)) * 0x94D049BB133111EB) & m
        v ^= v >> 31
    return v


class Reference:
    """``made`` in plain Python's integers, sample after sample, from the text of docs/format.md."""

    def __init__(self, model: Layered) -> None:
        ((self.name, self.config),) = model.weights.config["networks"].items()
        self.arrays = {k[len(self.name) + 1 :]: a.tolist() for k, a in model.weights.arrays.items()}
        config = self.config
        self.count = config["rows"] * config["columns"] * config["channels"]
        self.blocks, self.width, self.rest = config["blocks"], config["width"], (1 << config["depth"]) - 1
        self.exponential = [round(2**16 * np.exp(-i / 256)) for i in range(4096)]
        places = [(y, x) for y in range(config["rows"]) for x in range(config["columns"])]
        if config["order"]:
            places.sort(key=lambda place: (number(config["order"], *place), place))
        self.places = places
        self.weights = self.unpacked()

    def degrees(self, mask: int) -> list[list[int]]:
        found, least = [], 1
        for b in range(self.blocks):
            span = max(1, self.count - 1) - least + 1
            draws = [number(self.config["degrees"], mask, b, k) >> 32 for k in range(self.width)]
            found.append([least + (draw * span >> 32) for draw in draws])
            least = min(found[-1])
        return found

    def unpacked(self) -> dict[str, list[list[int]]]:
        """Weights as matrices: stored are those alone that one of the masks shows, row by row."""
        own = [self.degrees(mask) for mask in range(self.config["masks"])]
        samples, d = range(self.count), range(self.width)
        layers = {"hidden.0": [[any(j < o[0][k] for o in own) for j in samples] for k in d]}
        for b in range(1, self.blocks):
            layers[f"hidden.{b}"] = [[any(o[b - 1][j] <= o[b][k] for o in own) for j in d] for k in d]
        layers["out"] = [[any(o[-1][j] <= i for o in own) for j in d] for i in samples for _ in range(self.rest)]
        if self.config["direct"]:
            layers["direct"] = [[j < i for j in samples] for i in samples for _ in range(self.rest)]
        found = {}
        for name, shown in layers.items():
            stored = iter(self.arrays[f"net.{name}.weight"])
            found[name] = [[next(stored) if is_shown else 0 for is_shown in row] for row in shown]
            assert next(stored, None) is None
        return found

    def row(self, layer: str, j: int, x: list[int], rectified: bool) -> int:
        bias, multiplier, shift = (self.arrays[f"net.{layer}.{key}"][j] for key in ("bias", "multiplier", "shift"))
        weight = self.weights[layer][j]
        zero, low, high = (-128, -128, 127) if rectified else (0, -32768, 32767)
        total = sum(w * v for w, v in zip(weight, x, strict=True)) + bias
        return int(max(low, min(high, ((total * multiplier + (1 << (shift - 1))) >> shift) + zero)))

    def counts(self, entered: list[int], sample: int) -> list[int]:
        """Of a sample, given all samples of a tile by number (as they enter; -128 where it lacks them)."""
        counts = [0] * (self.rest + 1)
        for mask in range(self.config["masks"]):
            own = self.degrees(mask)
            x = [
                self.row("hidden.0", k, [v if j < m else -128 for j, v in enumerate(entered)], True)
                for k, m in enumerate(own[0])
            ]
            for b in range(1, self.blocks):
                x = [
                    self.row(f"hidden.{b}", k, [v if own[b - 1][j] <= m else -128 for j, v in enumerate(x)], True)
                    for k, m in enumerate(own[b])
                ]
            x = [v if own[-1][j] <= sample else -128 for j, v in enumerate(x)]
            z = [0]
            for j in range(sample * self.rest, (sample + 1) * self.rest):
                z.append(self.row("out", j, x, False))
                if self.config["direct"]:
                    before = [v if i < sample else -128 for i, v in enumerate(entered)]
                    z[-1] = max(-32768, min(32767, z[-1] + self.row("direct", j, before, False)))
            e = [self.exponential[min(4095, max(z) - v)] for v in z]
            counts = [c + (v << 24) // sum(e) for c, v in zip(counts, e, strict=True)]
        return counts


@pytest.mark.parametrize(
    ("order", "extreme", "blocks", "direct"), [(0, False, 1, 0), (5, False, 2, 1), (5, True, 3, 1), (0, True, 1, 0)]
)
def test_it_is_what_format_says(order: int, extreme: bool, blocks: int, direct: int) -> None:
    model = small(order, extreme, blocks=blocks, direct=direct)
    reference, channels = Reference(model), SMALL["channels"]
    for height, width in ((4, 5), (3, 4)):
        pixels = pictures("noise", (height, width, channels), SMALL["depth"])
        places = [(y, x) for y, x in reference.places if y < height and x < width]
        assert [(int(f.y[0]), int(f.x[0])) for f in model.order.fronts(batch_of((height, width)))] == places
        shown = carried(pixels, SMALL["depth"]).tolist()
        entered = [
            shown[y][x][c] if y < height and x < width else -128 for y, x in reference.places for c in range(channels)
        ]
        outputs = model.networks(channels, SMALL["depth"])[""].parallel(
            np.array([shown], np.int8), batch_of((height, width))
        )
        for y, x in places[::3]:
            for c in range(channels):
                sample = reference.places.index((y, x)) * channels + c
                logits = outputs[0, y, x].reshape(channels, -1)[c : c + 1]
                table, counts = (
                    averaged(np.ascontiguousarray(logits), SMALL["depth"]),
                    reference.counts(entered, sample),
                )
                below = np.concatenate([[0], np.cumsum(counts)]).tolist()
                floor = 1 << (12 - SMALL["depth"])
                share = 2**28 - floor * len(counts)
                assert table.edges[0].tolist() == [s * share // below[-1] + floor * e for e, s in enumerate(below)]


# --- files ----------------------------------------------------------------------------------------------------------


def test_weights_see_nothing_that_masks_hide() -> None:
    """A file of weights cannot break causality: what a mask hides is not used, whatever it is."""
    model, extreme = small(order=2), {}
    for name, a in model.weights.arrays.items():
        extreme[name] = np.full_like(a, 63) if name.endswith("weight") else a
    hostile = MADE(replace(model.weights, arrays=extreme))
    pixels = pictures("noise", (4, 5, 2), 2)[None]
    encoded = encode(pixels, 2, hostile)
    assert np.array_equal(decode(encoded.data, model=hostile)[0], pixels)


def test_networks_of_several_orders_are_refused() -> None:
    one, other = small(order=0).weights, small(order=1, channels=1).weights
    networks = {**one.config["networks"], **other.config["networks"]}
    with pytest.raises(ModelError, match="several orders"):
        MADE(replace(one, config={"networks": networks}, arrays={**one.arrays, **other.arrays}))


def test_configuration_survives_json() -> None:
    config = small(order=3).weights.config
    assert json.loads(json.dumps(config)) == config


def test_memory_counts_pictures_however_small() -> None:
    """All units are kept for each picture."""
    model: Any = small()
    one, many = (model.memory(BatchSpec(batch_of(*((1, 1),) * n), 2, 2)) for n in (1, 1000))
    assert many == 1000 * one
    assert one > 2 * SMALL["masks"] * SMALL["blocks"] * SMALL["width"]
