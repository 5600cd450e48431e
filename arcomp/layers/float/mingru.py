"""minGRU layers (:mod:`arcomp.layers.mingru`) in float: all steps at once by a scan."""

from __future__ import annotations

import torch

from arcomp.exact.gru_cell import PARTS, STATE_BITS
from arcomp.layers.float.layer import FloatLayer
from arcomp.layers.float.rounding import carry
from arcomp.layers.mingru import MinGRU
from arcomp.layers.quantisation import Quantisation

STATE = Quantisation(bits=STATE_BITS, zero=0, low=-(1 << 15), high=(1 << 15) - 1)
"""int16 for what a cell keeps: real -8 .. 7.9998 in steps of 1/4096."""


def linear_scan(keep: torch.Tensor, added: torch.Tensor, axis: int) -> torch.Tensor:
    """h[t] = keep[t] h[t - 1] + added[t] along an axis, with h[-1] = 0: log2 of the steps passes over whole tensors.

    Hillis and Steele 1986, "Data parallel algorithms": after a pass each step has taken in twice as many before it.

    Args:
        keep, added: float, of one shape.
    """
    length, reach = keep.shape[axis], 1
    while reach < length:
        late_keep, late_added = (x.narrow(axis, reach, length - reach) for x in (keep, added))
        past_keep, past_added = (x.narrow(axis, 0, length - reach) for x in (keep, added))
        first_keep, first_added = (x.narrow(axis, 0, reach) for x in (keep, added))
        added = torch.cat([first_added, late_added + late_keep * past_added], axis)
        keep = torch.cat([first_keep, late_keep * past_keep], axis)
        reach *= 2
    return added


class FloatMinGRU(FloatLayer):
    """The state is not rounded from step to step: its steps are 128 times as fine as those of the outputs."""

    def __init__(self, spec: MinGRU) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, x: torch.Tensor, rounding: bool = False) -> torch.Tensor:
        """float [N, H, W, groups * 2 * features] -> [N, H, W, groups * features]."""
        spec = self.spec
        with torch.autocast(x.device.type, enabled=False):
            parts = x.float().reshape(*x.shape[:3], spec.groups, PARTS, spec.features)
            gate = torch.sigmoid(parts[..., 0, :])
            candidate = carry(parts[..., 1, :], STATE, False)
            state = linear_scan(1 - gate, gate * candidate, spec.axis)
        return carry(state.flatten(3), spec.quantisation, rounding)
