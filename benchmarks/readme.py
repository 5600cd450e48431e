"""The README's tables of results, in Markdown: ``python -m benchmarks.readme RATIO.json... SPEED.json...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.choice import JXL
from benchmarks.outputs import say
from benchmarks.results import Collected
from benchmarks.sizes import WEBP

SETS = ("kodak", "cid22", "clic", "gray")
MODELS = ("context", "photo-turbo", "photo-fast", "photo-balanced", "photo-max")
CODECS = ("PNG", WEBP, JXL, *MODELS)
TITLES = {WEBP: "WebP lossless", **{name: f"`{name}`" for name in MODELS}}
NOTHING = "-"
Row = Mapping[str, Any]


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column is text, the others are numbers."""
    rule = ["---", *("---:" for _ in titles[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows))


def _found(rows: Mapping[tuple[str, str], Row], key: str, names: Sequence[str]) -> list[str]:
    """The names that have a value anywhere."""
    there = {codec for (codec, _), row in rows.items() if row.get(key) is not None}
    return [name for name in names if name in there]


def _cells(row: Mapping[str, Row | None], key: str, pictures: int) -> list[str]:
    """Values of a set, the smallest in bold; "-" where there is none, and a remark where it is not of all pictures."""
    values = {name: r[key] for name, r in row.items() if r and r.get(key) is not None}
    smallest = min((v for n, v in values.items() if (row[n] or {})["pictures"] == pictures), default=None)
    cells = []
    for name, r in row.items():
        if r is None or name not in values:
            cells.append(NOTHING)
            continue
        whole = r["pictures"] == pictures
        cell = format(values[name], ".4f" if key == "bits_per_subpixel" else ".3f")
        cell = f"**{cell}**" if whole and values[name] == smallest else cell
        cell += "" if whole else f" ({r['pictures']} of {pictures})"
        cells.append(cell if r["round_trip"] else f"{cell} WRONG")
    return cells


def sizes(measured: Collected, codecs: Sequence[str]) -> str:
    """Bits per sub-pixel of each set, and how large models' files are beside JPEG XL's."""
    totals = {(row["codec"], row["set"]): row for row in measured.sets() if row["set"] != "all"}
    names = list(dict.fromkeys(name for _, name in totals))
    names.sort(key=lambda name: SETS.index(name) if name in SETS else len(SETS))
    models = [name for name in codecs if totals and name not in ("PNG", WEBP, JXL)]
    tables = []
    for key, columns, title in (("bits_per_subpixel", codecs, "{}"), ("to_jxl", models, "{} / " + JXL)):
        columns = _found(totals, key, columns)
        rows = []
        for name in names:
            pictures = max(row["pictures"] for (_, s), row in totals.items() if s == name)
            cells = _cells({c: totals.get((c, name)) for c in columns}, key, pictures)
            rows.append([name, str(pictures), *cells])
        if columns:
            titles = [title.format(TITLES.get(c, c)) for c in columns]
            tables.append(markdown(["set", "pictures", *titles], rows))
    return "\n\n".join(tables)


def speeds(measured: Collected, threads: int, codecs: Sequence[str]) -> str:
    """Megapixels a second, start-up and memory, with what they were measured on."""
    found = measured.speeds(threads)
    rows = []
    for codec in _found(found, "mps", codecs):
        encode, decode = (found.get((codec, action), {}) for action in ("encode", "decode"))
        startups = [r["startup_s"] for r in (encode, decode) if r]
        cells = [_number(encode.get("mps")), _number(decode.get("mps")), f"{max(startups):.1f}"]
        memory = [f"{r['peak_mib']:.0f}" if r else NOTHING for r in (encode, decode)]
        rows.append([TITLES.get(codec, codec), *cells, *memory])
    titles = ["", "encode, MP/s", "decode, MP/s", "start-up, s", "peak MiB, encode", "peak MiB, decode"]
    pictures = measured.pictures(threads)
    what = pictures[0] if len(pictures) == 1 else f"{len(pictures)} pictures"
    many = "1 thread" if threads == 1 else f"{threads} threads"
    return f"{what}; {many}; megapixels a second without start-up:\n\n{markdown(titles, rows)}"


def _number(value: float | None) -> str:
    """Two digits that count, and no more."""
    if value is None:
        return NOTHING
    return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 2 if the files hold none."""
    parser = argparse.ArgumentParser("python -m benchmarks.readme", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("files", nargs="+", type=Path, metavar="JSON", help="that ratio and speed wrote")
    said = ",".join(CODECS)
    parser.add_argument("--codecs", default=said, metavar="NAMES", help=f"separated by commas (default {said})")
    options = parser.parse_args(arguments)
    measured, codecs = results.read(parser, options.files), options.codecs.split(",")
    if not measured.complete:
        say("a run of benchmarks.ratio was not finished; its tables are of the pictures it came to")
    parts = [sizes(measured, codecs), *(speeds(measured, threads, codecs) for threads in measured.threads())]
    print("\n\n".join(filter(None, parts)))
    return 0 if any(parts) else 2


if __name__ == "__main__":
    sys.exit(main())
