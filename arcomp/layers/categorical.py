"""Softmax over all levels of a sample (PixelRNN, section 3.5), exactly: table of exponentials, integer sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import FrequencyTable
from arcomp.coding.table import cumulate
from arcomp.exact import tables
from arcomp.exact.compiled import kernel


def categorical_of(logits: npt.NDArray[np.int16], depth: int) -> FrequencyTable:
    """The distributions that logits stand for.

    Args:
        logits: int16 [n, 2**depth], quantised as LOGITS (1/256).

    Returns:
        Counts round(2**16 exp(logit - largest)), 0 long before the table ends at e**-16; see
        :func:`arcomp.coding.table.cumulate`.
    """
    wide = logits.astype(np.int64)
    below = wide.max(1, keepdims=True) - wide
    counts = tables.exponential()[np.minimum(below, 4095)]
    return FrequencyTable(cumulate(counts, depth), np.arange(len(logits), dtype=np.int32), depth)


SHARE_BITS = 24
"""Of what is averaged, each member's probabilities sum to 2**24, or a little less."""


@kernel()
def _shares(logits: Any, exponential: Any, out: Any) -> None:
    """int16 [n, members * (levels - 1)] -> sums of shares, int64 [n, levels]."""
    others = out.shape[1] - 1
    for i in range(logits.shape[0]):
        out[i] = 0
        for first in range(0, logits.shape[1], others):
            own = logits[i, first : first + others]
            best = np.int64(0)
            for z in own:
                best = max(best, np.int64(z))
            total = exponential[min(4095, best)]
            for z in own:
                total += exponential[min(4095, best - z)]
            out[i, 0] += (exponential[min(4095, best)] << SHARE_BITS) // total
            for v in range(others):
                out[i, v + 1] += (exponential[min(4095, best - own[v])] << SHARE_BITS) // total


def averaged(logits: npt.NDArray[np.int16], depth: int) -> FrequencyTable:
    """The mean of several distributions that logits stand for.

    Args:
        logits: int16 [n, members * (2**depth - 1)], member after member, quantised as LOGITS (1/256): those of the
            levels from 1 on, that of level 0 being 0. At most 32 members.

    Returns:
        Of each member, counts as :func:`categorical_of` makes them, out of 2**24, rounded down; their sums.
    """
    counts = np.empty((len(logits), 1 << depth), np.int64)
    _shares(logits, tables.exponential(), counts)
    return FrequencyTable(cumulate(counts, depth), np.arange(len(logits), dtype=np.int32), depth)
