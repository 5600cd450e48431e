"""What is below a folder, and folders made again elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from arcomp.batch.places import place_below
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


def make_folders(place: str, folders: Iterable[Folder], *, confined: bool = False) -> list[str]:
    """Make folders that are missing, outer ones first, and let nobody into them who will not be let in at the end;
    those that are there are narrowed to that.

    Args:
        place: they are below it. confined: as of :func:`put_folders`, which also says what could not be made.

    Returns:
        Paths of those that were made, outer ones first.
    """
    made: list[str] = []
    for folder in sorted(folders, key=_depth):
        with suppress(OSError, OutputError):
            path, mode = _path(place, folder, confined), 0o777 if folder.mode is None else folder.mode & 0o777 | 0o700
            for missing in reversed(list(_missing(path))):
                with suppress(FileExistsError):  # another process was quicker
                    os.mkdir(missing, mode if missing == path else 0o777)
                    made.append(missing)
            there = stat.S_IMODE(os.stat(path).st_mode)
            if path in made and folder.mode is not None:  # also what the umask took: a run that goes on finds it so
                os.chmod(path, there & 0o7000 | mode)
            elif there & ~mode & 0o777:
                os.chmod(path, there & (mode | 0o7000))
    return made


def put_folders(place: str, folders: Iterable[Folder], *, confined: bool = False) -> Iterator[OutputError]:
    """Make folders where they are missing, and give them their time and permissions, inner ones first: what is put into
    a folder later changes its time.

    Args:
        place: they are below it.
        confined: somebody else chose their names: no symbolic link is followed below the place.

    Yields:
        The error, with the path, where that could not be done.
    """
    from arcomp.container.atomic import set_time  # brings NumPy, which help does without

    for folder in sorted(folders, key=_depth, reverse=True):
        path = os.path.join(place, *folder.within.split("/"))
        try:
            path = _path(place, folder, confined)
            os.makedirs(path, exist_ok=True)
            if folder.mode is not None:  # what comes from the folder that it is in stays: sticky, set-group-id
                os.chmod(path, os.stat(path).st_mode & 0o7000 | folder.mode & 0o777)
            if folder.modified is not None:
                set_time(path, folder.modified)
        except OutputError as error:
            error.at(path)
            yield error
        except OSError as error:
            yield OutputError(f"cannot be made as it was: {error.strerror or error}", path=path)


def _depth(folder: Folder) -> int:
    return folder.within.count("/") + bool(folder.within)


def _path(place: str, folder: Folder, confined: bool) -> str:
    """Where a folder is to be.

    Raises:
        OutputError: it would not be below the place.
    """
    if not folder.within:
        return place.rstrip(os.sep + "/") or place
    return place_below(place, folder.within) if confined else os.path.join(place, *folder.within.split("/"))


def _missing(path: str) -> Iterator[str]:
    """A folder and those that it is in, as far as they are missing, inner ones first."""
    while path and not os.path.lexists(path):
        yield path
        path = os.path.dirname(path)
