"""What travels from a file to the coder and back: samples, what they mean, and the form of the file they came from.

A *sample* is one number of a picture, such as the red of a pixel. Readers (:mod:`arcomp.formats`) make
:class:`Samples`, the codec compresses them and gives them back, and writers make a file of them again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from arcomp.errors import ArcompError

Pixels = npt.NDArray[Any]
"""uint8 (depth up to 8) or uint16 [N, H, W, C]: N pictures of one size, channels interleaved."""
Colour = Literal["gray", "rgb", "palette", "bytes", "unknown"]
"""What the channels of a position are, alpha aside: one of gray, three of red, green and blue, one of indices into a
palette, one byte of a sequence, or any number of no known meaning."""

MAX_PIXELS = 1 << 30
"""Most pixels in a file: of all its pictures together."""
MAX_CHANNELS = 4
"""Most channels of a picture, alpha included; as a last axis, also a width that nobody has."""
MAX_DEPTH = 16
"""Most bits of a sample."""
MAX_ENTRIES = 1 << 16
"""Most entries of a palette; there may be more than samples have values."""
GIVE = "give bool or integers of 8 or 16 bits as [H, W], [H, W, C], [N, H, W] or [N, H, W, C] with up to 4 channels"

_DTYPES = {"bool": 1, "uint8": 8, "uint16": 16, "int8": 8, "int16": 16}
"""Types of arrays, and the bits of their samples."""


@dataclass(frozen=True)
class Bytes:
    """The form of any file that is taken as it is, one sample a byte: one picture of one row, [1, 1, length, 1]."""

    kind: ClassVar[str] = "bytes"


@dataclass(frozen=True)
class Array:
    """The form of an array of numpy.

    Attributes:
        dtype: "bool", "uint8", "uint16", "int8" or "int16"; samples of the last two are 2**7 or 2**15 more than the
            numbers of the array.
        images: whether it has an axis of pictures; without one there is one picture.
        channels: whether it has an axis of channels; without one there is one channel.
        name: in an .npz file; "" for an .npy file, or for an array that was in none.
    """

    kind: ClassVar[str] = "array"
    dtype: str
    images: bool
    channels: bool
    name: str = ""


@dataclass(frozen=True)
class Picture:
    """The form of a picture, or of several pictures."""

    kind: ClassVar[str] = "picture"


Form = Picture | Array | Bytes
"""What samples were made of."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Pictures, an array of pictures, or bytes.

    Models take less than this has room for: one stack, without alpha and palette. The codec refuses the rest.

    Attributes:
        stacks: the pictures in their sequence. A stack is uint8 (depth up to 8) or uint16 [N, H, W, C] and holds N
            pictures of one size; pictures of several sizes need several stacks. All have the same number of channels.
            They are made C-contiguous and of this machine's byte order; views and read-only arrays are taken. One in
            which all pixels are the same by its strides (`np.broadcast_to`) stays such a view, which takes no memory.
        depth: bits of a sample, 1 to 16. Of pictures of 1 bit, 0 is black and 1 is white.
        form: what they were made of.
        alpha: whether the last channel is opacity.
        palette: uint8 [entries, 3 or 4], RGB or RGBA: what the samples, then of one channel, are indices into. None
            for samples that are no indices.
        maximum: the sample that is white, or opaque, where it is not the largest of its bits: PNM files say so. 0 if
            pictures have different ones. It is not stored beside samples, but files that have it come back.

    Raises:
        ArcompError: on construction, for what is not as described.
    """

    stacks: tuple[Pixels, ...]
    depth: int
    form: Form = Picture()
    alpha: bool = False
    palette: npt.NDArray[np.uint8] | None = None
    maximum: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.stacks, (tuple, list)):
            raise ArcompError("samples are not a sequence of arrays", remedy="make them with Samples.of")
        stacks = tuple(_checked(stack, self.depth) for stack in self.stacks)
        if not stacks:
            raise ArcompError("there are no pixels to compress")
        channels = stacks[0].shape[3]
        if any(stack.shape[3] != channels for stack in stacks):
            raise ArcompError("pictures with different numbers of channels", remedy="compress each kind by itself")
        if not isinstance(self.form, Form):
            raise ArcompError("the form of samples is none", remedy="leave it out, or take it from other samples")
        if not isinstance(self.alpha, (bool, np.bool_)):
            raise ArcompError("alpha is True or False: whether the last channel is opacity")
        if self.palette is not None:
            _check_palette(self.palette, channels)
        if self.maximum is not None and not _is_integer(self.maximum, 0, (1 << self.depth) - 1):
            raise ArcompError(
                f"the maximum of samples of {self.depth} bits is an integer from 0 to {(1 << self.depth) - 1}, or None"
            )
        object.__setattr__(self, "stacks", stacks)

    @classmethod
    def of(cls, pixels: Pixels, depth: int = 8, *, form: Form = Picture()) -> Samples:
        """Of pictures of one size, uint8 or uint16 [N, H, W, C]."""
        return cls((pixels,), depth, form)

    @property
    def pixels(self) -> Pixels:
        """The pictures, where all are of one size: uint8 or uint16 [N, H, W, C].

        Raises:
            ArcompError: they are of several sizes.
        """
        if len(self.stacks) > 1:
            raise ArcompError("pictures of several sizes", remedy="compress each size by itself")
        return self.stacks[0]

    @property
    def array(self) -> Pixels:
        """The pictures as numpy's users have them: an array of the type and axes that it was made of; of a picture
        [H, W] if it is gray, else [H, W, C]; of several [N, H, W] or [N, H, W, C]; of bytes uint8 [length].

        Raises:
            ArcompError: the pictures are of several sizes.
        """
        pixels = self.pixels
        if isinstance(self.form, Bytes):
            return pixels.reshape(-1)
        if isinstance(self.form, Array):
            images, channels, dtype = self.form.images, self.form.channels, self.form.dtype
        else:
            images, channels, dtype = len(pixels) > 1, self.channels > 1, pixels.dtype.name
        pixels = pixels if images else pixels[0]
        pixels = np.ascontiguousarray(pixels if channels else pixels[..., 0])
        if dtype.startswith("int"):
            return _from_the_middle(pixels).view(dtype)
        return pixels.astype(dtype, copy=False)

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return sum(len(stack) for stack in self.stacks)

    @property
    def channels(self) -> int:
        """Samples of a position, alpha included."""
        return int(self.stacks[0].shape[3])

    @property
    def positions(self) -> int:
        """Pixels, or bytes."""
        return self.size // self.channels

    @property
    def size(self) -> int:
        """How many samples there are."""
        return sum(stack.size for stack in self.stacks)

    @property
    def colour(self) -> Colour:
        """What the channels are, alpha aside."""
        if isinstance(self.form, Bytes):
            return "bytes"
        if self.palette is not None:
            return "palette"
        meanings: dict[int, Colour] = {1: "gray", 3: "rgb"}
        return meanings.get(self.channels - self.alpha, "unknown")


def kind_of_channels(channels: int) -> str:
    """What pictures with so many channels are called: "gray", "RGB", "2 channels"."""
    return {1: "gray", 3: "RGB"}.get(channels, f"{channels} channels")


def in_colours(samples: Samples) -> Samples:
    """Pictures of indices as pictures of the colours that these stand for, without opacity where all of them are
    opaque; black for indices that the palette lacks. Others as they are."""
    palette = samples.palette
    if palette is None:
        return samples
    alpha = palette.shape[1] == 4 and bool((palette[:, 3] < 255).any())
    colours = np.zeros((max(len(palette), 1 << samples.depth), 3 + alpha), np.uint8)
    colours[: len(palette)] = palette[:, : 3 + alpha]
    stacks = tuple(colours[stack[..., 0]] for stack in samples.stacks)
    return replace(samples, stacks=stacks, depth=8, palette=None, alpha=alpha)


def _checked(stack: Pixels, depth: int) -> Pixels:
    """A stack that can be relied on: of native uint8 or uint16, C-contiguous, no sample too large.

    Raises:
        ArcompError: it is none.
    """
    if not isinstance(stack, np.ndarray):
        raise ArcompError("samples are no array of numpy", remedy="make one of them: uint8 or uint16 [N, H, W, C]")
    if stack.ndim != 4 or not stack.size:
        raise ArcompError("there are no pixels to compress")
    if not 1 <= stack.shape[3] <= MAX_CHANNELS:
        raise ArcompError(f"{stack.shape[3]} channels are not supported, only 1 to {MAX_CHANNELS}")
    if not _is_integer(depth, 1, MAX_DEPTH):
        raise ArcompError(f"{depth} bits a sample are not supported, only 1 to {MAX_DEPTH}")
    if stack.dtype.kind != "u" or (depth < 8 * stack.dtype.itemsize and int(stack.max()) >> depth):
        raise ArcompError(f"samples are not unsigned integers of {depth} bit{'s' if depth > 1 else ''}")
    dtype = np.uint8 if depth <= 8 else np.uint16
    if not any(stack.strides[:3]):
        return np.broadcast_to(np.ascontiguousarray(stack[:1, :1, :1], dtype), stack.shape)
    return np.ascontiguousarray(stack, dtype)


def _check_palette(palette: object, channels: int) -> None:
    """Refuse a palette that pictures of so many channels cannot have.

    Raises:
        ArcompError: it is none, or of another type or shape.
    """
    is_one = isinstance(palette, np.ndarray) and palette.dtype == np.uint8 and palette.ndim == 2
    shape: tuple[int, ...] = palette.shape if isinstance(palette, np.ndarray) else ()
    if not is_one or shape[1] not in (3, 4) or not 1 <= shape[0] <= MAX_ENTRIES or channels != 1:
        raise ArcompError(
            f"a palette is uint8 [entries, 3 or 4] of at most {MAX_ENTRIES} entries, for pictures of one channel"
        )


def _is_integer(value: object, least: int, most: int) -> bool:
    """Whether it is an integer of a range, of Python or NumPy."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and least <= int(value) <= most


