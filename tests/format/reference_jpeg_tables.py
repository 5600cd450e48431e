"""docs/format.md's tables of model ``jpeg``."""

from __future__ import annotations

ZIGZAG = sorted(range(64), key=lambda n: (n // 8 + n % 8, n // 8 if (n // 8 + n % 8) % 2 else n % 8))

COSINE = [2048, 2009, 1892, 1703, 1448, 1138, 784, 400, 0]


def cosine(k: int) -> int:
    """2^11 times the cosine of k pi / 16, as the table has it."""
    k = min(k % 32, 32 - k % 32)
    return COSINE[k] if k <= 8 else -COSINE[16 - k]


BASIS = [[1448 if v == 0 else cosine((2 * y + 1) * v) for y in range(8)] for v in range(8)]
BORDER = [1448] + [2048] * 7
INVERSE = [[(1 << 32) // b for b in BORDER], [(1 << 32) // BASIS[v][0] for v in range(8)]]


def shrinking(ratio: int) -> list[list[list[int]]]:
    """S: for each of the luma's blocks, [frequency here][frequency there]."""
    total = [[[0] * 8 for _ in range(8)] for _ in range(ratio)]
    for s in range(8 * ratio):
        for i in range(8):
            for j in range(8):
                total[s // 8][i][j] += BASIS[i][s // ratio] * BASIS[j][s % 8]
    return [[[(v + 2048 * ratio) // (4096 * ratio) for v in row] for row in part] for part in total]


SHRINK = [[], *(shrinking(ratio) for ratio in range(1, 5))]


def log16(a: int, bits: int) -> int:
    """16 log2(a / 2^bits), rounded."""
    return (a**32 >> (32 * bits)).bit_length() // 2


def log8(a: int) -> int:
    """8 log2 a, rounded."""
    return (a**16).bit_length() // 2


SIZE = [min(127, log16(16 + x, 4)) for x in range(4096)]
FINE = [log16(129 + 2 * i, 7) for i in range(64)]
EDGES = [4, 12, 24, 40, 64, 96, 144, 224, 352, 576, 960, 1920]


def size(x: int) -> int:
    """Of a magnitude in sixteenths."""
    return SIZE[min(4095, x)]


def signed_size(x: int) -> int:
    return -size(-x) if x < 0 else size(x)


def log(a: int) -> int:
    """About 16 log2(1 + a)."""
    n = (a + 1).bit_length() - 1
    return 16 * n + FINE[(((a + 1) << 6) >> n) % 64]


def class_of(x: int) -> int:
    return sum(abs(x) >= edge for edge in EDGES)


def signed_class(x: int) -> int:
    return class_of(x) + (13 if x < 0 else 0)
