"""A rectangle of one picture."""

from __future__ import annotations

from typing import NamedTuple

from arcomp.samples import Pixels


class Region(NamedTuple):
    """A rectangle of one picture of a stack.

    Attributes:
        picture: which of the stack.
        y, x, height, width: the rectangle, in pixels; it lies within the picture and is not empty.
    """

    picture: int
    y: int
    x: int
    height: int
    width: int

    def of(self, stack: Pixels) -> Pixels:
        """The samples there, of a stack [N, H, W, C]: a view [1, height, width, C]."""
        view: Pixels = stack[
            self.picture : self.picture + 1, self.y : self.y + self.height, self.x : self.x + self.width
        ]
        return view

    def overlaps(self, other: Region) -> bool:
        """Whether it has a pixel in common with another one of the same picture."""
        rows = self.y < other.y + other.height and other.y < self.y + self.height
        return rows and self.x < other.x + other.width and other.x < self.x + self.width

    def within(self, box: Region) -> Region:
        """The same samples, counted from the corner of a larger region, which is a stack of its own."""
        return Region(0, self.y - box.y, self.x - box.x, self.height, self.width)
