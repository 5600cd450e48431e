"""Options that verbs share, and what wraps a verb: its console, and one line for whatever goes wrong."""

from __future__ import annotations

import functools
import math
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from arcomp import limits
from arcomp.cli.console import Console, report
from arcomp.errors import ArcompError, has_torch, needs_torch


def examples(*lines: str) -> str:
    """Examples at the end of a verb's help, each on its line."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class Integers(click.IntRange):
    """Integers within a range, ends included."""

    name = "integer"


def sides(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """A size in pixels, N or HxW, as (height, width).

    Raises:
        click.BadParameter: it is none.
    """
    if value is None:
        return None
    found = _numbers(value.lower(), "x")
    if len(found) not in (1, 2) or not all(1 <= side < 1 << 30 for side in found):
        raise click.BadParameter(f"{value[:40]!r} is no size, such as 512 or 256x1024 (height x width)")
    return found[0], found[-1]


def area(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int, int, int] | None:
    """A rectangle in pixels: X,Y,W,H.

    Raises:
        click.BadParameter: it is none.
    """
    if value is None:
        return None
    found = _numbers(value, ",")
    if len(found) != 4 or min(found[2:]) < 1:
        raise click.BadParameter(f"{value[:40]!r} is no rectangle X,Y,W,H, such as 100,40,640,480")
    return found[0], found[1], found[2], found[3]


def shard(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """A part of all, I/N, as (I, N).

    Raises:
        click.BadParameter: it is none.
    """
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", value)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"{value[:40]!r} is no part of all, such as 1/8 or 8/8")
    return int(found[1]), int(found[2])


def _numbers(text: str, between: str) -> list[int]:
    """Decimal numbers of up to ten digits and what stands between them; none if they are not."""
    parts = text.split(between)
    return [int(part) for part in parts] if all(re.fullmatch("[0-9]{1,10}", part) for part in parts) else []


def memory(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A number of bytes, perhaps in units of 2**10: 800M, 1.5G.

    Raises:
        click.BadParameter: it is none.
    """
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([KMGT]?)(?:i?B)?", value.strip(), re.IGNORECASE)
    if found is None or not float(found[1]):
        raise click.BadParameter(f"{value[:40]!r} is no number of bytes, such as 800M or 2G")
    return float(found[1]) * 1024.0 ** " KMGT".index(found[2].upper() or " ")


class Numbers(click.FloatRange):
    """Real numbers within a range, ends included unless it is open; not infinite ones, and not what is no number, which
    no comparison refuses."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no finite number", param, ctx)
        return found


F = TypeVar("F", bound=Callable[..., Any])


def complete_files(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Have the shell complete names of files."""
    return [CompletionItem(begun, type="file")]


