"""The reference decoder's skeletons: segments against files written here."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from tests.format.reference_rebuild import Left, chunks
from tests.format.reference_records import Record


def chunk(kind: bytes, body: bytes, wrong: int | None = None) -> bytes:
    """One of PNG."""
    check = zlib.crc32(kind + body) if wrong is None else wrong
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def test_chunks() -> None:
    """Of their own kind, numbered or not, with checksums that are wrong where they were."""
    left = Left([], 0, 99)
    named: dict[str, Any] = {"kind": b"IDAT", "lengths": [(3, 2), (1, 1)], "sequence": None, "wrong": [(1, 7)]}
    made = chunks(Record("chunks", named), b"abcdefg", 99, left)
    assert made == chunk(b"IDAT", b"abc") + chunk(b"IDAT", b"def", 7) + chunk(b"IDAT", b"g")
    made = chunks(
        Record("chunks", {**named, "kind": b"fdAT", "sequence": 2**32 - 1, "wrong": []}), b"abcdefg", 99, left
    )
    numbers = [struct.pack(">I", n) for n in (2**32 - 1, 0, 1)]
    parts = [number + body for number, body in zip(numbers, (b"abc", b"def", b"g"), strict=True)]
    assert made == b"".join(chunk(b"fdAT", part) for part in parts)
