"""Writing a file all or nothing."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator

from arcomp.container.temporary import Temporary, is_temporary
from arcomp.errors import ExistsError, OutputError

_WORDS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("no space is left on the device", "free some space or write elsewhere"),
    errno.EDQUOT: ("the disk quota is used up", "free some space or write elsewhere"),
    errno.EFBIG: ("the file would be too large for its file system", "write elsewhere"),
    errno.EACCES: ("permission denied", "write to a folder that is yours"),
    errno.EPERM: ("operation not permitted", "write to a folder that is yours"),
    errno.EROFS: ("the file system is read-only", "write elsewhere"),
    errno.ENOENT: ("its folder does not exist", "create the folder first"),
    errno.ENOTDIR: ("part of its path is not a folder", "check the path"),
    errno.EISDIR: ("is a directory", "name a file"),
    errno.ENAMETOOLONG: ("its name is too long", "choose a shorter name"),
    errno.EEXIST: ("exists already", "choose another name or ask to overwrite"),
    errno.ELOOP: ("its path goes round in symbolic links", "check the path"),
}

# What os.link answers on file systems without hard links (FAT, some network and phone file systems).
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES}
_FARTHEST = (2**31 - 1) * 10**9
"""Nanoseconds since 1970 that every system counts: 2038."""
_HERE, _NO_REPLACE = -100, 1  # AT_FDCWD, RENAME_NOREPLACE


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes | memoryview,
    *,
    overwrite: bool,
    mode: int | None = None,
    modified: int | None = None,
) -> None:
    """Write a file so that its name shows the whole of it or, after any failure, what was there before.

    Args:
        data: the whole content, contiguous bytes.
        path, overwrite, mode, modified: see :func:`written_atomically`.

    Raises:
        OutputError: the name is taken, or is not a regular file; no space, no permission, no such folder...
    """
    with written_atomically(path, overwrite=overwrite, mode=mode, modified=modified) as file:
        file.write(data)


@contextlib.contextmanager
def written_atomically(
    path: str | os.PathLike[str], *, overwrite: bool, mode: int | None = None, modified: int | None = None
) -> Iterator[Writing]:
    """Write a file part by part; where the context ends well, its name shows the whole of it.

    The bytes go to a temporary file in the same folder, reach the disk, and take the name in one step.
    The temporary is removed on every failure, an interrupt included; after the process was killed, by the next that
    writes into that folder (:mod:`arcomp.container.temporary`). A file that is replaced keeps others from what it
    kept them from.

    Args:
        path: where to write. With `overwrite`, a symbolic link is followed and its target replaced.
        overwrite: replace a file of that name; if false, an existing name is never replaced, even when it
            appears while this runs.
        mode: permissions, 0 to 0o777; None: as the umask says.
        modified: time of its last change, in nanoseconds since 1970; None: now.

    Raises:
        OutputError: the name is taken, or is not a regular file; no space, no permission, no such folder...
    """
    with _said_of(path):
        target = _target(path, overwrite)
    file = Writing(target, mode, modified, os.fspath(path))
    try:
        with _said_of(path):
            file.open()
        yield file
        with _said_of(path):
            file.put_in_place(overwrite)
    finally:
        file.close()


def check_target(path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Refuse, before hours of work, what :func:`write_atomically` would refuse after them.

    Args:
        path, overwrite: as there.

    Raises:
        OutputError: the name is taken, or is not a regular file; no permission, no such folder...
    """
    with _said_of(path):
        folder = os.path.dirname(_target(path, overwrite))
        if not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, "no such folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "permission denied")


@contextlib.contextmanager
def _said_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """What goes wrong, as an error of ours about that path."""
    shown = os.fspath(path)
    try:
        yield
    except OutputError as error:
        error.at(shown)
        raise
    except OSError as error:
        raise _output_error(error, shown) from error
    except ValueError:  # a zero byte in the name
        raise OutputError("is not a possible file name", remedy="choose another name", path=shown) from None


