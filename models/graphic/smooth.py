"""What is expected of a channel where colours change little by little: a mixture of logistics around predictions.

Each prediction counts by how wrong it was of the pixels beside this one, and is as wide as that. A small picture ends
before counters have learnt what is smooth in it; this is known from its third pixel on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding.decisions import mass, mixture_logit
from arcomp.exact import tables
from arcomp.exact.compiled import kernel
from arcomp.models.graphic.past import Int64

PREDICTIONS = 6
HIGHEST = 255
TOTAL = 1 << 16
"""Of the mixture's weights."""
Int32 = npt.NDArray[np.int32]


class Smooth(NamedTuple):
    """Of one tile."""

    mixture: Int32
    """[3 * PREDICTIONS]: weights, means in Q8, inverse scales in Q16: workspace."""
    expected: Int64
    """[PREDICTIONS]: predictions of a pixel: workspace."""
    errors: Int64
    """[PREDICTIONS]: how wrong they were: workspace."""
    logistic: Int32
    mantissa: Int32
    power: Int32


def new_smooth() -> Smooth:
    """Workspaces, and tables of logarithms."""
    return Smooth(
        np.zeros(3 * PREDICTIONS, np.int32),
        np.zeros(PREDICTIONS, np.int64),
        np.zeros(PREDICTIONS, np.int64),
        tables.fine_logistic(),
        tables.mantissa_logarithm(),
        tables.power_logarithm(),
    )


@kernel(inline="always")
def _clamp(value: Any) -> Any:
    return min(HIGHEST, max(0, value))


@kernel(inline="always")
def _value(pixels: Any, y: Any, x: Any, shift: Any) -> Any:
    return np.int64(pixels[y, x] >> shift) & HIGHEST


@kernel(inner=True)
def _predict(pixels: Any, y: Any, x: Any, c: Any, p: Any, alone: Any, out: Any) -> None:
    """Predictions of channel c of the pixel at a place; ``p``: its channel before, which does not count if the channel
    stands alone."""
    shift = np.uint32(8 * c)
    w, n = _value(pixels, y, x - 1, shift), _value(pixels, y - 1, x, shift)
    nw, ne = _value(pixels, y - 1, x - 1, shift), _value(pixels, y - 1, x + 1, shift)
    out[0], out[1], out[2] = w, n, _clamp(w + n - nw)
    if alone:
        out[3] = _clamp(w + ((ne - nw) >> 1))
        out[4] = _clamp(n + ((w - nw + ne - n) >> 1))
        out[5] = (w + n + nw + ne + 2) >> 2
    else:
        before = np.uint32(8 * (c - 1))
        dw, dn = p - _value(pixels, y, x - 1, before), p - _value(pixels, y - 1, x, before)
        dnw = p - _value(pixels, y - 1, x - 1, before)
        out[3], out[4] = _clamp(w + dw), _clamp(n + dn)
        out[5] = _clamp(w + n - nw + dw + dn - dnw)


@kernel(inner=True)
def expect(pixels: Any, smooth: Any, y: Any, x: Any, c: Any, p: Any, alone: Any) -> None:
    """Make the mixture of channel c of the pixel at a place of ``pixels``.

    Args:
        p: its channel before. alone: whether that tells nothing of it: it is the first, or alpha.
    """
    expected, errors, mixture = smooth.expected, smooth.errors, smooth.mixture
    shift, before = np.uint32(8 * c), np.uint32(8 * max(0, c - 1))
    for k in range(PREDICTIONS):
        errors[k] = 0
    for j in range(4):
        v, u = (y, x - 1) if j == 0 else (y - 1, x + j - 2)
        own = _value(pixels, v, u, shift)
        _predict(pixels, v, u, c, _value(pixels, v, u, before), alone, expected)
        times = 2 if j % 2 == 0 else 1  # beside and above
        for k in range(PREDICTIONS):
            errors[k] += times * abs(expected[k] - own)
    _predict(pixels, y, x, c, p, alone, expected)
    total = np.int64(0)
    for k in range(PREDICTIONS):
        total += (1 << 30) // ((errors[k] + 2) * (errors[k] + 2))
    for k in range(PREDICTIONS):
        share = (1 << 30) // ((errors[k] + 2) * (errors[k] + 2))
        mixture[k] = share * TOTAL // total
        mixture[PREDICTIONS + k] = expected[k] << 8
        mixture[2 * PREDICTIONS + k] = (8 << 16) // (errors[k] + 3)


@kernel(inline="always")
def mass_below(smooth: Any, edge: Any) -> Any:
    """2**24 times the mass below a value, 1 .. 255."""
    return np.int64(mass(np.int64(edge), smooth.mixture, PREDICTIONS, smooth.logistic))


@kernel(inline="always")
def logit(smooth: Any, masses: Any, values: Any) -> Any:
    """What the mixture says of a bit: 256 times the logarithm of the odds of 1.

    Args:
        masses: 2**24 times the masses below low, middle and high. values: low, middle and high.
    """
    return np.int32(mixture_logit(masses, values, smooth.mantissa, smooth.power))
