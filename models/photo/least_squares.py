"""Local least squares: each pixel predicted by the weights that would have been best in a window around it.

Wu, Barthel and Zhang 1998, "Piecewise 2D autoregression for predictive image coding", and the many after it; one LDL'
factorisation serves all channels, later ones seeing earlier ones, as in a Cholesky factor of their joint covariance.

At a sample s, v(s) holds the first neighbours of all channels interleaved and then s's own channels, each minus its own
channel's W neighbour of s. The window's covariance sum w v v' is kept in integers and moved along the row: a
column of samples comes in, one goes out. Then (A + beta (trace + ridge) P + ridge I) = L D L', with a prior P from
training pictures; z = L^-1 v, and channel c's prediction is W + sum_k L[c, k] z_k: no back-substitution, and partial
sums are predictions of lower order.

Sums are int32 (a window's sum of 64 * 255^2 over at most 516 samples is below 2^31); the factorisation is float64 in a
fixed sequence of + - * and /, LANES pixels of a front side by side, rounded to integers at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    all_doubles,
    all_shorts,
    load_doubles,
    load_doubles_of_shorts,
    load_doubles_of_words,
    load_shorts,
    pair_shorts,
    store_doubles,
)
from arcomp.models.photo import covariance, similarity
from arcomp.models.photo.planes import LANES, MARGIN, NEIGHBOURS, SKEW, sample_weight
from arcomp.models.photo.windows import (
    LOW_ORDER,
    PRIOR_AT,
    REACH_LEFT,
    REACH_RIGHT,
    ROWS,
    SAMPLES_AT,
    SIMILAR,
    SIZE,
    STEP,
    SUMS_AT,
    TAPS,
    WEIGHTED,
)

LEVEL_BITS = 6
"""Predictions are in 1/64 of a level."""
FACTOR_BITS = 10
"""Fractional bits of the factor's entries among the current channels."""
_FACTOR_LIMIT = float(16 << FACTOR_BITS)
_OVERSHOOT = 32
"""Levels by which a prediction may leave the alphabet."""
VARIANCE_BITS = 4
_VARIANCE_LIMIT = float(1 << 19)


@kernel(inner=True)
def begin_row(values: Any, channels: int, spec: Any, weight: int, t: int, at: int, sums: Any, samples: Any) -> None:
    """The whole window of one pixel near a row's start: sums int32 [pairs, columns], column ``at`` is written.
    ``samples``: room, int32 [m + 1, as many as the window has]; v of each, and weights."""
    step, rows, left, right = spec[STEP], spec[ROWS], spec[REACH_LEFT], spec[REACH_RIGHT]
    taps, m = spec[TAPS], spec[SIZE]
    mask = values.shape[1] - 1
    n = 0
    for k in range(rows + 1):
        dy = -step * k
        for q in range(-left, right + 1 if k else 0):
            row = t + step * q + SKEW * dy
            a = at + dy
            for c in range(channels):
                west = np.int32(values[c, (row - 1) & mask, a])
                for j in range(1, taps):
                    ny = NEIGHBOURS[j, 0]
                    nx = NEIGHBOURS[j, 1]
                    samples[(j - 1) * channels + c, n] = values[c, (row + nx + SKEW * ny) & mask, a + ny] - west
                samples[(taps - 1) * channels + c, n] = values[c, row & mask, a] - west
            samples[m, n] = values[weight, row & mask, a] if spec[WEIGHTED] else 1
            n += 1
    p = 0
    for i in range(m):
        for j in range(i + 1):
            total = np.int32(0)
            for s in range(n):
                total = np.int32(total + samples[m, s] * samples[i, s] * samples[j, s])
            sums[p, at] = total
            p += 1


