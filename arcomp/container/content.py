"""The content field: what the samples of a file were made of, where that is not a picture."""

from __future__ import annotations

from arcomp.errors import FormatError
from arcomp.samples import Array, Bytes, Form, Picture

_DAMAGED = FormatError("the header is damaged: its content field is not understood", remedy="get a fresh copy")
NAME_LIMIT = 255
"""Most bytes of an array's name."""

_BYTES, _ARRAY = 1, 2
"""First byte of the field."""


def encode_content(form: Array | Bytes) -> bytes:
    """The value of the field; the form is one that :func:`check_content` allows."""
    if isinstance(form, Bytes):
        return bytes([_BYTES])
    flags = (form.dtype == "bool") | form.images << 1 | form.channels << 2
    return bytes([_ARRAY, flags]) + form.name.encode()


def decode_content(value: bytes) -> Form:
    """What a field says; a picture for a kind that is not known here.

    Raises:
        FormatError: not a value of a kind that is known.
    """
    kind, rest = value[0], value[1:]
    if kind == _BYTES:
        if rest:
            raise _DAMAGED
        return Bytes()
    if kind != _ARRAY:
        return Picture()
    if not rest or rest[0] > 7:
        raise _DAMAGED
    try:
        name = rest[1:].decode()
    except UnicodeDecodeError:
        raise _DAMAGED from None
    return Array("bool" if rest[0] & 1 else "uint8", bool(rest[0] & 2), bool(rest[0] & 4), name)


def check_content(form: Form, shape: tuple[int, ...], depth: int) -> None:
    """Refuse a form that samples of a shape [N, H, W, C] and a depth cannot have, or that the field cannot hold.

    Raises:
        FormatError: they cannot, or it cannot.
    """
    images, height, _, channels = shape
    wrong = False
    if isinstance(form, Bytes):
        wrong = (images, height, channels, depth) != (1, 1, 1, 8)
    elif isinstance(form, Array):
        _check_array(form)
        wrong = not form.images and images > 1
        wrong |= (not form.channels and channels > 1) or depth > (1 if form.dtype == "bool" else 8)
    if wrong:
        raise FormatError(f"samples of shape {list(shape)} and {depth} bits are not the content that is claimed")


def _check_array(form: Array) -> None:
    if form.dtype not in ("bool", "uint8"):
        raise FormatError(f"an array of {form.dtype} cannot be stored in a file yet", remedy="give uint8 or bool")
    try:
        size = len(form.name.encode())
    except UnicodeEncodeError:
        raise FormatError("an array's name must be text") from None
    if size > NAME_LIMIT:
        raise FormatError(f"an array's name has {size} bytes, the limit is {NAME_LIMIT}")
