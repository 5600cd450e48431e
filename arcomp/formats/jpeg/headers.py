"""Marker segments of a JPEG (T.81, annex B): frame, tables, scans."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import MAX_COMPONENTS, MAX_SAMPLING, blocks_of
from arcomp.errors import PictureError
from arcomp.formats.jpeg.huffman import Table, standard_tables
from arcomp.jpeg_tables import ZIGZAG

SOI = b"\xff\xd8"
_EOI, _SOS, _DQT, _DRI, _DHT, _TEM, _DAC = 0xD9, 0xDA, 0xDB, 0xDD, 0xC4, 0x01, 0xCC
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker that is no restart's."""
_MOST_SEGMENTS = 4096
"""Before a scan."""
_OMITTED = 8
"""Added to a table's kind in a DHT segment: the table is not there."""


@dataclass(frozen=True)
class FrameComponent:
    """A component of a frame.

    Attributes:
        name: which scans call it. sampling: (horizontal, vertical). table: number of its quantisation table.
        rows, columns: blocks that cover its samples. all_rows, all_columns: that fill all interleaved units.
        first: block of the frame that is its first, where each has all its rows and columns.
    """

    name: int
    sampling: tuple[int, int]
    table: int
    rows: int
    columns: int
    all_rows: int
    all_columns: int
    first: int


