"""WAV: sound as integers of 8 or 16 bits, uncompressed (IBM and Microsoft 1991, "Multimedia Programming Interface and
Data Specifications 1.0", chapter 3).

A file is chunks in a RIFF form. Those before and after the samples, and what follows the form, are kept as they are. A
sound is one row of samples in time for each of its channels: pictures [N, 1, frames, 1], N channels. Samples of 16 bits
are signed in the file and counted from their least here, as arrays of int16 are.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from arcomp.errors import OutputError, PictureError
from arcomp.form import Layout, Literal, Raster
from arcomp.formats.common import check_size, damaged
from arcomp.formats.layouts import pack, unpack
from arcomp.formats.parsed import Parsed
from arcomp.samples import Array, Samples

PCM, EXTENSIBLE = 1, 0xFFFE
"""Kinds of samples: integers; and a longer header, which says the same again."""
SUBTYPE = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the kind in a longer header."""
MOST_CHANNELS = 64
RATE = 16000
"""Samples a second of sounds that say none."""


class Sound(NamedTuple):
    """What a file says of its sound.

    Attributes:
        channels: how many. bits: of a sample, 8 or 16. rate: samples a second.
        at, frames: where the samples begin, and how many each channel has that are there.
        names: of the chunks, but for those of header and samples.
    """

    channels: int
    bits: int
    rate: int
    at: int
    frames: int
    names: tuple[str, ...]


def is_wav(start: bytes) -> bool:
    """Whether a file that begins so is a WAV."""
    return start[:4] == b"RIFF" and start[8:12] == b"WAVE"


def header(data: bytes) -> Sound:
    """What a file says of its sound. A length that is too long, as programs that write to pipes leave it, means: up to
    the end.

    Raises:
        PictureError: it is damaged, or of another kind of samples.
    """
    at, found, names = 12, None, list[str]()
    sound: tuple[int, int] | None = None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        inside = min(size, len(data) - at - 8)
        if name == b"fmt " and found is None:
            found = _kind(data[at + 8 : at + 8 + inside])
        elif name == b"data" and found and not sound:
            sound = at + 8, inside
        else:
            names.append(name.decode("latin-1").strip())
        at += 8 + inside + (inside & 1)
    if found is None or sound is None:
        raise damaged("WAV", "it has no samples, or no header before them")
    channels, bits, rate = found
    return Sound(channels, bits, rate, sound[0], sound[1] // (channels * bits // 8), tuple(names))


def _kind(fields: bytes) -> tuple[int, int, int]:
    """Channels, bits and rate of a header.

    Raises:
        PictureError: of no kind that is taken.
    """
    if len(fields) < 16:
        raise damaged("WAV", "its header is truncated")
    kind, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", fields)
    if kind == EXTENSIBLE and len(fields) >= 40 and fields[26:40] == SUBTYPE:
        kind = int.from_bytes(fields[24:26], "little")
    right = bits in (8, 16) and 1 <= channels <= MOST_CHANNELS and frame == channels * bits // 8
    if kind != PCM or not right:
        raise PictureError(
            f"a WAV of kind {kind}, {channels} channels of {bits} bits, is not supported",
            remedy="integers of 8 and 16 bits are",
        )
    return channels, bits, rate


def parsed(data: bytes) -> Parsed:
    """Take a WAV file apart.

    Raises:
        PictureError: it is damaged, empty, or of another kind of samples.
    """
    sound = header(data)
    check_size(sound.frames, sound.channels)
    layout = Layout(sound.bits, (0,), little=True, signed=sound.bits == 16)
    end = sound.at + sound.frames * sound.channels * sound.bits // 8
    frames = np.empty((sound.frames, sound.channels, 1), np.uint8 if sound.bits == 8 else np.uint16)
    unpack(memoryview(data)[sound.at : end], frames, layout)
    stack = np.ascontiguousarray(frames.transpose(1, 0, 2))[:, None]
    raster = Raster(
        0, 0, 0, sound.channels, sound.frames, layout, transposed=True, pictures=sound.channels
    )  # one row for each channel, of which a file has a sample of each in turn
    form = Array("uint8" if sound.bits == 8 else "int16", sound.channels > 1, False)
    parts = (Literal(data[: sound.at]), raster, *((Literal(data[end:]),) if len(data) > end else ()))
    return Parsed(Samples((stack,), sound.bits, form), parts)


def write_wav(samples: Samples, rate: int = RATE) -> bytes:
    """A WAV file of sounds: pictures of one row, each a channel.

    Raises:
        OutputError: they are something else.
    """
    if len(samples.stacks) > 1 or samples.pixels.shape[1] != 1 or samples.channels != 1 or samples.depth not in (8, 16):
        raise OutputError("wav holds only rows of samples of 8 or 16 bits", remedy="choose npy")
    stack = samples.pixels
    channels, size = len(stack), samples.depth // 8
    if channels > MOST_CHANNELS or stack.size * size >= 1 << 32 - 1:
        raise OutputError(f"wav holds at most {MOST_CHANNELS} channels and 4 GiB", remedy="choose npy")
    layout = Layout(samples.depth, (0,), little=True, signed=samples.depth == 16)
    frames = np.ascontiguousarray(stack[:, 0].transpose(1, 0, 2))
    body = pack(frames, layout).tobytes()
    body += bytes(len(body) & 1)
    fields = struct.pack("<HHIIHH", PCM, channels, rate, rate * channels * size, channels * size, samples.depth)
    chunks = struct.pack("<4sI", b"fmt ", len(fields)) + fields + struct.pack("<4sI", b"data", stack.size * size) + body
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks
