"""Exact arithmetic: backends, re-scaling, tables, digests; and that no float wanders onto the coded path."""

from __future__ import annotations

import decimal
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.container import unpack
from arcomp.errors import ExactnessError, ModelError
from arcomp.exact import by_torch, matmul, tables
from arcomp.exact.bounds import FINE_LIMIT, SHIFT_LIMIT, WEIGHT_LIMIT, digits
from arcomp.exact.devices import backend as device_backend
from arcomp.exact.digest import weights_digest
from arcomp.exact.matmul import BACKENDS, Matrix
from arcomp.exact.rescale import Rescale, as_multiplier
from arcomp.layers.float.linear import Linear, freeze_linear
from arcomp.layers.frozen import FrozenLinear
from arcomp.layers.quantisation import RECTIFIED8, SIGNED8
from tests.coded import encode
from tests.specimens import MODELS

DEVICES = [
    "cpu",
    "torch",
    pytest.param("cuda", marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")]),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_backend_gives_known_answers(backend: str, device: str) -> None:
    assert matmul.self_test(backend, device) == ""


@settings(max_examples=60)
@given(
    st.integers(1, 40), st.integers(1, 70), st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans(), st.booleans()
)
def test_backends_agree(n: int, k: int, m: int, seed: int, wide: bool, heavy: bool) -> None:
    rng = np.random.default_rng(seed)
    largest = 32768 if wide else 128
    a = rng.choice([-largest, largest - 1, 0, 1, -1, int(rng.integers(-largest, largest))], (n, k))
    limit = FINE_LIMIT if heavy else WEIGHT_LIMIT
    w = rng.integers(-limit, limit + 1, (m, k)).astype(np.int16 if heavy else np.int8)
    expected = a.astype(np.int64) @ w.astype(np.int64).T
    x = a.astype(np.int16 if wide else np.int8)
    for backend in BACKENDS:
        for device in ("cpu", "torch"):
            arrays = device_backend(device)
            found = arrays.numpy(Matrix(w, largest, backend, device)(arrays.constant(x)))
            assert np.array_equal(found, expected)
            assert found.dtype == (np.int64 if Matrix(w, largest, backend).wide else np.int32)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_strides_do_not_matter(backend: str, kind: Any) -> None:
    """A column seen as a row has strides (1, 1), and counts as contiguous; so do slices and transposed arrays not."""
    rng = np.random.default_rng(2)
    w = rng.integers(-63, 64, (5, 56)).astype(np.int8)
    info = np.iinfo(kind)
    for n in (1, 3):
        a = rng.integers(info.min, info.max + 1, (56, n)).astype(kind)
        wide = np.zeros((n, 2, 56), kind)
        wide[:, 1] = a.T
        expected = a.T.astype(np.int64) @ w.T.astype(np.int64)
        matrix, by_torch = (Matrix(w, -int(info.min), backend, device) for device in ("cpu", "torch"))
        for x in (np.ascontiguousarray(a.T), a.T, wide[:, 1]):
            assert np.array_equal(matrix(x), expected)
            assert np.array_equal(by_torch(torch.from_numpy(x)), expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", [8, 9, 56])
def test_one_row_may_have_any_stride(backend: str, k: int) -> None:
    """A column seen as a row is contiguous, whatever its stride."""
    rng = np.random.default_rng(k)
    w = rng.integers(-63, 64, (10, k)).astype(np.int8)
    column = rng.integers(-128, 128, (k, 1)).astype(np.int8)
    row = np.ascontiguousarray(column.T)
    for got in (Matrix(w, 128, backend)(row), Matrix(w, 128, backend, "torch")(torch.from_numpy(row))):
        assert np.array_equal(got, (w.astype(np.int64) @ column).T)


def test_self_test_notices_a_wrong_product(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch._int_mm

    def saturating(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return right(a, b).clamp(-(2**20), 2**20 - 1)

    monkeypatch.setattr(torch, "_int_mm", saturating)
    assert "wrong sums" in matmul.self_test("int8", "torch")
    matmul.choose.cache_clear()
    chosen, said = matmul.choose("torch")
    matmul.choose.cache_clear()
    assert chosen == "float32"
    assert said["int8"]


def test_asking_for_a_wrong_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "self_test", lambda backend, device: "wrong sums")
    matmul.choose.cache_clear()
    with pytest.raises(ExactnessError, match="wrong"):
        matmul.choose()
    with pytest.raises(ExactnessError, match="no backend 'int4'"):
        matmul.choose("cpu", "int4")
    matmul.choose.cache_clear()


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=20))
def test_digits_add_up(values: list[int]) -> None:
    w = np.array([values], np.int16)
    planes = digits(w)
    assert all(np.abs(p.astype(int)).max() <= 63 for p in planes)
    assert np.array_equal(sum(p.astype(np.int64) * 64**i for i, p in enumerate(planes)), w)


def test_bounds_are_refused() -> None:
    with pytest.raises(ExactnessError):
        Matrix(np.full((2, 4), 63, np.int8), 40000, "int8")
    with pytest.raises(ExactnessError):
        Matrix(np.zeros((2, 4), np.float32), 128, "float32")


@given(st.floats(0, 16000, allow_nan=False))
def test_multiplier_is_near(ratio: float) -> None:
    multiplier, shift = as_multiplier(ratio)
    assert 0 <= multiplier < 2**15
    assert 1 <= shift <= SHIFT_LIMIT
    assert multiplier / 2**shift == pytest.approx(ratio, rel=2.0**-14, abs=2.0**-SHIFT_LIMIT)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_rescale_is_its_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bias = rng.integers(-(2**31), 2**31, 6)
    multiplier, shift = rng.integers(0, 2**15, 6), rng.integers(1, 47, 6)
    low, high = (-128, 127) if seed % 2 else (-32768, 32767)
    zero = int(rng.integers(low, 1))
    rescale = Rescale(bias, multiplier, shift, zero, low, high)
    sums = rng.choice([-(2**31), 2**31 - 1, 0, 1, -1, int(rng.integers(-(2**20), 2**20))], (5, 6))
    expected = [
        [
            max(low, min(high, (((int(s) + int(b)) * int(m) + (1 << (int(r) - 1))) >> int(r)) + zero))
            for s, b, m, r in zip(row, bias, multiplier, shift, strict=True)
        ]
        for row in sums
    ]
    tensor = torch.from_numpy(sums.astype(np.int32))
    assert rescale(sums.astype(np.int32)).tolist() == expected
    assert rescale(tensor).tolist() == expected


def test_tables_are_the_nearest_integers() -> None:
    with decimal.localcontext() as context:
        context.prec = 60
        one = decimal.Decimal(1)

        def nearest(value: decimal.Decimal) -> int:
            low = int(value.to_integral_value(decimal.ROUND_FLOOR))
            assert abs(value - low - one / 2) > decimal.Decimal("1e-9"), "a tie: the table would not be well defined"
            return low + (value - low > one / 2)

        for i, v in enumerate(tables.logistic().tolist()):
            z = decimal.Decimal(i - 1024) / 64
            assert i == 1024 or v == nearest(2**28 / (one + (-z).exp()))
        for i, v in enumerate(tables.exponential().tolist()):
            assert i == 0 or v == nearest(65536 * (decimal.Decimal(-i) / 256).exp())
        for i, v in enumerate(tables.inverse_scale().tolist()):
            assert i == 1536 or v == nearest(2**17 * (6 - decimal.Decimal(i) / 256).exp())
        for i, v in enumerate(tables.fine_logistic().tolist()):
            z = decimal.Decimal(i - 3072) / 256
            assert i == 3072 or v == nearest(2**24 / (one + (-z).exp()))
        for i, v in enumerate(tables.stretch().tolist()):
            p = (decimal.Decimal(i) + one / 2) / 4096
            assert v == nearest(256 * (p / (1 - p)).ln())
        for i, v in enumerate(tables.mantissa_logarithm().tolist()):
            assert v == nearest(256 * (1 + (decimal.Decimal(i) + one / 2) / 256).ln())
        for i, v in enumerate(tables.power_logarithm().tolist()):
            assert i == 0 or v == nearest(256 * decimal.Decimal(1 << i).ln())
    assert tables.fine_logistic()[3072] == 2**23
    assert tables.power_logarithm()[0] == 0
    assert tables.fine_logistic().shape == (6145,)
    assert tables.stretch().shape == (4096,)
    assert tables.mantissa_logarithm().shape == (256,)
    assert tables.power_logarithm().shape == (25,)
    assert tables.logistic()[1024] == 2**27
    assert tables.exponential()[0] == 65536
    assert tables.inverse_scale()[1536] == 2**17


def test_tables_of_logarithms_are_right_in_integers() -> None:
    from arcomp.models.photo.workspace import log2_table

    table = log2_table().tolist()
    assert table[:2] == [0, 0]
    for i, v in enumerate(table):
        assert i == 0 or 2**v <= i**16 < 2 ** (v + 1)


def test_digests_tell_shape_type_and_value() -> None:
    a = np.arange(6, dtype=np.int8)
    base = weights_digest("m", "{}", {"a": a})
    assert base != weights_digest("m", "{}", {"a": a.astype(np.int16)})
    assert base != weights_digest("n", "{}", {"a": a})
    assert base != weights_digest("m", "{}", {"b": a})
    assert base != weights_digest("m", "{}", {"a": a.reshape(2, 3)})
    assert base == weights_digest("m", "{}", {"a": a.astype(">i1")})


def frozen_layer() -> dict[str, Any]:
    torch.manual_seed(0)
    return freeze_linear(Linear(9, 4, RECTIFIED8), SIGNED8.bits, np.zeros(9, np.int64))


def test_frozen_layer_is_near_its_float_layer() -> None:
    torch.manual_seed(3)
    layer = Linear(40, 30, RECTIFIED8)
    torch.nn.init.normal_(layer.bias)
    frozen = FrozenLinear(freeze_linear(layer, SIGNED8.bits, np.zeros(40, np.int64)), RECTIFIED8, 128)
    x = torch.randint(-128, 128, (200, 40), dtype=torch.int8)
    exact = (torch.from_numpy(frozen(x.numpy())).double() - RECTIFIED8.zero) * RECTIFIED8.step
    rounded = layer(x.float() * SIGNED8.step, rounding=True).detach().double()
    assert float((exact - rounded).abs().max()) <= 2 * RECTIFIED8.step
    assert float((exact != rounded).double().mean()) < 0.02


def test_layer_without_weights_keeps_its_bias() -> None:
    layer = Linear(5, 2, RECTIFIED8)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.constant_(layer.bias, 0.75)
    frozen = FrozenLinear(freeze_linear(layer, SIGNED8.bits, np.zeros(5, np.int64)), RECTIFIED8, 128)
    out = frozen(np.full((1, 5), 127, np.int8))
    assert ((out.astype(float) - RECTIFIED8.zero) * RECTIFIED8.step).tolist() == [[0.75, 0.75]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", np.full((4, 9), 64, np.int8)),
        ("weight", np.zeros((4, 9), np.int16)),
        ("weight", np.zeros(9, np.int8)),
        ("bias", np.zeros(3, np.int32)),
        ("bias", np.zeros(4, np.float32)),
        ("multiplier", np.full(4, -1, np.int16)),
        ("shift", np.full(4, 0, np.int8)),
        ("shift", np.full(4, 47, np.int8)),
    ],
)
def test_hostile_layers_are_refused(name: str, value: Any) -> None:
    arrays = frozen_layer()
    FrozenLinear(arrays, RECTIFIED8, 128)
    with pytest.raises(ModelError):
        FrozenLinear({**arrays, name: value}, RECTIFIED8, 128)
    with pytest.raises(ModelError):
        FrozenLinear({k: v for k, v in arrays.items() if k != name}, RECTIFIED8, 128)


@pytest.mark.parametrize("largest", [2**14 * 300, 2**24, 2**40])
def test_product_of_two_computed_matrices(largest: int) -> None:
    """By float32 or by float64, as the bound asks."""
    rng = np.random.default_rng(0)
    a = rng.integers(-largest // 300 // 127, largest // 300 // 127 + 1, (3, 5, 300))
    b = rng.choice([-127, 127], (3, 300, 4))
    found = by_torch.product(torch.from_numpy(a), torch.from_numpy(b), largest)
    assert np.array_equal(found.numpy(), a @ b)
    assert found.dtype == torch.int64


def test_product_refuses_what_floats_cannot_hold() -> None:
    with pytest.raises(ExactnessError, match="53 bits"):
        by_torch.product(torch.ones(1, 1, dtype=torch.int64), torch.ones(1, 1, dtype=torch.int64), 2**53)


def test_reported_bits_are_right() -> None:
    make, _, depth = MODELS["histogram"]
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    encoded = encode(pixels, depth, make())
    (part,) = unpack(encoded.data).parts  # the counts that the file carries are a part of the model's cost
    samples = -48 * math.log2(1 - 255 * 2**-24)
    assert encoded.nll_bits == pytest.approx(samples + 8 * len(part.side), rel=1e-9)
