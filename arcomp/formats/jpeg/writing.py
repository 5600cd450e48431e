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
from arcomp.formats.jpeg import encoding
from arcomp.formats.jpeg.headers import Frame, FrameComponent, Headers, ScanHeader
from arcomp.formats.jpeg.huffman import Codes
from arcomp.formats.jpeg.scans import Scan, scan_of

_CANNOT = "scans that cannot be"


def shape_of(jpeg: Jpeg, content: bytes) -> Shape:
    """What a JPEG's headers say of its coefficients.

    Args:
        content: the bytes of `jpeg.content`.

    Raises:
        ValueError: they are no headers of a JPEG with so many scans.
    """
    headers, scans = _headers(jpeg, content)
    frame = _frame(jpeg, headers, scans)
    return Shape(
        frame.width, frame.height,
        tuple(
            ComponentShape(*_size(jpeg, c, one), one.sampling, headers.steps.get(c, np.ones(64, np.uint16)))
            for c, one in enumerate(frame.components)
        ),
    )  # fmt: skip


def write(jpeg: Jpeg, content: bytes, coefficients: Coefficients, most: int) -> Iterator[bytes | memoryview]:
    """The JPEG, some bytes after the other.

    Args:
        jpeg, content: its form; see :func:`shape_of`. coefficients: of this shape.
        most: bytes that it may have.

    Raises:
        ValueError: it cannot be made, or has more bytes.
    """
    headers, scans = _headers(jpeg, content)
    frame = _frame(jpeg, headers, scans)
    blocks = _placed(jpeg, frame, coefficients)
    logs = _Logs.of(jpeg)
    out = encoding.Output(
        np.empty(max(0, most), np.uint8), np.empty(encoding.MOST_HELD, np.uint8), np.empty(64, np.uint8),
        np.zeros(encoding.STATE, np.int64),
    )  # fmt: skip
    begun = before = 0
    for number, (header, end) in enumerate(scans):
        yield content[begun:end]
        begun = end
        scan, codes = _told(frame, header)
        units = jpeg.units if number == jpeg.scans - 1 and jpeg.units is not None else scan.units
        if units > scan.units:
            raise ValueError(_CANNOT)
        given = logs.given(number, before, before + scan.blocks, units)
        pads = out.state[encoding.PADS]
        out.state[:] = 0
        out.state[encoding.PADS] = pads
        encoding.encode(scan, codes, blocks, given, out)
        if out.state[encoding.WRONG]:
            raise ValueError(_CANNOT)
        yield out.data[: out.state[encoding.MADE]].tobytes()
        before += scan.blocks
    logs.check_used(before)
    yield content[begun:]


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
        return encoding.Given(zeros, self.breaks[low:high] - begin, self.pads, units, restarts)

    def check_used(self, blocks: int) -> None:
        """Refuse those of blocks that there are not."""
        if max([-1, *self.zeros[-1:, 0], *self.breaks[-1:]]) >= blocks:
            raise ValueError(_CANNOT)


def _headers(jpeg: Jpeg, content: bytes) -> tuple[Headers, list[tuple[ScanHeader, int]]]:
    """What headers say, and each scan with the byte that it follows."""
    headers, at = Headers(), 0
    scans: list[tuple[ScanHeader, int]] = []
    try:
        while len(scans) < jpeg.scans:
            header, at = headers.next_scan(content, at, len(content))
            if header is None:
                raise ValueError(_CANNOT)
            scans.append((header, at))
    except PictureError as error:
        raise ValueError(_CANNOT) from error
    return headers, scans


def _frame(jpeg: Jpeg, headers: Headers, scans: list[tuple[ScanHeader, int]]) -> Frame:
    """The frame as far as there are coefficients."""
    if headers.frame is None:
        raise ValueError(_CANNOT)
    return cut(headers.frame, scans[0][0], jpeg.scans, jpeg.units)


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
