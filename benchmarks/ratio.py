"""How small: arcomp's models beside PNG, WebP and JPEG XL over files and folders.

``python -m benchmarks.ratio PATH... [--models context,histogram] [--no-jxl] [--each] [--csv F] [--json F]``
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from arcomp.errors import PictureError
from benchmarks import children, inputs, tables
from benchmarks.codecs import (
    INSTALL_JXL,
    MODELS_HELP,
    NOT_INSTALLED,
    Codec,
    JpegXl,
    Pixels,
    WebP,
    chosen,
    cores,
    identical,
    model_names,
    warm_up,
)
from benchmarks.tables import Column, say

JXL, WEBP = JpegXl.name, WebP.name
ALLOWED_PART, ALLOWED_BYTES = 0.0005, 64
"""A file may be larger than the model's NLL by that part of it and so many bytes."""
WRITE_EVERY = 20.0
"""Seconds between states of the files of results."""


@dataclass(frozen=True)
class Result:
    """One codec on one picture.

    Attributes:
        set: name of the folder.
        picture: name of the file.
        codec: name of the codec.
        height: rows.
        width: columns.
        channels: samples a pixel.
        bytes: of the file written; None if there is none.
        nll_bits: the model's NLL, where there is a model.
        encode_s: seconds.
        decode_s: seconds.
        same: the decoded pixels are those that were encoded.
        note: why there is no file.
        failed: it should have worked.
    """

    set: str
    picture: str
    codec: str
    height: int
    width: int
    channels: int
    bytes: int | None = None
    nll_bits: float | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    same: bool | None = None
    note: str = ""
    failed: bool = False

    @property
    def samples(self) -> int:
        """Sub-pixels."""
        return self.height * self.width * self.channels

    @property
    def overhead_bytes(self) -> float | None:
        """What the file has over the model's NLL beyond the part allowed; at most ALLOWED_BYTES is right."""
        if self.nll_bits is None or self.bytes is None:
            return None
        return self.bytes - (1 + ALLOWED_PART) * self.nll_bits / 8

    def row(self) -> dict[str, Any]:
        """All of it for tables."""
        bits = None if self.bytes is None else 8 * self.bytes / self.samples
        more = {"samples": self.samples, "bits_per_subpixel": bits, "overhead_bytes": self.overhead_bytes}
        return {"level": "picture", **asdict(self), **more}


@dataclass
class Outcome:
    """Everything measured so far.

    Attributes:
        results: by picture, then codec.
        skipped: how many files were passed over, by reason.
        total: how many files there are.
        done: how many files have been looked at.
    """

    results: list[Result] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    total: int = 0
    done: int = 0


def measure(source: inputs.Source, codecs: Sequence[Codec]) -> list[Result] | str:
    """All codecs on one picture, or why the picture is passed over."""
    try:
        pixels = inputs.load(source)
    except PictureError as error:
        return inputs.reason(error)
    return [_measure(source, pixels, codec) for codec in codecs]


def _measure(source: inputs.Source, pixels: Pixels, codec: Codec) -> Result:
    height, width, channels = pixels.shape
    what = (source.set, source.path.name, codec.name, height, width, channels)
    missing = codec.available() or codec.takes(pixels)
    if missing:
        return Result(*what, note=missing)
    try:
        times = [time.perf_counter()]
        data = codec.encode(pixels)
        times.append(time.perf_counter())
        decoded = codec.decode(data)
        times.append(time.perf_counter())
    except Exception as error:  # a codec that fails is a result, and the others go on
        return Result(*what, note=f"{type(error).__name__}: {error}", failed=True)
    same = identical(pixels, decoded)
    seconds = (times[1] - times[0], times[2] - times[1])
    return Result(*what, len(data), codec.nll_bits(), *seconds, same, failed=not same)


