"""Vectors of numbers inside kernels: the same operation on 16 numbers side by side.

LLVM's own vectors, so that sums stay in registers and every processor runs them (in pieces, where its registers are
narrower). Lanes never mix, and each operation is the IEEE or integer one: results do not depend on the processor.
Only for use inside :func:`arcomp.exact.compiled.kernel` functions.

    FLOATS: 16 float32. WORDS: 16 int32. SHORTS: 16 int16.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

ALIGNMENT = 64
"""Bytes; arrays that are worked on at length should start at a multiple of it."""


class Vector(types.Type):
    """Numba's type of a vector."""

    def __init__(self, name: str, element: Any, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(name=name)


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(kind.element, kind.lanes))


FLOATS = Vector("floats", ir.FloatType(), 16)
WORDS = Vector("words", ir.IntType(32), 16)
SHORTS = Vector("shorts", ir.IntType(16), 16)


def aligned(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros whose first byte is at a multiple of ALIGNMENT."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + size].view(dtype).reshape(shape)


def _address(context: Any, builder: Any, array_type: Any, args: Any, element: Any, n: int) -> Any:
    """Where n elements begin; args: an array, a row and a column."""
    made = context.make_array(array_type)(context, builder, args[0])
    pointer = cgutils.get_item_pointer(context, builder, array_type, made, [args[1], args[2]], wraparound=False)
    return builder.bitcast(pointer, ir.VectorType(element, n).as_pointer())


def _loader(kind: Vector) -> Any:
    """An intrinsic (array, row, column) -> vector of array[row, column : column + lanes], whatever numbers these are:
    the nearest float32, ties to even; integers with their sign, and of those too large for a lane the lowest bits."""

    @intrinsic
    def load(typing: Any, array: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            stored, wanted = signature.args[0].dtype, ir.VectorType(kind.element, kind.lanes)
            integers = isinstance(stored, types.Integer)
            element = ir.IntType(stored.bitwidth) if integers else kind.element
            value = builder.load(_address(context, builder, signature.args[0], args, element, kind.lanes))
            value.align = stored.bitwidth // 8
            if element == kind.element:
                return value
            if kind is FLOATS:
                return builder.sitofp(value, wanted) if stored.signed else builder.uitofp(value, wanted)
            if stored.bitwidth > kind.element.width:
                return builder.trunc(value, wanted)
            return builder.sext(value, wanted) if stored.signed else builder.zext(value, wanted)

        return kind(array, types.intp, types.intp), generate

    return load


def _storer(kind: Vector, bytes_each: int) -> Any:
    @intrinsic
    def store(typing: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at = _address(context, builder, signature.args[0], args, kind.element, kind.lanes)
            builder.store(args[3], at).align = bytes_each
            return context.get_dummy_value()

        return types.none(array, types.intp, types.intp, kind), generate

    return store


load_floats, load_words, load_shorts = _loader(FLOATS), _loader(WORDS), _loader(SHORTS)
store_floats, store_words, store_shorts = _storer(FLOATS, 4), _storer(WORDS, 4), _storer(SHORTS, 2)


@intrinsic
def load_pairs(typing: Any, array: Any, row: Any, column: Any, other: Any, other_column: Any) -> Any:
    """Words whose low halves are numbers of one place of an array of uint8 or int16, whose high halves are those of
    another."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wanted, halves = ir.VectorType(WORDS.element, WORDS.lanes), []
        bits = signature.args[0].dtype.bitwidth
        for place in (args[1:3], args[3:5]):
            at = _address(context, builder, signature.args[0], [args[0], *place], ir.IntType(bits), WORDS.lanes)
            value = builder.load(at)
            value.align = bits // 8
            halves.append(builder.zext(value, wanted))
        high = builder.shl(halves[1], ir.Constant(wanted, [16] * WORDS.lanes))
        return builder.or_(halves[0], high)

    return WORDS(array, types.intp, types.intp, types.intp, types.intp), generate


def _spreader(kind: Vector, scalar: Any) -> Any:
    """An intrinsic value -> vector with the value in every lane."""

    @intrinsic
    def spread(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wanted = ir.VectorType(kind.element, kind.lanes)
            nothing = ir.Constant(wanted, ir.Undefined)
            one = builder.insert_element(nothing, args[0], ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.lanes), [0] * kind.lanes)
            return builder.shuffle_vector(one, nothing, zeros)

        return kind(scalar), generate

    return spread


all_floats = _spreader(FLOATS, types.float32)
all_words = _spreader(WORDS, types.int32)
all_shorts = _spreader(SHORTS, types.int16)


@intrinsic
def sum_of_words(typing: Any, value: Any) -> Any:
    """The sum of the lanes, int32 (modulo 2**32)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = ir.VectorType(WORDS.element, WORDS.lanes)
        name = f"llvm.vector.reduce.add.v{WORDS.lanes}i32"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(WORDS.element, [whole]), name)
        return builder.call(function, args)

    return types.int32(WORDS), generate


def _operation(kind: Vector, instruction: str) -> Any:
    @intrinsic
    def apply(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, instruction)(*args)

        return kind(kind, kind), generate

    return apply


def _define(operation: Any, real: str, integer: str = "") -> None:
    """Let an operator work on vectors; without an instruction for one of the two, not on those.

    As a template of its own and not as an overload: Numba asks every overload of an operator about every use of it,
    which takes a tenth of the time of compiling.
    """

    @infer_global(operation)
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            kind = args[0]
            if len(args) != 2 or not isinstance(kind, Vector) or kind is not args[1]:
                return None
            return kind(kind, kind) if (real if kind is FLOATS else integer) else None

    @lower_builtin(operation, Vector, Vector)
    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, real if signature.return_type is FLOATS else integer)(*args)


_define(operator.add, "fadd", "add")
_define(operator.sub, "fsub", "sub")
_define(operator.mul, "fmul", "mul")
_define(operator.truediv, "fdiv")
_define(operator.and_, "", "and_")
shift_words = _operation(WORDS, "ashr")
"""Each lane of the first shifted right, rounding down, by the lane of the second (0 .. 31)."""
shift_words_left = _operation(WORDS, "shl")


@intrinsic
def rescaled_words(typing: Any, words: Any, bias: Any, multiplier: Any, shift: Any) -> Any:
    """((word + bias) multiplier + 2**(shift - 1)) >> shift, in 64 bits, within 0 .. 255."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.VectorType(ir.IntType(64), WORDS.lanes)

        def all_lanes(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(wide, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), WORDS.lanes), [0] * WORDS.lanes)
            return builder.shuffle_vector(one, one, zeros)

        bias, multiplier, shift = args[1:]
        one = ir.Constant(shift.type, 1)
        half = builder.shl(one, builder.sub(shift, one))
        value = builder.mul(builder.add(builder.sext(args[0], wide), all_lanes(bias)), all_lanes(multiplier))
        value = builder.ashr(builder.add(value, all_lanes(half)), all_lanes(shift))
        for predicate, limit in (("<", 0), (">", 255)):
            limits = ir.Constant(wide, [limit] * WORDS.lanes)
            value = builder.select(builder.icmp_signed(predicate, value, limits), limits, value)
        return builder.trunc(value, args[0].type)

    return WORDS(WORDS, types.int64, types.int64, types.int64), generate


@intrinsic
def word(typing: Any, words: Any, lane: Any) -> Any:
    """One lane without its sign, int64: 0 .. 2**32 - 1."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.extract_element(*args), ir.IntType(64))

    return types.int64(WORDS, types.int64), generate


@intrinsic
def with_word(typing: Any, words: Any, lane: Any, value: Any) -> Any:
    """The vector with another number in one lane (modulo 2**32)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.insert_element(args[0], builder.trunc(args[2], WORDS.element), args[1])

    return WORDS(WORDS, types.int64, types.int64), generate


@intrinsic
def prefetch(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """Have an element of an array fetched from memory, while other things are done; nothing else changes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, args[0])
        at = cgutils.get_item_pointer(context, builder, signature.args[0], made, [args[1], args[2]], wraparound=False)
        byte = builder.bitcast(at, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # to be read, used again, data
        builder.call(function, [byte, ir.Constant(number, 0), ir.Constant(number, 3), ir.Constant(number, 1)])
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp), generate


