"""Frozen dataclasses as bytes: the segments of a form, the nodes of a transform.

A *family* is a sequence of classes. A record is the number of its class in the family (one byte), then its fields in
the sequence that the class declares:

* a whole number: a number (:mod:`arcomp.container.numbers`); a truth value: the number 0 or 1;
* bytes, or a view of such: their length (a number), then themselves;
* a tuple: how many (a number), then each; a tuple of fixed length: each;
* a record of the family: as here, so records nest, as deep as the family allows;
* another dataclass: its fields, without a number of its class;
* something that may be None: 0 for None, else 1 and then itself.

Records and the items of their tuples are counted: a few packed bytes could be millions of them.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from arcomp.container.numbers import decode_number, encode_number
from arcomp.errors import FormatError
from arcomp.limits import Budget

OCTETS = bytes | memoryview
"""The type of bytes that may stay where they are decoded from, if they are many."""
_LONG = 1 << 20
"""Bytes from which on they do."""
_DAMAGED = "get the file again from where it came from"


class Family:
    """Classes whose records can be stored, and how.

    Args:
        classes: frozen dataclasses. The sequence is a part of the format: new ones go to its end.
        what: a record is called in messages.
        nested: how deep records nest at most.
    """

    def __init__(self, classes: Sequence[type], what: str, nested: int = 16) -> None:
        self.classes, self.what, self.nested = tuple(classes), what, nested
        self._fields: dict[type, list[tuple[str, Any]]] = {}

    def encode(self, record: object) -> bytes:
        """A record's bytes."""
        return b"".join(self.parts(record))

    def parts(self, record: object) -> Iterator[bytes | memoryview]:
        """A record's bytes, one part after the other: bytes that it holds are not copied."""
        yield bytes([self.classes.index(type(record))])
        yield from self._parts_of_fields(record)

    def items(self, record: object) -> int:
        """How many records and items of tuples there are in a record, itself counted."""
        count = 1
        for name, _ in self.declared(type(record)):
            value = getattr(record, name)
            if isinstance(value, tuple):
                inner = bool(value) and type(value[0]) in self.classes
                count += sum(map(self.items, value)) if inner else len(value)
            elif type(value) in self.classes:
                count += self.items(value)
            elif dataclasses.is_dataclass(value):
                count += self.items(value) - 1  # its fields are those of the record
        return count

    def decode(self, data: bytes | memoryview, at: int, items: Budget) -> tuple[Any, int]:
        """The record that begins at a byte, and where it ends.

        Args:
            items: how many records and items of tuples there may still be.

        Raises:
            FormatError: there is none, or its class refuses its values. Or what the budget raises.
        """
        return _Reader(self, data, items).record(at, self.nested)

    def damaged(self, why: str) -> FormatError:
        """The error for records that cannot be."""
        return FormatError(f"the file is damaged: {self.what} is {why}", remedy=_DAMAGED)

    def declared(self, kind: type) -> list[tuple[str, Any]]:
        """Names and types of a class's fields."""
        if kind not in self._fields:
            hints = get_type_hints(kind)
            self._fields[kind] = [(field.name, hints[field.name]) for field in dataclasses.fields(kind)]
        return self._fields[kind]

    def stands_alone(self, hint: Any) -> bool:
        """Whether values of a type are dataclasses outside the family."""
        return isinstance(hint, type) and not any(issubclass(kind, hint) for kind in self.classes)

    def _parts_of_fields(self, record: object) -> Iterator[bytes | memoryview]:
        for name, hint in self.declared(type(record)):
            yield from self._parts_of_value(getattr(record, name), hint)

    def _parts_of_value(self, value: Any, hint: Any) -> Iterator[bytes | memoryview]:
        if hint in (int, bool):
            yield encode_number(value)
        elif hint in (bytes, OCTETS):
            yield encode_number(len(value))
            yield value
        elif get_origin(hint) is tuple:
            of, *rest = get_args(hint)
            if rest == [...]:
                yield encode_number(len(value))
                rest = [of] * (len(value) - 1)
            for item, kind in zip(value, [of, *rest] if value else [], strict=True):
                yield from self._parts_of_value(item, kind)
        elif inner := _optional(hint):
            yield bytes([value is not None])
            if value is not None:
                yield from self._parts_of_value(value, inner)
        elif self.stands_alone(hint):
            yield from self._parts_of_fields(value)
        else:
            yield from self.parts(value)


class _Reader:
    """Decodes records of a family.

    Args:
        data: in which they are. items: how many of them, and of items of tuples, there may still be.
    """

    def __init__(self, family: Family, data: bytes | memoryview, items: Budget) -> None:
        self.family, self.data, self.items = family, data, items

    def record(self, at: int, deeper: int) -> tuple[Any, int]:
        """The record that begins at a byte, and where it ends."""
        classes, data = self.family.classes, self.data
        if at >= len(data) or data[at] >= len(classes) or not deeper:
            why = "of an unknown kind" if at < len(data) and deeper else "cut off or nested too deep"
            raise self.family.damaged(why)
        self.items.take(1)
        return self._fields(classes[data[at]], at + 1, deeper - 1)

    def _fields(self, kind: type, at: int, deeper: int) -> tuple[Any, int]:
        values = {}
        for name, hint in self.family.declared(kind):
            values[name], at = self._value(hint, at, deeper)
        return kind(**values), at

    def _value(self, hint: Any, at: int, deeper: int) -> tuple[Any, int]:
        if hint in (int, bool):
            return self._number(at, 1 if hint is bool else (1 << 63) - 1)
        if hint in (bytes, OCTETS):
            length, at = self._number(at, len(self.data) - at)
            if length > len(self.data) - at:
                raise self.family.damaged("cut off")
            found = self.data[at : at + length]
            return (found if hint == OCTETS and length > _LONG else bytes(found)), at + length
        if get_origin(hint) is tuple:
            return self._tuple(get_args(hint), at, deeper)
        if inner := _optional(hint):
            there, at = self._number(at, 1)
            return self._value(inner, at, deeper) if there else (None, at)
        if self.family.stands_alone(hint):
            return self._fields(hint, at, deeper)
        record, end = self.record(at, deeper)
        if not isinstance(record, hint if isinstance(hint, type) else get_args(hint)):
            raise self.family.damaged(f"a {type(record).__name__}, which cannot be there")
        return record, end

    def _tuple(self, hints: Any, at: int, deeper: int) -> tuple[Any, int]:
        if hints[-1] is ...:
            count, at = self._number(at, len(self.data) - at)  # each takes a byte at least
            if hints[0] is int or get_origin(hints[0]) is tuple:  # records count themselves
                self.items.take(count)
            hints = [hints[0]] * count
        values = []
        for hint in hints:
            value, at = self._value(hint, at, deeper)
            values.append(value)
        return tuple(values), at

    def _number(self, at: int, most: int) -> tuple[int, int]:
        value, at = decode_number(self.data, at, f"a part of {self.family.what}")
        if value > most:
            raise self.family.damaged(f"not possible: {value} in place of at most {most}")
        return value, at


def _optional(hint: Any) -> Any:
    """X of X | None; None for other types."""
    if get_origin(hint) in (types.UnionType, Union):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return None
