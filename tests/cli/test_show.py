"""``arcomp show``: what is drawn, what is said of it, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from arcomp.models.gated_pixelcnn import GatedPixelCNN
from arcomp.models.wavenet import WaveNet
from arcomp.show.dilations import layers, paths
from arcomp.show.dimensions import nll
from arcomp.show.fields import field
from arcomp.show.masks import BLOCKS, SAMPLES, UNITS, connected
from arcomp.show.orders import ORDERS, fronts
from arcomp.show.toy import bits, coded, decoded, density, learnt, points
from tests.cli.command import DIGITS, refused, said_well, say
from tests.specimens import layered


def test_a_picture_and_what_it_shows(folder: Path) -> None:
    said = said_well(say("show", "orders", "-o", "orders.png"))
    assert "raster: 64 fronts for 64 positions" in said.results
    with Image.open(folder / "orders.png") as image:
        assert image.width > 400
    assert said_well(say("show", "masks", "--json", "-o", "masks.svg")).objects[-1]["of"] == SAMPLES**2
    assert (folder / "masks.svg").read_bytes().startswith(b"<?xml")
    refused(say("show", "orders", "-o", "orders.png"), "exists already")


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("orders",), "a picture goes to a file"),
        (("orders", "-o", "a.jpg"), "a picture goes to a file"),
        (("fields", "-m", "histogram", "-o", "a.png"), "is no single network with gradients"),
        (("dilations", "-m", "binary.safetensors", "-o", "a.png"), "no convolutions along a sequence"),
        (("curves", "missing.csv", "-o", "a.png"), "cannot be read"),
        (("dimensions", "few.npy", "-o", "a.png"), "takes 20 binary pictures"),
    ],
)
def test_refusals(untrained: Path, words: tuple[str, ...], cause: str) -> None:
    np.save(untrained / "few.npy", DIGITS)
    refused(say("show", *words), cause)


@pytest.mark.parametrize(
    "words",
    [("orders", "x"), ("orders", "-m", "histogram"), ("fields",), ("bits", "-m", "histogram"), ("masks", "-n", "3")],
)
def test_wrong_usage(folder: Path, words: tuple[str, ...]) -> None:
    assert say("show", *words, "-o", "a.png").status == 2
    assert not (folder / "a.png").exists()


def test_orders_number_every_position() -> None:
    for order in ORDERS.values():
        found = fronts(order, 8)
        assert set(found.ravel()) == set(range(int(found.max()) + 1))


def test_the_product_of_masks_is_triangular() -> None:
    from arcomp.layers.degrees import degrees, visible

    masks = visible(SAMPLES, 1, [own[0] for own in degrees(SAMPLES, UNITS, BLOCKS, 1, 1)])
    seen = connected(masks)
    assert not np.triu(seen).any()
    assert seen.sum() > 30


def test_dilations_double() -> None:
    stack = layers(layered(WaveNet, channels=1, depth=1, width=3, blocks=4, cycle=4))
    assert [max(taps) for taps in stack] == [1, 2, 4, 8]
    assert paths(stack)[-1] == set(range(16))


def test_what_two_stacks_see() -> None:
    """All before it that is within reach; not itself, nor what comes after it."""
    torch.manual_seed(0)
    found = field(layered(GatedPixelCNN, channels=1, depth=1, width=4, blocks=3, kernel=3))
    y, x = found.at
    assert (found.gradient[y - 5 : y, x - 5 : x + 6] > 0).all()
    assert not found.gradient[~found.before].any()
    assert found.blind.any()


def test_a_histogram_of_new_states_costs_more() -> None:
    counted, new = np.array([0, 1, 1, 2]), np.array([3, 3])
    assert nll(counted, new, 4) > 2 * nll(counted, counted, 4)


def test_the_toy_codes_what_it_learns() -> None:
    given, new = points(density(), 500, 1), points(density(), 500, 2)
    model = learnt(given)
    assert bits(density(), new) < bits(model, new) < 10
    data = coded(model, new)
    assert np.array_equal(decoded(model, data, len(new)), new)
    assert 8 * len(data) / len(new) == pytest.approx(bits(model, new), rel=0.02)


@pytest.mark.slow
def test_samples_bits_and_caches_of_models(untrained: Path) -> None:
    np.save(untrained / "digits.npy", np.tile(DIGITS, (4, 1, 1)))
    model = ("-m", "binary.safetensors")
    assert len(said_well(say("show", "samples", *model, *model, "-n", "2", "-o", "a.png")).results) == 2
    (cost,) = said_well(say("show", "bits", "digits.npy", *model, "--json", "-o", "b.png")).objects
    assert 0 < cost["most"] < cost["bits"]
    (times,) = said_well(say("show", "caches", *model, "-n", "1", "--json", "-o", "c.png")).objects
    assert times["naive"] > times["cached"] > 0
