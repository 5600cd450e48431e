"""What :mod:`benchmarks.ratio` and :mod:`benchmarks.speed` left in JSON files, several of each taken together."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arcomp.measure.record import Measurement
from benchmarks import sizes, speed

Row = Mapping[str, Any]


@dataclass
class Collected:
    """Results of both kinds; of one codec on one picture the last one read.

    Attributes:
        ratio: by set, picture and codec.
        speed: by picture, codec, action and threads.
        complete: no run was interrupted.
    """

    ratio: dict[tuple[str, ...], Measurement] = field(default_factory=dict)
    speed: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    complete: bool = True

    def add(self, document: Mapping[str, Any]) -> None:
        """What a file holds.

        Raises:
            ValueError: it is not one of these benchmarks'.
        """
        kind = document.get("benchmark")
        if kind == "ratio":
            found = map(Measurement.of, document["pictures"])
            self.ratio |= {(r.set, r.input, r.codec): r for r in found}
            self.complete &= document["complete"]
        elif kind == "speed":
            keys = ("set", "picture", "codec", "action", "threads")
            self.speed |= {tuple(row[key] for key in keys): row for row in document["rows"]}
        else:
            raise ValueError("not a file of benchmarks.ratio or benchmarks.speed")

    def sets(self) -> list[dict[str, Any]]:
        """Totals of sizes over each set, and over all if there are several."""
        return sizes.totals(list(self.ratio.values()))

    def threads(self) -> list[int]:
        """Numbers of threads that speed was measured with."""
        return sorted({row["threads"] for row in self.speed.values()})

    def speeds(self, threads: int) -> dict[tuple[str, str], dict[str, Any]]:
        """Totals of speed over all pictures, by codec and action."""
        rows = speed.totals([row for row in self.speed.values() if row["threads"] == threads])
        return {(row["codec"], row["action"]): row for row in rows}

    def pictures(self, threads: int) -> list[str]:
        """What speed was measured on: names and sizes."""
        rows = (row for row in self.speed.values() if row["threads"] == threads)
        return list(dict.fromkeys(f"{row['picture']}, {row['width']} x {row['height']}" for row in rows))


def read(parser: argparse.ArgumentParser, paths: Sequence[Path]) -> Collected:
    """Files named on a command line."""
    measured = Collected()
    for path in paths:
        try:
            measured.add(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            parser.error(f"{path}: {error.strerror}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            parser.error(f"{path}: {error}")
    return measured
