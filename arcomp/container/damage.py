"""Members as far as they are intact: each stream has a checksum of its own, so damage stays where it is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from arcomp.container.header import Header, assemble, parse_header
from arcomp.container.layout import MEMBER, extent, fields_of
from arcomp.container.member import Member
from arcomp.errors import FormatError
from arcomp.limits import USUAL_LIMITS, Limits

_START = 14
"""Bytes of a section that say how long its fields are, at most."""


@dataclass(frozen=True)
class Remains:
    """What is left of a member whose header is intact.

    Attributes:
        header: what it says.
        streams: in their sequence; None for those that are damaged or cut off.
        cut: bytes that are missing at its end.
    """

    header: Header
    streams: tuple[memoryview | None, ...]
    cut: int

    @property
    def damaged(self) -> list[int]:
        """Which streams are damaged or cut off, from 0."""
        return [i for i, stream in enumerate(self.streams) if stream is None]

    @property
    def form_lost(self) -> bool:
        """Whether the stream is damaged that holds the form of the file and its palette."""
        return self.header.packed is not None and bool(self.streams) and self.streams[0] is None

    @property
    def lost(self) -> tuple[tuple[bool, ...], ...]:
        """Of each part, which of its streams cannot be decoded; without its side information none can."""
        found, at = [], int(self.header.packed is not None)
        for plan in self.header.plans:
            side = plan.has_side and self.streams[at] is None
            at += plan.has_side
            found.append(tuple(side or stream is None for stream in self.streams[at : at + plan.streams]))
            at += plan.streams
        return tuple(found)

    @property
    def lost_of_jpegs(self) -> tuple[tuple[bool, ...], ...]:
        """Of each JPEG, which of its streams cannot be decoded."""
        at = len(self.streams) - self.header.jpegs.streams
        ends = list(accumulate((plan.streams for plan in self.header.jpegs.each), initial=at))
        return tuple(tuple(s is None for s in self.streams[a:b]) for a, b in pairwise(ends))

    def member(self, limits: Limits = USUAL_LIMITS) -> Member:
        """The member, with empty streams in place of damaged ones; without form and palette if they are lost.

        Raises:
            FormatError: nothing else was in it.
            LimitError: its skeleton takes more memory than is allowed.
        """
        header, streams = self.header, list(self.streams)
        if self.form_lost:
            header, streams = replace(header, packed=None), streams[1:]
        stand_ins, at = [], int(header.packed is not None)
        for plan in header.plans:
            stand_ins += [at] if plan.has_side else []
            at += plan.has_side + plan.streams
        empty, side = memoryview(b""), memoryview(b"\0")
        whole = [(side if i in stand_ins else empty) if s is None else s for i, s in enumerate(streams)]
        return assemble(header, whole, limits)


def remains_at(view: memoryview, at: int) -> Remains:
    """What is left of the member that begins at a byte of a file.

    Raises:
        FormatError: there is none, or its header is damaged, cut off or impossible.
    """
    kind, begin, end = extent(bytes(view[at : at + _START]))
    if kind != MEMBER or len(view) - at < end:
        raise FormatError("an index" if kind != MEMBER else "the header is cut off")
    header = parse_header(fields_of(view[at : at + end], begin))
    if header.wanted != len(header.streams):
        raise FormatError(f"the header is impossible: {len(header.streams)} streams in place of {header.wanted}")
    ends = list(accumulate((stream.length for stream in header.streams), initial=at + end))
    found: list[memoryview | None] = []
    for claimed, first, last in zip(header.streams, ends[:-1], ends[1:], strict=True):
        stream = view[first:last] if last <= len(view) else None
        found.append(stream if stream is not None and zlib.crc32(stream) == claimed.crc else None)
    return Remains(header, tuple(found), max(0, ends[-1] - len(view)))
