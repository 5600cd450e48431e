"""What streams are predicted with, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.binary import encoder
from arcomp.deflate.blocks import CHECK_WANTED, CORRECT_WANTED
from arcomp.deflate.corrections import MODELS, check
from arcomp.deflate.headers import correct
from arcomp.deflate.layout import (
    CARRIED,
    CHAINS,
    COLUMNS,
    ENCODE,
    FAILED,
    HEADS,
    INDEX_CHAIN,
    INDEX_HEAD,
    LAST_KIND,
    NOTHING,
    NUMBERS,
    PHASE,
    SEEN_SIZE,
    SIZE,
    STEPS_LEFT,
    STOP_AT,
    STOP_WRONG,
    SURE,
    SURVEY,
    TOO_FAR,
    WALKED,
    Machine,
    header,
)  # fmt: skip
from arcomp.deflate.rules import FAMILIES, Rules, parameters
from arcomp.exact import apart
from arcomp.exact.records import Record, record

_STEPS, _LEAST_STEPS, _MOST_STEPS = 1 << 10, 1 << 26, 1 << 34
_WALKS, _LEAST_WALKS = 64, 1 << 24
NONE = np.zeros(0, np.uint8)
_FIRST, _WALKS_LEFT, _STOPS = [PHASE, SIZE, CARRIED, LAST_KIND], [WALKED, FAILED], [STOP_AT, STOP_WRONG, SURE]


class Bench:
    """A machine that is used again and again: what kernels take is packed once, and its tables are made once."""

    def __init__(self) -> None:
        self._held, self._families = record(_machine()), dict[int, int]()

    def put(self, **fields: Any) -> None:
        """Put in what a stream needs: fields of :class:`Machine`."""
        self._held.put(**fields)

    def begin(self, rules: Rules, phase: int) -> tuple[Record, Machine]:
        """At the beginning of the content that was put in: what kernels take, and the same for Python."""
        family = rules.number // 10
        if phase != ENCODE and family not in self._families:  # encoding, tokens were predicted before
            self._families[family] = apart.address(FAMILIES[family], (self._held, 0, 0, 0, 0, 0))
        self._held.put(rules=parameters(rules), predict=self._families.get(family, 0))
        machine: Machine = self._held.fields
        coded = phase != SURVEY  # a survey has no use for an index of candidates, nor for code lengths
        machine.heads[: HEADS if coded else INDEX_HEAD] = -1
        machine.chains[: CHAINS if coded else INDEX_CHAIN] = TOO_FAR
        machine.seen[:] = 0
        machine.models[:] = 1 << 29
        for part in (*machine.header, *machine.given) if coded else ():
            part[:] = 0
        numbers, size = machine.numbers, len(machine.data)
        numbers[:] = 0
        numbers[_FIRST] = phase, size, NOTHING, 3
        numbers[STEPS_LEFT] = min(_LEAST_STEPS + _STEPS * size, _MOST_STEPS)
        numbers[_WALKS_LEFT] = _LEAST_WALKS + _WALKS * size
        numbers[_STOPS] = size + 1
        return self._held, machine

    def compile_if_wanted(self, status: int) -> bool:
        """Whether a kernel was wanted that most streams do not need, and there is now: what was done is done again."""
        if status == CHECK_WANTED:
            self.put(check=apart.address(check, (self._held, 0, 0, 0, 0)))
        elif status == CORRECT_WANTED:
            self.put(correct=apart.address(correct, (self._held, 0)))
        return status in (CHECK_WANTED, CORRECT_WANTED)

    def wanted(self, *kernels: Any) -> list[apart.Wanted]:
        """The kernel that predicts zlib's tokens, and others that take the machine alone, with what they take."""
        return [(FAMILIES[0], (self._held, 0, 0, 0, 0, 0)), *((kernel, (self._held,)) for kernel in kernels)]


def _machine() -> Machine:
    """Without a stream."""
    return Machine(
        parameters(Rules(6)),
        NONE,
        NONE,
        heads=np.empty(HEADS, np.int32),
        chains=np.empty(CHAINS, np.uint16),
        numbers=np.zeros(NUMBERS, np.int64),
        seen=np.zeros(SEEN_SIZE, np.int64),
        models=np.empty(MODELS, np.int32),
        coder=encoder(4),
        blocks=np.zeros((0, COLUMNS), np.int64),
        wrong=np.zeros(0, np.int32),
        stream=NONE,
        header=header(),
        given=header(),
        scratch=np.empty(1024, np.uint8),
        predict=0,
        check=0,
        correct=0,
    )
