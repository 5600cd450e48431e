"""Measurements in fresh processes: a module is given a request in JSON and answers with a line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ANSWER = "answer: "
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Variables that limit threads."""


def ask(module: str, request: Mapping[str, Any], environment: Mapping[str, str | None]) -> dict[str, Any]:
    """Run ``module`` in a process of its own.

    Args:
        module: has to call :func:`answer` when it is run.
        request: what it is given.
        environment: variables to set; those with None are removed.

    Returns:
        Its answer; if there is none, a dict with "error" alone.
    """
    # As the command line sets it: a thread that waits must not burn the core that another one needs.
    variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **{k: v for k, v in environment.items() if v is not None}}
    for name in (k for k, v in environment.items() if v is None):
        variables.pop(name, None)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, input=json.dumps(request), env=variables, capture_output=True, text=True)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith(ANSWER):
            found: dict[str, Any] = json.loads(line[len(ANSWER) :])
            return found
    said = done.stderr.strip().splitlines()
    return {"error": f"ended with status {done.returncode}" + (f": {said[-1]}" if said else "")}


def answer(function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer the request on stdin by a function; an exception becomes "error" (and a traceback on stderr)."""
    try:
        reply = function(json.load(sys.stdin))
    except Exception as error:  # whatever it is, it is this measurement's result
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        reply = {"error": f"{type(error).__name__}: {first}", "kind": type(error).__name__}
    print(ANSWER + json.dumps(reply), flush=True)


def limit_threads(threads: int) -> dict[str, str]:
    """Variables that keep a child to so many threads."""
    return {name: str(threads) for name in THREADS}
