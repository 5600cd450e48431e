"""What is below a folder, and folders made again elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arcomp.errors import OutputError

FILE, FOLDER = "file", "folder"
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: FOLDER,
    stat.S_IFLNK: "symbolic link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "named pipe",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True)
class Seen:
    """Something below a folder.

    Attributes:
        path: of it. within: its path from the folder, with `/` between its parts.
        kind: FILE, FOLDER, "symbolic link", ...; nothing but files and folders is followed or read.
        size: of a file, in bytes. modified: in nanoseconds since 1970. mode: permissions.
        error: why it could not be looked at, or None.
    """

    path: str
    within: str
    kind: str = ""
    size: int = 0
    modified: int = 0
    mode: int = 0
    error: OSError | None = None


@dataclass(frozen=True)
class Folder:
    """A folder that is to be made again.

    Attributes:
        within: its path below the place, with `/` between its parts; "" is the place itself.
        modified, mode: what it will have; None: not known.
    """

    within: str
    modified: int | None = None
    mode: int | None = None


def look(path: str, within: str) -> Seen:
    """What is at a path; symbolic links are not followed."""
    try:
        found = os.lstat(path)
    except OSError as error:
        return Seen(path, within, error=error)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "special file")
    return Seen(path, within, kind, found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode))


def below(folder: str, within: str = "", without: frozenset[str] = frozenset()) -> Iterator[Seen]:
    """Everything below a folder, by names, a folder before what is in it.

    Args:
        folder: its path. within: what paths of what is in it begin with, "" or a path.
        without: real paths of what is left out without a word.
    """
    waiting = [_inside(folder, within, without)]  # no recursion: folders may be thousands deep
    while waiting:
        seen = next(waiting[-1], None)
        if seen is None:
            waiting.pop()
            continue
        yield seen
        if seen.kind == FOLDER:
            waiting.append(_inside(seen.path, seen.within, without))


def _inside(folder: str, within: str, without: frozenset[str]) -> Iterator[Seen]:
    """What is in a folder itself, by names."""
    try:
        with os.scandir(folder) as listed:
            names = sorted(entry.name for entry in listed)
    except OSError as error:
        yield Seen(folder, within, error=error)
        return
    for name in names:
        path = os.path.join(folder, name)
        if not without or os.path.realpath(path) not in without:
            yield look(path, f"{within}/{name}" if within else name)


def put_folders(place: str, folders: Iterable[Folder]) -> Iterator[tuple[str, OutputError]]:
    """Make folders where they are missing, and give them their time and permissions, inner ones first: what is put into
    a folder later changes its time.

    Args:
        place: they are below it.

    Yields:
        A path and the error where that could not be done.
    """
    for folder in sorted(folders, key=lambda folder: folder.within.count("/") + bool(folder.within), reverse=True):
        path = os.path.join(place, *folder.within.split("/")) if folder.within else place
        try:
            os.makedirs(path, exist_ok=True)
            if folder.mode is not None:
                os.chmod(path, folder.mode & 0o777)
            if folder.modified is not None:
                os.utime(path, ns=(folder.modified, folder.modified))
        except OSError as error:
            yield path, OutputError(f"cannot be made as it was: {error.strerror or error}", path=path)
