"""Several at once: forks, threads, processes, event loops. All write the same bytes, and none waits for ever."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp

MODELS = ("context", "photo-fast", "pixelcnn-digits", "histogram")
SOON = 60
ROOT = Path(__file__).parents[2]


def picture(model: str) -> Any:
    """Large enough that several threads share its rows."""
    rng = np.random.default_rng(0)
    if model.endswith("digits"):
        return rng.integers(0, 2, (60, 28, 28), dtype=np.uint8)
    return rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)


def there_and_back(model: str) -> bytes:
    data = arcomp.compress(picture(model), model)
    assert np.array_equal(arcomp.decompress(data).array.ravel(), picture(model).ravel())
    return data


CODE = """
import os, signal, sys
from arcomp.exact.threads import set_threads
from tests.unit.test_together import there_and_back
set_threads(3)
for model in sys.argv[1:]:
    right = there_and_back(model)
    child = os.fork()
    if child == 0:
        signal.alarm({soon})  # ends a process that waits for ever
        os._exit(0 if there_and_back(model) == right else 3)
    print(model, os.waitpid(child, 0)[1], there_and_back(model) == right)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_forks_after_use() -> None:
    command = [sys.executable, "-W", "ignore", "-c", CODE.format(soon=SOON), *MODELS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.stdout.splitlines() == [f"{model} 0 True" for model in MODELS], done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    right = there_and_back("histogram")
    code = (
        "import multiprocessing, sys; from tests.unit.test_together import there_and_back\n"
        "if __name__ == '__main__':\n"
        "    right = there_and_back('context')\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        f"        found = pool.map_async(there_and_back, ['context'] * 3).get({SOON})\n"
        "    print(found == [right] * 3)\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.stdout == "True\n", done.stderr
    assert there_and_back("histogram") == right


def test_threads() -> None:
    right = {model: there_and_back(model) for model in MODELS}
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(there_and_back, MODELS * 3))
    assert found == [right[model] for model in MODELS * 3]


def test_an_event_loop() -> None:
    async def several(work: Callable[[str], bytes]) -> list[bytes]:
        return await asyncio.gather(*(asyncio.to_thread(work, "photo-fast") for _ in range(4)))

    assert set(asyncio.run(several(there_and_back))) == {there_and_back("photo-fast")}
