"""A JPEG from its form and its coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Blocks, Coefficients, ComponentShape, Shape
from arcomp.errors import PictureError
from arcomp.form import Jpeg
from arcomp.formats.jpeg import encoding, output
from arcomp.formats.jpeg.headers import Frame, FrameComponent, Headers, ScanHeader
from arcomp.formats.jpeg.huffman import TABLES, Codes, Table, optimal
from arcomp.formats.jpeg.masks import Masks, masks_of
from arcomp.formats.jpeg.scans import AC_MORE, DC_FIRST, DC_MORE, SEQUENTIAL, Scan, Stored, blocks_coded, scan_of
from arcomp.limits import Budget

_CANNOT = "scans that cannot be"
_LEAST_ROOM, _BLOCK_ROOM = 1024, 512
"""Bytes of a scan are not more than so many, and so many for each block: 64 codes of 31 bits, and stuffing."""


def shape_of(jpeg: Jpeg, content: bytes, visits: Budget | None = None) -> Shape:
    """What a JPEG's headers say of its coefficients.

    Args:
        content: the bytes of `jpeg.content`.
        visits: how often scans may still go over a block; None: as often as they do.

    Raises:
        ValueError: they are no headers of a JPEG with so many scans, or these go over blocks more often.
    """
    scans = list(scans_of(jpeg, content))
    if not scans:
        raise ValueError(_CANNOT)
    headers, first = scans[-1][0], scans[0][1]
    frame = cut(_known(headers), first, jpeg.scans, jpeg.units)
    if visits:
        visits.take(sum(blocks_coded(frame, scan) for _, scan, _, _ in scans))
    return Shape(
        frame.width, frame.height,
        tuple(
            ComponentShape(*_size(jpeg, c, one), one.sampling, headers.steps.get(c, np.ones(64, np.uint16)))
            for c, one in enumerate(frame.components)
        ),
    )  # fmt: skip


def write(jpeg: Jpeg, content: bytes, coefficients: Coefficients | Stored, most: int) -> Iterator[bytes | memoryview]:
    """The JPEG, some bytes after the other.

    Args:
        jpeg, content: its form; see :func:`shape_of`. coefficients: of this shape, or all blocks as they were read.
        most: bytes that it may have.

    Raises:
        ValueError: it cannot be made, or has more bytes.
    """
    writer = None
    for number, (headers, header, begin, end) in enumerate(scans_of(jpeg, content)):
        writer = writer or Writer.of(jpeg, headers, header, coefficients, most)
        header = writer.completed(headers, header, number)
        yield _content(headers, content, begin, end)
        yield writer.scan(header, number)[0]
    if writer is None:
        raise ValueError(_CANNOT)
    writer.logs.check_used(writer.before)
    yield content[end:]


_NO_MASKS, _NO_DC = np.zeros(0, np.uint64), np.zeros(0, np.int16)
_LOWS = 3
"""How far apart the low bits of scans are whose masks are kept."""


class Writer:
    """Writes the scans of a JPEG.

    Args:
        coefficients: of its components, or all blocks as they were read.
        most: bytes that a scan may have.
    """

    def __init__(self, jpeg: Jpeg, frame: Frame, coefficients: Coefficients | Stored, most: int) -> None:
        self.jpeg, self.frame, self.logs, self.before = jpeg, frame, _Logs.of(jpeg), 0
        self.masks = dict[int, Masks]()
        self.dc: npt.NDArray[np.int16] | None = None
        self.counted: tuple[int, output.Tokens] | None = None
        if isinstance(coefficients, Stored):
            self.blocks, self.masks[0] = coefficients
        else:
            self.blocks = _placed(jpeg, frame, coefficients)
        self.room = max(0, min(most, _LEAST_ROOM + _BLOCK_ROOM * len(self.blocks)))
        self.held, self.pads = np.empty((output.MOST_HELD, 2), np.int64), 0

    @classmethod
    def of(
        cls, jpeg: Jpeg, headers: Headers, first: ScanHeader, coefficients: Coefficients | Stored, most: int
    ) -> Writer:
        """The writer of a JPEG whose first scan begins."""
        return cls(jpeg, cut(_known(headers), first, jpeg.scans, jpeg.units), coefficients, most)

    def completed(self, headers: Headers, header: ScanHeader, number: int) -> ScanHeader:
        """A scan with the tables that were not stored."""
        missing = {key for one in headers.huffman for key, table in one.tables if table is None}
        if not missing:
            return header
        keys = [key for one in headers.huffman for key, _ in one.tables]
        if len(set(keys)) < len(keys):
            raise ValueError(_CANNOT)
        made = self._tokens(_told(self.frame, header)[0], number)
        self.counted, counts = (number, made), made.counts
        best = {key: best_table(key, header, counts) for key in missing}
        tables = {key: table for key, table in best.items() if table}
        if len(tables) < len(missing):
            raise ValueError(_CANNOT)
        return headers.define(tables, header)

    def scan(self, header: ScanHeader, number: int, longest: int | None = None) -> tuple[bytes, npt.NDArray[np.int64]]:
        """The bytes of a scan, and how often it has each value of each table, int64 [8, 256]: of the components' for
        DC, then for AC. None: its table says how long runs may be."""
        scan, codes = _told(self.frame, header)
        scan = scan if longest is None else scan._replace(longest=longest)
        tokens = self._counted(number) or self._tokens(scan, number)
        self.before += scan.blocks
        data = np.empty(self.room + output.MARGIN, np.uint8)  # memory is taken as it is written
        made, self.pads = output.write_tokens(tokens.tokens, codes, self.logs.pads, self.pads, data)
        if made < 0:
            raise ValueError(_CANNOT)
        return data[:made].tobytes(), tokens.counts

    def _counted(self, number: int) -> output.Tokens | None:
        """The tokens of which a scan's tables were made, if it has the same with them: its runs are not longer than the
        table's longest, which only matters where the log has breaks."""
        counted, self.counted = self.counted, None
        return counted[1] if counted and counted[0] == number and not len(self.logs.breaks) else None

    def _tokens(self, scan: Scan, number: int) -> output.Tokens:
        """A scan as tokens."""
        jpeg, state = self.jpeg, np.zeros(output.STATE, np.int64)
        units = jpeg.units if number == jpeg.scans - 1 and jpeg.units is not None else scan.units
        if units > scan.units:
            raise ValueError(_CANNOT)
        most = output.MARGIN + min(output.TOKENS_OF_A_BYTE * self.room, output.TOKENS_OF_A_BLOCK * (scan.blocks + 1))
        room = np.empty(most, np.uint32)  # memory is taken as it is written
        out = output.Tokens(room, self.held, np.zeros((TABLES, 256), np.int64), state)
        given = self.logs.given(number, self.before, self.before + scan.blocks, units)
        encoding.encode(scan, self._seen(scan), given, out)
        if state[output.WRONG]:
            raise ValueError(_CANNOT)
        return out._replace(tokens=room[: state[output.MADE]])

    def _seen(self, scan: Scan) -> encoding.Seen:
        """All blocks, with the masks that such a scan needs."""
        if scan.kind in (DC_FIRST, DC_MORE):
            if self.dc is None:
                self.dc = np.ascontiguousarray(self.blocks[:, 0])
            return encoding.Seen(self.blocks, self.dc, _NO_MASKS, _NO_MASKS)
        if scan.kind != SEQUENTIAL:
            self._mask(0)  # others are found among these
        now = self._mask(scan.low)
        before = self._mask(scan.low + 1) if scan.kind == AC_MORE else _NO_MASKS
        return encoding.Seen(self.blocks, _NO_DC, now, before)

    def _mask(self, low: int) -> Masks:
        """Which coefficients are at least 2^low in magnitude. Those of 0 and of few other lows are kept."""
        if low not in self.masks:
            smaller = max((other for other in self.masks if other < low), default=None)
            made = masks_of(self.blocks, low, None if smaller is None else self.masks[smaller])
            self.masks = {other: mask for other, mask in self.masks.items() if other == 0 or abs(other - low) < _LOWS}
            self.masks[low] = made
        return self.masks[low]


