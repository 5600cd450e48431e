"""Where a run stands: its rate and whether it rounds, by the steps or by the minutes that it has gone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from arcomp.training.recipes import OptimiserPart


@dataclass(frozen=True)
class Moment:
    """A moment of a run.

    Attributes:
        rate: learning rate: linear warm-up, then a cosine (Loshchilov and Hutter 2017, "SGDR", equation 5) to a
            two-hundredth.
        rounding: whether weights and activations are rounded in the loop.
        part: of the run, that lies behind, 0 to 1.
    """

    rate: float
    rounding: bool
    part: float


def moment(o: OptimiserPart, step: int, seconds: float) -> Moment:
    """After so many steps, which took so many seconds.

    Without ``minutes`` it is a function of the step alone. With them it follows the clock: the warm-up still counts
    steps, the cosine and the rounding begin and end by the time used, whatever number of steps that makes.
    """
    if o.minutes is None:
        gone, whole = float(step), float(o.steps)
        done = (step - o.warmup) / max(1, o.steps - o.warmup)
    else:
        gone, whole = seconds, 60 * o.minutes
        done = gone / whole
    if step < o.warmup:
        rate = o.rate * (step + 1) / o.warmup
    else:
        rate = o.rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
    return Moment(rate, gone >= o.rounding_from * whole, min(1.0, gone / whole))
