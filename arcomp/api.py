"""What ``import arcomp`` offers: files and arrays compressed, decompressed and measured from Python.

>>> import numpy as np
>>> import arcomp
>>> pixels = np.zeros((8, 8, 3), np.uint8)
>>> data = arcomp.compress(pixels, "histogram")
>>> arcomp.decompress(data).array.shape
(8, 8, 3)

What is compressed may be

* any file: its path, its bytes (bytes, bytearray, memoryview), or the file itself, open for reading in binary. The
  very same file comes back (:func:`restore`). PNG, BMP, TIFF, PNM, icons, .npy and .npz are coded by the model, others
  are kept as bytes, or coded by a model of text;
* an array of numpy, of bool or of integers of 8 or 16 bits: [H, W], [H, W, C], [N, H, W] or [N, H, W, C] with up to 4
  channels C; of any layout in memory, and read-only too. Three axes of which the last is 4 or less are [H, W, C];
* a picture of Pillow of 1, 8 or 16 bits: gray or RGB, with or without alpha, or a palette;
* :class:`Samples`, such as :func:`decompress` gives.

Anything else is refused with an :class:`ArcompError`, whose text is one line:
what is wrong and what to do about it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias, TypedDict

from arcomp import archives, arguments, codec, files, formats, regions, sampling
from arcomp.archives import Archive
from arcomp.container import MAGIC, unpack, write_atomically
from arcomp.contract import registry
from arcomp.contract.fitting import takes
from arcomp.contract.model import Bits, Execution, Model
from arcomp.embedding import with_weights
from arcomp.errors import ArcompError, LimitError, LossyError, said_of
from arcomp.measure import bits
from arcomp.samples import Samples
from arcomp.sources import Data, Path, Source, bytes_of, file_of, is_file, samples_of

Progress: TypeAlias = Callable[[float], None]
"""Callback that is given the part done, 0 to 1."""


def compress(
    source: Source,
    model: str | Model = registry.DEFAULT,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    verify: bool = True,
    embed_model: bool = False,
    progress: Progress | None = None,
) -> bytes:
    """Compress an array, a file, or a picture.

    Of a file, the very same file comes back (:func:`restore`): its pictures are coded by the model, all else as bytes.

    Args:
        source: see the top of this module.
        model: the name of a model ("photo", "photo-fast", "context", "histogram", ...), the path of its weights, or
            what :func:`load` gave.
        tile: (height, width) of the tiles, which are coded independently; (0, 0): whole pictures; None: what suits the
            model.
        device: "cpu" or "cuda": where the model is evaluated. The result does not depend on it.
        threads: how many tiles a model that learns codes at a time; None: one for each processor.
        verify: of a file, decode the result and compare before it is returned.
        embed_model: put the model's weights into the result, which then needs nothing else to be decoded.
        progress: callback that is given the part done, 0 to 1, now and then.

    Returns:
        The bytes of an .arcomp file.

    Raises:
        ArcompError: it cannot be read, is not supported, or the model does not take it.
    """
    how, found = _options(tile, device, threads, progress), _model(model)
    with _said_of(source):
        if not is_file(source):
            samples = samples_of(source)
            if samples.maximum is not None:
                said = "not kept: maximum value; give the file itself, of which all is kept"
                warnings.warn(said, stacklevel=2)
            coded = codec.encode(samples, found, **how)
            return with_weights(coded.data, coded.member, found) if embed_model else coded.data
        data, about = file_of(source)
        settings = files.Settings(how["tile"], how["device"], how["threads"], bool(verify))
        examined = files.examine(data, found, about, settings)
        made = files.compress(examined, found, settings, progress=how["progress"])
        return with_weights(made.data, made.member, found) if embed_model else made.data


def decompress(
    data: Path | Data,
    *,
    model: str | Model | None = None,
    crop: tuple[int, int, int, int] | None = None,
    picture: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    max_pixels: int | None = None,
    max_memory: int | None = None,
) -> Samples:
    """Decompress an .arcomp file, or a rectangle of a picture in it.

    >>> import arcomp
    >>> import numpy as np
    >>> data = arcomp.compress(np.arange(64, dtype=np.uint8).reshape(8, 8), "histogram")
    >>> arcomp.decompress(data, crop=(6, 1, 2, 3)).array
    array([[14, 15],
           [22, 23],
           [30, 31]], dtype=uint8)

    Args:
        data: its bytes, the file open for reading in binary, or its path.
        model: the model, or the path of its weights, if it is not where models are looked for. It must be the one that
            the file was written with.
        crop: (x, y, width, height) of the rectangle, in pixels. Of models that learn (photo) only the tiles that it
            touches are decoded; the checksum of all samples is then not compared.
        picture: which picture is cropped, from 0; None: the only one.
        threads: how many tiles a model that learns decodes at a time; None: one for each processor.
        progress: callback that is given the part done, 0 to 1, now and then.
        max_pixels: files of more are refused; None: of those that a model codes, as many as a file of its length can
            honestly hold.
        max_memory: bytes; what needs more is refused; None: as much as is free.

    Returns:
        What was compressed: an array, a picture, or the pictures of a file, whose `array` has the original shape and
        type. Of a file that has no pictures that are coded as such, a JPEG too, its bytes.

    Raises:
        ArcompError: it cannot be read, is damaged, or its model is not here; or it has no such picture or rectangle.
    """
    count, callback = arguments.threads(threads), arguments.progress(progress)
    area, which, most = arguments.crop(crop), arguments.picture(picture), arguments.limits(max_pixels, max_memory)
    held = None if model is None else _model(model)
    if area is None and which is not None:
        raise ArcompError("picture= without crop=", remedy="leave it out: all pictures are decompressed")
    with _said_of(data, limits=None):
        member, how = unpack(bytes_of(data), most), Execution(threads=count, progress=callback, limits=most)
        if area is not None:
            return regions.crop(member, area, which, held, how).samples
        return files.samples_in(member, held, how)


def restore(
    data: Path | Data,
    *,
    model: str | Model | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    max_pixels: int | None = None,
    max_memory: int | None = None,
) -> bytes:
    """The file that was compressed, bit for bit.

    >>> import arcomp
    >>> arcomp.restore(arcomp.compress(b"P5 2 1 255 AZ"))
    b'P5 2 1 255 AZ'

    Args:
        data, model, threads, progress, max_pixels, max_memory: as of :func:`decompress`.

    Raises:
        ArcompError: as of :func:`decompress`; or it was made of an array, which came from no file.
    """
    count, callback = arguments.threads(threads), arguments.progress(progress)
    held, most = None if model is None else _model(model), arguments.limits(max_pixels, max_memory)
    with _said_of(data, limits=None):
        how = Execution(threads=count, progress=callback, limits=most)
        return files.restored(unpack(bytes_of(data), most), held, how)


def open(source: Path | Data, *, allow_lossy: bool = False) -> Any:
    """Read a picture, an array (.npy, .npz) or an .arcomp file, which is decompressed; or look into an archive.

    >>> import arcomp
    >>> arcomp.open(b"P5 2 1 255 AZ").array
    array([[65, 90]], dtype=uint8)

    Args:
        source: its path, its bytes, or the file open for reading in binary.
        allow_lossy: take JPEG and other lossy pictures too.

    Returns:
        :class:`Samples`; of an archive of several files :class:`Archive`, a mapping of their names to samples, which
        are decoded when they are asked for.

    Raises:
        ArcompError: it cannot be read, is damaged, or is of a kind that is not supported.
    """
    with _lossy_allowed_on_request(), _said_of(source, limits="arcomp.decompress"):
        if isinstance(source, (str, os.PathLike)):
            path = arguments.path(source)
            if not formats.start_of(path).startswith(MAGIC):
                return formats.read(path, allow_lossy=allow_lossy)
            return archives.of_file(path) or decompress(path)
        data = bytes_of(source)
        if not data.startswith(MAGIC):
            return formats.read(data, allow_lossy=allow_lossy)
        return archives.of_file(data) or decompress(data)


def save(source: Source, path: Path, *, overwrite: bool = True) -> None:
    """Write samples as a picture or an array, whole or not at all.

    Args:
        source: what :func:`decompress` or :func:`open` gave, or an array.
        path: its ending says the format: png, bmp, tif, tiff, webp (lossless), ppm, pgm, pbm, npy, npz. Bytes are
            written as they were, whatever the ending.
        overwrite: replace an existing file.

    Raises:
        ArcompError: no such file holds them without loss, or it cannot be written.

    What samples say and such a file does not, such as the names of arrays, is told as a warning. Samples say nothing of
    a file's metadata; `arcomp decompress -o other.png` keeps that where it can.
    """
    target = arguments.path(path)
    samples, ending = samples_of(source), formats.format_of(target)
    with said_of(target):
        data = formats.write(samples, ending)
        lost = formats.lost_in(data, samples)
    write_atomically(target, data, overwrite=overwrite)
    if lost:
        warnings.warn(f"{target}: not kept: {', '.join(lost)}", stacklevel=2)


def load(name: Path) -> Model:
    """A model, for several calls of :func:`compress` and the others.

    >>> import arcomp
    >>> arcomp.load("histogram").takes_bytes
    False

    Args:
        name: of the model, or the path of its weights (.safetensors), or their address on a hub,
            "hf://owner/repo@revision/file.safetensors" (huggingface_hub must be installed).

    Raises:
        ArcompError: there is none, or its weights are damaged.
    """
    return registry.load(arguments.path(name))


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
        `samples`, float32 [N, H, W, C]: the bits of each sample. Of pictures that are coded as others, such as indices,
        each pixel's are shared out equally. `side`: the bits of the model's side information.
        `total`: all bits.

    Raises:
        ArcompError: as of :func:`compress`.
    """
    how = _options(tile, device, threads, progress)
    found = _model(model)
    samples = samples_of(source, or_bytes=found.takes_bytes)
    with _said_of(source):
        measured = bits.measure(samples, found, **how)
        if len(measured) > 1:
            raise ArcompError("pictures of several sizes", remedy="give each size by itself")
        return measured[0]


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
        temperature: 0 to 100; below 1, pictures are likelier.
        progress: callback that is given the part done, 0 to 1, now and then.

    Returns:
        Pictures of that shape: `pixels` is [N, H, W, C]. `array` leaves out N and C where they are 1.

    Raises:
        ArcompError: the model does not take such pictures, or has nothing to draw from.
    """
    size, number, heat = arguments.shape(shape), arguments.seed(seed), arguments.temperature(temperature)
    bit_depth, callback = arguments.depth(depth), arguments.progress(progress)
    found = _model(model)
    if bit_depth is None:
        bit_depth = next((d for d in range(8, 0, -1) if takes(found, size[3], d)), 8)
    return sampling.draw(found, size, bit_depth, seed=number, temperature=heat, progress=callback)


class _Options(TypedDict):
    """Arguments of the codec that do not change what is coded."""

    tile: tuple[int, int] | None
    device: str
    threads: int | None
    progress: Progress


def _options(tile: object, device: object, threads: object, progress: object) -> _Options:
    """The same, checked.

    Raises:
        ArcompError: one of them is not as described.
    """
    return {
        "tile": arguments.tile(tile),
        "device": arguments.device(device),
        "threads": arguments.threads(threads),
        "progress": arguments.progress(progress),
    }


@contextmanager
def _said_of(source: object, limits: str | None = "") -> Iterator[None]:
    """Errors raised inside name the file, where the source is a path, and limits as arguments.

    Args:
        limits: the function that takes those; None: the one that was called; "": none.
    """
    try:
        with said_of(arguments.path(source)) if isinstance(source, (str, os.PathLike)) else nullcontext():
            yield
    except LimitError as error:
        error.in_python(limits)
        raise


@contextmanager
def _lossy_allowed_on_request() -> Iterator[None]:
    """A refusal of a lossy picture says how to have it taken."""
    try:
        yield
    except LossyError as error:
        error.remedy = "allow_lossy=True takes its decoded pixels"
        raise


def _model(model: str | os.PathLike[str] | Model) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, os.PathLike)):
        return load(model)
    raise ArcompError(f"{arguments.named(model)} is no model", remedy="give its name, or what arcomp.load gave")


__all__ = [
    "Archive", "Bits", "Model", "Samples", "code_lengths", "compress", "decompress", "load", "open", "restore",
    "sample", "save",
]  # fmt: skip
