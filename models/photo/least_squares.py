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

from arcomp.coding.levels import HIGHEST
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
    SIMILARITY,
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
OVERSHOOT = 32
"""Levels by which a prediction may leave the alphabet."""
VARIANCE_BITS = 4
_VARIANCE_LIMIT = float(1 << 19)


@kernel(inner=True)
def start_row(planes: Any, spec: Any, t: int, at: int, sums: Any, samples: Any) -> None:
    """The whole window of one pixel near a row's start.

    Args:
        spec: the window's row of :attr:`Squares.spec`.
        sums: int32 [pairs, columns], column ``at`` is written.
        samples: workspace, int32 [m + 1, as many as the window has]: v of each sample, and its weight.
    """
    values, channels = planes.values, planes.channels
    step, rows, left, right = spec[STEP], spec[ROWS], spec[REACH_LEFT], spec[REACH_RIGHT]
    taps, m = spec[TAPS], spec[SIZE]
    weight, mask = sample_weight(channels, planes.windows), values.shape[1] - 1
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
def slide(planes: Any, spec: Any, workspace: Any, sums: Any, t: int, first: int, count: int) -> None:
    """Move the windows of a front's pixels one step to the right: a sample of each row comes, one goes.

    Args:
        spec: the window's row of :attr:`Squares.spec`. sums: int32 [pairs, columns].
    """
    flat, ring, pairs = planes.flat, planes.values.shape[1], workspace.pairs
    step, rows, left, right = spec[STEP], spec[ROWS], spec[REACH_LEFT], spec[REACH_RIGHT]
    taps, m = spec[TAPS], spec[SIZE]
    mask = ring - 1
    weight = sample_weight(planes.channels, planes.windows) * ring
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
                    w_comes = load_shorts(flat, weight + (comes & mask), at + dy)
                    w_goes = load_shorts(flat, weight + (goes & mask), at + dy)
                    weights = pair_shorts(w_comes, minus * w_goes)
                covariance.differences(planes, taps, at, (comes, dy), (goes, dy), weights, pairs, k * m)
            covariance.add(m, block, pairs, sums, at)
    bottom = first + count - 1
    if t - SKEW * bottom < step:
        start_row(planes, spec, t, MARGIN + bottom, sums, workspace.samples)


@kernel(inner=True)
def _regularised(sums: Any, at: int, m: int, real: Any, prior: Any, matrix: Any) -> None:
    """A + beta (trace + ridge) P + ridge I of 8 pixels: float64 [pairs, 8]."""
    beta, ridge = real[0], real[1]
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


@kernel(inner=True)
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
def solve(planes: Any, squares: Any, workspace: Any, w: int, t: int, first: int, offset: int) -> None:
    """Predictions of 8 pixels of a front by one window.

    Args:
        w: number of the window. first: the front's first row.
        offset: number of the first of the 8 pixels in the front: where results go in ``workspace.low``, ``full``,
            ``factor`` and ``variance``.
    """
    values, channels, spec, real = planes.values, planes.channels, squares.spec[w], squares.real[w]
    matrix, vector, at = workspace.matrix, workspace.vector, MARGIN + first + offset
    taps, m = spec[TAPS], spec[SIZE]
    mask = values.shape[1] - 1
    own_pairs = m * (m + 1) // 2
    prior = squares.prior[spec[PRIOR_AT] : spec[PRIOR_AT] + own_pairs]
    if spec[SIMILARITY]:
        _regularised(workspace.similarity.sums, offset % LANES, m, real, prior, matrix)
    else:
        begin = spec[SUMS_AT] + (t % spec[STEP]) * own_pairs
        _regularised(workspace.sums[begin : begin + own_pairs], at, m, real, prior, matrix)
    _factorise(matrix, m)
    predictors = (taps - 1) * channels
    for c in range(channels):
        west = load_doubles_of_shorts(values[c], (t - 1) & mask, at)
        for j in range(1, taps):
            ny = NEIGHBOURS[j, 0]
            own = load_doubles_of_shorts(values[c], (t + NEIGHBOURS[j, 1] + SKEW * ny) & mask, at + ny)
            store_doubles(vector, (j - 1) * channels + c, 0, own - west)
    for i in range(1, predictors):
        _subtract(matrix, vector, i, 0, i)
    for c in range(channels):
        i = predictors + c
        store_doubles(vector, i, 0, load_doubles_of_shorts(values[c], (t - 1) & mask, at))
        _add(matrix, vector, i, 0, LOW_ORDER * channels)
        _predictions(vector[i], workspace.low[c, w], offset)
        _add(matrix, vector, i, LOW_ORDER * channels, predictors)
        _predictions(vector[i], workspace.full[c, w], offset)
    _of_the_fit(workspace, w, offset, predictors, m)


