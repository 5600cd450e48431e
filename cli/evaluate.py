"""``arcomp eval``."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, digits
from arcomp.cli.console import Console, duration, plural, report, shown
from arcomp.cli.data import Reader, find
from arcomp.cli.options import examples
from arcomp.errors import ArcompError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arcomp.contract.model import Model
    from arcomp.measure.bits import Planned
    from arcomp.measure.jpegs import Jpeg


@dataclass
class Sum:
    """Of a data set under a model."""

    images: int = 0
    samples: int = 0
    bits: float = 0.0
    seconds: float = 0.0

    def add(self, bits: float, samples: int) -> None:
        """One picture more."""
        self.images, self.samples, self.bits = self.images + 1, self.samples + samples, self.bits + bits

    def join(self, other: Sum) -> None:
        """Another sum."""
        self.images, self.samples = self.images + other.images, self.samples + other.samples
        self.bits, self.seconds = self.bits + other.bits, self.seconds + other.seconds

    @property
    def about(self) -> dict[str, Any]:
        """As JSON says it."""
        return {
            "images": self.images,
            "samples": self.samples,
            "bits": self.bits,
            "bits_per_dimension": self.bits / self.samples,
            "nats_per_image": self.bits * math.log(2) / self.images,
            "seconds": digits(self.seconds),
            "images_per_second": self.images / self.seconds if self.seconds else None,
        }

    @property
    def line(self) -> str:
        """As it is printed."""
        about = self.about
        rate = f", {about['images_per_second']:.4g} images/s" if self.seconds else ""
        return (
            f"{about['bits_per_dimension']:.4f} bits/dim, {about['nats_per_image']:.2f} nats/image, "
            f"{plural(self.images, 'image')} in {duration(self.seconds)}{rate}"
        )


@dataclass
class Evaluator:
    """Evaluates data sets under one model, going on after errors."""

    console: Console
    startup: Startup
    name: str
    model: Model
    device: str
    limit: int | None

    def __post_init__(self) -> None:
        self.reader = Reader(self.model, self.console, jpegs=not self.model.takes_bytes)

    def __call__(self, data: tuple[str, ...]) -> None:
        """Say what each argument costs, and all together."""
        total = Sum()
        for given in data:
            left = None if self.limit is None else self.limit - total.images
            if left == 0:
                break
            try:
                own = self._one(given, left)
            except ArcompError as error:  # a folder without anything that it takes
                self.reader.refused(shown(given), error)
                continue
            if own.samples and len(data) > 1:
                self._tell(own, given)
            total.join(own)
        if total.samples:
            self._tell(total, None if len(data) > 1 else data[0])

    def _one(self, given: str, limit: int | None) -> Sum:
        from arcomp.measure.evaluation import costs, jpeg_bits, limited

        own = Sum()
        self.startup_within = 0.0
        found = limited(self.reader(find(given, self.model, jpegs=True)), limit)
        with self.console.progress(f"{self.name}: {shown(given)}") as meter:

            def add_jpeg(jpeg: Jpeg) -> None:
                self._warm_for(jpeg)
                own.add(jpeg_bits(jpeg, self.model, threads=self.startup.threads, progress=meter), jpeg.samples)

            files = self._ready(self.reader.planned(found, add_jpeg))
            began = time.perf_counter()
            for cost in costs(
                files, self.model, device=self.device, threads=self.startup.threads, progress=meter,
                refused=self.reader.refused,
            ):  # fmt: skip
                own.add(cost.bits, cost.samples.size)
            own.seconds = time.perf_counter() - began - self.startup_within
        return own

    def _ready(self, files: Iterator[tuple[str, Planned]]) -> Iterator[tuple[str, Planned]]:
        """The same; what happens before the first of a kind is no part of its seconds."""
        for name, plan in files:
            began = time.perf_counter()
            for model, leaf in plan.coded_by(self.model):
                self.startup.warm(model, leaf.shape[3], leaf.depth, self.device)
            self.startup_within += time.perf_counter() - began
            yield name, plan

    def _warm_for(self, jpeg: Jpeg) -> None:
        """The same, of a JPEG."""
        from arcomp.measure.evaluation import jpeg_bits
        from arcomp.measure.jpegs import small_jpeg

        if self.startup.is_first(f"{self.model.name} {self.model.digest.hex()} {jpeg.components}"):
            began = time.perf_counter()
            jpeg_bits(small_jpeg(jpeg.components), self.model, threads=self.startup.threads)
            self.startup_within += time.perf_counter() - began

    def _tell(self, of: Sum, data: str | None) -> None:
        about = {
            "model": self.model.name,
            "digest": self.model.digest.hex(),
            "weights": self.name,
            "data": data,
            **of.about,
            "device": self.device,
        }
        self.console.result(f"{self.name}, {'all' if data is None else shown(data)}: {of.line}", about)


EXAMPLES = examples(
    "arcomp eval -m MODEL photos/",
    "arcomp eval -m MODEL -m OTHER --limit 10 photos/",
)


@click.command("eval", short_help="Measure what data would cost.", epilog=EXAMPLES)
@click.argument("data", metavar="DATA...", nargs=-1, required=True)
@click.option(
    "-m",
    "--model",
    "model_names",
    metavar="MODEL",
    required=True,
    multiple=True,
    help="A name from `arcomp models`, or a .safetensors file. Give it again to evaluate several models.",
)
@click.option("--limit", type=options.Integers(1), metavar="N", help="Take only the first N images.")
@options.threads
@options.device("Where the model runs; the result is the same. auto: CUDA if there is a GPU.")
@options.talkative
def command(
    console: Console,
    data: tuple[str, ...],
    model_names: tuple[str, ...],
    limit: int | None,
    threads: int | None,
    device: str,
) -> int:
    """Measure what DATA (pictures, folders, arrays, or text) would cost under models, without writing files: the
    negative log-likelihood of the exact model, in bits per dimension and nats per image. Of a JPEG it is that of its
    coefficients, for each sub-pixel that it shows.
    """
    from arcomp.contract import registry

    startup, failed = Startup(threads, console), 0
    for name in model_names:
        model = registry.load(name)
        where = options.choose_device(device, uses_torch=not model.weightless)
        work = Evaluator(console, startup, name, model, where, limit)
        try:
            work(data)
        except ArcompError as error:
            if len(model_names) == 1:
                raise
            report(error, name=name, verbose=console.verbose)
            failed += 1
        failed += work.reader.failed
    return 1 if failed else 0
