"""A value as binary decisions, and what a mixture of logistics says of each.

No single number is a value's probability: it is the product of the probabilities of its decisions, and each of these is
what mixing (:mod:`arcomp.coding.mixing`) makes of the mixture and of counters.

Around ``base``, the rounded mean of the mixture: is the value at least base? Then outwards in steps of 1, 1, 1, 1, 2,
4, 8, ... until it is passed, then halving.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.levels import HIGHEST, LEVELS
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import leading_zeros

NODES = 64
"""Places in the sequence of decisions that are told apart."""
SINGLE_STEPS = 4
LOGIT_LIMIT = 2047
"""Of 256 times a logarithm of odds: 8."""
SHARE = 7
"""What every value has besides the mixture's mass, in 2**-24: none is impossible."""
MOST_DECISIONS = 40
"""More than the decisions of any 8-bit value."""


@kernel(inline="always")
def mass(edge: Any, mixture: Any, components: int, logistic: Any) -> Any:
    """2**24 times the mass below a value of a mixture of k components: int32 [>= 3 k], their weights (2**16 in all),
    means (Q8), inverse scales (Q16)."""
    return mass_before((edge << 8) - 128, mixture, components, logistic)


@kernel(inline="always")
def mass_before(at: Any, mixture: Any, components: Any, logistic: Any) -> Any:
    """The same of the mass before a place between values, in Q8."""
    total = np.int64(0)
    for j in range(components):
        z = (((at - mixture[components + j]) * np.int64(mixture[2 * components + j])) >> 16) + 3072
        total += mixture[j] * np.int64(logistic[max(0, min(6144, z))])
    return total >> 16


@kernel(inner=True)
def restrict(mixture: Any, components: int, logistic: Any, allowed: Any, off: int, edges: Any) -> None:
    """The mixture's masses below every value, int64 [LEVELS + 1], where values that are not allowed keep only
    off / 2**16 of their own. ``allowed``: uint8 [LEVELS / 8], a bit each. The first and the last value have the mass
    beyond them."""
    before = np.int64(0)
    edges[0] = before
    for v in range(LEVELS):
        here = np.int64(1 << 24) if v == HIGHEST else mass(v + 1, mixture, components, logistic)
        own = here - before
        if not (allowed[v >> 3] >> (v & 7)) & 1:
            own = (own * off) >> 16
        edges[v + 1] = edges[v] + own
        before = here


@kernel(inline="always")
def _ln(v: Any, mantissa: Any, power: Any) -> Any:
    """256 ln v for 16 <= v < 2**25."""
    n = 63 - leading_zeros(v)
    return np.int64(power[n]) + mantissa[((v << 8) >> n) & 255]


@kernel(inline="always")
def mixture_logit(masses: Any, values: Any, mantissa: Any, power: Any) -> Any:
    """What the mixture says of a decision: 256 ln(mass of [middle, high) / mass of [low, middle)), clamped.

    Args:
        masses: 2**24 times the masses below low, middle and high. values: low, middle and high.
    """
    below, here, above = masses
    low, middle, high = values
    a = _ln(above - here + SHARE * (high - middle) + 16, mantissa, power)
    b = _ln(here - below + SHARE * (middle - low) + 16, mantissa, power)
    return max(-LOGIT_LIMIT, min(LOGIT_LIMIT, a - b))


@kernel(inline="always")
def next_decision(bit: Any, low: Any, high: Any, base: Any, phase: Any, side: Any, k: Any, step: Any) -> Any:
    """After a decision: (middle, phase, side, outward steps, step, node, kind of decision)."""
    node, kind = 63, 11
    middle = (low + high) >> 1
    if phase == 0:
        side = 0 if bit else 1
        phase, k, step = 1, 1, 1
        middle = base + 1 if bit else base - 1
        node = 1 + side
        kind = 1 + side
    elif phase == 1 and (bit == 0) == (side == 0):  # passed it
        phase = 2
        node = 24 + min(18, 2 * (k - 1) + side)
        kind = 9 if high - low <= 2 else 10
    elif phase == 1:
        k += 1
        if k > SINGLE_STEPS:
            step *= 2
        middle = high - step if side else low + step
        node = min(22, 2 * k - 1 + side)
        kind = (1 if step == 1 else 3 if step == 2 else 5 if step == 4 else 7) + side
    else:
        node = min(62, 44 + 2 * (k - 1) + side)
        kind = 9 if high - low <= 2 else 10
    if phase == 1 and (middle <= low or middle >= high):
        phase = 2
        middle = (low + high) >> 1
        node, kind = 63, 11
    return middle, phase, side, k, step, node, kind
