"""``arcomp train``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.console import Console, duration, one_line, plural, progress_bar
from arcomp.cli.options import examples
from arcomp.cli.training import Run
from arcomp.errors import ArcompError, TrainingError, needs_torch

if TYPE_CHECKING:
    from arcomp.training.data import Data
    from arcomp.training.finish import Finished
    from arcomp.training.log import Log
    from arcomp.training.loop import Progress
    from arcomp.training.processes import Team
    from arcomp.training.recipes import Recipe
    from arcomp.training.state import State


class Reporter:
    """The callback of a run: a bar on terminals, elsewhere a line after each validation; with --json all as JSON."""

    def __init__(self, console: Console, unit: str, log: Log | None) -> None:
        self.console, self.unit, self.log = console, unit, log
        self.bar = progress_bar("training", 0) if console.live else None
        self.validation = ""
        self.rounds, self.kept = 0, False  # whether there is a checkpoint of this run

    def __call__(self, progress: Progress) -> None:
        """After every round, and now and then within a long one."""
        self.rounds += 1
        self.kept |= progress.validation_bits is not None
        if self.log:
            self.log(progress)
        if self.console.as_json:
            print(json.dumps({"event": "progress", **asdict(progress)}), flush=True)
            return
        if progress.validation_bits is not None:
            self.validation = f", validation {progress.validation_bits:.4f}"
            if progress.rounded_bits is not None:
                self.validation += f" (rounded {progress.rounded_bits:.4f})"
        line = (
            f"step {progress.step}{f' of {progress.steps}' if progress.steps else ''}, bits per {self.unit}: "
            f"training {progress.training_bits:.4f}{self.validation}"
        )
        if self.bar is not None:
            self.bar.set_description_str(one_line(line), refresh=False)
            self.bar.update(progress.part - self.bar.n)
        elif progress.validation_bits is not None:
            left = progress.seconds / progress.part * (1 - progress.part)
            self.console.note(f"{line}, {duration(left)} left")

    def freezing(self) -> None:
        """What follows after the last step."""
        if self.bar is not None:
            self.bar.set_description_str("freezing and measuring")

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


@contextmanager
def _said_once() -> Iterator[None]:
    """Of several processes of a machine, let the first one alone say what is wrong: the others find the same."""
    from arcomp.training.processes import local_rank

    try:
        yield
    except ArcompError:
        if local_rank() > 0:
            raise SystemExit(1) from None
        raise


def _train(run: Run, console: Console, team: Team) -> int:
    from arcomp.training.finish import finish
    from arcomp.training.log import Log, closed
    from arcomp.training.loop import train
    from arcomp.training.sources import gather

    run.check()
    data = gather(run.recipe, run.folders, (run.output, run.checkpoint, run.log_path, run.plot_path))
    _announce(run, data, team, console)
    log = Log(run.log_path, run.resume, run.tensorboard, data.unit) if team.leads else None
    reporter = Reporter(console, data.unit, log)
    try:
        state = train(
            run.recipe, data, run.checkpoint, resume=run.resume, begin_from=run.begin_from, report=reporter, team=team
        )
        if not team.leads:
            return 0
        if not reporter.rounds and not console.as_json:
            console.note(f"the checkpoint is at step {state.step:,}: nothing was left to train")
        reporter.freezing()
        done = finish(state, run.recipe, data, run.output, join=run.join, overwrite=run.force)
    except KeyboardInterrupt:
        if run.resume or reporter.kept:
            raise KeyboardInterrupt(f"--resume goes on from {run.checkpoint}") from None
        raise
    finally:
        reporter.close()
        _, problem = closed(log, run.plot_path) if log else (None, "")
    if problem:
        console.warn(f"no plot of the run: {problem}")
    _conclude(run, done, state, data, console)
    return 0


def _announce(run: Run, data: Data, team: Team, console: Console) -> None:
    """What is about to be trained, on what."""
    where = team.device.type + (f", {team.size} processes" if team.size > 1 else "")
    if console.as_json:
        about = {"event": "started", "recipe": run.name, "data": data.about, "device": where}
        print(json.dumps(about), flush=True)
    else:
        console.note(f"recipe {run.name}, {_length(run.recipe)}, on {where}; {data.about}")
    if run.resumed is not None and run.resumed.optimiser.rate != run.recipe.optimiser.rate:
        console.note(f"the rate is {run.recipe.optimiser.rate:g} from here on, it was {run.resumed.optimiser.rate:g}")


def _conclude(run: Run, done: Finished, state: State, data: Data, console: Console) -> None:
    """What came of it."""
    named = str(run.folders[0]) + (f" and {len(run.folders) - 1} more" if len(run.folders) > 1 else "")
    if console.as_json:
        print(json.dumps({"event": "finished", **asdict(done), "path": str(done.path), "seconds": state.seconds}))
        return
    console.summary(
        f"{named} -> {done.path}: digest {done.digest[:16]}, bits per {data.unit} on what was held out: "
        f"float {done.float_bits:.4f}, exact {done.exact_bits:.4f}, coded {done.coded_bits:.4f}, "
        f"{duration(state.seconds)}"
    )


def _length(recipe: Recipe) -> str:
    o = recipe.optimiser
    return f"{o.steps:,} steps" if o.minutes is None else f"{o.minutes:g} min"


def _list(console: Console) -> int:
    with needs_torch("training"):
        from arcomp.training import recipes

    found = {name: recipes.find(name) for name in recipes.names()}
    columns = zip(*((name, recipe.model, _takes(recipe)) for name, recipe in found.items()), strict=True)
    widths = [max(map(len, column)) for column in columns]
    for name, recipe in found.items():
        if console.as_json:
            print(json.dumps({"recipe": name, **recipe.to_dict()}))
        else:
            cells = zip((name, recipe.model, _takes(recipe)), widths, strict=True)
            start = "  ".join(f"{cell:<{width}}" for cell, width in cells)
            console.print(f"{start}  {_length(recipe)} of {recipe.optimiser.batch:,}")
    console.note("DATA and --model MODEL choose among a model's recipes; --recipe takes a name or a file of one's own")
    return 0


def _takes(recipe: Recipe) -> str:
    """The data that a recipe is for."""
    if recipe.data.kind == "bytes":
        return f"text and bytes, {recipe.data.crop:,} at a time"
    from arcomp.samples import kind_of_channels

    colour = kind_of_channels(recipe.channels)
    return f"{colour}, {plural(recipe.depth, 'bit')}, {recipe.data.crop} x {recipe.data.crop} pixels"


def _chosen(model: str | None, name: str | None, folders: list[Path], changes: dict[str, Any]) -> tuple[str, Recipe]:
    """The recipe that is meant, by name, with what the command line changes of it.

    Raises:
        TrainingError: there is none, it is of another model, or a change is out of range.
    """
    from arcomp.training import recipes
    from arcomp.training.sources import recipe_for

    given = name is not None
    if name is None:
        assert model is not None
        name = recipe_for(model, folders)
    recipe = recipes.find(name)
    if given and model not in (None, recipe.model, name):
        raise TrainingError(f"recipe {name} is of model {recipe.model}, not of {model}", remedy="give one of the two")
    seed = changes.pop("seed", recipe.seed)
    data = replace(recipe.data, held_out=changes.pop("held_out", recipe.data.held_out))
    recipe = replace(recipe, seed=seed, data=data, optimiser=replace(recipe.optimiser, **changes))
    recipe.check()
    return name, recipe


def _as_long_as(resumed: Recipe, recipe: Recipe) -> Recipe:
    """The recipe with the length of the run that is resumed: it ends where it would have ended."""
    o = resumed.optimiser
    return replace(recipe, optimiser=replace(recipe.optimiser, steps=o.steps, minutes=o.minutes))


def _changes(
    steps: int | None,
    minutes: float | None,
    rate: float | None,
    seed: int | None,
    held_out: int | None,
    bf16: bool,
) -> dict[str, Any]:
    """What the command line changes of a recipe: its seed, what is held out, and settings of its optimiser."""
    changes: dict[str, Any] = {"seed": seed} if seed is not None else {}
    if held_out is not None:
        changes["held_out"] = held_out
    if steps is not None or minutes is not None:
        changes |= {"minutes": minutes} | ({"steps": steps} if steps is not None else {})
    if rate is not None:
        changes["rate"] = rate
    if bf16:
        changes["bf16"] = True
    return changes


EXAMPLES = examples(
    "arcomp train --model MODEL photos/ -o mine.safetensors",
    "arcomp train --recipe mine.toml photos/ -o mine.safetensors",
    "arcomp train --begin-from NAME photos/ --minutes 10 -o mine.safetensors",
)


@click.command("train", short_help="Train weights.", epilog=EXAMPLES)
@click.argument("data", metavar="DATA...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--model", metavar="MODEL", help="The model; the recipe is chosen to suit the data.")
@click.option(
    "--recipe", "recipe_name", metavar="NAME|FILE.toml", help="The recipe: what to train, and how long (see --list)."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the weights: NAME.safetensors.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to keep the state of the run. [default: the output's name with .checkpoint]",
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint; --steps or --minutes change the end.")
@click.option(
    "--begin-from",
    metavar="NAME|FILE",
    shell_complete=options.complete_models,
    help="Start a new run from weights, by name or file, or from a checkpoint, of the same model and shape, or a "
    "smaller one if it can grow. Without --model and --recipe it names the model, too.",
)
@click.option("--steps", type=options.Integers(1), metavar="N", help="Train for N steps instead of the recipe's.")
@click.option(
    "--minutes",
    type=options.Numbers(0, min_open=True),
    metavar="M",
    help="Train for M minutes instead: the schedule follows the clock.",
)
@click.option(
    "--rate",
    type=options.Numbers(0, 1, min_open=True),
    metavar="R",
    help="Highest learning rate instead of the recipe's; a resumed run may change it.",
)
@click.option("--seed", type=options.Integers(0), metavar="N", help="Seed instead of the recipe's.")
@click.option(
    "--held-out",
    type=options.Integers(1),
    metavar="N",
    help="Keep N pictures (of text and sounds: chunks) to measure on, instead of the recipe's: for small data.",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to log the run. [default: the output's name with .csv; a plot of it beside it, if matplotlib is here]",
)
@click.option(
    "--tensorboard",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Log the run for TensorBoard as well.",
)
@click.option("--bf16", is_flag=True, help="Multiply in bfloat16 while training.")
@click.option(
    "--join",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add the new network to these weights; their networks for other channels are kept.",
)
@click.option("--list", "list_them", is_flag=True, help="List the recipes that come with arcomp.")
@options.device("Where to train.")
@options.force
@options.threads
@options.talkative
def command(
    console: Console,
    data: tuple[Path, ...],
    model: str | None,
    recipe_name: str | None,
    output: Path | None,
    checkpoint: Path | None,
    resume: bool,
    begin_from: str | None,
    steps: int | None,
    minutes: float | None,
    rate: float | None,
    seed: int | None,
    held_out: int | None,
    log: Path | None,
    tensorboard: Path | None,
    bf16: bool,
    join: Path | None,
    list_them: bool,
    device: str,
    force: bool,
    threads: int | None,
) -> int:
    """Train a model on DATA (files or folders of pictures, arrays, or text) and write its weights.

    The same recipe and data give the same weights, unless the length is given in minutes. A run can be interrupted
    and resumed. To train with several processes: torchrun --nproc-per-node 2 -m arcomp train ...
    """
    if list_them:
        return _list(console)
    if recipe_name is None and model is None and begin_from is not None and not Path(begin_from).exists():
        model = begin_from
    if (recipe_name is None and model is None) or output is None or not data:
        raise click.UsageError("training needs --recipe NAME or --model MODEL, -o OUTPUT.safetensors and DATA")
    if output.suffix != ".safetensors":
        raise click.UsageError(f"weights are named NAME.safetensors, not {output.name}")
    if steps is not None and minutes is not None:
        raise click.UsageError("a run's length is given by --steps or by --minutes, not both")
    checkpoint = checkpoint or output.with_name(output.name + ".checkpoint")
    options.set_threads(threads)
    with needs_torch("training"):
        from arcomp.training.checkpoint import check_recipe, recipe_of
        from arcomp.training.processes import together
    with _said_once():
        name, recipe = _chosen(model, recipe_name, list(data), _changes(steps, minutes, rate, seed, held_out, bf16))
        resumed = recipe_of(checkpoint) if resume else None
        if resumed is not None:
            check_recipe(resumed, recipe, checkpoint)
            recipe = recipe if steps is not None or minutes is not None else _as_long_as(resumed, recipe)
        run = Run(
            name, recipe, list(data), output, checkpoint, join, resume, force, begin_from, resumed, log, tensorboard
        )
        with together(options.choose_device(device, uses_torch=True)) as team:
            return _train(run, console if team.leads else Console(quiet=True), team)
