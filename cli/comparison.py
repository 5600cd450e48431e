"""The table that ``arcomp compare`` prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli.console import one_line

if TYPE_CHECKING:
    from arcomp.measure.results import Result

WIDEST_BAR, NARROWEST_BAR = 24, 6
BLOCKS = " ▏▎▍▌▋▊▉█"
"""Eighths of a character."""
DROPPED = ("parameters", "encode_mps", "nll_float", "nll_exact", "round_trip")
"""Columns that a narrow terminal goes without, the first ones first."""
STAR = "*"


def bar(part: float, width: int) -> str:
    """A bar over so many characters, to an eighth of one; "#" where the terminal has no blocks."""
    try:
        BLOCKS.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return "#" * round(part * width)
    whole, rest = divmod(round(part * width * 8), 8)
    return (BLOCKS[8] * whole + BLOCKS[rest]).rstrip()


def _cells(result: Result, several: int) -> dict[str, Any]:
    """A result as a row of the table."""
    float_nll = result.per_subpixel("nll_bits_float")
    mark = STAR if result.learns else " "
    return {
        "model": one_line(result.model),
        "inputs": f"{len(result.done)} of {several}",
        "bits": result.bits_per_subpixel,
        "nll_float": None if float_nll is None else f"{float_nll:.4f}{mark}",
        "nll_exact": result.per_subpixel("nll_bits_exact"),
        "overhead": result.overhead_percent,
        "parameters": result.parameters,
        "encode_mps": result.mps("encode_seconds"),
        "decode_mps": result.mps("decode_seconds"),
        "round_trip": "FAILED" if result.failed else "ok",
    }


def table(found: Sequence[Result], terminal: int | None, of_bytes: bool = False) -> str:
    """The results as text, the smallest first.

    Args:
        terminal: columns of the terminal, for bars and colours; None for plain text.
        of_bytes: all inputs are.
    """
    from arcomp.measure.speeds import rate
    from arcomp.measure.tables import THREE_DIGITS, Column, text

    done = [result for result in found if result.done]
    inputs = max((len(result.each) for result in found), default=0)
    rows = [_cells(result, inputs) for result in done]
    speed = rate(found, of_bytes)
    for row in rows:
        row |= {key: speed.of(row[key]) for key in ("encode_mps", "decode_mps")}
    columns = [
        Column("model", "model"),
        *([Column("inputs", "inputs", "s")] if any(len(r.done) < inputs for r in done) else []),
        Column("bits", "bits/byte" if of_bytes else "bits/sub-pixel", ".4f"),
        Column("nll_float", "NLL float", ".4f"),
        Column("nll_exact", "NLL exact", ".4f"),
        Column("overhead", "overhead %", "+.3f"),
        Column("parameters", "parameters", ",d"),
        Column("encode_mps", f"{speed.short} enc", THREE_DIGITS),
        Column("decode_mps", f"{speed.short} dec", THREE_DIGITS),
        Column("round_trip", "round trip"),
    ]
    made = text(rows, columns) if rows else ""
    if rows and terminal:
        made = _fitted(rows, columns, done, terminal)
    lines = [made] if made else []
    lines += _left_out(found)
    if any(STAR in (row["nll_float"] or "") for row in rows):
        lines.append(f"{STAR} of the network alone, without what the model learns from the picture as it codes")
    return "\n".join(lines)


def _left_out(found: Sequence[Result]) -> list[str]:
    """Who did not take what, a line for each reason."""
    from arcomp.measure.results import MODEL

    names: dict[str, list[str]] = {}
    for result in found:
        if result.skipped:
            reason = MODEL.sub("", one_line(result.skipped))
            names.setdefault(reason, []).append(one_line(result.model))
    return [f"{', '.join(models)}: skipped: {reason}" for reason, models in names.items()]


def _fitted(rows: Sequence[dict[str, Any]], columns: list[Any], done: Sequence[Result], terminal: int) -> str:
    """The table with bars after the first figure, without the columns that have no room, in colours."""
    from arcomp.measure.tables import Column, text

    def width_left() -> int:
        return terminal - max(map(len, text(rows, columns).splitlines())) - 3

    for key in DROPPED:
        if width_left() < NARROWEST_BAR:
            columns = [c for c in columns if c.key != key]
    width = min(WIDEST_BAR, width_left())
    most = max(row["bits"] for row in rows)
    if width >= NARROWEST_BAR:
        at = next(i for i, c in enumerate(columns) if c.key == "bits") + 1
        columns = [*columns[:at], Column("bar", " " * width), *columns[at:]]
        rows = [{**row, "bar": bar(row["bits"] / most, width) if most else ""} for row in rows]
    lines = text(rows, columns).splitlines()
    lines[1] = ""
    if os.environ.get("NO_COLOR"):
        return "\n".join(lines)
    styled = [click.style(lines[0], bold=True)]
    for i, (line, result) in enumerate(zip(lines[2:], done, strict=True)):
        drawn = rows[i].get("bar", "")
        coloured = click.style(drawn, fg="cyan" if result.kind == "model" else "bright_black")
        line = line.replace(drawn, coloured, 1) if drawn else line
        styled.append(click.style(line, fg="red") if result.failed else line)
    return "\n".join(styled)
