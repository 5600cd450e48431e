"""docs/format.md's Tables, by integers."""

from __future__ import annotations

from itertools import accumulate

ONE = 1 << 320  # 1 as a fixed-point number


def exp_of_minus(parts: int, count: int) -> list[int]:
    """exp(-i / parts) for i = 0 .. count - 1 in fixed point: a Taylor series, then its powers."""
    term = step = ONE
    for k in range(1, 50):
        term = -term // (parts * k)
        step += term
    return list(accumulate(range(1, count), lambda power, _: power * step // ONE, initial=ONE))


def nearest(numerator: int, denominator: int) -> int:
    """The integer nearest to a fraction."""
    return (2 * numerator + denominator) // (2 * denominator)


FALL = exp_of_minus(256, 4097)


SIGMA = [nearest(FALL[4 * (1024 - i)] << 28, ONE + FALL[4 * (1024 - i)]) for i in range(1024)] + [
    nearest(ONE << 28, ONE + FALL[4 * (i - 1024)]) for i in range(1024, 2049)
]


EXP = [nearest(FALL[i] << 16, ONE) for i in range(4096)]


SCALE = [nearest(ONE << 17, FALL[1536 - i]) for i in range(1536)] + [
    nearest(FALL[i - 1536] << 17, ONE) for i in range(1536, 2561)
]


LOG2 = [0] + [(i**16).bit_length() - 1 for i in range(1, 4096)]


BLEND = [(1 << 40) // (i + 2) ** 3 for i in range(2041)]


def drawn(*arguments: int) -> int:
    """R."""
    wrap, v = (1 << 64) - 1, 0
    for argument in arguments:
        v = (v + argument + 0x9E3779B97F4A7C15) & wrap
        v = ((v ^ (v >> 30)) * 0xBF58476D1CE4E5B9) & wrap
        v = ((v ^ (v >> 27)) * 0x94D049BB133111EB) & wrap
        v ^= v >> 31
    return v
