"""The binary range coder and the stage that learns from the picture."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.coding import binary, decisions, lattice, mixing
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from tests.contents import converted, pictures


@kernel()
def encode_all(coder: Any, bits: Any, p: Any) -> None:
    """Code all bits."""
    for i in range(len(bits)):
        binary.encode_bit(coder, bits[i], p[i])


@kernel()
def decode_all(coder: Any, bits: Any, p: Any) -> None:
    """Decode all bits."""
    for i in range(len(bits)):
        bits[i] = binary.decode_bit(coder, p[i])


def coded(bits: npt.NDArray[np.int64], p: npt.NDArray[np.int64]) -> bytes:
    coder = binary.encoder(len(bits) // 2 + 4)
    encode_all(record(coder), bits, p)
    return binary.finish(coder)


def decoded(data: bytes, p: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    bits = np.full(len(p), -1, np.int64)
    decode_all(record(binary.decoder(data)), bits, p)
    return bits


def entropy(bits: npt.NDArray[np.int64], p: npt.NDArray[np.int64]) -> float:
    return float(-np.log2(np.where(bits == 1, p, 65536 - p) / 65536).sum())


def coded_in_plain_python(bits: list[int], p: list[int]) -> tuple[int, int, int]:
    """Lower end and range as integers without end, and the number of words shifted out."""
    lower, span, out = 0, (1 << 64) - 1, 0
    for bit, q in zip(bits, p, strict=True):
        bound = (span >> 16) * q
        if bit:
            span = bound
        else:
            lower, span = lower + bound, span - bound
        if span < 1 << 32:
            lower, span, out = lower << 32, span << 32, out + 1
    return lower, span, out


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.integers(0, 600), st.sampled_from(["likely", "unlikely", "fair", "mixed", "ends"]))
def test_bits_come_back(seed: int, count: int, style: str) -> None:
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 65536, count)
    if style in ("mixed", "ends"):
        p = np.where(rng.random(count) < (0.5 if style == "mixed" else 1), rng.choice([1, 2, 65534, 65535], count), p)
    share = p / 65536
    if style == "fair":
        share = np.full(count, 0.5)
    elif style == "unlikely":
        share = 1 - share
    bits = (rng.random(count) < share).astype(np.int64)
    data = coded(bits, p)
    assert np.array_equal(decoded(data, p), bits)
    lower, span, out = coded_in_plain_python(bits.tolist(), p.tolist())
    value = int.from_bytes(data, "big") << max(0, 8 * (8 + 4 * out - len(data)))
    assert len(data) <= 8 + 4 * out
    assert lower <= value < lower + span


@pytest.mark.parametrize("seed", range(6))
def test_long_carries(seed: int) -> None:
    """An interval that holds a point with zeros behind it for as long as wanted, and then ends above or below it: the
    words before are all ones, until a carry goes through all of them."""
    rng = np.random.default_rng(seed)
    lower, span, point = 0, (1 << 64) - 1, 0x12345678 << 32
    bits, p = [], []
    for _ in range(3000):
        q = int(rng.integers(1, 65536))
        bound = (span >> 16) * q
        bit = int(point < lower + bound)
        if not lower < point < lower + bound and bit:
            break
        bits.append(bit)
        p.append(q)
        lower, span = (lower, bound) if bit else (lower + bound, span - bound)
        if lower == point:
            break
        if span < 1 << 32:
            lower, span, point = lower << 32, span << 32, point << 32
    assert len(bits) > 1000
    bound = (span >> 16) * 65535
    assert lower < point < lower + bound
    endings = ((1, 1), (0, 65535))  # below the point, and above it
    files = []
    for bit, q in endings:
        b, share = np.array([*bits, bit, 1, 0]), np.array([*p, q, 30000, 30000])
        coder = binary.encoder(len(b))
        encode_all(record(coder), b, share)
        full = coder.words[1 : int(coder.state[binary.AT]) - 2]
        assert len(full) > 20
        assert (full == (0 if bit == 0 else 0xFFFFFFFF)).all()
        files.append(binary.finish(coder))
        assert np.array_equal(decoded(files[-1], share), b)
    assert files[1].startswith(b"\x12\x34\x56\x78\0\0\0\0")
    assert files[0].startswith(b"\x12\x34\x56\x77\xff\xff\xff\xff")


def test_carry_through_full_words() -> None:
    """Made by hand: three words of all ones before the lower end."""
    coder = np.array([(1 << 64) - 5, 1 << 40, 0, 4, 0], np.uint64)
    words = np.array([7, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0], np.uint32)
    encode_all(record(binary.Coder(coder, words)), np.array([0]), np.array([65535]))
    assert words[:4].tolist() == [8, 0, 0, 0]
    coder = np.array([(1 << 64) - 1, 1 << 32, 0, 3, 0], np.uint64)
    assert binary.finish(binary.Coder(coder, np.array([7, 0xFFFFFFFF, 0xFFFFFFFF], np.uint32))) == b"\0\0\0\x08"


@pytest.mark.parametrize("q", [1, 300, 9000, 32768, 60000, 65535])
def test_size_is_the_entropy(q: int) -> None:
    rng = np.random.default_rng(q)
    p = np.full(200_000, q, np.int64)
    bits = (rng.random(len(p)) < q / 65536).astype(np.int64)
    assert 8 * len(coded(bits, p)) <= entropy(bits, p) * 1.0001 + 2e-5 * len(p) + 64
    mixed = rng.integers(1, 65536, len(p))
    bits = (rng.random(len(p)) < mixed / 65536).astype(np.int64)
    assert 8 * len(coded(bits, mixed)) <= entropy(bits, mixed) * 1.00005 + 64


def test_finish_takes_the_fewest_bytes() -> None:
    """No shorter text decodes to the same bits; zeros at the end are left out, and none are needed."""
    rng = np.random.default_rng(8)
    for count in (0, 1, 2, 5, 9, 30):
        p = rng.integers(1, 65536, count)
        bits = (rng.random(count) < p / 65536).astype(np.int64)
        data = coded(bits, p)
        assert not data.endswith(b"\0")
        assert len(data) <= entropy(bits, p) / 8 + 2
        lower, span, out = coded_in_plain_python(bits.tolist(), p.tolist())
        workspace = 8 * (8 + 4 * out)
        if data:
            unit = 1 << (workspace - 8 * (len(data) - 1))
            assert -(-lower // unit) * unit >= lower + span
        for extra in (b"\0", b"\0" * 9):
            assert np.array_equal(decoded(data + extra, p), bits)
    assert coded(np.ones(3, np.int64), np.full(3, 60000)) == b""


def test_beyond_the_end_there_are_zeros() -> None:
    p = np.full(5000, 32768, np.int64)
    assert decoded(b"", p).tolist() == [1] * 5000
    assert np.array_equal(decoded(b"\x12\x34\x56", p), decoded(b"\x12\x34\x56" + bytes(2000), p))
    rng = np.random.default_rng(0)
    for size in range(12):
        assert set(decoded(rng.bytes(size), p).tolist()) <= {0, 1}


def test_words_of_bytes() -> None:
    assert binary.words_of(b"").tolist() == []
    assert binary.words_of(b"\1\2\3\4\5").tolist() == [0x01020304, 0x05000000]
    assert binary.words_of(memoryview(b"\xff\xff")).tolist() == [0xFFFF0000]


# --- the mixing stage -----------------------------------------------------------------------------------------------


@kernel()
def _code(stage: Any, coder: Any, front: Any, decoding: bool, channel: int, count: int) -> None:
    mixing.code(stage, coder, front, decoding, channel, count)


def run(
    chosen: mixing.StageSettings,
    values: npt.NDArray[np.int32],
    mean: int = 128,
    spread: int = 4096,
    data: bytes | None = None,
) -> tuple[npt.NDArray[np.int32], bytes, npt.NDArray[np.float64]]:
    """Code values of one channel under a single logistic, one context for all of them."""
    n = len(values)
    mixture = np.zeros((n, 5), np.int32)
    mixture[:] = (65536, mean << 8, spread, max(1, min(255, mean)), 6)
    contexts = np.full((chosen.tables, n), 4096, np.int64) + np.arange(chosen.tables)[:, None] * 512
    checks = np.full((chosen.tables, n), 9, np.int32)
    selectors = np.full((2, n), 4, np.int32)
    totals = np.zeros(2)
    stage = mixing.new_stage(chosen, 1, 1)
    coder = binary.encoder(n * decisions.MOST_DECISIONS // 2 + 16) if data is None else binary.decoder(data)
    out = values.copy() if data is None else np.full(n, -1, np.int32)
    front = mixing.FrontData(
        mixture, selectors, contexts, checks, lattice.colours(lattice.NONE), np.zeros(n, np.int32), out[None],
        np.zeros(0, np.float32), totals,
    )  # fmt: skip
    _code(record(stage), record(coder), record(front), data is not None, 0, n)
    assert stage.state.pixels[0] == n
    return out, binary.finish(coder) if data is None else b"", totals


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(mixing.STAGES)),
    st.lists(st.integers(0, 255), min_size=1, max_size=60),
    st.integers(-256, 512),
    st.sampled_from([16, 300, 4096, 65536, 1 << 21]),
)
def test_any_values_come_back(name: str, values: list[int], mean: int, spread: int) -> None:
    """Whatever the mixture: means beyond the alphabet, the narrowest and the widest scales."""
    chosen = mixing.STAGES[name]
    _, data, totals = run(chosen, np.array(values, np.int32), mean, spread)
    found, _, _ = run(chosen, np.array(values, np.int32), mean, spread, data)
    assert found.tolist() == values
    assert 8 * len(data) <= totals[0] * 1.0002 + 64


@pytest.mark.parametrize("base", [1, 2, 100, 128, 254, 255])
def test_every_value_from_every_base(base: int) -> None:
    """All 256 values, in at most so many decisions."""
    values = np.random.default_rng(base).permutation(256).astype(np.int32)
    _, data, _ = run(mixing.STAGES["cheap"], values, base)
    assert np.array_equal(run(mixing.STAGES["cheap"], values, base, data=data)[0], values)
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


@pytest.mark.parametrize("name", mixing.STAGES)
def test_the_stage_learns(name: str) -> None:
    """A value that the mixture holds for impossible costs nearly nothing once it has been seen often."""
    chosen = mixing.STAGES[name]
    few, many = (run(chosen, np.full(n, 211, np.int32), 40, 1 << 16)[2] for n in (1000, 2000))
    assert many[0] - few[0] < 0.05 * 1000
    assert many[1] == pytest.approx(2 * few[1])
    assert few[0] < 0.1 * few[1]


def test_network_bits_are_those_of_the_mixture() -> None:
    """Against the logistic function itself, with the share that every value has besides."""
    values = np.arange(60, 200, dtype=np.int32)
    _, _, totals = run(mixing.STAGES["cheap"], values, 130, 1 << 12)

    def below(edge: float) -> float:
        return 2.0**24 / (1 + math.exp(-(edge - 0.5 - 130) * 256 * (1 << 12) / 65536 / 256))

    expected = -sum(
        math.log2((below(v + 1) - below(v) + 7) / (below(256) - below(0) + 7 * 256)) for v in values.tolist()
    )
    assert totals[1] == pytest.approx(expected, rel=1e-3)


def test_what_does_not_change_is_as_documented() -> None:
    for chosen in mixing.STAGES.values():
        assert mixing.memory(chosen) >= sum(
            a.nbytes
            for a in (
                mixing.initial_state(chosen, 3).counters,
                mixing.initial_state(chosen, 3).weights,
                mixing.initial_state(chosen, 3).maps,
            )
        )
        assert chosen.limit <= 60
        assert 2 + chosen.tables <= mixing.LANES


# --- colours that a conversion can produce --------------------------------------------------------------------------


def is_on(colours: npt.NDArray[np.uint8], pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Whether colours [n, 3], in coding order, are on a lattice."""
    p = pixels.astype(np.int64)
    found: npt.NDArray[np.bool_] = (colours[p[:, 0] * 256 + p[:, 1], p[:, 2] >> 3] >> (p[:, 2] & 7)) & 1 == 1
    return found


