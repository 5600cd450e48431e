"""Killed at 1,000 moments: the old or the new file is there, never neither, and the next run tidies up."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
if hasattr(os, "fork"):
    from tests.fuzz.kills import SCENARIOS, check, forked, kill_at, moments


@pytest.mark.parametrize("name", SCENARIOS)
def test_at_some_lines(folder: Path, name: str) -> None:
    scenario = SCENARIOS[name]
    count = moments(scenario)
    assert count > 30
    for moment in range(count % 12, count, 12):
        kill_at(scenario, moment)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_at_every_line(folder: Path, name: str) -> None:
    for moment in range(moments(SCENARIOS[name])):
        kill_at(SCENARIOS[name], moment)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_at_any_time(folder: Path, name: str) -> None:
    """Killed from outside after any part of the time that it takes, 60 times."""
    scenario, rng, took, ended = SCENARIOS[name], np.random.default_rng(len(name)), [0.0], 0
    scenario.prepare()
    scenario.command()  # imports what it needs
    for i in range(65):
        scenario.prepare()
        child = forked(scenario.go)
        began = time.perf_counter()
        if i >= 5:  # those before say how long it takes
            time.sleep(rng.random() * np.median(took[1:]))
            os.kill(child, signal.SIGKILL)
        ended += os.waitpid(child, 0)[1] == 0
        took += [time.perf_counter() - began] if i < 5 else []
        check(scenario)
    assert ended < 60  # most were killed before their end
