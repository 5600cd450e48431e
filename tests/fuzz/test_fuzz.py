"""Fuzzing: 5,000 cases, and 200,000 by the long tests. Each ends in the exact file or in one refusal, and soon."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.fuzz.targets import TARGETS, case, outcome

SHARDS = 40
MEGABYTES = 150
"""Most memory that a shard may take beyond what was there."""


def run(target: str, seed: int, count: int) -> Counter[str]:
    """So many cases of a target, by their outcomes."""
    found: Counter[str] = Counter()
    for number in range(count):
        data, name = case(target, seed, number)
        try:
            found[outcome(target, data, name)] += 1
        except Exception as error:
            raise AssertionError(
                f"case {target} {seed} {number} (of {name}): {type(error).__name__}: {error}; see tests/fuzz/targets.py"
            ) from error
    return found


def most_memory() -> float:
    """Megabytes that this process took at most."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", [0, *(pytest.param(1 + i, marks=pytest.mark.slow) for i in range(SHARDS))])
def test_fuzz(target: str, seed: int) -> None:
    count = TARGETS[target][2]
    run(target, 99, 20)  # kernels are compiled, specimens made
    before = most_memory()
    found = run(target, seed, count)
    assert sum(found.values()) == count
    assert found["refused"] + found["as bytes"] > 0
    assert found["exact"] + found["loaded"] > 0  # few weights are tried on a picture
    assert most_memory() - before < MEGABYTES