def _from_the_middle(samples: Pixels) -> Pixels:
    """Unsigned samples of 8 or 16 bits as signed numbers, or the other way round: bit for bit, still unsigned."""
    turned: Pixels = samples ^ samples.dtype.type(1 << 8 * samples.dtype.itemsize - 1)
    return turned


def of_array(values: Pixels, *, name: str = "") -> Samples:
    """The pictures of an array: a last axis of up to 4 is one of channels, an axis before rows and columns one of
    pictures.

    Args:
        values: bool, uint8, uint16, int8 or int16, of any byte order and layout in memory: [H, W], [H, W, C],
            [N, H, W] or [N, H, W, C].
        name: in an .npz file.

    Raises:
        ArcompError: it is of another type or shape, or holds nothing.
    """
    dtype, shape = values.dtype.newbyteorder("=").name, values.shape
    images, channels = axes_of(dtype, shape)
    stack = values if images else values[None]
    stack = stack if channels else stack[..., None]
    if dtype == "bool":
        stack = stack.view(np.uint8)
    elif dtype.startswith("int"):
        stack = _from_the_middle(stack.astype(dtype, copy=False).view(f"u{dtype}"))
    return Samples.of(stack, _DTYPES[dtype], form=Array(dtype, images, channels, name))


def axes_of(dtype: str, shape: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether an array of a type, as numpy names it, and a shape has an axis of pictures, and one of channels.

    Raises:
        ArcompError: it is of another type or shape, or holds nothing.
    """
    if dtype not in _DTYPES:
        raise ArcompError(f"an array of {dtype[:40]} is not supported", remedy=GIVE)
    shown = str(list(shape))[:60]
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and shape[-1] > MAX_CHANNELS):
        raise ArcompError(f"an array of shape {shown} is not one of pictures", remedy=GIVE)
    if 0 in shape:
        raise ArcompError(f"an array of shape {shown} holds nothing", remedy="give one with samples in it")
    channels = len(shape) > 2 and shape[-1] <= MAX_CHANNELS
    return len(shape) - channels == 3, channels


def of_bytes(data: bytes | bytearray | memoryview) -> Samples:
    """Any file's bytes.

    Raises:
        ArcompError: there are none.
    """
    return Samples.of(np.frombuffer(data, np.uint8).reshape(1, 1, -1, 1), 8, form=Bytes())
