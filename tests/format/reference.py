"""A reference decoder: docs/format.md in plain Python integers, with the names of that page.

It shares nothing with the package, uses nothing beyond the standard library, and computes without floats.
It is slow; it is there to be read beside the page, and to be compared with. In the page's order:
reference_container.py, reference_coders.py, reference_tables.py, reference_models.py (histogram and context),
reference_photo.py.

    python -m tests.format.reference FILE.arcomp [WEIGHTS.safetensors]

prints the SHA-256 of the decoded samples (their bytes are those of the pixels checksum).
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.format import reference_photo
from tests.format.reference_coders import BinaryDecoder, RangeDecoder, decode_decisions, decode_symbols
from tests.format.reference_container import (
    Decoded,
    Header,
    Position,
    Tile,
    read,
    require,
    tiles_of,
)
from tests.format.reference_models import Context, Histogram


def decode(data: bytes, weights: bytes | None = None) -> Decoded:
    """Decode a file; ``weights`` is the file of weights, for a model that has them (rules 1 to 10)."""
    header, payload = read(data)
    tiles = tiles_of(header)
    require(header.model in ("histogram", "context", "photo"), f"unknown model {header.model}")
    if header.model == "photo":
        found = reference_photo.values(header, payload, tiles, weights)
    else:
        found = values(header, payload, tiles, weights)
    n, h, w, channels, depth = header[:5]
    samples = [0] * (n * h * w * channels)
    for (i, y, x), channel, value in found:
        row = tiles[i].image * h + tiles[i].top + y
        samples[(row * w + tiles[i].left + x) * channels + channel] = value

    decoded = Decoded(n, h, w, channels, depth, samples)
    require(zlib.crc32(sample_bytes(decoded)) == header.pixels, "the decoded pixels are damaged")
    return decoded


def values(
    header: Header, payload: bytes, tiles: list[Tile], weights: bytes | None
) -> Iterator[tuple[Position, int, int]]:
    """All samples of one stream: position, channel as stored, value."""
    model = Histogram(header, tiles) if header.model == "histogram" else Context(header, tiles, weights)
    decisions, digits = BinaryDecoder(payload), None if header.decisions else RangeDecoder(payload)
    for front in model.fronts():
        for c, stored in enumerate(model.coding_order):
            given = [model.distribution(at, c) for at in front]
            symbols = decode_symbols(digits, header.depth, given) if digits else decode_decisions(decisions, given)
            for at, value in zip(front, symbols, strict=True):
                model.known(at, c, value)
                yield at, stored, value


def sample_bytes(decoded: Decoded) -> bytes:
    """The samples as the pixels checksum takes them."""
    return struct.pack(f"<{len(decoded.samples)}{'B' if decoded.depth <= 8 else 'H'}", *decoded.samples)


if __name__ == "__main__":
    files = [Path(name).read_bytes() for name in sys.argv[1:3]]
    print(hashlib.sha256(sample_bytes(decode(*files))).hexdigest())
