"""Tokens of a stream, packed: one byte for a literal, three or four for a match."""

from __future__ import annotations

from typing import Any

from arcomp.deflate.layout import MIN_MATCH
from arcomp.deflate.loads import byte
from arcomp.exact.compiled import kernel

_LONG, _LONGER = 255, 257
"""What the first byte of a long match is, and the length that its second byte is counted from."""


@kernel(inner=True)
def token_at(tokens: Any, t: Any) -> Any:
    """The token at a place: length * 65536 + distance, 0 for a literal."""
    first = byte(tokens, t)
    if first == 0:
        return 0
    length = first + MIN_MATCH - 1
    if first == _LONG:
        length = _LONGER + byte(tokens, t + 1)
        t += 1
    return length << 16 | (byte(tokens, t + 1) | byte(tokens, t + 2) << 8) + 1


@kernel(inner=True)
def token_bytes(token: Any) -> Any:
    """How many bytes a token takes."""
    return (4 if token >= _LONGER << 16 else 3) if token else 1


@kernel(inner=True)
def put_token(tokens: Any, t: Any, token: Any) -> Any:
    """Put a token to a place; returns the place after it."""
    if token == 0:
        tokens[t] = 0
        return t + 1
    length, distance = token >> 16, (token & 0xFFFF) - 1
    tokens[t] = min(length - MIN_MATCH + 1, _LONG)
    if length >= _LONGER:
        t += 1
        tokens[t] = length - _LONGER
    tokens[t + 1], tokens[t + 2] = distance & 255, distance >> 8
    return t + 3
