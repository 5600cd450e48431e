"""What can be coded: a file's bytes as samples, and back.

A *picture* is what begins as one. An *array* is an .npy or .npz file of uint8 or bool: many pictures of one size
become one file. Anything else is *bytes*, where the model is one of sequences of bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.container import Array, Bytes, Content, Header
from arcomp.contract.model import Model
from arcomp.errors import ArcompError, ModelError, OutputError, PictureError
from arcomp.formats import ARRAY_ENDINGS, is_array, read_array, read_picture, write_array, write_picture
from arcomp.formats.kinds import kind_of


@dataclass(frozen=True, eq=False)
class Samples:
    """A file as samples.

    Attributes:
        pixels: uint8 [N, H, W, C]; bytes are [1, 1, length, 1].
        depth: bits a sample.
        content: what they are made of.
        format: ending of a file of that kind; "" for bytes.
        dropped: what else the file holds, that is not kept.
    """

    pixels: npt.NDArray[np.uint8]
    depth: int
    content: Content
    format: str
    dropped: tuple[str, ...] = ()


def kind(start: bytes, of_bytes: bool) -> str:
    """ "picture", "array" or "bytes": what a file is that begins so.

    Args:
        start: the file, or its first 320 bytes.
        of_bytes: whether what is neither of the others may be bytes, as for a model that takes them.

    Raises:
        PictureError: none of them.
    """
    if is_array(start):
        return "array"
    try:
        kind_of(start)
    except PictureError:
        if of_bytes and start:
            return "bytes"
        raise
    return "picture"


def read_samples(data: bytes, model: Model, *, as_bytes: bool = False, allow_lossy: bool = False) -> Samples:
    """A file's samples, for a model.

    Arrays of bool have 1 bit a sample; those of uint8 have 8, or the most that the model takes if that is less.

    Args:
        data: the whole file.
        model: that is to code it.
        as_bytes: take pictures and arrays as bytes too.
        allow_lossy: see :func:`arcomp.formats.read_picture`.

    Raises:
        PictureError: empty, damaged, or of a kind that is not supported.
        ModelError: the model does not take it.
    """
    if as_bytes:
        if not model.takes_bytes:
            raise ModelError(f"model {model.name} does not take bytes", remedy="choose a model of text with -m")
        if not data:
            raise PictureError("the file is empty")
    found = "bytes" if as_bytes else kind(data, model.takes_bytes)
    if found == "bytes":
        return Samples(np.frombuffer(data, np.uint8).reshape(1, 1, -1, 1), 8, Bytes(), "")
    if found == "picture":
        try:
            picture = read_picture(data, allow_lossy=allow_lossy)
        except PictureError as error:
            if model.takes_bytes:
                raise PictureError(error.cause, remedy="--bytes takes the file's bytes as they are") from error
            raise
        return _taken(Samples(picture.pixels[None], picture.depth, None, picture.format, picture.dropped), model)
    array = read_array(data)
    boolean, pixels = array.values.dtype == np.bool_, array.pixels
    depth = 1 if boolean else _depth(pixels, model)
    images, channels = array.axes
    ending = "npz" if array.name else "npy"
    return _taken(Samples(pixels, depth, Array(boolean, images, channels, array.name), ending), model)


def _taken(samples: Samples, model: Model) -> Samples:
    """The same, if the model takes them.

    Raises:
        ModelError: it does not.
    """
    model.check(samples.pixels.shape[3], samples.depth)
    return samples


def _depth(pixels: npt.NDArray[np.uint8], model: Model) -> int:
    """Bits a sample of an array of uint8: 8, or the most that the model takes.

    Raises:
        ModelError: a sample has more.
    """
    channels = pixels.shape[3]
    depth = next((d for d in range(8, 0, -1) if takes(model, channels, d)), 8)
    if depth < 8 and int(pixels.max()) >> depth:
        most = f"{depth} bit{'s' if depth > 1 else ''}"
        raise ModelError(
            f"holds samples of up to {int(pixels.max())}, model {model.name} takes {most}",
            remedy="choose another model with -m (see arcomp models)",
        )
    return depth


def takes(model: Model, channels: int, depth: int) -> bool:
    """Whether a model takes samples of a kind."""
    try:
        model.check(channels, depth)
    except ModelError:
        return False
    return True


def write_samples(pixels: npt.NDArray[Any], header: Header, ending: str) -> bytes:
    """A file of decoded samples: the one they were made of, or one of another format that holds them.

    Args:
        pixels: uint8 or uint16 [N, H, W, C], as :func:`arcomp.codec.decode` gives them.
        header: likewise.
        ending: of the file, which says its format; bytes are bytes whatever it is.

    Raises:
        OutputError: no file of that ending holds them.
    """
    if isinstance(header.content, Bytes):
        return pixels.tobytes()
    if ending in ARRAY_ENDINGS:
        return _written_array(pixels, header.content, ending)
    if len(pixels) != 1:
        raise OutputError(f"holds {len(pixels)} pictures", remedy="choose npy")
    return write_picture(pixels[0], header.depth, ending)


def _written_array(pixels: npt.NDArray[Any], content: Content, ending: str) -> bytes:
    if not isinstance(content, Array):
        return write_array(pixels, "", ending)
    values = pixels if content.images else pixels[0]
    values = values if content.channels else values[..., 0]
    return write_array(values.astype(np.bool_) if content.boolean else values, content.name, ending)


def check_output(written: bytes, pixels: npt.NDArray[Any], header: Header) -> bool:
    """Whether a file reads back as the samples it was written from."""
    if isinstance(header.content, Bytes):
        return written == pixels.tobytes()
    try:
        again = read_array(written).pixels if is_array(written) else read_picture(written).pixels[None]
    except ArcompError:
        return False
    return again.shape == pixels.shape and bool((again == pixels).all())


_ENDING = re.compile(r"[a-z0-9]{1,16}")


def possible_source(ending: str) -> str:
    """A file name's ending as a header can hold it; "" for others."""
    return ending if _ENDING.fullmatch(ending) else ""
