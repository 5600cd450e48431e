"""Arrays of numpy in files, .npy and .npz: of bits, or of integers of 8 or 16 bits, whose axes say which pictures they
hold.

=========================  =====================================================================
axes                       pictures
=========================  =====================================================================
[H, W]                     one, gray
[N, H, W]                  N, gray; W is 5 or more
[H, W, C]                  one, of C = 1 .. 4 channels
[N, H, W, C]               N, of C = 1 .. 4 channels
=========================  =====================================================================

The format is that of numpy.lib.format; an .npz is a zip archive of .npy files. Nothing in them is executed.
"""

from __future__ import annotations

import ast
import io
import math
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.errors import ArcompError, OutputError, PictureError
from arcomp.form import Deflated, Layout, Literal, Raster, Skeleton
from arcomp.formats.common import GET_AGAIN
from arcomp.formats.embedded import Part, together
from arcomp.formats.layouts import unpack
from arcomp.formats.parsed import Parsed
from arcomp.samples import MAX_PIXELS, Array, Pixels, Samples, axes_of

NPY = b"\x93NUMPY"
ZIP = b"PK\x03\x04"
ARRAY_ENDINGS = ("npy", "npz")
ARR_0 = "arr_0"
"""What numpy calls an array in an archive that is given no name."""
_HEADER_ROOM = 1 << 16
"""Most bytes of an array's header, and of what follows an array in a member of an archive."""

_BAD_ARCHIVE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError)


class Header(NamedTuple):
    """What the header of an array says.

    Attributes:
        size: bytes of the header.
        dtype: of the array.
        fortran: whether the first index runs fastest.
        shape: of the array.
    """

    size: int
    dtype: np.dtype[Any]
    fortran: bool
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """Of the array's numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


class Taken(NamedTuple):
    """An array that was taken apart.

    Attributes:
        samples: its pictures.
        segments: the file, or the member of an archive, whose pictures are counted from 0.
    """

    samples: Samples
    segments: Skeleton


class Member(NamedTuple):
    """A member of an archive: its name, where its bytes begin, how many, whether deflated, how many are inflated, and
    the checksum of those."""

    name: str
    begin: int
    size: int
    deflated: bool
    inflated: int
    checksum: int


def is_array(start: bytes) -> bool:
    """Whether a file that begins so (with 300 bytes, where there are so many) is an .npy, or a zip archive whose first
    member is one, as of an .npz."""
    length = int.from_bytes(start[26:28], "little")
    return start.startswith(NPY) or (start.startswith(ZIP) and start[30 : 30 + length].endswith(b".npy"))


def parsed(data: bytes) -> Parsed:
    """Take an .npy or .npz file apart. Of several arrays those of the kind that holds most bytes are taken, as stacks;
    an only one is what its samples are made of (:class:`Array`).

    Raises:
        PictureError: damaged, too large, or without an array of pictures.
    """
    if not data.startswith(ZIP):
        return Parsed(*_array(data, MAX_PIXELS))
    parts: list[Part] = []
    problem = PictureError("an archive without an array of pictures")
    for member in _members(data):
        if not member.name.endswith(".npy"):
            continue
        try:
            taken, used = _of_member(data, member, MAX_PIXELS)
        except PictureError as error:
            problem = error
            continue
        end = member.begin + used
        stream = (Deflated(taken.segments, data[member.begin : end], predicted=False),)
        parts.append((member.begin, end, Parsed(taken.samples, stream if member.deflated else taken.segments)))
    found = together(data, parts)
    if found is None:
        raise problem
    return found


def read_array(data: bytes) -> Samples:
    """The pictures of an .npy or .npz file.

    Raises:
        PictureError: damaged, too large, or without an array of pictures.
    """
    return parsed(data).samples if data.startswith(ZIP) else _array(data, MAX_PIXELS).samples


def read_arrays(data: bytes, most: int = MAX_PIXELS) -> list[Samples]:
    """All arrays of an .npy or .npz file.

    Args:
        data: the whole file.
        most: pixels of an array.

    Raises:
        PictureError: damaged, or one is none of pictures.
    """
    if not data.startswith(ZIP):
        return [_array(data, most).samples]
    return [_of_member(data, member, most)[0].samples for member in _members(data)]


def contents(data: bytes) -> tuple[int, list[tuple[str, int]]]:
    """How many members an archive has, and the name of each array of pictures in it, and how many these are.

    Raises:
        PictureError: it is damaged.
    """
    members, arrays = _members(data), []
    for member in members:
        try:
            samples = _of_member(data, member, MAX_PIXELS)[0].samples
        except PictureError:
            continue
        arrays.append((member.name.removesuffix(".npy"), samples.count))
    return len(members), arrays


def _members(data: bytes) -> list[Member]:
    """The members of an archive, by where they begin.

    Raises:
        PictureError: it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = sorted((_member(data, info) for info in archive.infolist()), key=lambda member: member.begin)
    except _BAD_ARCHIVE as error:
        raise PictureError("a damaged archive of arrays", remedy=GET_AGAIN) from error
    end = 0
    for member in found:
        if member.begin < end or member.begin + member.size > len(data):
            raise PictureError("a damaged archive of arrays", remedy=GET_AGAIN)
        end = member.begin + member.size
    return found


