"""Processes that are killed (SIGKILL) at chosen moments while they write, and what must be there afterwards."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from arcomp import files
from arcomp.cli import main
from arcomp.container import temporary, unpack, write_atomically
from arcomp.container.archive import joined, read_archive

OLD, NEW = b"an old file" * 9, b"a new file" * 11
TRACED = ("container/atomic.py", "container/temporary.py", "cli/files.py", "cli/inputs.py")
MODEL = ("-q", "-m", "histogram")


def packed(data: bytes) -> bytes:
    """A compressed file."""
    import arcomp

    model = arcomp.load("histogram")
    return files.compress(files.examine(data, model, files.About("a")), model).data


def run(*arguments: str) -> None:
    assert main(list(arguments)) == 0


class Scenario:
    """What a process does in an empty folder, which is the current one.

    Args:
        before: files that are there. command: what is run. links: whether the file system has hard links.
    """

    def __init__(self, before: dict[str, bytes], command: Callable[[], object], links: bool = True) -> None:
        self.before, self.command, self.links = before, command, links

    def prepare(self) -> None:
        for path in Path().iterdir():
            path.unlink()
        for name, data in self.before.items():
            Path(name).write_bytes(data)

    def go(self) -> None:
        """In the process that will be killed."""
        real = os.write
        os.write = lambda handle, data: real(handle, memoryview(data)[:40])
        temporary._swept.clear()
        vars(os)["fsync"] = _done  # slow; what a system was given, no killed process loses
        if not self.links:
            os.link = _no_links
        self.command()


def _done(handle: Any) -> None:
    pass


def _no_links(*args: Any, **kwargs: Any) -> None:
    raise PermissionError(1, "no links")


ARCHIVES = {"old": joined([packed(OLD)]), "new": joined([packed(OLD), packed(NEW)])}
SCENARIOS = {
    "compress": Scenario({"a": NEW}, lambda: run("compress", *MODEL, "a")),
    "compress without links": Scenario({"a": NEW}, lambda: run("compress", *MODEL, "a"), links=False),
    "compress -f": Scenario({"a": NEW, "a.arcomp": packed(OLD)}, lambda: run("compress", *MODEL, "-f", "a")),
    "compress --rm": Scenario({"a": NEW}, lambda: run("compress", *MODEL, "--rm", "a")),
    "decompress": Scenario({"a.arcomp": packed(NEW)}, lambda: run("decompress", "-q", "a.arcomp")),
    "decompress -f --rm": Scenario(
        {"a.arcomp": packed(NEW), "a": OLD}, lambda: run("decompress", "-q", "-f", "--rm", "a.arcomp")
    ),
    "archive": Scenario({"all": ARCHIVES["old"]}, lambda: write_atomically("all", ARCHIVES["new"], overwrite=True)),
}


def check(scenario: Scenario) -> None:
    """The old or the new file, never neither; no input lost; and the next run leaves nothing else."""
    there = {path.name: path.read_bytes() for path in Path().iterdir()}
    others = set(there) - {"a", "a.arcomp", "all"}
    assert all(temporary._NAME.fullmatch(name) for name in others), others
    assert len(others) <= 2  # what was written, and the claim to write it
    assert there.get("a", NEW) in (OLD, NEW)
    if "a.arcomp" in there:
        assert files.restored(unpack(there["a.arcomp"])) in (OLD, NEW)
    if "all" in scenario.before:
        assert there["all"] in ARCHIVES.values()
        assert read_archive(there["all"]).damaged == ()
    else:  # what was to be kept is there, as it was or packed
        held = [there.get("a"), files.restored(unpack(there["a.arcomp"])) if "a.arcomp" in there else None]
        assert NEW in held
    for name, data in scenario.before.items():
        if name not in there:
            assert len(there) > 0
        elif name == "a.arcomp" and "a" in scenario.before:
            assert files.restored(unpack(there[name])) in (files.restored(unpack(data)), NEW)
    temporary._swept.clear()
    temporary.remove_leftovers(str(Path().resolve()))
    assert {path.name for path in Path().iterdir()} == set(there) - others


def forked(work: Callable[[], object]) -> int:
    """A process that does the work; its number."""
    with warnings.catch_warnings():  # of threads, which the work does not use
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def moments(scenario: Scenario) -> int:
    """At how many moments it can be killed: before each line that is run of what writes and removes files."""
    scenario.prepare()
    scenario.command()  # imports what it needs, which each process that is forked would do again
    scenario.prepare()
    read, write = os.pipe()

    def work() -> None:
        seen = _traced(scenario, -1)
        os.write(write, str(seen).encode())

    _, status = os.waitpid(forked(work), 0)
    assert status == 0
    os.close(write)
    with open(read, "rb") as pipe:
        return int(pipe.read())


def kill_at(scenario: Scenario, moment: int) -> None:
    """Run it in another process, kill that, and check what is there."""
    scenario.prepare()
    _, status = os.waitpid(forked(lambda: _traced(scenario, moment)), 0)
    assert os.WIFSIGNALED(status), status
    check(scenario)


def _traced(scenario: Scenario, moment: int) -> int:
    """Run it until a moment; how many there were."""
    seen = 0

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if event == "line":
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1
        return line

    def call(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename.endswith(TRACED) else None

    sys.settrace(call)
    scenario.go()
    sys.settrace(None)
    return seen
