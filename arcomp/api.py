"""What ``import arcomp`` offers: files and arrays compressed, decompressed and measured from Python.

>>> import numpy as np
>>> import arcomp
>>> pixels = np.zeros((8, 8, 3), np.uint8)
>>> data = arcomp.compress(pixels, "histogram")
>>> arcomp.decompress(data).array.shape
(8, 8, 3)

What is compressed may be

* an array of numpy, of uint8 or bool: [H, W], [H, W, C], [N, H, W] or [N, H, W, C] with up to 4 channels C; of any
  layout in memory, and read-only too. Three axes of which the last is 4 or less are [H, W, C];
* the path of a picture (PNG, BMP, TIFF, lossless WebP, PBM, PGM, PPM) or of an array (.npy, .npz); with a model of
  text, of any file;
* the bytes of such a file (bytes, bytearray, memoryview), or the file itself, open for reading in binary;
* a picture of Pillow, gray, RGB or of 1 bit;
* :class:`Samples`, such as :func:`decompress` gives.

Anything else, and whatever a model does not take, is refused with an :class:`ArcompError`, whose text is one line:
what is wrong and what to do about it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from arcomp import codec, formats, sampling
from arcomp.container import MAGIC, write_atomically
from arcomp.contract import registry
from arcomp.contract.fitting import takes
from arcomp.contract.model import Bits, Model
from arcomp.errors import ArcompError, PictureError
from arcomp.measure import bits
from arcomp.samples import MAX_PIXELS, Samples, of_array

Path: TypeAlias = str | os.PathLike[str]
Data: TypeAlias = bytes | bytearray | memoryview | BinaryIO
Progress: TypeAlias = Callable[[float], None]
"""Callback that is given the part done, 0 to 1."""


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


def compress(
    source: Source,
    model: str | Model = registry.DEFAULT,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    allow_lossy: bool = False,
    progress: Progress | None = None,
) -> bytes:
    """Compress an array, a file, or a picture.

    Args:
        source: see the top of this module.
        model: the name of a model ("photo", "photo-fast", "context", "histogram", ...), the path of its weights, or
            what :func:`load` gave.
        tile: (height, width) of the tiles, which are coded independently; (0, 0): whole pictures; None: what suits the
            model.
        device: "cpu" or "cuda": where the model is evaluated. The result does not depend on it.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        allow_lossy: take JPEG and other lossy pictures too: their decoded pixels are kept.
        progress: callback that is given the part done, 0 to 1, now and then.

    Returns:
        The bytes of an .arcomp file.

    Raises:
        ArcompError: it cannot be read, is not supported, or the model does not take it.
    """
    found = _model(model)
    samples = _samples(source, or_bytes=found.takes_bytes, allow_lossy=allow_lossy)
    return codec.encode(samples, found, tile=tile, device=device, threads=threads, progress=progress or _silent).data


def decompress(
    data: Path | Data,
    *,
    model: str | Model | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Samples:
    """Decompress an .arcomp file.

    Args:
        data: its bytes, the file open for reading in binary, or its path.
        model: the model, or the path of its weights, if it is not where models are looked for.
        threads: how many tiles a model that learns decodes at a time; None: one for each processor.
        progress: callback that is given the part done, 0 to 1, now and then.

    Returns:
        What was compressed. Its `array` has the original shape and type.

    Raises:
        ArcompError: it cannot be read, is damaged, or its model is not here.
    """
    held = None if model is None else _model(model)
    return codec.decode(_bytes(data), model=held, threads=threads, progress=progress or _silent)


def open(source: Path | Data, *, allow_lossy: bool = False) -> Samples:
    """Read a picture, an array (.npy, .npz) or an .arcomp file, which is decompressed.

    >>> import arcomp
    >>> arcomp.open(b"P5 2 1 255 AZ").array
    array([[65, 90]], dtype=uint8)

    Args:
        source: its path, its bytes, or the file open for reading in binary.
        allow_lossy: take JPEG and other lossy pictures too.

    Raises:
        ArcompError: it cannot be read, is damaged, or is of a kind that is not supported.
    """
    if isinstance(source, (str, os.PathLike)) and not formats.start_of(source).startswith(MAGIC):
        return formats.read(source, allow_lossy=allow_lossy)
    data = _bytes(source)
    return codec.decode(data) if data.startswith(MAGIC) else formats.read(data, allow_lossy=allow_lossy)


def save(source: Source, path: Path, *, overwrite: bool = True) -> None:
    """Write samples as a picture or an array, whole or not at all.

    Args:
        source: what :func:`decompress` or :func:`open` gave, or an array.
        path: its ending says the format: png, bmp, tif, tiff, webp (lossless), ppm, pgm, pbm, npy, npz. Bytes are
            written as they were, whatever the ending.
        overwrite: replace an existing file.

    Raises:
        ArcompError: no such file holds them without loss, or it cannot be written.
    """
    data = formats.write(_samples(source), formats.format_of(path))
    write_atomically(os.fspath(path), data, overwrite=overwrite)


def load(name: Path) -> Model:
    """A model, for several calls of :func:`compress` and the others.

    >>> import arcomp
    >>> arcomp.load("histogram").takes_bytes
    False

    Args:
        name: of the model, or the path of its weights (.safetensors).

    Raises:
        ArcompError: there is none, or its weights are damaged.
    """
    return registry.load(os.fspath(name))


def code_lengths(
    source: Source,
    model: str | Model = registry.DEFAULT,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Bits:
    """What each sample costs under a model: its code length, the negative log2 of its probability. Nothing is coded.

    >>> import arcomp
    >>> import numpy as np
    >>> bits = arcomp.code_lengths(np.arange(16, dtype=np.uint8).reshape(4, 4), "histogram")
    >>> bits.samples.shape
    (1, 4, 4, 1)
    >>> round(float(bits.samples.sum()))
    64

    Args:
        source, model, tile, device, threads, progress: as of :func:`compress`.

    Returns:
        `samples`, float32 [N, H, W, C]: the bits of each sample. `side`: the bits of the model's side information.
        `total`: all bits.

    Raises:
        ArcompError: as of :func:`compress`.
    """
    found = _model(model)
    samples = _samples(source, or_bytes=found.takes_bytes)
    return bits.measure(samples, found, tile=tile, device=device, threads=threads, progress=progress or _silent)


def sample(
    model: str | Model,
    shape: tuple[int, int, int, int],
    *,
    depth: int | None = None,
    seed: int = 0,
    temperature: float = 1.0,
    progress: Progress | None = None,
) -> Samples:
    """Draw new pictures or texts from a model.

    Args:
        model: its name, the path of its weights, or what :func:`load` gave.
        shape: [N, H, W, C]; of texts [N, 1, length, 1].
        depth: bits of a sample; the most that the model takes, up to 8, if None.
        seed: the same seed draws the same samples, on every machine.
        temperature: below 1, pictures are likelier.
        progress: callback that is given the part done, 0 to 1, now and then.

    Raises:
        ArcompError: the model does not take such pictures, or has nothing to draw from.
    """
    found = _model(model)
    if depth is None:
        depth = next((d for d in range(8, 0, -1) if takes(found, shape[3], d)), 8)
    return sampling.draw(found, shape, depth, seed=seed, temperature=temperature, progress=progress or _silent)


def _silent(part: float) -> None:
    """Default progress callback: does nothing."""


def _model(model: str | os.PathLike[str] | Model) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return load(model)
    raise ArcompError(f"a {type(model).__name__} is no model", remedy="give its name, or what arcomp.load gave")


def _bytes(data: object) -> bytes:
    """All bytes of a file.

    Raises:
        ArcompError: it cannot be read, or is none.
    """
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, (str, os.PathLike)):
        return formats.read(data, as_bytes=True).pixels.tobytes()
    if hasattr(data, "read"):
        found = data.read()
        if isinstance(found, bytes):
            return found
        raise ArcompError("the file is open as text", remedy='open it as binary, with mode "rb"')
    raise ArcompError(f"a {type(data).__name__} is no file", remedy="give a path, bytes, or a file open as binary")


def _samples(source: Source, *, or_bytes: bool = False, allow_lossy: bool = False) -> Samples:
    """Whatever the user has, as samples.

    Raises:
        ArcompError: it cannot be read, or is of a type or shape that is not supported.
    """
    if isinstance(source, Samples):
        return source
    if isinstance(source, (str, os.PathLike)):
        return formats.read(source, or_bytes=or_bytes, allow_lossy=allow_lossy)
    if isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read"):
        return formats.read(_bytes(source), or_bytes=or_bytes, allow_lossy=allow_lossy)
    if hasattr(source, "getbands") and hasattr(source, "mode"):
        return _pillow(source)
    if not hasattr(source, "__array__"):
        what = type(source).__name__
        raise ArcompError(f"a {what} cannot be compressed", remedy="give an array of numpy, a path, or bytes of a file")
    array = np.asarray(source)
    if array.size > MAX_PIXELS * 4 or (array.ndim == 2 and array.size > MAX_PIXELS):
        raise ArcompError(f"an array of shape {list(array.shape)} is too large", remedy="cut it into several")
    return of_array(array)


def _pillow(image: Any) -> Samples:
    """A picture of Pillow.

    Raises:
        PictureError: neither gray, RGB, nor of 1 bit.
    """
    mode = str(image.mode)
    if mode not in ("1", "L", "RGB"):
        raise PictureError(f"a picture of mode {mode} is not supported", remedy='convert it: image.convert("RGB")')
    pixels = np.asarray(image, np.uint8)
    ending = str(image.format or "png").lower()
    return Samples.of(
        pixels.reshape(1, *pixels.shape[:2], -1), 1 if mode == "1" else 8,
        ending=ending if ending in formats.ENDINGS else "png",
    )  # fmt: skip


__all__ = ["Bits", "Model", "Samples", "code_lengths", "compress", "decompress", "load", "open", "sample", "save"]
