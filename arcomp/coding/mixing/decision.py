"""The kernels of one decision: find its counters, predict, learn.

What a decision works with is passed on as vectors of WORDS, a lane for each table or set: they stay in registers, since
the shape is a constant of the record's type.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.mixing.mixer import CONSTANT, HALF, SUM_LIMIT, WEIGHT_BITS
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import (
    all_words,
    load_words,
    prefetch,
    shift_words,
    store_words,
    sum_of_words,
    with_word,
    word,
)

CHECK = 0x3FC0
"""A counter's check."""
COUNT = 63
MAP_LIMIT = 2047
_SLOW = 2000
"""Symbols after which the rate of the weights has come half the way to its last."""


@kernel(inner=True)
def learning_rate(mixer: Any, done: Any) -> Any:
    """Of the weights, when so many symbols are done."""
    return mixer.last_rate + (mixer.first_rate - mixer.last_rate) * _SLOW // (_SLOW + done)


@kernel(inline="always")
def fetch(mixer: Any, contexts: Any, offset: Any) -> None:
    """Have the counters of a decision to come fetched from memory; arguments as for :func:`find`."""
    counters = mixer.counters
    at = (contexts + all_words(np.int32(offset))) & all_words(np.int32(counters.shape[1] - 1))
    for j in range(mixer.tables):
        prefetch(counters, j, word(at, j))


@kernel(inline="always")
def find(mixer: Any, experts: Any, contexts: Any, checks: Any, offset: Any) -> Any:
    """What is known of a decision.

    Args:
        mixer: record of a :class:`arcomp.coding.mixing.Mixer`.
        experts: WORDS, the model's own predictions, 256 times logarithms of odds; other lanes 0.
        contexts: WORDS, a hash of each table's context, of at least as many bits as addresses.
        checks: WORDS, of each 0 .. 255, shifted left by 6, to tell contexts with equal addresses apart.
        offset: added to the contexts: what the decision is about.

    Returns:
        three WORDS: the mixer's inputs, the counters' addresses and the counters.
    """
    consts, counters = mixer.constants, mixer.counters
    at = (contexts + all_words(np.int32(offset))) & all_words(np.int32(counters.shape[1] - 1))
    x, found = experts, checks
    for j in range(mixer.tables):
        e = np.int64(counters[j, word(at, j)])
        check = word(checks, j)
        if (e & CHECK) != check:  # another context's: start anew
            e = HALF | check
        x = with_word(x, mixer.experts + j, (consts.stretch[e >> 20] * consts.confidence[e & COUNT]) >> 8)
        found = with_word(found, j, e)
    return with_word(x, mixer.experts + mixer.tables, CONSTANT), at, found


@kernel(inline="always")
def familiarity(mixer: Any, found: Any, tables: int) -> Any:
    """How often the first so many counters of a decision were updated: two bits for each."""
    classes = np.int64(0)
    for j in range(tables):
        classes = classes * 4 + mixer.constants.familiarity[word(found[2], j) & COUNT]
    return classes


@kernel(inline="always")
def predict(mixer: Any, found: Any, rows: Any) -> Any:
    """The probability of 1.

    Args:
        found: from :func:`find`. rows: WORDS, a row of ``weights`` for each set, then one of ``maps`` for each map.

    Returns:
        probability, 1 .. 65535; for :func:`learn`: that before maps, the mixed logarithm of odds.
    """
    weights, maps, sets = mixer.weights, mixer.maps, mixer.sets
    w = load_words(weights, word(rows, 0), 0)
    for s in range(1, sets):
        w = w + load_words(weights, word(rows, s), 0)
    d: Any = np.int64(sum_of_words(found[0] * w)) >> WEIGHT_BITS
    d = max(-SUM_LIMIT, min(SUM_LIMIT, d))
    mixed = np.int64(mixer.constants.squash[d + SUM_LIMIT + 1])
    if mixer.corrections == 0:
        return mixed, mixed, d
    at = min(MAP_LIMIT, max(-MAP_LIMIT - 1, d)) + MAP_LIMIT + 1
    i, f = at >> 7, at & 127
    total = mixer.corrections * (mixed + 1)
    for m in range(mixer.corrections):
        row = word(rows, sets + m)
        total += (maps[row, i] * (128 - f) + maps[row, i + 1] * f) >> 7
    return max(1, min(65535, total >> mixer.corrections)), mixed, d


@kernel(inline="always")
def learn(mixer: Any, found: Any, rows: Any, said: Any, bit: Any, rate: Any) -> None:
    """What was decided is known.

    Args:
        found, rows: as for :func:`predict`. said: what it returned. rate: from :func:`learning_rate`.
    """
    consts, counters, weights, maps, sets = mixer.constants, mixer.counters, mixer.weights, mixer.maps, mixer.sets
    x, at, known = found
    _, mixed, d = said
    position = min(MAP_LIMIT, max(-MAP_LIMIT - 1, d)) + MAP_LIMIT + 1
    i, f = position >> 7, position & 127
    for m in range(mixer.corrections):
        row, target = word(rows, sets + m), 65535 if bit else 0
        maps[row, i] += ((target - maps[row, i]) * (128 - f) + 4096) >> 13
        maps[row, i + 1] += ((target - maps[row, i + 1]) * f + 4096) >> 13
    half, down = all_words(np.int32(1 << 13)), all_words(np.int32(14))
    gradient = all_words(np.int32((((bit << 16) - mixed) * rate) >> 10))
    change = shift_words(gradient * x + half, down)
    for s in range(sets):
        row = word(rows, s)
        store_words(weights, row, 0, load_words(weights, row, 0) + change)
    target = 262143 if bit else 0
    for j in range(mixer.tables):
        e = word(known, j)
        seen, p = e & COUNT, e >> 14
        p += ((target - p) * consts.rate[seen]) >> 16
        counters[j, word(at, j)] = (p << 14) | (e & CHECK) | min(mixer.limit, seen + 1)
