"""What is known about a picture, and what of it another file does not say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from arcomp.formats.metadata.exif import entries_of, orientation_of

_Field = Literal["icc", "exif", "xmp", "resolution", "aspect"]
_NAMES: dict[str, str] = {
    "icc": "ICC profile", "exif": "Exif", "xmp": "XMP", "text": "text", "resolution": "resolution",
    "aspect": "shape of pixels", "maximum": "maximum value",
}  # fmt: skip
_TURNED = range(2, 9)
"""Orientations that turn or mirror a picture."""


@dataclass(frozen=True)
class Metadata:
    """What is known about a picture.

    Attributes:
        icc: a colour profile.
        exif: Exif, from its byte order mark on.
        xmp: XMP, in UTF-8.
        text: texts, each after its keyword; one keyword may stand there several times.
        resolution: pixels a metre, across and down.
        aspect: pixels across and down that make a square, where no more than this is known; None if they are equal.
        maximum: the sample that is white, or opaque, where it is not the largest of its bits; SEVERAL_MAXIMA if
            pictures of the file have different ones.
        pictures: how many the file holds, also those that are not read.
        others: names of what else there is, which no conversion keeps.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    text: tuple[tuple[str, str], ...] = ()
    resolution: tuple[int, int] | None = None
    aspect: tuple[int, int] | None = None
    maximum: int | None = None
    pictures: int = 1
    others: tuple[str, ...] = ()

    def missing_in(self, made: Metadata) -> tuple[str, ...]:
        """Names of what this says, and what is said of another file does not."""
        gone = [name for field, name in _NAMES.items() if not self._is_in(made, field)]
        if "Exif" in gone and made.exif:
            gone[gone.index("Exif")] = "parts of Exif"
        turned = orientation_of(self.exif)
        if turned in _TURNED and orientation_of(made.exif) != turned:
            gone.append("orientation")
        return (*gone, *(name for name in self.others if name not in made.others))

    def _is_in(self, made: Metadata, field: str) -> bool:
        own, other = getattr(self, field), getattr(made, field)
        if field == "text":
            return set(own) <= set(other)
        if field == "exif" and own and other:
            return entries_of(own).items() <= entries_of(other).items()
        return own is None or own == other


NONE = Metadata()
SEVERAL_MAXIMA = 0


class Gathered:
    """Collects what a file says, while it is read."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._text: list[tuple[str, str]] = []
        self._others: list[str] = []

    def keep(self, field: _Field, value: Any) -> None:
        """Take a field of :class:`Metadata`. The first one counts; others of the same kind are named."""
        if self._fields.setdefault(field, value) != value:
            self.name(f"a second {_NAMES[field]}")

    def add_text(self, keyword: str, text: str) -> None:
        """Take a text."""
        self._text.append((keyword, text))

    def name(self, what: str) -> None:
        """Take the name of something that no field has room for."""
        self._others.append(what)

    def name_if(self, there: object, what: str) -> None:
        """Take a name if there is such a thing."""
        if there:
            self.name(what)

    def scale(self, across: float, down: float, metre: bool) -> None:
        """Take resolution in pixels a metre, or in pixels of an unknown unit."""
        sides = tuple(round(side) if math.isfinite(side) else 0 for side in (across, down))
        if not all(0 < side < 1 << 31 for side in sides):
            self.name("resolution")
        elif metre:
            self.keep("resolution", sides)
        elif sides[0] != sides[1]:
            self.keep("aspect", sides)

    def rest(self, data: bytes, spans: Iterable[tuple[int, int]]) -> None:
        """Name the bytes of a file that belong to nothing, if any of them is not 0.

        Args:
            data: the file. spans: where the parts that are known begin and end, in any sequence.
        """
        at = lost = 0
        for begin, end in sorted((*spans, (len(data), len(data)))):
            if begin > at:
                between = data[at:begin]
                lost += len(between) if between.strip(b"\0") else 0
            at = max(at, end)
        self.name_if(lost, f"{lost} byte{'s' if lost > 1 else ''} of no known meaning")

    def metadata(self, maximum: int | None = None, pictures: int = 1) -> Metadata:
        """All of it."""
        others = tuple(dict.fromkeys(self._others))
        made = Metadata(text=tuple(self._text), maximum=maximum, pictures=pictures, others=others)
        return replace(made, **self._fields)