def complete_models(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of models and of weights; files where a path is begun. No model is imported for it."""
    from arcomp.contract.library import ENDING, folders, modules

    if "/" in begun or begun.startswith("."):
        return complete_files(ctx, param, begun)
    weights = {path.name.split(".")[0] for folder in folders() for path in folder.glob("*" + ENDING)}
    return [CompletionItem(name) for name in sorted(weights | set(modules())) if name.startswith(begun)]


inputs = click.argument("inputs", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_files)
"""For verbs that take one file after the other; more than that: :mod:`arcomp.cli.jobs`."""
output = click.option(
    "-o", "--output", metavar="PATH", help="Output: a file, or a folder (an existing one, or a name that ends in /)."
)
to_stdout = click.option("-c", "--stdout", "to_stdout", is_flag=True, help="Write to standard output.")
force = click.option("-f", "--force", is_flag=True, help="Overwrite outputs; write to a terminal.")
remove = click.option(
    "--rm/--keep",
    " /-k",
    "remove",
    default=False,
    help="Remove inputs once their output is verified, or keep them (default).",
)
embed = click.option(
    "--embed-model",
    "embed",
    is_flag=True,
    help="Put the model's weights into the file, of an archive once: then it needs no weights to be decompressed.",
)
skip_existing = click.option(
    "--skip-existing",
    is_flag=True,
    help="Go on where a run was interrupted: skip inputs whose output is there, whole and of the same original.",
)
model_of_file = click.option(
    "-m",
    "--model",
    "model_name",
    metavar="MODEL",
    shell_complete=complete_models,
    help="A file of weights (.safetensors), if the model is not among `arcomp models`.",
)
MODEL = "A name from `arcomp models`, or a .safetensors file of weights."
model_to_use = click.option(
    "-m", "--model", "model_name", metavar="MODEL", required=True, help=MODEL, shell_complete=complete_models
)
model_or_default = click.option(
    "-m", "--model", "model_name", metavar="MODEL", help=MODEL, shell_complete=complete_models
)
LEVELS = {"turbo": "1", "fast": "23", "balanced": "456", "max": "789"}
"""Presets, and the levels of other compressors that mean them."""


def preset(function: F) -> F:
    """``-p``, and levels as its synonyms, for verbs with :data:`model_or_default`; :func:`chosen_model` reads both.
    Of several, the last one counts."""
    for name, levels in LEVELS.items():
        names = (f"-{level}" for level in levels)
        function = click.option(*names, "preset", flag_value=name, hidden=True)(function)
    return click.option(
        "-p",
        "--preset",
        type=click.Choice(list(LEVELS)),
        help="Preset of model photo, from the fastest, `turbo`, to the smallest files, `max`. -1 means turbo, -2 and "
        "-3 fast, -4 to -6 balanced, -7 to -9 max. [default: balanced]",
    )(function)


naive = click.option(
    "--naive",
    is_flag=True,
    help="Decode without caches, evaluating the picture in parallel for each step: very slow, a test of the caches.",
)
threads = click.option(
    "-T",
    "--threads",
    metavar="N",
    type=Integers(0, 4096),
    callback=lambda context, option, value: value or None,
    help="CPU threads to use in all; 0, the default: as many as there are processors.",
)


def limited(function: F) -> F:
    """``--max-pixels`` and ``--max-memory``, which the verb gets as ``limits``."""

    @click.option(
        "--max-pixels",
        metavar="N",
        type=Integers(1),
        help="Refuse files of more pixels. [default: as many as take 32 MiB, and 64 KiB for each byte of it]",
    )
    @click.option(
        "--max-memory",
        metavar="SIZE",
        callback=memory,
        help="Refuse what needs more memory, such as 2G. [default: what is free]",
    )
    @functools.wraps(function)
    def verb(*args: Any, max_pixels: int | None, max_memory: float | None, **kwargs: Any) -> Any:
        return function(*args, limits=limits.Limits(max_pixels, max_memory), **kwargs)

    return cast(F, verb)


DECODING = "Where --naive runs (auto: the CPU). Without --naive the CPU always decodes."
"""What --device means for verbs that decode. A front has too little work for a GPU."""


def chosen_model(model_name: str | None, preset: str | None) -> str:
    """The name, or path, of the model that -m and -p choose; the default one without either.

    Raises:
        click.UsageError: -p with a model that has no presets.
    """
    from arcomp.contract import registry

    if preset is None:
        return model_name or registry.DEFAULT
    if model_name not in (None, "photo"):
        raise click.UsageError(f"--preset works with model photo only, not with {model_name}")
    return f"photo-{preset}"


def device(text: str) -> Callable[[F], F]:
    """``--device``, with what it means for the verb."""
    return click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help=text
    )


def terse(function: Callable[..., int]) -> Callable[..., int]:
    """Decorator of a verb: adds -q and -v, passes a console as first argument, and prints errors in one line."""

    @click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
    @click.option("-v", "--verbose", is_flag=True, help="Print more, and tracebacks of unexpected errors.")
    @functools.wraps(function)
    def verb(*args: Any, quiet: bool, verbose: bool, as_json: bool = False, **kwargs: Any) -> int:
        console = Console(quiet, verbose, as_json)
        try:
            return function(console, *args, **kwargs)
        except (click.ClickException, click.exceptions.Exit, SystemExit):
            raise
        except BaseException as error:
            return report(error, verbose=verbose)

    return verb


def talkative(function: Callable[..., int]) -> Callable[..., int]:
    """As :func:`terse`, with --json, for verbs that can print each result as an object."""
    option = click.option("--json", "as_json", is_flag=True, help="Print results as JSON, one object a line.")
    return option(terse(function))


def each(inputs: tuple[str, ...], work: Callable[[str], object], console: Console) -> int:
    """Do the work for every file, and go on after errors; returns how many files failed."""
    failed = 0
    for name in inputs:
        try:
            work(name)
        except BrokenPipeError:
            raise
        except Exception as error:
            console.failure(name, error)
            failed += 1
    return failed


def set_threads(count: int | None) -> None:
    """Use so many processor threads in Torch and in compiled code; None leaves the choice to them."""
    if count is None:
        return
    import numba

    from arcomp.exact import threads

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    else:  # Torch reads this if it is imported later
        os.environ["OMP_NUM_THREADS"] = str(count)
    threads.set_threads(count)
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))  # it refuses more than it started with


def check_cuda(wanted: str) -> None:
    """Refuse --device cuda where there is none.

    Raises:
        ArcompError: there is none.
    """
    if wanted != "cuda":
        return
    with needs_torch("--device cuda"):
        import torch

    if not torch.cuda.is_available():
        raise ArcompError("no CUDA device is available here", remedy="use --device cpu")


def choose_device(wanted: str, uses_torch: bool) -> str:
    """The device to use, "cpu" or "cuda". Torch takes a second to import, so it is asked only if there is a GPU driver
    and the model uses Torch.

    Raises:
        ArcompError: CUDA is asked for and there is none.
    """
    check_cuda(wanted)
    if wanted != "auto" or not uses_torch or not _has_driver() or not has_torch():
        return "cuda" if wanted == "cuda" else "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _has_driver() -> bool:
    """Whether NVIDIA's driver seems to be here; without it there is nothing to ask Torch."""
    return sys.platform == "win32" or os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/dxg")
