"""A member: what a compressed file says about the file it was made of, its pictures and how they were coded.

A :class:`Member` that exists is valid: every limit of docs/format.md is checked when it is made, whether it comes from
a file or from a caller, and before any memory is taken for what it claims.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coefficients import MAX_COMPONENTS, MAX_SIDE
from arcomp.container.content import check_content
from arcomp.errors import FormatError
from arcomp.form import Skeleton
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, MAX_ENTRIES, MAX_PIXELS, Form, Picture
from arcomp.transforms import Node, coded_leaves

MAX_TILES = 1 << 20
"""Most streams in a file."""
MAX_SIDE_BYTES = 16 << 20
"""Most bytes of a part's side information."""
MAX_STACKS = 1 << 16
"""Most stacks of pictures in a file."""
MAX_JPEGS = 1 << 16
"""Most JPEGs in a file."""
MAX_NAME_BYTES = 4096
"""Most bytes of a file's name, folders included."""
TOP = "/"
"""The name of the folder that all others of an archive are in."""
DIGEST_BYTES = 8
"""Bytes of a model's digest that a file carries: the first of the SHA-256."""
HASH_BYTES, SHORT_HASH_BYTES, SHORT_FILE = 32, 8, 1 << 12
"""Of an original's SHA-256, what is stored: all, or its first bytes for files of fewer bytes than the last. Those are
often smaller than all that must be said of them, and eight bytes tell of any accident."""
"""Bytes of a file's SHA-256."""

_AT_ONCE = 1 << 22
"""Samples, at least, of which a checksum is computed at once."""
_TIMES = 10**9 << 63
"""Nanoseconds that systems count at most, before and after 1970: in seconds, of 64 bits."""
_MODEL_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def hash_bytes(length: int) -> int:
    """How many bytes are stored of the SHA-256 of a file of so many bytes."""
    return SHORT_HASH_BYTES if length < SHORT_FILE else HASH_BYTES


