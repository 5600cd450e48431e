"""Orders of passes, and the models that break the raster order by them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from click.testing import CliRunner

from arcomp.contract.distributions import coded
from arcomp.contract.fixed_input import layer_digests
from arcomp.contract.model import BatchSpec
from arcomp.errors import ModelError
from arcomp.models.grayscale_pixelcnn import GrayscalePixelCNN, gray
from arcomp.models.multiscale_pixelcnn import MultiscalePixelCNN
from arcomp.models.subscale import SubscalePixelNetwork
from arcomp.network import gated_resnet
from arcomp.network.definition import ExactNetwork
from arcomp.network.layered import Layered
from arcomp.orders import Lattice, Multiscale, Passes, Subscale, grouped
from benchmarks import fronts
from tests import specimens
from tests.coded import decode, draw, encode, measure
from tests.contents import pictures
from tests.laws.evaluations import evaluated, padded_of
from tests.specimens import batch_of, layered

SIZES = ((7, 9), (1, 13), (11, 1), (5, 6), (16, 3))
SMALL = {"channels": 3, "depth": 8, "width": 4, "blocks": 1, "mixture": 2}
KINDS: list[type[Layered]] = [MultiscalePixelCNN, GrayscalePixelCNN, SubscalePixelNetwork]


def count(order: Passes, height: int, width: int) -> int:
    return sum(1 for _ in order.fronts(batch_of((height, width))))


def test_fronts_grow_with_the_logarithm_of_the_size() -> None:
    order = Multiscale(4)
    assert [count(order, side, side) for side in (4, 8, 16, 32, 64, 128, 256)] == [16 + 3 * n for n in range(7)]
    assert count(order, 256, 451) == 2 * 4 + 7 * 3  # of step 128
    assert count(order, 300, 451) == 3 * 4 + 7 * 3 + 3  # a front has no more than 32,768 positions
    assert count(Multiscale(1), 8, 8) == 1 + 3 * 3
    assert count(Subscale(2), 9, 7) == 63


def test_levels_are_each_pictures_own() -> None:
    batch = batch_of((4, 4), (5, 1), (300, 451), (1, 1))
    assert Multiscale(4).levels(batch).tolist() == [0, 1, 7, 0]


@pytest.mark.parametrize("order", [Multiscale(4), Multiscale(2), Subscale(2), Subscale(3)])
def test_lattices_go_there_and_back(order: Passes) -> None:
    batch = batch_of(*SIZES)
    x = torch.arange(1, 1 + len(batch) * 16 * 13).reshape(len(batch), 16, 13, 1)
    for i, (h, w) in enumerate(SIZES):
        x[i, h:] = 0
        x[i, :, w:] = 0
    copy = torch.zeros_like(x)
    for one in order.passes(batch):
        lattice = one.lattice
        for front in one.order.fronts(lattice.batch):
            back = lattice.within(lattice.placed(front))
            for name in ("image", "y", "x"):
                assert np.array_equal(getattr(back, name), getattr(front, name))
        lattice.put(copy, lattice.taken(x))
    assert torch.equal(copy, x)


def test_what_looks_below_is_not_evaluated_front_by_front() -> None:
    model = layered(SubscalePixelNetwork, **SMALL)
    around = model.fresh(3, 8)["later.around."]
    with pytest.raises(ValueError, match="below"):
        around.start(batch_of((4, 5)), 1)


def test_what_is_beside_a_lattice() -> None:
    lattice = Lattice.of(batch_of((3, 5), (1, 2)), 0, 1, np.array([2, 2], np.int32))
    x = torch.zeros(2, 3, 5, 1, dtype=torch.int64)
    x[0, ..., 0] = torch.arange(15).reshape(3, 5)
    x[1, 0, :2, 0] = torch.tensor([50, 51])
    assert (lattice.squares.heights.tolist(), lattice.squares.widths.tolist()) == ([2, 1], [3, 1])
    assert (lattice.batch.heights.tolist(), lattice.batch.widths.tolist()) == ([2, 1], [2, 1])
    assert lattice.taken(x)[0, ..., 0].tolist() == [[1, 3], [11, 13]]
    assert lattice.beside(x, 0, -1)[..., 0].tolist() == [[[0, 2, 4], [10, 12, 14]], [[50, 0, 0], [0, 0, 0]]]
    assert lattice.beside(x, -1, 0)[0, ..., 0].tolist() == [[0, 0, 0], [6, 8, 0]]


def at(found: dict[tuple[int, ...], list[Any]], y: int, x: int) -> list[Any]:
    return [found[0, y, x, c] for c in range(3)]


@pytest.mark.parametrize(
    ("name", "position", "later"),
    [
        ("multiscale_pixelcnn rgb", (4, 5), (4, 6)),
        ("multiscale_pixelcnn rgb", (4, 5), (6, 6)),
        ("multiscale_pixelcnn rgb", (5, 5), (6, 6)),
        ("subscale rgb", (4, 5), (6, 6)),
        ("subscale rgb", (5, 4), (6, 6)),
    ],
)
def test_models_see_what_comes_later_in_the_raster(
    name: str, position: tuple[int, int], later: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gated_resnet, "INIT_SCALE", 1.0)  # so that what is far away can be seen
    model, padded, kind = padded_of(name, "noise", ((9, 10),))
    changed = padded.copy()
    changed[0, later[0], later[1]] ^= 255
    assert at(evaluated(model, padded, kind), *position) != at(evaluated(model, changed, kind), *position)


def test_colours_see_all_of_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated_resnet, "INIT_SCALE", 1.0)
    monkeypatch.setattr(specimens, "weights_of", specimens.weights_of.__wrapped__)
    model, padded, kind = padded_of("grayscale_pixelcnn rgb", "noise", ((9, 10),))
    assert kind.view is not None
    view = kind.view.copy()
    view[0, 6, 6] ^= 15
    before, after = (evaluated(model, padded, k) for k in (kind, replace(kind, view=view)))
    assert at(before, 4, 5) != at(after, 4, 5)
    assert at(before, 0, 0) == at(after, 0, 0)


def test_the_view_is_luma_in_four_bits() -> None:
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    assert gray(colours)[:, 0].tolist() == [0, 15, 4, 9, 1]


def test_the_view_is_part_of_file_and_bits() -> None:
    model = layered(GrayscalePixelCNN, **SMALL)
    pixels = pictures("smooth", (20, 17, 3), 8)[None]
    bits = []
    for own, padded, spec in coded(model, pixels, BatchSpec(batch_of((20, 17)), 3, 8)):
        ((front, _),) = grouped(own.order.fronts(spec.batch), 20 * 17)
        values = padded[front.image, front.y, front.x].astype(np.int32)
        found = own.parallel(padded, spec).distributions(front)
        bits.append(sum(float(d.bits(np.ascontiguousarray(values[:, c])).sum()) for c, d in enumerate(found)))
    assert bits[0] > 300
    assert encode(pixels, 8, model).nll_bits == pytest.approx(sum(bits))
    assert measure(pixels, 8, model).total == pytest.approx(sum(bits), rel=1e-6)
    assert set(layer_digests(model, 3)) >= {"3.view.first", "3.view.masses.0", "3.all.around.first", "3.masses.2"}


@pytest.mark.parametrize("kind", KINDS)
def test_new_pictures_are_drawn_and_given_ones_are_not_completed(kind: type[Layered]) -> None:
    model, shape = layered(kind, **SMALL), (2, 9, 10, 3)
    drawn = draw(model, shape, 8, seed=1)
    assert np.array_equal(draw(model, shape, 8, seed=1), drawn)
    assert not np.array_equal(draw(model, shape, 8, seed=2), drawn)
    given = np.stack([pictures("smooth", shape[1:], 8, seed) for seed in range(2)])
    with pytest.raises(ModelError, match="does not go row by row"):
        draw(model, shape, 8, seed=1, given=given, kept=44)


@pytest.mark.parametrize("kind", KINDS)
def test_float_and_exact_nll_agree(kind: type[Layered]) -> None:
    model = layered(kind, **{**SMALL, "width": 12, "blocks": 2})
    torch.manual_seed(0)
    net = kind.float_model({**SMALL, "width": 12, "blocks": 2})
    pixels = np.stack([pictures("smooth", (21, 19, 3), 8, seed) for seed in range(2)])
    exact = encode(pixels, 8, model).nll_bits / pixels.size
    with torch.no_grad():
        rounded, plain = (float(net.bits(torch.from_numpy(pixels), rounding=r).double().mean()) for r in (True, False))
    assert rounded == pytest.approx(exact, rel=1e-3)
    assert plain == pytest.approx(exact, rel=2e-2)
    assert model.float_bits(pixels, 8) == pytest.approx(exact * pixels.size, rel=2e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_evaluates_each_pass_once(kind: type[Layered], monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks around is not computed again for every position."""
    model = layered(kind, **SMALL)
    pixels = np.stack([pictures("smooth", (13, 10, 3), 8, seed) for seed in range(3)])
    data = encode(pixels, 8, model).data
    calls: list[int] = []
    whole = ExactNetwork.parallel

    def counted(self: ExactNetwork, samples: npt.NDArray[Any], *more: Any) -> Any:
        calls.append(len(samples))
        return whole(self, samples, *more)

    monkeypatch.setattr(ExactNetwork, "parallel", counted)
    assert np.array_equal(decode(data, model=model)[0], pixels)
    passes: dict[type[Layered], int] = {MultiscalePixelCNN: 6, GrayscalePixelCNN: 1, SubscalePixelNetwork: 3}
    assert calls == [3] * passes[kind]


