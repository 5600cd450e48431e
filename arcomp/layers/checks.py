"""What is checked of a linear layer's arrays before anything is computed with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import ModelError
from arcomp.exact.bounds import FINE_LIMIT, MULTIPLIER_BITS, SHIFT_LIMIT, SUM_LIMIT, WEIGHT_LIMIT, bound

KINDS = {"weight": "int8", "bias": "int32", "multiplier": "int16", "shift": "int8"}


def check_linear(
    arrays: Mapping[str, npt.NDArray[Any]], largest: int, fine: bool = False
) -> tuple[npt.NDArray[Any], ...]:
    """weight, bias, multiplier and shift, if types, shapes and bounds are what exactness needs.

    Args:
        largest: bound of the absolute inputs. fine: whether weights have 13 bits.

    Raises:
        ModelError: they are not.
    """
    kinds = KINDS | {"weight": "int16"} if fine else KINDS
    for name, kind in kinds.items():
        if name not in arrays or arrays[name].dtype.name != kind:
            raise ModelError(f"a layer's {name} is missing or not {kind}", remedy="install the model's weights again")
    if len(arrays) != len(KINDS):
        raise ModelError("a layer has arrays that it does not need", remedy="install the model's weights again")
    weight, bias, multiplier, shift = (arrays[name] for name in KINDS)
    rows = (weight.shape[0],) if weight.ndim == 2 else None
    if rows is None or not (bias.shape == multiplier.shape == shift.shape == rows):
        raise ModelError("a layer's arrays do not fit together", remedy="install the model's weights again")
    if (
        np.abs(weight.astype(np.int64)).max(initial=0) > (FINE_LIMIT if fine else WEIGHT_LIMIT)
        or multiplier.min(initial=0) < 0
        or int(multiplier.max(initial=0)) >= 2**MULTIPLIER_BITS
        or shift.min(initial=1) < 1
        or shift.max(initial=1) > SHIFT_LIMIT
        or bound(weight, largest) + int(np.abs(bias.astype(np.int64)).max(initial=0)) >= SUM_LIMIT
    ):
        raise ModelError(
            "a layer breaks the bounds that exactness rests on", remedy="install the model's weights again"
        )
    return weight, bias, multiplier, shift
