"""Deflate streams that tests are made with: of zlib, and odd ones that no encoder writes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

KINDS = ("text", "noise", "photo", "runs", "zeros")
LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


@cache
def content(kind: str, size: int = 60000) -> bytes:
    """Bytes of a kind, the same each time."""
    rng = np.random.default_rng(1)
    if kind == "text":
        words = [bytes(rng.integers(97, 123, int(n), dtype=np.uint8)) for n in rng.integers(2, 9, 300)]
        return b" ".join(words[i] for i in rng.zipf(1.3, size // 3) % 300)[:size]
    if kind == "noise":
        return rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    if kind == "photo":
        return np.clip(rng.normal(0, 4, size), -100, 100).astype(np.int8).tobytes()
    if kind == "runs":
        values, lengths = rng.integers(0, 5, size // 20, dtype=np.uint8), rng.integers(1, 60, size // 20)
        return np.repeat(values, lengths).tobytes()[:size]
    return bytes(size)


def deflated(data: bytes, level: int = 6, strategy: int = 0, memory: int = 8, window: int = 15) -> bytes:
    """zlib's raw deflate stream."""
    encoder = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return encoder.compress(data) + encoder.flush()


def flushed(data: bytes, level: int, mode: int, step: int = 7000) -> bytes:
    """zlib's stream, flushed after each so many bytes."""
    encoder = zlib.compressobj(level, zlib.DEFLATED, -15)
    parts = [encoder.compress(data[i : i + step]) + encoder.flush(mode) for i in range(0, len(data), step)]
    return b"".join(parts) + encoder.flush()


class Bits:
    """Bits of a stream that is written by hand."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def put(self, value: int, count: int) -> Bits:
        """The lowest bit first."""
        self.bits += [value >> i & 1 for i in range(count)]
        return self

    def code(self, lengths: list[int], symbol: int) -> Bits:
        """A symbol in the code of these lengths."""
        code = 0
        for bits in range(1, lengths[symbol] + 1):
            for i, n in enumerate(lengths):
                if n == bits:
                    if i == symbol:
                        self.bits += [code >> k & 1 for k in range(bits - 1, -1, -1)]
                        return self
                    code += 1
            code <<= 1
        raise ValueError(symbol)

    def stored(self, data: bytes, last: int = 0, padding: int = 0) -> Bits:
        """A stored block."""
        self.put(last, 3).put(padding, -len(self.bits) % 8)
        self.put(len(data), 16).put(len(data) ^ 0xFFFF, 16)
        for byte in data:
            self.put(byte, 8)
        return self

    def fixed(self, symbols: Sequence[tuple[int, ...]], last: int = 0) -> Bits:
        """A block with fixed codes: (literal,) or (symbol, extra, bits, distance symbol, extra, bits)."""
        self.put(last | 2, 3)
        return self.tokens(symbols, [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8, [5] * 32)

    def tokens(self, symbols: Sequence[tuple[int, ...]], literals: list[int], distances: list[int]) -> Bits:
        """Symbols, and the end of the block."""
        for token in symbols:
            self.code(literals, token[0])
            if len(token) > 1:
                self.put(token[1], token[2]).code(distances, token[3]).put(token[4], token[5])
        return self.code(literals, 256)

    def dynamic(
        self, literals: list[int], distances: list[int], told: Sequence[tuple[int, ...]], order: list[int]
    ) -> Bits:
        """The head of a block: code lengths as told, by (symbol,) or (symbol, extra, bits); the code of these."""
        self.put(4, 3).put(len(literals) - 257, 5).put(len(distances) - 1, 5).put(15, 4)
        for i in LENGTH_ORDER:
            self.put(order[i], 3)
        for one in told:
            self.code(order, one[0])
            if len(one) > 1:
                self.put(one[1], one[2])
        return self

    def data(self, padding: int = 0) -> bytes:
        """The bytes; what is left of the last one is filled with bits of the padding."""
        bits = self.bits + [padding >> i & 1 for i in range(-len(self.bits) % 8)]
        return bytes(sum(bit << k for k, bit in enumerate(bits[i : i + 8])) for i in range(0, len(bits), 8))


def odd() -> Iterator[tuple[str, bytes]]:
    """Streams by what is odd about them."""
    text = [(97,), (98,), (99,)]
    yield "blocks without content", Bits().fixed([]).stored(b"").fixed(text).stored(b"").fixed([], 1).data()
    yield "bits of padding", Bits().fixed(text).stored(b"abc", 0, 0x15).fixed([], 1).data(0x7F)
    yield "many blocks", Bits().fixed(text).fixed(text).fixed(text).stored(b"abcabc").fixed(text, 1).data()
    yield "length 258 by symbol 284", Bits().fixed([(97,), (284, 31, 5, 0, 0, 0), (285, 0, 0, 0, 0, 0)], 1).data()
    yield "short matches", Bits().fixed([*text, (257, 0, 0, 2, 0, 0), (257, 0, 0, 2, 0, 0), (97,)], 1).data()
    yield "literals where matches are", Bits().fixed(text * 50, 1).data()
    order = [4] * 16 + [0, 0, 0]  # all lengths one by one
    literals = [0] * 97 + [1] + [0] * 158 + [2] + [0] * 10
    yield "incomplete codes", (
        Bits().dynamic(literals, [0], [(n,) for n in [*literals, 0]], order).tokens([(97,)] * 9, literals, [0])
        .stored(b"", 1).data()
    )  # fmt: skip
    literals = [8] * 254 + [9] * 3 + [0] * 29 + [15, 0]  # two symbols that stand for nothing
    yield "codes of nothing", (
        Bits().dynamic(literals, [1, 1], [(n,) for n in [*literals, 1, 1]], order).tokens(text, literals, [1, 1])
        .stored(b"", 1).data()
    )  # fmt: skip
    literals = [0] * 97 + [1, 2] + [0] * 157 + [3] + [0] * 3 + [4] * 2
    order = [3, 3, 3, 3, 3] + [0] * 11 + [3, 3, 3]
    told: list[tuple[int, ...]] = [(18, 86, 7), (1,), (2,), (18, 127, 7), (17, 7, 3), (17, 6, 3), (3,), (17, 0, 3)]
    distances = [4] * 6
    yield "a run from lengths to distances", (
        Bits().dynamic(literals, distances, [*told, (4,), (16, 3, 2), (4,)], order)
        .tokens([(97,), (98,), (97,), (98,), (260, 0, 0, 1, 0, 0)], literals, distances).stored(b"", 1).data()
    )  # fmt: skip
    told = [(n,) for n in literals + distances]
    order = [2, 3, 3, 3, 3] + [0] * 14
    yield "no runs", (
        Bits().dynamic(literals, distances, told, order)
        .tokens([(97,), (261, 0, 0, 0, 0, 0)], literals, distances).stored(b"", 1).data()
    )  # fmt: skip
