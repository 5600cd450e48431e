"""The JPEGs of a file: their coefficients coded by a model, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from arcomp.codec import Work
from arcomp.coefficients import Coefficients, Shape
from arcomp.container import CodedJpeg, Member
from arcomp.contract import registry
from arcomp.contract.library import candidates, folders
from arcomp.contract.model import Execution, Model
from arcomp.errors import ModelError
from arcomp.limits import JpegBudget

_BLOCK_MEMORY = 512
"""Bytes of memory that a block takes, while a JPEG is written, at most about."""


def encode_jpegs(jpegs: Sequence[Coefficients], model: Model, how: Execution) -> tuple[tuple[CodedJpeg, ...], float]:
    """Code the coefficients of JPEGs.

    Returns:
        Them, coded, and their bits under the model.

    Raises:
        LimitError: more memory is needed than is free.
    """
    work = Work(how.progress, sum(one.shape.coefficients for one in jpegs))
    coded, bits = [], 0.0
    for one in jpegs:
        how.limits.check_memory(model.coefficient_memory(one.shape, how.threads))
        payload = model.encode_coefficients(one, replace(how, progress=work.part(one.shape.coefficients)))
        coded.append(CodedJpeg(one.width, one.height, len(one.components), payload.streams))
        bits += payload.nll_bits
    return tuple(coded), bits


class Decoder:
    """Decodes the JPEGs of a member, each once, when its headers are known.

    Args:
        member: which holds them. model: its model of coefficients. how: nothing decoded depends on it.
        lost: of each JPEG, which of its streams are damaged: coefficients that only they hold are 0. None: none is.
    """

    def __init__(
        self, member: Member, model: Model, how: Execution, lost: Sequence[tuple[bool, ...]] | None = None
    ) -> None:
        self._lost = lost
        self._jpegs, self._model, self._how, self._taken = member.jpegs, model, how, set[int]()
        self._budget = JpegBudget(member.original.length if member.original else 0)
        self._coefficients = self._pixels = self._stored = 0  # of those decoded so far
        self._work = Work(how.progress, sum(math.prod((j.width, j.height, j.components)) for j in member.jpegs))

    def __call__(self, number: int, shape: Shape) -> Coefficients:
        """The coefficients of a JPEG.

        Args:
            number: which. shape: as its headers say.

        Raises:
            ValueError: there is no such JPEG, or none of that shape; or it was decoded before.
            FormatError: its streams are damaged.
            LimitError: it has more coefficients, or needs more memory, than is allowed.
        """
        if number >= len(self._jpegs) or number in self._taken:
            raise ValueError("a JPEG that is not there, or is there twice")
        self._taken.add(number)
        one, limits = self._jpegs[number], self._how.limits
        if (shape.width, shape.height, len(shape.components)) != (one.width, one.height, one.components):
            raise ValueError("a JPEG of another size")
        blocks = shape.coefficients // 64
        self._budget.blocks.take(blocks)
        self._coefficients += shape.coefficients
        self._pixels += one.width * one.height
        self._stored += sum(map(len, one.streams))
        limits.check_coefficients(self._coefficients, self._pixels, self._stored)
        limits.check_memory(_BLOCK_MEMORY * blocks + self._model.coefficient_memory(shape, self._how.threads))
        how = replace(self._how, progress=self._work.part(math.prod((one.width, one.height, one.components))))
        lost = self._lost[number] if self._lost else (False,) * len(one.streams)
        streams = [None if gone else stream for gone, stream in zip(lost, one.streams, strict=True)]
        return self._model.decode_coefficients(shape, streams, how)


def for_jpegs(model: Model) -> Model | None:
    """What codes JPEGs where a model was asked for: itself, or the one that it names, in the same preset.

    Returns:
        None if JPEGs are kept as bytes.
    """
    if model.takes_coefficients:
        return model
    if not model.for_jpegs:
        return None
    return _of_preset(model.for_jpegs, model.name, model.digest, tuple(folders()))


@lru_cache(maxsize=8)
def _of_preset(wanted: str, name: str, digest: bytes, where: tuple[Path, ...]) -> Model | None:
    """The wanted model, of the preset of another's weights, of a slower one, or its default; None if it is not here."""
    path = next(candidates(name, where, digest), None)
    preset = path.name.split(".")[0].removeprefix(f"{name}-") if path else ""
    for weights in (*(f"{wanted}-{own}" for own in registry.slower(preset)), wanted):
        try:
            return registry.load(weights)
        except ModelError:  # it is not here
            continue
    return None
