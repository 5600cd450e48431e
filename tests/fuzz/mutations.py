"""What fuzzing does to bytes: of any kind, and of files whose layout and checksums stay right."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

import numpy as np

Random = np.random.Generator
ODD = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    127,
    128,
    255,
    256,
    257,
    32767,
    32768,
    65535,
    65536,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
)


def tampered(data: bytes, rng: Random) -> bytes:
    """Bytes with one to three of them changed, left out or put in; often by little."""
    made = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(made) + 1))
        kind = int(rng.integers(5)) if at < len(made) else 4
        if kind < 2:
            made[at] = (made[at] + (1, 255)[kind]) % 256
        elif kind == 2:
            made[at] ^= 1 << int(rng.integers(8))
        elif kind == 3:
            del made[at]
        else:
            made.insert(at, int(rng.integers(256)) if rng.integers(2) else int(rng.choice([0, 1, 2, 127, 128, 255])))
    return bytes(made)


def number_tampered(data: bytes, rng: Random) -> bytes:
    """A number of 1, 2 or 4 bytes, near the start more often, becomes one at which programs go wrong."""
    size = int(rng.choice([1, 2, 4]))
    at = int(rng.integers(max(1, min(len(data), int(rng.choice([64, 256, 1 << 20]))) - size)))
    value = int(rng.choice(ODD)) & ((1 << 8 * size) - 1)
    return data[:at] + value.to_bytes(size, "little" if rng.integers(2) else "big") + data[at + size :]


def cut(data: bytes, rng: Random) -> bytes:
    """The end is missing, or a part is there twice."""
    first, end = sorted(int(v) for v in rng.integers(0, len(data) + 1, 2))
    return data[:first] if rng.integers(2) else data[:end] + data[first:]


def text_tampered(data: bytes, rng: Random) -> bytes:
    """One number among the first bytes, written in digits, becomes another."""
    found = list(re.finditer(rb"[0-9]+", data[:200]))
    if not found:
        return tampered(data, rng)
    one = found[int(rng.integers(len(found)))]
    value = str(rng.choice(ODD)) if rng.integers(2) else str(int(one[0][:6]) + int(rng.integers(-2, 3)))
    return data[: one.start()] + value.encode() + data[one.end() :]


def chunks_tampered(data: bytes, rng: Random) -> bytes:
    """Chunks of a PNG: one changed, removed, repeated or moved; or the pixels' stream; checksums are right."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        return tampered(data, rng)
    which, what = int(rng.integers(len(chunks))), int(rng.integers(6))
    kind, body = chunks[which]
    if what == 0:
        del chunks[which]
    elif what == 1:
        chunks.insert(int(rng.integers(len(chunks) + 1)), chunks[which])
    elif what == 2:
        pixels = [i for i, chunk in enumerate(chunks) if chunk[0] == b"IDAT"]
        if len(pixels) == 1:
            try:
                rows = tampered(zlib.decompress(chunks[pixels[0]][1]), rng)
                chunks[pixels[0]] = b"IDAT", zlib.compress(rows, int(rng.integers(10)))
            except zlib.error:
                pass
    elif what == 3 and body:
        chunks[which] = kind, number_tampered(body, rng)
    else:
        chunks[which] = kind, tampered(body, rng)
    made = data[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return made + data[at:]


def tags_tampered(data: bytes, rng: Random) -> bytes:
    """One number of one entry of a TIFF's first directory."""
    if len(data) < 8:
        return number_tampered(data, rng)
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    if len(data) < at + 14:
        return number_tampered(data, rng)
    (count,) = struct.unpack_from(order + "H", data, at)
    entry = at + 2 + 12 * int(rng.integers(max(1, count)))
    offset, size = ((0, 2), (2, 2), (4, 4), (8, 4))[int(rng.choice(4, p=[0.1, 0.2, 0.3, 0.4]))]
    if len(data) < entry + 12:
        return number_tampered(data, rng)
    was = int.from_bytes(data[entry + offset : entry + offset + size], "little" if order == "<" else "big")
    value = int(rng.choice(ODD)) if rng.integers(2) else was + int(rng.integers(-2, 3))
    made = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little" if order == "<" else "big")
    return data[: entry + offset] + made + data[entry + offset + size :]


_BY_START: tuple[tuple[bytes, Callable[[bytes, Random], bytes]], ...] = (
    (b"\x89PNG", chunks_tampered),
    (b"II*\0", tags_tampered),
    (b"MM\0*", tags_tampered),
    (b"P", text_tampered),
    (b"\x93NUMPY", text_tampered),
)


def picture_tampered(data: bytes, rng: Random) -> bytes:
    """A file of pictures, changed in one to three places."""
    own = next((change for start, change in _BY_START if data.startswith(start)), number_tampered)
    for _ in range(int(rng.integers(1, 4))):
        change = own if rng.random() < 0.7 else (number_tampered, tampered, cut)[int(rng.integers(3))]
        data = change(data, rng) if data else b"\0"
    return data
