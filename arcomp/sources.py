"""What ``import arcomp`` takes (files, arrays, pictures of Pillow), as bytes of a file or as samples."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from arcomp import arguments, files, formats, images
from arcomp.errors import ArcompError
from arcomp.samples import MAX_PIXELS, Samples, of_array

Path: TypeAlias = str | os.PathLike[str]
Data: TypeAlias = bytes | bytearray | memoryview | BinaryIO


class Arrays(Protocol):
    """NumPy arrays, and anything with ``__array__``."""

    def __array__(self, /) -> npt.NDArray[Any]: ...


class Pictures(Protocol):
    """Pictures of Pillow."""

    @property
    def mode(self) -> str: ...

    def getbands(self) -> tuple[str, ...]: ...


Source: TypeAlias = Samples | Arrays | Pictures | Path | Data
"""What can be compressed."""


def bytes_of(data: object) -> bytes:
    """All bytes of a file.

    Raises:
        ArcompError: it cannot be read, or is none.
    """
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, (str, os.PathLike)):
        return formats.whole(arguments.path(data))
    if hasattr(data, "read") and not isinstance(data, type):
        return _read(data)
    raise ArcompError(f"{arguments.named(data)} is no file", remedy="give a path, bytes, or a file open as binary")


def _read(file: Any) -> bytes:
    """The rest of an open file.

    Raises:
        ArcompError: it cannot be read, or is open as text.
    """
    try:
        found = file.read()
    except Exception as error:  # a file of the user's own may raise anything
        raise ArcompError(
            f"the file cannot be read: {arguments.one_line(error)}", remedy='open it for reading, with mode "rb"'
        ) from error
    if isinstance(found, (bytes, bytearray, memoryview)):
        return bytes(found)
    if isinstance(found, str):
        raise ArcompError("the file is open as text", remedy='open it as binary, with mode "rb"')
    raise ArcompError(f"reading the file gave {arguments.named(found)}", remedy="give a file that is open as binary")


def is_file(source: object) -> bool:
    """Whether it is a path, an open file, or a file's bytes."""
    plain = (str, os.PathLike, bytes, bytearray, memoryview)
    return isinstance(source, plain) or (hasattr(source, "read") and not isinstance(source, type))


def file_of(source: object) -> tuple[bytes, files.About]:
    """A file's bytes, and what else is kept of it."""
    data = bytes_of(source)
    if not isinstance(source, (str, os.PathLike)):
        return data, files.About()
    status = os.stat(source)
    return data, files.About(os.path.basename(os.fspath(source)), status.st_mtime_ns, status.st_mode & 0o7777)


def samples_of(source: Source, *, or_bytes: bool = False) -> Samples:
    """Whatever the user has, as samples.

    Raises:
        ArcompError: it cannot be read, or is of a type or shape that is not supported.
    """
    if isinstance(source, Samples):
        return source
    if isinstance(source, (str, os.PathLike)):
        return formats.read(arguments.path(source), or_bytes=or_bytes)
    made = not isinstance(source, type)
    if isinstance(source, (bytes, bytearray, memoryview)) or (made and hasattr(source, "read")):
        return formats.read(bytes_of(source), or_bytes=or_bytes)
    if made and hasattr(source, "getbands") and hasattr(source, "mode"):
        return images.samples_of(source)
    if not made or not hasattr(source, "__array__"):
        what = arguments.named(source)
        raise ArcompError(f"{what} cannot be compressed", remedy="give an array of numpy, a path, or bytes of a file")
    array = _array(source)
    if array.size > MAX_PIXELS * 4 or (array.ndim == 2 and array.size > MAX_PIXELS):
        raise ArcompError(f"an array of shape {list(array.shape)} is too large", remedy="cut it into several")
    return of_array(array)


def _array(source: Any) -> npt.NDArray[Any]:
    """What gives an array of numpy, as one.

    Raises:
        ArcompError: it does not, or some of it is masked.
    """
    if isinstance(source, np.ma.MaskedArray) and np.ma.is_masked(source):
        raise ArcompError("an array with masked entries", remedy="give array.filled(0), or array.data")
    try:
        return np.asarray(source)
    except Exception as error:  # an object of the user's own may raise anything
        what = arguments.named(source)
        raise ArcompError(
            f"{what} gives no array: {arguments.one_line(error)}", remedy="make an array of numpy of it first"
        ) from error
