"""Who does not get into a folder does not get at what was in it by way of archives and mirrors."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from arcomp.cli import target
from tests.cli.command import MODEL, refused, said_well, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def private(folder: Path) -> Path:
    """A folder that nobody else gets into, with a file that anybody could read."""
    (folder / "wrap/priv").mkdir(parents=True)
    (folder / "wrap/priv/x").write_bytes(b"private")
    (folder / "wrap/priv/x").chmod(0o644)
    (folder / "wrap/priv").chmod(0o700)
    return folder / "wrap/priv"


@pytest.mark.parametrize("source", ["wrap", "wrap/priv"])
def test_archives(private: Path, folder: Path, source: str) -> None:
    said_well(say("compress", *MODEL, "-r", source, "-o", "x.arcomp", "-j", "1"))
    assert mode("x.arcomp") == 0o600
    private.chmod(0o755)
    said_well(say("compress", *MODEL, "-r", source, "-o", "y.arcomp", "-j", "1"))
    assert mode("y.arcomp") == 0o644
    private.chmod(0o711)
    said_well(say("compress", *MODEL, "-r", source, "-o", "z.arcomp", "-j", "1"))
    assert mode("z.arcomp") == 0o600  # one may enter it, and not see what there is


@pytest.mark.parametrize("verb", ["compress", "decompress"])
def test_mirrors_while_they_are_written(
    private: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    source = ["wrap"]
    if verb == "decompress":
        said_well(say("compress", *MODEL, "-r", "wrap", "-o", "packed", "-j", "1"))
        source = ["packed"]
    (folder / "out/priv").mkdir(parents=True)  # as an older run left it
    before, seen = target.Target.put, []

    def put(*args: Any, **kwargs: Any) -> None:
        before(*args, **kwargs)
        seen.append(mode("out/priv"))

    monkeypatch.setattr(target.Target, "put", put)
    model = MODEL if verb == "compress" else ()
    said_well(say(verb, *model, "-r", *source, "-o", "out", "-j", "1"))
    assert seen == [0o700]
    assert mode("out/priv") == 0o700


def test_nothing_is_made_where_nothing_starts(private: Path, folder: Path) -> None:
    refused(say("compress", "-m", "none", "-r", "wrap", "-o", "out", "-j", "1"), "none")
    assert not (folder / "out").exists()
