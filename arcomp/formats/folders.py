"""Which files of a folder are meant when the folder is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arcomp.formats.npy import ARRAY_ENDINGS
from arcomp.formats.writing import ENDINGS, format_of


def named_as_pictures(path: Path) -> bool:
    """Whether a file's ending is one of pictures or arrays."""
    return format_of(path) in ENDINGS or format_of(path) in ARRAY_ENDINGS


def files_below(folder: Path, *, pictures: bool) -> list[Path]:
    """The files below a folder, sorted; hidden ones, and those in hidden folders, are left out.

    Args:
        folder: that exists.
        pictures: only those whose endings are of pictures or arrays.
    """

    def meant() -> Iterator[Path]:
        for path in folder.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if not hidden and (named_as_pictures(path) or not pictures) and path.is_file():
                yield path

    return sorted(meant())