def best_table(key: tuple[int, int], header: ScanHeader, counts: npt.NDArray[np.int64]) -> Table | None:
    """What libjpeg would make a scan's table; None if the scan has no value of it.

    Args:
        key: (0 of DC or 1 of AC, its number). counts: as of :meth:`Writer.scan`.
    """
    kind, of = key
    used = [4 * kind + place for place, numbers in enumerate(header.numbers) if numbers[kind] == of]
    total = counts[used].sum(axis=0)
    return optimal(total.tolist()) if total.any() else None


def _content(headers: Headers, content: bytes, begin: int, end: int) -> bytes:
    """Content up to a scan, with all tables."""
    made, at = b"", begin
    for one in headers.huffman:
        stored = one.stored()
        if len(stored) != one.end - one.begin:
            made += content[at : one.begin] + stored
            at = one.end
    return made + content[at:end]


def write_padding(one: FrameComponent, blocks: Blocks) -> None:
    """Make the blocks beyond those that cover a component as libjpeg makes them.

    Args:
        blocks: int16 [all_rows, all_columns, 64] of the component.
    """
    wide = one.sampling[0]
    for column in range(one.columns, one.all_columns):
        blocks[: one.rows, column] = 0
        blocks[: one.rows, column, 0] = blocks[: one.rows, column - 1, 0]
    for row in range(one.rows, one.all_rows):
        blocks[row] = 0
        blocks[row, :, 0] = np.repeat(blocks[row - 1, wide - 1 :: wide, 0], wide)