def _target(path: str | os.PathLike[str], overwrite: bool) -> str:
    """The file that will be written; refused early, before bytes are written, where it would be at the end."""
    target = os.path.realpath(path) if overwrite else os.path.abspath(path)
    if is_temporary(os.path.basename(target)):
        raise OutputError("is a name of unfinished files, which are removed", remedy="choose another name")
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if not overwrite:
        raise FileExistsError(errno.EEXIST, "exists")
    if not stat.S_ISREG(found.st_mode):
        # Replacing /dev/null or a pipe by a file is never what was meant.
        raise OutputError("is not a regular file", remedy="name a regular file")
    return target


def _narrowed(target: str, mode: int | None) -> int | None:
    """Permissions of a file that takes the place of one that is perhaps there: no more than that had."""
    try:
        there = os.lstat(target).st_mode & 0o777
    except OSError:
        return mode
    return there if mode is None else there & mode | (mode & 0o600)


class Writing:
    """A file that is being written under a name of its own, beside that which it will have.

    Attributes:
        mode: permissions that it will have, as of :func:`written_atomically`; may be narrowed until it is in place.
    """

    def __init__(self, target: str, mode: int | None, modified: int | None, shown: str) -> None:
        self._target, self._modified, self.mode, self._shown = target, modified, mode, shown
        self._folder = os.path.dirname(target)
        self._temporary = Temporary(self._folder)

    def open(self) -> None:
        """Make it."""
        # Whatever permissions it will have, nobody else opens it before it has them.
        self._temporary.open(0o666 if _narrowed(self._target, self.mode) is None else 0o600)

    def write(self, data: bytes | memoryview, /) -> None:
        """Write bytes after those before.

        Raises:
            OutputError: no space, ...
        """
        with _said_of(self._shown):
            view = memoryview(data).cast("B")
            while len(view):
                view = view[os.write(self._temporary.handle, view[: 1 << 26]) :]

    def put_in_place(self, overwrite: bool) -> None:
        """Make all of it durable, and give it its name."""
        temporary, mode = self._temporary, _narrowed(self._target, self.mode)
        os.fsync(temporary.handle)
        temporary.ready_to_rename()
        if mode is not None:
            os.chmod(temporary.path, mode)
        if self._modified is not None:
            set_time(temporary.path, self._modified)
        if overwrite:
            os.replace(temporary.path, self._target)
        else:
            _take_free_name(temporary.path, self._target)
        temporary.remove()
        _sync_folder(self._folder)

    def close(self) -> None:
        """Leave nothing under the name it was written by."""
        self._temporary.remove()


def set_time(path: str, modified: int) -> None:
    """Say when a file was changed; where a system does not count so far, the farthest that all of them do: an early or
    late time is no reason to give no file back. (Linux does so of its own accord.)

    Args:
        path: of a file or a folder. modified: in nanoseconds since 1970.
    """
    try:
        os.utime(path, ns=(modified, modified))
    except (OverflowError, OSError):
        nearest = min(max(modified, 0), _FARTHEST)
        if nearest == modified:
            raise
        os.utime(path, ns=(nearest, nearest))


def _take_free_name(temporary: str, target: str) -> None:
    """Give the temporary file the target's name, unless that name exists: then FileExistsError."""
    try:
        os.link(temporary, target)
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    if not _renamed_to_free_name(temporary, target):
        # Claim the name with an empty file, then replace what is now ours.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            os.replace(temporary, target)
        except BaseException:
            os.unlink(target)
            raise


def _renamed_to_free_name(temporary: str, target: str) -> bool:
    """Rename in one step that replaces nothing, where the system can; whether it was done.

    Raises:
        FileExistsError: the name is taken.
    """
    if sys.platform == "win32":
        os.rename(temporary, target)
        return True
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(temporary), _HERE, os.fsencode(target), _NO_REPLACE) == 0:
        return True
    if ctypes.get_errno() == errno.EEXIST:
        raise FileExistsError(errno.EEXIST, "exists")
    return False


def _sync_folder(folder: str) -> None:
    """Make the new name durable, where folders can be opened and synced; elsewhere it is best effort."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _output_error(error: OSError, path: str) -> OutputError:
    cause, remedy = _WORDS.get(error.errno or 0, ("", ""))
    kind = ExistsError if error.errno == errno.EEXIST else OutputError
    return kind(cause or f"cannot be written: {error.strerror or error}", remedy=remedy, path=path)
