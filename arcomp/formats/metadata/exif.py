"""Exif and the directories of TIFF as plain entries (TIFF 6.0, section 2; Exif 2.32, section 4.6)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.formats.tiff_tags import DIRECTORIES, Directory, Entry, OddTiffError, directories

Path = tuple[int, ...]
"""An entry's tag, after the tags of the directories that it is in."""
Entries = dict[Path, Entry]

ORIENTATION = 274
START = b"II*\0\x08\0\0\0"
_FURTHER = -1
"""Stands for a directory that follows the first: Exif has a small copy of the picture there."""
_RAW = -2
"""Stands for Exif that is not understood."""
_DEEPEST = 4
FRACTIONS = (5, 10)
"""Types of values that are a numerator and a denominator."""
_NUMBERS = {1: "u1", 3: "<u2", 4: "<u4", 5: "<u4", 6: "i1", 8: "<i2", 9: "<i4", 10: "<i4", 11: "<f4", 12: "<f8"}
"""Of each type that holds numbers, how they lie there."""


def read_directory(directory: Directory, leave: Iterable[int] = ()) -> Entries:
    """All entries of a directory and of those in it, as little-endian values; those that are damaged are left out.

    Args:
        directory: of a TIFF, or of Exif.
        leave: tags that are left out.
    """
    return dict(_walk(directory, (), frozenset(leave)))


def _walk(directory: Directory, path: Path, leave: frozenset[int]) -> Iterator[tuple[Path, Entry]]:
    for tag in directory.entries:
        try:
            if tag in DIRECTORIES and len(path) < _DEEPEST:
                yield from _walk(directory.below(tag), (*path, tag), frozenset())
            elif tag not in leave:
                yield (*path, tag), directory.entry(tag)
        except OddTiffError:
            continue


def entries_of(exif: bytes) -> Entries:
    """All entries of Exif; of what is none, its bytes as one entry."""
    try:
        main, _ = directories(exif)
    except OddTiffError:
        main = []
    if not main:
        return {(_RAW,): Entry(7, len(exif), exif)}
    made = read_directory(main[0])
    for index, directory in enumerate(main[1:]):
        made |= {(_FURTHER, index, *path): entry for path, entry in read_directory(directory).items()}
    return made


def orientation_of(exif: bytes | None) -> int:
    """How Exif says that a picture is to be turned, 1 to 8; 1 if it says nothing."""
    entry = entries_of(exif).get((ORIENTATION,)) if exif else None
    numbers = numbers_of(entry).tolist() if entry else []
    if not numbers or (entry and entry.kind in FRACTIONS and not numbers[1]):
        return 1
    value = numbers[0] / numbers[1] if entry and entry.kind in FRACTIONS else numbers[0]
    return int(value) if value in range(1, 9) else 1


def numbers_of(entry: Entry) -> npt.NDArray[Any]:
    """An entry's numbers, of fractions numerators and denominators in turn; none if it holds something else."""
    dtype = _NUMBERS.get(entry.kind)
    return np.zeros(0) if dtype is None else np.frombuffer(entry.body, dtype)


def write_directory(entries: Mapping[Path, Entry], at: int) -> bytes:
    """A little-endian directory of classic TIFF, and the values and directories that it points to.

    Args:
        entries: its own, and those of directories in it.
        at: where it will lie, an even number.
    """
    own = {path[0]: entry for path, entry in entries.items() if len(path) == 1 and path[0] >= 0}
    inner: dict[int, dict[Path, Entry]] = {}
    for path, entry in entries.items():
        if len(path) > 1 and path[0] >= 0:
            inner.setdefault(path[0], {})[path[1:]] = entry
    tags = sorted({*own, *inner})
    table = struct.pack("<H", len(tags))
    end = at + 2 + 12 * len(tags) + 4
    values = bytearray()
    for tag in tags:
        place = end + len(values)
        if tag in inner:
            values += write_directory(inner[tag], place)
            table += struct.pack("<HHII", tag, 4, 1, place)
        else:
            entry = own[tag]
            held = entry.body.ljust(4, b"\0") if len(entry.body) <= 4 else struct.pack("<I", place)
            values += entry.body if len(entry.body) > 4 else b""
            table += struct.pack("<HHI", tag, entry.kind, entry.many) + held
        values += bytes(len(values) % 2)
    return table + bytes(4) + bytes(values)


def exif_with(entries: Mapping[Path, Entry]) -> bytes | None:
    """Exif that says so; None if there is nothing to say."""
    return START + write_directory(entries, len(START)) if entries else None
