"""Data sets on the command line: files, and folders of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from arcomp.cli.console import Console, report, shown
from arcomp.cli.inputs import read_file
from arcomp.errors import ArcompError

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.measure.bits import Planned
    from arcomp.measure.jpegs import Jpeg
    from arcomp.samples import Samples


def find(given: str, model: Model, *, jpegs: bool = False) -> list[str]:
    """The files that an argument stands for: itself, or those below a folder whose endings are of pictures or arrays
    (all for a model of bytes), sorted, hidden ones left out.

    Args:
        jpegs: JPEGs too, if the model, or another in its place, codes them.

    Raises:
        ArcompError: a folder without such.
    """
    from arcomp.formats import files_below, named_as_pictures
    from arcomp.jpegs import for_jpegs
    from arcomp.measure.jpegs import ENDINGS

    if given == "-" or not Path(given).is_dir():
        return [given]
    below = files_below(Path(given), pictures=False)
    endings = ENDINGS if jpegs and for_jpegs(model) is not None else ()
    found = [str(f) for f in below if model.takes_bytes or named_as_pictures(f) or f.suffix.lower() in endings]
    if not found:
        raise ArcompError("no pictures or arrays in it", remedy="name files, or another folder", path=given)
    return found


def read_samples(name: str, model: Model) -> Samples:
    """A file's samples.

    Args:
        name: a path, or ``-`` for standard input.
        model: that is to measure them. Where it takes bytes, what is no picture and no array is bytes.

    Raises:
        ArcompError: the file cannot be read, or is damaged.
    """
    return _samples_of(_data(name, model), model)


def _data(name: str, model: Model) -> bytes:
    from arcomp.formats import kind

    return read_file(name, lambda start: kind(start, or_bytes=model.takes_bytes))


def _samples_of(data: bytes, model: Model) -> Samples:
    from arcomp.formats import read

    return read(data, or_bytes=model.takes_bytes)


class Reader:
    """Reads files one after the other, going on after errors.

    Args:
        jpegs: whether JPEGs are taken as they are; else they are refused, as they have no samples.

    Attributes:
        failed: how many could not be read, or were :meth:`refused`.
    """

    def __init__(self, model: Model, console: Console, *, jpegs: bool = False) -> None:
        self.model, self.console, self.jpegs, self.failed = model, console, jpegs, 0

    def __call__(self, names: list[str]) -> Iterator[tuple[str, Samples | Jpeg]]:
        """Each file's name and samples."""
        from arcomp.measure.jpegs import START, jpeg_of

        for name in names:
            try:
                data = _data(name, self.model)
                found = jpeg_of(data) if self.jpegs and data.startswith(START) else _samples_of(data, self.model)
            except Exception as error:
                self.refused(shown(name), error)
                continue
            yield name, found

    def planned(
        self, files: Iterable[tuple[str, Samples | Jpeg]], jpeg: Callable[[Jpeg], None] = lambda one: None
    ) -> Iterator[tuple[str, Planned]]:
        """The same, as the model measures them.

        Args:
            jpeg: is given JPEGs, which are left out.
        """
        from arcomp.measure.bits import planned
        from arcomp.measure.jpegs import Jpeg

        for name, found in files:
            try:
                if isinstance(found, Jpeg):
                    jpeg(found)
                    continue
                plan = planned(found, self.model)
            except ArcompError as error:
                self.refused(shown(name), error)
                continue
            yield name, plan

    def refused(self, name: str, error: Exception) -> None:
        """Tell of something that could not be done with a file, and count it."""
        report(error, name=name, verbose=self.console.verbose)
        self.failed += 1
