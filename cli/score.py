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
from arcomp.cli.console import Console
from arcomp.cli.data import Reader, find
from arcomp.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcomp.evaluation import Cost
    from arcomp.inputs import Samples
    from arcomp.models.base import Model


@dataclass(frozen=True)
class Score:
    """Of a picture."""

    label: str
    bits: float
    rate: float
    shape: tuple[int, ...]
    heatmap: str | None


class Heatmaps:
    """Writes a picture of each picture's bits into a folder.

    Args:
        folder: made where it is not there.
        force: overwrite.
    """

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder, self.force = folder, force
        self.written: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot be made a folder: {error.strerror or error}", path=str(folder)) from error

    def __call__(self, cost: Cost) -> str:
        """Write one; its path.

        Raises:
            OutputError: it cannot be written, or exists already.
        """
        from arcomp.container import write_atomically
        from arcomp.heat import heat
        from arcomp.pictures import write_picture

        base = re.sub(r"[^\w.-]", "_", os.path.basename(cost.name))
        name = base if cost.index is None else f"{base}.{cost.index}"
        unique, number = name, 1
        while unique in self.written:  # of another folder, called the same
            number += 1
            unique = f"{name}.{number}"
        self.written.add(unique)
        path = self.folder / f"{unique}.png"
        write_atomically(path, write_picture(heat(cost.samples), 8, "png"), overwrite=self.force)
        return str(path)


def _scores(
    data: tuple[str, ...], reader: Reader, startup: Startup, device: str, console: Console, maps: Heatmaps | None
) -> list[Score]:
    from arcomp.evaluation import costs

    model: Model = reader.model

    def ready() -> Iterator[tuple[str, Samples]]:
        for given in data:
            for name, samples in reader(find(given, model)):
                startup.warm(model, samples.pixels.shape[3], samples.depth, device)
                yield name, samples

    found = []
    with console.progress("scoring") as meter:
        for cost in costs(ready(), model, device=device, threads=startup.threads, progress=meter):
            path = maps(cost) if maps else None
            found.append(Score(cost.label, cost.bits, cost.rate, cost.samples.shape, path))
    return sorted(found, key=lambda score: -score.rate)


@click.command("score", short_help="Rank pictures by surprise.")
@click.argument("data", metavar="DATA...", nargs=-1, required=True)
@options.model_to_use
@click.option(
    "--heatmap", type=click.Path(path_type=Path), metavar="DIR", help="Write each one's bits a pixel as a PNG."
)
@options.force
@options.threads
@options.device("Where the model is evaluated; the result is the same. auto: CUDA if there is one.")
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
    """Rank the pictures in DATA (files, folders, arrays) by how surprising they are to a model: the one with the most
    bits a sub-pixel first. For pictures of one size that is the one with the most bits.

    Heat maps go from dark (0 bits a sub-pixel) over green (4) to yellow (8 and more), the same in all of them.
    """
    from arcomp.models import library, registry

    model = registry.load(model_name)
    where = options.choose_device(device, uses_torch=model.name not in library.WITHOUT_WEIGHTS)
    maps = Heatmaps(heatmap, force) if heatmap else None
    reader = Reader(model, console)
    for rank, score in enumerate(_scores(data, reader, Startup(threads, console), where, console, maps)):
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
    return 1 if reader.failed else 0
