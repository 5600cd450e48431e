"""A rectangle of a picture that is coded apart from what is around it: a photograph in a screenshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arcomp.samples import Pixels
from arcomp.transforms.node import Kind, Mask, Node, damaged
from arcomp.transforms.region import Region


@dataclass(frozen=True)
class Inset(Node):
    """A rectangle of each picture, and the pictures without it.

    Attributes:
        y, x, height, width: of the rectangle.
        inside: is the rectangle.
        around: is the pictures; what is in the rectangle there means nothing.
    """

    y: int
    x: int
    height: int
    width: int
    inside: Node
    around: Node

    def kinds(self, kind: Kind) -> tuple[Kind, ...]:
        pictures, height, width, _ = kind.shape
        fits = 0 < self.height <= height - self.y and 0 < self.width <= width - self.x
        if min(self.y, self.x) < 0 or not fits:
            raise damaged("a rectangle beyond its picture")
        return kind.sized(pictures, self.height, self.width), kind

    def split(self, stack: Pixels, kind: Kind) -> tuple[Pixels, ...]:
        """Around it, the rectangle goes on with what is to the left of it, which costs next to nothing."""
        around = stack.copy()
        place = self._place(around)
        place[:] = around[:, self.y : self.y + self.height, self.x - 1 : self.x] if self.x else 0
        return self._place(stack), around

    def join(self, parts: Sequence[Pixels], kind: Kind) -> Pixels:
        inside, around = parts
        made = np.array(around)
        self._place(made)[:] = inside
        return made

    def regions(self, kind: Kind, region: Region) -> tuple[Region, ...]:
        """The part of the rectangle in the region; its first pixel, if there is none: a region is never empty."""
        part = self._shared(region)
        if part is None:
            return Region(region.picture, 0, 0, 1, 1), region
        return part._replace(y=part.y - self.y, x=part.x - self.x), region

    def join_region(self, parts: Sequence[Pixels], kind: Kind, region: Region) -> Pixels:
        inside, around = parts
        part, made = self._shared(region), np.array(around)
        if part is not None:
            part._replace(picture=0, y=part.y - region.y, x=part.x - region.x).of(made)[:] = inside
        return made

    def unknown(self, parts: Sequence[Mask], kind: Kind) -> Mask:
        return self.join(parts, kind)

    def _place(self, stack: Pixels) -> Pixels:
        """The rectangle in a stack: a view."""
        return stack[:, self.y : self.y + self.height, self.x : self.x + self.width]

    def _shared(self, region: Region) -> Region | None:
        """What a region and the rectangle have in common, if there is such a part."""
        top, left = max(region.y, self.y), max(region.x, self.x)
        bottom = min(region.y + region.height, self.y + self.height)
        right = min(region.x + region.width, self.x + self.width)
        if top >= bottom or left >= right:
            return None
        return Region(region.picture, top, left, bottom - top, right - left)
