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
    """Killed from outside, 60 times, before or shortly after its end."""
    scenario, rng, ended, longest = SCENARIOS[name], np.random.default_rng(len(name)), 0, 0.1
    scenario.prepare()
    scenario.command()  # imports what it needs
    for _ in range(60):
        scenario.prepare()
        child = forked(scenario.go)
        time.sleep(rng.random() * longest)
        os.kill(child, signal.SIGKILL)
        finished = os.waitpid(child, 0)[1] == 0
        ended += finished
        longest *= 0.8 if finished else 1.25  # however fast the machine is, about half of them are killed
        check(scenario)
    assert 5 < ended < 55
