"""Drawing what :mod:`benchmarks.pareto` found, by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as Line
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from benchmarks.choice import JXL
from benchmarks.pareto import Point

MODEL, PEER, FRONT, TEXT, FAINT = "#0b62c4", "#6b7280", "#e07b00", "#1b1f24", "#e3e6ea"
SIDES = [(cos(pi * i / 8), sin(pi * i / 8)) for i in (0, 8, 4, 12, 2, 14, 6, 10, 1, 15, 7, 9, 3, 13, 5, 11)]
"""Where a label may stand as seen from its point, the best first."""
DISTANCES = (7, 12, 20, 30, 42, 56)
"""From a point to its label, in points of 1/72 inch."""
LEADER = 20
"""From there on a line leads to the label."""
SETTINGS: Any = {"font.family": "DejaVu Sans", "font.size": 10.5, "svg.fonttype": "path", "svg.hashsalt": "arcomp"}


def png(path: Path, title: str, about: Sequence[str], points: Sequence[Point]) -> None:
    """A picture with its title and what is to be known of it."""
    with matplotlib.rc_context(SETTINGS):
        figure(points, title, about).savefig(path, dpi=160, format="png")


def svg(points: Sequence[Point]) -> str:
    """An element for a page, which has the title itself."""
    with matplotlib.rc_context(SETTINGS):
        buffer = io.StringIO()
        figure(points, "", ()).savefig(buffer, format="svg", metadata={"Date": None})
    whole = buffer.getvalue()
    said = f'role="img" aria-label="Size beside {JXL} against decoding speed; the numbers are in the table" '
    return whole[whole.index("<svg") :].replace("<svg ", "<svg " + said, 1).strip()


def figure(points: Sequence[Point], title: str, about: Sequence[str]) -> Figure:
    """The drawing; without a title, neither that nor ``about``."""
    made = Figure(figsize=(9, 5.6 if title else 5.2), layout="constrained")
    FigureCanvasAgg(made)
    axes = made.add_subplot()
    _axes(axes, points)
    if title:
        axes.set_title(title, loc="left", fontsize=13, color=TEXT, pad=12)
        made.supxlabel("\n".join(about), fontsize=9, color=PEER, x=0.01, ha="left")
    front = _steps([p for p in points if p.front])
    axes.plot(*zip(*front, strict=True), color=FRONT, lw=1.6, zorder=2, label="Pareto front")
    for model, marker, colour, label in ((True, "o", MODEL, "arcomp"), (False, "s", PEER, "other codecs")):
        own = [p for p in points if p.model == model]
        if own:
            x, y = [p.decode_mps for p in own], [p.size for p in own]
            axes.scatter(x, y, s=48, marker=marker, color=colour, edgecolor="white", lw=0.8, zorder=3, label=label)
    legend = axes.legend(loc="best", frameon=False, fontsize=9.5, labelcolor=TEXT)
    made.draw_without_rendering()  # fixes where everything is, which labels are fitted into
    legend.set_in_layout(False)
    made.set_layout_engine("none")
    _label(axes, points, [legend.get_window_extent()], Line(axes.transData.transform(front)))
    return made


def _steps(front: Sequence[Point]) -> list[tuple[float, float]]:
    """The front's corners: whoever wants more speed than a codec has must take the next one's size."""
    corners = [(front[0].decode_mps, front[0].size)]
    for before, after in pairwise(front):
        corners += [(before.decode_mps, after.size), (after.decode_mps, after.size)]
    return corners


def _axes(axes: Any, points: Sequence[Point]) -> None:
    """Scales with room for labels, and what they say."""
    axes.set_xscale("log")
    x, y = [p.decode_mps for p in points], [p.size for p in points]
    axes.set_xlim(min(x) / 2, max(x) * 2.5)
    room = max(0.02, 0.12 * (max(y) - min(y)))
    axes.set_ylim(min(y) - room, max(y) + room)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2f}"))
    axes.set_xlabel("decoding speed, megapixels a second (logarithmic; faster to the right)", color=TEXT)
    axes.set_ylabel(f"size, {JXL} = 1 (smaller is lower)", color=TEXT)
    axes.grid(color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", color="#aab1ba", labelcolor=TEXT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#aab1ba")


@dataclass
class _Place:
    """Where a label could stand: a box, the line that would lead there, and what is against it."""

    box: Bbox
    leader: Line
    cost: float
    led: bool


def _label(axes: Any, points: Sequence[Point], taken: list[Bbox], front: Line) -> None:
    """Each codec's name where it covers nothing: beside its point, or a little away with a line to it."""
    unit = axes.figure.dpi / 72
    centres = [axes.transData.transform((p.decode_mps, p.size)) for p in points]
    marks = [Bbox.from_bounds(x - 5 * unit, y - 5 * unit, 10 * unit, 10 * unit) for x, y in centres]
    lines = [front]
    for i, point in enumerate(points):
        x, y = centres[i]
        others = marks[:i] + marks[i + 1 :]
        text = axes.annotate(
            point.codec, (point.decode_mps, point.size), (0, 0), textcoords="offset points", va="bottom", zorder=4,
            color=MODEL if point.model else TEXT, fontweight="bold" if point.front else "normal",
        )  # fmt: skip
        size = text.get_window_extent()
        places = []
        for distance in DISTANCES:
            for right, up in SIDES:
                left = x + right * distance * unit - size.width * (1 - right) / 2
                bottom = y + up * distance * unit - size.height * (1 - up) / 2
                box = Bbox.from_bounds(left, bottom, size.width, size.height)
                places.append(_place(box, (x, y), distance, others, taken, lines, axes.bbox))
        place = min(places, key=lambda p: p.cost)  # the first of equals: the nearest
        taken.append(place.box)
        text.set_position(((place.box.x0 - x) / unit, (place.box.y0 - y) / unit))
        if place.led:
            lines.append(place.leader)
            ends = axes.transData.inverted().transform(place.leader.vertices)
            axes.plot(ends[:, 0], ends[:, 1], color="#aab1ba", lw=0.8, zorder=1.5)


def _place(
    box: Bbox,
    point: tuple[float, float],
    distance: int,
    others: Sequence[Bbox],
    taken: Sequence[Bbox],
    lines: Sequence[Line],
    within: Bbox,
) -> _Place:
    x, y = point
    near = (min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1))
    leader = Line([point, near])
    around = box.padded(4)
    mine = _away(box, x, y)
    doubtful = any(_away(box, (m.x0 + m.x1) / 2, (m.y0 + m.y1) / 2) <= 1.5 * mine for m in others)
    led = distance >= LEADER or doubtful
    cost = 20.0 * sum(bool(around.overlaps(other)) for other in (*others, *taken))
    cost += 20 * bool(box.x0 < within.x0 or box.y0 < within.y0 or box.x1 > within.x1 or box.y1 > within.y1)
    cost += 12 * sum(bool(line.intersects_bbox(around, filled=False)) for line in lines) + doubtful
    if led:  # nor may the line run through names; between points it may have to
        cost += 10 * sum(bool(leader.intersects_bbox(other, filled=False)) for other in taken)
        cost += 2 * sum(bool(leader.intersects_bbox(o, filled=False)) and not o.contains(x, y) for o in others)
    return _Place(box, leader, cost, led)


def _away(box: Bbox, x: float, y: float) -> float:
    return float(hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1)))
