"""One strip of a JPEG's coefficients, coded on its own: component after component, front after front.

Within a front the place in the order goes down from the last that any of its blocks has; at each place the network is
evaluated for all blocks that have a coefficient there, and then their coefficients are coded one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary, mixing
from arcomp.coding.binary import close, opened
from arcomp.coefficients import MAX_VALUE, ComponentShape
from arcomp.container.tensors import part
from arcomp.contract.learning import Stream
from arcomp.contract.settings import checked
from arcomp.contract.side_by_side import Positions
from arcomp.contract.weights_file import Weights, by_channels
from arcomp.exact.compiled import kernel
from arcomp.exact.dense import words
from arcomp.exact.records import Fixed, record
from arcomp.models.jpeg import exact, experts, front, planes
from arcomp.models.jpeg.config import JpegConfig
from arcomp.models.jpeg.contexts import hash_coefficient
from arcomp.models.jpeg.exact import Network, evaluate
from arcomp.models.jpeg.experts import Expert, copy_inputs, learn, say
from arcomp.models.jpeg.front import Front, begin_front, front_count, push
from arcomp.models.jpeg.inputs import ANCHOR, COEFFICIENT, end_features, features
from arcomp.models.jpeg.planes import (
    PADDING_AFTER,
    PADDING_BEFORE,
    Means,
    Plane,
    finish_block,
    update_gains,
    update_means,
)
from arcomp.models.jpeg.stage import MOST_DECISIONS, Coding, bits, code_coefficient, code_end, new_stage, shape
from arcomp.models.jpeg.tables import MOST_RATIO, Int64, Tables, lookups

Blocks = npt.NDArray[np.int16]
TOGETHER = 256
"""Blocks that are coded between two reports of progress, about."""
WORDS = words(COEFFICIENT)
"""Of a network's inputs."""
BLOCK_WORDS = 65 * MOST_DECISIONS // 2
"""Words of the coder that a block takes at most, with its end."""


class Frozen(NamedTuple):
    """All that is fixed: made once, used by every strip."""

    config: JpegConfig
    networks: dict[str, Network]


def frozen(weights: Weights) -> Frozen:
    """What strips are made of.

    Raises:
        ModelError: the configuration or the arrays are not this model's.
    """
    ((channels, config),) = by_channels(weights, partial(checked, JpegConfig)).items()
    arrays = part(weights.arrays, str(channels))
    return Frozen(config, exact.check_arrays(config, arrays))


class Parts(NamedTuple):
    """One strip for the kernels."""

    tables: Tables
    means: Means
    front: Front
    expert: Expert
    second: Expert
    """The same again if there is none."""
    experts: int
    end: Network
    values: Int64
    """[n], workspace: coefficients of active blocks, less their anchors."""


def kind_of(components: int, i: int) -> int:
    """1 for the second and third of three components or more: chroma."""
    return int(components >= 3 and i in (1, 2))


