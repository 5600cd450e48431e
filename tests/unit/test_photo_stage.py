"""The mixing stage of ``photo``: values of 8 bits as decisions that are mixed and learnt from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.coding import binary, decisions, lattice, mixing
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.photo.depth import EIGHT
from arcomp.models.photo.stage import STAGES, FrontData, StageSettings, code, new_stage


@kernel()
def _code(stage: Any, coder: Any, front: Any, decoding: bool, channel: int, count: int) -> None:
    code(stage, coder, front, decoding, channel, count)


def run(
    chosen: StageSettings,
    values: npt.NDArray[np.int32],
    mean: int = 128,
    spread: int = 4096,
    data: bytes | None = None,
) -> tuple[npt.NDArray[np.int32], bytes, npt.NDArray[np.float64]]:
    """Code values of one channel under a single logistic, one context for all of them."""
    n = len(values)
    mixture = np.zeros((n, 5), np.int32)
    mixture[:] = (65536, mean << 8, spread, max(1, min(255, mean)), 6)
    contexts = np.full((n, mixing.LANES), 4096, np.int32) + np.arange(mixing.LANES, dtype=np.int32) * 512
    checks = np.full((n, mixing.LANES), 9 << 6, np.int32)
    selectors = np.full((n, 2), 4, np.int32)
    totals = np.zeros(2)
    stage = new_stage(chosen, 1, 1000, 1)
    coder = binary.encoder(n * decisions.MOST_DECISIONS // 2 + 16) if data is None else binary.decoder(data)
    out = values.copy() if data is None else np.full(n, -1, np.int32)
    front = FrontData(
        mixture, selectors, contexts, checks, lattice.colours(lattice.NONE), np.zeros(n, np.int32), out[None],
        np.full((1, n), 256, np.int32), EIGHT, np.zeros(0, np.float32), totals, chosen.tables,
    )  # fmt: skip
    _code(record(stage), record(coder), record(front), data is not None, 0, n)
    assert stage.pixels[0] == n
    return out, binary.finish(coder) if data is None else b"", totals


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(STAGES)),
    st.lists(st.integers(0, 255), min_size=1, max_size=60),
    st.integers(-256, 512),
    st.sampled_from([16, 300, 4096, 65536, 1 << 21]),
)
def test_any_values_come_back(name: str, values: list[int], mean: int, spread: int) -> None:
    """Whatever the mixture: means beyond the alphabet, the narrowest and the widest scales."""
    chosen = STAGES[name]
    _, data, totals = run(chosen, np.array(values, np.int32), mean, spread)
    found, _, _ = run(chosen, np.array(values, np.int32), mean, spread, data)
    assert found.tolist() == values
    assert 8 * len(data) <= totals[0] * 1.0002 + 64


@pytest.mark.parametrize("base", [1, 2, 100, 128, 254, 255])
def test_every_value_from_every_base(base: int) -> None:
    """All 256 values, in at most so many decisions."""
    values = np.random.default_rng(base).permutation(256).astype(np.int32)
    _, data, _ = run(STAGES["cheap"], values, base)
    assert np.array_equal(run(STAGES["cheap"], values, base, data=data)[0], values)
    for value in range(256):
        low, high, count = 0, 256, 0
        middle, phase, side, k, step = base, 0, 0, 0, 0
        while high - low > 1:
            assert low < middle < high
            bit = int(value >= middle)
            low, high = (middle, high) if bit else (low, middle)
            middle, phase, side, k, step, node, kind = decisions.next_decision(
                bit, low, high, base, phase, side, k, step
            )
            assert 0 <= node < decisions.NODES
            assert 0 <= kind < 16
            count += 1
        assert low == value
        assert count <= decisions.MOST_DECISIONS


@pytest.mark.parametrize("name", STAGES)
def test_the_stage_learns(name: str) -> None:
    """A value that the mixture holds for impossible costs nearly nothing once it has been seen often."""
    chosen = STAGES[name]
    few, many = (run(chosen, np.full(n, 211, np.int32), 40, 1 << 16)[2] for n in (1000, 2000))
    assert many[0] - few[0] < 0.05 * 1000
    assert many[1] == pytest.approx(2 * few[1])
    assert few[0] < 0.1 * few[1]


def test_network_bits_are_those_of_the_mixture() -> None:
    """Against the logistic function itself, with the share that every value has besides."""
    values = np.arange(60, 200, dtype=np.int32)
    _, _, totals = run(STAGES["cheap"], values, 130, 1 << 12)

    def below(edge: float) -> float:
        return 2.0**24 / (1 + math.exp(-(edge - 0.5 - 130) * 256 * (1 << 12) / 65536 / 256))

    expected = -sum(
        math.log2((below(v + 1) - below(v) + 7) / (below(256) - below(0) + 7 * 256)) for v in values.tolist()
    )
    assert totals[1] == pytest.approx(expected, rel=1e-3)


def test_memory_is_that_of_the_arrays() -> None:
    for chosen in STAGES.values():
        mixer = new_stage(chosen, 3, 1 << 20, 1).mixer
        assert mixer.counters.shape == (chosen.tables, 1 << chosen.bits)
        learnt = mixer.counters.nbytes + mixer.weights.nbytes
        assert mixing.memory(chosen.shape(3, 1 << 20)) == learnt + (mixer.maps.nbytes if chosen.refine else 0)
        assert chosen.shape(1, 64).bits == 10
        assert chosen.shape(3, 400).bits == 14  # sixteen counters for each of 1,200 values, or a few less