@pytest.mark.parametrize(("which", "least", "most"), [(lattice.JFIF, 0.2, 0.3), (lattice.PHOTO_CD, 0.1, 0.15)])
def test_part_of_all_colours(which: int, least: float, most: float) -> None:
    colours = lattice.colours(which)
    assert (colours.shape, colours.dtype.name) == ((65536, 32), "uint8")
    assert least < np.unpackbits(colours).mean() < most
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    if which == lattice.JFIF:
        assert is_on(colours, gray).all()


def test_colours_of_conversions() -> None:
    """Of JPEG's by the same integers in numpy; of PhotoCD's from its formula in fractions."""
    rng = np.random.default_rng(0)
    jpeg = converted(rng.integers(0, 256, (20000, 3)).astype(np.uint8))[:, [1, 0, 2]]
    assert is_on(lattice.colours(lattice.JFIF), jpeg).all()
    for y, c1, c2 in rng.integers((0, -156, -137), (256, 100, 119), (500, 3)).tolist():
        luma, to_blue, to_red = Fraction(13584 * y, 10000), Fraction(22179 * c1, 10000), Fraction(18215 * c2, 10000)
        green = luma - Fraction(194, 1000) * math.floor(to_blue) - Fraction(509, 1000) * math.floor(to_red)
        colour = [max(0, min(255, math.floor(v))) for v in (green, luma + to_red, luma + to_blue)]
        assert is_on(lattice.colours(lattice.PHOTO_CD), np.array([colour], np.uint8)).all()


def test_detect() -> None:
    jpeg = pictures("converted", (40, 50, 3), 8)
    assert lattice.detect(jpeg) == lattice.JFIF
    assert lattice.detect(jpeg[:1, :1]) in lattice.KNOWN
    assert lattice.detect(jpeg[..., :1]) == lattice.NONE
    assert lattice.detect(pictures("noise", (40, 50, 3), 8)) == lattice.NONE
    mostly = jpeg.copy()
    mostly[::8, :4] = pictures("noise", (5, 4, 3), 8)  # eight percent, of which a quarter is on it by chance
    assert lattice.detect(mostly) == lattice.NONE
    assert lattice.colours(lattice.NONE).shape == (0, 32)
