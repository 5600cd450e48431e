"""Records for kernels: named arrays and numbers that are passed as one pointer.

A NamedTuple is passed to a Numba function by value: one argument for each extent and stride of each of its arrays,
hundreds of them, at every call. Most of the time of compiling went into moving those. :func:`record` packs the same
fields into a block of memory that does not change; kernels load from it what they use, by the same names.

Fields are C-contiguous arrays, integers (int64 in kernels), floats (float64), truth values, and further records.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.core.pythonapi import NativeValue, unbox
from numba.core.typing.templates import AttributeTemplate
from numba.core.typing.typeof import typeof_impl
from numba.extending import infer_getattr, lower_getattr_generic, models, register_model
from numba.np.numpy_support import from_dtype

WORD = 8
_ARRAY_HEAD = 2
"""Words of an array before its shape: the number of elements, the address. Shape and strides follow."""


class Field(NamedTuple):
    """Where a field is."""

    name: str
    type: types.Type
    word: int
    constant: int | None = None
    """Its value, if kernels are compiled for it alone."""


class Fixed(int):
    """An integer that kernels are compiled for: loops of so many turns can be unrolled. A record with another one is of
    another type."""


class RecordType(types.Type):
    """Numba's type of a record: names, types and places of its fields."""

    def __init__(self, name: str, fields: tuple[Field, ...]) -> None:
        self.fields = {f.name: f for f in fields}
        digest = hashlib.sha256(repr([(f.name, str(f.type), *f[2:]) for f in fields]).encode()).hexdigest()
        super().__init__(name=f"{name}_{digest[:12]}")  # short: it becomes a part of every function's name


@register_model(RecordType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: RecordType) -> None:
        super().__init__(manager, kind, ir.IntType(8).as_pointer())


class Record:
    """What Python passes to a kernel in place of a NamedTuple.

    Attributes:
        fields: the NamedTuple; its arrays live as long as the record.
    """

    __slots__ = ("_numba_type_", "_words", "address", "fields")

    def __init__(self, fields: Any) -> None:
        words: list[int] = []
        kind = _pack(fields, words)
        self.fields = fields
        self._words: npt.NDArray[np.int64] = np.array(words, np.int64)
        self.address: int = self._words.ctypes.data
        self._numba_type_ = kind

    def put(self, **fields: Any) -> None:
        """Replace fields by others of the same types, which takes less time than to pack all of them.

        Raises:
            TypeError: one is of another type, or a number that kernels are compiled for.
        """
        for name, value in fields.items():
            field, words = self._numba_type_.fields[name], list[int]()
            if _pack_value(name, value, words) is not field.type or field.constant is not None:
                raise TypeError(f"field {name} of a record becomes another type")
            self._words[field.word : field.word + len(words)] = words
        self.fields = self.fields._replace(**fields)


def record(fields: Any) -> Record:
    """Pack a NamedTuple of arrays, numbers and further NamedTuples.

    Raises:
        TypeError: a field is none of these, or an array that is not C-contiguous.
    """
    return Record(fields)


@lru_cache(maxsize=256)
def _type(name: str, fields: tuple[Field, ...]) -> RecordType:
    return RecordType(name, fields)


@lru_cache(maxsize=256)
def _array_type(dtype: np.dtype[Any], dimensions: int) -> types.Type:
    return types.Array(from_dtype(dtype), dimensions, "C")


_known: dict[tuple[Any, ...], tuple[RecordType, list[types.Type]]] = {}
"""Types of records, by the class and the types of fields, which are kept so that no other has the same identity."""
_MOST_KNOWN = 1024


def _pack(fields: Any, words: list[int]) -> RecordType:
    """Append the fields' words; returns their type, with places counted from the record's own start."""
    start, places, kinds, constants = len(words), list[int](), list[types.Type](), list[int | None]()
    for name, value in zip(fields._fields, fields, strict=True):
        places.append(len(words) - start)
        kinds.append(_pack_value(name, value, words))
        constants.append(int(value) if isinstance(value, Fixed) else None)
    key = (type(fields), *map(id, kinds), *constants)  # Numba's types are slow to compare
    if key not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        made = tuple(map(Field, fields._fields, kinds, places, constants))
        _known[key] = _type(type(fields).__name__, made), kinds
    return _known[key][0]


def _pack_value(name: str, value: Any, words: list[int]) -> types.Type:
    """Append a field's words; returns its type."""
    if isinstance(value, np.ndarray) and value.flags.c_contiguous:
        words += [value.size, value.__array_interface__["data"][0], *value.shape, *value.strides]
        return _array_type(value.dtype, value.ndim)
    if isinstance(value, bool):
        words.append(int(value))
        return types.boolean
    if isinstance(value, int | np.integer):
        words.append(int(value))
        return types.int64
    if isinstance(value, float):
        words.append(int(np.float64(value).view(np.int64)))
        return types.float64
    if hasattr(value, "_fields"):
        return _pack(value, words)
    raise TypeError(f"field {name} of a record is {type(value).__name__}: {value!r:.40}")


@typeof_impl.register(Record)
def _typeof(value: Record, context: Any) -> RecordType:
    return value._numba_type_


@unbox(RecordType)
def _unbox(kind: RecordType, value: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(value, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, kind: RecordType, name: str) -> types.Type | None:
        field = kind.fields.get(name)
        return field.type if field else None


@lower_getattr_generic(RecordType)
def _get(context: Any, builder: Any, kind: RecordType, pointer: Any, name: str) -> Any:
    field = kind.fields[name]
    if isinstance(field.type, RecordType):
        return builder.gep(pointer, [ir.Constant(ir.IntType(64), WORD * field.word)])
    if field.constant is not None:
        return ir.Constant(ir.IntType(64), field.constant)

    def load(word: int, wanted: Any) -> Any:
        at = builder.gep(pointer, [ir.Constant(ir.IntType(64), WORD * (field.word + word))])
        value = builder.load(builder.bitcast(at, wanted.as_pointer()))
        value.align = WORD
        value.set_metadata("invariant.load", builder.module.add_metadata([]))  # so that it is moved out of loops
        return value

    if not isinstance(field.type, types.Array):
        if field.type is types.boolean:
            return builder.icmp_signed("!=", load(0, ir.IntType(64)), ir.Constant(ir.IntType(64), 0))
        return load(0, context.get_value_type(field.type))
    model = context.data_model_manager[field.type]
    whole = model.get_value_type()
    size = context.get_abi_sizeof(context.get_data_type(field.type.dtype))
    dimensions = field.type.ndim
    parts: dict[str, Any] = {
        "nitems": load(0, ir.IntType(64)),
        "itemsize": ir.Constant(ir.IntType(64), size),
        "data": load(1, whole.elements[model.get_field_position("data")]),
        "shape": _extents(builder, [load(_ARRAY_HEAD + i, ir.IntType(64)) for i in range(dimensions)]),
    }
    strides = [load(_ARRAY_HEAD + dimensions + i, ir.IntType(64)) for i in range(dimensions - 1)]
    parts["strides"] = _extents(builder, [*strides, ir.Constant(ir.IntType(64), size)])
    value = ir.Constant(whole, None)  # no owner: nothing is counted
    for part, own in parts.items():
        value = builder.insert_value(value, own, model.get_field_position(part))
    return value


def _extents(builder: Any, values: list[Any]) -> Any:
    made = ir.Constant(ir.ArrayType(ir.IntType(64), len(values)), ir.Undefined)
    for i, value in enumerate(values):
        made = builder.insert_value(made, value, i)
    return made
