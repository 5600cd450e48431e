"""Training curves: the logs of runs in one picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from arcomp.errors import ArcompError
from arcomp.show.drawing import COLOURS, Picture, panels, titled

Points = list[tuple[float, float]]


def points(path: Path, column: str) -> Points:
    """(steps, bits) of a log's lines that have such.

    Raises:
        ArcompError: it cannot be read, or is no log of a run.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [(float(row["step"]), float(row[column])) for row in rows if row[column]]
    except OSError as error:
        raise ArcompError(
            f"cannot be read: {error.strerror or error}", path=str(path), remedy="check the path"
        ) from error
    except (KeyError, ValueError, TypeError) as error:
        raise ArcompError(
            "is no log of a run", path=str(path), remedy="`arcomp train` writes one beside the weights, as .csv"
        ) from error


def draw(logs: Sequence[Path]) -> Picture:
    """Bits in training and on what was held out, of each log."""
    with panels(1, (6.4, 3.0)) as (picture, (axes,)):
        top, bottom = 0.0, float("inf")
        for i, path in enumerate(logs):
            training, held_out = points(path, "training_bits"), points(path, "validation_bits")
            colour = COLOURS[i % len(COLOURS)]
            if not training:
                raise ArcompError("has no line yet", path=str(path), remedy="wait until the run has reported")
            axes.plot(*zip(*training, strict=True), color=colour, lw=1, alpha=0.6)
            last = held_out[-1][1] if held_out else training[-1][1]
            if held_out:
                axes.plot(*zip(*held_out, strict=True), "o-", color=colour, ms=3, lw=1.4, label=path.stem)
            late = [bits for _, bits in training[len(training) // 8 :]]
            top, bottom = max(top, *late), min(bottom, last, *late)
            picture.say(
                f"{path}: {training[-1][0]:,.0f} steps, training {training[-1][1]:.4f}, held out {last:.4f}",
                log=str(path), steps=training[-1][0], training=training[-1][1], held_out=last,
            )  # fmt: skip
        axes.set_ylim(bottom - 0.05 * (top - bottom), top + 0.15 * (top - bottom))
        axes.set_xlabel("steps")
        axes.grid(lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        titled(axes, "bits a sample: thin in training, dots on what is held out")
    return picture
