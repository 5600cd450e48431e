"""The lecture (docs/lecture.md): its commands, and the notebook that is made of it.

    python -m benchmarks.lecture                  # write docs/lecture.ipynb anew
    python -m benchmarks.lecture --run FOLDER     # run every command of the page in a folder, pictures are drawn there
    python -m benchmarks.lecture --patches FILE   # squares of a photograph, as an array to train on

The page is the source. The notebook has its text in cells, and a cell for each block of commands, without what they
print; a test compares both.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGE, NOTEBOOK = ROOT / "docs" / "lecture.md", ROOT / "docs" / "lecture.ipynb"
PICTURES = ROOT / "docs" / "pictures" / "lecture"
PHOTOGRAPH, DIGITS = ROOT / "tests" / "pictures" / "lighthouse.png", ROOT / "docs" / "digits.npy.arcomp"
"""What commands find in their folder, the latter by its path in the repository."""
SIDE = 32
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.M | re.S)


def lines_of(block: str) -> list[str]:
    """The commands of a block, each on one line, without the prompt."""
    joined = block.replace("\\\n", " ")
    return [" ".join(line[2:].split()) for line in joined.splitlines() if line.startswith("$ ")]


def commands(text: str) -> list[list[str]]:
    """The words after ``arcomp`` of all its commands, in the page's sequence."""
    lines = [line for block in BLOCK.findall(text) for line in lines_of(block)]
    return [shlex.split(line)[1:] for line in lines if line.startswith("arcomp ")]


def notebook(text: str) -> str:
    """The page as a notebook, JSON of nbformat 4.5."""
    cells: list[dict[str, Any]] = []
    for i, part in enumerate(BLOCK.split(text)):
        code = i % 2 == 1
        source = "\n".join(f"!{line}" for line in lines_of(part)) if code else part.strip()
        if not source:
            continue
        cell: dict[str, Any] = {"cell_type": "code" if code else "markdown", "id": f"cell-{i}", "metadata": {}}
        if code:
            cell |= {"execution_count": None, "outputs": []}
        cells.append({**cell, "source": source.splitlines(keepends=True)})
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    whole = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def patches() -> npt.NDArray[np.uint8]:
    """Squares of the photograph, side by side and half a side apart: uint8 [N, 32, 32, 3]."""
    with Image.open(PHOTOGRAPH) as image:
        pixels = np.asarray(image.convert("RGB"))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (SIDE, SIDE), (0, 1))[:: SIDE // 2, :: SIDE // 2]
    return np.ascontiguousarray(windows.transpose(0, 1, 3, 4, 2).reshape(-1, SIDE, SIDE, 3))


def prepare(folder: Path) -> None:
    """Put what the commands read where they will run."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    shutil.copy(PHOTOGRAPH, folder)
    np.save(folder / "patches.npy", patches())
    shutil.copy(DIGITS, folder / "docs")


@click.command()
@click.option("--run", "folder", type=click.Path(file_okay=False, path_type=Path), help="Run the commands there.")
@click.option("--patches", "array", type=click.Path(dir_okay=False, path_type=Path), help="Write an array there.")
def main(folder: Path | None, array: Path | None) -> None:
    """Write the notebook, or an array of patches, or run the page's commands."""
    text = PAGE.read_text(encoding="utf-8")
    if array is not None:
        np.save(array, patches())
        return
    if folder is None:
        NOTEBOOK.write_text(notebook(text), encoding="utf-8")
        return
    prepare(folder)
    for words in commands(text):
        print("$", shlex.join(["arcomp", *words]), flush=True)
        subprocess.run([sys.executable, "-m", "arcomp", *words], check=True, cwd=folder)


if __name__ == "__main__":
    main()