@kernel(inner=True)
def slide(
    values: Any, channels: int, spec: Any, weight: int, t: int, first: int, count: int, sums: Any, pairs: Any,
    samples: Any,
) -> None:  # fmt: skip
    """Move the windows of a front's pixels one step to the right: a sample of each row comes, one goes.

    Args:
        weight: the plane of weights. sums: int32 [pairs, columns].
    """
    step, rows, left, right = spec[STEP], spec[ROWS], spec[REACH_LEFT], spec[REACH_RIGHT]
    taps, m, ring = spec[TAPS], spec[SIZE], values.shape[1]
    mask = ring - 1
    flat = values.reshape(values.shape[0] * ring, values.shape[2])
    one, minus = all_shorts(np.int16(1)), all_shorts(np.int16(-1))
    for at in range(MARGIN + first, MARGIN + first + count, LANES):
        for begin in range(0, rows + 1, covariance.BLOCK):
            block = min(covariance.BLOCK, rows + 1 - begin)
            for k in range(block):
                dy = -step * (begin + k)
                comes = t + (step * right if dy else -step) + SKEW * dy
                goes = t - step * (left + 1) + SKEW * dy
                weights = pair_shorts(one, minus)
                if spec[WEIGHTED]:
                    w_comes = load_shorts(flat, weight * ring + (comes & mask), at + dy)
                    w_goes = load_shorts(flat, weight * ring + (goes & mask), at + dy)
                    weights = pair_shorts(w_comes, minus * w_goes)
                covariance.differences(flat, mask, channels, taps, at, comes, dy, goes, dy, weights, pairs, k * m)
            covariance.add(m, block, pairs, sums, at)
    bottom = first + count - 1
    if t - SKEW * bottom < step:
        begin_row(values, channels, spec, weight, t, MARGIN + bottom, sums, samples)


