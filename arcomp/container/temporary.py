"""Files that are being written, and claims to write one, under names of their own: `.arcomp-*.part`.

The process that writes one holds a lock on it, which the system takes back when that process ends, however it ends. So
one without a lock was left behind by a process that was killed, and the next that writes into the folder removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator

from arcomp.errors import BusyError

if sys.platform != "win32":
    import fcntl

_NAME = re.compile(r"\.arcomp-[0-9a-f]{16}\.part")
_OLD = 86400
"""Seconds after which one is taken for a leftover where there are no such locks."""
_OFTEN, _SHORT = 0.1, 0.01
"""Seconds between two looks at a file that another process is making, and for which one looks for leftovers."""
_claims: set[tuple[int, str]] = set()
"""Processes, and the empty files of what they have claimed."""
_swept: set[tuple[int, str]] = set()


class Temporary:
    """A file that is being written. Making this object makes no file, so that one can be interrupted at any moment.

    Args:
        folder: where it will be.

    Attributes:
        path: its name; "" before it is opened. handle: to write to it; -1 while it is not open.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.path, self.handle = "", -1

    def open(self, mode: int) -> None:
        """Make it, and lock it; what was left behind in the folder goes.

        Args:
            mode: permissions, less those of the umask.

        Raises:
            OSError: as of os.open.
        """
        remove_leftovers(self._folder)
        # O_BINARY exists on Windows only, where without it line endings would be changed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        while True:
            # A name of its own length, so that a long but possible target name stays possible.
            self.path = os.path.join(self._folder, f".arcomp-{secrets.token_hex(8)}.part")
            self.handle = os.open(self.path, flags, mode)
            if _locked(self.handle) is not False and os.fstat(self.handle).st_nlink:
                return
            self.remove()  # another process took it for a leftover before it was locked

    def ready_to_rename(self) -> None:
        """Get ready for another name: Windows renames no file that is open. Elsewhere it stays open, and locked."""
        if sys.platform == "win32":
            self._close()

    def remove(self) -> None:
        """Close it, and leave nothing under its name."""
        try:
            self._unlink()
        except BaseException:  # an interrupt
            self._unlink()
            raise
        finally:
            self._close()

    def _unlink(self) -> None:
        with contextlib.suppress(OSError):  # it has another name by now, or was never made
            os.unlink(self.path)

    def _close(self) -> None:
        if self.handle >= 0:
            handle, self.handle = self.handle, -1
            os.close(handle)


@contextlib.contextmanager
def claimed(path: str, *, waits: bool) -> Iterator[None]:
    """Keep others that ask from making a file, while the context lasts, by a lock on an empty file beside it.

    It is a help, by which no work is done twice: where there are no locks, or no folder yet, nobody is kept from it.

    Args:
        path: of the file. waits: for who has claimed it, until that process is done or gone.

    Raises:
        BusyError: somebody else has claimed it.
    """
    folder, name = os.path.split(os.path.abspath(path))
    beside = os.path.join(folder, f".arcomp-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.part")
    handle = _claim(beside)
    while handle is None:
        if not waits:
            raise BusyError("another process is making it now", remedy="wait for that", path=path)
        time.sleep(_OFTEN)
        handle = _claim(beside)
    own = os.getpid(), beside
    if handle >= 0:
        _claims.add(own)
    try:
        yield
    finally:
        _claims.discard(own)
        if handle >= 0:
            with contextlib.suppress(OSError):
                os.unlink(beside)  # before the lock goes: so what is locked, and has a name, is nobody else's
            os.close(handle)


def give_up_claims() -> None:
    """For a process that ends without leaving its contexts: remove what says that files are claimed."""
    for process, path in list(_claims):
        if process == os.getpid():
            with contextlib.suppress(OSError):
                os.unlink(path)


def _claim(path: str) -> int | None:
    """A locked file of that name; None: another process has it; -1: there is no such thing here."""
    for _ in range(2):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError:  # what is wrong is said where the file itself is written
            return -1
        locked = _locked(handle)
        if locked and os.fstat(handle).st_nlink:
            return handle
        if locked is None:
            with contextlib.suppress(OSError):
                os.unlink(path)
        os.close(handle)
        if locked is None:
            return -1
        time.sleep(_SHORT)  # who looks for leftovers has a lock for a moment; or it was just removed
    return None


def is_temporary(name: str) -> bool:
    """Whether a file's name, without folders, is one of these."""
    return _NAME.fullmatch(name) is not None


def remove_leftovers(folder: str) -> None:
    """Remove what processes that are gone left in a folder; each process looks once."""
    if (os.getpid(), folder) in _swept:
        return
    _swept.add((os.getpid(), folder))
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [entry.path for entry in entries if is_temporary(entry.name)]:
            with contextlib.suppress(OSError):
                _remove_if_left(path)


def _remove_if_left(path: str) -> None:
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode):
        return
    if sys.platform == "win32":  # which removes no file that is open
        if time.time() - found.st_mtime > _OLD:
            os.unlink(path)
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        free = _locked(handle)
        if free or (free is None and time.time() - found.st_mtime > _OLD):
            os.unlink(path)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool | None:
    """Lock a file, if nobody else has; None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without
        return None
    return True
