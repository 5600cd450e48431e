"""``--skip-existing``, alone, with ``--rm``, and by several processes at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from arcomp import files
from arcomp.container.temporary import claimed
from tests.cli.command import MODEL, names, refused, said_well, say


@pytest.fixture
def two(folder: Path) -> Path:
    (folder / "D").mkdir()
    for name in ("a", "b"):
        (folder / "D" / name).write_bytes(name.encode() * 100)
    return folder / "D"


GO_ON = ("--skip-existing", "-j", "1", "-o")


def test_an_output_that_appears_meanwhile(two: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of another process that does the same: it is looked at again."""
    said_well(say("compress", *MODEL, "-r", "D", "-j", "1", "-o", "whole"))
    real = files.compress

    def compress(*args: Any, **kwargs: Any) -> Any:
        if not (folder / "out/b.arcomp").exists():
            (folder / "whole/a.arcomp").rename("out/a.arcomp")  # after it was looked for, before it is written
            (folder / "whole/b.arcomp").rename("out/b.arcomp")  # before it is begun
        return real(*args, **kwargs)

    monkeypatch.setattr(files, "compress", compress)
    said = said_well(say("compress", *MODEL, "-r", "D", *GO_ON, "out"))
    assert said.results[-1].startswith("0 files: ")
    assert said.results[-1].endswith("2 there already")
    assert names(folder) == {"D/a", "D/b", "out/a.arcomp", "out/b.arcomp"}
    (two / "a").write_bytes(b"another")
    refused(say("compress", *MODEL, "-r", "D", *GO_ON, "out"), "out/a.arcomp: exists already; -f overwrites it")
    for path in (folder / "out").iterdir():
        path.rename(folder / "whole" / path.name)
    said = say("compress", *MODEL, "-r", "D", "-j", "1", "-o", "out")
    assert "out/a.arcomp: exists already; -f overwrites it, -o names another" in said.err  # where it is put in place


@pytest.mark.parametrize("verb", ["compress", "decompress"])
def test_inputs_that_a_killed_run_did_not_remove(two: Path, folder: Path, verb: str) -> None:
    command: tuple[str, ...] = ("compress", *MODEL, "-r", "D")
    said_well(say(*command, "-j", "1", "-o", "out"))
    source, out = two, folder / "out"
    if verb == "decompress":
        command, source, out = ("decompress", "-r", "out"), folder / "out", folder / "D"
    said = said_well(say(*command, *GO_ON, str(out), "--rm", "--json"))
    assert {o["removed"] for o in said.objects} == {True}
    assert (len(names(source)), len(names(out))) == (0, 2)


@pytest.mark.parametrize("verb", ["compress", "decompress"])
def test_inputs_whose_outputs_are_no_more_what_they_were(two: Path, folder: Path, verb: str) -> None:
    """Of that length and time, but damaged."""
    said_well(say("compress", *MODEL, "-r", "D", "-j", "1", "-o", "out"))
    source, changed = "D/a", folder / "out/a.arcomp"
    if verb == "decompress":
        source, changed = "out/a.arcomp", folder / "D/a"
    found, data = changed.stat(), bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    os.utime(changed, ns=(found.st_atime_ns, found.st_mtime_ns))
    model = MODEL if verb == "compress" else ()
    refused(say(verb, *model, source, *GO_ON, str(changed), "--rm"), "")
    assert Path(source).exists()
    assert changed.read_bytes() == data


@pytest.mark.skipif(os.name != "posix", reason="locks as POSIX has them")
def test_a_file_that_another_run_is_at(two: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left to that; what the other has made when all else is done is there already."""
    real, others = files.compress, list[subprocess.Popen[str] | None]()
    command = [sys.executable, "-m", "arcomp", "compress", *MODEL, "-r", "D", "-o", "out", "-j", "1"]

    def compress(*args: Any, **kwargs: Any) -> Any:
        if not others:
            others.append(None)
            refused(say(*command[3:]), "out/a.arcomp: another process is making it now; wait for that")
            (folder / "out/b.arcomp").unlink()
            with claimed("all.arcomp", waits=False):
                refused(say("compress", *MODEL, "-r", "D", "-o", "all.arcomp", "-j", "1"), "another process is making")
            others[:] = (subprocess.Popen([*command, "--skip-existing"], stdout=subprocess.PIPE, text=True),)
            began = time.monotonic()
            while not (folder / "out/b.arcomp").exists() and time.monotonic() - began < 60:
                time.sleep(0.01)
        return real(*args, **kwargs)

    monkeypatch.setattr(files, "compress", compress)
    said = said_well(say("compress", *MODEL, "-r", "D", *GO_ON, "out"))
    assert others[0] is not None
    heard, _ = others[0].communicate(timeout=60)
    for results, did in ((said.results, "D/a"), (heard.splitlines(), "D/b")):
        assert [line.partition(" ->")[0] for line in results[:-1]] == [did]
        assert results[-1].endswith("1 there already")
    assert names(folder) == {"D/a", "D/b", "out/a.arcomp", "out/b.arcomp"}
    said_well(say("test", "-r", "out", "-j", "1"))


@pytest.mark.skipif(os.name != "posix", reason="locks as POSIX has them")
def test_a_claim_that_was_left_behind(two: Path, folder: Path) -> None:
    """By a process that was killed: it holds nobody up."""
    (folder / "out").mkdir()
    claim = "import os; from arcomp.container.temporary import claimed; c = claimed('out/a.arcomp', waits=False)"
    killed = f"{claim}; c.__enter__(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", killed]).returncode == -9
    assert len(names(folder / "out")) == 1
    said_well(say("compress", *MODEL, "-r", "D", *GO_ON, "out"))
    assert names(folder / "out") == {"a.arcomp", "b.arcomp"}
