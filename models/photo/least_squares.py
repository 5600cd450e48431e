"""Local least squares: each pixel predicted by the weights that would have been best in a window around it.

Wu, Barthel and Zhang 1998, "Piecewise 2D autoregression for predictive image coding", and the many after it; one LDL'
factorisation serves all channels, later ones seeing earlier ones, as in a Cholesky factor of their joint covariance.

At a sample s, v(s) holds the first neighbours of all channels interleaved and then s's own channels, each minus its own
channel's W neighbour of s. The window's covariance sum w v v' is kept in integers and moved along the row: a
column of samples comes in, one goes out. Then (A + beta (trace + ridge) P + ridge I) = L D L', with a prior P from
training pictures; z = L^-1 v, and channel c's prediction is W + sum_k L[c, k] z_k: no back-substitution, and partial
sums are predictions of lower order.

Sums are int32 (a window's sum of 64 * 255^2 over at most 516 samples is below 2^31); the factorisation is float32 in a
fixed sequence of + - * and /, LANES pixels of a front side by side, rounded to integers at the end. Rounding could make
a pivot smaller than the ridge, which it is never without: it is then taken for the ridge.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    all_floats,
    all_shorts,
    all_words,
    larger_floats,
    load_floats,
    load_shorts,
    pair_shorts,
    prefetch,
    smaller_floats,
    store_floats,
    store_words,
    words_of_floats,
)
from arcomp.models.photo import covariance, similarity
from arcomp.models.photo.depth import FARTHEST, LEVEL_BITS
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

FACTOR_BITS = 10
"""Fractional bits of the factor's entries among the current channels."""
_FACTOR_LIMIT = 16 << FACTOR_BITS
OVERSHOOT = 32
"""Levels by which a prediction may leave the alphabet."""
_VARIANCE_LIMIT = 1 << 19


