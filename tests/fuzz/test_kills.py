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
    """A process that does the same again and again, killed from outside, 60 times."""
    scenario, rng = SCENARIOS[name], np.random.default_rng(len(name))

    def work() -> None:
        while True:
            scenario.prepare()
            os.close(os.open("ready", os.O_CREAT))
            os.unlink("ready")
            scenario.go()

    for _ in range(60):
        scenario.prepare()
        child = forked(work)
        time.sleep(0.02 + 0.05 * rng.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        check(scenario)
