"""Distributions as strictly increasing integer functions, and the range coder they are coded with."""

from arcomp.coding.decided import DecisionDecoder, DecisionEncoder
from arcomp.coding.distribution import DIGIT_BITS, TOTAL_BITS, Distribution, digit_widths
from arcomp.coding.mixture import LogisticMixture
from arcomp.coding.stream import Decoder, Encoder, sample
from arcomp.coding.table import FrequencyTable

__all__ = [
    "DIGIT_BITS",
    "TOTAL_BITS",
    "DecisionDecoder",
    "DecisionEncoder",
    "Decoder",
    "Distribution",
    "Encoder",
    "FrequencyTable",
    "LogisticMixture",
    "digit_widths",
    "sample",
]
