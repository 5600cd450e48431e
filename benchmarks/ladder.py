"""The README's ladder tables: the classic models side by side, each by the files it makes.

    python -m benchmarks.ladder FAMILY PATH... [--limit N] [--models a,b,..] [--json FILE]

FAMILY is digits, colour or text: whose weights (MODEL-FAMILY) are measured unless models are named, and in what unit.
PATH is an array of pictures (:mod:`benchmarks.digits`, :mod:`benchmarks.colour32`), coded as one file, or a text. Each
file is decoded again and compared. Tables are Markdown, one for each PATH; models come in the ladder's order.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from arcomp.contract import registry
from arcomp.contract.library import ENDING
from arcomp.measure.compare import ModelContestant
from arcomp.measure.contestants import Contestant, classical, classical_of_bytes
from arcomp.measure.inputs import read
from arcomp.measure.record import ALLOWED_BYTES, Measurement
from arcomp.samples import Samples
from benchmarks.outputs import say
from benchmarks.readme import markdown

ORDER = (
    "bayes_net", "char_rnn", "made", "temporal_conv", "wavenet", "pixelcnn", "pixelrnn", "mingru", "gated_pixelcnn",
    "pixelcnnpp", "image_transformer", "pixelsnail", "multiscale_pixelcnn", "grayscale_pixelcnn", "subscale",
)  # fmt: skip
"""The ladder's rows, from the bottom; models that are not named come last."""


@dataclass(frozen=True)
class Family:
    """One kind of data.

    Attributes:
        unit: what sizes are given in.
        scale: units in so many bits of so many samples and pictures.
        digits: after the point.
        published: what the papers report for networks trained in full, in the same unit; weights' names before their
            family. of: what names of files begin with that the figures are of; they are left out beside others.
    """

    unit: str
    scale: Callable[[float, int, int], float]
    digits: int
    published: dict[str, float]
    of: str = ""

    def beside(self, path: Path) -> dict[str, float]:
        """What was published for this input."""
        return self.published if path.name.startswith(self.of) else {}


FAMILIES = {
    # Larochelle's static binarization. Germain et al. 2015, table 6 (one hidden layer and mask; two layers, 32 masks);
    # van den Oord et al. 2016, "Pixel recurrent neural networks", table 4 (pixelrnn: Row LSTM, as here; their best, a
    # diagonal BiLSTM, has 79.20).
    "digits": Family(
        "nats a picture",
        lambda bits, samples, pictures: bits * math.log(2) / pictures,
        2,
        {"made": 88.40, "made-2-32": 86.64, "pixelcnn": 81.30, "pixelrnn": 80.54},
    ),
    # CIFAR-10, all of its training pictures: the models' papers (pixelrnn: Row LSTM).
    "colour": Family(
        "bits per dimension",
        lambda bits, samples, pictures: bits / samples,
        3,
        {
            "pixelcnn": 3.14,
            "pixelrnn": 3.07,
            "gated_pixelcnn": 3.03,
            "pixelcnnpp": 2.92,
            "image_transformer": 2.90,
            "pixelsnail": 2.85,
            "grayscale_pixelcnn": 2.98,
        },
        "cifar",
    ),
    "text": Family("bits a byte", lambda bits, samples, pictures: bits / samples, 3, {}),
}


def weights_of(family: str) -> list[str]:
    """Names of the weights that are here for a family, in the ladder's order; a model's shorter names first."""
    order = {name: i for i, name in enumerate(ORDER)}
    there = [name for name in registry.names() if name.endswith(f"-{family}")]
    return sorted(there, key=lambda name: (order.get(name.split("-")[0], len(order)), len(name), name))


def short(source: str) -> str:
    """A name, or that of a file of weights without its folder and ending."""
    return Path(source).name.removesuffix(ENDING)


def row(
    family: Family, name: str, path: Path, given: Samples, measured: Measurement, parameters: int | None
) -> list[str]:
    """A line of the table."""

    def size(bits: float | None) -> str:
        if bits is None:
            return "-"
        return f"{family.scale(bits, measured.samples, given.count):.{family.digits}f}"

    def speed(seconds: float | None) -> str:
        """Pictures a second, or kilobytes of text."""
        each = measured.samples / 1000 if given.form.kind == "bytes" else given.count
        return f"{each / seconds:.3g}" if seconds else "-"

    published = family.beside(path).get(name.rpartition("-")[0])
    cells = [
        f"`{name}`" if parameters is not None else name,
        f"{parameters:,}" if parameters is not None else "-",
        *map(size, (measured.nll_bits_float, measured.nll_bits_exact, 8.0 * (measured.bytes or 0))),
        speed(measured.encode_seconds),
        speed(measured.decode_seconds),
        f"{published:.{family.digits}f}" if published else "-",
    ]
    return cells if family.beside(path) else cells[:-1]


def table(
    family: Family, path: Path, given: Samples, contestants: Sequence[Contestant], measured: Sequence[Measurement]
) -> str:
    """Of one input, in Markdown."""
    what = "kB/s" if given.form.kind == "bytes" else "pictures/s"
    titles = ["", "parameters", "float NLL", "exact NLL", "file", f"{what}, encode", f"{what}, decode"]
    titles += ["published"] if family.beside(path) else []
    rows = [
        row(family, c.name, path, given, m, c.parameters)
        for c, m in zip(contestants, measured, strict=True)
        if m.bytes is not None
    ]
    count = f"{given.size:,} bytes" if given.form.kind == "bytes" else f"{given.count:,} pictures"
    return f"{path.name}, {count}; {family.unit}:\n\n{markdown(titles, rows)}"


def remarks(measured: Sequence[Measurement]) -> bool:
    """Say what is not as it should be; whether all is."""
    good = True
    for m in measured:
        more = (m.overhead_bytes or 0.0) - ALLOWED_BYTES
        if m.failed or m.round_trip is False:
            say(f"{m.codec}: FAILED: {m.skipped or 'not the same samples'}")
        elif m.skipped:
            say(f"{m.codec}: {m.skipped}")
        elif more > 0:
            say(f"{m.codec}: {more:.0f} bytes more than {m.allowed_part:.2%} and {ALLOWED_BYTES} bytes over its NLL")
        good &= not (m.failed or more > 0)
    return good


@click.command()
@click.argument("family", type=click.Choice(list(FAMILIES)))
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--models", help="Weights by name or file, separated by commas.  [default: MODEL-FAMILY, all that are here]"
)
@click.option("--limit", type=click.IntRange(1), help="The first pictures of an array.")
@click.option("--json", "document", type=click.Path(dir_okay=False, path_type=Path), help="Write every number here.")
def main(family: str, paths: tuple[Path, ...], models: str | None, limit: int | None, document: Path | None) -> None:
    """Measure the ladder's FAMILY on PATHS; exit status 1 if a file did not come back or is too large."""
    names = models.split(",") if models else weights_of(family)
    if not names:
        raise click.ClickException(f"no weights MODEL-{family} are here")
    good, everything = True, []
    for path in paths:
        given = read(path, limit, text=True)
        contestants: list[Contestant] = [ModelContestant(name, short(name)) for name in names]
        contestants += classical_of_bytes() if given.form.kind == "bytes" else classical()
        measured = []
        for contestant in contestants:
            measured.append(contestant.measure(str(path), given))
            say(f"{path.name}: {contestant.name}: {measured[-1].bytes or measured[-1].skipped}")
        print(table(FAMILIES[family], path, given, contestants, measured), end="\n\n")
        good &= remarks(measured)
        everything += [asdict(m) for m in measured]
    if document:
        document.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
