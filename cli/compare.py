"""``arcomp compare``."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup
from arcomp.cli.comparison import table
from arcomp.cli.console import Console, duration, one_line, plural, report, size
from arcomp.cli.files import STDOUT
from arcomp.cli.inputs import START
from arcomp.cli.options import examples
from arcomp.cli.target import Target
from arcomp.errors import ArcompError, OutputError, has_torch

if TYPE_CHECKING:
    from arcomp.measure.contestants import Contestant
    from arcomp.measure.inputs import InputFile
    from arcomp.measure.jpegs import Jpeg
    from arcomp.measure.page import Shown
    from arcomp.measure.record import Measurement
    from arcomp.measure.results import Result
    from arcomp.samples import Samples

ALL = "all"
"""What --models takes for all models here."""


@dataclass
class Comparison:
    """Every contestant on every input.

    Attributes:
        unread: inputs that could not be read.
        of_bytes: no input is a picture.
    """

    console: Console
    contestants: Sequence[Contestant]
    limit: int | None
    with_maps: bool
    measured: list[Measurement] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    unread: int = 0
    of_bytes: bool = True

    def run(self, places: Sequence[InputFile]) -> None:
        """Measure all. An input that cannot be read is reported, and the others go on."""
        from arcomp.measure.inputs import read
        from arcomp.measure.jpegs import Jpeg, jpeg_of

        text = any(c.takes_bytes for c in self.contestants)
        for number, place in enumerate(places, 1):
            try:
                if place.jpeg:
                    found: Jpeg | Samples = jpeg_of(place.path.read_bytes())
                else:
                    found = read(place.path, self.limit, text=text and place.bytes)
            except ArcompError as error:
                if place.asked:
                    report(error.at(str(place.path)), verbose=self.console.verbose)
                    self.unread += 1
                else:
                    self.console.warn(f"{place.path}: left out: {error.cause}")
                continue
            name = str(place.path)
            label = f"{name} ({number}/{len(places)})" if len(places) > 1 else name
            if isinstance(found, Jpeg):
                self._jpeg(name, found, label)
            else:
                self._one(name, found, label)

    def _jpeg(self, name: str, jpeg: Jpeg, label: str) -> None:
        self.of_bytes = False
        for contestant in self.contestants:
            with self.console.progress(f"{contestant.name}: {label}") as meter:
                self.measured.append(contestant.measure_jpeg(name, jpeg, meter))

    def _one(self, name: str, samples: Samples, label: str) -> None:
        here: list[Measurement] = []
        self.of_bytes &= samples.form.kind == "bytes"
        for contestant in self.contestants:
            with self.console.progress(f"{contestant.name}: {label}") as meter:
                here.append(contestant.measure(name, samples, meter))
        self.measured += here
        if self.with_maps:
            from arcomp.measure.page import show

            with self.console.progress(f"bits of each pixel: {label}") as meter:
                self.shown.append(show(name, samples, self.contestants, here, meter))


def _contestants(
    names: str | None, peers: bool, places: Sequence[InputFile], device: str, threads: int | None, startup: Startup
) -> list[Contestant]:
    """Models by their names, separated by commas, and codecs of others for such inputs.

    Args:
        names: :data:`ALL`: all that are here. None: the same, but for pictures of about the size they were made for.

    Raises:
        ModelError: no such model.
        click.UsageError: none is named.
    """
    from arcomp.contract import library, registry
    from arcomp.measure.compare import ModelContestant
    from arcomp.measure.contestants import classical, classical_of_bytes, classical_of_jpegs

    chosen = registry.names() if names in (None, ALL) else list(dict.fromkeys(filter(None, (names or "").split(","))))
    if not chosen:
        raise click.UsageError("--models names none; leave it out for all that suit the input")
    short = [source.removesuffix(library.ENDING) for source in chosen]
    where = options.choose_device(device, uses_torch=True)
    made: list[Contestant] = []
    for source, name in zip(chosen, short, strict=True):
        shown = name if short.count(name) == 1 else source
        made.append(
            ModelContestant(
                source, shown, where, threads, lambda m, c, d: startup.warm(m, c, d, where), names is not None
            )
        )
    if not peers:
        return made
    of_bytes = [place.bytes and any(c.takes_bytes for c in made) for place in places]
    pictures = [not (b or place.jpeg) for b, place in zip(of_bytes, places, strict=True)]
    made += classical(threads) if any(pictures) else []
    made += classical_of_jpegs() if any(place.jpeg for place in places) else []
    return made + (classical_of_bytes() if any(of_bytes) else [])


@dataclass(frozen=True)
class Reports:
    """Files that results are written to: a document each, made when all is measured."""

    target: Target
    csv: str | None
    json: str | None
    html: str | None

    def check(self, places: Sequence[InputFile]) -> None:
        """Refuse, before hours of work, what could not be written after them.

        Raises:
            click.UsageError: two documents in one file.
            OutputError: a file exists, is one of the inputs or of another kind, or cannot be written.
        """
        paths = [p for p in (self.csv, self.json, self.html) if p is not None and p != STDOUT]
        if len({os.path.realpath(p) for p in paths}) < len(paths):
            raise click.UsageError("--csv, --json and --html need a file each")
        for path in paths:
            self._claim(path, places)

    def _claim(self, path: str, places: Sequence[InputFile]) -> None:
        """Refuse a path; what is no such document is not written over even with -f: --json takes the word after it, and
        that may have been meant for an input.

        Raises:
            OutputError: see :meth:`check`.
        """
        from arcomp.measure.results import is_document

        meant = "; --json alone prints, if it comes last" if path == self.json else ""
        if os.path.isfile(path):
            if any(os.path.samefile(path, place.path) for place in places):
                raise OutputError("is the input itself", remedy=f"name another file{meant}", path=path)
            with open(path, "rb") as file:
                start = file.read(START)
            if not is_document(start):
                cause = "exists already and is no result of compare, which alone would be written over"
                raise OutputError(cause, remedy=f"name another file{meant}", path=path)
            if not self.target.force:
                raise OutputError("exists already", remedy="-f overwrites it; or name another file", path=path)
        self.target.claim(path, "-")

    def write(self, found: Sequence[Result], page: Callable[[], str]) -> int:
        """Write them all, going on after errors; how many could not be written."""
        from arcomp.measure.results import as_csv, as_json

        documents: dict[str, Callable[[], str]] = {}
        for path, make in ((self.csv, lambda: as_csv(found)), (self.json, lambda: as_json(found)), (self.html, page)):
            if path is not None and path != STDOUT:
                documents[path] = make

        console = Console(self.target.console.quiet, as_json=self.json == STDOUT)

        def write(path: str) -> None:
            data = documents[path]().encode("utf-8")
            self.target.put(path, data, None, replaces=False)
            console.summary(f"{plural(len(found[0].each), 'input')} -> {path}: {size(len(data))}")

        return options.each(tuple(documents), write, self.target.console)


EXAMPLES = examples("arcomp compare img.png --classical", "arcomp compare img.png --html page.html")


@click.command("compare", short_help="Compare models and codecs.", epilog=EXAMPLES)
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--models",
    metavar="A,B,..",
    help="Names from `arcomp models`, or .safetensors files; `all` are all models here. [default: those that suit the "
    "input]",
)
@click.option(
    "--classical",
    "peers",
    is_flag=True,
    help="Also measure PNG, WebP and JPEG XL (lossless); of JPEGs JPEG XL, brunsli; of text gzip, bzip2, xz, zstd.",
)
@click.option(
    "--limit",
    type=options.Integers(1),
    metavar="N",
    help="Take only the first N files of a folder and the first N pictures of an array.",
)
@click.option("--csv", metavar="FILE", help="Write the table to FILE.")
@click.option(
    "--json",
    "document",
    metavar="[FILE]",
    is_flag=False,
    flag_value=STDOUT,
    help="Write the results to FILE as JSON. Without FILE (--json comes last): print one object a line.",
)
@click.option("--html", metavar="FILE", help="Write a page to FILE: plots, tables, maps of the bits of each pixel.")
@options.force
@options.threads
@options.device("Where models run to encode. auto: CUDA if there is a GPU.")
@options.terse
def command(
    console: Console,
    paths: tuple[Path, ...],
    models: str | None,
    peers: bool,
    limit: int | None,
    csv: str | None,
    document: str | None,
    html: str | None,
    force: bool,
    threads: int | None,
    device: str,
) -> int:
    """Compare models and codecs: make files, decode them again, and show sizes and speeds.

    PATH is a picture, a JPEG, a folder of them, an array (.npy or .npz: uint8 or bool, [N, H, W] or [N, H, W, C]), or a
    text for models that take text. The pictures of an array are coded as one file. Times do not include start-up.
    """
    from arcomp.measure import plot
    from arcomp.measure.codecs import INSTALL_PEERS
    from arcomp.measure.inputs import find
    from arcomp.measure.results import as_objects, results

    if not paths:
        taken = "" if document in (None, STDOUT) else f"; --json takes {document} as the file to write: put it last"
        raise click.UsageError(f"missing argument PATH{taken}")
    if STDOUT in (csv, html):
        raise click.UsageError("--csv and --html need a file")
    if document == STDOUT:
        console = Console(console.quiet, console.verbose, as_json=True)
    if html is not None and not plot.available():
        console.warn(f"{html} will have no plots: they need matplotlib: {INSTALL_PEERS}")
    if not has_torch():
        console.note("NLL float is left out: it needs torch (pip install 'arcomp[torch]')")
    reports = Reports(Target(None, False, force, False, console), csv, document, html)
    places = find(paths, limit)
    reports.check(places)
    contestants = _contestants(models, peers, places, device, threads, Startup(threads, console))
    work = Comparison(console, contestants, limit, html is not None)
    work.run(places)
    if not work.measured:
        if work.unread:
            return 1  # each was reported
        raise ArcompError("there is nothing to compare", remedy="name pictures, or arrays of them")
    found = results(contestants, work.measured)
    if models is None:
        found = _suiting(found, console)
    if document == STDOUT:
        for about in as_objects(found):
            print(json.dumps(about, allow_nan=False))
    elif not console.quiet:
        _print(found, work.of_bytes, console.verbose)

    def page() -> str:
        from arcomp.measure.page import page

        return page(found, work.shown, work.of_bytes)

    failed = reports.write(found, page) or work.unread or any(r.failed for r in found) or not any(r.done for r in found)
    return 1 if failed else 0


def _suiting(found: list[Result], console: Console) -> list[Result]:
    """The results without those of models that take none of the inputs, of which a line is said."""
    from arcomp.measure.results import taking

    kept = taking(found)
    if not kept:
        return found  # the reasons are all that there is to say
    left = len(found) - len(kept)
    if left:
        console.note(f"{plural(left, 'model')} here {'suits' if left == 1 else 'suit'} no such input: --models {ALL}")
    return kept


def _print(found: Sequence[Result], of_bytes: bool, verbose: bool) -> None:
    inputs, samples = len(found[0].each), sum(m.samples for m in found[0].each)
    print(f"{plural(inputs, 'input')}, {samples:,} {'bytes' if of_bytes else 'sub-pixels'}")
    print(table(found, shutil.get_terminal_size().columns if sys.stdout.isatty() else None, of_bytes))
    if verbose:
        print("start-up: " + ", ".join(f"{one_line(r.model)} {duration(r.startup_seconds)}" for r in found))
