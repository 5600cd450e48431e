"""What a stream is predicted with, at its beginning."""

from __future__ import annotations

import numpy as np

from arcomp.coding.binary import Coder
from arcomp.deflate.corrections import MODELS
from arcomp.deflate.layout import (
    CARRIED,
    CHAINS,
    COLUMNS,
    FAILED,
    HEADS,
    LAST_KIND,
    NOTHING,
    NUMBERS,
    PHASE,
    SEEN_SIZE,
    SIZE,
    STOP_AT,
    STOP_WRONG,
    SURE,
    TOO_FAR,
    WALKED,
    WORK,
    Machine,
    UInt8,
    header,
)  # fmt: skip
from arcomp.deflate.rules import FAMILIES, Rules, parameters
from arcomp.exact import apart
from arcomp.exact.records import record

_STEPS, _LEAST_STEPS, _MOST_STEPS = 1 << 10, 1 << 26, 1 << 34
_WALKS, _LEAST_WALKS = 64, 1 << 24
NONE, _NO_BLOCKS, _NO_WRONG = np.zeros(0, np.uint8), np.zeros((0, COLUMNS), np.int64), np.zeros(0, np.int32)


def start(rules: Rules, phase: int, data: UInt8, tokens: UInt8, *, coder: Coder) -> Machine:
    """At the beginning of a stream, without blocks."""
    numbers, size = np.zeros(NUMBERS, np.int64), len(data)
    numbers[[PHASE, SIZE, CARRIED, LAST_KIND]] = phase, size, NOTHING, 3
    numbers[WORK] = min(_LEAST_STEPS + _STEPS * size, _MOST_STEPS)
    numbers[WALKED] = numbers[FAILED] = _LEAST_WALKS + _WALKS * size
    numbers[[STOP_AT, STOP_WRONG, SURE]] = size + 1
    return Machine(
        parameters(rules),
        data,
        tokens,
        heads=np.full(HEADS, -1, np.int32),
        chains=np.full(CHAINS, TOO_FAR, np.uint16),
        numbers=numbers,
        seen=np.zeros(SEEN_SIZE, np.int64),
        models=np.full(MODELS, 1 << 29, np.int32),
        coder=coder,
        blocks=_NO_BLOCKS,
        wrong=_NO_WRONG,
        stream=NONE,
        header=header(),
        given=header(),
        scratch=np.empty(1024, np.uint8),
        predict=0,
        check=0,
        correct=0,
    )


def predicting(machine: Machine, rules: Rules) -> Machine:
    """With the kernel that predicts tokens."""
    family = FAMILIES[rules.number // 10]
    return machine._replace(predict=apart.address(family, (record(machine), 0, 0, 0, 0, 0)))
