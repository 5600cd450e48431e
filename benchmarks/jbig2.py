"""JBIG2's generic region as a peer: an encoder of ours, as there is no packaged one; jbig2dec decodes what it makes.

ITU-T T.88: template 0 (16 neighbours), adaptive pixels in their nominal places, the MQ coder, rows that repeat the one
above ("typical prediction") where that is smaller. What jbig2enc makes of a page without its text mode.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.exact.compiled import kernel
from arcomp.formats import read
from arcomp.measure.codecs import Codec, Pixels

STATES = np.array(
    [
        (0x5601, 1, 1, 1), (0x3401, 2, 6, 0), (0x1801, 3, 9, 0), (0x0AC1, 4, 12, 0), (0x0521, 5, 29, 0),
        (0x0221, 38, 33, 0), (0x5601, 7, 6, 1), (0x5401, 8, 14, 0), (0x4801, 9, 14, 0), (0x3801, 10, 14, 0),
        (0x3001, 11, 17, 0), (0x2401, 12, 18, 0), (0x1C01, 13, 20, 0), (0x1601, 29, 21, 0), (0x5601, 15, 14, 1),
        (0x5401, 16, 14, 0), (0x5101, 17, 15, 0), (0x4801, 18, 16, 0), (0x3801, 19, 17, 0), (0x3401, 20, 18, 0),
        (0x3001, 21, 19, 0), (0x2801, 22, 19, 0), (0x2401, 23, 20, 0), (0x2201, 24, 21, 0), (0x1C01, 25, 22, 0),
        (0x1801, 26, 23, 0), (0x1601, 27, 24, 0), (0x1401, 28, 25, 0), (0x1201, 29, 26, 0), (0x1101, 30, 27, 0),
        (0x0AC1, 31, 28, 0), (0x09C1, 32, 29, 0), (0x08A1, 33, 30, 0), (0x0521, 34, 31, 0), (0x0441, 35, 32, 0),
        (0x02A1, 36, 33, 0), (0x0221, 37, 34, 0), (0x0141, 38, 35, 0), (0x0111, 39, 36, 0), (0x0085, 40, 37, 0),
        (0x0049, 41, 38, 0), (0x0025, 42, 39, 0), (0x0015, 43, 40, 0), (0x0009, 44, 41, 0), (0x0005, 45, 42, 0),
        (0x0001, 45, 43, 0), (0x5601, 46, 46, 0),
    ],
    np.int64,
)  # fmt: skip
"""Of the MQ coder: the less probable symbol's part, the next state after the other one and after it, whether they
change places (table E.1)."""
NEIGHBOURS = np.array(
    [(0, -1), (0, -2), (0, -3), (0, -4), (-1, 3), (-1, 2), (-1, 1), (-1, 0), (-1, -1), (-1, -2), (-1, -3), (-2, 2),
     (-2, 1), (-2, 0), (-2, -1), (-2, -2)],
    np.int64,
)  # fmt: skip
"""Rows and columns from a pixel, the lowest bit of its context first."""
ADAPTIVE = bytes((3, 255, 253, 255, 2, 254, 254, 254))
SAME_ROW = 0x9B25
"""The context of whether a row is typical unless the one before it was."""
A, C, COUNT, AT = range(4)


@kernel(inner=True)
def _byte_out(state: Any, out: Any) -> None:
    if out[state[AT]] != 255 and state[C] >= 0x8000000:
        out[state[AT]] += 1
        if out[state[AT]] == 255:
            state[C] &= 0x7FFFFFF
        else:
            state[C] &= 0x7FFFFFF
    full = out[state[AT]] == 255
    state[AT] += 1
    shift = 20 if full else 19
    out[state[AT]] = state[C] >> shift
    state[C] &= (1 << shift) - 1
    state[COUNT] = 7 if full else 8


@kernel(inner=True)
def _code(state: Any, contexts: Any, context: Any, bit: Any, states: Any, out: Any) -> None:
    own, likely = contexts[context] >> 1, contexts[context] & 1
    part = states[own, 0]
    state[A] -= part
    if bit == likely:
        if state[A] & 0x8000:
            state[C] += part
            return
        if state[A] < part:
            state[A] = part
        else:
            state[C] += part
        own = states[own, 1]
    else:
        if state[A] < part:
            state[C] += part
        else:
            state[A] = part
        likely ^= states[own, 3]
        own = states[own, 2]
    contexts[context] = own << 1 | likely
    while not state[A] & 0x8000:
        state[A] <<= 1
        state[C] <<= 1
        state[COUNT] -= 1
        if state[COUNT] == 0:
            _byte_out(state, out)


@kernel()
def _encode(black: Any, typical: bool, tables: Any, out: Any) -> Any:
    """Code a picture with margins of 2 rows above and 4 columns on each side; how many bytes of ``out`` that takes.
    The first byte of ``out`` is none of them."""
    states, neighbours, contexts, state = tables
    state[A], state[C], state[COUNT], state[AT] = 0x8000, 0, 12, 0
    was_same = False
    for y in range(2, black.shape[0]):
        if typical:
            same = True
            for x in range(4, black.shape[1] - 4):
                if black[y, x] != black[y - 1, x]:
                    same = False
                    break
            _code(state, contexts, SAME_ROW, 1 if same != was_same else 0, states, out)
            was_same = same
            if same:
                continue
        for x in range(4, black.shape[1] - 4):
            context = np.int64(0)
            for k in range(16):
                context |= np.int64(black[y + neighbours[k, 0], x + neighbours[k, 1]]) << k
            _code(state, contexts, context, black[y, x], states, out)
    largest = state[C] + state[A]
    state[C] |= 0xFFFF
    if state[C] >= largest:
        state[C] -= 0x8000
    for _ in range(2):
        state[C] <<= state[COUNT]
        _byte_out(state, out)
    return state[AT]


def region(bits: npt.NDArray[np.uint8], typical: bool) -> bytes:
    """The coded data of a generic region; ``bits``: [H, W], 1 is white."""
    height, width = bits.shape
    black = np.zeros((height + 2, width + 8), np.uint8)
    black[2:, 4:-4] = bits == 0
    out = np.zeros(height * width // 2 + 64, np.uint8)
    tables = STATES, NEIGHBOURS, np.zeros(1 << 16, np.int64), np.zeros(4, np.int64)
    size = int(_encode(black, typical, tables, out))
    return out[1 : 1 + size].tobytes().rstrip(b"\xff") + b"\xff\xac"


def _segment(number: int, kind: int, page: int, data: bytes) -> bytes:
    return number.to_bytes(4, "big") + bytes((kind, 0, page)) + len(data).to_bytes(4, "big") + data


class Jbig2(Codec):
    """Gray pictures of nothing but 0 and 255."""

    name = "JBIG2"

    def available(self) -> str:
        return "" if shutil.which("jbig2dec") else "jbig2dec is not installed"

    def takes(self, pixels: Pixels) -> str:
        return "" if pixels.shape[2] == 1 and not ((pixels != 0) & (pixels != 255)).any() else "not black and white"

    def encode(self, pixels: Pixels) -> bytes:
        size = b"".join(n.to_bytes(4, "big") for n in pixels.shape[1::-1])
        bits = (pixels[..., 0] > 0).astype(np.uint8)
        ways = (bytes(9) + bytes((typical << 3,)) + ADAPTIVE + region(bits, typical) for typical in (False, True))
        parts = (
            (48, 1, size + bytes(11)),
            (38, 1, size + min(ways, key=len)),
            (49, 1, b""),
            (51, 0, b""),
        )
        head = b"\x97JB2\r\n\x1a\n\x01" + (1).to_bytes(4, "big")
        return head + b"".join(_segment(i, *part) for i, part in enumerate(parts))

    def decode(self, data: bytes) -> Pixels:
        with tempfile.TemporaryDirectory() as folder:
            coded, made = Path(folder, "a.jb2"), Path(folder, "a.pbm")
            coded.write_bytes(data)
            subprocess.run(["jbig2dec", "-t", "pbm", "-o", str(made), str(coded)], check=True, capture_output=True)
            pixels: Pixels = read(made).pixels[0] * np.uint8(255)
            return pixels
