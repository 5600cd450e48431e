"""Arrays of numpy in files: one array of bytes or of bits, whose axes say which pictures it holds.

=========================  =====================================================================
axes                       pictures
=========================  =====================================================================
[H, W]                     one, gray
[N, H, W]                  N, gray; W is 5 or more
[H, W, C]                  one, of C = 1 .. 4 channels
[N, H, W, C]               N, of C = 1 .. 4 channels
=========================  =====================================================================
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError
from arcomp.formats.common import GET_AGAIN
from arcomp.samples import MAX_CHANNELS, MAX_PIXELS, Samples, of_array

NPY = b"\x93NUMPY"
ZIP = b"PK\x03\x04"
ARRAY_ENDINGS = ("npy", "npz")
_HEADER_ROOM = 1 << 16
_GIVE = "give uint8 or bool as [N, H, W] or [N, H, W, C]"


def is_array(start: bytes) -> bool:
    """Whether a file that begins so (with 300 bytes, where there are so many) is an .npy, or a zip archive whose first
    member is one, as of an .npz."""
    length = int.from_bytes(start[26:28], "little")
    return start.startswith(NPY) or (start.startswith(ZIP) and start[30 : 30 + length].endswith(b".npy"))


def read_array(data: bytes) -> Samples:
    """Read the array of an .npy or .npz file. Nothing in it is executed: arrays of objects are refused.

    Args:
        data: the whole file.

    Raises:
        PictureError: damaged, not one array, or not one of pictures.
    """
    (array,) = _read(data, False, MAX_PIXELS)
    return array


def read_arrays(data: bytes, most: int = MAX_PIXELS) -> list[Samples]:
    """Read all arrays of an .npy or .npz file, as :func:`read_array` reads the only one.

    Args:
        data: the whole file.
        most: pixels of an array.

    Raises:
        PictureError: damaged, or not arrays of pictures.
    """
    return _read(data, True, most)


def _read(data: bytes, several: bool, most: int) -> list[Samples]:
    if not data.startswith(ZIP):
        return [of_array(_npy(data, most), ending="npy")]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) != 1 and not several:
                raise PictureError(f"holds {len(members)} arrays", remedy="save each to a file of its own")
            return [_member(archive, member, most) for member in members]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise PictureError("a damaged archive of arrays", remedy=GET_AGAIN) from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> Samples:
    if member.file_size > most * MAX_CHANNELS + _HEADER_ROOM:
        raise PictureError("its array is too large", remedy="cut it into several")
    try:
        name = member.filename.removesuffix(".npy")
        return of_array(_npy(archive.read(member), most), name=name, ending="npz" if name else "npy")
    except PictureError as error:
        if len(archive.infolist()) == 1:
            raise
        raise PictureError(f"{member.filename[:40]!r} in it: {error.cause}", remedy=error.remedy) from error


def _npy(data: bytes, most: int) -> npt.NDArray[Any]:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about headers of Python 2, which are understood
            shape, fortran, dtype = read(stream)
    except Exception as error:  # numpy's reading of headers raises nearly anything, as tokenize does
        raise PictureError("a damaged array of numpy", remedy=GET_AGAIN) from error
    if dtype.str not in ("|u1", "|b1"):
        raise PictureError(f"an array of {str(dtype)[:40]} is not supported", remedy=_GIVE)
    _check_axes(shape, most)
    count, body = math.prod(shape), memoryview(data)[stream.tell() :]
    if len(body) != count:
        raise PictureError(f"a damaged array of numpy: {len(body)} of {count} samples", remedy=GET_AGAIN)
    values = np.frombuffer(body, np.uint8)
    if dtype == np.bool_ and count and int(values.max()) > 1:
        raise PictureError("a damaged array of numpy: a truth value is neither 0 nor 1", remedy=GET_AGAIN)
    made = values.reshape(shape, order="F" if fortran else "C")
    return np.array(made, order="C").view(dtype)


def _check_axes(shape: tuple[int, ...], most: int) -> None:
    """Refuse shapes that are not those of pictures.

    Raises:
        PictureError: too few or many axes, too many channels, no sample, or axes that could be two things.
    """
    shown = str(list(shape))[:60]
    last = shape[-1] if shape else 0
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and last > MAX_CHANNELS):
        raise PictureError(f"an array of shape {shown} is not one of pictures", remedy=_GIVE)
    if min(shape) < 1:
        raise PictureError(f"an array of shape {shown} holds nothing", remedy="give one with samples in it")
    if len(shape) == 3 and last <= MAX_CHANNELS and (last != 3 or shape[1] <= MAX_CHANNELS):
        raise PictureError(
            f"an array of shape {shown} may be [N, H, W] or [H, W, C]", remedy="give it four axes, [N, H, W, C]"
        )
    if math.prod(shape) > most * (last if len(shape) == 4 or last == 3 else 1):
        raise PictureError(f"an array of shape {shown} is too large", remedy="cut it into several")


def write_array(values: npt.NDArray[Any], name: str, ending: str) -> bytes:
    """The bytes of a file as numpy writes it.

    Args:
        values: any array of numbers.
        name: of the array in an .npz file.
        ending: "npy" or "npz".
    """
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    if ending == "npy":
        return stream.getvalue()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo(f"{name or 'arr_0'}.npy"), stream.getvalue(), zipfile.ZIP_DEFLATED)
    return archive.getvalue()
