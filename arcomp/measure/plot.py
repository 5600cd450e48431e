"""Size against speed, drawn by matplotlib (the extra ``bench``): as SVG for a page, or as a file."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 2.5
"""Largest size that is drawn, in parts of the smallest."""
SQUEEZED = 2.0
"""How much more room a few large ones may take that the others would have alone."""
MARK = 34
"""Area of a mark, in square points."""
NEAREST = ["east", "northeast", "southeast", "west", "northwest", "southwest", "north", "south"]
"""Where a name goes, from its mark, if it covers nothing there."""
NEAR = 12
"""Points from a mark within which its name needs no line to it."""
CANDIDATES = 400
"""Places that are tried for a name."""
ROOMY = 8
"""Names that a low figure has room for."""
FEW = 0.25
"""Of all marks, that may be left out for the others' sake."""
NEEDED = ("matplotlib", "textalloc")
OURS, PEER, FRONT, INK, SOFT, FAINT, PAPER = "#0b62c4", "#8b949e", "#d97706", "#1b1f24", "#57606a", "#e4e8ec", "#ffffff"
VARIABLES = {OURS: "ours", PEER: "peer", FRONT: "front", INK: "ink", SOFT: "soft", FAINT: "faint", PAPER: "paper"}
"""A page's names for the colours: there they follow the reader's light or dark style."""
SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": PEER,
    "axes.labelcolor": SOFT,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": FAINT,
    "svg.fonttype": "none",  # letters stay letters: small, and read aloud by those who need it
    "svg.hashsalt": "arcomp",
}


@dataclass(frozen=True)
class Mark:
    """A point.

    Attributes:
        name: shown beside it.
        speed: megapixels a second.
        size: in the unit of the vertical axis.
        ours: one of arcomp's models.
    """

    name: str
    speed: float
    size: float
    ours: bool


def available() -> bool:
    """Whether the libraries that draw are installed."""
    return all(find_spec(name) for name in NEEDED)


def front(marks: Sequence[Mark]) -> list[int]:
    """The Pareto front: the numbers of those that no other is as fast and as small as, and better in one of both. The
    fastest is last."""
    best, found = float("inf"), []
    for i in sorted(range(len(marks)), key=lambda i: (-marks[i].speed, marks[i].size)):
        if marks[i].size < best:
            best = marks[i].size
            found.append(i)
    return found[::-1]


def drawable(marks: Sequence[Mark], most: float = MOST) -> list[Mark]:
    """Those of at most so many times the smallest size, without a few that stand far above the others: they would
    squeeze these together."""
    kept = sorted((m for m in marks if m.size <= most * min(m.size for m in marks)), key=lambda m: m.size)
    above = [m.size - kept[0].size for m in kept]
    most_out, out = int(FEW * len(kept)), 0
    for more in range(1, most_out + 1):
        if 0 < SQUEEZED * above[-more - 1] < above[-out - 1]:
            out = more
    return [m for m in marks if m in kept[: len(kept) - out]]


def short(names: Sequence[str]) -> list[str]:
    """Names without what weights are called after their model, where that leaves no two alike."""
    models = [name.split("-")[0] for name in names]
    return [model if models.count(model) == 1 else name for model, name in zip(models, names, strict=True)]


def figure(marks: Sequence[Mark], x_title: str, y_title: str, size: tuple[float, float] | None = None) -> Figure:
    """A scatter plot with the Pareto front and the names of all marks.

    Args:
        marks: at least one; speeds are above 0.
        x_title: of the axis of speed, which is logarithmic.
        y_title: of the axis of size.
        size: of the figure in inches; None: higher the more names there are.
    """
    import matplotlib
    from matplotlib.figure import Figure

    size = size or (4.6, 3.5 + 0.13 * max(0, len(marks) - ROOMY))
    with matplotlib.rc_context(SETTINGS):
        made = Figure(figsize=size, layout="constrained")
        axes = made.add_subplot()
        _axes(axes, marks)
        axes.set_xlabel(x_title)
        axes.set_title(y_title, loc="left", fontsize=9, color=SOFT)
        best = front(marks)
        x = np.repeat([marks[i].speed for i in best], 2)[:-1]  # more speed than one has costs the next one's size
        y = np.repeat([marks[i].size for i in best], 2)[1:]
        axes.plot(x, y, color=FRONT, lw=1.5, zorder=2)
        for ours, marker, colour in ((True, "o", OURS), (False, "s", PEER)):
            own = [m for m in marks if m.ours == ours]
            where = [m.speed for m in own], [m.size for m in own]
            axes.scatter(*where, s=MARK, marker=marker, color=colour, edgecolor=PAPER, lw=0.8, zorder=3)
        made.draw_without_rendering()  # fixes where everything is, which names are fitted into
        made.set_layout_engine("none")
        _names(axes, marks, set(best), (x, y))
    return made


def _axes(axes: Any, marks: Sequence[Mark]) -> None:
    """Scales with room for names."""
    speeds, sizes = [m.speed for m in marks], [m.size for m in marks]
    margin = max(0.12 * (max(sizes) - min(sizes)), 0.02 * max(sizes), 1e-6)
    axes.set_xscale("log")
    axes.set_xlim(min(speeds) / 2, max(speeds) * 2.5)
    axes.set_ylim(min(sizes) - margin, max(sizes) + margin)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    axes.grid(lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _names(axes: Any, marks: Sequence[Mark], best: set[int], line: tuple[Any, Any]) -> None:
    """Each mark's name where it covers nothing, with a line to it where it stands away."""
    import textalloc

    x, y = [m.speed for m in marks], [m.size for m in marks]
    pixels = axes.figure.dpi / 72  # of a point
    radii: Any = [MARK**0.5 / 2 * pixels] * len(marks)
    found: Any = textalloc.allocate(
        axes, x, y, [name.replace("$", r"\$") for name in short([m.name for m in marks])],
        x_scatter=x, y_scatter=y, x_lines=[line[0]], y_lines=[line[1]],
        textsize=8, textcolor=[OURS if m.ours else INK for m in marks],
        fontweight=["bold" if i in best else "normal" for i in range(len(marks))],
        linecolor=PEER, linewidth=0.6, margin=0.008, min_distance=0.006, max_distance=0.3, nbr_candidates=CANDIDATES,
        scatter_sizes=radii, text_scatter_sizes=radii, direction=NEAREST,
        avoid_label_lines_overlap=True, avoid_crossing_label_lines=True,
    )  # fmt: skip
    _, _, texts, leaders = found  # artists of matplotlib
    for text in texts:
        text.set_gid("name")
        text.set_zorder(4)
    for leader in leaders:
        if leader is not None:
            (x0, y0), (x1, y1) = axes.transData.transform(leader.get_xydata())
            if np.hypot(x1 - x0, y1 - y0) < NEAR * pixels:
                leader.remove()


def svg(made: Figure, said: str) -> str:
    """A figure as an element ``svg`` of a page, in the page's colours.

    Args:
        said: what it shows, for those who do not see it.
    """
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context(SETTINGS):
        made.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box
    body = text[text.index(">", box.end()) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.S)
    body = re.sub(r'<g id="name">', '<g class="name">', body)
    body = re.sub(r'<g id="[^"]*">', "<g>", body)  # two figures of a page would have the same ones
    for colour, name in VARIABLES.items():
        body = body.replace(colour, f"var(--{name})")
    return f'<svg class="plot" viewBox="{box[1]}" role="img" aria-label="{escape(said)}">{body}'