@kernel(inner=True)
def start_row(planes: Any, spec: Any, t: int, at: int, sums: Any, samples: Any) -> None:
    """The whole window of one pixel near a row's start.

    Args:
        spec: the window's row of :attr:`Squares.spec`.
        sums: int32 [pairs, columns], column ``at`` is written.
        samples: workspace, int32 [m + 1, as many as the window has]: v of each sample, and its weight.
    """
    values, levels, channels, ring = planes.values, planes.levels, planes.channels, planes.values.shape[1]
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
                west = np.int32(levels[c * ring + ((row - 1) & mask), a])
                for j in range(1, taps + 1):
                    ny, nx = (NEIGHBOURS[j, 0], NEIGHBOURS[j, 1]) if j < taps else (0, 0)
                    v = levels[c * ring + ((row + nx + SKEW * ny) & mask), a + ny] - west
                    samples[(j - 1) * channels + c, n] = max(-FARTHEST, min(FARTHEST, v)) if planes.depth.wide else v
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
        for p in range(sums.shape[0]):  # those of the pixels after these: they are far apart in memory
            prefetch(sums, p, at + 2 * LANES - 1)
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
    """A + beta (trace + ridge) P + ridge I of LANES pixels: float32 [pairs, LANES]."""
    beta, ridge = all_floats(real[0]), all_floats(real[1])
    trace = load_floats(sums, 0, at)
    for i in range(1, m):
        trace = trace + load_floats(sums, i * (i + 3) // 2, at)
    scale = beta * (trace + ridge)
    p = 0
    for i in range(m):
        for j in range(i + 1):
            a = load_floats(sums, p, at) + scale * all_floats(prior[p])
            if i == j:
                a = a + ridge
            store_floats(matrix, p, 0, a)
            p += 1


@kernel(inner=True)
def _factorise(matrix: Any, m: int, ridge: Any) -> None:
    """LDL' of LANES matrices in place, float32 [pairs, LANES]: L below the diagonal, D on it; two columns a pass. A
    pivot is at least ``ridge``, as it would be without rounding."""
    one, least = all_floats(np.float32(1.0)), all_floats(ridge)
    for c in range(0, m - 1, 2):
        d = c * (c + 3) // 2
        e = (c + 1) * (c + 2) // 2 + c
        first = larger_floats(load_floats(matrix, d, 0), least)
        inverse = one / first
        below = load_floats(matrix, e, 0)
        factor = below * inverse
        pivot = larger_floats(load_floats(matrix, e + 1, 0) - factor * below, least)
        store_floats(matrix, e, 0, factor)
        inverse2 = one / pivot
        for i in range(c + 2, m):
            r = i * (i + 1) // 2 + c
            x = load_floats(matrix, r + 1, 0) - load_floats(matrix, r, 0) * factor
            store_floats(matrix, r + 1, 0, x)
        for i in range(m - 1, c + 1, -1):
            r = i * (i + 1) // 2
            x = load_floats(matrix, r + c, 0) * inverse
            y = load_floats(matrix, r + c + 1, 0) * inverse2
            for j in range(c + 2, i + 1):
                s = j * (j + 1) // 2 + c
                a = load_floats(matrix, r + j, 0) - x * load_floats(matrix, s, 0)
                store_floats(matrix, r + j, 0, a - y * load_floats(matrix, s + 1, 0))
            store_floats(matrix, r + c, 0, x)
            store_floats(matrix, r + c + 1, 0, y)
        store_floats(matrix, d, 0, first)
        store_floats(matrix, e + 1, 0, pivot)


@kernel(inner=True)
def solve(planes: Any, squares: Any, workspace: Any, w: int, t: int, first: int, offset: int) -> None:
    """Predictions of LANES pixels of a front by one window.

    Args:
        w: number of the window. first: the front's first row.
        offset: number of the first of the pixels in the front: where results go in ``workspace.low``, ``full``,
            ``factor`` and ``variance``.
    """
    values, channels, spec, real = planes.values, planes.channels, squares.spec[w], squares.real[w]
    matrix, vector, at = workspace.matrix, workspace.vector, MARGIN + first + offset
    taps, m = spec[TAPS], spec[SIZE]
    mask = values.shape[1] - 1
    own_pairs = m * (m + 1) // 2
    prior = squares.prior[spec[PRIOR_AT] : spec[PRIOR_AT] + own_pairs]
    unit = all_floats(real[2])
    if spec[SIMILARITY]:
        unit = unit / load_floats(workspace.similarity.total, 0, 0)
        _regularised(workspace.similarity.sums, 0, m, real, prior, matrix)
    else:
        begin = spec[SUMS_AT] + (t % spec[STEP]) * own_pairs
        _regularised(workspace.sums[begin : begin + own_pairs], at, m, real, prior, matrix)
    _factorise(matrix, m, real[1])
    predictors = (taps - 1) * channels
    for c in range(channels):
        west = load_floats(values[c], (t - 1) & mask, at)
        for j in range(1, taps):
            ny = NEIGHBOURS[j, 0]
            own = load_floats(values[c], (t + NEIGHBOURS[j, 1] + SKEW * ny) & mask, at + ny)
            store_floats(vector, (j - 1) * channels + c, 0, own - west)
    for i in range(1, predictors):
        r = i * (i + 1) // 2
        z = load_floats(vector, i, 0)
        for j in range(i):
            z = z - load_floats(matrix, r + j, 0) * load_floats(vector, j, 0)
        store_floats(vector, i, 0, z)
    for c in range(channels):
        r = (predictors + c) * (predictors + c + 1) // 2
        p = load_floats(values[c], (t - 1) & mask, at)
        for j in range(predictors):
            p = p + load_floats(matrix, r + j, 0) * load_floats(vector, j, 0)
            if j == LOW_ORDER * channels - 1:
                _store_prediction(workspace.low[c], w, offset, p, planes.depth)
        _store_prediction(workspace.full[c], w, offset, p, planes.depth)
        _store_fit(workspace, w, offset, c, r + predictors, unit)


@kernel(inner=True)
def _store_fit(workspace: Any, w: int, offset: int, c: int, at: int, unit: Any) -> None:
    """Of a channel of LANES pixels: L among the current channels (rows of the matrix from ``at`` on), and variance."""
    matrix = workspace.matrix
    largest, wide = all_floats(np.float32(16.0)), all_floats(np.float32(1 << FACTOR_BITS))
    above = all_floats(np.float32(_FACTOR_LIMIT + 0.5))
    for k in range(c):
        f = larger_floats(smaller_floats(load_floats(matrix, at + k, 0), largest), all_floats(np.float32(-16.0)))
        v = words_of_floats(f * wide + above) - all_words(np.int32(_FACTOR_LIMIT))
        store_words(workspace.factor[w], c * (c - 1) // 2 + k, offset, v)
    d = smaller_floats(load_floats(matrix, at + c, 0) * unit, all_floats(np.float32(_VARIANCE_LIMIT)))
    store_words(workspace.variance[c], w, offset, words_of_floats(larger_floats(d, all_floats(np.float32(0.0)))))


@kernel(inner=True)
def _store_prediction(out: Any, w: int, offset: int, p: Any, depth: Any) -> None:
    """Rounded to Q6; int32 [windows, n], written."""
    beyond = OVERSHOOT << depth.shift
    p = larger_floats(p, all_floats(np.float32(-beyond)))
    p = smaller_floats(p, all_floats(np.float32(depth.highest + beyond)))
    above = all_floats(np.float32((OVERSHOOT << LEVEL_BITS) + 0.5))  # so that rounding towards zero rounds down
    v = words_of_floats(p * all_floats(np.float32(1 << depth.point)) + above)
    store_words(out, w, offset, v - all_words(np.int32(OVERSHOOT << LEVEL_BITS)))


@kernel(inner=True)
def predict(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Predictions of a front (``count`` pixels from row ``first`` on) by all windows, into ``workspace``."""
    similarity.distances(planes, squares, workspace.similarity, t, first, count)
    for w in range(planes.windows):
        predict_by(planes, squares, workspace, w, t, first, count)


@kernel(inner=True)
def predict_by(planes: Any, squares: Any, workspace: Any, w: int, t: int, first: int, count: int) -> None:
    """The same by one window; after :func:`similarity.distances`."""
    spec = squares.spec[w]
    if not spec[SIMILARITY]:
        own = spec[SIZE] * (spec[SIZE] + 1) // 2
        begin = spec[SUMS_AT] + (t % spec[STEP]) * own
        slide(planes, spec, workspace, workspace.sums[begin : begin + own], t, first, count)
    for offset in range(0, count, LANES):
        if spec[SIMILARITY]:
            similarity.similarity_weighted(planes, squares, workspace, w, t, first, offset)
        solve(planes, squares, workspace, w, t, first, offset)
