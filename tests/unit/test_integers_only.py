"""The coded path is exact: no floating tensor on it, and kernels take and give integers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch
from numba.core.registry import CPUDispatcher
from torch.utils._python_dispatch import TorchDispatchMode

from arcomp.exact import by_torch, matmul, threads
from arcomp.exact.compiled import kernel
from arcomp.exact.matmul import BACKENDS, Matrix
from arcomp.exact.records import RecordType
from arcomp.models.jpeg import experts
from tests.coded import decode, encode
from tests.contents import pictures
from tests.specimens import LEARNERS, MODELS


class RefuseFloats(TorchDispatchMode):
    """Any tensor operation with a floating result is an error, unless a product is being computed in floats."""

    carrying = 0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(t, torch.Tensor) and t.is_floating_point() and not RefuseFloats.carrying:
                raise AssertionError(f"a floating result of {func} on the coded path")
        return out


@pytest.fixture
def carrying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one place that may: products, whose floats carry integers."""
    for owner, name in ((Matrix, "__call__"), (Matrix, "__init__"), (by_torch, "product")):
        inner = getattr(owner, name)

        def outer(*args: Any, inner: Any = inner) -> Any:
            RefuseFloats.carrying += 1
            try:
                return inner(*args)
            finally:
                RefuseFloats.carrying -= 1

        monkeypatch.setattr(owner, name, outer)


LONG = ("inner", "three windows", "similarity", "photo-balanced", "photo-max")
"""Learners that take long to compile, and longer to learn by torch."""


def with_backends(names: Iterable[str], one: str) -> list[Any]:
    """(name, backend): each name with the first backend, one with each; the others, and long ones, are slow."""

    def marks(name: str, backend: str) -> Any:
        quick = name == one or (backend == BACKENDS[0] and not any(word in name for word in LONG))
        return () if quick else pytest.mark.slow

    return [pytest.param(name, backend, marks=marks(name, backend)) for name, backend in product(names, BACKENDS)]


