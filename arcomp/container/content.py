"""What the samples of a file were made of, where that is not a picture: the content field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from arcomp.errors import FormatError

_DAMAGED = FormatError("the header is damaged: its content field is not understood", remedy="get a fresh copy")
NAME_LIMIT = 255
"""Most bytes of an array's name."""


@dataclass(frozen=True)
class Bytes:
    """Any file, one sample a byte: one image of one row."""

    kind: ClassVar[int] = 1


@dataclass(frozen=True)
class Array:
    """An array of numpy.

    Attributes:
        boolean: whether it is of bool; else of uint8.
        images: whether it has an axis of images; without one there is one image.
        channels: whether it has an axis of channels; without one there is one channel.
        name: in an .npz file; "" for an .npy file.

    Raises:
        FormatError: on construction, for a name that is too long.
    """

    kind: ClassVar[int] = 2
    boolean: bool
    images: bool
    channels: bool
    name: str = ""

    def __post_init__(self) -> None:
        try:
            size = len(self.name.encode())
        except UnicodeEncodeError:
            raise FormatError("an array's name must be text") from None
        if size > NAME_LIMIT:
            raise FormatError(f"an array's name has {size} bytes, the limit is {NAME_LIMIT}")


Content = Bytes | Array | None
"""None: a picture, or pictures of one size."""


def encode_content(content: Bytes | Array) -> bytes:
    """The value of the field."""
    if isinstance(content, Bytes):
        return bytes([content.kind])
    flags = content.boolean | content.images << 1 | content.channels << 2
    return bytes([content.kind, flags]) + content.name.encode()


def decode_content(value: bytes) -> Content:
    """What a field says; None for a kind that is not known here, as for a picture.

    Raises:
        FormatError: not a value of a kind that is known.
    """
    kind, rest = value[0], value[1:]
    if kind == Bytes.kind:
        if rest:
            raise _DAMAGED
        return Bytes()
    if kind != Array.kind:
        return None
    if not rest or rest[0] > 7:
        raise _DAMAGED
    try:
        name = rest[1:].decode()
    except UnicodeDecodeError:
        raise _DAMAGED from None
    return Array(bool(rest[0] & 1), bool(rest[0] & 2), bool(rest[0] & 4), name)


def check_content(content: Content, shape: tuple[int, int, int, int], depth: int) -> None:
    """Refuse a content that samples of a shape [N, H, W, C] and a depth cannot be.

    Raises:
        FormatError: they cannot.
    """
    images, height, _, channels = shape
    wrong = False
    if isinstance(content, Bytes):
        wrong = (images, height, channels, depth) != (1, 1, 1, 8)
    elif isinstance(content, Array):
        wrong = not content.images and images > 1
        wrong |= (not content.channels and channels > 1) or depth > (1 if content.boolean else 8)
    if wrong:
        raise FormatError(f"samples of shape {list(shape)} and {depth} bits are not the content that is claimed")
