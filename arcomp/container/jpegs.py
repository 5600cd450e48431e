"""The field that says which JPEGs a member holds."""

from __future__ import annotations

from dataclasses import dataclass

from arcomp.coefficients import MAX_COMPONENTS, MAX_SIDE
from arcomp.container.fields import Cursor, numbers
from arcomp.container.member import MAX_JPEGS, MAX_TILES, CodedJpeg


@dataclass(frozen=True)
class JpegPlan:
    """What a header says of a JPEG; its streams follow the header. See :class:`CodedJpeg`."""

    width: int
    height: int
    components: int
    streams: int


@dataclass(frozen=True)
class JpegPlans:
    """All of them, and the number of the model that coded them."""

    model: int = 0
    each: tuple[JpegPlan, ...] = ()

    @property
    def streams(self) -> int:
        """How many in all."""
        return sum(plan.streams for plan in self.each)


def encode_jpegs(model: int, jpegs: tuple[CodedJpeg, ...]) -> bytes:
    """The value of the field."""
    said = (numbers(one.width, one.height, one.components, len(one.streams)) for one in jpegs)
    return numbers(model) + b"".join(said)


def decode_jpegs(value: memoryview) -> JpegPlans:
    """What a field says.

    Raises:
        FormatError: it is malformed, or beyond a limit.
    """
    cursor = Cursor(value, "JPEGs")
    model, found = cursor.number(), list[JpegPlan]()
    while cursor.left or not found:
        width, height = cursor.number(1, MAX_SIDE), cursor.number(1, MAX_SIDE)
        found.append(JpegPlan(width, height, cursor.number(1, MAX_COMPONENTS), cursor.number(1, MAX_TILES)))
        if len(found) > MAX_JPEGS:
            raise cursor.wrong()
    return JpegPlans(model, tuple(found))