def cut(frame: Frame, first: ScanHeader, scans: int, units: int | None) -> Frame:
    """A frame as far as there are coefficients: if its only scan, of all components, ends early, only so far.

    Args:
        first: scan. scans, units: as of :class:`arcomp.form.Jpeg`.
    """
    early = scans == 1 and units is not None and len(first.components) == len(frame.components)
    return frame.cut(first, units or 0) if early else frame


@dataclass(frozen=True)
class _Logs:
    """What a JPEG's scans have beside coefficients: see :class:`arcomp.form.Jpeg`; blocks counted from the first."""

    zeros: npt.NDArray[np.int64]
    breaks: npt.NDArray[np.int64]
    pads: npt.NDArray[np.uint8]
    restarts: dict[int, int]

    @classmethod
    def of(cls, jpeg: Jpeg) -> _Logs:
        at = list(accumulate(gap for gap, _ in jpeg.zeros))
        breaks = list(accumulate(jpeg.breaks))
        if any(number >= jpeg.scans for number, _ in jpeg.restarts) or max([0, *at[-1:], *breaks[-1:]]) >= 1 << 62:
            raise ValueError(_CANNOT)
        zeros = np.array(list(zip(at, (min(n, 64) for _, n in jpeg.zeros), strict=True)), np.int64).reshape(-1, 2)
        bits = np.unpackbits(np.frombuffer(jpeg.pads or b"\xff", np.uint8))
        return cls(zeros, np.array(breaks, np.int64), bits, dict(jpeg.restarts))

    def given(self, number: int, begin: int, end: int, units: int) -> encoding.Given:
        """Those of a scan, whose blocks these are."""
        low, high = np.searchsorted(self.zeros[:, 0], [begin, end])
        zeros = self.zeros[low:high] - np.array([begin, 0])
        low, high = np.searchsorted(self.breaks, [begin, end])
        restarts = self.restarts.get(number, 1 << 62)
        return encoding.Given(zeros, self.breaks[low:high] - begin, units, restarts)

    def check_used(self, blocks: int) -> None:
        """Refuse those of blocks that there are not."""
        if max([-1, *self.zeros[-1:, 0], *self.breaks[-1:]]) >= blocks:
            raise ValueError(_CANNOT)


def scans_of(jpeg: Jpeg, content: bytes) -> Iterator[tuple[Headers, ScanHeader, int, int]]:
    """What headers say when each scan begins, the scan, and where the content before it begins and ends."""
    headers, at = Headers(), 0
    try:
        for _ in range(jpeg.scans):
            begin = at
            header, at = headers.next_scan(content, at, len(content))
            if header is None:
                break
            yield headers, header, begin, at
        else:
            return
    except PictureError as error:
        raise ValueError(_CANNOT) from error
    raise ValueError(_CANNOT)


def _known(headers: Headers) -> Frame:
    if headers.frame is None:
        raise ValueError(_CANNOT)
    return headers.frame


def _told(frame: Frame, header: ScanHeader) -> tuple[Scan, Codes]:
    try:
        return scan_of(frame, header)
    except PictureError as error:
        raise ValueError(_CANNOT) from error


def _size(jpeg: Jpeg, number: int, one: FrameComponent) -> tuple[int, int]:
    """(rows, columns) of blocks that are among the coefficients."""
    return (one.all_rows, one.all_columns) if jpeg.padded >> number & 1 else (one.rows, one.columns)


def _placed(jpeg: Jpeg, frame: Frame, coefficients: Coefficients) -> Blocks:
    """All blocks of a frame, component after component."""
    blocks = np.zeros((frame.blocks, 64), np.int16)
    for number, (one, component) in enumerate(zip(frame.components, coefficients.components, strict=True)):
        rows, columns = _size(jpeg, number, one)
        if component.blocks.shape != (rows, columns, 64):
            raise ValueError("coefficients of another JPEG")
        end = one.first + one.all_rows * one.all_columns
        plane = blocks[one.first : end].reshape(one.all_rows, one.all_columns, 64)
        plane[:rows, :columns] = component.blocks
        if (rows, columns) != (one.all_rows, one.all_columns):
            write_padding(one, plane)
    return blocks
