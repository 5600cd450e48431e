"""Vectors of numbers inside kernels: the same operation on 8 or 16 numbers side by side.

LLVM's own vectors, so that sums stay in registers and every processor runs them (in pieces, where its registers are
narrower). Lanes never mix, and each operation is the IEEE or integer one: results do not depend on the processor.
Only for use inside :func:`arcomp.exact.kernels.kernel` functions.

    DOUBLES: 8 float64. WORDS: 16 int32.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

ALIGNMENT = 64
"""Bytes; arrays that are worked on at length should start at a multiple of it."""


class Vector(types.Type):  # type: ignore[misc]
    """Numba's type of a vector."""

    def __init__(self, name: str, element: Any, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(name=name)


@register_model(Vector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(kind.element, kind.lanes))


DOUBLES = Vector("doubles", ir.DoubleType(), 8)
WORDS = Vector("words", ir.IntType(32), 16)


def aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros whose first byte is at a multiple of ALIGNMENT."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + size].view(dtype).reshape(shape)


def _address(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any, element: Any, n: int) -> Any:
    made = context.make_array(array_type)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, array_type, made, [row, column], wraparound=False)
    return builder.bitcast(pointer, ir.VectorType(element, n).as_pointer())


def _loader(kind: Vector, stored: Any, bytes_each: int) -> Any:
    """An intrinsic (array, row, column) -> vector of array[row, column : column + lanes], widened to the vector's kind."""

    @intrinsic
    def load(typing: Any, array: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _address(context, builder, signature.args[0], *args, stored, kind.lanes)
            value = builder.load(at)
            value.align = bytes_each
            wanted = ir.VectorType(kind.element, kind.lanes)
            if stored == kind.element:
                return value
            return builder.sitofp(value, wanted) if kind is DOUBLES else builder.sext(value, wanted)

        return kind(array, types.intp, types.intp), generate

    return load


def _storer(kind: Vector, bytes_each: int) -> Any:
    @intrinsic
    def store(typing: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _address(context, builder, signature.args[0], *args[:3], kind.element, kind.lanes)
            builder.store(args[3], at).align = bytes_each
            return context.get_dummy_value()

        return types.none(array, types.intp, types.intp, kind), generate

    return store


load_doubles = _loader(DOUBLES, ir.DoubleType(), 8)
load_doubles_of_words = _loader(DOUBLES, ir.IntType(32), 4)
load_doubles_of_shorts = _loader(DOUBLES, ir.IntType(16), 2)
store_doubles = _storer(DOUBLES, 8)
load_words = _loader(WORDS, ir.IntType(32), 4)
load_words_of_shorts = _loader(WORDS, ir.IntType(16), 2)
store_words = _storer(WORDS, 4)


@intrinsic
def all_doubles(typing: Any, value: Any) -> Any:
    """A float64 in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.VectorType(ir.DoubleType(), 8)
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)

    return DOUBLES(types.float64), generate


def _operation(operation: Any, kind: Vector, instruction: str) -> Any:
    @intrinsic
    def apply(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args)

        return kind(kind, kind), generate

    return apply


def _define(operation: Any, real: str, integer: str | None) -> None:
    doubles = _operation(operation, DOUBLES, real)
    words = _operation(operation, WORDS, integer) if integer else None

    @overload(operation, strict=False)
    def overloaded(a: Any, b: Any) -> Any:
        if a is DOUBLES and b is DOUBLES:
            return lambda a, b: doubles(a, b)
        if words is not None and a is WORDS and b is WORDS:
            return lambda a, b: words(a, b)
        return None


_define(operator.add, "fadd", "add")
_define(operator.sub, "fsub", "sub")
_define(operator.mul, "fmul", "mul")
_define(operator.truediv, "fdiv", None)