@intrinsic
def leading_zeros(typing: Any, value: Any) -> Any:
    """Zero bits before the highest bit of a positive int64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def _converter(given: Vector, kind: Vector, generate: Any) -> Any:
    """An intrinsic of one vector; generate: (builder, LLVM type of the result, value) -> value."""

    @intrinsic
    def convert(typing: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return generate(builder, ir.VectorType(kind.element, kind.lanes), args[0])

        return kind(given), build

    return convert


def _absolute(builder: Any, kind: Any, value: Any) -> Any:
    nothing = ir.Constant(kind, [0] * SHORTS.lanes)
    return builder.select(builder.icmp_signed("<", value, nothing), builder.sub(nothing, value), value)


absolute_shorts = _converter(SHORTS, SHORTS, _absolute)


@intrinsic
def pair_shorts(typing: Any, first: Any, second: Any) -> Any:
    """Words whose halves are lanes of the first and of the second."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        woven = [lane + SHORTS.lanes * half for lane in range(SHORTS.lanes) for half in (0, 1)]
        pairs = builder.shuffle_vector(*args, ir.Constant(ir.VectorType(ir.IntType(32), len(woven)), woven))
        return builder.bitcast(pairs, ir.VectorType(WORDS.element, WORDS.lanes))

    return WORDS(SHORTS, SHORTS), generate