def _member(data: bytes, info: zipfile.ZipInfo) -> Member:
    """A member that the directory of an archive names.

    Raises:
        ValueError: it is not there, or is coded in a way that is not known.
    """
    at = info.header_offset
    local = data[at : at + 30]
    if at < 0 or len(local) < 30 or not local.startswith(ZIP) or info.flag_bits & 1 or info.compress_type not in (0, 8):
        raise ValueError(info.filename)
    begin = at + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    return Member(info.filename, begin, info.compress_size, deflated, info.file_size, info.CRC)


def _of_member(data: bytes, member: Member, most: int) -> tuple[Taken, int]:
    """The array of a member of an archive, and how many of its bytes in the archive belong to it.

    Raises:
        PictureError: it is damaged, or no array of pictures of so many pixels.
    """
    stored = data[member.begin : member.begin + member.size]
    content: bytes | bytearray = stored
    used = member.size
    name = member.name.removesuffix(".npy")
    try:
        if member.deflated:
            content, used = _inflated(stored, most)
        if len(content) != member.inflated or zlib.crc32(content) != member.checksum:
            raise PictureError("a damaged array of numpy: its checksum differs", remedy=GET_AGAIN)
        taken = _array(content, most)
    except PictureError as error:
        raise PictureError(f"{member.name[:40]!r} in it: {error.cause}", remedy=error.remedy) from error
    form = taken.samples.form
    assert isinstance(form, Array)
    return taken._replace(samples=replace(taken.samples, form=replace(form, name=name))), used


