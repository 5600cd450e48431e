"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arcomp.container import atomic, temporary, write_atomically
from arcomp.errors import OutputError


class TestAtomicWriting:
    def test_writes_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / "a", b"one", overwrite=False)
        write_atomically(str(tmp_path / "b"), memoryview(b"two"), overwrite=True)
        write_atomically(tmp_path / "b", b"", overwrite=True)
        assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a": b"one", "b": b""}

    def test_relative_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write_atomically("a", b"one", overwrite=False)
        assert (tmp_path / "a").read_bytes() == b"one"

    def test_existing_file_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(OutputError, match="exists already") as caught:
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert caught.value.path == str(tmp_path / "a")
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"old"]

    @pytest.mark.parametrize("links", [True, False])
    def test_file_that_appears_meanwhile_is_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
    ) -> None:
        real = os.fsync

        def race(handle: int) -> None:
            (tmp_path / "a").write_bytes(b"theirs")
            real(handle)

        monkeypatch.setattr(os, "fsync", race)
        if not links:
            monkeypatch.setattr(os, "link", raiser(OSError(errno.EPERM, "no links")))
        with pytest.raises(OutputError, match="exists already"):
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"theirs"]

    @pytest.mark.parametrize("renames", [True, False])
    def test_file_system_without_hard_links(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: bool
    ) -> None:
        monkeypatch.setattr(os, "link", raiser(OSError(errno.ENOTSUP, "no links")))
        if not renames:
            monkeypatch.setattr(atomic, "_renamed_to_free_name", lambda *_: False)
        write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == [b"new"]

    @pytest.mark.parametrize(
        ("call", "overwrite"),
        [
            ("write", True),
            ("write", False),
            ("fsync", True),
            ("fsync", False),
            ("replace", True),
            ("link", False),
        ],
    )
    @pytest.mark.parametrize(
        ("error", "word"),
        [
            (OSError(errno.ENOSPC, "No space left on device"), "no space"),
            (OSError(errno.EIO, "Input/output error"), "Input/output error"),
            (KeyboardInterrupt("stopped"), "stopped"),
        ],
    )
    def test_failure_leaves_what_was_there(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        call: str,
        overwrite: bool,
        error: BaseException,
        word: str,
    ) -> None:
        if overwrite:
            (tmp_path / "a").write_bytes(b"old")
        monkeypatch.setattr(os, call, raiser(error))
        kind = OutputError if isinstance(error, OSError) else KeyboardInterrupt
        with pytest.raises(kind, match=word):
            write_atomically(tmp_path / "a", b"new", overwrite=overwrite)
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([b"old"] if overwrite else [])

    def test_failure_after_a_claim_gives_the_name_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "link", raiser(OSError(errno.EPERM, "no links")))
        monkeypatch.setattr(atomic, "_renamed_to_free_name", lambda *_: False)
        monkeypatch.setattr(os, "replace", raiser(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(OutputError):
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        assert list(tmp_path.iterdir()) == []

    def test_short_writes_are_continued(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.write
        monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:3]))
        write_atomically(tmp_path / "a", b"0123456789", overwrite=False)
        assert (tmp_path / "a").read_bytes() == b"0123456789"

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("missing/a", "folder does not exist"),
            ("", "is a directory"),
            ("n" * 300, "name is too long"),
            ("file/a", "not a folder"),
            ("a\0b", "not a possible file name"),
        ],
    )
    @pytest.mark.parametrize("overwrite", [True, False])
    def test_places_that_cannot_be(self, tmp_path: Path, name: str, word: str, overwrite: bool) -> None:
        (tmp_path / "file").write_bytes(b"old")
        with pytest.raises(OutputError, match=word) as caught:
            write_atomically(f"{tmp_path}/{name}", b"new", overwrite=overwrite)
        assert caught.value.path == f"{tmp_path}/{name}"
        assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

    @pytest.mark.parametrize(("number", "word"), [(errno.EACCES, "permission"), (errno.EROFS, "read-only")])
    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str) -> None:
        monkeypatch.setattr(os, "open", raiser(OSError(number, "no")))
        with pytest.raises(OutputError, match=word):
            write_atomically(tmp_path / "a", b"new", overwrite=False)

    def test_longest_name(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / ("n" * 255), b"new", overwrite=False)
        assert (tmp_path / ("n" * 255)).read_bytes() == b"new"

    def test_pipe_is_not_replaced(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OutputError, match="regular"):
            write_atomically(tmp_path / "pipe", b"new", overwrite=True)
        assert stat.S_ISFIFO(os.lstat(tmp_path / "pipe").st_mode)

    def test_symbolic_links(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_bytes(b"old")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        write_atomically(tmp_path / "link", b"new", overwrite=True)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_bytes() == b"new"
        with pytest.raises(OutputError, match="exists already"):
            write_atomically(tmp_path / "dangling", b"new", overwrite=False)
        assert not (tmp_path / "nowhere").exists()

    def test_leftovers_of_killed_processes_go(self, tmp_path: Path) -> None:
        """Once a process, and only what is nobody's."""
        gone, mine = tmp_path / f".arcomp-{'0' * 16}.part", tmp_path / f".arcomp-{'x' * 16}.part"
        for path in (gone, mine, tmp_path / ".arcomp-0.part", tmp_path / "notes.part"):
            path.write_bytes(b"half")
        (tmp_path / f".arcomp-{'1' * 16}.part").mkdir()
        held = temporary.Temporary(str(tmp_path))
        held.open(0o600)
        assert not gone.exists()
        kept = {path.name for path in tmp_path.iterdir()}
        assert len(kept) == 5
        temporary._swept.clear()
        write_atomically(tmp_path / "a", b"one", overwrite=False)
        assert {path.name for path in tmp_path.iterdir()} == {*kept, "a"}
        held.remove()
        assert {path.name for path in tmp_path.iterdir()} == {*kept, "a"} - {os.path.basename(held.path)}

    def test_a_file_taken_for_a_leftover_before_it_was_locked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def others(handle: int, real: Any = temporary._locked, seen: list[int] = []) -> Any:  # noqa: B006
            seen.append(handle)
            if len(seen) == 1:
                temporary._swept.clear()
                monkeypatch.setattr(temporary, "_locked", real)
                temporary.remove_leftovers(str(tmp_path))
            return real(handle)

        monkeypatch.setattr(temporary, "_locked", others)
        write_atomically(tmp_path / "a", b"one", overwrite=False)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]

    def test_permissions_follow_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_atomically(tmp_path / "a", b"new", overwrite=False)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640

    @pytest.mark.parametrize("modified", [10**9 << 62, -(10**9 << 62), 10**9 << 31])
    def test_no_time_keeps_a_file_from_being_written(self, tmp_path: Path, modified: int) -> None:
        write_atomically(tmp_path / "a", b"new", overwrite=False, modified=modified)
        assert (tmp_path / "a").read_bytes() == b"new"

    def test_the_nearest_time_where_a_system_does_not_count_so_far(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, far = os.utime, 10**9 << 40

        def narrow(path: str, ns: tuple[int, int]) -> None:
            if ns[0] == far:
                raise OverflowError
            real(path, ns=ns)

        monkeypatch.setattr(os, "utime", narrow)
        write_atomically(tmp_path / "a", b"new", overwrite=False, modified=far)
        assert (tmp_path / "a").stat().st_mtime_ns == (2**31 - 1) * 10**9


def raiser(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any, **__: Any) -> Any:
        raise error

    return raise_it