@kernel(inner=True)
def _regularised(sums: Any, at: int, m: int, beta: float, ridge: float, prior: Any, matrix: Any) -> None:
    """A + beta (trace + ridge) P + ridge I of 8 pixels: float64 [pairs, 8]."""
    trace = load_doubles_of_words(sums, 0, at)
    for i in range(1, m):
        trace = trace + load_doubles_of_words(sums, i * (i + 3) // 2, at)
    scale = all_doubles(beta) * (trace + all_doubles(ridge))
    p = 0
    for i in range(m):
        for j in range(i + 1):
            a = load_doubles_of_words(sums, p, at) + scale * all_doubles(prior[p])
            if i == j:
                a = a + all_doubles(ridge)
            store_doubles(matrix, p, 0, a)
            p += 1


@kernel()
def _factorise(matrix: Any, m: int) -> None:
    """LDL' of 8 matrices in place, float64 [pairs, 8]: L below the diagonal, D on it; two columns a pass."""
    one = all_doubles(1.0)
    for c in range(0, m - 1, 2):
        d = c * (c + 3) // 2
        e = (c + 1) * (c + 2) // 2 + c
        inverse = one / load_doubles(matrix, d, 0)
        below = load_doubles(matrix, e, 0)
        factor = below * inverse
        pivot = load_doubles(matrix, e + 1, 0) - factor * below
        store_doubles(matrix, e, 0, factor)
        store_doubles(matrix, e + 1, 0, pivot)
        inverse2 = one / pivot
        for i in range(c + 2, m):
            r = i * (i + 1) // 2 + c
            x = load_doubles(matrix, r + 1, 0) - load_doubles(matrix, r, 0) * factor
            store_doubles(matrix, r + 1, 0, x)
        for i in range(m - 1, c + 1, -1):
            r = i * (i + 1) // 2
            x = load_doubles(matrix, r + c, 0) * inverse
            y = load_doubles(matrix, r + c + 1, 0) * inverse2
            for j in range(c + 2, i + 1):
                s = j * (j + 1) // 2 + c
                a = load_doubles(matrix, r + j, 0) - x * load_doubles(matrix, s, 0)
                store_doubles(matrix, r + j, 0, a - y * load_doubles(matrix, s + 1, 0))
            store_doubles(matrix, r + c, 0, x)
            store_doubles(matrix, r + c + 1, 0, y)


@kernel(inner=True)
def solve(
    values: Any, channels: int, spec: Any, real: Any, prior: Any, t: int, at: int, sums: Any, column: int,
    units: Any, offset: int, matrix: Any, vector: Any, low: Any, full: Any, factor: Any, variance: Any,
) -> None:  # fmt: skip
    """Predictions of 8 pixels.

    Args:
        sums: int32 [pairs, columns], theirs from ``column`` on. prior: float64 [pairs]. real: beta, ridge.
        units: float64 [8], of the variances: over the number of samples.
        matrix: float64 [pairs, 8]; vector: float64 [m, 8]; overwritten.
        offset: where the results go in:
        low, full: int32 [channels, n], Q6: predictions from LOW_ORDER neighbours, and from all (no current channel).
        factor: int32 [3, n], Q10: L among the current channels, (1, 0), (2, 0), (2, 1).
        variance: int32 [channels, n], Q4: of the fit.
    """
    taps, m = spec[TAPS], spec[SIZE]
    mask = values.shape[1] - 1
    _regularised(sums, column, m, real[0], real[1], prior, matrix)
    _factorise(matrix, m)
    known = (taps - 1) * channels
    for c in range(channels):
        west = load_doubles_of_shorts(values[c], (t - 1) & mask, at)
        for j in range(1, taps):
            ny = NEIGHBOURS[j, 0]
            own = load_doubles_of_shorts(values[c], (t + NEIGHBOURS[j, 1] + SKEW * ny) & mask, at + ny)
            store_doubles(vector, (j - 1) * channels + c, 0, own - west)
    for i in range(1, known):
        r = i * (i + 1) // 2
        z = load_doubles(vector, i, 0)
        for j in range(i):
            z = z - load_doubles(matrix, r + j, 0) * load_doubles(vector, j, 0)
        store_doubles(vector, i, 0, z)
    for c in range(channels):
        i = known + c
        r = i * (i + 1) // 2
        total = load_doubles_of_shorts(values[c], (t - 1) & mask, at)
        for j in range(LOW_ORDER * channels):
            total = total + load_doubles(matrix, r + j, 0) * load_doubles(vector, j, 0)
        store_doubles(vector, known + c, 0, total)
        _predictions(vector[known + c], low[c], offset)
        for j in range(LOW_ORDER * channels, known):
            total = total + load_doubles(matrix, r + j, 0) * load_doubles(vector, j, 0)
        store_doubles(vector, known + c, 0, total)
        _predictions(vector[known + c], full[c], offset)
        for k in range(8):
            v = min(max(matrix[r + i, k] * units[k], 0.0), _VARIANCE_LIMIT)
            variance[c, offset + k] = np.int32(np.floor(v))
    p = 0
    for i in range(known + 1, m):
        for j in range(known, i):
            for k in range(8):
                v = min(max(matrix[i * (i + 1) // 2 + j, k] * float(1 << FACTOR_BITS), -_FACTOR_LIMIT), _FACTOR_LIMIT)
                factor[p, offset + k] = np.int32(np.floor(v + 0.5))
            p += 1


@kernel(inner=True)
def _predictions(totals: Any, out: Any, offset: int) -> None:
    for k in range(8):
        p = min(max(totals[k], -float(_OVERSHOOT)), float(255 + _OVERSHOOT))
        out[offset + k] = np.int32(np.floor(p * float(1 << LEVEL_BITS) + 0.5))


@kernel(inner=True)
def predict(planes: Any, squares: Any, work: Any, t: int, first: int, count: int) -> None:
    """Predictions of a front (``count`` pixels from row ``first`` on) by all windows, into ``work``."""
    values, channels, units = planes.values, planes.channels, work.units
    weight = sample_weight(channels, planes.windows)
    for w in range(squares.spec.shape[0]):
        spec, real = squares.spec[w], squares.real[w]
        m = spec[SIZE]
        own = m * (m + 1) // 2
        prior = squares.prior[spec[PRIOR_AT] : spec[PRIOR_AT] + own]
        alike = spec[SIMILAR] != 0
        sums = work.alike.sums
        if not alike:
            begin = spec[SUMS_AT] + (t % spec[STEP]) * own
            sums = work.sums[begin : begin + own]
            units[:] = real[2] * float(1 << VARIANCE_BITS)
            slide(values, channels, spec, weight, t, first, count, sums, work.pairs, work.samples)
        places, fading = squares.places[spec[SAMPLES_AT] :], squares.fading[spec[SAMPLES_AT] :]
        for at in range(0, count, 8):
            half = at % LANES
            column = half if alike else MARGIN + first + at
            if alike and half == 0:
                similarity.gather(planes, spec, real[3], places, fading, t, MARGIN + first + at, work.alike, work.pairs)
                for k in range(LANES):
                    units[k] = float(1 << VARIANCE_BITS) / np.float64(work.alike.total[k])
            solve(
                values, channels, spec, real, prior, t, MARGIN + first + at, sums, column,
                units[half:], at, work.matrix, work.vector,
                work.low[w], work.full[w], work.factor[w], work.variance[w],
            )  # fmt: skip
