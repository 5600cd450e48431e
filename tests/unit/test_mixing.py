"""The binary range coder, the mixing engine, and lattices."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.coding import binary, lattice, mixing
from arcomp.coding.mixing.mixer import constants as mixer_constants
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import load_words, with_word, word
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


# --- the mixing engine ----------------------------------------------------------------------------------------------


@kernel()
def _decide(mixer: Any, coder: Any, decoding: bool, steps: Any, bits: Any, p: Any) -> None:
    """Code bits int64 [n]; ``steps``: record of :class:`Steps`; p, written: their probabilities."""
    numbers = binary.opened(coder)
    for i in range(len(bits)):
        contexts, checks = load_words(steps.contexts, i, 0), load_words(steps.checks, i, 0)
        offset = steps.offsets[i]
        found = mixing.find(mixer, load_words(steps.experts, i, 0), contexts, checks, offset)
        rows = load_words(steps.rows, i, 0)
        rows = with_word(rows, 0, word(rows, 0) + mixing.familiarity(mixer, found, 1))
        said = mixing.predict(mixer, found, rows)
        p[i] = said[0]
        if decoding:
            bits[i], numbers = binary.decode(coder, numbers, said[0])
        else:
            numbers = binary.encode(coder, numbers, bits[i], said[0])
        mixing.learn(mixer, found, rows, said, bits[i], mixing.learning_rate(mixer, i))
        mixing.fetch(mixer, contexts, offset + 1)
    binary.close(coder, numbers)


class Steps(NamedTuple):
    """What a model might say of n decisions."""

    experts: npt.NDArray[np.int32]
    contexts: npt.NDArray[np.int32]
    checks: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]


def steps_of(shape: mixing.Shape, n: int, rng: np.random.Generator) -> Steps:
    """Few contexts, so that they are met again, and some that share addresses but for their checks."""

    def lanes(count: int, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        made = np.zeros((n, mixing.LANES), np.int32)
        made[:, :count] = values
        return made

    ends = np.cumsum((*shape.sets, *shape.maps))
    sizes = np.array((shape.sets[0] - 3, *shape.sets[1:], *shape.maps))
    starts = np.array((*shape.set_starts, *(ends[len(shape.sets) :] - ends[len(shape.sets) - 1] - shape.maps)))
    chosen = rng.integers(0, sizes, (n, len(sizes))) + starts
    return Steps(
        lanes(shape.experts, rng.integers(-2047, 2048, (n, shape.experts))),
        lanes(shape.tables, rng.integers(0, 5, (n, shape.tables)) << 20 | rng.integers(0, 3, (n, shape.tables))),
        lanes(shape.tables, rng.integers(0, 2, (n, shape.tables)) << 6),
        lanes(len(sizes), chosen),
        rng.integers(0, 4, n),
    )


def decided_in_plain_python(shape: mixing.Shape, steps: Steps, bits: list[int]) -> list[int]:
    """Probabilities, in integers without end."""
    tables = mixer_constants()
    squash, stretch = tables.squash.tolist(), tables.stretch.tolist()
    counters: dict[tuple[int, int], tuple[int, int, int]] = {}
    start = (1 << 16) // shape.experts
    weights = [[start * (r < shape.sets[0] and i < shape.experts) for i in range(16)] for r in range(sum(shape.sets))]
    maps = [[squash[max(0, min(6144, 128 * (i - 16) + 3072))] for i in range(33)] for _ in range(sum(shape.maps))]
    out = []
    for n, bit in enumerate(bits):
        x, found = steps.experts[n].tolist()[: shape.experts], []
        for j in range(shape.tables):
            at = (int(steps.contexts[n, j]) + int(steps.offsets[n])) % (1 << shape.bits)
            check = int(steps.checks[n, j])
            q, own, seen = counters.get((j, at), (1 << 17, check, 0))
            q, seen = (q, seen) if own == check else (1 << 17, 0)
            found.append((j, at, q, check, seen))
            x.append((stretch[q >> 6] * ((1026 * seen + 3) // (4 * seen + 6))) >> 8)
        x.append(77)
        rows = steps.rows[n].tolist()
        rows[0] += sum(found[0][4] >= least for least in (1, 4, 16))
        own_rows = [weights[row] for row in rows[: len(shape.sets)]]
        d = max(-3071, min(3071, signed(sum(v * sum(w[i] for w in own_rows) for i, v in enumerate(x))) >> 16))
        mixed = squash[d + 3072]
        i, f = divmod(max(-2048, min(2047, d)) + 2048, 128)
        own_maps = [maps[row] for row in rows[len(shape.sets) : len(shape.sets) + len(shape.maps)]]
        corrected = [(m[i] * (128 - f) + m[i + 1] * f) >> 7 for m in own_maps]
        k = len(corrected)
        out.append(max(1, min(65535, (k * (mixed + 1) + sum(corrected)) >> k)) if k else mixed)
        for m in own_maps:
            m[i] += ((65535 * bit - m[i]) * (128 - f) + 4096) >> 13
            m[i + 1] += ((65535 * bit - m[i + 1]) * f + 4096) >> 13
        rate = shape.last_rate + (shape.first_rate - shape.last_rate) * 2000 // (2000 + n)
        g = (((bit << 16) - mixed) * rate) >> 10
        for w in own_rows:
            w[: len(x)] = [signed(wi + ((g * v + 8192) >> 14)) for wi, v in zip(w, x, strict=False)]
        for j, at, q, check, seen in found:
            q += ((262143 * bit - q) * ((10 * seen + 1310736) // (20 * seen + 32))) >> 16
            counters[j, at] = q, check, min(shape.limit, seen + 1)
    return out


def signed(v: int) -> int:
    """Of 32 bits."""
    return (v + (1 << 31)) % (1 << 32) - (1 << 31)


SHAPES = {
    "least": mixing.Shape(1, 4, (7,)),
    "no maps": mixing.Shape(5, 8, (6, 3), limit=20),
    "one map": mixing.Shape(3, 6, (5, 2, 4), (3,), experts=2, first_rate=900),
    "two maps": mixing.Shape(7, 10, (9, 1, 2, 3, 4), (4, 5), experts=3, last_rate=5),
    "most": mixing.Shape(14, 12, (4,) * 10, (2, 2)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_any_shape_is_as_in_plain_python(name: str) -> None:
    """And what is coded comes back, through the same probabilities."""
    shape, n = SHAPES[name], 3000
    rng = np.random.default_rng(len(name))
    steps = steps_of(shape, n, rng)
    bits = (rng.random(n) < np.where(steps.offsets % 2, 0.97, 0.2)).astype(np.int64)
    p, again, found = np.zeros((3, n), np.int64)
    coder = binary.encoder(n // 2 + 16)
    _decide(record(mixing.new_mixer(shape)), record(coder), False, record(steps), bits.copy(), p)
    assert p.tolist() == decided_in_plain_python(shape, steps, bits.tolist())
    reading = record(binary.decoder(binary.finish(coder)))
    _decide(record(mixing.new_mixer(shape)), reading, True, record(steps), found, again)
    assert np.array_equal(found, bits)
    assert np.array_equal(again, p)


def test_shapes_that_cannot_be() -> None:
    for wrong in (
        {"tables": 15}, {"bits": 29}, {"bits": 0}, {"sets": ()}, {"maps": (1, 1, 1)}, {"limit": 64}, {"experts": 12},
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            mixing.Shape(**{"tables": 5, "bits": 8, "sets": (4,), **wrong})  # type: ignore[arg-type]


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
