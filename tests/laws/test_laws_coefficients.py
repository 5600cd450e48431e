"""The laws of models of JPEG coefficients: what was coded comes back, whatever the shape, the values and the threads;
streams are as long as their NLL; others than were written do no harm; what training sees is what coding sees."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from arcomp.coefficients import MAX_VALUE, Coefficients, Component
from arcomp.contract.coefficients import cut_rows
from arcomp.contract.model import Execution
from arcomp.errors import FormatError, ModelError
from arcomp.exact import dense
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.quantisation import LOGITS, RECTIFIED8
from arcomp.models.jpeg import exact
from arcomp.models.jpeg.examples import examples
from arcomp.models.jpeg.model import JpegModel
from tests.jpegs import CONTENTS, SAMPLINGS, coefficients, same, tiny


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_coefficients_come_back(sampling: str, content: str) -> None:
    for model in (tiny(), tiny(extreme=True)):
        given = coefficients(sampling, content)
        coded = model.encode_coefficients(given)
        assert same(model.decode_coefficients(given.shape, coded.streams), given)
        assert 8 * sum(map(len, coded.streams)) <= 1.0005 * coded.nll_bits + 64


@pytest.mark.parametrize("tables", [12, pytest.param(5, marks=pytest.mark.slow)])
def test_every_size_comes_back(tables: int) -> None:
    model = tiny(tables=tables)
    for rows in (1, 2, 5):
        for columns in (1, 2, 3, 9):
            given = coefficients("4:2:0", "usual", (rows, columns), seed=rows * columns)
            coded = model.encode_coefficients(given)
            assert same(model.decode_coefficients(given.shape, coded.streams), given)


@pytest.mark.parametrize("sampling", ["gray", "4:2:0", "4:2:0 and 4:2:2", "odd"])
def test_strips_and_threads(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream for each strip, the same for any number of threads; a strip is coded as if it were alone."""
    model, given = tiny(), coefficients(sampling, "usual", (7, 3))
    monkeypatch.setattr(JpegModel, "strips", lambda self, shape: 3)
    coded = model.encode_coefficients(given, Execution(threads=1))
    assert len(coded.streams) == 3
    assert model.encode_coefficients(given, Execution(threads=3)).streams == coded.streams
    assert same(model.decode_coefficients(given.shape, coded.streams, Execution(threads=2)), given)
    with pytest.raises(FormatError, match="2 streams for 3 strips"):
        model.decode_coefficients(given.shape, coded.streams[:2])
    monkeypatch.undo()
    rows = cut_rows(given.shape, 3)[1]
    alone = [
        Component(c.blocks[a:b], c.quantisation, c.sampling) for c, (a, b) in zip(given.components, rows, strict=True)
    ]
    assert model.encode_coefficients(Coefficients(tuple(alone), 8, 8)).streams == coded.streams[1:2]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_rows_are_cut_once(sampling: str) -> None:
    for units in range(1, 9):
        shape = coefficients(sampling, "zero", (units, 1)).shape
        for strips in (1, 2, 5, 100):
            cut = cut_rows(shape, strips)
            assert len(cut) == min(strips, units)
            for i, component in enumerate(shape.components):
                edges = [row for strip in cut for row in strip[i]]
                assert (edges[0], edges[-1]) == (0, component.rows)
                assert edges[1:-1:2] == edges[2::2]
                assert all(a < b for a, b in (strip[i] for strip in cut))


def test_other_streams_do_no_harm() -> None:
    """Cut, flipped or random, they end too soon or give some coefficients within their limits."""
    model, given, rng = tiny(), coefficients("4:2:0", "usual", (1, 2)), np.random.default_rng(1)
    (stream,) = model.encode_coefficients(given).streams
    others = [stream[:n] for n in range(0, len(stream), 40)] + [rng.bytes(len(stream)), b"\xff" * 900, bytes(900)]
    for at in rng.integers(0, len(stream), 20):
        flipped = bytearray(stream)
        flipped[at] ^= 1 << int(rng.integers(8))
        others.append(bytes(flipped))
    for other in others:
        try:
            found = model.decode_coefficients(given.shape, [other])
        except FormatError:
            continue
        assert all(np.abs(c.blocks.astype(int)).max() <= MAX_VALUE for c in found.components)


def test_memory_is_what_is_said() -> None:
    model, given = tiny(), coefficients("4:2:0", "usual", (20, 30))
    model.encode_coefficients(given)
    tracemalloc.start()
    coded = model.encode_coefficients(given)
    said = model.coefficient_memory(given.shape)
    assert tracemalloc.get_traced_memory()[1] <= said + 1.5 * sum(map(len, coded.streams)) + (1 << 21)
    tracemalloc.stop()
    assert said < 100 * given.shape.coefficients


def test_it_takes_no_pictures() -> None:
    with pytest.raises(ModelError, match="coefficients of JPEG files"):
        tiny().check(3, 8)


@kernel()
def _evaluate(net: Any, workspace: Any, inputs: Any, place: int, count: int) -> None:
    dense.pack(inputs, count, workspace.packed[0])
    exact.evaluate(net, workspace, place, count)


def test_training_sees_what_is_coded() -> None:
    """Network outputs inside the kernels are those of the layers that freezing made; inputs are those of examples."""
    model, given = tiny(), coefficients("4:2:0", "usual")
    found = examples(given.components)
    assert len(found.ends) == sum(c.blocks.shape[0] * c.blocks.shape[1] for c in given.components)
    place = int(np.bincount(found.place).argmax())
    chosen = np.flatnonzero(found.place == place)[:16]
    workspace = exact.new_workspace(model.config, 16)
    net = model.frozen().networks["coefficient"]
    _evaluate(record(net), record(workspace), np.ascontiguousarray(found.inputs[chosen].T), place, len(chosen))
    x: np.ndarray[tuple[int, ...], np.dtype[np.int8]] = found.inputs[chosen]
    for i in range(3):
        arrays = {k: model.weights.arrays[f"3.coefficient.{i}.{k}"] for k in ("weight", "bias", "multiplier", "shift")}
        places = model.weights.arrays.get(f"3.coefficient.{i}.places")
        if places is not None:
            arrays["bias"] = arrays["bias"] + places[place]
        x = np.asarray(FrozenLinear(arrays, LOGITS if i == 2 else RECTIFIED8, 128)(x))
    assert np.array_equal(workspace.outputs[: exact.OUTPUTS, : len(chosen)], x.T)
