"""Records of integers in an array: a NamedTuple's fields, which Python writes and kernels read by their names.

A field is an integer, another such NamedTuple, or, as the last one, ``tuple[NamedTuple, ...]``: as many as there are.
So a record is declared once, and neither side counts numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

Record = TypeVar("Record", bound=tuple[Any, ...])


class Several(NamedTuple):
    """What kernels read of a field of several records: where in the array they begin, and how many they are."""

    begin: int
    size: int


def written(record: tuple[Any, ...]) -> list[int]:
    """A record's integers, in the sequence of its fields."""
    found: list[int] = []
    for value in record:
        if not isinstance(value, tuple):
            found.append(int(value))
        elif hasattr(value, "_fields"):
            found += written(value)
        else:
            found.append(len(value))
            for one in value:
                found += written(one)
    return found


def length(kind: type[tuple[Any, ...]]) -> int:
    """How many integers a record is; of one that ends in several others, those before them and their number."""
    hints = get_type_hints(kind).values()
    return sum(1 if hint is int or get_origin(hint) is tuple else length(hint) for hint in hints)


def _numba_type(kind: type[tuple[Any, ...]]) -> Any:
    parts = []
    for hint in get_type_hints(kind).values():
        if hint is int:
            parts.append(types.int64)
        else:
            parts.append(_numba_type(Several if get_origin(hint) is tuple else hint))
    return types.BaseTuple.from_types(tuple(parts), kind)


if TYPE_CHECKING:

    def read(numbers: npt.NDArray[np.int64], at: int, kind: type[Record]) -> Record:
        """The record that begins at ``numbers[at]``; for kernels."""

    def several(field: tuple[Record, ...]) -> Several:
        """A field of several records, as kernels have it."""

else:

    @intrinsic
    def read(typing: Any, numbers: Any, at: Any, kind: Any) -> Any:
        """Nothing but loads, at distances that are known when it is compiled."""
        made = _numba_type(kind.instance_class)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(numbers)(context, builder, args[0])
            first = cgutils.get_item_pointer(context, builder, numbers, array, [args[1]], wraparound=False)
            distance = 0

            def load(wanted: Any) -> Any:
                nonlocal distance
                if wanted == types.int64:
                    distance += 1
                    return builder.load(cgutils.gep_inbounds(builder, first, distance - 1))
                if wanted.instance_class is Several:
                    count = load(types.int64)
                    begin = builder.add(args[1], ir.Constant(args[1].type, distance))
                    return context.make_tuple(builder, wanted, [begin, count])
                return context.make_tuple(builder, wanted, [load(part) for part in wanted.types])

            return load(made)

        return made(numbers, types.intp, kind), generate

    @intrinsic
    def several(typing: Any, field: Any) -> Any:
        """The field itself."""
        return field(field), lambda context, builder, signature, args: args[0]