@dataclass(frozen=True)
class Frame:
    """A frame: what SOF says.

    Attributes:
        width, height: in pixels. progressive: whether scans have a part of the coefficients or of their bits.
        components: 1 to 4. units: (how many across, down) in interleaved scans of all of them.
    """

    width: int
    height: int
    progressive: bool
    components: tuple[FrameComponent, ...]
    units: tuple[int, int]

    @property
    def blocks(self) -> int:
        """How many in all, padding included."""
        return sum(component.all_rows * component.all_columns for component in self.components)

    def cut(self, scan: ScanHeader, units: int) -> Frame:
        """The frame without what comes below the last row of units of its only scan.

        Args:
            scan: of all components. units: that it has.
        """
        alone = len(self.components) == 1
        across = self.components[0].columns if alone else self.units[0]
        tall = 1 if alone else max(component.sampling[1] for component in self.components)
        names = [(component.name, component.sampling, component.table) for component in self.components]
        return _frame(self.width, min(self.height, 8 * tall * max(1, -(-units // across))), self.progressive, names)


@dataclass(frozen=True)
class ScanHeader:
    """What SOS says, and what holds when it does.

    Attributes:
        components: of the frame, by number. numbers: for each, those of its tables (of DC, of AC). tables: these; None
            where there is none.
        first, last: coefficients in zigzag order, 0 to 63. before, low: T.81's Ah and Al, by which bits of them are
            known before, and after.
        interval: units between two restarts; 0: there are none.
    """

    components: tuple[int, ...]
    numbers: tuple[tuple[int, int], ...]
    tables: tuple[tuple[Table | None, Table | None], ...]
    first: int
    last: int
    before: int
    low: int
    interval: int


@dataclass(frozen=True)
class HuffmanSegment:
    """A DHT segment.

    Attributes:
        begin, end: where it is. tables: (0 of DC or 1 of AC, number) and the table; None: it is the best one for the
            scan that follows, and not stored (see :class:`arcomp.form.Jpeg`).
    """

    begin: int
    end: int
    tables: tuple[tuple[tuple[int, int], Table | None], ...]

    def stored(self, omit: Collection[tuple[int, int]] = ()) -> bytes:
        """Its bytes, without tables that are not there or are to be omitted."""
        body = b"".join(
            bytes([(_OMITTED | kind) << 4 | number]) if table is None or (kind, number) in omit
            else bytes([kind << 4 | number]) + table.stored
            for (kind, number), table in self.tables
        )  # fmt: skip
        return bytes([0xFF, _DHT]) + (len(body) + 2).to_bytes(2, "big") + body


@dataclass
class Headers:
    """What the marker segments of a JPEG have said so far.

    Attributes:
        frame: once it is known. steps: uint16 [64] quantisation of components whose first scan has begun, 8 v + u.
        ended: whether EOI was there.
        huffman: segments with tables since the last scan.
    """

    frame: Frame | None = None
    steps: dict[int, npt.NDArray[np.uint16]] = field(default_factory=dict)
    ended: bool = False
    huffman: list[HuffmanSegment] = field(default_factory=list)
    _quantisation: dict[int, npt.NDArray[np.uint16]] = field(default_factory=dict)
    _huffman: dict[tuple[int, int], Table | None] = field(default_factory=standard_tables)
    _interval: int = 0
    _known: dict[tuple[int, int], int] = field(default_factory=dict)

    def next_scan(self, data: bytes, at: int, end: int) -> tuple[ScanHeader | None, int]:
        """Read segments until a scan begins.

        Bytes that are no marker are passed over, and so are restart markers: a scan may leave them over.

        Args:
            data: a JPEG, or one without its scans. at, end: between which bytes to read.

        Returns:
            The scan, and where its bytes begin; None and where the JPEG ends if there is none.

        Raises:
            PictureError: this is no JPEG, or of a kind that is not read here.
        """
        self.huffman, segments = [], 0
        while (at := _next_marker(data, at, end)) <= end:
            segments += 1
            if segments > _MOST_SEGMENTS:
                raise PictureError("a JPEG of too many segments")
            marker = data[at - 1]
            if marker == _EOI:
                self.ended = True
                return None, at
            if marker in (SOI[1], _TEM):
                continue
            length = int.from_bytes(data[at : at + 2], "big")
            if length < 2 or at + length > end:
                break
            body, at = data[at + 2 : at + length], at + length
            if marker == _SOS:
                return self._scan(body), at
            if marker == _DHT:
                self._read_huffman(body, at)
            self._segment(marker, body)
        return None, end

    def _segment(self, marker: int, body: bytes) -> None:
        if marker in _SEQUENTIAL or marker == _PROGRESSIVE:
            self._read_frame(body, marker == _PROGRESSIVE)
        elif 0xC0 <= marker < 0xD0 and marker not in (_DHT, _DAC, 0xC8):
            raise PictureError("a JPEG that is lossless, hierarchical or of arithmetic coding")
        elif marker == _DQT:
            self._read_quantisation(body)
        elif marker == _DRI:
            if len(body) < 2:
                raise PictureError("a restart interval that is cut off")
            self._interval = int.from_bytes(body[:2], "big")

    def _read_frame(self, body: bytes, progressive: bool) -> None:
        if self.frame is not None or len(body) < 6 or body[0] != 8:
            raise PictureError("a JPEG of two frames, or not of 8 bits")
        height, width, count = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), body[5]
        if not (width and height and 1 <= count <= MAX_COMPONENTS) or len(body) < 6 + 3 * count:
            raise PictureError("a JPEG without pixels, or of many components")
        said = [body[6 + 3 * i : 9 + 3 * i] for i in range(count)]
        factors = [(one[1] >> 4, one[1] & 15) for one in said]
        if not all(1 <= f <= MAX_SAMPLING for pair in factors for f in pair) or len({one[0] for one in said}) < count:
            raise PictureError("a JPEG of impossible components")
        names = [(one[0], pair, one[2]) for one, pair in zip(said, factors, strict=True)]
        self.frame = _frame(width, height, progressive, names)

    def _read_huffman(self, body: bytes, end: int) -> None:
        at, tables = 0, list[tuple[tuple[int, int], Table | None]]()
        while at < len(body):
            kind, number = body[at] >> 4, body[at] & 15
            table, size = None, 0
            if not kind & _OMITTED:
                counts = body[at + 1 : at + 17]
                values = body[at + 17 : at + 17 + sum(counts)]
                table, size = Table(counts, values), 16 + sum(counts)
            if at + 1 + size > len(body) or size > 272 or kind & ~_OMITTED > 1 or number > 3:
                raise PictureError("a Huffman table that cannot be")
            tables.append(((kind & 1, number), table))
            at += 1 + size
        self.huffman.append(HuffmanSegment(end - len(body) - 4, end, tuple(tables)))
        self._huffman.update(tables)

    def define(self, tables: dict[tuple[int, int], Table], scan: ScanHeader) -> ScanHeader:
        """Fill in tables that were not stored; gives the scan with them."""
        self._huffman.update(tables)
        self.huffman = [
            replace(one, tables=tuple((key, tables[key] if table is None else table) for key, table in one.tables))
            for one in self.huffman
        ]
        return replace(scan, tables=self._tables(scan.numbers))

    def _tables(self, numbers: Iterable[tuple[int, int]]) -> tuple[tuple[Table | None, Table | None], ...]:
        return tuple((self._huffman.get((0, dc)), self._huffman.get((1, ac))) for dc, ac in numbers)

    def _read_quantisation(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            wide, number = body[at] >> 4, body[at] & 15
            size = 128 if wide else 64
            raw = body[at + 1 : at + 1 + size]
            if len(raw) < size or wide > 1 or number > 3:
                raise PictureError("a quantisation table that cannot be")
            steps = np.empty(64, np.uint16)
            steps[list(ZIGZAG)] = np.frombuffer(raw, ">u2" if wide else "u1")
            self._quantisation[number] = steps
            at += 1 + size

    def _scan(self, body: bytes) -> ScanHeader:
        frame = self.frame
        if frame is None or not body or not 1 <= body[0] <= MAX_COMPONENTS or len(body) < 4 + 2 * body[0]:
            raise PictureError("a scan that cannot be")
        count = body[0]
        numbers = {component.name: index for index, component in enumerate(frame.components)}
        chosen, wanted = [], []
        for name, both in zip(body[1 : 1 + 2 * count : 2], body[2 : 2 + 2 * count : 2], strict=True):
            if name not in numbers or numbers[name] in chosen:
                raise PictureError("a scan of a component that there is not")
            chosen.append(numbers[name])
            wanted.append((both >> 4, both & 15))
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        bits_of = (first, last, bits >> 4, bits & 15) if frame.progressive else (0, 63, 0, 0)
        scan = ScanHeader(tuple(chosen), tuple(wanted), self._tables(wanted), *bits_of, self._interval)
        self._check(frame, scan)
        return scan

    def _check(self, frame: Frame, scan: ScanHeader) -> None:
        """Refuse a scan of bits that are known, or of those below bits that are not."""
        units = sum(int(np.prod(frame.components[c].sampling)) for c in scan.components)
        if len(scan.components) > 1 and units > 10:
            raise PictureError("a scan of units that are too large")
        if not scan.first <= scan.last <= 63 or (frame.progressive and not scan.first and scan.last):
            raise PictureError("a scan of impossible coefficients")
        if (scan.first and len(scan.components) > 1) or scan.low > 13 or (scan.before and scan.before != scan.low + 1):
            raise PictureError("a scan of impossible bits")
        for component in scan.components:
            for k in range(scan.first, scan.last + 1):
                if self._known.get((component, k), 0) != scan.before or ((component, k) in self._known) != bool(
                    scan.before
                ):
                    raise PictureError("a scan of bits that are known")
                self._known[component, k] = scan.low
            if component not in self.steps:
                table = frame.components[component].table
                self.steps[component] = self._quantisation.get(table, np.ones(64, np.uint16))


def _frame(width: int, height: int, progressive: bool, said: list[tuple[int, tuple[int, int], int]]) -> Frame:
    """A frame.

    Args:
        said: name, sampling and table of each component.
    """
    wide, tall = (max(pair[axis] for _, pair, _ in said) for axis in (0, 1))
    components, first = [], 0
    for name, (h, v), table in said:
        (columns, all_columns), (rows, all_rows) = blocks_of(width, h, wide), blocks_of(height, v, tall)
        components.append(FrameComponent(name, (h, v), table, rows, columns, all_rows, all_columns, first))
        first += all_rows * all_columns
    units = -(-width // (8 * wide)), -(-height // (8 * tall))
    return Frame(width, height, progressive, tuple(components), units)


def _next_marker(data: bytes, at: int, end: int) -> int:
    """Where the next marker ends; beyond the end if there is none."""
    found = _MARKER.search(data, at, end)
    return found.end() if found else end + 1
