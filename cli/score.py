"""``arcomp score``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup
from arcomp.cli.console import Console, shown
from arcomp.cli.data import Reader, find
from arcomp.cli.options import examples
from arcomp.errors import ArcompError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from arcomp.contract.model import Model
    from arcomp.measure.bits import Planned
    from arcomp.measure.evaluation import Cost


@dataclass(frozen=True)
class Score:
    """Of a picture."""

    label: str
    bits: float
    rate: float
    shape: tuple[int, ...]
    heatmap: str | None


NUMBER = re.compile(r"\.\d+$")
"""Of a picture in its array, or of a file among those of one name, in the names of maps."""

ENDING = re.compile(r"(?<=.)\.[a-zA-Z]\w*$")
"""Of a file's name, which does not begin with it."""


def _base(name: str) -> str:
    """What maps of a file's pictures are called, without their numbers and ending: "img-bits" of "img.png"."""
    return re.sub(r"[^\w.-]", "_", ENDING.sub("", os.path.basename(name))) + "-bits"


class Heatmaps:
    """Writes a picture of each picture's bits into a folder.

    Args:
        folder: made where it is not there.
        force: overwrite.

    Raises:
        OutputError: it cannot be made.
    """

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder, self.force = folder, force
        self.written: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made a folder: {error.strerror or error}", remedy="name another folder", path=str(folder)
            ) from error

    def check(self, names: Iterable[str]) -> None:
        """Refuse, before hours of work, files of which there seem to be maps already.

        Raises:
            OutputError: there are.
        """
        there: dict[str, Path] = {}
        for path in () if self.force else self.folder.glob("*.png"):
            name, longer = path.stem, ""
            while name != longer:  # numbers at the end may be the file's own, or not
                there[name] = path
                name, longer = NUMBER.sub("", name), name
        for name in map(_base, names):
            if name in there:
                raise OutputError(
                    "exists already", remedy="-f overwrites it; or name another folder", path=str(there[name])
                )

    def __call__(self, cost: Cost) -> str:
        """Write one; its path.

        Raises:
            OutputError: it cannot be written, or exists already.
        """
        from arcomp.container import write_atomically
        from arcomp.formats import write
        from arcomp.measure.heat_map import folded, heat
        from arcomp.samples import Samples

        base = _base(cost.name)
        name = base if cost.index is None else f"{base}.{cost.index}"
        unique, number = name, 1
        while unique in self.written:  # of another folder, called the same
            number += 1
            unique = f"{name}.{number}"
        self.written.add(unique)
        path = self.folder / f"{unique}.png"
        bits = folded(cost.samples) if cost.text else cost.samples
        write_atomically(path, write(Samples.of(heat(bits)[None]), "png"), overwrite=self.force)
        return str(path)


@dataclass
class Scorer:
    """Scores files, going on after errors, which it reports."""

    console: Console
    startup: Startup
    model: Model
    device: str
    maps: Heatmaps | None

    def __post_init__(self) -> None:
        self.reader = Reader(self.model, self.console)

    def __call__(self, data: tuple[str, ...]) -> list[Score]:
        """The pictures of all arguments, the most surprising first.

        Raises:
            OutputError: there are maps of them already.
        """
        from arcomp.measure.evaluation import costs

        names = self._names(data)
        if self.maps:
            self.maps.check(names)
        found = []
        with self.console.progress("scoring") as meter:
            plans = self._ready(self.reader.planned(self.reader(names)))
            for cost in costs(
                plans, self.model, device=self.device, threads=self.startup.threads, progress=meter,
                refused=self.reader.refused,
            ):  # fmt: skip
                found.append(Score(cost.label, cost.bits, cost.rate, cost.samples.shape, self._mapped(cost)))
        return sorted(found, key=lambda score: -score.rate)

    def _names(self, data: tuple[str, ...]) -> list[str]:
        """The files of all arguments, looked up before the first is evaluated."""
        names = []
        for given in data:
            try:
                names += find(given, self.model)
            except ArcompError as error:
                self.reader.refused(shown(given), error)
        return names

    def _ready(self, files: Iterator[tuple[str, Planned]]) -> Iterator[tuple[str, Planned]]:
        for name, plan in files:
            for model, leaf in plan.coded_by(self.model):
                self.startup.warm(model, leaf.shape[3], leaf.depth, self.device)
            yield name, plan

    def _mapped(self, cost: Cost) -> str | None:
        """The path of a picture's map; None if there is none."""
        if self.maps is None:
            return None
        try:
            return self.maps(cost)
        except OutputError as error:  # the ranking is what was waited for
            self.reader.refused(cost.label, error)
            return None


EXAMPLES = examples(
    "arcomp score -m MODEL photos/ --heatmap maps/",
)


@click.command("score", short_help="Rank pictures by surprise.", epilog=EXAMPLES)
@click.argument("data", metavar="DATA...", nargs=-1, required=True)
@options.model_to_use
@click.option(
    "--heatmap",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a map of the bits of each pixel for each picture: DIR/img-bits.png.",
)
@options.force
@options.threads
@options.device("Where the model runs; the result is the same. auto: CUDA if there is a GPU.")
@options.talkative
def command(
    console: Console,
    data: tuple[str, ...],
    model_name: str,
    heatmap: Path | None,
    force: bool,
    threads: int | None,
    device: str,
) -> int:
    """Rank the pictures in DATA (files, folders, arrays) by how surprising they are to a model: the most bits per
    sub-pixel first.

    All heat maps use one scale: dark is 0 bits per sub-pixel, green is 4, yellow is 8 or more.
    """
    from arcomp.contract import registry

    model = registry.load(model_name)
    where = options.choose_device(device, uses_torch=not model.weightless)
    maps = Heatmaps(heatmap, force) if heatmap else None
    work = Scorer(console, Startup(threads, console), model, where, maps)
    for rank, score in enumerate(work(data)):
        about = {
            "rank": rank + 1,
            "image": score.label,
            "bits": score.bits,
            "bits_per_subpixel": score.rate,
            "height": score.shape[0],
            "width": score.shape[1],
            "channels": score.shape[2],
            "model": model.name,
            "digest": model.digest.hex(),
            "heatmap": score.heatmap,
        }
        console.result(f"{score.bits:14,.1f} bits  {score.rate:8.4f} bits/sub-pixel  {score.label}", about)
    return 1 if work.reader.failed else 0
