"""Distributions and the range coder: strictly increasing functions, exact digits, codes as long as they should be."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.coding import (
    DecisionDecoder,
    DecisionEncoder,
    Decoder,
    Distribution,
    Encoder,
    FrequencyTable,
    LogisticMixture,
    digit_widths,
    lattice,
    sample,
)
from arcomp.coding.distribution import TOTAL_BITS, floor_mass
from arcomp.coding.mixture import INVERSE_LIMIT
from arcomp.coding.table import cumulate
from arcomp.errors import FormatError
from arcomp.exact import tables

DEPTHS = (1, 2, 3, 4, 5, 8, 10, 12, 16)


def random_mixture(
    rng: np.random.Generator, n: int, depth: int, components: int = 3, extreme: bool = False
) -> LogisticMixture:
    share = rng.dirichlet(np.ones(components) * (0.05 if extreme else 1), n)
    weights = np.floor(share * 65536).astype(np.int32)
    weights[:, 0] += 65536 - weights.sum(1)
    if extreme:
        means = rng.choice([-(2**31), 2**31 - 1, 0, 128 << depth], (n, components))
        inverses = rng.choice(np.array(INVERSE_LIMIT), (n, components))
    else:
        means = (rng.uniform(-0.1, 1.1, (n, components)) * (256 << depth)).astype(np.int64)
        inverses = np.clip(2**20 / np.exp(rng.uniform(-3, depth, (n, components))), *INVERSE_LIMIT).astype(np.int64)
    return LogisticMixture(weights, means, inverses, depth)


def edges_in_plain_python(d: LogisticMixture, i: int, e: int) -> int:
    """G at edge e of the i-th mixture, by Python's integers alone."""
    total, floor, sigma = 1 << TOTAL_BITS, floor_mass(d.depth), tables.logistic().tolist()
    if e in (0, 1 << d.depth):
        return total if e else 0
    f = 0
    for w, m, inverse in zip(d.weights[i].tolist(), d.means[i].tolist(), d.inverses[i].tolist(), strict=True):
        z = ((e * 256 - 128 - m) * inverse) >> 12
        t = max(-(1 << 20), min((1 << 20) - 1, z)) + (1 << 20)
        f += w * (sigma[t >> 10] + (((sigma[(t >> 10) + 1] - sigma[t >> 10]) * (t & 1023)) >> 10))
    return (((f >> 16) * (total - (floor << d.depth))) >> TOTAL_BITS) + floor * e


