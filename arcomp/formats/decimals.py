"""Samples as decimal numbers in text: read, and written again in the shape that the text has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError
from arcomp.exact.compiled import kernel
from arcomp.form import Decimals
from arcomp.samples import Pixels

Octets = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_DIGITS = 5
"""Most digits of a number."""
_SEPARATOR = 64
"""Most bytes between two numbers, where they are the same everywhere."""
_PIECE = 1 << 18
"""Numbers that are written at once."""
_MOST_RUNS = 1 << 20
"""Most runs of lines of one length."""
_WIDTHS = (0, 2, 3, 4, 5, 6)
"""Widths to which numbers may be filled up."""

_UNUSUAL = PictureError("the lines of its samples differ", remedy="save it as a raw picture")


class Numbers(NamedTuple):
    """Numbers in text.

    Attributes:
        values: uint16 [count].
        form: how they are written; of the picture 0.
        begin, end: where that is in the text; with the spaces before the first number that fill it up.
    """

    values: npt.NDArray[np.uint16]
    form: Decimals
    begin: int
    end: int


class Separators(NamedTuple):
    """What stands behind a number: within a pixel, at its end, at the end of a line."""

    between: Octets
    pixel_end: Octets
    line_end: Octets


def read(text: bytes, at: int, shape: tuple[int, int, int], *, single: bool = False) -> Numbers:
    """Read the samples of a picture.

    Args:
        text: a file.
        at: where its samples, or white space before them, begin.
        shape: [H, W, C] of the picture.
        single: whether each digit is a number of its own.

    Raises:
        PictureError: there are too few, others than decimal numbers up to 65535, or they have no shape that
            :class:`Decimals` describes; only then with a remedy.
    """
    count = shape[0] * shape[1] * shape[2]
    if len(text) - at < (count if single else 2 * count - 1):
        raise PictureError(f"it is truncated, {len(text) - at} bytes for {count} samples")
    values, runs = np.empty(count, np.uint16), np.zeros((min(count, _MOST_RUNS), 2), np.int64)
    gaps, found = np.zeros((3, 2), np.int64), np.zeros(3, np.int64)
    _read(np.frombuffer(text, np.uint8), at, shape[2], single, values, runs, gaps, found)
    if found[0] == -1:
        raise PictureError(f"it is truncated, {found[1]} of {count} samples")
    if found[0] == -2:
        raise PictureError(f"a sample is {'neither 0 nor 1' if single else 'not a number up to 65535'}")
    if found[0] == -4:
        raise _UNUSUAL
    if found[0] == -3:
        raise PictureError("there are comments among its samples", remedy="save it as a raw picture")
    begin, end = int(found[0]), int(found[1])
    lines = tuple((int(length), int(count)) for length, count in runs[: found[2]])
    for width in _WIDTHS[: 1 if single else None]:
        between, pixel_end, line_end = (_without_fill(text, int(a), int(b), width) for a, b in gaps)
        form = Decimals(0, tuple(range(shape[2])), lines, between, pixel_end, line_end, width=width)
        start = begin - len(text[at:begin]) + len(_without_fill(text, at, begin, width))
        if max(map(len, (between, pixel_end, line_end))) <= _SEPARATOR and _same(text, start, end, values, form):
            return Numbers(values, form, start, end)
    raise _UNUSUAL


def rendered(form: Decimals, samples: Pixels) -> Iterator[Octets]:
    """The text of a picture, some of it after the other.

    Args:
        form: of the text.
        samples: uint8 or uint16 [H, W, C].

    Raises:
        ValueError: the form is of more or fewer numbers, has channels that the samples have not, or inverts samples of
            more than a bit.
    """
    if not form.channels or not 0 <= min(form.channels) <= max(form.channels) < samples.shape[2]:
        raise ValueError("numbers of channels that the picture has not")
    if form.inverted and int(samples.max()) > 1:
        raise ValueError("samples of more than a bit that are inverted")
    rows = max(1, _PIECE // (samples.shape[1] * len(form.channels)))
    blocks = (_chosen(samples[top : top + rows], form) for top in range(0, len(samples), rows))
    yield from _written(form, blocks, samples.shape[0] * samples.shape[1] * len(form.channels))


def _chosen(rows: Pixels, form: Decimals) -> npt.NDArray[np.uint16]:
    """The numbers of some rows, one after the other."""
    chosen = rows if form.channels == tuple(range(rows.shape[2])) else rows[..., list(form.channels)]
    values = chosen.reshape(-1).astype(np.uint16)
    return values ^ np.uint16(1) if form.inverted else values


def _written(form: Decimals, blocks: Iterator[npt.NDArray[np.uint16]], count: int) -> Iterator[Octets]:
    """The text of `count` numbers, block by block."""
    ends = Separators(*(np.frombuffer(end, np.uint8) for end in (form.between, form.pixel_end, form.line_end)))
    longest = max(map(len, ends))
    sound = all(min(run) > 0 for run in form.lines) and sum(a * b for a, b in form.lines) == count
    if not sound or max(longest, form.width) > _SEPARATOR:
        raise ValueError("lines of more or fewer numbers than the picture has, or too far apart")
    runs = np.array(form.lines, np.int64)
    state = np.array([0, runs[0, 1], runs[0, 0], 0, count], np.int64)
    room = max(_DIGITS, form.width) + longest
    for start in blocks:
        for first in range(0, len(start), _PIECE):
            block = start[first : first + _PIECE]
            out = np.empty(len(block) * room, np.uint8)
            size = _write(block, len(form.channels), form.width, ends, runs, state, out)
            yield out[: int(size)]


def _same(text: bytes, begin: int, end: int, values: npt.NDArray[np.uint16], form: Decimals) -> bool:
    """Whether numbers are written so in a text."""
    blocks = (values[first : first + _PIECE] for first in range(0, len(values), _PIECE))
    for piece in _written(form, blocks, len(values)):
        if begin + len(piece) > end or not np.array_equal(piece, np.frombuffer(text, np.uint8, len(piece), begin)):
            return False
        begin += len(piece)
    return begin == end


def _without_fill(text: bytes, begin: int, end: int, width: int) -> bytes:
    """What stands between two numbers, without the spaces that fill the second up to a width."""
    gap = text[begin:end]
    digits = 0
    while digits < width and text[end + digits : end + digits + 1].isdigit():
        digits += 1
    spaces = len(gap) - len(gap.rstrip(b" "))
    return gap[: len(gap) - min(spaces, width - digits)] if digits else gap


@kernel(inner=True)
def _line_ended(runs: Integers, run: int, length: int) -> int:
    """Count a line of so many numbers; the run that it belongs to, or len(runs) if there is no room for another."""
    if runs[run, 0] != length and runs[run, 0] != 0:
        run += 1
        if run == len(runs):
            return run
    runs[run, 0] = length
    runs[run, 1] += 1
    return run


@kernel()
def _read(
    text: Octets,
    at: int,
    channels: int,
    single: bool,
    values: npt.NDArray[np.uint16],
    runs: Integers,
    gaps: Integers,
    found: Integers,
) -> None:
    """Read len(values) numbers.

    Args:
        text: a file; from `at` on.
        channels: numbers of a pixel.
        single: whether each digit is a number.
        values: for the numbers.
        runs: for how many numbers lines have, and how many such lines follow each other, each at least one.
        gaps: for where the first gap within a pixel, between pixels of a line, and between lines lies (begin, end).
        found: for where the first number begins, where the last ends, and how many runs there are; or for -1 and how
            many numbers there are, where that is too few; -2, where something is no number; -3, where it is a comment;
            -4, where there are too many runs.
    """
    end, run, length = at, 0, 0
    for i in range(values.size):
        begin, broken = end, False
        while begin < text.size and (text[begin] == 32 or 9 <= text[begin] <= 13):
            broken |= text[begin] == 10 or text[begin] == 13
            begin += 1
        if begin == text.size:
            found[0], found[1] = -1, i
            return
        value, last = 0, begin
        while last < text.size and 48 <= text[last] <= 57 and value < 65536 and not (single and last > begin):
            value = 10 * value + text[last] - 48
            last += 1
        if last == begin or value > 65535 or (single and value > 1):
            found[0] = -3 if text[begin] == 35 else -2
            return
        if i == 0:
            found[0] = begin
        else:
            if broken:
                run, length = _line_ended(runs, run, length), 0
                if run == len(runs):
                    found[0] = -4
                    return
            place = 2 if broken else int(i % channels == 0)
            if gaps[place, 0] == 0:
                gaps[place, 0], gaps[place, 1] = end, begin
        length += 1
        values[i] = value
        end = last
    run = _line_ended(runs, run, length)
    if run == len(runs):
        found[0] = -4
    found[1], found[2] = end, run + 1


@kernel()
def _write(
    values: npt.NDArray[np.uint16],
    channels: int,
    width: int,
    ends: Separators,
    runs: Integers,
    state: Integers,
    out: Octets,
) -> int:
    """Write numbers and what stands between them.

    Args:
        values: the numbers.
        channels: numbers of a pixel.
        width: to which they are filled up.
        ends: what stands behind a number.
        runs: [R, 2], (numbers of a line, how many lines).
        state: from one call to the next: the run, lines left of it, numbers left of the line, numbers since the last
            pixel's end, numbers left in all.
        out: for the text.

    Returns:
        Bytes written.
    """
    at = 0
    for i in range(values.size):
        value, digits, most = int(values[i]), 1, 10
        while value >= most:
            digits, most = digits + 1, 10 * most
        for _ in range(width - digits):
            out[at] = 32
            at += 1
        at += digits
        for place in range(digits):
            out[at - 1 - place] = 48 + value % 10
            value //= 10
        state[2], state[3], state[4] = state[2] - 1, (state[3] + 1) % channels, state[4] - 1
        if state[4] == 0:
            break
        behind = ends.pixel_end if state[3] == 0 else ends.between
        if state[2] == 0:
            behind = ends.line_end
            state[1] -= 1
            if state[1] == 0:
                state[0] += 1
                state[1] = runs[state[0], 1]
            state[2] = runs[state[0], 0]
        for place in range(behind.size):
            out[at + place] = behind[place]
        at += behind.size
    return at
