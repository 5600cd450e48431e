"""Settings of a model: dataclasses whose fields say which values they take, and one check for all of them.

    @dataclass(frozen=True)
    class Config:
        width: int = setting(1, 512)
        trunk: tuple[int, ...] = setting(1, 4096, count=8)
        order: int = setting(0, 65535, default=0)

Bounds between settings are checked in ``__post_init__``, which raises a ModelError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar

from arcomp.errors import ModelError

C = TypeVar("C")
_KEY = "arcomp"


@dataclass(frozen=True)
class Range:
    """Which values a setting takes.

    Attributes:
        least, most: range of a number, which must have their type: an integer is not a float, and a bool is neither.
        choices: the values of any other setting.
        count: most values of a setting that is a tuple; None for a single value. fewest: the fewest of a tuple.
        record: for a tuple of records, their dataclass of settings.
    """

    least: float = 0
    most: float = 0
    choices: tuple[Any, ...] = ()
    count: int | None = None
    record: type[Any] | None = None
    fewest: int = 1

    def __str__(self) -> str:
        if self.record is not None:
            return f"{self.fewest} to {self.count} of {self.record.__name__}"
        one = f"one of {', '.join(map(repr, self.choices))}" if self.choices else f"within {self.least} .. {self.most}"
        return one if self.count is None else f"1 to {self.count} values, each {one}"

    def takes(self, value: Any) -> bool:
        """Whether a single value is allowed."""
        if self.choices:
            return any(type(value) is type(c) and value == c for c in self.choices)
        return type(value) is type(self.least) and self.least <= value <= self.most


def setting(least: float, most: float, *, default: Any = MISSING, count: int | None = None) -> Any:
    """A field of numbers within a range, both ends included. Floats for a range of floats, else integers."""
    return field(default=default, metadata={_KEY: Range(least, most, count=count)})


def choice(*values: Any, default: Any = MISSING) -> Any:
    """A field that takes some values only, by type and value."""
    return field(default=default, metadata={_KEY: Range(choices=values)})


def records(record: type[Any], count: int, least: int = 1) -> Any:
    """A field of ``least`` to ``count`` records, which are dataclasses of settings themselves."""
    return field(metadata={_KEY: Range(count=count, record=record, fewest=least)})


def checked(kind: type[C], plain: Mapping[str, Any]) -> C:
    """A configuration from plain types; lists become tuples.

    Raises:
        ModelError: unknown or missing settings, or values out of their range.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, f in known.items() if f.default is MISSING}
    if not isinstance(plain, Mapping) or not needed <= set(plain) <= set(known):
        raise ModelError(f"this configuration is not one of {kind.__name__}: {str(plain)[:80]}")
    return kind(**{name: _value(known[name], value) for name, value in plain.items()})


def _value(f: Field[Any], value: Any) -> Any:
    """A setting's value, checked."""
    allowed: Range = f.metadata[_KEY]
    if allowed.count is None:
        values = (value,)
    elif isinstance(value, list | tuple) and allowed.fewest <= len(value) <= allowed.count:
        values = tuple(value)
    else:
        values = (None,)
    if allowed.record is not None and None not in values:
        record = allowed.record
        return tuple(v if isinstance(v, record) else checked(record, v) for v in values)
    if not all(map(allowed.takes, values)):
        raise ModelError(f"a configuration's {f.name} is {str(value)[:20]}, not {allowed}")
    return value if allowed.count is None else values