def _of_halves(instruction: str) -> Any:
    @intrinsic
    def apply(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            halves = ir.VectorType(ir.IntType(16), 2 * WORDS.lanes)
            made = getattr(builder, instruction)(*(builder.bitcast(value, halves) for value in args))
            return builder.bitcast(made, ir.VectorType(WORDS.element, WORDS.lanes))

        return WORDS(WORDS, WORDS), generate

    return apply


multiply_halves, subtract_halves = _of_halves("mul"), _of_halves("sub")
"""Each half of a word times the same half of the other, or less it; modulo 2**16."""


@intrinsic
def clamped_halves(typing: Any, value: Any, limit: Any) -> Any:
    """Each half of a word, with its sign, within -limit .. limit; the limit: words whose halves are positive."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        halves = ir.VectorType(ir.IntType(16), 2 * WORDS.lanes)
        v, most = (builder.bitcast(value, halves) for value in args)
        least = builder.sub(ir.Constant(halves, [0] * 2 * WORDS.lanes), most)
        v = builder.select(builder.icmp_signed("<", v, most), v, most)
        v = builder.select(builder.icmp_signed(">", v, least), v, least)
        return builder.bitcast(v, ir.VectorType(WORDS.element, WORDS.lanes))

    return WORDS(WORDS, WORDS), generate


@intrinsic
def smaller_shorts(typing: Any, a: Any, b: Any) -> Any:
    """The smaller of each lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.icmp_signed("<", *args), *args)

    return SHORTS(SHORTS, SHORTS), generate


def _chooser(predicate: str) -> Any:
    @intrinsic
    def choose(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.select(builder.fcmp_ordered(predicate, *args), *args)

        return FLOATS(FLOATS, FLOATS), generate

    return choose


larger_floats, smaller_floats = _chooser(">"), _chooser("<")
"""The first of each lane where it is larger (smaller) than the second, else the second: so also where one is NaN."""
words_of_floats = _converter(FLOATS, WORDS, lambda builder, kind, value: builder.fptosi(value, kind))
"""Rounded towards zero; they must be within int32."""
floats_of_words = _converter(WORDS, FLOATS, lambda builder, kind, value: builder.sitofp(value, kind))
"""To the nearest float32, ties to even."""


@intrinsic
def store_bytes(typing: Any, array: Any, row: Any, column: Any, value: Any) -> Any:
    """The lowest bytes of words, to an array of int8."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _address(context, builder, signature.args[0], args, ir.IntType(8), WORDS.lanes)
        builder.store(builder.trunc(args[3], ir.VectorType(ir.IntType(8), WORDS.lanes)), at).align = 1
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, WORDS), generate


@intrinsic
def root_of_floats(typing: Any, value: Any) -> Any:
    """The square root, correctly rounded."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(args[0].type, [args[0].type])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{FLOATS.lanes}f32")
        return builder.call(function, args)

    return FLOATS(FLOATS), generate


@intrinsic
def without_tiny(typing: Any, value: Any, limit: Any) -> Any:
    """0 in lanes that are not at least as large as the limit, or as far below 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = args[0].type
        nothing = ir.Constant(kind, [0.0] * FLOATS.lanes)
        size = builder.select(builder.fcmp_ordered("<", args[0], nothing), builder.fsub(nothing, args[0]), args[0])
        return builder.select(builder.fcmp_ordered(">=", size, args[1]), args[0], nothing)

    return FLOATS(FLOATS, FLOATS), generate
