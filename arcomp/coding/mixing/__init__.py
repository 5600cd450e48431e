"""Logistic mixing: the engine of models that code binary decisions and learn from each one, in integers.

Mahoney 2005, "Adaptive weighing of context models for lossless data compression" (PAQ): several predictions of a
decision are taken to the logistic domain and summed with weights that contexts select; the weights follow the gradient
of the code length. Adaptive maps then correct the sum ("secondary symbol estimation").

A model declares a :class:`Shape`: how many predictions it makes itself (*experts*), how many contexts are counted, how
many rows each set of weights and each map has. For each decision it calls :func:`find` with its experts' predictions
and the hashed contexts, says which row of each set is used, and calls :func:`predict`; then it codes the decision
(:mod:`arcomp.coding.binary`), and calls :func:`learn`. What the decisions are about is the model's own matter.

Kernels are compiled for a shape, so that its loops are unrolled and a decision's numbers stay in registers.
"""

from __future__ import annotations

from arcomp.coding.mixing.decision import familiarity, fetch, find, learn, learning_rate, predict
from arcomp.coding.mixing.mixer import Int32, Mixer, even_weights, memory, new_mixer, renew
from arcomp.coding.mixing.shape import LANES, Shape

__all__ = [
    "LANES", "Int32", "Mixer", "Shape", "even_weights", "familiarity", "fetch", "find", "learn", "learning_rate",
    "memory", "new_mixer", "predict", "renew",
]  # fmt: skip