@dataclass(frozen=True)
class Plan:
    """What is measured, and by how many processes."""

    models: tuple[str, ...] | None = None
    jxl: bool = True
    jobs: int = 1

    @property
    def threads(self) -> int:
        """Threads of each process."""
        return max(1, cores() // self.jobs)

    @lru_cache(maxsize=1)  # noqa: B019 - a plan lives as long as its process
    def codecs(self) -> list[Codec]:
        """Those that are compared; made, and warmed up, once in a process."""
        made = chosen(self.models, self.jxl, self.threads)
        for codec in made:
            warm_up(codec)
        return made


def _measure_by(job: tuple[inputs.Source, Plan]) -> list[Result] | str:
    return measure(job[0], job[1].codecs())


def _begin(threads: int) -> None:
    """A worker's start, before torch and Numba are imported; an interruption is the parent's business."""
    os.environ.update(children.limit_threads(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(sources: Sequence[inputs.Source], plan: Plan) -> Iterator[list[Result] | str]:
    """Measure picture after picture; answers come in the sequence of the sources.

    Raises:
        BrokenProcessPool: a process was ended, most likely for want of memory.
    """
    work = [(source, plan) for source in sources]
    if plan.jobs == 1:
        yield from map(_measure_by, work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(plan.jobs, context, _begin, (plan.threads,)) as pool:
        try:
            yield from pool.map(_measure_by, work)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def totals(results: Sequence[Result]) -> list[dict[str, Any]]:
    """One row for each set and codec, and for all sets together if there are several."""
    sets = list(dict.fromkeys(r.set for r in results))
    groups = [(name, [r for r in results if r.set == name]) for name in sets]
    if len(sets) > 1:
        groups.append(("all", list(results)))
    rows = []
    for name, group in groups:
        for codec in dict.fromkeys(r.codec for r in group):
            rows.append({"level": "set", "set": name, "codec": codec, **_total(group, codec)})
    return rows


def _total(group: Sequence[Result], codec: str) -> dict[str, Any]:
    """Of one codec in one set."""
    own = [r for r in group if r.codec == codec]
    done = [r for r in own if r.bytes is not None]
    notes = "; ".join(dict.fromkeys(r.note for r in own if r.note))
    row: dict[str, Any] = {"pictures": len(done), "note": notes, "failed": any(r.failed for r in own)}
    if not done:
        return row
    size, samples = sum(r.bytes or 0 for r in done), sum(r.samples for r in done)
    pixels = sum(r.height * r.width for r in done)
    encode_s, decode_s = sum(r.encode_s or 0 for r in done), sum(r.decode_s or 0 for r in done)
    row |= {
        "bytes": size,
        "samples": samples,
        "bits_per_subpixel": 8 * size / samples,
        "to_jxl": _ratio(group, codec, JXL),
        "to_webp": _ratio(group, codec, WEBP),
        "encode_mps": pixels / 1e6 / encode_s if encode_s else None,
        "decode_mps": pixels / 1e6 / decode_s if decode_s else None,
        "same": all(r.same for r in done),
    }
    nll = [r.nll_bits for r in done if r.nll_bits is not None]
    if len(nll) == len(done):
        over = [r.overhead_bytes for r in done if r.overhead_bytes is not None]
        row["nll_bits"] = sum(nll)
        row["overhead_percent"] = 100 * (8 * size / sum(nll) - 1) if sum(nll) else None
        row["max_overhead_bytes"] = max(over)
    return row


def _ratio(group: Sequence[Result], codec: str, peer: str) -> float | None:
    """Bytes of a codec to those of a peer, over the pictures that both did."""
    sizes = {(r.picture, r.set, r.codec): r.bytes for r in group if r.bytes is not None}
    both = [(p, s) for p, s, c in sizes if c == codec and (p, s, peer) in sizes]
    if not both:
        return None
    return sum(sizes[p, s, codec] for p, s in both) / sum(sizes[p, s, peer] for p, s in both)


COLUMNS = [
    Column("set", "set"),
    Column("codec", "codec"),
    Column("pictures", "pictures", "d"),
    Column("bytes", "bytes", ",d"),
    Column("bits_per_subpixel", "bits/sub-pixel", ".4f"),
    Column("to_jxl", "/ JPEG XL", ".4f"),
    Column("to_webp", "/ WebP", ".4f"),
    Column("nll_bits", "NLL bits", ",.0f"),
    Column("overhead_percent", "overhead %", ".3f"),
    Column("max_overhead_bytes", "most over, bytes", ".1f"),
    Column("encode_mps", "MP/s enc", ".3f"),
    Column("decode_mps", "MP/s dec", ".3f"),
    Column("same", "round trip"),
]
EACH = [
    Column("set", "set"),
    Column("picture", "picture"),
    Column("codec", "codec"),
    Column("height", "rows", "d"),
    Column("width", "columns", "d"),
    Column("channels", "channels", "d"),
    *(c for c in COLUMNS if c.key in ("bytes", "bits_per_subpixel", "nll_bits")),
    Column("overhead_bytes", "over, bytes", ".1f"),
    COLUMNS[-1],
]


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a person reads them: where there is no file, a word stands in place of its size."""
    return [{**row, "bytes": tables.number_or(row.get("bytes"), _word(row))} for row in rows]


def _word(row: Mapping[str, Any]) -> str:
    if row["failed"]:
        return "failed"
    return NOT_INSTALLED if row["note"] == NOT_INSTALLED else "refused"


def document(outcome: Outcome) -> dict[str, Any]:
    """What the JSON file holds."""
    return {
        "benchmark": "ratio",
        "complete": outcome.done == outcome.total,
        "sets": totals(outcome.results),
        "pictures": [r.row() for r in outcome.results],
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
            said = (f"{r.codec} {'FAILED ' if r.failed else ''}{r.bytes or r.note}" for r in found)
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
    tables.write_csv(csv, [*whole["pictures"], *whole["sets"]])
    tables.write_json(json, whole)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("python -m benchmarks.ratio", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    parser.add_argument("--models", type=model_names, help=MODELS_HELP)
    parser.add_argument("--no-jxl", action="store_true", help="leave out JPEG XL, which takes its time")
    parser.add_argument("--each", action="store_true", help="a row for each picture as well")
    parser.add_argument("--jobs", type=int, default=1, help="pictures at a time, each in its own process")
    parser.add_argument("--csv", type=Path, help="write pictures and totals here")
    parser.add_argument("--json", type=Path, help="write pictures and totals here")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        options.sources = inputs.find(options.paths)
        tables.claim(options.csv)
        tables.claim(options.json)
    except OSError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a round trip failed, 2 if there was nothing to measure."""
    options = parse(arguments)
    plan = Plan(options.models, not options.no_jxl, options.jobs)
    outcome = collect(options.sources, plan, options.csv, options.json)
    rows = totals(outcome.results)
    inputs.report_skipped(outcome.skipped)
    if not rows:
        say("there are no pictures to measure")
        return 2
    if options.each:
        print(tables.text(shown([r.row() for r in outcome.results]), EACH), end="\n\n")
    print(tables.text(shown(rows), COLUMNS))
    for row in rows:
        if row.get("max_overhead_bytes", 0) > ALLOWED_BYTES:
            say(
                f"{row['set']}, {row['codec']}: a file is {row['max_overhead_bytes']:.1f} bytes larger than "
                f"its NLL and {ALLOWED_PART:.2%} of it; {ALLOWED_BYTES} are the aim"
            )
    if any(r.codec == JXL and r.note == NOT_INSTALLED for r in outcome.results):
        say(f"JPEG XL is not installed here: {INSTALL_JXL}")
    complete = outcome.done == outcome.total
    return 0 if complete and not any(r.failed for r in outcome.results) else 1


if __name__ == "__main__":
    sys.exit(main())
