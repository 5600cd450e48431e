"""Work shared out among processes, folders, and places that hostile names do not lead out of."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arcomp.batch import Done, Folder, Lost, Message, Workers, below, in_order, place_below, put_folders
from arcomp.errors import ArcompError, OutputError


def start(tell: Callable[[Any], None], first: bool) -> Callable[[Any, int], Any]:
    """What processes of these tests do: an item is what to do."""

    def work(item: Any, threads: int) -> Any:
        if item == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        tell(f"at {item}")
        return item, threads, first

    return work


def refuse(tell: Callable[[Any], None], first: bool) -> Callable[[Any, int], Any]:
    raise ArcompError("no model", remedy="get one")


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
class TestWorkers:
    def test_a_process_that_is_killed_costs_its_item_only(self) -> None:
        items = ["a", "kill", "b", "c", "d"]
        with closing(Workers(start, 2, 4).run(items, [1, 9, 1, 1, 1])) as events:
            happened = list(events)
        assert sorted(e.result[0] for e in happened if isinstance(e, Done)) == ["a", "b", "c", "d"]
        assert [e for e in happened if isinstance(e, Lost)] == [Lost(1, "its process was killed by SIGKILL")]
        assert sum(isinstance(e, Message) for e in happened) == 4
        assert {e.result[1] for e in happened if isinstance(e, Done)} == {1, 2, 4}  # the last one has all threads

    def test_what_starting_raises(self) -> None:
        with pytest.raises(ArcompError, match="no model; get one"):
            list(Workers(refuse, 2, 2).run(["a", "b"], [1, 1]))

    def test_in_their_sequence(self) -> None:
        events: list[Any] = [Done(1, "b"), Message(0, "x"), Lost(2, "gone"), Done(0, "a"), Done(3, "d")]
        assert list(in_order(events)) == [Message(0, "x"), Done(0, "a"), Done(1, "b"), Lost(2, "gone"), Done(3, "d")]


class TestPlaces:
    @pytest.mark.parametrize("name", ["a", "a/b", "a/b/", "..a/b.", "C:/x", "nul", "a\\b"])
    def test_below(self, name: str) -> None:
        assert place_below("d", name, windows=False) == os.path.join("d", *name.removesuffix("/").split("/"))

    @pytest.mark.parametrize("name", ["", "/", "/a", "..", "../a", "a/..", "a/../b", "a//b", "./a", "a\0"])
    def test_leading_out(self, name: str) -> None:
        with pytest.raises(OutputError):
            place_below("d", name, windows=False)

    @pytest.mark.parametrize(
        "name", ["C:/x", "nul", "a/NUL.txt", "com1", "COM¹", "a\\b", "a:b", "a.", "a /b", "a?", "\x07", "aux .txt"]
    )
    def test_names_that_windows_does_not_have(self, name: str) -> None:
        with pytest.raises(OutputError, match="Windows"):
            place_below("d", name, windows=True)
        assert place_below("d", "nulls/com10.txt", windows=True)

    @pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
    def test_links(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "d").mkdir()
        for name in ("link", "broken"):
            (tmp_path / "d" / name).symlink_to(tmp_path / ("out" if name == "link" else "none"))
        for name in ("link", "link/x", "broken", "broken/x"):
            with pytest.raises(OutputError, match="symbolic link"):
                place_below(str(tmp_path / "d"), name)
        (tmp_path / "to").symlink_to(tmp_path / "d")  # the folder itself may be one
        assert place_below(str(tmp_path / "to"), "x")


def test_folders_come_back_with_times_and_modes(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert list(put_folders(str(made), [Folder("", 5, 0o755), Folder("a", 6, 0o700), Folder("a/b", 7, 0o555)])) == []
    seen = {one.within: (one.kind, one.modified, one.mode) for one in below(str(made))}
    assert seen == {"a": ("folder", 6, 0o700), "a/b": ("folder", 7, 0o555)}
    assert made.stat().st_mtime_ns == 5
    (tmp_path / "file").write_bytes(b"")
    (error,) = put_folders(str(tmp_path), [Folder("file/x")])
    assert str(tmp_path / "file/x") in str(error)
