"""What all pictures share: their look, and how they are written small."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from arcomp.errors import ArcompError
from arcomp.measure.plot import SETTINGS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = ("png", "svg")
COLOURS = ("#0b62c4", "#d97706", "#2a9d58", "#b4316c", "#6f57c4", "#8b949e")
"""Of lines and bars, one after the other."""
DPI = 110
PALETTE = 128
"""Colours of a PNG: enough for what is drawn here, and less than half of the bytes."""


@dataclass
class Picture:
    """What was drawn.

    Attributes:
        figure: of matplotlib.
        said: what it shows, in numbers: a line, and the same as an object, each.
    """

    figure: Figure
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def say(self, line: str, **about: Any) -> None:
        """Add a line."""
        self.said.append((line, about))

    def file(self, ending: str) -> bytes:
        """The bytes of a PNG or an SVG; the same ones for the same picture."""
        import matplotlib

        buffer = io.BytesIO()
        with matplotlib.rc_context(SETTINGS):
            if ending == "svg":
                self.figure.savefig(buffer, format="svg", metadata={"Date": None})
                return buffer.getvalue()
            self.figure.savefig(buffer, format="png", dpi=DPI)
        return _small(buffer)


def _small(png: io.BytesIO) -> bytes:
    from PIL import Image

    small = io.BytesIO()
    with Image.open(png) as image:
        image.convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def check() -> None:
    """Refuse where nothing can be drawn.

    Raises:
        ArcompError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise ArcompError("pictures need matplotlib", remedy="install it with pip install 'arcomp[bench]'")


@contextmanager
def panels(
    count: int, each: tuple[float, float], columns: int = 4, more: float = 0.0
) -> Iterator[tuple[Picture, Sequence[Any]]]:
    """A picture to draw, and its panels, row by row.

    Args:
        count: panels. each: width and height of one, in inches. columns: panels in a row, at most. more: inches of
            width that belong to none.
    """
    import matplotlib
    from matplotlib.figure import Figure

    columns = min(columns, count)
    rows = -(-count // columns)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(columns * each[0] + more, rows * each[1]), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).reshape(-1))
        for unused in axes[count:]:
            unused.set_axis_off()
        yield Picture(figure), axes[:count]


def titled(axes: Any, title: str) -> None:
    """A panel's title, on its left."""
    axes.set_title(title, loc="left", fontsize=9)


def bare(axes: Any) -> None:
    """Without ticks."""
    axes.set_xticks([])
    axes.set_yticks([])
