"""Files and folders to pictures."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arcomp.errors import PictureError
from arcomp.formats import read
from arcomp.measure.codecs import Pixels

ENDINGS = {".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm", ".jpg", ".jpeg"}
"""Files in folders with other endings are passed over without a word."""


@dataclass(frozen=True)
class Source:
    """A file that should be a picture.

    Attributes:
        path: where it is.
        set: name of its folder, as tables show it.
    """

    path: Path
    set: str


def find(paths: Iterable[str | Path]) -> list[Source]:
    """All pictures in files and folders, folder by folder; folders are searched to the bottom.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path}: does not exist")
        files = path.rglob("*") if path.is_dir() else [path]
        kept = [f for f in files if f == path or (f.is_file() and f.suffix.lower() in ENDINGS)]
        found |= dict.fromkeys(sorted(kept, key=lambda f: (f.parent, f.name)))
    folders = list(dict.fromkeys(f.parent for f in found))
    names = _names(folders)
    return sorted((Source(f, names[f.parent]) for f in found), key=lambda s: folders.index(s.path.parent))


def _names(folders: Sequence[Path]) -> dict[Path, str]:
    """The last part of each folder's path, or as many parts as it takes to tell them apart."""
    whole = {folder: folder.resolve().parts for folder in folders}
    names = {}
    for folder, parts in whole.items():
        others = [p for f, p in whole.items() if p != parts]
        length = next(n for n in range(1, len(parts) + 1) if all(p[-n:] != parts[-n:] for p in others))
        names[folder] = "/".join(parts[-length:])
    return names


def load(source: Source) -> Pixels:
    """Its pixels.

    Raises:
        PictureError: not a picture of 8-bit gray or RGB that was stored without loss.
    """
    picture = read(source.path)
    if picture.depth != 8:
        raise PictureError(f"a picture of {picture.depth} bit a sample", path=str(source.path))
    pixels: Pixels = picture.pixels[0]
    return pixels


def reason(error: PictureError) -> str:
    """Why a picture is passed over, without its name."""
    return error.cause


def report_skipped(skipped: Counter[str]) -> None:
    """One line on stderr for each reason."""
    for why, count in skipped.most_common():
        print(f"skipped {count} file{'s' if count > 1 else ''}: {why}", file=sys.stderr)
