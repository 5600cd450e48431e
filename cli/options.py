"""Options that verbs share, and what wraps a verb: its console, and one line for whatever goes wrong."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from arcomp.cli.console import Console, report
from arcomp.errors import ArcompError, has_torch, needs_torch


class Numbers(click.FloatRange):
    """Real numbers within a range, ends included unless it is open; not infinite ones, and not what is no number, which
    no comparison refuses."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no finite number", param, ctx)
        return found


F = TypeVar("F", bound=Callable[..., Any])

inputs = click.argument("inputs", metavar="FILE...", nargs=-1, required=True)
output = click.option("-o", "--output", metavar="PATH", help="Output: a file, or a folder (it exists, or ends in /).")
to_stdout = click.option("-c", "--stdout", "to_stdout", is_flag=True, help="Write to standard output.")
force = click.option("-f", "--force", is_flag=True, help="Overwrite outputs; write to a terminal.")
remove = click.option(
    "--rm/--keep",
    " /-k",
    "remove",
    default=False,
    help="Remove inputs once their output is verified, or keep them (default).",
)
model_of_file = click.option(
    "-m",
    "--model",
    "model_name",
    metavar="MODEL",
    help="A file of weights (.safetensors), if the model is not among `arcomp models`.",
)
model_to_use = click.option(
    "-m",
    "--model",
    "model_name",
    metavar="MODEL",
    required=True,
    help="A name from `arcomp models`, or a .safetensors file of weights.",
)
naive = click.option(
    "--naive",
    is_flag=True,
    help="Decode without caches, evaluating the whole picture for each step: very slow, a test of the caches.",
)
threads = click.option("--threads", metavar="N", type=click.IntRange(1, 4096), help="CPU threads to use.")


DECODING = "Where --naive runs (auto: the CPU). Without --naive the CPU always decodes."
"""What --device means for verbs that decode. A front has too little work for a GPU."""


def device(text: str) -> Callable[[F], F]:
    """``--device``, with what it means for the verb."""
    return click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help=text
    )


def terse(function: Callable[..., int]) -> Callable[..., int]:
    """Give a verb -q and -v, a console as its first argument, and turn its errors into lines."""

    @click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
    @click.option("-v", "--verbose", is_flag=True, help="Print more; of unexpected errors the traceback.")
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
    """The same with --json, for verbs whose results are an object a line."""
    option = click.option("--json", "as_json", is_flag=True, help="Print results as JSON, one object a line.")
    return option(terse(function))


def each(inputs: tuple[str, ...], work: Callable[[str], object], console: Console) -> int:
    """Do something with every file, going on after errors; the number of files that failed."""
    from arcomp.cli.console import shown

    failed = 0
    for name in inputs:
        try:
            work(name)
        except BrokenPipeError:
            raise
        except Exception as error:
            report(error, name=shown(name), verbose=console.verbose)
            failed += 1
    return failed


def set_threads(count: int | None) -> None:
    """Use so many processor threads, in Torch and in compiled code; without a number, what each thinks best."""
    if count is None:
        return
    import numba

    from arcomp.exact import threads

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    else:  # which some models do without: it takes the number when it is imported
        os.environ["OMP_NUM_THREADS"] = str(count)
    threads.set_threads(count)
    numba.set_num_threads(min(count, numba.get_num_threads()))  # Numba refuses more than it started with


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
    """ "cpu" or "cuda". Torch takes a second to import: it is asked only where a GPU's driver is, and not where the
    model does without it.

    Raises:
        ArcompError: CUDA is asked for and not there.
    """
    check_cuda(wanted)
    if wanted != "auto" or not uses_torch or not _has_driver() or not has_torch():
        return "cuda" if wanted == "cuda" else "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _has_driver() -> bool:
    """Whether NVIDIA's driver seems to be here; without it there is nothing to ask Torch."""
    return sys.platform == "win32" or os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/dxg")
