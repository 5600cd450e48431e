"""What a training run reads and writes, checked before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arcomp.errors import OutputError, TrainingError

if TYPE_CHECKING:
    from arcomp.training.recipes import Recipe


@dataclass
class Run:
    """What a training run reads and writes."""

    name: str
    recipe: Recipe
    folders: list[Path]
    output: Path
    checkpoint: Path
    join: Path | None
    resume: bool
    force: bool
    begin_from: str | None = None
    resumed: Recipe | None = None
    """What the checkpoint that is resumed was made with."""
    log: Path | None = None
    tensorboard: Path | None = None

    @property
    def log_path(self) -> Path:
        """Of the CSV file: beside the weights, unless it is named."""
        return self.log or self.output.with_suffix(".csv")

    @property
    def plot_path(self) -> Path:
        """Of the run's plot."""
        return self.log_path.with_suffix(".svg")

    def check(self) -> None:
        """Refuse at the start what would fail after hours.

        Raises:
            OutputError: the output exists, it or the checkpoint cannot be written, or the two are one.
            TrainingError: a checkpoint is there that would be lost, or the weights to join are not, or do not fit.
        """
        from arcomp.container import check_target

        for path in (self.output, self.checkpoint, self.log_path):
            check_target(path, overwrite=True)
        if self.output.exists() and not self.force:
            raise OutputError("exists already", remedy="-f overwrites it", path=str(self.output))
        self._check_distinct()
        if self.checkpoint.exists() and not self.resume and not self.force:
            raise TrainingError(
                "a checkpoint is there", remedy="--resume goes on from it, -f starts again", path=str(self.checkpoint)
            )
        if self.resume and self.begin_from is not None:
            raise TrainingError("a run is resumed or begins from another network", remedy="give one of the two")
        if self.join is not None:
            from arcomp.training.finish import weights_to_join

            weights_to_join(self.join, self.recipe)

    def _check_distinct(self) -> None:
        """Refuse to write over what is read, also with ``force``."""
        from arcomp.training.data import below

        recipe = Path(self.name) if self.name.endswith(".toml") else None
        read = {"what is begun from": Path(self.begin_from) if self.begin_from else None, "the recipe": recipe}
        taken = {path.resolve(): what for what, path in read.items() if path is not None}
        taken |= {path.resolve(): "data" for path in below(self.folders)}
        joined = {self.join.resolve(): "what is joined"} if self.join else {}
        for which, path, others in (
            ("output", self.output, taken),
            ("checkpoint", self.checkpoint, {self.output.resolve(): "the output"} | joined | taken),
        ):
            what = others.get(path.resolve())
            if what is not None and not (what == "data" and _is_checkpoint(path)):
                raise OutputError(f"is the {which} and {what} at once", remedy=f"name another {which}", path=str(path))


def _is_checkpoint(path: Path) -> bool:
    """Whether a file among the data is what an earlier run wrote there."""
    from arcomp.training.checkpoint import recipe_of

    try:
        recipe_of(path)
    except TrainingError:
        return False
    return True
