"""Quantisation: which integers stand for which real activations.

A layer's float evaluation clamps its outputs to the range its integers can hold, from the first training
step on, so that freezing meets no surprises (:func:`arcomp.layers.float.rounding.carry`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Quantisation:
    """real = (integer - zero) * 2**-bits, integers in low..high.

    One with zero == low starts at the real number 0: clamping to it is the rectifier.
    """

    bits: int
    zero: int
    low: int
    high: int

    @property
    def step(self) -> float:
        """Distance of neighbouring real values."""
        return float(2.0**-self.bits)

    @property
    def largest(self) -> int:
        """The largest absolute value of its integers."""
        return max(abs(self.low), abs(self.high))

    @property
    def dtype(self) -> type[np.signedinteger[Any]]:
        """Of arrays of its integers."""
        return np.int8 if self.largest <= 128 else np.int16


SIGNED8 = Quantisation(bits=5, zero=0, low=-128, high=127)
"""int8 around zero: real -4 .. 3.97 in steps of 1/32."""
RECTIFIED8 = Quantisation(bits=5, zero=-128, low=-128, high=127)
"""int8 that starts at real 0 (rectifier): real 0 .. 7.97 in steps of 1/32."""
UNIT8 = Quantisation(bits=7, zero=0, low=-127, high=127)
"""int8 for what lies between -1 and 1, in steps of 1/128."""
LOGITS = Quantisation(bits=8, zero=0, low=-32768, high=32767)
"""int16 for what a distribution is made of: real -128 .. 127.996 in steps of 1/256."""
