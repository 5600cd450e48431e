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

from arcomp.exact.compiled import kernel
from arcomp.models.photo.planes import MARGIN, SKEW, base_error

MOST = 7
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)


@kernel(inline="always")
def _enter(context: Any, table: Any, channel: Any, shift: Any, contexts: Any, checks: Any, k: Any) -> None:
    h = (np.uint64(context) * np.uint64(32) + np.uint64(table * 4 + channel + 1)) * _FIRST
    h = (h ^ (h >> np.uint64(29))) * _SECOND
    h ^= h >> np.uint64(32)
    contexts[table, k] = np.int64(h & np.uint64(0xFFFFFFF)) + (shift << 4)
    checks[table, k] = np.int32((h >> np.uint64(40)) & np.uint64(255))


@kernel(inline="always")
def _difference(a: Any, b: Any) -> Any:
    return np.int64(a) - np.int64(b) + 256


@kernel(inline="always")
def residual_class(e: int) -> int:
    """Nine classes of an error in Q4, 4 the middle one."""
    a = abs(e)
    k = 0 if a < 6 else 1 if a < 16 else 2 if a < 36 else 3 if a < 72 else 4
    return 4 + k if e > 0 else 4 - k


@kernel(inner=True)
def find(
    planes: Any, work: Any, t: int, first: int, count: int, channel: int, contexts: Any, checks: Any, out: Any
) -> None:
    """Contexts int64 [tables, n] and checks int32 [tables, n] of a channel, when the channels before it are known;
    ``out`` int32 [2, n]: classes of the previous channel's residual and of the neighbours' residuals."""
    values, channels = planes.values, planes.channels
    mask = values.shape[1] - 1
    at = MARGIN + first
    tables = contexts.shape[0]
    west, north = (t - 1) & mask, (t - SKEW) & mask
    errors = values[base_error(channels, channel)]
    for k in range(count):
        a = at + k
        w, n = np.int64(values[channel, west, a]), np.int64(values[channel, north, a - 1])
        ne = np.int64(values[channel, (t - SKEW + 1) & mask, a - 1])
        if channel == 0:
            nw = values[0, (t - SKEW - 1) & mask, a - 1]
            ww = values[0, (t - 2) & mask, a]
            _enter(w, 0, channel, 0, contexts, checks, k)
            _enter(w + n * 512, 1, channel, 0, contexts, checks, k)
            _enter(n + w, 2, channel, 0, contexts, checks, k)
            _enter(_difference(w, ww), 3, channel, 256 - w, contexts, checks, k)
            _enter(0, 4, channel, 0, contexts, checks, k)
            if tables > 5:
                _enter(_difference(n, ne) + 512 * _difference(w, nw), 5, channel, 256 - n, contexts, checks, k)
                _enter(w + ne * 512, 6, channel, 0, contexts, checks, k)
            out[0, k] = 4
        else:
            p = np.int64(work.current[0, k])
            w0, n0 = np.int64(values[0, west, a]), np.int64(values[0, north, a - 1])
            dw, dn = _difference(w, w0), _difference(n, n0)
            second = np.int64(0)
            by_west, by_north = np.int64(0), np.int64(0)
            if channel > 1:
                q = np.int64(work.current[1, k])
                second = _difference(q, p)
                by_west = _difference(q, values[1, west, a]) * 512
                by_north = _difference(q, values[1, north, a - 1]) * 512
            _enter(second, 0, channel, 256 - p, contexts, checks, k)
            _enter((second if channel > 1 else dw) + p * 512, 1, channel, 256 - p, contexts, checks, k)
            _enter(p, 2, channel, 256 - p, contexts, checks, k)
            _enter(_difference(p, w0) + by_west, 3, channel, 256 - w, contexts, checks, k)
            _enter(0, 4, channel, 0, contexts, checks, k)
            if tables > 5:
                _enter(_difference(p, n0) + by_north, 5, channel, 256 - n, contexts, checks, k)
                _enter(dw + dn * 512, 6, channel, 256 - p, contexts, checks, k)
            previous = (np.int64(work.current[channel - 1, k]) << 6) - work.base[channel - 1, k]
            out[0, k] = residual_class(previous >> 2)
        out[1, k] = residual_class(np.int64(errors[west, a]) + errors[north, a - 1])