@kernel(inner=True)
def _subtract(matrix: Any, vector: Any, i: int, first: int, end: int) -> None:
    """Element i of the vector less the products of row i of L with elements first .. end - 1."""
    r = i * (i + 1) // 2
    z = load_doubles(vector, i, 0)
    for j in range(first, end):
        z = z - load_doubles(matrix, r + j, 0) * load_doubles(vector, j, 0)
    store_doubles(vector, i, 0, z)


@kernel(inner=True)
def _add(matrix: Any, vector: Any, i: int, first: int, end: int) -> None:
    """Element i of the vector and the products of row i of L with elements first .. end - 1."""
    r = i * (i + 1) // 2
    z = load_doubles(vector, i, 0)
    for j in range(first, end):
        z = z + load_doubles(matrix, r + j, 0) * load_doubles(vector, j, 0)
    store_doubles(vector, i, 0, z)


@kernel(inner=True)
def _of_the_fit(workspace: Any, w: int, offset: int, predictors: int, m: int) -> None:
    """Of 8 pixels: variances, and L among the current channels."""
    matrix, units = workspace.matrix, workspace.units
    start = offset % LANES
    for i in range(predictors, m):
        for k in range(8):
            v = min(max(matrix[i * (i + 3) // 2, k] * units[start + k], 0.0), _VARIANCE_LIMIT)
            workspace.variance[i - predictors, w, offset + k] = np.int32(np.floor(v))
    p = 0
    for i in range(predictors + 1, m):
        for j in range(predictors, i):
            for k in range(8):
                v = min(max(matrix[i * (i + 1) // 2 + j, k] * float(1 << FACTOR_BITS), -_FACTOR_LIMIT), _FACTOR_LIMIT)
                workspace.factor[w, p, offset + k] = np.int32(np.floor(v + 0.5))
            p += 1


@kernel(inner=True)
def _predictions(totals: Any, out: Any, offset: int) -> None:
    for k in range(8):
        p = min(max(totals[k], -float(OVERSHOOT)), float(HIGHEST + OVERSHOOT))
        out[offset + k] = np.int32(np.floor(p * float(1 << LEVEL_BITS) + 0.5))


@kernel(inner=True)
def predict(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Predictions of a front (``count`` pixels from row ``first`` on) by all windows, into ``workspace``."""
    for w in range(planes.windows):
        predict_by(planes, squares, workspace, w, t, first, count)


@kernel(inner=True)
def predict_by(planes: Any, squares: Any, workspace: Any, w: int, t: int, first: int, count: int) -> None:
    """The same by one window."""
    units, total, spec = workspace.units, workspace.similarity.total, squares.spec[w]
    m = spec[SIZE]
    if not spec[SIMILARITY]:
        own = m * (m + 1) // 2
        begin = spec[SUMS_AT] + (t % spec[STEP]) * own
        units[:] = squares.real[w, 2] * float(1 << VARIANCE_BITS)
        slide(planes, spec, workspace, workspace.sums[begin : begin + own], t, first, count)
    for offset in range(0, count, 8):
        if spec[SIMILARITY] and offset % LANES == 0:
            similarity.similarity_weighted(planes, squares, workspace, w, t, MARGIN + first + offset)
            for k in range(LANES):
                units[k] = float(1 << VARIANCE_BITS) / np.float64(total[0, k])
        solve(planes, squares, workspace, w, t, first, offset)
