"""Size against speed: ``python -m benchmarks.pareto RATIO.json... SPEED.json... [--plot FILE.png] [--set NAME]``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arcomp.measure import plot, tables
from arcomp.measure.codecs import INSTALL_PEERS
from arcomp.measure.plot import Mark, front
from arcomp.measure.tables import Column
from benchmarks import results
from benchmarks.choice import JXL
from benchmarks.outputs import say
from benchmarks.results import Collected

MOST = 1.5
"""Largest size that is drawn if nothing else is asked for: beyond it the others would be squeezed together."""


@dataclass
class Point:
    """One codec.

    Attributes:
        codec: its name.
        model: it is one of arcomp's.
        pictures: how many of the set it encoded.
        bits_per_subpixel: of them.
        size: beside JPEG XL, over those that both encoded.
        encode_mps: megapixels a second.
        decode_mps: megapixels a second.
        front: no other is as small and as fast, and better in one of both.
    """

    codec: str
    model: bool
    pictures: int
    bits_per_subpixel: float
    size: float
    encode_mps: float
    decode_mps: float
    front: bool = False


def points(measured: Collected, name: str, threads: int) -> list[Point]:
    """Codecs of which both size and speed are known, the fastest last."""
    speeds = measured.speeds(threads)
    found = []
    for row in measured.sets():
        encode, decode = (speeds.get((row["codec"], action)) for action in ("encode", "decode"))
        if row["set"] == name and row.get("to_jxl") is not None and encode and decode and row["round_trip"]:
            model, bits = row.get("nll_bits_exact") is not None, row["bits_per_subpixel"]
            what = (row["codec"], model, row["pictures"], bits, row["to_jxl"])
            found.append(Point(*what, encode["mps"], decode["mps"]))
    found.sort(key=lambda p: (p.decode_mps, -p.size))
    for i in front([_mark(p) for p in found]):
        found[i].front = True
    return found


def _mark(p: Point) -> Mark:
    return Mark(p.codec, p.decode_mps, p.size, p.model)


COLUMNS = [
    Column("codec", "codec"),
    Column("pictures", "pictures", "d"),
    Column("bits_per_subpixel", "bits/sub-pixel", ".4f"),
    Column("size", f"/ {JXL}", ".4f"),
    Column("encode_mps", "MP/s enc", ".3f"),
    Column("decode_mps", "MP/s dec", ".3f"),
    Column("front", "on the front"),
]


def values(point: Point) -> dict[str, Any]:
    """As a row of a table."""
    return {**asdict(point), "front": "yes" if point.front else ""}


def described(measured: Collected, threads: int, found: Sequence[Point], drawn: Sequence[Point]) -> list[str]:
    """What a reader has to know of the drawing."""
    pictures = measured.pictures(threads)
    what = pictures[0] if len(pictures) == 1 else f"{len(pictures)} pictures"
    lines = [f"Speed: {what}, {threads} thread{'s' if threads > 1 else ''}, without start-up."]
    beyond = [f"{p.codec} ({p.size:.2f})" for p in found if p not in drawn]
    return [*lines, f"Larger, and not drawn: {', '.join(beyond)}."] if beyond else lines


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser("python -m benchmarks.pareto", description=(__doc__ or "").split(":")[0] + ".")
    parser.add_argument("files", nargs="+", type=Path, metavar="JSON", help="that ratio and speed wrote")
    parser.add_argument("--set", help="whose sizes (default: all together)")
    parser.add_argument("--threads", type=int, help="whose speeds, if there are several (default: the most)")
    parser.add_argument("--most", type=float, default=MOST, help=f"largest size drawn (default {MOST})")
    parser.add_argument("--plot", type=Path, help="draw it here: .png, .svg or .pdf")
    options = parser.parse_args(arguments)
    options.measured = results.read(parser, options.files)
    sets = list(dict.fromkeys(row["set"] for row in options.measured.sets()))
    threads = options.measured.threads()
    if not sets or not threads:
        parser.error("files of both benchmarks.ratio and benchmarks.speed are needed")
    options.set = sets[-1] if options.set is None else options.set
    options.threads = threads[-1] if options.threads is None else options.threads
    if options.set not in sets:
        parser.error(f"no set {options.set!r}; there are {', '.join(sets)}")
    if options.threads not in threads:
        parser.error(f"not measured with {options.threads} threads but {', '.join(map(str, threads))}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the points, and draw them; 1 if drawing is not installed, 2 if there are none."""
    options = parse(arguments)
    found = points(options.measured, options.set, options.threads)
    drawn = [p for p in found if p.size <= options.most]
    print(tables.text([values(p) for p in found], COLUMNS))
    if not drawn:
        say(f"of no codec both the speed and the size beside {JXL} are known")
        return 2
    for line in described(options.measured, options.threads, found, drawn):
        say(line)
    if options.plot:
        if not plot.available():
            say(f"drawing needs matplotlib: {INSTALL_PEERS}")
            return 1
        title = f"{options.set}: size, {JXL} = 1, smaller is lower"
        made = plot.figure([_mark(p) for p in drawn], "decoding, megapixels a second", title, (8, 5))
        made.savefig(options.plot, dpi=160)
    return 0


if __name__ == "__main__":
    sys.exit(main())
