"""How small: arcomp's models beside PNG, WebP and JPEG XL over files and folders; JPEGs beside their transcoders.

``python -m benchmarks.ratio PATH... [--models context,photo-fast] [--jxl 7,9,10] [--each] [--csv F] [--json F]``
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from arcomp.errors import ArcompError, PictureError
from arcomp.measure import tables
from arcomp.measure.codecs import INSTALL_PEERS, NOT_INSTALLED, JpegXl
from arcomp.measure.contestants import Contestant
from arcomp.measure.inputs import read
from arcomp.measure.jpegs import jpeg_of
from arcomp.measure.record import ALLOWED_BYTES, Measurement
from benchmarks import children, inputs, outputs
from benchmarks.choice import EFFORT, Choice, add_options, chosen, cores
from benchmarks.outputs import say
from benchmarks.sizes import COLUMNS, EACH, above_webp, filled, row_of, shown, totals

ABOVE_WEBP = 3
"""Exit status if a model that learns made a picture larger than WebP."""
WRITE_EVERY = 20.0
"""Seconds between states of the files of results."""


@dataclass
class Outcome:
    """Everything measured so far.

    Attributes:
        results: by picture, then codec.
        skipped: how many files were passed over, by reason.
        total: how many files there are.
        done: how many files have been looked at.
    """

    results: list[Measurement] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    total: int = 0
    done: int = 0


def measure(source: inputs.Source, contestants: Sequence[Contestant]) -> list[Measurement] | str:
    """All codecs on one picture or JPEG, or why it is passed over."""
    try:
        if source.jpeg:
            jpeg = jpeg_of(source.path.read_bytes())
            return [c.measure_jpeg(source.path.name, jpeg, of=source.set) for c in contestants]
        samples = read(source.path)
    except PictureError as error:
        return error.cause
    return [c.measure(source.path.name, samples, in_float=False, of=source.set) for c in contestants]


@dataclass(frozen=True)
class Plan:
    """What is measured, and by how many processes."""

    choice: Choice
    jobs: int = 1

    @lru_cache(maxsize=1)  # noqa: B019 - a plan lives as long as its process
    def contestants(self) -> list[Contestant]:
        """Those that are compared; made once in a process."""
        return self.choice.contestants()


def _measure_by(job: tuple[inputs.Source, Plan]) -> list[Measurement] | str:
    return measure(job[0], job[1].contestants())


def _begin(threads: int) -> None:
    """A worker's start, before torch and Numba are imported; an interruption is the parent's business."""
    os.environ.update(children.limit_threads(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(sources: Sequence[inputs.Source], plan: Plan) -> Iterator[list[Measurement] | str]:
    """Measure picture after picture; answers come in the sequence of the sources.

    Raises:
        BrokenProcessPool: a process was ended, most likely for want of memory.
    """
    work = [(source, plan) for source in sources]
    if plan.jobs == 1:
        yield from map(_measure_by, work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.jobs, context, _begin, (plan.choice.threads,)) as pool:
        try:
            yield from pool.map(_measure_by, work)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def document(outcome: Outcome) -> dict[str, Any]:
    """What the JSON file holds."""
    return {
        "benchmark": "ratio",
        "complete": outcome.done == outcome.total,
        "sets": totals(outcome.results),
        "pictures": [row_of(m) for m in outcome.results],
        "skipped": dict(outcome.skipped),
    }


def collect(sources: Sequence[inputs.Source], plan: Plan, csv: Path | None, json: Path | None) -> Outcome:
    """Measure all, tell of each picture, and keep the files of results up to date.

    Stops early, with what there is, when it is interrupted or a process ends.
    """
    outcome = Outcome(total=len(sources))
    written = time.monotonic()
    try:
        for source, found in zip(sources, run(sources, plan), strict=True):
            outcome.done += 1
            where = f"{outcome.done}/{outcome.total} {source.set}/{source.path.name}"
            if isinstance(found, str):
                outcome.skipped[found] += 1
                say(f"{where}: skipped, {found}")
                continue
            outcome.results += found
            said = (f"{r.codec} {'FAILED ' if r.failed else ''}{r.bytes or r.skipped}" for r in found)
            say(f"{where}: {', '.join(said)}")
            if time.monotonic() - written > WRITE_EVERY:
                _write(outcome, csv, json)
                written = time.monotonic()
    except KeyboardInterrupt:
        say("interrupted; these are the results so far")
    except BrokenProcessPool:
        say("a process ended, perhaps for want of memory (use fewer --jobs); these are the results so far")
    _write(outcome, csv, json)
    return outcome


def _write(outcome: Outcome, csv: Path | None, json: Path | None) -> None:
    whole = document(outcome)
    outputs.write_csv(csv, [*whole["pictures"], *whole["sets"]])
    outputs.write_json(json, whole)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("python -m benchmarks.ratio", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    add_options(parser, [EFFORT])
    parser.add_argument("--each", action="store_true", help="a row for each picture as well")
    parser.add_argument("--jobs", type=int, default=1, help="pictures at a time, each in its own process")
    parser.add_argument("--csv", type=Path, help="write pictures and totals here")
    parser.add_argument("--json", type=Path, help="write pictures and totals here")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    choice = chosen(parser, options, max(1, cores() // options.jobs))
    try:
        options.sources = inputs.find(options.paths)
        jpegs = [source.jpeg for source in options.sources]
        options.plan = Plan(replace(choice, pictures=not all(jpegs), jpegs=any(jpegs)), options.jobs)
        outputs.claim(options.csv)
        outputs.claim(options.json)
    except (OSError, ArcompError) as error:
        parser.error(str(error))
    return options


def remarks(outcome: Outcome) -> int:
    """Say on stderr what is not as it should be, and give the exit status."""
    rows, results = totals(outcome.results), outcome.results
    for row in rows:
        if row.get("max_overhead_bytes", 0) > ALLOWED_BYTES:
            say(
                f"{row['set']}, {row['codec']}: a file is {row['max_overhead_bytes']:.1f} bytes larger than "
                f"its NLL and {row['allowed_part']:.2%} of it; {ALLOWED_BYTES} are the aim"
            )
    status = 0
    for codec in dict.fromkeys(r.codec for r in results if r.nll_bits_exact is not None):
        larger = list(above_webp(results, codec))
        if larger:
            worst, more = max(larger, key=lambda found: found[1])
            say(
                f"LARGER THAN WEBP: {codec}, {len(larger)} picture{'s' if len(larger) > 1 else ''}; "
                f"most {worst.set}/{worst.input}, by {more:,d} bytes"
            )
            status = ABOVE_WEBP if any(r.nll_bits_network is not None for r, _ in larger) else status
    if any(r.codec.startswith(JpegXl.FAMILY) and r.skipped.startswith(NOT_INSTALLED) for r in results):
        say(f"JPEG XL is not installed here: {INSTALL_PEERS}")
    return 1 if outcome.done < outcome.total or any(r.failed for r in results) else status


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a round trip failed, 2 if there was nothing to measure, 3 (see :data:`ABOVE_WEBP`)."""
    options = parse(arguments)
    outcome = collect(options.sources, options.plan, options.csv, options.json)
    rows = totals(outcome.results)
    inputs.report_skipped(outcome.skipped)
    if not rows:
        say("there are no pictures to measure")
        return 2
    if options.each:
        each = [row_of(m) for m in outcome.results]
        print(tables.text(shown(each), filled(EACH, each)), end="\n\n")
    print(tables.text(shown(rows), filled(COLUMNS, rows)))
    return remarks(outcome)


if __name__ == "__main__":
    sys.exit(main())
