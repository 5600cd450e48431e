"""A file that begins with a JPEG, taken apart: its coefficients, and the form that makes it of them again.

JPEGs inside it, such as thumbnails, and those that follow it are taken apart, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from arcomp.coefficients import Coefficients
from arcomp.form import Jpeg, Literal, Segment
from arcomp.formats.jpeg.scanning import Scanned, scanned
from arcomp.limits import JpegBudget

START = b"\xff\xd8\xff"
"""How a JPEG begins."""
_DEEPEST = 3
"""How deep JPEGs may lie in each other."""
_TRIES = 32
"""Places that look like a JPEG inside and are none, after which no more are looked for."""


@dataclass(frozen=True)
class Found:
    """A file taken apart.

    Attributes:
        skeleton: its form. coefficients: those that the form names, each by its number.
    """

    skeleton: tuple[Segment, ...]
    coefficients: tuple[Coefficients, ...]


def read(data: bytes) -> Found | None:
    """Take a file apart that begins with a JPEG.

    Returns:
        None if it is none, or of a kind that is not read here, or does not come back bit for bit.
    """
    budget = JpegBudget(len(data))
    first = scanned(data, 0, len(data), True, budget)
    if first is None:
        return None
    reader = _Reader(data, budget)
    skeleton = (reader.form(first, _DEEPEST - 1), *reader.inside(first.end, len(data), _DEEPEST))
    return Found(skeleton, tuple(reader.found))


class _Reader:
    """Looks for JPEGs in a file.

    Attributes:
        found: their coefficients.
    """

    def __init__(self, data: bytes, budget: JpegBudget) -> None:
        self.data, self.found, self.tries, self.budget = data, list[Coefficients](), _TRIES, budget

    def form(self, one: Scanned, deepest: int) -> Jpeg:
        """The form of a JPEG, with those in its content, which lie at most so deep."""
        number = len(self.found)
        self.found.append(one.coefficients)
        content: list[Segment] = []
        for part in one.parts:
            if isinstance(part, bytes):
                content.append(Literal(part))
            else:
                begin, end = part
                own = 0 if content else min(2, end - begin)  # where this JPEG begins itself
                content += [Literal(self.data[begin : begin + own]), *self.inside(begin + own, end, deepest)]
        return replace(one.jpeg, picture=number, content=_joined(content))

    def inside(self, begin: int, end: int, deepest: int) -> list[Segment]:
        """Bytes as segments, of which some are JPEGs."""
        made: list[Segment] = []
        at = place = begin
        while deepest and self.tries and (place := self.data.find(START, place, end)) >= 0:
            one = scanned(self.data, place, end, False, self.budget)
            if one is None:
                self.tries -= 1
                place += 1
                continue
            made += [Literal(self.data[at:place])] if at < place else []
            made.append(self.form(one, deepest - 1))
            at = place = one.end
        return [*made, Literal(self.data[at:end])] if at < end else made


def _joined(segments: list[Segment]) -> tuple[Segment, ...]:
    """The same, literal bytes that follow each other together."""
    made: list[Segment] = []
    for segment in segments:
        last = made[-1] if made else None
        if isinstance(segment, Literal) and (isinstance(last, Literal) or not segment.data):
            made[-1:] = [Literal(b"".join((last.data, segment.data)))] if isinstance(last, Literal) else made[-1:]
        else:
            made.append(segment)
    return tuple(made)