@dataclass(frozen=True)
class Original:
    """The file that was compressed.

    Attributes:
        length: in bytes. sha256: of its bytes, as much as is stored (:func:`hash_bytes`).
        name: of the file, or its path in an archive, relative and with `/` between its parts; "" if it had none. One
            that ends in `/` is a folder's.
        modified: when it was changed, in nanoseconds since 1970, of any second of 64 bits; None if not known.
        mode: its permissions as of POSIX, 0 to 0o7777; None if not known.
    """

    length: int
    sha256: bytes
    name: str = ""
    modified: int | None = None
    mode: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.length < 1 << 63 or len(self.sha256) not in (HASH_BYTES, hash_bytes(self.length)):
            raise FormatError("the original's length or hash is impossible")
        object.__setattr__(self, "sha256", self.sha256[: hash_bytes(self.length)])
        if not -_TIMES <= (self.modified or 0) < _TIMES or not 0 <= (self.mode or 0) <= 0o7777:
            raise FormatError("the original's time or mode is impossible")
        try:
            size = len(self.name.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            size = MAX_NAME_BYTES + 1
        parts = self.name.removesuffix("/").split("/") if self.name not in ("", TOP) else []
        if size > MAX_NAME_BYTES or "\0" in self.name or {"", ".", ".."} & set(parts):
            raise FormatError("the original's name is impossible")
        if self.is_folder and self.length:
            raise FormatError("a folder that has a length")

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder: nothing but its name, time and mode."""
        return self.name.endswith("/")


@dataclass(frozen=True)
class Geometry:
    """The pictures.

    Attributes:
        stacks: (how many, height, width) of each stack.
        channels: samples of a pixel, 1 to 4. depth: bits of a sample, 1 to 16.
        alpha: whether the last channel is opacity.
        palette: uint8 [entries, 3 or 4], or None.
    """

    stacks: tuple[tuple[int, int, int], ...]
    channels: int
    depth: int
    alpha: bool = False
    palette: npt.NDArray[np.uint8] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.stacks) <= MAX_STACKS:
            raise FormatError(f"{len(self.stacks)} sizes of pictures, only 1 to {MAX_STACKS} are possible")
        for stack in self.stacks:
            for what, side in zip(("images", "height", "width"), stack, strict=True):
                if not 1 <= side < 1 << 32:
                    raise FormatError(f"the geometry is impossible: {what} is {side}")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise FormatError(f"{self.channels} channels are not supported, only 1 to {MAX_CHANNELS}")
        if not 1 <= self.depth <= MAX_DEPTH:
            raise FormatError(f"{self.depth} bits a sample are not supported, only 1 to {MAX_DEPTH}")
        pixels = sum(math.prod(stack) for stack in self.stacks)
        if pixels > MAX_PIXELS:
            size = " and ".join(" x ".join(map(str, stack)) for stack in self.stacks[:3])
            raise FormatError(
                f"{size} is {pixels} pixels, the limit is {MAX_PIXELS}", remedy="cut it into smaller pictures"
            )
        if self.palette is not None and (
            self.channels != 1 or self.palette.ndim != 2 or self.palette.shape[1] not in (3, 4)
            or not 1 <= len(self.palette) <= MAX_ENTRIES
        ):  # fmt: skip
            raise FormatError("the palette is not one of these pictures")


@dataclass(frozen=True)
class ModelId:
    """A model: its name, 1 to 64 characters of a-z, 0-9, `_` and `-`; the first bytes of its weights' digest."""

    name: str
    digest: bytes

    def __post_init__(self) -> None:
        if _MODEL_NAME.fullmatch(self.name) is None:
            raise FormatError(f"a model's name must be 1 to 64 of a-z 0-9 _ -, not {self.name[:80]!r}")
        if len(self.digest) != DIGEST_BYTES:
            raise FormatError(f"a model's digest must be {DIGEST_BYTES} bytes, not {len(self.digest)}")


@dataclass(frozen=True)
class Part:
    """A leaf of a transform, as a model coded it.

    Attributes:
        tile: (height, width) of the tiles, which are coded independently; (0, 0): each picture is one tile.
        binary_samples: whether samples, of 1 bit, are coded as binary decisions, not as digits.
        streams: the coded bytes; a model that learns has one for each tile.
        side: bytes that the model needs before it can decode; empty if none.
    """

    tile: tuple[int, int]
    streams: tuple[bytes | memoryview, ...]
    side: bytes | memoryview = b""
    binary_samples: bool = False

    def __post_init__(self) -> None:
        height, width = self.tile
        if not (0 <= height < 1 << 32 and 0 <= width < 1 << 32) or (height == 0) != (width == 0):
            raise FormatError(f"the tile size is impossible: {height} x {width}")
        if len(self.side) > MAX_SIDE_BYTES:
            raise FormatError(f"{len(self.side)} bytes of side information, the limit is {MAX_SIDE_BYTES}")
        if not 1 <= len(self.streams) <= MAX_TILES:
            raise FormatError(f"{len(self.streams)} streams of one part, the limit is {MAX_TILES}")


@dataclass(frozen=True)
class CodedJpeg:
    """The coefficients of a JPEG, as a model coded them.

    Attributes:
        width, height: in pixels, as far as there are coefficients. components: 1 to 4. What else must be known to
            decode them is said by the JPEG's own headers, in the skeleton.
        streams: the coded bytes.
    """

    width: int
    height: int
    components: int
    streams: tuple[bytes | memoryview, ...]

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise FormatError(f"the geometry is impossible: a JPEG of {self.width} x {self.height}")
        if not 1 <= self.components <= MAX_COMPONENTS:
            raise FormatError(f"a JPEG of {self.components} components, only 1 to {MAX_COMPONENTS} are possible")
        if not 1 <= len(self.streams) <= MAX_TILES:
            raise FormatError(f"{len(self.streams)} streams of one JPEG, the limit is {MAX_TILES}")


@dataclass(frozen=True)
class Member:
    """A compressed file.

    Attributes:
        geometry: the pictures; None if there are none, or none but JPEGs.
        form: what the samples were made of, for programs that ask for them.
        trees: how each stack is made of parts. parts: what the trees' leaves name, tree by tree.
        models: what coded them; a leaf of a tree says which.
        samples_crc: CRC-32 of the samples, stack after stack, see :func:`samples_checksum`.
        original: the file that was compressed; None for samples that came from none.
        skeleton: how that file is made of the samples; None: it is they, one byte each, or there is no file.
        jpegs: those that the skeleton is made of, coded by the model of that number among `models`.
        stored: bytes of the streams that it was read from; None: it was made here.
        weights: sections of weights that its file holds, see :mod:`arcomp.container.embedded`.
    """

    geometry: Geometry | None
    trees: tuple[Node, ...] = ()
    parts: tuple[Part, ...] = ()
    models: tuple[ModelId, ...] = ()
    form: Form = Picture()
    samples_crc: int = 0
    original: Original | None = None
    skeleton: Skeleton | None = None
    jpegs: tuple[CodedJpeg, ...] = ()
    jpeg_model: int = 0
    stored: int | None = field(default=None, compare=False, repr=False)
    weights: tuple[bytes | memoryview, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        stacks = self.geometry.stacks if self.geometry else ()
        leaves = [node for tree in self.trees for node in coded_leaves(tree)]
        if len(self.trees) != len(stacks) or len(self.parts) != len(leaves):
            raise FormatError("not every picture has its parts")
        if self.geometry is None and (self.skeleton is None or self.original is None):
            raise FormatError("there is nothing in it")
        if self.geometry is not None and self.original is not None and self.original.is_folder:
            raise FormatError("pictures of a folder")
        if self.skeleton is not None and self.original is None:
            raise FormatError("the form of a file that there is not")
        if not 0 <= self.samples_crc < 1 << 32:
            raise FormatError(f"a checksum must fit in 32 bits, not {self.samples_crc}")
        if self.jpegs and (self.skeleton is None or len(self.jpegs) > MAX_JPEGS or self.jpeg_model >= len(self.models)):
            raise FormatError("JPEGs that are no part of a file, too many, or coded by no model")
        if self.stream_count > MAX_TILES:
            raise FormatError(f"more than {MAX_TILES} streams", remedy="choose larger tiles or fewer images")
        for node in leaves:
            if node.model >= len(self.models):
                raise FormatError(f"a part of the picture names model {node.model} of {len(self.models)}")
        if self.geometry:
            shape = (stacks[0][0], *stacks[0][1:], self.geometry.channels)
            check_content(self.form, shape, self.geometry.depth)

    @property
    def coded_bytes(self) -> int:
        """Bytes that models have made, in all streams."""
        of_parts = sum(len(stream) for part in self.parts for stream in (part.side, *part.streams))
        return of_parts + sum(len(stream) for one in self.jpegs for stream in one.streams)

    @property
    def stream_count(self) -> int:
        """How many streams models have made, without side information."""
        return sum(len(part.streams) for part in self.parts) + sum(len(one.streams) for one in self.jpegs)


def _some_at_a_time(stack: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Pictures, or rows of one, in their sequence: many small ones together, as a large one may be all one constant
    in memory."""
    step = max(1, _AT_ONCE // max(1, stack[:1].size))
    rows = max(1, _AT_ONCE // max(1, stack[:1, :1].size))
    for first in range(0, len(stack), step):
        pictures = stack[first : first + step]
        if step > 1 or rows >= stack.shape[1]:
            yield pictures
        else:
            yield from (pictures[:, top : top + rows] for top in range(0, stack.shape[1], rows))


def samples_checksum(stacks: tuple[npt.NDArray[Any], ...], depth: int) -> int:
    """CRC-32 of decoded samples.

    Args:
        stacks: of unsigned or signed integers [N, H, W, C]; any memory layout.
        depth: bits a sample, 1 to 16; up to 8 a sample counts as one byte, above as two, low byte first.

    Returns:
        The checksum, 0 to 2**32 - 1, of all stacks' samples in row-major order, channels interleaved.

    Raises:
        FormatError: they are not integers, or a sample does not fit in `depth` bits.
    """
    crc = 0
    for stack in stacks:
        if stack.dtype.kind not in "ui":
            raise FormatError(f"samples must be integers, not {stack.dtype}")
        for part in _some_at_a_time(stack):
            if depth < 8 * part.dtype.itemsize and (int(part.min()) < 0 or int(part.max()) >> depth):
                raise FormatError(f"a sample does not fit in {depth} bits")
            crc = zlib.crc32(np.ascontiguousarray(part, dtype=np.dtype("u1" if depth <= 8 else "<u2")).data, crc)
    return crc
