"""``arcomp show``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup
from arcomp.cli.console import Console, shown
from arcomp.cli.options import examples
from arcomp.cli.target import Target
from arcomp.errors import OutputError, said_of

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.samples import Samples
    from arcomp.show.drawing import Picture

PICTURES = {
    "orders": "in what order positions are decoded, as numbered fronts",
    "masks": "the masks of a small MADE",
    "toy": "two variables: counts and a network, learnt, sampled and coded",
    "fields": "what a position sees: gradients of models (-m)",
    "dilations": "how convolutions along a sequence reach back (-m)",
    "samples": "a row of samples of each model, or of each of a run's weights (-m)",
    "caches": "decoding from caches beside decoding by whole evaluations (-m)",
    "bits": "what each pixel of FILE's first picture costs under models (-m)",
    "curves": "FILE...: logs of training runs",
    "dimensions": "FILE: the states of 1 to 25 pixels of binary pictures, counted",
}
WITH_MODELS = ("fields", "dilations", "samples", "caches", "bits")
WITH_FILES = ("bits", "curves", "dimensions")
COUNTED = ("samples", "caches")


def _check(what: str, files: tuple[str, ...], models: tuple[str, ...], count: int | None) -> None:
    """Refuse what a picture does not take, and the lack of what it needs.

    Raises:
        click.UsageError: either.
    """
    for needed, given, name in ((WITH_MODELS, models, "a model: -m NAME"), (WITH_FILES, files, "a FILE")):
        if what in needed and not given:
            raise click.UsageError(f"{what} needs {name}")
        if what not in needed and given:
            raise click.UsageError(f"{what} takes no {name.split(':')[0].removeprefix('a ')}")
    if count is not None and what not in COUNTED:
        raise click.UsageError(f"-n is for {' and '.join(COUNTED)}")
    if what in ("bits", "dimensions") and len(files) > 1:
        raise click.UsageError(f"{what} takes one FILE")


def _short(name: str) -> str:
    """What a picture calls a model: its name, or its file's."""
    return Path(name).name.removesuffix(".safetensors")


def _drawn(what: str, files: tuple[str, ...], models: list[Model], names: list[str], count: int | None) -> Picture:
    """The picture. Its module is imported only now."""
    module = import_module(f"arcomp.show.{what}")
    if what in COUNTED:
        made: Picture = module.draw(models, names, **({} if count is None else {"count": count}))
    elif what == "bits":
        made = module.draw(_samples(files[0], models[0]), models, names)
    elif what == "curves":
        made = module.draw([Path(name) for name in files])
    elif what == "dimensions":
        with said_of(shown(files[0])):
            made = module.draw(_samples(files[0], None))
    else:
        made = module.draw(models) if models else module.draw()
    return made


def _samples(name: str, model: Model | None) -> Samples:
    from arcomp.cli.inputs import read_file
    from arcomp.contract.fitting import fitted
    from arcomp.formats import kind, read

    with said_of(shown(name)):
        samples = read(read_file(name, kind))
        return samples if model is None else fitted(samples, model)


EXAMPLES = examples(
    "arcomp show orders -o orders.png",
    "arcomp show fields -m MODEL -m OTHER -o fields.png",
    "arcomp show bits digits.npy -m MODEL -m OTHER -o bits.png",
)


@click.command("show", short_help="Draw what models see, cost and learn.", epilog=EXAMPLES)
@click.argument("what", type=click.Choice(list(PICTURES)), metavar="WHAT")
@click.argument("files", metavar="[FILE]...", nargs=-1, shell_complete=options.complete_files)
@click.option(
    "-m", "--model", "models", metavar="MODEL", multiple=True, help=f"{options.MODEL} Several: -m A -m B.",
    shell_complete=options.complete_models,
)  # fmt: skip
@click.option("-n", "count", type=options.Integers(1, 256), metavar="N", help="Pictures, of samples and caches.")
@options.output
@options.force
@options.threads
@options.talkative
def command(
    console: Console,
    what: str,
    files: tuple[str, ...],
    models: tuple[str, ...],
    count: int | None,
    output: str | None,
    force: bool,
    threads: int | None,
) -> int:
    """Draw WHAT of the lecture (docs/lecture.md) into a PNG or SVG, and say in numbers what it shows.

    \b
    {pictures}"""
    _check(what, files, models, count)
    from arcomp.contract import registry
    from arcomp.show import drawing

    ending = Path(output or "").suffix[1:].lower()
    if output is None or ending not in drawing.ENDINGS:
        raise OutputError("a picture goes to a file", remedy="name it with -o, as in -o out.png or -o out.svg")
    drawing.check()
    target = Target(output, False, force, False, console)
    target.claim(output, files[0] if files else "-")
    Startup(threads, console)
    made = _drawn(what, files, [registry.load(name) for name in models], [_short(name) for name in models], count)
    target.put(output, made.file(ending), None, replaces=False)
    for line, about in made.said:
        console.result(line, about)
    return 0


command.help = (command.help or "").format(
    pictures="\n    ".join(f"{name:<11} {said}" for name, said in PICTURES.items())
)
