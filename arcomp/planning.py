"""Chooses how samples are made into what models take: the tree of transforms that suits a stack.

By looking where that is enough, else by trying: a sample of the stack is coded in each way by the model itself.
Photographs of 8 bits are only looked at. Models that do not learn while they code (those of the ladder) get pictures
as they are if they take them, and what looking gives if not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np

from arcomp import trials
from arcomp.contract import registry
from arcomp.contract.fitting import takes
from arcomp.contract.model import BatchSpec, Execution, Model
from arcomp.contract.side_by_side import processors
from arcomp.contract.tiling import Tiling
from arcomp.drawings import Drawing
from arcomp.errors import ModelError
from arcomp.samples import Pixels
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    HighLow,
    Index,
    Inset,
    Levels,
    Luma,
    Node,
    Pile,
    Predict,
    Region,
    Reorder,
    Repeat,
    Scale,
    Transpose,
    leaf_kinds,
    leaves,
    looks,
    sounds,
)
from arcomp.transforms.colours import by_luma, indices
from arcomp.transforms.depth import packed_levels
from arcomp.transforms.node import Kind, Palette
from arcomp.transforms.photographs import photographs

OTHERS = ("context", "graphic", "bilevel")
"""Models that may code a part in place of the one that was asked for, whose number is 0: from 1 on."""
FALLBACK, DRAWN, BILEVEL = 1, 2, 3
"""What codes parts that transforms make and the model does not take; and what codes drawings, and pictures of two
colours, if that is asked for."""
RARE, OFTEN, MOSTLY = 0.3, 0.5, 0.75
"""Shares of positions that are as one beside them: below the first a picture is no drawing, from the second on it may
well be one, and from the third on a small one, or one with a palette, is one without trying."""
TINY = 1 << 12
"""Pixels up to which a picture that may be a drawing is one without trying: icons, of which there are thousands, and
which take longer to be tried by a network than all the rest."""
INSET_BYTES, INSET_GAIN = 100, 0.97
"""What a photograph in a drawing takes besides its pixels, about, and what it may take of its bytes as a drawing."""
SMALL = 1 << 14
"""Pictures of no more pixels are coded as one, so that what is learnt from one helps the next."""
THIN_ROWS, THIN_COLUMNS, THIN_PIXELS = 16, 32, 1 << 12
"""Pictures of fewer rows are folded, and such of fewer columns turned over, if they have so many pixels: models that
work on all rows at a time are slow with few of them."""
WIDEST, FOLDED = 1 << 17, 1 << 15
"""Wider pictures are folded too, since their strips would have few rows, and to how many columns at most."""
DENSE = 7 / 8
"""Share of levels in use from which ranking them is not tried."""
FEW = 16
"""As many levels are ranked without trying."""
MARGIN = 64
"""Part of its size that the usual way may be larger by on a sample."""
AT_ONCE = 1 << 14
"""Samples of more are coded in several ways at a time; of fewer, threads take longer to begin."""
SPREAD = {1: 16, 2: 4}
"""By depth: samples times this may be coded instead, which suits dithered pictures."""


@dataclass(frozen=True)
class Way:
    """A way to divide samples of many bits.

    Attributes:
        weight: of a prediction (:class:`arcomp.transforms.predicted.Predict`); 0: none.
        low: low bits; 0: as few as can be.
    """

    weight: int
    low: int


WAYS = (Way(2, 8), Way(3, 8), Way(0, 0))
"""Those that are tried, the usual one first."""


def plan(stack: Pixels, depth: int, alpha: bool, palette: Palette | None, model: Model, drawings: bool = False) -> Node:
    """The tree for a stack. The same on every machine.

    Args:
        stack: uint8 or uint16 [N, H, W, C].
        depth, alpha, palette: see :class:`arcomp.samples.Samples`.
        model: codes what it takes of the leaves; another one (:data:`FALLBACK`) those that transforms make and it does
            not take.
        drawings: whether drawings may be coded by a model of drawings (:data:`DRAWN`), if the model is one that learns.

    Raises:
        ModelError: the model does not take such pictures, transformed or not.
    """
    pictures, height, width, channels = stack.shape
    kind, planner = Kind((pictures, height, width, channels), depth, palette), _Planner(model, drawings)
    if looks.constant(stack):
        return _constant(stack)
    try:
        if not planner.tries and sounds.is_row(stack.shape, depth) and takes(model, 2, 8):
            return planner.coded(kind) or sounds.expected(stack, kind, sounds.in_bytes)
        if sounds.is_sound(stack, depth):
            return sounds.expected(stack, kind, planner.shaped)
        return planner.shaped(stack, kind)
    except ModelError:
        model.check(channels, depth)  # says it of the samples, not of what is made of them
        raise


def number(i: int) -> Model:
    """The model that parts may name besides the one that was asked for."""
    return registry.load(OTHERS[i - 1])


def _stored(colours: Pixels, kind: Kind) -> bytes:
    """Colours [entries, channels] as :class:`arcomp.transforms.Index` has them."""
    return colours.astype(kind.dtype.newbyteorder(">")).tobytes()


def _constant(stack: Pixels) -> Constant:
    return Constant(tuple(int(v) for v in stack[0, 0, 0]))


class _Planner:
    """Plans for a model."""

    def __init__(self, model: Model, drawings: bool = False) -> None:
        self.model, self.tries = model, model.learns
        self.drawings = drawings and model.learns and model.name not in OTHERS

    def shaped(self, stack: Pixels, kind: Kind) -> Node:
        """Small pictures as one, and thin ones as others."""
        pictures, height, width, _ = kind.shape
        enough = height * width >= THIN_PIXELS
        node: Callable[[Node], Node]
        if self.tries and pictures > 1 and height * width <= SMALL:
            node = Pile
        elif self.tries and enough and width <= THIN_COLUMNS and height >= 4 * width:
            node = Transpose
        elif self.tries and enough and (height < THIN_ROWS or width > WIDEST):
            node = partial(Fold, max(-(-THIN_ROWS // height), -(-width // FOLDED)))
        else:
            return self.main(stack, kind)
        made = node(Coded(kind.depth))
        return node(self.shaped(made.split(stack, kind)[0], made.kinds(kind)[0]))

    def main(self, stack: Pixels, kind: Kind, extra: bool = False) -> Node:
        """Any stack.

        Args:
            extra: whether it is one that a transform made, for which the fallback may be used.
        """
        if looks.constant(stack):
            return _constant(stack)
        if (self.drawings or (extra and self.tries)) and (colours := looks.pair(stack)) is not None:
            leaf = Coded(1, BILEVEL)
            return leaf if (kind.channels, kind.depth) == (1, 1) else Index(_stored(colours, kind), leaf)
        if self.drawings and not extra and takes(number(DRAWN), kind.channels, kind.depth):
            share = looks.share_repeated(stack)
            if share >= RARE:
                return self.perhaps_drawn(stack, kind, share)
        return self.not_drawn(stack, kind, extra)

    def perhaps_drawn(self, stack: Pixels, kind: Kind, share: float) -> Node:
        """A stack that may be a drawing; ``share``: of positions that are as one beside them."""
        leaf, pixels = Coded(kind.depth, DRAWN), stack[..., 0].size
        quick = pixels <= SMALL or kind.palette is not None
        if pixels <= TINY or (quick and share >= MOSTLY):
            return leaf
        other = _Planner(self.model).main(stack, kind)
        places = photographs(stack[0]) if len(stack) == 1 and kind.palette is None else []
        if not places and (quick or share < OFTEN):
            return (leaf, other)[self.best([leaf, other], stack, kind)]
        drawing = Drawing(stack[len(stack) // 2][None], kind.depth, number(DRAWN))
        tree, apart = self.with_insets(drawing, places, stack, kind)
        return tree if drawing.otherwise(drawing.whole, partial(self.cost, other, kind=kind), apart) >= 1 else other

    def with_insets(
        self, drawing: Drawing, places: Sequence[Region], stack: Pixels, kind: Kind
    ) -> tuple[Node, list[Region]]:
        """A drawing with photographs in some places, those where they cost less than as drawings; and which."""
        tree: Node = Coded(kind.depth, DRAWN)
        apart = []
        for place in places:
            part, own = place.of(stack), kind.sized(1, place.height, place.width)
            inside = _Planner(self.model).main(part, own)
            drawn = drawing.drawn(place)
            if drawn and (
                drawn * drawing.otherwise(place, partial(self.cost, inside, kind=own)) + INSET_BYTES
                < drawn * INSET_GAIN
            ):
                tree = Inset(place.y, place.x, place.height, place.width, inside, tree)
                apart.append(place)
        return tree, apart

    def not_drawn(self, stack: Pixels, kind: Kind, extra: bool) -> Node:
        """A stack whose main part the model codes."""
        if not self.tries and takes(self.model, kind.channels, kind.depth):
            return Coded(kind.depth)
        if kind.palette is not None and kind.depth <= 8:
            return self.of_palette(stack, kind, kind.palette)
        if looks.repeated(stack) and self.coded(kind.of(channels=1)):
            return Repeat(self.main(stack[..., :1], kind.of(channels=1), extra))
        if kind.channels in (2, 4):
            at = kind.channels - 1
            first, second = stack[..., :at], stack[..., at:]
            whole: Node = Divide(
                at, self.main(first, kind.of(channels=at), extra), self.main(second, kind.of(channels=1), True)
            )
        elif kind.depth > 8:
            whole = self.deep(stack, kind, extra)
        else:
            whole = self.shallow(stack, kind, extra)
        if kind.channels > 1 and self.tries and self.coded(kind.of(channels=1, depth=8)):
            return self.listed(stack, kind, whole)
        return whole

    def coded(self, kind: Kind, extra: bool = False) -> Coded | None:
        """The leaf of a kind; None if there is none."""
        depth = next((d for d in range(kind.depth, 17) if takes(self.model, kind.channels, d)), None)
        if depth is not None:
            return Coded(depth)
        return Coded(8, FALLBACK) if extra and kind.depth <= 8 else None

    def leaf(self, kind: Kind, extra: bool) -> Coded:
        """The same.

        Raises:
            ModelError: there is none.
        """
        made = self.coded(kind, extra)
        if made is None:
            self.model.check(kind.channels, kind.depth)
            raise AssertionError("a model that takes what it does not take")
        return made

    def of_palette(self, stack: Pixels, kind: Kind, palette: Palette) -> Node:
        """Indices into a palette: as they are, by luma, by what is beside what; or as colours for models of those."""
        used = np.flatnonzero(looks.levels(stack, kind.depth)[0])
        beyond = int(used[-1]) >= len(palette)
        if not beyond and self.coded(kind) is None and len(np.unique(palette[used], axis=0)) == len(used):
            expand = Expand(Coded(8))
            (child,), (made,) = expand.split(stack, kind), expand.kinds(kind)
            return Expand(self.main(child, made))
        if beyond or len(used) <= 2 or not self.tries:
            return self.shallow(stack, kind.of(), False)
        leaf = self.leaf(kind.of(), False)
        ranked = Reorder(bytes(used.tolist()), leaf).split(stack, kind)[0]
        order = bytes(used[looks.by_neighbours(ranked, len(used))].tolist())
        ways: list[Node] = [leaf, Luma(leaf), Reorder(order, leaf)]
        return ways[self.best(ways, stack, kind)]

    def listed(self, stack: Pixels, kind: Kind, other: Node) -> Node:
        """Pictures of few colours as indices, if that is better than something else."""
        colours = looks.colours(stack)
        if colours is None:
            return other
        orders = [[*range(len(colours))], by_luma(colours).tolist()]
        orders.append(looks.by_neighbours(indices(stack, colours), len(colours)))
        child = self.leaf(kind.of(channels=1, depth=max(1, (len(colours) - 1).bit_length())), False)
        ways = [other, *(Index(_stored(colours[order], kind), child) for order in orders)]
        return ways[self.best(ways, stack, kind)]

    def shallow(self, stack: Pixels, kind: Kind, extra: bool) -> Node:
        """Samples of up to 8 bits: as they are, or by the levels in use where many are not."""
        leaf = self.coded(kind, extra)
        if leaf is not None and not self.tries:
            return leaf
        if leaf is not None and kind.depth > 2 and looks.share(looks.levels(looks.sample(stack), kind.depth)) > DENSE:
            return leaf
        used = looks.levels(stack, kind.depth)
        ranked = Levels(packed_levels(used), Coded(8))
        (made,) = ranked.kinds(kind)
        if leaf is None:
            return replace(ranked, child=self.leaf(made if self.coded(made) else kind, extra))
        if looks.share(used) > DENSE and made.depth == kind.depth:
            ways = self.spread(kind, extra)
            return ways[self.best(ways, stack, kind)]
        ways = self.spread(kind, extra) if int(used.sum(axis=1).max()) > FEW else []
        ways += [replace(ranked, child=child) for child in self.spread(made, extra)]
        return ways[self.best(ways, stack, kind)]

    def spread(self, kind: Kind, extra: bool) -> list[Node]:
        """Samples of a few bits as they are, and spread over more."""
        leaf, factor = self.leaf(kind, extra), SPREAD.get(kind.depth, 0)
        return [leaf, Scale(factor, 8, self.leaf(kind.of(depth=8), extra))] if factor and leaf.depth == 8 else [leaf]

    def deep(self, stack: Pixels, kind: Kind, extra: bool) -> Node:
        """Samples of 9 to 16 bits: the levels in use, or those from the lowest to the highest, as they are; for models
        of 8 bits, small pictures and colours that were converted, as high and low bits, too."""
        used = looks.levels(stack, kind.depth)
        span, ranked = (Levels(packed_levels(table), Coded(16)) for table in (looks.regular(used), used))
        first = span if span.kinds(kind)[0].depth < kind.depth else None
        bases = [(first, first.kinds(kind)[0] if first else kind.of())]
        if looks.share(used) <= DENSE or ranked.kinds(kind)[0].depth < bases[0][1].depth:
            usual = self.tries and stack[..., 0].size > SMALL  # samples of it do not show what is rare
            bases.insert(0 if usual else 1, (ranked, ranked.kinds(kind)[0]))
        ways, few = list[Node](), looks.sample(stack)
        for base, made in bases:
            whole, part = self.coded(made), base.split(few, kind)[0] if base else few
            divided = WAYS if whole is None or stack[..., 0].size <= TINY else WAYS[2:] if looks.converted(part) else ()
            children: list[Node] = [*filter(None, [whole]), *(self.halves(made, way, extra) for way in divided)]
            ways += [replace(base, child=child) for child in children] if base else children
        return _settled(ways[self.best(ways, stack, kind)], stack, kind)

    def halves(self, kind: Kind, way: Way, extra: bool) -> Node:
        """High and low bits in one of several ways."""
        if kind.depth <= 8:
            return self.leaf(kind, extra)
        low = min(8, max(way.low or kind.depth - 8, kind.depth - 8))
        high = self.leaf(kind.of(depth=kind.depth - low), extra)
        split = HighLow(low, high, self.leaf(kind.of(depth=low), extra))
        return Predict(way.weight, (1 << kind.depth - 1) + (1 << low - 1), split) if way.weight else split

    def best(self, ways: Sequence[Node], stack: Pixels, kind: Kind) -> int:
        """Which way makes a sample of the stack smallest, the first of equal ones; for models that do not learn, the
        first of all. The first is also taken if it is hardly larger: samples do not say more."""
        if not self.tries:
            return 0
        few, times, costs = looks.sample(stack), stack[..., 0].size, dict.fromkeys(ways, 0)
        if len(costs) > 1:
            with ThreadPoolExecutor(processors()) if few.size > AT_ONCE else nullcontext() as pool:
                tried = (pool.map if pool else map)(lambda way: self.cost(way, few, kind), costs)
                for way, cost in zip(costs, tried, strict=True):
                    costs[way] = cost * times // (few.size // few.shape[3]) + _tables(way)
        costs[ways[0]] -= costs[ways[0]] // MARGIN
        return ways.index(min(costs, key=lambda way: costs[way]))

    def cost(self, tree: Node, stack: Pixels, kind: Kind) -> int:
        """Bytes of the leaves of a stack, which is a sample of one of that kind."""
        total = 0
        pictures, height, width, channels = stack.shape
        parts = leaf_kinds(tree, (pictures, height, width, channels), kind.depth, kind.palette)
        for pixels, leaf in zip(leaves(tree, stack, kind.depth, kind.palette), parts, strict=True):
            model = number(leaf.model) if leaf.model else self.model
            tiling = Tiling(leaf.shape[:3], (0, 0))
            spec = BatchSpec(tiling.batch, leaf.shape[3], leaf.depth)
            payload = trials.tried(model, pixels, tiling, spec, Execution(threads=1))
            total += sum(len(stream) for stream in payload.streams) + len(payload.side)
        return total


def _tables(tree: Node) -> int:
    """Bytes that the fields of a tree hold."""
    values = [getattr(tree, field.name) for field in fields(tree)]  # type: ignore[arg-type]
    return sum(len(value) for value in values if isinstance(value, bytes)) + sum(
        _tables(child) for child in tree.children()
    )


def _settled(tree: Node, stack: Pixels, kind: Kind) -> Node:
    """The tree with constants in place of leaves that are constant."""
    if isinstance(tree, Coded):
        return _constant(stack) if looks.constant(stack) else tree
    return tree.with_children(
        _settled(*each) for each in zip(tree.children(), tree.split(stack, kind), tree.kinds(kind), strict=True)
    )
