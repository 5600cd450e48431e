"""A model's weights in a file: a section after a member, or at the beginning of an archive."""

from __future__ import annotations

from arcomp.container.fields import Cursor
from arcomp.container.layout import TAG_DIGEST, TAG_PACKED, WEIGHTS, alone, packed_section, weights_length
from arcomp.container.packing import unsqueeze
from arcomp.errors import FormatError

MAX_WEIGHTS_BYTES = 64 << 20
"""Most bytes of a file of weights."""


def weights_section(weights: bytes, digest: bytes) -> bytes:
    """A section.

    Args:
        weights: a file of weights (safetensors). digest: 32 bytes, of the weights.

    Raises:
        FormatError: they are more than a file may hold.
    """
    if len(weights) > MAX_WEIGHTS_BYTES:
        raise FormatError(f"{len(weights)} bytes of weights, the limit is {MAX_WEIGHTS_BYTES}")
    return packed_section(weights, WEIGHTS, fields=[(TAG_DIGEST, digest)])


def digest_of(section: bytes | memoryview) -> bytes:
    """The digest that a section claims: which weights it holds.

    Raises:
        FormatError: it is damaged.
    """
    view = memoryview(section)
    weights_length(view, 0, stream=False)
    return bytes(alone(view, 0)[2][TAG_DIGEST])


def weights_of(section: bytes | memoryview) -> bytes:
    """The file of weights in a section.

    Raises:
        FormatError: it is damaged.
    """
    view = memoryview(section)
    end = weights_length(view, 0)
    begin, _, values = alone(view, 0)
    cursor = Cursor(values[TAG_PACKED], "packed")
    method, length = cursor.number(), cursor.number(1, MAX_WEIGHTS_BYTES)
    cursor.end()
    return bytes(unsqueeze(method, view[begin:end], length))
