"""Files and pipes as outputs: their bytes, and their permissions, which are those of inputs at most."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from arcomp.cli.console import describe, stdout_to_nowhere
from arcomp.errors import ArcompError, OutputError

if TYPE_CHECKING:
    from arcomp.batch import Folder
    from arcomp.cli.inputs import Input

ENDING = ".arcomp"
STDOUT = "-"


def is_whole(path: str, length: int | None, modified: int | None) -> bool:
    """Whether a file is what compressing an original made: all of it, as its header says, and of that original.

    Args:
        length: of the original; None: of any. modified: its time, in nanoseconds since 1970.
    """
    from arcomp.container import read_header

    try:
        with open(path, "rb") as file:
            header, begin = read_header(file)
            size = os.fstat(file.fileno()).st_size
    except (OSError, ArcompError):
        return False
    original = header.original
    if original is None or original.modified != modified or length not in (None, original.length):
        return False
    return size >= begin + header.length


def mode_of(source: Input | None) -> int | None:
    """Permissions of an input that is a file; None: it is none, or not known."""
    if source is None or source.name != "-":
        return source.regular.st_mode if source is not None and source.regular is not None else None
    return mode_now("-")


def mode_now(name: str) -> int | None:
    """Permissions of a file, or of standard input; None: it is no file, or they are not known."""
    try:
        found = os.fstat(sys.stdin.fileno()) if name == "-" else os.stat(name)
    except (OSError, ValueError):  # a stream that is no file of the system
        return None
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None


def folder_for(archives: Iterable[str]) -> Folder:
    """The folder that is made for what is in archives: nobody gets into it who may not read them, since the files in it
    have permissions of their own."""
    from arcomp.batch import Folder

    mode = 0o777 & ~umask()
    for name in archives:
        limit = mode_now(name)
        mode = mode if limit is None else no_more_than(mode, limit)
    return Folder("", None, mode)


def content(path: str) -> bytes:
    """All bytes of a file that was just written, also where its owner may not read it."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except PermissionError:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | 0o400)
        try:
            with open(path, "rb") as file:
                return file.read()
        finally:
            os.chmod(path, mode)


def umask() -> int:
    """What new files may not be, as the system says it; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def no_more_than(mode: int, source: int) -> int:
    """Permissions, without what the input does not grant to group and others: what may not be read there may not be
    read, written or run here."""
    for shift in (0, 3):
        if not source >> shift & 4:
            mode &= ~(7 << shift)
        if not source >> shift & 2:
            mode &= ~(2 << shift)
    return mode & 0o777


def to_stdout(data: bytes) -> None:
    """Write bytes to standard output.

    Raises:
        OutputError: it takes them no more.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        stdout_to_nowhere()
        raise OutputError(f"cannot be written: {describe(error)}", path="standard output") from error


def is_pipe(path: str) -> bool:
    """Whether bytes written there go to another process."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def to_pipe(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
    except BrokenPipeError as error:  # of standard output one says nothing, as whoever reads it knows
        raise OutputError("nobody reads it any more", path=path) from error
    except OSError as error:
        raise OutputError(f"cannot be written: {describe(error)}", path=path) from error
