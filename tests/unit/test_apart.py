"""Kernels that are called by their address, and compiled by a second process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.exact import apart, threads
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record


class Sums(NamedTuple):
    """A record."""

    values: npt.NDArray[Any]
    add: int


@kernel(apart=True)
def add(sums: Any, nothing: Any, negative: bool, at: int) -> None:
    """1 to one of them, or less 1."""
    sums.values[at] += -1 if negative else 1


@kernel()
def add_to_all(sums: Any, negative: bool) -> None:
    """To each, by an address."""
    for i in range(len(sums.values)):
        apart.call(sums.add, (sums, None, negative, np.int32(i)))


def _address(values: npt.NDArray[Any]) -> int:
    return apart.address(add, (record(Sums(values, 0)), None, True, 0))


def test_a_call_by_address_is_a_call() -> None:
    values = np.arange(3)
    sums = record(Sums(values, _address(values)))
    add_to_all(sums, False)
    assert values.tolist() == [1, 2, 3]
    add_to_all(sums, True)
    assert values.tolist() == [0, 1, 2]


def test_fields_of_a_record_are_replaced() -> None:
    """By others of the same types; by no others."""
    values, others = np.arange(3), np.arange(5, 10)
    sums = record(Sums(values, 0))
    sums.put(values=others, add=_address(values))
    add_to_all(sums, False)
    assert values.tolist() == [0, 1, 2]
    assert others.tolist() == [6, 7, 8, 9, 10]
    assert sums.fields.values is others
    for wrong in (np.arange(3.0), np.zeros((2, 2), np.int64), 1):
        with pytest.raises(TypeError, match="another type"):
            sums.put(values=wrong)


CODE = """
import numpy as np, tests.unit.test_apart as t
from arcomp.exact import apart
from arcomp.exact.records import record
values = np.arange(3)
apart.begin([(t.add, (record(t.Sums(values, 0)), None, True, 0))])
print(len(apart._begun))
t.add_to_all(record(t.Sums(values, t._address(values))), False)
print(values.tolist(), sum(t.add.stats.cache_hits.values()))
"""


@pytest.mark.parametrize("wanted", [1, 2])
def test_a_second_process_compiles_once(tmp_path: Path, wanted: int) -> None:
    """And none does where one thread is asked for; then and afterwards the kernel is the same."""
    code = f"from arcomp.exact import threads; threads.set_threads({wanted})" + CODE
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command, root = [sys.executable, "-c", code], Path(__file__).parents[2]
    said = [
        subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said[0].split("\n")[:2] == [str(int(wanted > 1)), f"[1, 2, 3] {int(wanted > 1)}"]
    assert said[1].split("\n")[:2] == ["0", "[1, 2, 3] 1"]


def test_without_a_python_to_start_it_compiles_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_count", 2)
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    monkeypatch.setattr(apart, "_begun", {})
    values = np.arange(3, dtype=np.int32)
    apart.begin([(add, (record(Sums(values, 0)), None, True, 0))])
    assert not apart._begun
    assert _address(values) > 0
