"""Data sets on the command line: files, and folders of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from arcomp.cli.console import Console, report, shown
from arcomp.cli.inputs import read_file
from arcomp.errors import ArcompError

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.measure.bits import Planned
    from arcomp.samples import Samples


def find(given: str, model: Model) -> list[str]:
    """The files that an argument stands for: itself, or those below a folder whose endings are of pictures or arrays
    (all for a model of bytes), sorted, hidden ones left out.

    Raises:
        ArcompError: a folder without such.
    """
    from arcomp.formats import files_below

    if given == "-" or not Path(given).is_dir():
        return [given]
    found = [str(path) for path in files_below(Path(given), pictures=not model.takes_bytes)]
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
    from arcomp.formats import kind, read

    data = read_file(name, lambda start: kind(start, or_bytes=model.takes_bytes))
    return read(data, or_bytes=model.takes_bytes)


class Reader:
    """Reads files one after the other, going on after errors.

    Attributes:
        failed: how many could not be read, or were :meth:`refused`.
    """

    def __init__(self, model: Model, console: Console) -> None:
        self.model, self.console, self.failed = model, console, 0

    def __call__(self, names: list[str]) -> Iterator[tuple[str, Samples]]:
        """Each file's name and samples."""
        for name in names:
            try:
                samples = read_samples(name, self.model)
            except Exception as error:
                self.refused(shown(name), error)
                continue
            yield name, samples

    def planned(self, files: Iterable[tuple[str, Samples]]) -> Iterator[tuple[str, Planned]]:
        """The same, as the model measures them."""
        from arcomp.measure.bits import planned

        for name, samples in files:
            try:
                plan = planned(samples, self.model)
            except ArcompError as error:
                self.refused(shown(name), error)
                continue
            yield name, plan

    def refused(self, name: str, error: Exception) -> None:
        """Tell of something that could not be done with a file, and count it."""
        report(error, name=name, verbose=self.console.verbose)
        self.failed += 1
