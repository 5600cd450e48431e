"""The content field: what the samples of a file were made of, where that is not a picture."""

from __future__ import annotations

from arcomp.errors import FormatError
from arcomp.samples import GIVE, Array, Bytes, Form, Picture

_DAMAGED = FormatError("the header is damaged: its content field is not understood", remedy="get a fresh copy")
NAME_LIMIT = 255
"""Most bytes of an array's name."""
DTYPES = ("uint8", "bool", "uint16", "int8", "int16")
"""Types of arrays, by their number in the field."""
_DEPTHS = {"uint8": 8, "bool": 1, "uint16": 16, "int8": 8, "int16": 16}

_BYTES, _ARRAY = 1, 2
"""First byte of the field."""
_IMAGES, _CHANNELS = 1, 2
_AXES = 16
"""Second byte of an array's field: its type, and this times its axes."""


def encode_content(form: Array | Bytes) -> bytes:
    """The value of the field; the form is one that :func:`check_content` allows."""
    if isinstance(form, Bytes):
        return bytes([_BYTES])
    axes = _IMAGES * form.images | _CHANNELS * form.channels
    return bytes([_ARRAY, DTYPES.index(form.dtype) + _AXES * axes]) + form.name.encode()


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
    axes, dtype = divmod(rest[0], _AXES) if rest else (0, len(DTYPES))
    if dtype >= len(DTYPES) or axes > (_IMAGES | _CHANNELS):
        raise _DAMAGED
    try:
        name = rest[1:].decode()
    except UnicodeDecodeError:
        raise _DAMAGED from None
    return Array(DTYPES[dtype], bool(axes & _IMAGES), bool(axes & _CHANNELS), name)


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
        wrong |= (not form.channels and channels > 1) or depth > _DEPTHS[form.dtype]
        wrong |= form.dtype.startswith("int") and depth < _DEPTHS[form.dtype]
    if wrong:
        raise FormatError(f"samples of shape {list(shape)} and {depth} bits are not the content that is claimed")


def _check_array(form: Array) -> None:
    if form.dtype not in DTYPES:
        raise FormatError(f"an array of {form.dtype} cannot be stored in a file", remedy=GIVE)
    try:
        size = len(form.name.encode())
    except UnicodeEncodeError:
        raise FormatError("an array's name must be text") from None
    if size > NAME_LIMIT:
        raise FormatError(f"an array's name has {size} bytes, the limit is {NAME_LIMIT}")
