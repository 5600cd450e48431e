"""A plot of size against speed as SVG, for a page: colours come from the page's style (:mod:`arcomp.measure.html`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

from arcomp.measure.labels import Box, Point, place

WIDTH, HEIGHT = 440, 330
FRAME = Box(46, 30, WIDTH - 12, HEIGHT - 44)
FONT = 12.5
LETTERS = {"iljtfrI.,:;'|! ": 0.38, "-_/()": 0.48, "mwMW": 0.95, "ABCDEFGHKLNOPQRSTUVXYZ": 0.72}
"""Width of letters in parts of the font's size, about, others being OTHER: no browser is there to measure names."""
OTHER = 0.62
MOST = 2.5
"""Largest size that is drawn, in parts of the smallest."""


@dataclass(frozen=True)
class Mark:
    """A point.

    Attributes:
        speed: megapixels a second. size: in the unit of the vertical axis.
        ours: one of arcomp's models.
    """

    name: str
    speed: float
    size: float
    ours: bool


def front(points: Sequence[Point]) -> list[int]:
    """The numbers of those (speed, size) that no other is as fast and as small as, and better in one of both; the
    fastest last."""
    best, found = float("inf"), []
    for i in sorted(range(len(points)), key=lambda i: (-points[i][0], points[i][1])):
        if points[i][1] < best:
            best = points[i][1]
            found.append(i)
    return found[::-1]


def steps(corners: Sequence[Point]) -> list[Point]:
    """A front as a line: whoever wants more speed than one has must take the next one's size."""
    line = list(corners[:1])
    for before, after in pairwise(corners):
        line += [(before[0], after[1]), after]
    return line


def ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """Round numbers within a range, evenly apart, and how they are written."""
    rough = (high - low) / most
    power = floor(log10(rough))
    step = next(10.0**power * m for m in (1, 2, 5, 10) if 10.0**power * m >= rough * (1 - 1e-9))
    decimals = max(0, -floor(log10(step) + 1e-9))
    numbers = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    return [(i * step, f"{i * step:.{decimals}f}") for i in numbers]


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, for a logarithmic axis."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5)):
        found = [d * 10.0**e for e in decades for d in digits if low <= d * 10.0**e <= high]
        if len(found) >= 3:
            break
    return found or [low]


def scatter(marks: Sequence[Mark], x_title: str, y_title: str, said: str) -> str:
    """An element ``svg``.

    Args:
        marks: at least one, speeds above 0.
        x_title, y_title: of the axes.
        said: what it shows, for those who do not see it.
    """
    x_low, x_high = min(m.speed for m in marks) / 2, max(m.speed for m in marks) * 2.5
    sizes = [m.size for m in marks]
    room = max(0.12 * (max(sizes) - min(sizes)), 0.02 * max(sizes), 1e-6)
    y_low, y_high = min(sizes) - room, max(sizes) + room

    def across(value: float) -> float:
        return FRAME.x0 + (FRAME.x1 - FRAME.x0) * log10(value / x_low) / log10(x_high / x_low)

    def down(value: float) -> float:
        return FRAME.y1 - (FRAME.y1 - FRAME.y0) * (value - y_low) / (y_high - y_low)

    parts = _axes(
        [(across(v), f"{v:g}") for v in log_ticks(x_low, x_high)], [(down(v), said) for v, said in ticks(y_low, y_high)]
    )
    parts.append(f'<text class="title" x="{FRAME.x0 - 38}" y="{FRAME.y0 - 14}">{escape(y_title)}</text>')
    parts.append(f'<text class="title" x="{FRAME.x1}" y="{HEIGHT - 6}" text-anchor="end">{escape(x_title)}</text>')
    at = [(across(m.speed), down(m.size)) for m in marks]
    best = front([(m.speed, m.size) for m in marks])
    line = steps([at[i] for i in best])
    parts.append(f'<polyline class="front" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in line)}"/>')
    parts += _names(marks, at, set(best), line)
    parts += [_mark(mark, *where) for mark, where in zip(marks, at, strict=True)]
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said)}" font-size="{FONT}">'
        + "".join(parts)
        + "</svg>"
    )


def text_width(name: str) -> float:
    """About, in units of the plot."""
    return FONT * sum(next((w for letters, w in LETTERS.items() if c in letters), OTHER) for c in name)


def drawable(marks: Sequence[Mark]) -> list[Mark]:
    """Those near enough to the smallest to be drawn with it: beyond MOST times its size they squeeze the others."""
    return [m for m in marks if m.size <= MOST * min(m.size for m in marks)]


def _axes(across: Sequence[tuple[float, str]], down: Sequence[tuple[float, str]]) -> list[str]:
    parts = []
    for x, said in across:
        parts.append(f'<path class="grid" d="M{x:.1f} {FRAME.y0}V{FRAME.y1}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{FRAME.y1 + 16}" text-anchor="middle">{said}</text>')
    for y, said in down:
        parts.append(f'<path class="grid" d="M{FRAME.x0} {y:.1f}H{FRAME.x1}"/>')
        parts.append(f'<text class="tick" x="{FRAME.x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>')
    parts.append(f'<path class="axis" d="M{FRAME.x0} {FRAME.y0}V{FRAME.y1}H{FRAME.x1}"/>')
    return parts


def _mark(mark: Mark, x: float, y: float) -> str:
    about = f"<title>{escape(mark.name)}: {mark.size:.4f}, {mark.speed:.3g} MP/s</title>"
    if mark.ours:
        return f'<circle class="ours" cx="{x:.1f}" cy="{y:.1f}" r="5">{about}</circle>'
    return f'<rect class="peer" x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" rx="1">{about}</rect>'


def _names(marks: Sequence[Mark], at: Sequence[Point], best: set[int], line: Sequence[Point]) -> list[str]:
    sizes = [(text_width(m.name) * (1.08 if i in best else 1), FONT) for i, m in enumerate(marks)]
    parts = []
    for i, label in enumerate(place(at, sizes, FRAME, lines=[line])):
        if label.leader:
            (x0, y0), (x1, y1) = label.leader
            parts.append(f'<path class="leader" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>')
        kind = ("ours" if marks[i].ours else "peer") + (" best" if i in best else "")
        middle, base = (label.box.x0 + label.box.x1) / 2, label.box.y1 - 0.22 * FONT
        where = f'x="{middle:.1f}" y="{base:.1f}" text-anchor="middle"'
        parts.append(f'<text class="name {kind}" {where}>{escape(marks[i].name)}</text>')
    return parts
