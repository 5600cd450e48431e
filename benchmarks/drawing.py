"""Drawing what :mod:`benchmarks.pareto` found, by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import Bbox

from arcomp.measure import labels
from arcomp.measure.plot import steps
from benchmarks.choice import JXL
from benchmarks.pareto import Point

MODEL, PEER, FRONT, TEXT, FAINT = "#0b62c4", "#6b7280", "#e07b00", "#1b1f24", "#e3e6ea"
SETTINGS: Any = {"font.family": "DejaVu Sans", "font.size": 10.5}


def png(path: Path, title: str, about: Sequence[str], points: Sequence[Point]) -> None:
    """A picture with its title and what is to be known of it."""
    with matplotlib.rc_context(SETTINGS):
        figure(points, title, about).savefig(path, dpi=160, format="png")


def figure(points: Sequence[Point], title: str, about: Sequence[str]) -> Figure:
    """The drawing, under its title, above what is to be known of it."""
    made = Figure(figsize=(9, 5.6), layout="constrained")
    FigureCanvasAgg(made)
    axes = made.add_subplot()
    _axes(axes, points)
    axes.set_title(title, loc="left", fontsize=13, color=TEXT, pad=12)
    made.supxlabel("\n".join(about), fontsize=9, color=PEER, x=0.01, ha="left")
    front = steps([(p.decode_mps, p.size) for p in points if p.front])
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
    _label(axes, points, [legend.get_window_extent()], axes.transData.transform(front).tolist())
    return made


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


def _label(axes: Any, points: Sequence[Point], taken: Sequence[Bbox], front: Sequence[tuple[float, float]]) -> None:
    """Each codec's name where it covers nothing: beside its point, or a little away with a line to it."""
    unit = axes.figure.dpi / 72
    centres = [tuple(axes.transData.transform((p.decode_mps, p.size))) for p in points]
    texts = [
        axes.annotate(
            point.codec, (point.decode_mps, point.size), (0, 0), textcoords="offset points", va="bottom", zorder=4,
            color=MODEL if point.model else TEXT, fontweight="bold" if point.front else "normal",
        )
        for point in points
    ]  # fmt: skip
    sizes = [(extent.width, extent.height) for extent in (text.get_window_extent() for text in texts)]
    found = labels.place(centres, sizes, _box(axes.bbox), [_box(t) for t in taken], [front], unit)
    for text, (x, y), label in zip(texts, centres, found, strict=True):
        text.set_position(((label.box.x0 - x) / unit, (label.box.y0 - y) / unit))
        if label.leader:
            ends = axes.transData.inverted().transform(label.leader)
            axes.plot(ends[:, 0], ends[:, 1], color="#aab1ba", lw=0.8, zorder=1.5)


def _box(box: Bbox) -> labels.Box:
    return labels.Box(box.x0, box.y0, box.x1, box.y1)
