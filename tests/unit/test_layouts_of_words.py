"""Pixels that are words of 16 or 32 bits, signed samples, and rows that lie as columns."""

from __future__ import annotations

import numpy as np
import pytest

from arcomp.form import Layout, Raster
from arcomp.formats.layouts import pack, unpack
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Samples

RANDOM = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("bits", "word", "fields"),
    [
        (6, 16, ((11, 5), (5, 6), (0, 5))),
        (5, 16, ((10, 5), (5, 5), (0, 5), (15, 1))),
        (4, 16, ((0, 4), (8, 4), (4, 4), (12, 4))),
        (10, 32, ((20, 10), (10, 10), (0, 10), (30, 2))),
        (8, 32, ((16, 8), (8, 8), (0, 8))),
        (16, 32, ((0, 16), (16, 3))),
    ],
)
@pytest.mark.parametrize("little", [True, False])
def test_words(bits: int, word: int, fields: tuple[tuple[int, int], ...], little: bool) -> None:
    layout = Layout(bits, tuple(range(len(fields))), little=little, word=word, fields=fields)
    used = sum(((1 << n) - 1) << shift for shift, n in fields)
    words = (RANDOM.integers(0, 1 << word, (7, 5)) & used).astype(f"{'<' if little else '>'}u{word // 8}")
    words[0, 0] = used
    samples = np.empty((7, 5, len(fields)), np.uint8 if bits <= 8 else np.uint16)
    assert unpack(words.tobytes(), samples, layout) == b""
    assert samples[0, 0].tolist() == [(1 << bits) - 1] * len(fields)
    for place, (shift, n) in enumerate(fields):
        assert np.array_equal(samples[..., place] >> (bits - n), (words >> shift) & ((1 << n) - 1))
    assert pack(samples, layout).tobytes() == words.tobytes()


def test_words_with_a_stride_and_padding() -> None:
    layout = Layout(5, (2, 1, 0), little=True, word=16, fields=((0, 5), (5, 5), (10, 5)))
    data = (RANDOM.integers(0, 1 << 15, (4, 4)).astype("<u2")).tobytes()
    samples = np.empty((4, 3, 3), np.uint8)
    padding = unpack(data, samples, layout, stride=8, upward=True)
    assert padding == b"".join(data[i + 6 : i + 8] for i in range(0, 32, 8))
    assert pack(samples, layout, stride=8, upward=True, padding=padding).tobytes() == data


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i2"])
def test_signed(dtype: str) -> None:
    values = RANDOM.integers(-128, 128, (6, 5, 2)).astype(dtype)
    bits = 8 * values.itemsize
    layout = Layout(bits, (0, 1), little=dtype[0] == "<", signed=True)
    samples = np.empty(values.shape, f"u{values.itemsize}")
    unpack(values.tobytes(), samples, layout)
    assert np.array_equal(samples.astype(int), values.astype(int) + (1 << bits - 1))
    assert pack(samples, layout).tobytes() == values.tobytes()


def test_rows_that_are_columns() -> None:
    picture = RANDOM.integers(0, 256, (6, 5, 3)).astype(np.uint8)
    form = tuple(Raster(0, 0, 0, 6, 5, Layout(8, (c,)), transposed=True) for c in range(3))
    assert rebuild(form, Samples.of(picture[None])) == picture.tobytes("F")
