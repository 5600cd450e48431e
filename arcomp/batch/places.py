"""Where a file with a name that somebody else chose may be written: below one folder, and nowhere else."""

from __future__ import annotations

import os
import stat

from arcomp.errors import OutputError

_PORTS = {f"{port}{i}" for port in ("COM", "LPT") for i in "123456789"}
_RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | _PORTS
"""Names of devices on Windows, with any ending."""
_REMEDY = "take the member out by itself: arcomp extract ARCHIVE NAME -c"


def place_below(folder: str, name: str, *, windows: bool = os.name == "nt") -> str:
    """The path of a name below a folder.

    Nothing on the way from the folder to it is a symbolic link, nor is what is there, so that what is written there
    lies below the folder, too.

    Args:
        folder: need not exist.
        name: a path with `/` between its parts; one at its end, of a folder, is left out.
        windows: whether names that Windows takes for something else are refused.

    Raises:
        OutputError: it would lead out of the folder, or is no name of a file here.
    """
    parts = name.removesuffix("/").split("/")
    if {"", ".", ".."} & set(parts) or "\0" in name:
        raise OutputError("its name leads out of the folder, or is none", remedy=_REMEDY)
    if windows and any(map(_is_none_of_windows, parts)):
        raise OutputError("Windows has no file of such a name", remedy=_REMEDY)
    path = folder
    for part in parts:
        path = os.path.join(path, part)
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            break
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror or error}", path=path) from error
        if stat.S_ISLNK(found.st_mode):
            raise OutputError(
                "a symbolic link is in the way", remedy="remove the link, or choose another folder", path=path
            )
    return os.path.join(folder, *parts)


def _is_none_of_windows(part: str) -> bool:
    """Whether Windows takes a name for a device, another file, a stream of one, or a path."""
    before = part.partition(".")[0].rstrip(" ").upper().translate({0xB9: "1", 0xB2: "2", 0xB3: "3"})
    return before in _RESERVED or part[-1] in ". " or any(c in '<>:"\\|?*' or c < " " for c in part)
