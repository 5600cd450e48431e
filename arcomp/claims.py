"""What a member claims, checked against limits before anything of it is decoded."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from arcomp.container import Member, Part
from arcomp.limits import WORKING_FREELY, Limits
from arcomp.transforms import leaf_kinds

if TYPE_CHECKING:  # `arcomp info` loads no model
    from arcomp.contract.model import BatchSpec, Model
    from arcomp.contract.tiling import Tiling
    from arcomp.transforms import Leaf


def check_member(member: Member, limits: Limits) -> None:
    """Refuse a member of more pixels, or that needs more memory, than is allowed; no model is needed for that.

    Raises:
        LimitError: it has, or does.
        FormatError: a transform is not one of its pictures.
    """
    length = member.original.length if member.original else 0
    geometry, stored = member.geometry, member.stored
    of_jpegs = sum(one.width * one.height for one in member.jpegs)
    limits.check_pixels(of_jpegs, 0, 0)
    if geometry is None:
        coefficients = 2 * sum(one.width * one.height * one.components for one in member.jpegs)
        if stored is not None:
            limits.check_made(of_jpegs, coefficients, length, stored)
        limits.check_memory(2 * length)
        return
    coded = sum(
        math.prod(leaf.shape)
        for tree, size in zip(member.trees, geometry.stacks, strict=True)
        for leaf in leaf_kinds(tree, (*size, geometry.channels), geometry.depth, geometry.palette)
    )
    pixels = sum(math.prod(stack) for stack in geometry.stacks)
    limits.check_pixels(pixels, coded, sum(map(coded_bytes, member.parts)))
    samples = pixels * geometry.channels * (1 if geometry.depth <= 8 else 2)
    if stored is not None:
        limits.check_made(pixels, samples, length, stored)
    limits.check_memory(2 * samples + length)


def check_seconds(member: Member, coded_by: list[tuple[Model, Leaf]], limits: Limits) -> None:
    """Refuse a member whose models work longer for it than is allowed for one of its length.

    Args:
        coded_by: which model codes which leaf.

    Raises:
        LimitError: they do.
    """
    if member.geometry is None or member.stored is None:  # it was made here
        return
    seconds = sum(model.seconds(math.prod(leaf.shape[:3])) for model, leaf in coded_by)
    pixels = sum(math.prod(stack) for stack in member.geometry.stacks)
    limits.check_seconds(pixels, seconds, sum(map(coded_bytes, member.parts)))


def coded_bytes(part: Part) -> int:
    """Bytes that samples are coded in."""
    return len(part.side) + sum(map(len, part.streams))


def check_memory(
    tiling: Tiling, spec: BatchSpec, model: Model, threads: int | None, limits: Limits, stored: int | None = None
) -> None:
    """Refuse what cannot fit, before any of it is taken.

    Args:
        stored: bytes that a part of a file is coded in: it may not ask for tiles that take far more memory than those
            which the model would choose. None: of pictures that are to be coded.

    Raises:
        LimitError: samples (held twice) and what the model keeps are more memory than is allowed.
    """
    samples, need = math.prod(tiling.shape) * spec.channels * spec.dtype.itemsize, model.memory(spec, threads)
    if stored is not None and need > WORKING_FREELY:
        _, height, width = tiling.pictures
        usual = type(tiling)(tiling.pictures, model.tile(height, width, spec.channels, spec.depth))
        limits.check_working(need, model.memory(replace(spec, batch=usual.batch), threads), stored)
    limits.check_memory(2 * samples + need)
