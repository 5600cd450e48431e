"""How fast, and in how much memory: each codec in fresh processes, one to encode and one to decode.

``python -m benchmarks.speed PATH... [--models context] [--jxl 7,9] [--threads 1] [--repeat 3] [--csv F] [--json F]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.errors import ArcompError, PictureError
from arcomp.measure import tables
from arcomp.measure.codecs import INSTALL_PEERS, NOT_INSTALLED, JpegXl
from arcomp.measure.inputs import read
from arcomp.measure.tables import Column
from arcomp.samples import Samples
from benchmarks import children, inputs, outputs
from benchmarks.choice import EFFORT, Choice, add_options, chosen
from benchmarks.outputs import say

ACTIONS = ("encode", "decode")
EFFORTS = (7, EFFORT)
"""Of JPEG XL, if none are given: libjxl's own default, and what sizes are relative to."""
Row = dict[str, Any]


def measure(source: inputs.Source, samples: Samples, codec: str, choice: Choice, repeat: int) -> list[Row]:
    """One codec on one picture: a row for encoding, one for decoding."""
    _, height, width, channels = samples.pixels.shape
    what: dict[str, Any] = {"set": source.set, "picture": source.path.name, "height": height, "width": width}
    what |= {"channels": channels, "positions": samples.positions, "codec": codec, "threads": choice.threads}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "pixels.npy"), samples.pixels)
        for action in ACTIONS:
            request: Row = {"folder": folder, "codec": codec, "choice": asdict(choice), "action": action}
            request["depth"] = samples.depth
            request |= {"repeat": repeat, "asked": time.time()}
            found = children.ask("benchmarks.speed_child", request, children.limit_threads(choice.threads))
            rows.append({**what, "action": action, **_derived(found, samples.positions)})
            if found.get("error") or found.get("note"):
                break
    return rows


def _derived(found: Mapping[str, Any], pixels: int) -> Row:
    """A child's answer, with what follows from it."""
    if found.get("error") or found.get("note"):
        return {"error": found.get("error", ""), "note": found.get("note", "")}
    first, later = found["seconds"][0], found["seconds"][1:]
    median = float(np.median(later or [first]))
    return {
        "bytes": found["bytes"],
        "startup_s": found["startup_s"],
        "first_s": first,
        "command_s": found["startup_s"] + first,
        "median_s": median,
        "mps": pixels / 1e6 / median,
        "startup_mib": found["startup_mib"],
        "peak_mib": found["peak_mib"],
        "same": found.get("same"),
        "error": "",
        "note": "",
    }


COLUMNS = [
    Column("picture", "picture"),
    Column("codec", "codec"),
    Column("action", "action"),
    Column("bytes", "bytes", ",d"),
    Column("startup_s", "start-up s", ".2f"),
    Column("first_s", "first s", ".3f"),
    Column("command_s", "command s", ".2f"),
    Column("median_s", "then s", ".3f"),
    Column("mps", "MP/s", ".3f"),
    Column("startup_mib", "start-up MiB", ".0f"),
    Column("peak_mib", "peak MiB", ".0f"),
    Column("same", "round trip"),
    Column("remarks", "remarks"),
]


def totals(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """One row for each codec and action over all pictures: sums of times, largest memory."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.get("median_s"):
            found.setdefault((row["codec"], row["action"]), []).append(row)
    result = []
    for (codec, action), group in found.items():
        seconds = sum(r["median_s"] for r in group)
        pixels = sum(r["positions"] for r in group)
        row = {"picture": f"all {len(group)}", "codec": codec, "action": action}
        row |= {key: sum(r[key] for r in group) for key in ("bytes", "first_s", "median_s")}
        row |= {key: float(np.median([r[key] for r in group])) for key in ("startup_s", "command_s")}
        row |= {key: max(r[key] for r in group) for key in ("startup_mib", "peak_mib")}
        row |= {"mps": pixels / 1e6 / seconds, "same": all(r["same"] for r in group if action == "decode")}
        result.append(row | ({"same": None} if action == "encode" else {}))
    return result


def shown(rows: Sequence[Row]) -> list[Row]:
    """Rows as a person reads them: where there is no file, a word stands in place of its size."""

    def word(row: Row) -> str:
        return "failed" if row.get("error") else NOT_INSTALLED if row["note"].startswith(NOT_INSTALLED) else "refused"

    made = []
    for row in rows:
        missing = {} if "bytes" in row else {"bytes": word(row), "remarks": row["error"] or row["note"]}
        made.append({"remarks": "", **row, **missing})
    return made


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("python -m benchmarks.speed", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="pictures, or folders of them")
    add_options(parser, EFFORTS)
    parser.add_argument("--threads", type=int, default=1, help="for every codec that can use them (default 1)")
    parser.add_argument("--repeat", type=int, default=3, help="times in each process (default 3)")
    parser.add_argument("--csv", type=Path, help="write all rows here")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args(arguments)
    if options.threads < 1 or options.repeat < 1:
        parser.error("--threads and --repeat must be at least 1")
    options.choice = chosen(parser, options, options.threads)
    try:
        options.sources = inputs.find(options.paths)
        outputs.claim(options.csv)
        outputs.claim(options.json)
    except (OSError, ArcompError) as error:
        parser.error(str(error))
    return options


def collect(options: argparse.Namespace) -> tuple[list[Row], Counter[str]]:
    """Measure all codecs on all pictures, and tell of each; and the reasons pictures were passed over for."""
    codecs = options.choice.names()
    rows: list[Row] = []
    skipped: Counter[str] = Counter()
    try:
        for source in options.sources:
            try:
                samples = read(source.path)
            except PictureError as error:
                skipped[error.cause] += 1
                continue
            for codec in codecs:
                found = measure(source, samples, codec, options.choice, options.repeat)
                rows += found
                said = (f"{r['action']} {_brief(r)}" for r in found)
                say(f"{source.set}/{source.path.name} {codec}: {', '.join(said)}")
    except KeyboardInterrupt:
        say("interrupted; these are the results so far")
    return rows, skipped


def _brief(row: Row) -> str:
    return f"{row['mps']:.3f} MP/s, {row['peak_mib']:.0f} MiB" if "mps" in row else row["error"] or row["note"]


def failed(row: Row) -> bool:
    """Whether a codec did not do what it must."""
    return bool(row.get("error")) or row.get("same") is False


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a codec failed, 2 if there was nothing to measure."""
    options = parse(arguments)
    rows, skipped = collect(options)
    inputs.report_skipped(skipped)
    if not rows:
        say("there are no pictures to measure")
        return 2
    several = len({(r["set"], r["picture"]) for r in rows}) > 1
    summary = totals(rows) if several else []
    print(tables.text(shown([*rows, *summary]), COLUMNS))
    outputs.write_csv(options.csv, rows)
    settings = {"threads": options.threads, "repeat": options.repeat}
    whole = {"benchmark": "speed", **settings, "rows": rows, "totals": summary, "skipped": dict(skipped)}
    outputs.write_json(options.json, whole)
    if any(r["codec"].startswith(JpegXl.FAMILY) and r.get("note", "").startswith(NOT_INSTALLED) for r in rows):
        say(f"JPEG XL is not installed here: {INSTALL_PEERS}")
    return 1 if any(map(failed, rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
