"""Bytes of arrays at indices that are known to be inside: Numba itself asks each time whether one is negative."""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _load(context: Any, builder: Any, kind: Any, bits: int, array: Any, index: Any) -> Any:
    whole = context.make_array(kind)(context, builder, array)
    at = cgutils.get_item_pointer(context, builder, kind, whole, [index], wraparound=False)
    value = builder.load(builder.bitcast(at, ir.IntType(bits).as_pointer()))
    value.align = 1
    return value


def _loader(bits: int) -> Any:
    """A function of an array of bytes and an index: so many bits from there on, for comparisons with others."""

    @intrinsic
    def load(typing: Any, array: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.zext(_load(context, builder, signature.args[0], bits, *args), _WORD)

        return types.int64(array, types.int64), generate

    return load


byte, two_bytes = _loader(8), _loader(16)


@intrinsic
def equal_of_eight(typing: Any, array: Any, a: Any, b: Any) -> Any:
    """How many of the eight bytes from each of two indices on are equal, until two differ."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, (values, *indices) = signature.args[0], args
        x, y = (_load(context, builder, kind, 64, values, index) for index in indices)
        count = builder.cttz if sys.byteorder == "little" else builder.ctlz
        zeros = count(builder.xor(x, y), ir.Constant(ir.IntType(1), 0))
        return builder.lshr(zeros, ir.Constant(_WORD, 3))

    return types.int64(array, types.int64, types.int64), generate
