"""One JPEG taken apart, but not those inside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import Blocks, Coefficients, Component
from arcomp.errors import PictureError
from arcomp.form import Jpeg
from arcomp.formats.jpeg import decoding
from arcomp.formats.jpeg.bits import bits_of
from arcomp.formats.jpeg.headers import Frame, FrameComponent, Headers, HuffmanSegment, ScanHeader
from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.scans import DC_FIRST, LONGEST_RUN, SEQUENTIAL, Scan, Stored, scan_of
from arcomp.formats.jpeg.writing import Writer, best_table, cut, scans_of, write, write_padding
from arcomp.limits import BLOCKS_FREELY, BLOCKS_PER_BYTE, JpegBudget, free_memory

_BLOCK_MEMORY = 512
"""Bytes of memory that a block takes, while a JPEG is read, at most about."""


Content = tuple[int, int] | bytes


@dataclass(frozen=True)
class Scanned:
    """A JPEG in a file.

    Attributes:
        jpeg: its form, without content. coefficients: its own.
        parts: its content: (begin, end) of bytes of the file, or bytes that stand in place of some of them.
        end: where it ends.
        blocks: its coefficients, from which it is written to see whether it comes back.
    """

    jpeg: Jpeg
    coefficients: Coefficients
    parts: list[Content]
    end: int
    blocks: Stored | Coefficients


def scanned(data: bytes, begin: int, end: int, whole: bool, budget: JpegBudget) -> Scanned | None:
    """Take a JPEG apart.

    Args:
        data: a file. begin, end: between which bytes the JPEG is, or only begins.
        whole: whether it has them all, so that it may be cut off or damaged.
        budget: of the JPEGs of the file.

    Returns:
        None if it is none that is read here, or does not come back bit for bit.
    """
    try:
        reader = Reader(data, begin, end, budget)
        reader.read()
        found = reader.result(whole)
    except (PictureError, ValueError):
        return None
    if found is None:
        return None
    shorter = _without_tables(data, begin, found)
    if shorter is None or (found.jpeg.breaks and shorter is not found and not _comes_back(data, begin, shorter)):
        return found if _comes_back(data, begin, found) else None
    return shorter


def _bytes(data: bytes, parts: list[Content]) -> bytes:
    return b"".join(part if isinstance(part, bytes) else data[slice(*part)] for part in parts)


def _comes_back(data: bytes, begin: int, found: Scanned) -> bool:
    try:
        made = b"".join(write(found.jpeg, _bytes(data, found.parts), found.blocks, found.end - begin))
    except ValueError:
        return False
    return made == data[begin : found.end]


def _without_tables(data: bytes, begin: int, found: Scanned) -> Scanned | None:
    """The same without Huffman tables that are the best ones for their scan; None if it does not come back so.

    Runs are as long as they may be, as when values are counted for a missing table. Where that gives the scan, runs are
    the same with the table, unless there are breaks.
    """
    content, at = _bytes(data, found.parts), begin
    writer, parts = None, list[Content]()
    try:
        for number, (headers, header, first, last) in enumerate(scans_of(found.jpeg, content)):
            writer = writer or Writer.of(found.jpeg, headers, header, found.blocks, found.end - begin)
            made, counts = writer.scan(header, number, LONGEST_RUN)
            parts += _tables_omitted(data, (at, at + last - first), headers.huffman, at - first, header, counts)
            at += last - first
            if data[at : at + len(made)] != made:
                return None
            at += len(made)
    except ValueError:
        return None
    return replace(found, parts=[*parts, *found.parts[-1:]]) if any(isinstance(p, bytes) for p in parts) else found


def _tables_omitted(
    data: bytes,
    part: tuple[int, int],
    segments: list[HuffmanSegment],
    shift: int,
    header: ScanHeader,
    counts: npt.NDArray[np.int64],
) -> list[Content]:
    """A part of the content that comes before a scan, without tables that are the best ones for it.

    Args:
        segments: of it. shift: what to add to their places for those in the file.
        counts: as of :meth:`arcomp.formats.jpeg.writing.Writer.scan`.
    """
    at, end = part
    parts, keys = list[Content](), [key for one in segments for key, _ in one.tables]
    for one in segments if len(set(keys)) == len(keys) else ():
        omit = [key for key, table in one.tables if table == best_table(key, header, counts)]
        if omit and one.stored() == data[one.begin + shift : one.end + shift]:
            parts += [(at, one.begin + shift), one.stored(omit)]
            at = one.end + shift
    return [*parts, (at, end)]


@dataclass
class _Logs:
    """What scans have beside coefficients, as :class:`arcomp.form.Jpeg` says it."""

    units: int | None = None
    restarts: list[tuple[int, int]] = field(default_factory=list)
    zeros: list[npt.NDArray[np.int64]] = field(default_factory=list)
    breaks: list[npt.NDArray[np.int64]] = field(default_factory=list)
    pads: list[npt.NDArray[np.uint8]] = field(default_factory=list)


class Reader:
    """Reads the scans of a JPEG.

    Attributes:
        headers, logs: what was read. parts: see :class:`Scanned`. scans: how many.
        frame: as far as there can be blocks of it in so few bytes. stored: these blocks.
        padding: components that had scans together with others.
    """

    def __init__(self, data: bytes, begin: int, end: int, budget: JpegBudget) -> None:
        self.data, self.begin, self.end, self.budget = data, begin, end, budget
        self.octets = np.frombuffer(data, np.uint8)
        self.headers, self.logs, self.scans = Headers(), _Logs(), 0
        self.parts: list[Content] = []
        self.padding: set[int] = set()
        self.stored = Stored(np.zeros((0, 64), np.int16), np.zeros(0, np.uint64))
        self.frame: Frame | None = None
        self._first: ScanHeader | None = None
        self._before = 0

    def read(self) -> None:
        """Read all scans, or up to one that ends early; then the rest is content.

        Raises:
            PictureError: there is no scan that can be read.
        """
        at = start = self.begin
        complete = True
        while complete:
            try:
                header, at = self.headers.next_scan(self.data, at, self.end)
                if header is None:
                    break
                frame = self.frame or self._take_memory(header)
                scan, codes = scan_of(frame, header)
                if any(table is None for one in self.headers.huffman for _, table in one.tables):
                    raise PictureError("a Huffman table that cannot be")
            except PictureError:
                if not self.scans:
                    raise
                complete = False
                break
            self.parts.append((start, at))
            at, complete = self._scan(header, scan, codes, at)
            start = at
        if self.headers.ended:
            self.end = at
        self.parts.append((start, self.end))

    def _take_memory(self, first: ScanHeader) -> Frame:
        """Take room for all blocks, or for so many rows of them as there can be."""
        whole, most = self.headers.frame, BLOCKS_FREELY + BLOCKS_PER_BYTE * (self.end - self.begin)
        if whole is None:
            raise PictureError("a JPEG without a frame")
        self._first, self.frame = first, whole
        if whole.blocks > most:
            of_a_unit = max(1, whole.blocks // (whole.units[0] * whole.units[1]))
            self.frame = cut(whole, first, 1, (most - BLOCKS_FREELY) // of_a_unit)
        blocks = self.frame.blocks
        if blocks > most or (blocks > BLOCKS_FREELY and blocks * _BLOCK_MEMORY > free_memory()):
            raise PictureError("a JPEG that claims more than it can have")
        self.budget.blocks.take(blocks)
        self.stored = Stored(np.zeros((blocks, 64), np.int16), np.zeros(blocks, np.uint64))
        return self.frame

    def _scan(self, header: ScanHeader, scan: Scan, codes: Codes, at: int) -> tuple[int, bool]:
        """Read a scan: gives where it ends, and whether it has all its units."""
        self.budget.visits.take(scan.blocks)
        bits = bits_of(self.octets[at : self.end])
        log = decoding.log_of(scan, bits)
        state = decoding.decode(scan, codes, bits, self.stored, log)
        units, restarts = int(state[decoding.UNIT]), int(state[decoding.RESTARTS])
        decoding.pad(bits, state, log)
        logs, number = self.logs, self.scans
        logs.zeros.append(log.zeros[: state[decoding.ZEROS]] + np.array([self._before, 0]))
        logs.breaks.append(log.breaks[: state[decoding.BREAKS]] + self._before)
        logs.pads.append(log.pads[: state[decoding.PADS]].copy())
        if scan.interval and restarts < max(0, units - 1) // scan.interval:
            logs.restarts.append((number, restarts))
        complete = units == scan.units and self.frame == self.headers.frame
        if not complete:
            logs.units = units
        if scan.kind in (SEQUENTIAL, DC_FIRST) and len(header.components) > 1:
            self.padding |= set(header.components)
        self._before += scan.blocks if units else 0
        self.scans += 1
        return at + decoding.length_of(bits, state), complete

    def result(self, whole: bool) -> Scanned | None:
        """What was read; None if it is less than is asked for."""
        whole_frame, logs = self.headers.frame, self.logs
        complete = self.headers.ended and logs.units is None
        if not self._before or not (whole_frame and self.frame and self._first) or not (whole or complete):
            return None
        frame, components, padded = cut(whole_frame, self._first, self.scans, logs.units), [], 0
        for number, (one, kept) in enumerate(zip(frame.components, self.frame.components, strict=True)):
            plane = self.stored.blocks[kept.first : kept.first + one.all_rows * one.all_columns]
            plane = plane.reshape(one.all_rows, one.all_columns, 64)
            if number in self.padding and not _usual(one, plane):
                padded |= 1 << number
            else:
                plane = plane[: one.rows, : one.columns]
            steps = self.headers.steps.get(number, np.ones(64, np.uint16))
            components.append(Component(np.ascontiguousarray(plane), steps, one.sampling))
        zeros, breaks = np.concatenate(logs.zeros), np.concatenate(logs.breaks)
        jpeg = Jpeg(
            (), 0, self.scans, logs.units, padded, tuple(logs.restarts),
            tuple(zip(_gaps(zeros[:, 0]), zeros[:, 1].tolist(), strict=True)), tuple(_gaps(breaks)),
            _packed(np.concatenate(logs.pads)),
        )  # fmt: skip
        made = Coefficients(tuple(components), frame.width, frame.height)
        return Scanned(jpeg, made, self.parts, self.end, self.stored if frame == self.frame else made)


def _usual(one: FrameComponent, plane: Blocks) -> bool:
    """Whether the blocks beyond those that cover a component are as libjpeg makes them."""
    if (one.rows, one.columns) == (one.all_rows, one.all_columns):
        return True
    made = plane.copy()
    write_padding(one, made)
    return bool(np.array_equal(made, plane))


def _gaps(places: npt.NDArray[np.int64]) -> list[int]:
    gaps: list[int] = np.diff(places, prepend=0).tolist()
    return gaps


def _packed(bits: npt.NDArray[np.uint8]) -> bytes:
    """Padding bits; those that are all alike as few."""
    if bits.all():
        return b""
    return np.packbits(bits).tobytes() if bits.any() else b"\0"
