"""Degrees of hidden units: who sees whom in a masked network.

Germain et al. 2015, "MADE: masked autoencoder for distribution estimation", sections 3 and 4.2. The samples have
numbers in the order of coding. A unit of degree m sees samples 0 .. m - 1, and units of the layer before of degree m or
less; sample i is predicted from units of degree i or less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.exact.drawn import drawn

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def degrees(samples: int, units: int, blocks: int, masks: int, seed: int) -> list[Int64]:
    """Degrees at random, from the least of the layer before (1, in the first) to samples - 1.

    Returns:
        For each hidden layer, int64 [masks, units].
    """
    least, most = np.ones((masks, 1), np.int64), max(1, samples - 1)
    found = []
    for block in range(blocks):
        number = drawn(seed, np.arange(masks)[:, None], block, np.arange(units)) >> np.uint64(32)
        found.append(least + (number.astype(np.int64) * (most - least + 1) >> 32))
        least = found[-1].min(1, keepdims=True)
    return found


def visible(samples: int, outputs: int, own: list[Int64]) -> list[Bools]:
    """One mask of each layer, the last being that of the outputs, from one row of degrees of each hidden layer.

    Args:
        outputs: of each sample.

    Returns:
        bool [rows, inputs] for each layer, True where a weight is used.
    """
    number = np.arange(samples)
    hidden = [this[:, None] >= before[None] for before, this in zip([number + 1, *own], own, strict=False)]
    return [*hidden, (own[-1][None] <= number[:, None]).repeat(outputs, 0)]
