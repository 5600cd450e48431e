"""Where bytes go to: naming outputs, putting them in place.

Nothing is overwritten unless asked for, nothing appears under its name before it is whole, and an input is removed
only when its output lies on the disk and is the bytes that were verified.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from arcomp.cli.console import MISSING, Console, describe, stdout_to_nowhere
from arcomp.cli.inputs import Input
from arcomp.errors import OutputError

if TYPE_CHECKING:
    from arcomp.files import About

ENDING = ".arcomp"
STDOUT = "-"
STDOUTS = (STDOUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


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
        if self.to_stdout and self.output not in (None, *STDOUTS):
            raise click.UsageError("-c and -o are two places for one output")
        self.to_stdout = self.to_stdout or self.output in STDOUTS
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
        if self.remove and (self.to_stdout or "-" in inputs):
            raise click.UsageError("--rm removes files whose output is a file that was verified; leave it out")
        if self.to_stdout:
            if "stdout" in MISSING:
                raise OutputError("standard output is closed", remedy="name a file with -o")
            self.console.stdout_taken = True
            if sys.stdout.isatty() and not self.force:
                raise OutputError(
                    "standard output is a terminal", remedy="name a file with -o, redirect it, or force it with -f"
                )

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
        if path == STDOUT or _is_pipe(path):
            if self.remove:
                raise OutputError("is a pipe, of which nothing can be verified", remedy="leave out --rm", path=path)
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

    def put(self, path: str, data: bytes, source: Input | None, replaces: bool, about: About | None = None) -> None:
        """Write an output and, if asked to, remove its input.

        The output has the time and permissions that are kept of the original, but never lets others do what the input
        does not let them do.

        Args:
            path: from :meth:`place`.
            data: what was verified.
            source: the input; None: there is none, of which anybody could ask permissions.
            replaces: whether all of the input can be made from it again; otherwise that is not removed.
            about: time and permissions; None: as the system gives them to new files.

        Raises:
            OutputError: it cannot be written, and nothing of it is left; or the input, which was to be removed, cannot
                be, or is not what was read.
        """
        if path == STDOUT:
            _to_stdout(data)
            return
        if _is_pipe(path):
            _to_pipe(path, data)
            return
        from arcomp.container import write_atomically

        if self.into_folder:
            try:
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            except OSError as error:
                raise OutputError(f"its folder cannot be made: {error.strerror or error}", path=path) from error
        mode = None if about is None else about.mode
        regular = None if source is None else source.regular
        if regular is not None:
            mode = _no_more_than(0o666 & ~_umask() if mode is None else mode, regular.st_mode)
        write_atomically(
            path, data, overwrite=self.force, mode=mode, modified=None if about is None else about.modified
        )
        self._written.add(os.path.realpath(path))
        if self.remove and replaces and source is not None:
            with open(path, "rb") as file:
                if file.read() != data:
                    raise OutputError(
                        "is not what was written to it", remedy="check the disk; the input is kept", path=path
                    )
            try:
                source.remove()
            except OutputError as error:
                error.cause = f"its output {path} is written, but it {error.cause}"
                raise


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


def _is_pipe(path: str) -> bool:
    """Whether bytes written there go to another process."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _to_pipe(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
    except BrokenPipeError as error:  # of standard output one says nothing, as whoever reads it knows
        raise OutputError("nobody reads it any more", path=path) from error
    except OSError as error:
        raise OutputError(f"cannot be written: {describe(error)}", path=path) from error