def _inflated(stream: bytes, most: int) -> tuple[bytearray, int]:
    """What was deflated, and how many bytes the stream has. No more is inflated than the array's header speaks of.

    Raises:
        PictureError: it is no deflate stream, or not of an array of pictures.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = bytearray(inflater.decompress(stream, _HEADER_ROOM))
        left = header(content, most).bytes + _HEADER_ROOM
        while not inflater.eof and left > 0:
            part = inflater.decompress(inflater.unconsumed_tail, min(left, 1 << 24))
            if not part and not inflater.unconsumed_tail:
                break
            content += part
            left -= len(part)
    except zlib.error as error:
        raise PictureError("a damaged array of numpy: it cannot be inflated", remedy=GET_AGAIN) from error
    if not inflater.eof:
        raise PictureError("a damaged array of numpy: its end is missing", remedy=GET_AGAIN)
    return content, len(stream) - len(inflater.unused_data)


def header(data: bytes | bytearray, most: int = MAX_PIXELS) -> Header:
    """The header of an array of pictures.

    Args:
        data: that begins with it.
        most: pixels of the array.

    Raises:
        PictureError: damaged, not of pictures, or of too many pixels.
    """
    try:
        if not data.startswith(NPY) or data[6] not in (1, 2, 3) or data[7] != 0:
            raise ValueError("the first bytes")
        begin = 10 if data[6] == 1 else 12
        size = begin + int.from_bytes(data[8:begin], "little")
        if size > min(len(data), _HEADER_ROOM):
            raise ValueError("its length")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what may one day be no Python
            fields = ast.literal_eval(data[begin:size].decode("utf-8" if data[6] == 3 else "latin-1").strip())
            dtype, shape = np.dtype(fields["descr"]), fields["shape"]
        fortran = fields["fortran_order"]
        if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
            raise ValueError("its shape")
    except (MemoryError, Exception) as error:  # what is no header raises nearly anything
        raise PictureError("a damaged array of numpy", remedy=GET_AGAIN) from error
    name = dtype.newbyteorder("=").name
    try:
        _, channels = axes_of(name, shape)
    except ArcompError as error:
        raise PictureError(error.cause, remedy=error.remedy) from None
    if math.prod(shape[:-1] if channels else shape) > most:
        raise PictureError(f"an array of shape {str(list(shape))[:60]} is too large", remedy="cut it into several")
    return Header(size, dtype, bool(fortran), shape)


def _array(data: bytes | bytearray, most: int) -> Taken:
    """The array that an .npy file holds.

    Raises:
        PictureError: damaged, not of pictures, or of too many pixels.
    """
    head = header(data, most)
    end = head.size + head.bytes
    if len(data) < end:
        count = (len(data) - head.size) // head.dtype.itemsize
        problem = f"a damaged array of numpy: {count} of {math.prod(head.shape)} samples"
        raise PictureError(problem, remedy=GET_AGAIN)
    name = head.dtype.newbyteorder("=").name
    images, has_channels = axes_of(name, head.shape)
    bits = 8 * head.dtype.itemsize
    body = memoryview(data)[head.size : end]
    depth = 1 if name == "bool" else bits
    if name == "bool" and int(np.frombuffer(body, np.uint8).max()) > 1:
        name, depth = "uint8", 8
    stack: Pixels = np.empty(
        (*(() if images else (1,)), *head.shape, *(() if has_channels else (1,))), np.uint8 if bits == 8 else np.uint16
    )
    little = bits == 16 and head.dtype.newbyteorder("<") == head.dtype
    layout = Layout(bits, tuple(range(stack.shape[3])), little=little, signed=name.startswith("int"))
    rasters = tuple(_rasters(stack, body, layout, head.fortran))  # which fills the stack
    rest = (Literal(bytes(data[end:])),) if len(data) > end else ()
    samples = Samples((stack,), depth, Array(name, images, has_channels))
    return Taken(samples, (Literal(bytes(data[: head.size])), *rasters, *rest))


def _rasters(stack: Pixels, body: memoryview, layout: Layout, fortran: bool) -> Iterator[Raster]:
    """Read all numbers of an array into a stack [N, H, W, C], and say how they lie in the file."""
    count, height, width, channels = stack.shape
    if not fortran:
        unpack(body, stack.reshape(-1, width, channels), layout)
        yield Raster(0, 0, 0, count * height, width, layout, pictures=count)
        return
    size, plane = len(body) // channels, np.empty((1, stack.size // channels, 1), stack.dtype)
    for channel in range(channels):
        unpack(body[channel * size : (channel + 1) * size], plane, replace(layout, channels=(0,)))
        stack[..., channel] = plane.reshape(width, height, count).transpose(2, 1, 0)
        own = replace(layout, channels=(channel,))
        yield Raster(0, 0, 0, count * height, width, own, transposed=True, pictures=count)


def write_npy(samples: Samples, ending: str) -> bytes:
    """A file as numpy writes it: an array of the type, axes and name that the samples were made of, or [N, H, W, C].

    Args:
        samples: any but bytes. Pictures of several sizes are several arrays, arr_0, arr_1 and so on.
        ending: "npy" or "npz".

    Raises:
        OutputError: there are several sizes, and the file is to be an .npy; or there is a palette.
    """
    if samples.palette is not None:
        raise OutputError(f"{ending} cannot hold a palette", remedy="choose png")
    if isinstance(samples.form, Array):
        return write_array(samples.array, samples.form.name, ending)
    if len(samples.stacks) == 1:
        return write_array(samples.pixels, "", ending)
    if ending == "npy":
        raise OutputError("an npy file cannot hold pictures of several sizes", remedy="choose npz")
    return _archive({f"arr_{i}": stack for i, stack in enumerate(samples.stacks)})


def _harmless(name: str) -> str:
    """A name within an archive that leads out of no folder and writes nothing on a terminal, wherever it came from."""
    parts = ("".join(c if c.isprintable() and c not in "\\:" else "_" for c in part) for part in name.split("/"))
    return "/".join(part if part.strip(". ") else "_" * max(1, len(part)) for part in parts) if name else ""


def write_array(values: npt.NDArray[Any], name: str, ending: str) -> bytes:
    """The bytes of a file as numpy writes it.

    Args:
        values: any array of numbers.
        name: of the array in an .npz file.
        ending: "npy" or "npz".
    """
    if ending == "npz":
        return _archive({_harmless(name) or ARR_0: values})
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    return stream.getvalue()


def _archive(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """An .npz file of arrays by their names, of no time, so that the same arrays make the same file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), write_array(values, "", "npy"), zipfile.ZIP_DEFLATED)
    return made.getvalue()
