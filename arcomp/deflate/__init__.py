"""Deflate streams (RFC 1951) as their content and few bytes of corrections.

An encoder's choices are predicted by the rules of the encoders that there are; only where it chose otherwise something
is coded (docs/deflate.md). This is the idea of preflate and precomp.
"""

from arcomp.deflate.search import DeflateError
from arcomp.deflate.stream import Prediction, Predictor, begin, predict, restore

__all__ = ["DeflateError", "Prediction", "Predictor", "begin", "predict", "restore"]
