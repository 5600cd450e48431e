"""Softmax over all levels of a sample (PixelRNN, section 3.5), exactly: table of exponentials, integer sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.coding import FrequencyTable
from arcomp.coding.table import cumulate
from arcomp.exact import tables


def categorical_of(logits: npt.NDArray[np.int16], depth: int) -> FrequencyTable:
    """The distributions that logits stand for.

    Args:
        logits: int16 [n, 2**depth], on the grid LOGITS (1/256).

    Returns:
        Counts round(2**16 exp(logit - largest)), 0 long before the table ends at e**-16; see
        :func:`arcomp.coding.table.cumulate`.
    """
    wide = logits.astype(np.int64)
    below = wide.max(1, keepdims=True) - wide
    counts = tables.exponential()[np.minimum(below, 4095)]
    return FrequencyTable(cumulate(counts, depth), np.arange(len(logits), dtype=np.int32), depth)