def test_the_benchmark_of_fronts(tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.stack([pictures("smooth", (9, 10, 3), 8, seed) for seed in range(2)]))
    sizes = ["--size", "width=4", "--size", "blocks=1", "--models", "multiscale_pixelcnn,grayscale_pixelcnn"]
    said = CliRunner().invoke(fronts.main, [str(tmp_path / "two.npy"), *sizes])
    assert said.exit_code == 0, said.output
    found = [line.split()[:3] for line in said.stdout.splitlines()[2:]]
    assert found == [["multiscale_pixelcnn", "two.npy", "15"], ["grayscale_pixelcnn", "two.npy", "180"]]
    assert CliRunner().invoke(fronts.main, [str(tmp_path / "two.npy"), "--size", "width"]).exit_code == 2


@pytest.mark.parametrize("kind", KINDS)
def test_large_pictures_are_coded_in_groups_of_tiles(kind: type[Layered], monkeypatch: pytest.MonkeyPatch) -> None:
    model = layered(kind, **SMALL)
    pixels = pictures("smooth", (70, 53, 3), 8)[None]
    whole = encode(pixels, 8, model, tile=(32, 32))
    monkeypatch.setattr("arcomp.network.layered.GROUP", 1500)
    grouped = encode(pixels, 8, model, tile=(32, 32))
    assert np.array_equal(decode(grouped.data, model=model)[0], pixels)
    assert grouped.nll_bits == pytest.approx(whole.nll_bits)


