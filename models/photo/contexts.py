"""Which exact values the mixing stage counts: contexts of a channel's candidates, for whole fronts.

A counter's address is the hash of a context plus 16 for each step of the candidate m (and the kind of decision), so
that neighbouring candidates lie in neighbouring cache lines. With W, N, NE, NW, WW the channel's own neighbours, p and
q the first and second channel here, and W0, N0, W1, N1 theirs, the contexts are, by importance:

    first channel: (m; W), (m; W, N), (m; N + W), (m - W; W - WW), (m), (m - N; N - NE, W - NW), (m; W, NE)
    the others: (m - p; q - p), (m - p; p and q - p, or W - W0), (m - p; p), (m - W; p - W0, q - W1), (m),
                (m - N; p - N0, q - N1), (m - p; W - W0, N - N0)

Where lowest bits are equally likely (:func:`arcomp.models.photo.depth.even_bits`), all are values without them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.levels import LEVELS
from arcomp.exact.arrays import Int
from arcomp.exact.compiled import kernel
from arcomp.models.photo.depth import even_bits
from arcomp.models.photo.planes import MARGIN, SKEW, base_error

MOST = 7
WIDE_LEVELS = 1 << 16
"""Of samples of more than 8 bits."""
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)


@kernel(inner=True)
def _hash(out: Any, table: int, channel: int, even: int, k: int, context: Int, shift: Int) -> None:
    """Write one context of pixel k, whose candidates count from ``shift`` on; without its lowest bits, which are
    ``even``."""
    h = (np.uint64(context) * np.uint64(32) + np.uint64((even << 59) + table * 4 + channel + 1)) * _FIRST
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
    values, channels, depth, selectors = planes.values, planes.channels, planes.depth, out.selectors
    mask = values.shape[1] - 1
    at = MARGIN + first
    west, north = (t - 1) & mask, (t - SKEW) & mask
    errors = values[base_error(channels, channel)]
    own = values[channel]
    levels = WIDE_LEVELS if depth.wide else LEVELS
    differences = 2 * levels  # levels are added to make them positive
    for k in range(count):
        a = at + k
        even = even_bits(workspace.scale[channel, k], depth)
        w, n = np.int64(own[west, a]) >> even, np.int64(own[north, a - 1]) >> even
        ne = np.int64(own[(t - SKEW + 1) & mask, a - 1]) >> even
        if channel == 0:
            nw, ww = np.int64(own[(t - SKEW - 1) & mask, a - 1]) >> even, np.int64(own[(t - 2) & mask, a]) >> even
            _hash(out, 0, channel, even, k, w, 0)
            _hash(out, 1, channel, even, k, w + n * differences, 0)
            _hash(out, 2, channel, even, k, n + w, 0)
            _hash(out, 3, channel, even, k, w - ww + levels, levels - w)
            if tables > 5:
                _hash(out, 5, channel, even, k, n - ne + levels + differences * (w - nw + levels), levels - n)
            if tables > 6:
                _hash(out, 6, channel, even, k, w + ne * differences, 0)
            selectors[k, 0] = 4
        else:
            p, w0, n0 = (
                np.int64(workspace.current[0, k]) >> even,
                np.int64(values[0, west, a]) >> even,
                np.int64(values[0, north, a - 1]) >> even,
            )
            dw, dn = w - w0 + levels, n - n0 + levels
            second = np.int64(0)
            by_west, by_north = np.int64(0), np.int64(0)
            if channel > 1:
                q = np.int64(workspace.current[1, k]) >> even
                second = q - p + levels
                by_west = (q - (np.int64(values[1, west, a]) >> even) + levels) * differences
                by_north = (q - (np.int64(values[1, north, a - 1]) >> even) + levels) * differences
            _hash(out, 0, channel, even, k, second, levels - p)
            _hash(out, 1, channel, even, k, (second if channel > 1 else dw) + p * differences, levels - p)
            _hash(out, 2, channel, even, k, p, levels - p)
            _hash(out, 3, channel, even, k, p - w0 + levels + by_west, levels - w)
            if tables > 5:
                _hash(out, 5, channel, even, k, p - n0 + levels + by_north, levels - n)
            if tables > 6:
                _hash(out, 6, channel, even, k, dw + dn * differences, levels - p)
            previous = (np.int64(workspace.current[channel - 1, k]) << depth.point) - workspace.base[channel - 1, k]
            selectors[k, 0] = residual_class(previous >> 2)
        _hash(out, 4, channel, even, k, 0, 0)
        selectors[k, 1] = residual_class(np.int64(errors[west, a]) + errors[north, a - 1])
