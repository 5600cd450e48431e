"""Whole files there and back: what becomes of every file of some folders.

``python -m benchmarks.there_and_back PATH... [--model M] [--json OUT] [--kinds png,bmp] [--limit BYTES] [--jobs N]``

Each file is compressed, restored from the result alone, and compared bit for bit. The table says, by kind of file, how
many came back, how many as samples, and what their deflate streams' corrections cost. Exit status 1 if a file did not
come back, or became larger than itself, its name and 128 bytes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

from arcomp.measure import tables
from arcomp.measure.tables import Column
from arcomp.measure.whole_files import Outcome, summed, there_and_back

COLUMNS = (
    Column("group", "kind"), Column("files", "files", "d"), Column("same", "came back", "d"),
    Column("samples", "as samples", "d"), Column("bytes", "bytes", "d"), Column("packed", "compressed", "d"),
    Column("percent", "%", ".1f"), Column("streams", "deflate streams", "d"), Column("predicted", "predicted", "d"),
    Column("correction_percent", "corrections %", ".3f"), Column("most_over", "most above input", "d"),
    Column("seconds", "s", ".0f"),
)  # fmt: skip


def chosen(paths: list[Path], kinds: frozenset[str], limit: int) -> Iterator[Path]:
    """The regular files at and below some paths, each once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            real = file.resolve()
            if not file.is_file() or real in seen or (kinds and file.suffix[1:].lower() not in kinds):
                continue
            seen.add(real)
            if not limit or file.stat().st_size <= limit:
                yield file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--model", default="photo-fast")
    parser.add_argument("--kinds", default="", help="endings, such as png,bmp; all if not given")
    parser.add_argument("--limit", type=int, default=0, help="leave out files of more bytes")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, help="write each file's outcome there, a line each")
    parser.add_argument("--by", default="kind", help="an attribute of outcomes to group by")
    given = parser.parse_args()
    kinds = frozenset(filter(None, given.kinds.split(",")))
    todo = list(chosen(given.paths, kinds, given.limit))
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        work = partial(there_and_back, model_name=given.model, threads=1 if given.jobs > 1 else None)
        for outcome in pool.map(work, todo, chunksize=1):
            outcomes.append(outcome)
            if not outcome.right:
                print(f"WRONG: {outcome}", flush=True)
            if given.json:
                with given.json.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(outcome)) + "\n")
    print(tables.text(summed(outcomes, given.by), COLUMNS))
    return 0 if all(outcome.right for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
