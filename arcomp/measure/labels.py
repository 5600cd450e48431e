"""Where names stand beside the points of a plot, so that they cover nothing. Lengths are in any unit, y up or down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin

Point = tuple[float, float]
Line = Sequence[Point]
SIDES = [(cos(pi * i / 8), sin(pi * i / 8)) for i in (0, 8, 4, 12, 2, 14, 6, 10, 1, 15, 7, 9, 3, 13, 5, 11)]
"""Where a label may stand as seen from its point, the best first."""
DISTANCES = (7, 12, 20, 30, 42, 56, 72, 90)
"""From a point to its label, in units."""
LEADER = 20
"""From there on a line leads to the label."""
MARK = 5
"""Half the side of a point's mark, in units."""


@dataclass(frozen=True)
class Box:
    """A rectangle with its sides along the axes."""

    x0: float
    y0: float
    x1: float
    y1: float

    def padded(self, by: float) -> Box:
        """Larger by so much on each side."""
        return Box(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    def overlaps(self, other: Box) -> bool:
        """Whether the two have a point in common."""
        return self.x0 <= other.x1 and other.x0 <= self.x1 and self.y0 <= other.y1 and other.y0 <= self.y1

    def holds(self, point: Point) -> bool:
        """Whether a point is inside."""
        return self.x0 < point[0] < self.x1 and self.y0 < point[1] < self.y1

    def away(self, point: Point) -> float:
        """Distance of a point from it."""
        return hypot(max(self.x0 - point[0], 0, point[0] - self.x1), max(self.y0 - point[1], 0, point[1] - self.y1))

    def crossed(self, line: Line) -> bool:
        """Whether a line goes through it: Liang and Barsky 1984, clipped segment by segment."""
        return any(self._segment(a, b) for a, b in pairwise(line))

    def _segment(self, a: Point, b: Point) -> bool:
        first, last = 0.0, 1.0
        for d, low, high in (
            (b[0] - a[0], self.x0 - a[0], self.x1 - a[0]),
            (b[1] - a[1], self.y0 - a[1], self.y1 - a[1]),
        ):
            if d == 0:
                if low > 0 or high < 0:
                    return False
                continue
            enter, leave = sorted((low / d, high / d))
            first, last = max(first, enter), min(last, leave)
        return first <= last


@dataclass(frozen=True)
class Label:
    """A place for a name.

    Attributes:
        box: it fills.
        leader: a line from the point to it, or None where it stands close by.
    """

    box: Box
    leader: Line | None
    cost: float = 0.0


def place(
    points: Sequence[Point],
    sizes: Sequence[Point],
    within: Box,
    taken: Sequence[Box] = (),
    lines: Sequence[Line] = (),
    unit: float = 1.0,
) -> list[Label]:
    """A place for each name: beside its point, or a little away with a line to it.

    Args:
        points: that are named. sizes: (width, height) of their names.
        within: the plot; a name rather covers others than leaves it and is cut.
        taken: where no name may stand. lines: that none should cover.
        unit: of distances, in the unit of all lengths.
    """
    marks = [Box(x, y, x, y).padded(MARK * unit) for x, y in points]
    filled, drawn = list(taken), list(lines)
    found = []
    for i, (point, size) in enumerate(zip(points, sizes, strict=True)):
        others = marks[:i] + marks[i + 1 :]
        places = []
        for distance in DISTANCES:
            for right, up in SIDES:
                x = point[0] + right * distance * unit - size[0] * (1 - right) / 2
                y = point[1] + up * distance * unit - size[1] * (1 - up) / 2
                box = Box(x, y, x + size[0], y + size[1])
                places.append(_judged(box, point, distance, others, filled, drawn, within, unit))
        best = min(places, key=lambda p: p.cost)  # the first of equals: the nearest
        filled.append(best.box)
        drawn += [best.leader] if best.leader else []
        found.append(best)
    return found


def _judged(
    box: Box,
    point: Point,
    distance: int,
    others: Sequence[Box],
    taken: Sequence[Box],
    lines: Sequence[Line],
    within: Box,
    unit: float,
) -> Label:
    """A place, and what is against it."""
    near = (min(max(point[0], box.x0), box.x1), min(max(point[1], box.y0), box.y1))
    leader = [point, near]
    around = box.padded(2 * unit)
    mine = box.away(point)
    doubtful = any(box.away(((o.x0 + o.x1) / 2, (o.y0 + o.y1) / 2)) <= 1.5 * mine for o in others)
    led = distance >= LEADER or doubtful
    cost = 20.0 * sum(around.overlaps(other) for other in (*others, *taken))
    cost += 100 * (box.x0 < within.x0 or box.y0 < within.y0 or box.x1 > within.x1 or box.y1 > within.y1)
    cost += 12 * sum(around.crossed(line) for line in lines) + doubtful
    if led:  # nor may the line run through names; between points it may have to
        cost += 10 * sum(other.crossed(leader) for other in taken)
        cost += 2 * sum(o.crossed(leader) and not o.holds(point) for o in others)
    return Label(box, leader if led else None, cost)