def test_a_gray_view_is_of_colours() -> None:
    with pytest.raises(ModelError, match="3 channels of 8 bits"):
        GrayscalePixelCNN.float_model({**SMALL, "channels": 1})
    model = layered(GrayscalePixelCNN, **SMALL)
    with pytest.raises(ModelError, match="3 channels of 8 bits"):
        encode(pictures("noise", (5, 6, 1), 8)[None], 8, model)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_weights_are_refused(kind: type[Layered]) -> None:
    """Arrays of no network, missing ones, and those that would see the future, of every network."""
    good = layered(kind, **SMALL).weights
    pixels = pictures("noise", (9, 8, 3), 8)[None]
    names = [key for key in sorted(good.arrays) if key.endswith("first.weight")]
    networks: dict[type[Layered], int] = {MultiscalePixelCNN: 4, GrayscalePixelCNN: 3, SubscalePixelNetwork: 3}
    assert len(names) == networks[kind]
    for name in names:
        wrong = [
            {k: a for k, a in good.arrays.items() if k != name},
            {**good.arrays, name: good.arrays[name][:, 1:].copy()},
            {**good.arrays, name.replace("first", "more"): good.arrays[name]},
            {**good.arrays, "3.other.causal.first.weight": good.arrays[name]},
        ]
        for arrays in wrong:
            with pytest.raises(ModelError):
                encode(pixels, 8, kind(replace(good, arrays=arrays)))