def digit_in_plain_python(edges: list[int]) -> list[int]:
    s = len(edges) - 1
    c = [(e - edges[0]) * ((1 << 24) - s) // (edges[-1] - edges[0]) for e in edges]
    return [b - a for a, b in pairwise(c)]


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("depth", DEPTHS)
def test_mixture_is_plain_python(depth: int, extreme: bool) -> None:
    rng = np.random.default_rng(depth)
    d = random_mixture(rng, 12, depth, extreme=extreme)
    widths = digit_widths(depth)
    symbols = rng.integers(0, 1 << depth, 12).astype(np.int32)
    for level, width in enumerate(widths):
        below = sum(widths[level + 1 :])
        prefix = (symbols >> (below + width)).astype(np.int32)
        got = d.frequencies(level, prefix)
        for i in range(12):
            edges = [
                edges_in_plain_python(d, i, ((int(prefix[i]) << width) + j) << below) for j in range((1 << width) + 1)
            ]
            assert got[i].astype(np.int64).tolist() == digit_in_plain_python(edges)
    masses = d.masses(symbols)
    for i, v in enumerate(symbols.tolist()):
        assert masses[i] == edges_in_plain_python(d, i, v + 1) - edges_in_plain_python(d, i, v)


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_every_symbol_has_mass_and_all_sum_up(depth: int) -> None:
    rng = np.random.default_rng(0)
    symbols = np.arange(1 << depth, dtype=np.int32)
    for extreme in (False, True):
        for seed in range(5):
            one = random_mixture(np.random.default_rng(seed), 1, depth, extreme=extreme)
            d = LogisticMixture(
                np.repeat(one.weights, 1 << depth, 0), np.repeat(one.means, 1 << depth, 0),
                np.repeat(one.inverses, 1 << depth, 0), depth,
            )  # fmt: skip
            masses = d.masses(symbols)
            assert (masses >= 1).all()
            assert masses.sum() == 1 << TOTAL_BITS
    table = FrequencyTable(cumulate(rng.integers(0, 3, (1, 1 << depth)) * 1000, depth), symbols * 0, depth)
    assert (table.masses(symbols) >= 1).all()
    assert table.masses(symbols).sum() == 1 << TOTAL_BITS


def test_float_quotients_are_integer_quotients() -> None:
    """share_out divides in float64; over hostile dividends and divisors it must be integer division."""
    from arcomp.coding.distribution import share_out

    rng = np.random.default_rng(1)
    out = np.empty(16, np.float64)
    for trial in range(3000):
        top = int(rng.integers(16, 1 << int(rng.integers(5, 29))))
        inner = rng.integers(1, top, 15) if trial % 3 else np.arange(1, 16)
        edges = np.concatenate([[0], np.sort(inner), [top]]).astype(np.int64) + int(rng.integers(0, 1 << 20))
        expected = digit_in_plain_python(edges.tolist())
        share_out(edges.copy(), 16, out)
        assert out.astype(np.int64).tolist() == expected
    for width in (3, 7, (1 << 28) - 1, (1 << 28) - 3):  # quotients that only just miss an integer
        edges = np.linspace(0, width, 17).astype(np.int64)
        share_out(edges.copy(), 16, out)
        assert out.astype(np.int64).tolist() == digit_in_plain_python(edges.tolist())


def rows(n: int) -> npt.NDArray[np.int32]:
    return np.arange(n, dtype=np.int32)


def coded(d: Distribution, symbols: npt.NDArray[np.int32], ends: list[int]) -> bytes:
    encoder = Encoder()
    encoder.encode([d], symbols[:, None], np.array(ends))
    return encoder.finish()


@settings(max_examples=60)
@given(st.sampled_from(DEPTHS), st.integers(1, 60), st.integers(0, 2**32 - 1), st.booleans())
def test_round_trip_over_fronts(depth: int, n: int, seed: int, extreme: bool) -> None:
    rng = np.random.default_rng(seed)
    d = random_mixture(rng, n, depth, extreme=extreme)
    symbols = rng.integers(0, 1 << depth, n).astype(np.int32)
    ends = [*sorted({int(rng.integers(1, n + 1)), int(rng.integers(1, n + 1))} - {n}), n]
    decoder = Decoder(coded(d, symbols, ends))
    got, begin = [], 0
    for end in ends:
        part = LogisticMixture(d.weights[begin:end], d.means[begin:end], d.inverses[begin:end], depth)
        got.append(decoder.decode(part))
        begin = end
    assert np.array_equal(np.concatenate(got), symbols)


@pytest.mark.parametrize("depth", [1, 8, 12])
def test_code_length_is_the_nll(depth: int) -> None:
    rng = np.random.default_rng(2)
    d = random_mixture(rng, 30000, depth)
    symbols = sample(d, rng)
    data = coded(d, symbols, [30000])
    nll = float(d.bits(symbols).sum())
    assert abs(8 * len(data) - nll) <= 0.0005 * nll + 64


class TestDecisions:
    """Samples of 1 bit, without what a digit costs besides."""

    @staticmethod
    def likely(n: int, seed: int) -> FrequencyTable:
        """Distributions of which most are all but certain."""
        rng = np.random.default_rng(seed)
        ones = np.where(rng.random(n) < 0.8, rng.integers(0, 9, n), rng.integers(0, 1 << 20, n))
        counts = np.stack([(1 << 20) - ones, ones], 1)
        return FrequencyTable(cumulate(np.where(rng.random((n, 1)) < 0.5, counts, counts[:, ::-1]), 1), rows(n), 1)

    @staticmethod
    def coded(parts: list[FrequencyTable], symbols: npt.NDArray[np.int32], ends: list[int]) -> bytes:
        encoder = DecisionEncoder()
        encoder.encode(parts, symbols, np.array(ends))
        return encoder.finish()

    @settings(max_examples=40)
    @given(st.integers(1, 200), st.integers(0, 2**32 - 1), st.booleans())
    def test_round_trip_of_channels_over_fronts(self, n: int, seed: int, unlikely: bool) -> None:
        rng = np.random.default_rng(seed)
        parts = [self.likely(n, seed), self.likely(n, seed + 1)]
        drawn = np.stack([sample(d, rng) for d in parts], 1)
        symbols = 1 - drawn if unlikely else drawn
        ends = [*sorted({int(rng.integers(1, n + 1))} - {n}), n]
        decoder, got, begin = DecisionDecoder(self.coded(parts, symbols, ends)), np.empty_like(symbols), 0
        for end in ends:
            for c, d in enumerate(parts):
                got[begin:end, c] = decoder.decode(FrequencyTable(d.edges, rows(end)[begin:], 1))
            begin = end
        assert np.array_equal(got, symbols)

    def test_a_file_is_as_large_as_the_nll(self) -> None:
        d = self.likely(300_000, 3)
        symbols = sample(d, np.random.default_rng(4))[:, None]
        nll = float(d.bits(symbols[:, 0]).sum())
        digits = Encoder()
        digits.encode([d], symbols, np.array([300_000]))
        data = self.coded([d], symbols, [300_000])
        assert nll / 8 - 1 < len(data) < nll / 8 + 5 < len(digits.finish())

    def test_written_in_parts(self) -> None:
        """What was there before room was made is kept, and carried into."""
        d, whole, parts = self.likely(9000, 5), DecisionEncoder(), DecisionEncoder()
        symbols = 1 - sample(d, np.random.default_rng(6))[:, None]
        whole.encode([d], symbols, np.array([9000]))
        for begin in range(0, 9000, 100):
            part = slice(begin, begin + 100)
            parts.encode([FrequencyTable(d.edges, d.rows[part], 1)], symbols[part], np.array([100]))
        assert whole.finish() == parts.finish()

    def test_damaged_data_decode_to_something_or_end_too_soon(self) -> None:
        d = self.likely(500, 7)
        assert set(DecisionDecoder(bytes(range(255)) * 8).decode(d).tolist()) <= {0, 1}
        with pytest.raises(FormatError, match="end too soon"):
            DecisionDecoder(b"").decode(d)


def test_constriction_codes_exactly_these_frequencies() -> None:
    """Categorical(perfect=False) with parameters f codes f + 1 out of 2**24, by the coder's state after one symbol."""
    import constriction

    rng = np.random.default_rng(3)
    model = constriction.stream.model.Categorical(perfect=False)
    for _ in range(300):
        cuts = np.sort(rng.integers(0, (1 << 24) - 16 + 1, 15))
        f = np.diff(np.concatenate([[0], cuts, [(1 << 24) - 16]]))
        symbol = int(rng.integers(16))
        coder = constriction.stream.queue.RangeEncoder()
        coder.encode(np.array([symbol], np.int32), model, f[None].astype(np.float32))
        lower, width = coder.pos()[1]
        scale = (2**64 - 1) >> 24
        left = int(f[:symbol].sum()) + symbol
        expected = (scale * left, scale * (int(f[symbol]) + 1))
        if expected[1] < 2**32:
            expected = (expected[0] << 32 & (2**64 - 1), expected[1] << 32)
        assert (lower, width) == expected


def test_golden_words() -> None:
    edges = cumulate((np.arange(256, dtype=np.int64) ** 2)[None], 8)
    symbols = np.array([255, 0, 17, 200, 128, 64, 255, 254], np.int32)
    assert coded(FrequencyTable(edges, np.zeros(8, np.int32), 8), symbols, [3, 8]).hex() == "2bf6dad24222a49786df34f1"


def test_samples_follow_the_distribution() -> None:
    counts = np.array([[1, 0, 2, 5, 0, 0, 7, 1]], np.int64) * 100
    d = FrequencyTable(cumulate(counts, 3), np.zeros(40000, np.int32), 3)
    drawn = np.bincount(sample(d, np.random.default_rng(4)), minlength=8) / 40000
    assert np.abs(drawn - counts[0] / counts.sum()).max() < 0.01


def test_cumulate_is_exact_and_uniform_without_counts() -> None:
    counts = np.array([[0, 0, 0, 0], [1, 0, 0, 3]], np.int64)
    edges = cumulate(counts, 2)
    total, floor = 1 << 28, floor_mass(2)
    assert np.diff(edges[0]).tolist() == [total // 4] * 4
    share = Fraction(total - 4 * floor, 4)
    assert edges[1].tolist() == [0, int(share) + floor, int(share) + 2 * floor, int(share) + 3 * floor, total]


@pytest.mark.parametrize("data", [b"abc", b"abcde"])
def test_words_must_be_whole(data: bytes) -> None:
    with pytest.raises(FormatError):
        Decoder(data)


def test_damaged_words_never_crash() -> None:
    rng = np.random.default_rng(5)
    d = random_mixture(rng, 200, 8)
    data = bytearray(coded(d, sample(d, rng), [200]))
    outcomes = set()
    for i in range(0, len(data), 3):
        bad = bytearray(data)
        bad[i] ^= 0x5A
        try:
            outcomes.add(Decoder(bytes(bad)).decode(d).tobytes())
        except FormatError:
            outcomes.add(b"refused")
    assert len(outcomes) > 1


@pytest.mark.parametrize("depth", [0, 17, -1])
def test_depths_beyond_the_range_are_refused(depth: Any) -> None:
    with pytest.raises(ValueError, match="depth"):
        digit_widths(depth)


def test_a_lattice_is_ruled_out_without_its_table() -> None:
    """Of all colours with some greens, none of them 0 or 255: those that the table lacks, neither more nor fewer."""
    levels = np.arange(1, 255, dtype=np.uint8)
    for known in lattice.KNOWN:
        table = np.unpackbits(lattice.colours(known).reshape(256, 256, 32), axis=2, bitorder="little")
        for green in (1, 77, 200, 254):
            red, blue = np.meshgrid(levels, levels, indexing="ij")
            pixels = np.stack([np.full_like(red, green), red, blue], 2)
            assert lattice._off(pixels, known, 1, 1 << 20) == int((table[green, 1:255, 1:255] == 0).sum())
