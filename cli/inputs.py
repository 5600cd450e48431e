"""What is read: an input's bytes, and which file they came from, so that no other is ever removed in its place."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from arcomp.batch import urls
from arcomp.batch.urls import is_url
from arcomp.cli.console import shown
from arcomp.errors import ArcompError, OutputError

START = 320
"""Bytes that tell what a file is, as for :data:`arcomp.formats.START`."""


@dataclass(frozen=True)
class Input:
    """An input that was read.

    Attributes:
        name: as given; ``-`` is standard input.
        data: all its bytes.
        status: of the file that was open while they were read; None for standard input and URLs.
    """

    name: str
    data: bytes
    status: os.stat_result | None

    @property
    def regular(self) -> os.stat_result | None:
        """The status of a regular file; None for pipes, devices and standard input."""
        return self.status if self.status is not None and stat.S_ISREG(self.status.st_mode) else None

    def remove(self) -> None:
        """Remove the file, if its name still leads to what was read.

        Raises:
            OutputError: it is another file now, or was changed; or it cannot be removed.
        """
        _check_removable(self.name)
        try:
            same = self.status is not None and _identity(os.lstat(self.name)) == _identity(self.status)
            if same:
                os.unlink(self.name)
        except FileNotFoundError:
            return  # somebody else was quicker
        except OSError as error:
            raise OutputError(f"cannot be removed: {error.strerror or error}", path=self.name) from error
        if not same:
            raise OutputError("was changed or replaced after it was read, so it is kept", path=self.name)


def _check_removable(name: str) -> None:
    """Refuse, before work, to remove what is no file of its own.

    Raises:
        OutputError: it is a pipe, a device, a link...
    """
    try:
        mode = os.lstat(name).st_mode
    except OSError:  # said when it is read; or gone, which is what was asked for
        return
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "no regular file"
        raise OutputError(f"is {kind}, which --rm does not remove", remedy="leave out --rm", path=name)


def read_input(name: str, check: Callable[[bytes], object] = lambda start: None, *, to_remove: bool = False) -> Input:
    """Read an input.

    Args:
        name: a path, or ``-``.
        check: is given the first START bytes and raises where reading the rest would be a waste.
        to_remove: whether it will be removed, for which it has to be a regular file.

    Raises:
        ArcompError: it cannot be read, or was changed meanwhile.
    """
    if not name:
        raise ArcompError("an empty name is no file", remedy="name one")
    if is_url(name):
        data = urls.read(name)
        check(data[:START])
        return Input(name, data, None)
    if to_remove:
        _check_removable(name)
    try:
        if name == "-":
            return Input(name, _all_of(_standard_input(), check), None)
        with open(name, "rb") as file:
            before = os.fstat(file.fileno())
            data, after = _all_of(file, check), os.fstat(file.fileno())
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
    changed = _identity(before) != _identity(after) or len(data) != after.st_size > 0  # /proc says that all is empty
    if changed and stat.S_ISREG(after.st_mode):
        raise ArcompError("was changed while it was read", remedy="try again when nothing writes to it", path=name)
    return Input(name, data, after)


def read_file(name: str, check: Callable[[bytes], object] = lambda start: None) -> bytes:
    """All bytes of an input; arguments and errors are those of :func:`read_input`."""
    return read_input(name, check).data


def read_compressed(name: str, *, to_remove: bool = False) -> Input:
    """Read an arcomp file; other files are refused by their first bytes.

    Args:
        name, to_remove: as of :func:`read_input`.

    Raises:
        ArcompError: it cannot be read, or is not an arcomp file.
    """
    from arcomp.container import MAGIC, unpack

    def check(start: bytes) -> None:
        if not start.startswith(MAGIC):
            unpack(start)  # says what it is instead

    return read_input(name, check, to_remove=to_remove)


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        why = "is closed" if sys.stdin is None else "is a terminal"
        raise ArcompError(why, remedy="redirect a file into it", path=shown("-"))
    return sys.stdin.buffer


def _all_of(file: BinaryIO, check: Callable[[bytes], object]) -> bytes:
    start = file.read(START)
    check(start)
    return start + file.read()


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file is replaced or written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def is_picture(name: str) -> bool:
    """Whether a file begins as pictures and arrays do."""
    from arcomp.formats.kinds import is_picture

    with open(name, "rb") as file:
        return is_picture(file.read(START))
