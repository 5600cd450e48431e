"""Where bytes come from and go to: reading inputs, naming outputs, putting them in place.

Nothing is overwritten unless asked for, nothing appears under its name before it is whole, and an input is removed
only when its output lies on the disk and is the bytes that were verified.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from arcomp.cli.console import MISSING, Console, describe, shown, stdout_to_nowhere
from arcomp.errors import ArcompError, OutputError

if TYPE_CHECKING:
    from arcomp.files import About

ENDING = ".arcomp"
START = 320
"""Bytes that tell what a file is, as for :data:`arcomp.formats.START`."""
STDOUT = "-"


def read_file(name: str, check: Callable[[bytes], object] = lambda start: None) -> bytes:
    """All bytes of an input; ``-`` is standard input.

    Args:
        name: a path, or ``-``.
        check: is given the first START bytes and raises where reading the rest would be a waste.

    Raises:
        ArcompError: it cannot be read.
    """
    if not name:
        raise ArcompError("an empty name is no file", remedy="name one")
    try:
        if name == "-":
            if sys.stdin is None or sys.stdin.isatty():
                why = "is closed" if sys.stdin is None else "is a terminal"
                raise ArcompError(why, remedy="redirect a file into it", path=shown(name))
            start = sys.stdin.buffer.read(START)
            check(start)
            return start + sys.stdin.buffer.read()
        with open(name, "rb") as file:
            start = file.read(START)
            check(start)
            return start + file.read()
    except FileNotFoundError:
        raise ArcompError("does not exist", remedy="check the path", path=name) from None
    except IsADirectoryError:
        raise ArcompError("is a directory", remedy="name the files in it", path=name) from None
    except PermissionError as error:
        if os.path.isdir(name):  # as Windows says it
            raise ArcompError("is a directory", remedy="name the files in it", path=name) from None
        raise ArcompError("permission denied", remedy="make it readable", path=name) from error
    except OSError as error:
        raise ArcompError(f"cannot be read: {error.strerror or error}", path=shown(name)) from error
    except ValueError:  # a zero byte in the name
        raise ArcompError("is not a possible file name", path=name) from None


def read_compressed(name: str) -> bytes:
    """All bytes of an arcomp file; other files are refused by their first bytes.

    Raises:
        ArcompError: it cannot be read, or is not an arcomp file.
    """
    from arcomp.container import MAGIC, unpack

    def check(start: bytes) -> None:
        if not start.startswith(MAGIC):
            unpack(start)  # says what it is instead

    return read_file(name, check)


@dataclass
class Target:
    """Where the outputs of a run go.

    Attributes:
        output: -o as given.
        to_stdout: -c.
        force: -f.
        remove: --rm.
        console: for warnings.
    """

    output: str | None
    to_stdout: bool
    force: bool
    remove: bool
    console: Console
    _written: set[str] = field(default_factory=set)

    def check(self, inputs: tuple[str, ...]) -> None:
        """Refuse combinations that cannot be meant.

        Raises:
            click.UsageError: two places for one output, or one place for several.
            OutputError: binary data would go to a terminal.
        """
        self.to_stdout = self.to_stdout or (self.output is None and inputs == ("-",))
        if self.to_stdout and self.output not in (None, STDOUT):
            raise click.UsageError("-c and -o are two places for one output")
        self.to_stdout = self.to_stdout or self.output == STDOUT
        if self.output == "":
            raise click.UsageError("-o names nothing")
        if len(inputs) > 1 and self.to_stdout:
            raise click.UsageError("standard output holds one file; give one input, or -o FOLDER/")
        if "-" in inputs and (len(inputs) > 1 or self.into_folder):
            raise click.UsageError("standard input goes alone, to standard output or to -o FILE")
        if len(inputs) > 1 and self.output is not None and not self.into_folder:
            raise click.UsageError(
                f"several inputs need a folder, which {self.output} is not; end it with / to make one"
            )
        if self.to_stdout:
            if "stdout" in MISSING:
                raise OutputError("standard output is closed", remedy="name a file with -o")
            self.console.stdout_taken = True
            if sys.stdout.isatty() and not self.force:
                raise OutputError(
                    "standard output is a terminal", remedy="name a file with -o, redirect it, or force it with -f"
                )
            if self.remove:
                self.console.warn("--rm is ignored: with standard output there is nothing to verify")
                self.remove = False

    @property
    def into_folder(self) -> bool:
        """Whether -o names a folder."""
        if self.output is None:
            return False
        return self.output.endswith(("/", os.sep)) or os.path.isdir(self.output)

    def place(self, name: str) -> str:
        """The path for an output whose own name, beside its input, would be ``name``."""
        if self.to_stdout:
            return STDOUT
        if self.output is None:
            return name
        return os.path.join(self.output, os.path.basename(name)) if self.into_folder else self.output

    def claim(self, path: str, source: str) -> None:
        """Refuse, before minutes of work, what could not be written after them.

        Raises:
            OutputError: it exists, is the input, was written by this run, or its folder cannot be written to.
        """
        if path == STDOUT:
            return
        from arcomp.container import check_target

        if os.path.realpath(path) in self._written:
            raise OutputError("another input of this run was written there", remedy="choose another name", path=path)
        if os.path.exists(path):
            if os.path.isdir(path):
                raise OutputError("is a directory", remedy="name a file", path=path)
            if source != "-" and os.path.samefile(path, source):
                raise OutputError("is the input itself", remedy="choose another name with -o", path=path)
            if not self.force:
                raise OutputError("exists already", remedy="-f overwrites it, -o names another", path=path)
        elif os.path.lexists(path) and not self.force:
            raise OutputError("exists already, as a broken link", remedy="-f overwrites it", path=path)
        folder, made = os.path.dirname(os.path.realpath(path)), path
        while self.into_folder and not os.path.lexists(folder):  # it will be made, in what is there of it
            folder, made = os.path.dirname(folder), folder
        if self.into_folder and not os.path.isdir(folder):
            raise OutputError(f"its folder cannot be made: {folder} is a file", remedy="choose another", path=path)
        check_target(made, overwrite=self.force)

    def put(self, path: str, data: bytes, source: str, replaces: bool, about: About | None = None) -> None:
        """Write an output and, if asked to, remove its input.

        The output has the time and permissions that are kept of the original, but never lets others do what the input
        does not let them do.

        Args:
            path: from :meth:`place`.
            data: what was verified.
            source: the input.
            replaces: whether all of the input can be made from it again; otherwise that is not removed.
            about: time and permissions; None: as the system gives them to new files.

        Raises:
            OutputError: it cannot be written; nothing of it is left.
        """
        if path == STDOUT:
            _to_stdout(data)
            return
        from arcomp.container import write_atomically

        if self.into_folder:
            try:
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            except OSError as error:
                raise OutputError(f"its folder cannot be made: {error.strerror or error}", path=path) from error
        mode = None if about is None else about.mode
        if source != "-" and os.path.isfile(source):
            mode = _no_more_than(0o666 & ~_umask() if mode is None else mode, os.stat(source).st_mode)
        write_atomically(
            path, data, overwrite=self.force, mode=mode, modified=None if about is None else about.modified
        )
        self._written.add(os.path.realpath(path))
        if self.remove and replaces and source != "-":
            with open(path, "rb") as file:
                if file.read() != data:
                    raise OutputError(
                        "is not what was written to it", remedy="check the disk; the input is kept", path=path
                    )
            try:
                os.unlink(source)
            except OSError as error:
                cause = f"its output {path} is written, but it cannot be removed: {error.strerror or error}"
                raise OutputError(cause, path=source) from error


def _umask() -> int:
    """What new files may not be, as the system says it; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _no_more_than(mode: int, source: int) -> int:
    """Permissions, without what the input does not grant to group and others: what may not be read there may not be
    read, written or run here."""
    for shift in (0, 3):
        if not source >> shift & 4:
            mode &= ~(7 << shift)
        if not source >> shift & 2:
            mode &= ~(2 << shift)
    return mode & 0o777


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        stdout_to_nowhere()
        raise OutputError(f"cannot be written: {describe(error)}", path="standard output") from error
