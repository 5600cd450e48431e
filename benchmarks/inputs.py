"""Files and folders as sets of inputs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arcomp.measure import inputs


@dataclass(frozen=True)
class Source:
    """A file that should be a picture, or an array of them.

    Attributes:
        path: where it is.
        set: name of its folder, as tables show it.
        jpeg: it begins as a JPEG does.
    """

    path: Path
    set: str
    jpeg: bool = False


def find(paths: Iterable[str | Path]) -> list[Source]:
    """All pictures in files and folders, folder by folder; folders are searched to the bottom.

    Raises:
        ArcompError: a path does not exist, or a folder has no pictures.
    """
    found = {place.path: place.jpeg for place in inputs.find(map(Path, paths))}
    folders = list(dict.fromkeys(f.parent for f in found))
    names = _names(folders)
    sources = (Source(f, names[f.parent], jpeg) for f, jpeg in found.items())
    return sorted(sources, key=lambda s: folders.index(s.path.parent))


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """The last part of each folder's path, or as many parts as it takes to tell them apart."""
    whole = {folder: folder.resolve().parts for folder in folders}
    names = {}
    for folder, parts in whole.items():
        others = [p for f, p in whole.items() if p != parts]
        length = next(n for n in range(1, len(parts) + 1) if all(p[-n:] != parts[-n:] for p in others))
        names[folder] = "/".join(parts[-length:])
    return names


def report_skipped(skipped: Counter[str]) -> None:
    """One line on stderr for each reason."""
    for why, count in skipped.most_common():
        print(f"skipped {count} file{'s' if count > 1 else ''}: {why}", file=sys.stderr)
