"""``arcomp train``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arcomp.cli import options
from arcomp.cli.console import Console, Meter, duration
from arcomp.errors import OutputError, TrainingError

if TYPE_CHECKING:
    from arcomp.training.loop import Progress
    from arcomp.training.recipes import Recipe


@dataclass
class Run:
    """What a training run reads and writes."""

    recipe: Recipe
    folders: list[Path]
    output: Path
    checkpoint: Path
    join: Path | None
    resume: bool
    force: bool
    begin_from: Path | None = None

    def check(self) -> None:
        """Refuse at the start what would fail after hours.

        Raises:
            OutputError: the output exists or cannot be written.
            TrainingError: a checkpoint is there that would be lost, or the weights to join are not.
        """
        if self.output.exists() and not self.force:
            raise OutputError("exists already", remedy="-f overwrites it", path=str(self.output))
        if not self.output.parent.is_dir():
            raise OutputError("its folder does not exist", remedy="create the folder first", path=str(self.output))
        if self.checkpoint.exists() and not self.resume and not self.force:
            raise TrainingError(
                "a checkpoint is there", remedy="--resume goes on from it, -f starts again", path=str(self.checkpoint)
            )
        if self.resume and self.begin_from is not None:
            raise TrainingError("a run is resumed or begins from another network", remedy="give one of the two")
        if self.join is not None:
            from arcomp.training.finish import weights_to_join

            weights_to_join(self.join, self.recipe.model)


class Reporter:
    """Tells how training goes: a line written over again on terminals, lines after validation elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.meter = Meter("training" if console.live else "")
        self.validation = ""

    def __call__(self, progress: Progress) -> None:
        """After every round."""
        if self.console.as_json:
            print(json.dumps({"event": "progress", **asdict(progress)}), flush=True)
            return
        if progress.validation_bits is not None:
            self.validation = f", validation {progress.validation_bits:.4f}"
            if progress.rounded_bits is not None:
                self.validation += f" (rounded {progress.rounded_bits:.4f})"
        left = progress.seconds / max(1, progress.step) * (progress.steps - progress.step)
        line = (
            f"step {progress.step} of {progress.steps}, bits per dimension: training {progress.training_bits:.4f}"
            f"{self.validation}, {duration(left)} left"
        )
        if self.console.live:
            self.meter.show(line)
        elif progress.validation_bits is not None:
            self.console.note(line)


def _run(run: Run, console: Console) -> int:
    from arcomp.training.finish import finish
    from arcomp.training.loop import train

    reporter = Reporter(console)
    try:
        state = train(
            run.recipe, run.folders, run.checkpoint, resume=run.resume, begin_from=run.begin_from, report=reporter
        )
        reporter.meter.show("freezing and measuring")
        done = finish(state, run.recipe, run.folders, run.output, join=run.join, overwrite=run.force)
    except KeyboardInterrupt:
        if run.checkpoint.exists():
            raise KeyboardInterrupt(f"--resume goes on from {run.checkpoint}") from None
        raise
    finally:
        reporter.meter.clear()
    if console.as_json:
        print(json.dumps({"event": "finished", **asdict(done), "path": str(done.path), "seconds": state.seconds}))
    else:
        console.summary(
            f"{done.path}: digest {done.digest[:16]}; bits per dimension on held-out pictures: "
            f"float {done.float_bits:.4f}, exact {done.exact_bits:.4f}, coded {done.coded_bits:.4f}; "
            f"trained {duration(state.seconds)}"
        )
    return 0


def _list(console: Console) -> int:
    from arcomp.training import recipes

    for name in recipes.names():
        recipe = recipes.find(name)
        if console.as_json:
            print(json.dumps({"recipe": name, **recipe.to_dict()}))
        else:
            kind = {1: "gray", 3: "RGB"}.get(recipe.config.get("channels", 0), "")
            console.print(f"{name:<16} model {recipe.model}, {kind}, {recipe.optimiser.steps} steps")
    return 0


@click.command("train", short_help="Train weights.")
@click.argument("data", metavar="DATA...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--recipe", "recipe_name", metavar="NAME|FILE.toml", help="What to train, and how long (see --list).")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The weights: NAME.safetensors.")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), metavar="FILE", help="Default: the output with .checkpoint added."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint (with --steps: to another end).")
@click.option(
    "--begin-from",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Checkpoint of a smaller network of the same model, whose function a fresh run takes over.",
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Steps, instead of the recipe's.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed, instead of the recipe's.")
@click.option(
    "--join",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Weights whose networks for other channels are kept.",
)
@click.option("--list", "list_them", is_flag=True, help="List the recipes that come with arcomp.")
@options.force
@options.threads
@options.talkative
def command(
    console: Console,
    data: tuple[Path, ...],
    recipe_name: str | None,
    output: Path | None,
    checkpoint: Path | None,
    resume: bool,
    begin_from: Path | None,
    steps: int | None,
    seed: int | None,
    join: Path | None,
    list_them: bool,
    force: bool,
    threads: int | None,
) -> int:
    """Train the weights of a model on the pictures in DATA (folders or files), and freeze them.

    A run is a function of its recipe and its pictures. It can be interrupted and resumed.
    """
    if list_them:
        return _list(console)
    if recipe_name is None or output is None or not data:
        raise click.UsageError("training needs --recipe NAME, -o OUTPUT.safetensors and folders of pictures")
    if output.suffix != ".safetensors":
        raise click.UsageError(f"weights are named NAME.safetensors, not {output.name}")
    from arcomp.training import recipes

    recipe = recipes.find(recipe_name)
    if seed is not None:
        recipe = replace(recipe, seed=seed)
    if steps is not None:
        recipe = replace(recipe, optimiser=replace(recipe.optimiser, steps=steps))
    checkpoint = checkpoint or output.with_name(output.name + ".checkpoint")
    run = Run(recipe, list(data), output, checkpoint, join, resume, force, begin_from)
    run.check()
    options.set_threads(threads)
    return _run(run, console)
