"""Where a file is damaged: which streams, and what of its pictures is lost by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.codec import stacks_of
from arcomp.container import Part
from arcomp.container.damage import Remains, remains_at
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError
from arcomp.transforms import Kind, Leaf, Node, unknown_in

SAID = 3
"""Most damaged streams that a line names."""
LOOKED_AT = 1 << 26
"""Most samples of pictures in which the place of a damaged stream is looked for."""


class Lost(NamedTuple):
    """A rectangle of a picture that is not known.

    Attributes:
        picture: which, counted through all stacks.
        x, y, width, height: in pixels.
    """

    picture: int
    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        of = f" of picture {self.picture}" if self.picture else ""
        return f"{self.width} x {self.height} at {self.x},{self.y}{of}"


def rectangles(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, int, int]]:
    """(y, x, height, width) of rectangles that fill what is true in bool [H, W], from the top: rows that are alike are
    taken together."""
    edges = (np.flatnonzero((mask[1:] != mask[:-1]).any(axis=1)) + 1).tolist()
    for top, bottom in zip([0, *edges], [*edges, len(mask)], strict=True):
        row = np.concatenate(([False], mask[top], [False]))
        steps = np.flatnonzero(row[1:] != row[:-1]).tolist()
        for left, right in zip(steps[::2], steps[1::2], strict=True):
            yield top, left, bottom - top, right - left


def explained(data: bytes, error: FormatError) -> FormatError:
    """The error of a file that cannot be read, with the places of damaged streams, and how to get at the rest."""
    try:
        remains = remains_at(memoryview(data), 0)
    except FormatError:
        return error
    damaged = listed(remains, SAID)
    more = len(remains.damaged) - len(damaged)
    cause = error.cause
    if remains.cut and damaged:
        cause += f" ({damaged[0].replace(' is damaged', ' and all after it are cut', 1)})"
    elif damaged:
        cause = "; ".join(damaged) + (f"; {more} more are" if more else "")
    rest = "what is intact" if damaged else "the file that is intact in it"
    salvage = f", or `arcomp decompress --salvage` gives {rest}" if not damaged or _is_some_left(remains) else ""
    return FormatError(cause, remedy=f"get it again{salvage}", path=error.path)


def _is_some_left(remains: Remains) -> bool:
    """Whether pixels are known of a member with damaged streams. Of one without pictures nothing is."""
    if not remains.header.geometry:
        return not remains.form_lost and not all(map(all, remains.lost_of_jpegs))
    lost = iter(remains.lost)
    try:
        stacks = stacks_of(remains.member())
        return any(_is_part_left(stack, [next(lost) for _ in stack[2]]) for stack in stacks)
    except FormatError:  # transforms of a palette that is lost
        return False


def _is_part_left(stack: tuple[Node, Kind, list[tuple[Part, Leaf]]], lost: list[tuple[bool, ...]]) -> bool:
    """Whether pixels of a stack are known, of whose leaves those streams are lost."""
    tree, kind, parts = stack
    if sum(leaf.size for _, leaf in parts) > LOOKED_AT:
        return not all(map(all, lost))
    masks = [np.zeros(leaf.shape, np.bool_) for _, leaf in parts]
    for (part, leaf), mask, streams in zip(parts, masks, lost, strict=True):
        tiling = Tiling(leaf.shape[:3], part.tile)
        if len(tiling.corners) != len(streams):
            mask[...] = any(streams)
            continue
        for i in np.flatnonzero(streams).tolist():
            tiling.region(i).of(mask)[...] = True
    return any(not mask.any(axis=2).all() for mask in unknown_in(tree, masks, kind))


def listed(remains: Remains, most: int) -> list[str]:
    """The first damaged streams, in words, and what is lost by each."""
    count = len(remains.streams)
    return [f"stream {i + 1} of {count} is damaged{where}" for i, where in located(remains, most)]


def located(remains: Remains, most: int) -> list[tuple[int, str]]:
    """The first damaged streams, from 0, and in words what each holds, as far as that is known."""
    first = int(remains.header.packed is not None)
    held = {0: ": the form of its file"} if first else {}
    if remains.damaged and remains.header.geometry:
        with suppress(FormatError):  # transforms of a palette that is lost
            held |= dict(islice(_held(remains, first), most))
    return [(i, held.get(i, "")) for i in remains.damaged[:most]]


def _held(remains: Remains, at: int) -> Iterator[tuple[int, str]]:
    """Damaged streams of pictures, from 0, and what each holds; `at` is the first stream of theirs."""
    plans, picture = iter(remains.header.plans), 0
    for tree, kind, parts in stacks_of(remains.member()):
        for which in range(len(parts)):
            plan = next(plans)
            if plan.has_side and remains.streams[at] is None:
                yield at, ": side information of its model"
            at += plan.has_side
            for i in range(plan.streams):
                if remains.streams[at + i] is None:
                    yield at + i, _place((tree, kind, parts), which, i, picture)
            at += plan.streams
        picture += kind.shape[0]


def _place(stack: tuple[Node, Kind, list[tuple[Part, Leaf]]], which: int, stream: int, picture: int) -> str:
    """What of a stack is lost by a stream of one of its leaves, in words.

    Args:
        stack: its transform, what it is, its leaves. which: of them. stream: which of the leaf's.
        picture: how many are before the stack's.
    """
    tree, kind, parts = stack
    part, leaf = parts[which]
    tiling = Tiling(leaf.shape[:3], part.tile)
    if len(tiling.corners) != len(part.streams):
        return ": all tiles" if len(tiling.corners) > 1 else ""
    if sum(one.size for _, one in parts) > LOOKED_AT:
        return f": tile {stream + 1} of {len(tiling.corners)}"
    masks = [np.zeros(one.shape, np.bool_) for _, one in parts]
    tiling.region(stream).of(masks[which])[...] = True
    lost = [
        Lost(picture + n, x, y, width, height)
        for n, mask in enumerate([*unknown_in(tree, masks, kind)])
        for y, x, height, width in rectangles(mask.any(axis=2))
    ]
    return f": {', '.join(map(str, lost[:SAID]))}{' and more' if len(lost) > SAID else ''}" if lost else ""
