"""Which exact values the mixing stage counts: contexts of a channel's candidates, for whole fronts.

A counter's address is the hash of a context plus 16 for each step of the candidate m (and the kind of decision), so
that neighbouring candidates lie in neighbouring cache lines. With W, N, NE, NW, WW the channel's own neighbours, p and
q the first and second channel here, and W0, N0, W1, N1 theirs, the contexts are, by importance:

    first channel: (m; W), (m; W, N), (m; N + W), (m - W; W - WW), (m), (m - N; N - NE, W - NW), (m; W, NE)
    the others: (m - p; q - p), (m - p; p and q - p, or W - W0), (m - p; p), (m - W; p - W0, q - W1), (m),
                (m - N; p - N0, q - N1), (m - p; W - W0, N - N0)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.levels import LEVELS
from arcomp.exact.arrays import Int
from arcomp.exact.compiled import kernel
from arcomp.models.photo.planes import MARGIN, SKEW, base_error

MOST = 7
DIFFERENCES = 2 * LEVELS
"""Differences of two levels; LEVELS is added to make them positive."""
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)


@kernel(inner=True)
def _hash(out: Any, table: int, channel: int, k: int, context: Int, shift: Int) -> None:
    """Write one context of pixel k, whose candidates count from ``shift`` on."""
    h = (np.uint64(context) * np.uint64(32) + np.uint64(table * 4 + channel + 1)) * _FIRST
    h = (h ^ (h >> np.uint64(29))) * _SECOND
    h ^= h >> np.uint64(32)
    out.contexts[k, table] = np.int64(h & np.uint64(0xFFFFFFF)) + (shift << 4)
    out.checks[k, table] = np.int32((h >> np.uint64(40)) & np.uint64(255)) << np.int32(6)


@kernel(inner=True)
def residual_class(e: int) -> int:
    """Nine classes of an error in Q4, 4 the middle one."""
    a = abs(e)
    k = 0 if a < 6 else 1 if a < 16 else 2 if a < 36 else 3 if a < 72 else 4
    return 4 + k if e > 0 else 4 - k


@kernel(inner=True)
def hash_contexts(
    planes: Any, workspace: Any, t: int, first: int, count: int, channel: int, out: Any, tables: int
) -> None:
    """Contexts of a channel of a front, when the channels before it are in ``workspace.current``.

    Args:
        out: a record with ``contexts``, ``checks`` and ``selectors``, see :class:`arcomp.models.photo.stage.FrontData`.
        tables: contexts that are counted.
    """
    values, channels = planes.values, planes.channels
    selectors = out.selectors
    mask = values.shape[1] - 1
    at = MARGIN + first
    west, north = (t - 1) & mask, (t - SKEW) & mask
    errors = values[base_error(channels, channel)]
    own = values[channel]
    for k in range(count):
        a = at + k
        w, n = np.int64(own[west, a]), np.int64(own[north, a - 1])
        ne = np.int64(own[(t - SKEW + 1) & mask, a - 1])
        if channel == 0:
            nw, ww = np.int64(own[(t - SKEW - 1) & mask, a - 1]), np.int64(own[(t - 2) & mask, a])
            _hash(out, 0, channel, k, w, 0)
            _hash(out, 1, channel, k, w + n * DIFFERENCES, 0)
            _hash(out, 2, channel, k, n + w, 0)
            _hash(out, 3, channel, k, w - ww + LEVELS, LEVELS - w)
            if tables > 5:
                _hash(out, 5, channel, k, n - ne + LEVELS + DIFFERENCES * (w - nw + LEVELS), LEVELS - n)
            if tables > 6:
                _hash(out, 6, channel, k, w + ne * DIFFERENCES, 0)
            selectors[k, 0] = 4
        else:
            p, w0, n0 = (
                np.int64(workspace.current[0, k]),
                np.int64(values[0, west, a]),
                np.int64(values[0, north, a - 1]),
            )
            dw, dn = w - w0 + LEVELS, n - n0 + LEVELS
            second = np.int64(0)
            by_west, by_north = np.int64(0), np.int64(0)
            if channel > 1:
                q = np.int64(workspace.current[1, k])
                second = q - p + LEVELS
                by_west = (q - np.int64(values[1, west, a]) + LEVELS) * DIFFERENCES
                by_north = (q - np.int64(values[1, north, a - 1]) + LEVELS) * DIFFERENCES
            _hash(out, 0, channel, k, second, LEVELS - p)
            _hash(out, 1, channel, k, (second if channel > 1 else dw) + p * DIFFERENCES, LEVELS - p)
            _hash(out, 2, channel, k, p, LEVELS - p)
            _hash(out, 3, channel, k, p - w0 + LEVELS + by_west, LEVELS - w)
            if tables > 5:
                _hash(out, 5, channel, k, p - n0 + LEVELS + by_north, LEVELS - n)
            if tables > 6:
                _hash(out, 6, channel, k, dw + dn * DIFFERENCES, LEVELS - p)
            previous = (np.int64(workspace.current[channel - 1, k]) << 6) - workspace.base[channel - 1, k]
            selectors[k, 0] = residual_class(previous >> 2)
        _hash(out, 4, channel, k, 0, 0)
        selectors[k, 1] = residual_class(np.int64(errors[west, a]) + errors[north, a - 1])
