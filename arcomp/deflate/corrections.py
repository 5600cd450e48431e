"""What is coded where a stream is not as expected: decisions, numbers, tokens and distances.

Each decision has a context with an adaptive probability. Encoding and decoding are the same function: given the value,
it is written; else the value that is passed does not matter, and the one that was written is returned.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding.binary import AT, END, decode_bit, encode_bit
from arcomp.deflate.layout import (
    DECODE,
    FAILED,
    HISTORY,
    INDEX_CHAIN,
    INDEX_HEAD,
    INDEXED,
    MAX_MATCH,
    MIN_MATCH,
    ODD_MATCH,
    OVERFLOW,
    PHASE,
    TOKEN,
    WALKED,
    WINDOW,
)  # fmt: skip
from arcomp.deflate.loads import byte
from arcomp.deflate.matching import before, chain, match_length
from arcomp.exact.compiled import kernel

ADAPTATION = np.array([2 * 65536 // (2 * n + 3) for n in range(256)], np.int64)
"""Of a probability, in 2**-16, after so many decisions."""
NUMBER = 128
"""Contexts of a number."""
LONGEST_NUMBER = 40
"""Bits of a number, less one."""
WALK = 2048
"""Candidates that are looked at to find a distance."""
CLASSES = np.array([0, 0, 0, 1, 2, 3, 3] + [4] * 4 + [5] * 10 + [6] * 44 + [7] * 193 + [8, 8], np.int32)
"""Of the length of a match; 0 for none."""

# Contexts: where each kind of decision begins in Machine.models.
BLOCK_STORED, BLOCK_EXPLICIT, BLOCK_AGAIN, BLOCK_DIRTY, BLOCK_LAST, BLOCK_FIXED, BLOCK_PAD, BLOCK_FORGETS = (
    0, 4, 8, 12, 16, 20, 24, 28,
)  # fmt: skip
TREES_AS_EXPECTED, SIZES_AS_EXPECTED, SYMBOLS_AS_EXPECTED, ORDER_AS_EXPECTED, SYMBOL_KIND = 32, 33, 34, 35, 36
SAME_LENGTH, OTHER_LENGTH = 64, 128
WRONG, LITERAL, EQUAL, SHORTER, SAME_DISTANCE, FAR = 640, 720, 736, 752, 768, 784
BLOCK_LENGTH = 800
LENGTHS = BLOCK_LENGTH + NUMBER
HOPS = LENGTHS + 3 * NUMBER
MODELS = HOPS + 4 * NUMBER


@kernel(inner=True)
def code_bit(m: Any, context: Any, bit: Any) -> Any:
    """Code a decision."""
    models, coder, numbers = m.models, m.coder, m.numbers
    state = models[context]
    p, seen = state >> 8, state & 255
    chance = max(p >> 6, 1)
    if numbers[PHASE] == DECODE:
        bit = decode_bit(coder, chance)
    elif coder.state[AT] + np.uint64(2) < np.uint64(coder.words.shape[0]):
        encode_bit(coder, bit, chance)
    else:
        numbers[OVERFLOW] = 1
    p += (((1 << 22) - p) * ADAPTATION[seen]) >> 16 if bit else -((p * ADAPTATION[seen]) >> 16)
    models[context] = p << 8 | min(seen + 1, 255)
    return bit


@kernel(inner=True)
def code_evenly(m: Any, value: Any, bits: Any) -> Any:
    """Code a number of so many bits, the highest first, each of them with even chances."""
    numbers, coder, result = m.numbers, m.coder, 0
    for k in range(bits - 1, -1, -1):
        bit = (value >> k) & 1
        if numbers[PHASE] == DECODE:
            bit = decode_bit(coder, 1 << 15)
        elif coder.state[AT] + np.uint64(2) < np.uint64(coder.words.shape[0]):
            encode_bit(coder, bit, 1 << 15)
        else:
            numbers[OVERFLOW] = 1
        result = 2 * result + bit
    return result


@kernel(inner=True)
def code_number(m: Any, context: Any, value: Any) -> Any:
    """Code a number from 0 on: how many bits value + 1 has, then these bits, the first three of them in contexts."""
    value += 1
    bits = 0
    while bits < LONGEST_NUMBER and code_bit(m, context + bits, int(value >> (bits + 1) > 0)):
        bits += 1
    result, node = 1, 1
    lower = context + LONGEST_NUMBER + 8 * bits if bits < 10 else context + LONGEST_NUMBER + 80
    for k in range(bits - 1, -1, -1):
        if bits - 1 - k < 3:
            bit = code_bit(m, lower + node, (value >> k) & 1)
            node = 2 * node + bit
        else:
            bit = code_evenly(m, (value >> k) & 1, 1)
        result = 2 * result + bit
    return result - 1


@kernel(inner=True)
def exhausted(m: Any) -> Any:
    """Whether more has been read than there was."""
    return m.numbers[PHASE] == DECODE and m.coder.state[AT] > m.coder.state[END] + np.uint64(4)


@kernel(inner=True)
def _index(m: Any, p: Any) -> Any:
    """Chain all positions before p by their first three bytes; returns the nearest candidate for p, or -1."""
    data, key = m.data, 0
    for i in range(m.numbers[INDEXED], p + 1):
        key = byte(data, i) | byte(data, i + 1) << 8 | byte(data, i + 2) << 16
        key = ((key * 0x9E3779B1) & 0xFFFFFFFF) >> 16
        if i < p:
            chain(m.heads, INDEX_HEAD + key, m.chains, INDEX_CHAIN, i)
    m.numbers[INDEXED] = p
    return m.heads[INDEX_HEAD + key]


@kernel(inner=True)
def _walk(m: Any, p: Any, length: Any, other: Any, hops: Any, distance: Any) -> Any:
    """Follow the candidates for a match of so many bytes, but for one at the distance ``other``.

    With ``hops`` >= 0: the distance of the one after so many; else how many are nearer than ``distance``. -1 if it is
    not found, or takes too long.
    """
    data, numbers = m.data, m.numbers
    current, seen, count = _index(m, p), 0, 0
    work = numbers[WALKED] if hops >= 0 else min(numbers[WALKED], numbers[FAILED])
    left = work
    found = -1
    while current >= 0 and p - current <= WINDOW and seen < WALK and left > 0:
        seen += 1
        here = p - current
        if here != other:
            if data[current + length - 1] == data[p + length - 1]:
                n = match_length(data, current, p, length)
                left -= n
                if n == length:
                    if count == hops or here == distance:
                        found = here if hops >= 0 else count
                        break
                    count += 1
            elif here == distance:
                break
        left -= 1
        current = before(m.chains, INDEX_CHAIN, current)
    numbers[WALKED if found >= 0 else FAILED] -= work - left
    return found


@kernel(inner=True)
def _code_distance(m: Any, context: Any, p: Any, length: Any, other: Any, distance: Any) -> Any:
    """Code a distance: how many nearer ones there are, or 15 bits. Returns -1 if there is no such match."""
    numbers = m.numbers
    decoding = numbers[PHASE] == DECODE
    hops = -1 if decoding else _walk(m, p, length, other, -1, distance)
    if code_bit(m, FAR + context, int(hops < 0)):
        distance = code_evenly(m, distance - 1, 15) + 1
        if distance > p or match_length(m.data, p - distance, p, length) < length:
            return -1
        return distance
    hops = code_number(m, HOPS + context * NUMBER, hops)
    return _walk(m, p, length, other, hops, 0) if decoding else distance


@kernel(inner=True)
def code_token(m: Any, p: Any, expected: Any, actual: Any, end: Any) -> Any:
    """Code what token there is where another was expected. Returns it, or -1 if there is none."""
    length, distance, kind = actual >> 16, actual & 0xFFFF, CLASSES[expected >> 16]
    likely, near = expected >> 16, expected & 0xFFFF
    if likely and code_bit(m, LITERAL + kind, int(actual == 0)):
        return 0
    context = 3
    if likely and code_bit(m, EQUAL + kind, int(length == likely)):
        length, context = likely, 0
    elif likely:
        shorter = code_bit(m, SHORTER + kind, int(length < likely))
        context = 1 if shorter else 2
        apart = likely - length - 1 if shorter else length - likely - 1
        apart = code_number(m, LENGTHS + shorter * NUMBER, apart)
        length = likely - apart - 1 if shorter else likely + apart + 1
    else:
        length = code_number(m, LENGTHS + 2 * NUMBER, length - MIN_MATCH) + MIN_MATCH
    bytes_ = min(length, MAX_MATCH)
    if length < MIN_MATCH or length > ODD_MATCH or bytes_ > end - p:
        return -1
    if context == 1 and code_bit(m, SAME_DISTANCE + kind, int(distance == near)):
        return length << 16 | near
    distance = _code_distance(m, context, p, bytes_, 0 if context == 2 else near, distance)
    return length << 16 | distance if distance > 0 else -1


@kernel(apart=True)
def check(m: Any, p: Any, expected: Any, actual: Any, end: Any) -> None:
    """Code whether a token is as expected, and what it is if not. TOKEN is that, or -1 if there is none."""
    numbers = m.numbers
    history = numbers[HISTORY]
    wrong = code_bit(m, WRONG + 8 * CLASSES[expected >> 16] + history, int(actual != expected))
    numbers[HISTORY] = (2 * history + wrong) & 7
    token = code_token(m, p, expected, actual, end) if wrong else expected
    numbers[TOKEN] = -1 if exhausted(m) else token