@pytest.mark.usefixtures("carrying")
@pytest.mark.parametrize(("name", "backend"), with_backends(MODELS, "pixelcnn rgb"))
def test_no_floating_result_on_the_coded_path(name: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCOMP_BACKEND", backend)
    matmul.choose.cache_clear()
    make, channels, depth = MODELS[name]
    model = make()
    pixels = pictures("smooth", (5, 6, channels), depth)[None]
    with RefuseFloats():
        data = encode(pixels, depth, model, device="torch").data
    assert np.array_equal(decode(data, model=model)[0], pixels)
    matmul.choose.cache_clear()


@pytest.mark.usefixtures("carrying")
@pytest.mark.parametrize(("name", "backend"), with_backends(LEARNERS, "photo rgb"))
def test_no_floating_tensor_when_learning(name: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCOMP_BACKEND", backend)
    matmul.choose.cache_clear()
    make, channels = LEARNERS[name]
    model = make()
    pixels = pictures("smooth", (5, 6, channels), 8)[None]
    with RefuseFloats():  # one thread of ours may not be the one that the refusal watches: code here
        stream = model.encode_tile(np.ascontiguousarray(pixels[0]), "torch")
        out = np.zeros_like(pixels[0])
        model.decode_tile(stream.data, out)
    assert np.array_equal(out, pixels[0])
    matmul.choose.cache_clear()


def test_the_float_refusal_refuses() -> None:
    with RefuseFloats(), pytest.raises(AssertionError, match="floating"):
        torch.ones(2, dtype=torch.int8) * 0.5


# Kernels that may have floats in their signatures: frequencies, handed to the coder in float32 ...
FLOAT_SIGNATURES = {"_frequencies", "share_out", "_encode_digits", "_decode_digits"}


# ... and the least squares and heads that learn in float32, the blend of predictions and slopes in float64: fixed
# sequences of + - * / and square roots.
SINGLE_SIGNATURES = {
    "arcomp.models.photo.least_squares": {"_regularised", "_factorise", "_store_fit", "_store_prediction"},
    "arcomp.exact.last_layers": {"_store_output"},
    "arcomp.models.photo.backward": {"_gradient", "_pass_down"},
    "arcomp.models.photo.descent": {"_rounded", "_moved", "_step_layer"},
}
DOUBLE_SIGNATURES = {
    "arcomp.models.photo.inputs": {"_blend"},
    "arcomp.exact.last_layers": {"logistic_of", "steepness"},
    "arcomp.models.photo.adaptation": {"_slopes"},
    experts.__name__: {"_masses"},
}


# What records hold in floats: the same, and the bits that the mixing stage reports.
FLOAT_FIELDS = {
    "Squares": {"real", "prior", "fading"},
    "Workspace": {"matrix", "vector", "weight", "ratio"},
    "Heads": {"weights", "gradient", "first", "second", "hidden", "slopes", "slope", "progress", "rate"},
    "Layers": {
        "weights",
        "largest",
        "gradient",
        "bias",
        "bias_largest",
        "bias_gradient",
        "rate",
        "factor",
        "errors",
        "slopes",
        "lanes",
        "progress",
    },
    "FrontData": {"costs", "totals"},
    "Page": {"costs", "totals"},
    "Drawing": {"costs", "totals"},
    "Expert": {"masses"},
    "Stage": {"totals"},
}
REPORTING = {"_code_fronts", "_add"}  # their arguments of floats are what each sample cost, a symbol's probability


def check_record(kind: RecordType) -> None:
    """No field is a float that is not among those named."""
    name = kind.name.rsplit("_", 1)[0]
    for field in kind.fields.values():
        if isinstance(field.type, RecordType):
            check_record(field.type)
        else:
            assert "float" not in str(field.type) or field.name in FLOAT_FIELDS[name], (name, field.name)


def test_kernels_take_and_give_integers() -> None:
    """After all evaluations ran, no compiled kernel has a float among its arguments, but for the frequencies and
    the least squares; none uses fastmath or runs in parallel."""
    if os.environ.get("ARCOMP_TEST_FRESH"):
        threads.set_threads(1)  # so that all is compiled by this process
    for name in ("photo similarity rgb", "photo plain rgb", "photo online rgb", "photo inner gray"):
        learner, channels = LEARNERS[name]
        pixels = pictures("smooth", (5, 6, channels), 8)[None]
        decode(encode(pixels, 8, learner()).data, model=learner())
        learner().encode_tile(pixels[0], watch=lambda name, values: None)  # in chunks
        decode(encode(pixels, 8, learner()).data, model=learner(), naive=True)  # kernels by themselves
    for name in ("context rgb", "pixelcnn rgb", "histogram"):
        make, channels, depth = MODELS[name]
        model = make()
        pixels = pictures("smooth", (5, 6, channels), depth)[None]
        decode(encode(pixels, depth, model).data, model=model)
    for module, named in (*SINGLE_SIGNATURES.items(), *DOUBLE_SIGNATURES.items()):
        assert all(hasattr(sys.modules[module], name) for name in named), module
    modules = [m for name, m in sys.modules.items() if name.startswith("arcomp.")]
    kernels = [o for m in modules for o in vars(m).values() if isinstance(o, CPUDispatcher)]
    names = {f"{k.__module__.split('.')[-1]}.{k.__name__}" for k in kernels if k.signatures}
    assert {"table._frequencies", "inputs._sequential", "mixture._parameters", "rescale._rescale"} <= names
    assert {"chunks.extract_features", "strip._code_fronts", "strip._encode_chunk", "naive._decode_channel"} <= names
    if os.environ.get("ARCOMP_TEST_FRESH"):  # kernels for kernels show when their callers are compiled, not loaded
        inner = {"least_squares.solve", "similarity._weigh", "covariance.add", "inputs.features", "exact.mixtures"}
        assert inner | {"adaptation.learn", "stage.code", "decision.learn"} <= names
    for compiled in kernels:
        assert not compiled.targetoptions.get("fastmath")
        assert not compiled.targetoptions.get("parallel")
        for signature in compiled.signatures:
            for kind in signature:
                if isinstance(kind, RecordType):
                    check_record(kind)
            floats = [t for t in signature if "float" in str(t)]
            if compiled.__name__ in SINGLE_SIGNATURES.get(compiled.__module__, set()):
                assert not any("float64" in str(t) for t in floats), (compiled.__name__, signature)
            elif compiled.__name__ in DOUBLE_SIGNATURES.get(compiled.__module__, set()):
                assert not any("float32" in str(t) for t in floats), (compiled.__name__, signature)
            else:
                reports = FLOAT_SIGNATURES | REPORTING
                assert not floats or compiled.__name__ in reports, (compiled.__name__, signature)


@pytest.mark.slow
def test_kernels_for_kernels_take_and_give_integers(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "ARCOMP_TEST_FRESH": "1"}
    test = f"{__file__}::{test_kernels_take_and_give_integers.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", test]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stdout


def test_kernels_compile_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only installation and no home: Numba then refuses to cache, and must be asked not to."""
    real = numba.njit

    def njit(cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)

    @kernel()
    def total(values: Any) -> Any:
        s = 0
        for v in values:
            s += v
        return s

    assert total(np.arange(5)) == 10
