"""What is kept of a run to look at: a line of a CSV file for each report, a plot, and TensorBoard's files."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from arcomp.container import write_atomically
from arcomp.errors import ArcompError, OutputError, TrainingError
from arcomp.training.loop import Progress

COLUMNS = tuple(field.name for field in fields(Progress) if field.name != "steps")
"""Of the file."""
BITS = ("training_bits", "validation_bits", "rounded_bits")


class Log:
    """Of one run, written as it goes on.

    Args:
        path: of the CSV file. A run that is resumed goes on in it, without lines of what is done again.
        resume: whether it is one.
        tensorboard: a folder for TensorBoard; None: no such files.
        unit: what bits are counted for.

    Raises:
        OutputError: another file is there. TrainingError: TensorBoard is not installed.
    """

    def __init__(self, path: Path, resume: bool, tensorboard: Path | None, unit: str) -> None:
        self.path, self.unit = path, unit
        check(path)
        self._rows: list[Mapping[str, Any]] = read(path) if resume and path.exists() else []
        self._writer: Any = None if tensorboard is None else _board(tensorboard)

    def __call__(self, progress: Progress) -> None:
        """One more report."""
        row = {name: value for name, value in asdict(progress).items() if name in COLUMNS}
        self._rows = [r for r in self._rows if float(r["step"]) < progress.step] + [row]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_atomically(self.path, text.getvalue().encode(), overwrite=True)
        if self._writer is not None:
            for name in BITS:
                if row[name] is not None:
                    self._writer.add_scalar(f"bits/{name.removesuffix('_bits')}", row[name], progress.step)
            self._writer.flush()

    def close(self, plot: Path) -> Path | None:
        """Draw the run, where matplotlib is installed; where that is."""
        if self._writer is not None:
            self._writer.close()
        if not self._rows or find_spec("matplotlib") is None:
            return None
        write_atomically(plot, drawn(self._rows, self.unit), overwrite=True)
        return plot


def check(path: Path) -> None:
    """Refuse to write over what is no log.

    Raises:
        OutputError: it is none.
    """
    if path.exists() and (not path.is_file() or not path.read_bytes().startswith(",".join(COLUMNS).encode())):
        raise OutputError("exists already and is no log of a run", remedy="name another by --log", path=str(path))


def read(path: Path) -> list[Mapping[str, Any]]:
    """The lines of a log, as text by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _board(folder: Path) -> Any:
    """What writes TensorBoard's files.

    Raises:
        TrainingError: it is not installed.
    """
    if find_spec("tensorboard") is None:
        raise TrainingError("--tensorboard needs tensorboard", remedy='pip install "arcomp[tensorboard]"')
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from torch.utils.tensorboard import SummaryWriter

    try:
        writer: Any = SummaryWriter  # it has no types
        return writer(str(folder))
    except OSError as error:
        raise TrainingError(f"cannot be written: {error.strerror or error}", path=str(folder)) from error


def drawn(rows: list[Mapping[str, Any]], unit: str) -> bytes:
    """Bits against steps: an SVG file.

    Args:
        rows: lines of a log. unit: what bits are counted for.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "arcomp", "font.size": 9}):
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.add_subplot()
        for name, style in zip(BITS, ("-", "o-", "s--"), strict=True):
            points = [(float(r["step"]), float(r[name])) for r in rows if r[name] not in (None, "")]
            if points:
                axes.plot(*zip(*points, strict=True), style, ms=3, lw=1, label=name.removesuffix("_bits"))
        most = sorted(float(r["training_bits"]) for r in rows)[int(0.95 * len(rows))]
        least = min(float(r[name]) for r in rows for name in BITS if r[name] not in (None, ""))
        if most > least:  # what came before it had learnt anything would flatten the rest
            axes.set_ylim(least - 0.05 * (most - least), most + 0.05 * (most - least))
        axes.set_xlabel("steps")
        axes.set_title(f"bits per {unit}", loc="left", fontsize=9)
        axes.grid(lw=0.5, alpha=0.5)
        axes.legend(frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def closed(log: Log, plot: Path) -> tuple[Path | None, str]:
    """Draw the run; a plot that cannot be written loses nothing else, so why is only said."""
    try:
        return log.close(plot), ""
    except ArcompError as error:
        return None, str(error)
