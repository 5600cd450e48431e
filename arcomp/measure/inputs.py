"""Paths to what is compared: pictures, folders of them, arrays of many small pictures that are coded as one, text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from arcomp import formats
from arcomp.errors import ArcompError
from arcomp.formats import files_below, named_as_pictures, start_of
from arcomp.measure import jpegs
from arcomp.samples import Array, Samples


def least_depth(samples: Samples) -> int:
    """The fewest bits a sample that they could be coded with: of an array those of its largest sample, else as the
    file says."""
    if not isinstance(samples.form, Array):
        return samples.depth
    return max(1, max(int(stack.max()) for stack in samples.stacks).bit_length())


@dataclass(frozen=True)
class InputFile:
    """A file that is compared, before it is read.

    Attributes:
        asked: named by the user, not found in a folder.
        bytes: neither a picture nor an array of them.
        jpeg: it begins as a JPEG does.
    """

    path: Path
    asked: bool
    bytes: bool = False
    jpeg: bool = False


def find(paths: Iterable[Path], limit: int | None = None) -> list[InputFile]:
    """All files, and those in folders whose endings are of pictures, JPEGs or arrays; hidden ones are left out.

    Args:
        limit: most files of a folder, the first by name.

    Raises:
        ArcompError: a path does not exist, or a folder has no such file.
    """
    found: list[InputFile] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise ArcompError("does not exist", remedy="check the path", path=str(path))
            start = start_of(path)
            found.append(InputFile(path, True, _is_bytes(start), start.startswith(jpegs.START)))
            continue
        below = files_below(path, pictures=False)
        inside = [f for f in below if named_as_pictures(f) or f.suffix.lower() in jpegs.ENDINGS]
        if not inside:
            remedy = "PNG, WebP (lossless), BMP, TIFF, PNM and JPEG are read, and arrays (.npy, .npz)"
            raise ArcompError("no pictures in this folder", remedy=remedy, path=str(path))
        found += [InputFile(f, False, jpeg=jpegs.is_jpeg(f)) for f in inside[:limit]]
    return found


def read(path: Path, limit: int | None = None, *, text: bool = False) -> Samples:
    """A picture, several, an array of pictures (:mod:`arcomp.formats.npy`), or bytes.

    Args:
        limit: most pictures of a file, the first ones.
        text: take what does not begin like a picture as bytes.

    Raises:
        PictureError: it cannot be read, or holds something else.
    """
    samples = formats.read(path, or_bytes=text)
    return samples if limit is None else first_of(samples, limit)


def first_of(samples: Samples, most: int) -> Samples:
    """The first pictures, at most so many."""
    stacks, left = [], most
    for stack in samples.stacks:
        stacks += [stack[:left]] if left else []
        left -= min(left, len(stack))
    return replace(samples, stacks=tuple(stacks))


def _is_bytes(start: bytes) -> bool:
    """Whether a file that begins so is neither an array nor a picture; not if it is empty."""
    return bool(start) and formats.kind(start, or_bytes=True) == "bytes"