def new_planes(shapes: Sequence[ComponentShape]) -> list[Plane]:
    """The components of a strip, of which nothing is known."""
    made = []
    for i, own in enumerate(shapes):
        ratio = tuple(max(1, min(MOST_RATIO, a // b)) for a, b in zip(shapes[0].sampling, own.sampling, strict=True))
        kind = kind_of(len(shapes), i)
        second = int(kind == 1 and i == 2 and (own.rows, own.columns) == (shapes[1].rows, shapes[1].columns))
        made.append(
            planes.new_plane(own.rows, own.columns, own.quantisation, kind, second, (int(ratio[0]), int(ratio[1])))
        )
    return made


def grid(plane: Plane) -> Blocks:
    """The blocks of a plane, int16 [rows, columns, 64], a view."""
    whole = plane.blocks.reshape(-1, plane.width, 64)
    return whole[PADDING_BEFORE:, PADDING_BEFORE : plane.width - PADDING_AFTER]


def _counters(config: JpegConfig, blocks: int) -> int:
    """log2 of the counters of a context: small pictures need few."""
    return max(8, min(config.bits, (64 * blocks).bit_length() - 1))


def memory(config: JpegConfig, shapes: Sequence[ComponentShape]) -> int:
    """Bytes that a strip takes while it is coded, about."""
    blocks = sum(s.rows * s.columns for s in shapes)
    longest = max(front.longest(s.rows, s.columns) for s in shapes) + 16
    own = sum(planes.memory(s.rows, s.columns) for s in shapes)
    coder = 8 * BLOCK_WORDS * max(TOGETHER, longest)
    fronts = longest * 4096 * config.experts + experts.memory(config, longest)
    return own + coder + fronts + mixing.memory(new_shape(config, blocks)) + (1 << 20)


def new_shape(config: JpegConfig, blocks: int) -> mixing.Shape:
    """Of the mixing of a strip of so many blocks."""
    return shape(config.tables, _counters(config, blocks), config.experts)


class Strip:
    """Everything one strip needs while it is coded.

    Args:
        frozen: the networks. shapes: of the strip's components.
    """

    def __init__(self, frozen: Frozen, shapes: Sequence[ComponentShape]) -> None:
        config, networks = frozen.config, frozen.networks
        self.planes = new_planes(shapes)
        self.records = [record(plane) for plane in self.planes]
        longest = max(front.longest(s.rows, s.columns) for s in shapes)
        expert = experts.new_expert(config, networks["coefficient"], longest)
        second = experts.new_expert(config, networks["second"], longest) if config.second else expert
        self.parts = record(
            Parts(
                lookups(),
                planes.new_means(),
                front.new_front(longest),
                expert,
                second,
                Fixed(config.experts),
                networks["end"],
                np.zeros(longest, np.int64),
            )
        )
        self.stage = new_stage(new_shape(config, sum(s.rows * s.columns for s in shapes)))
        self.longest, self.steps = longest, max(1, TOGETHER // longest)

    def encode(self, components: Sequence[Blocks], progress: Positions) -> Stream:
        """Code int16 [rows, columns, 64] of each component."""
        coder = binary.encoder(1 << 12)
        coding = record(Coding(self.stage, coder))
        for i, plane in enumerate(self.planes):
            grid(plane)[:] = components[i]
            for t in range(0, front_count(plane.rows, plane.columns), self.steps):
                coder = binary.with_space(coder, self.steps * self.longest * BLOCK_WORDS + 16)
                coding.put(coder=coder)
                progress(self._code(i, t, coding, False))
        return Stream(binary.finish(coder), bits(self.stage), 0.0)

    def decode(self, data: bytes | memoryview, components: Sequence[Blocks], progress: Positions) -> None:
        """Fill int16 [rows, columns, 64] of each component.

        Raises:
            FormatError: the bytes end too soon.
        """
        coder = binary.decoder(data)
        coding = record(Coding(self.stage, coder))
        for i, plane in enumerate(self.planes):
            for t in range(0, front_count(plane.rows, plane.columns), self.steps):
                progress(self._code(i, t, coding, True))
                binary.check_end(binary.beyond(coder))
            components[i][:] = grid(plane)

    def _code(self, i: int, t: int, coding: Any, decoding: bool) -> int:
        end = min(t + self.steps, front_count(self.planes[i].rows, self.planes[i].columns))
        first = self.records[1] if self.planes[i].second else self.records[i]
        return int(code_fronts(self.parts, self.records[i], self.records[0], first, coding, decoding, t, end))


@kernel(inner=True)
def find_ends(tables: Any, plane: Any, front: Any, count: int) -> None:
    """Of blocks that are known."""
    for k in range(count):
        block = plane.blocks[front.block[k]]
        end = 63
        while end > 0 and block[tables.zigzag[end]] == 0:
            end -= 1
        front.end[k] = end


@kernel(inner=True)
def activate(front: Any, last: Any, z: int, count: int) -> int:
    """Take the blocks with a coefficient at place z; returns how many."""
    m = 0
    for k in range(count):
        if front.end[k] >= z:
            front.active[m] = k
            last[m] = front.end[k] == z and z > 0
            m += 1
    return m


@kernel(inner=True)
def _predict_place(parts: Any, all_planes: Any, z: int, m: int) -> None:
    """What the networks say of the coefficients at place z of m active blocks."""
    tables, front, expert, second = parts.tables, parts.front, parts.expert, parts.second
    kind, place, last = all_planes[0].kind, 64 * all_planes[0].kind + z, expert.workspace.last
    for j in range(m):
        features(tables, all_planes, parts.means, front, z, j, expert.workspace.inputs)
    if parts.experts > 1:
        copy_inputs(expert, second, WORDS, m)
        say(tables, second, front.about, last, kind, place, m)
    say(tables, expert, front.about, last, kind, place, m)


@kernel(inner=True)
def _code_place(parts: Any, all_planes: Any, coding: Any, numbers: Any, z: int, m: int, decoding: bool) -> Any:
    """Code the coefficients at place z of m active blocks; returns the coder's numbers."""
    tables, front, means, plane = parts.tables, parts.front, parts.means, all_planes[0]
    expert, second, values = parts.expert, parts.second, parts.values
    n, place = tables.zigzag[z], 64 * plane.kind + z
    _predict_place(parts, all_planes, z, m)
    ahead = hash_coefficient(tables, coding.stage, plane, front, z, 0)
    for j in range(m):
        classes = ahead
        if j + 1 < m:
            ahead = hash_coefficient(tables, coding.stage, plane, front, z, j + 1)
        k = front.active[j]
        block, anchor = plane.blocks[front.block[k]], front.about[j, ANCHOR]
        value = np.int64(block[n]) - anchor
        value, numbers = code_coefficient(
            tables, coding, numbers, (plane, front, expert.workspace, second.workspace, classes), z, j, value, decoding
        )  # fmt: skip
        if decoding:
            block[n] = max(-MAX_VALUE, min(MAX_VALUE, value + anchor))
        value = np.int64(block[n])
        values[j] = value - anchor
        push(tables, plane, front, k, z, value)
        update_means(means, place, front.end[k] - z, abs(value - (0 if z else anchor)))
    last = expert.workspace.last
    learn(tables, expert, front.about, last, plane.kind, values, m)
    if parts.experts > 1:
        learn(tables, second, front.about, last, plane.kind, values, m)
    return numbers


@kernel()
def code_fronts(
    parts: Any, plane: Any, luma: Any, first: Any, coding: Any, decoding: bool, begin: int, end: int
) -> int:  # fmt: skip
    """Code fronts begin .. end - 1 of a component; returns how many blocks.

    Args:
        parts: record of :class:`Parts`. plane, luma, first: records of :class:`Plane`: the component's own, luma's, the
            first chroma's, or its own again where there is none.
        coding: record of :class:`Coding`.
    """
    tables, front, workspace = parts.tables, parts.front, parts.expert.workspace
    all_planes = (plane, luma, first)
    numbers = opened(coding.coder)
    done = 0
    for t in range(begin, end):
        count = begin_front(tables, all_planes, front, t)
        update_gains(tables, plane, parts.means)
        end_features(tables, plane, front, count, workspace.inputs)
        evaluate(parts.end, workspace, 0, count)
        if not decoding:
            find_ends(tables, plane, front, count)
        highest = np.int64(0)
        for k in range(count):
            numbers = code_end(tables, coding, numbers, plane, front, workspace.outputs, k, decoding)
            plane.ends[front.block[k]] = front.end[k]
            highest = max(highest, front.end[k])
        for z in range(highest, -1, -1):
            m = activate(front, workspace.last, z, count)
            numbers = _code_place(parts, all_planes, coding, numbers, z, m, decoding)
        for k in range(count):
            finish_block(tables, plane, front.block[k])
        done += count
    close(coding.coder, numbers)
    return done
