"""Pictures of Pillow as samples, and back: exactly what they hold, or a refusal in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp import arguments
from arcomp.errors import LossyError, PictureError
from arcomp.samples import Array, Bytes, Form, Pixels, Samples

_DEPTHS = {"1": 1, "L": 8, "P": 8, "LA": 8, "RGB": 8, "RGBA": 8, "I;16": 16, "I;16L": 16, "I;16B": 16}
"""Bits of a sample, by mode."""
_LOSSY = ("JPEG", "MPO", "JPEG2000", "AVIF", "HEIF", "WEBP")
"""Formats that lose information when they are written, or may: an open WebP picture does not say whether it did."""
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Pillow's modes of 8 bits, by channels."""
TO_RGB = 'convert it: image.convert("RGB")'


def samples_of(image: Any) -> Samples:
    """A picture's samples, its palette and its transparency.

    Args:
        image: of Pillow.

    Raises:
        PictureError: it has several frames, a mode or a transparency that are not supported, holds nothing, or cannot
            be decoded.
        LossyError: it was read from a file that may be lossy.
    """
    mode = str(image.mode)
    if mode not in _DEPTHS:
        raise PictureError(f"a picture of mode {mode} is not supported", remedy=TO_RGB)
    try:
        frames, size = int(getattr(image, "n_frames", 1)), image.size
        image.load()
        pixels = np.asarray(image)
    except Exception as error:  # Pillow raises nearly anything at damaged files
        raise PictureError(
            f"the picture cannot be decoded: {arguments.one_line(error)}", remedy="get its file again"
        ) from error
    if not all(size):
        raise PictureError("the picture holds no pixels", remedy="give one that does")
    if frames != 1:
        raise PictureError(f"a picture of {frames} frames", remedy="give each frame by itself, as frame.copy()")
    if image.format in _LOSSY or image.info.get("compression") == "jpeg":
        raise LossyError(
            f"a picture from a {image.format} file may be lossy", remedy="give the file, or image.copy() for its pixels"
        )
    if mode != "P" and "transparency" in image.info:
        raise PictureError("a transparent colour is not supported", remedy='convert it: image.convert("RGBA")')
    stack = pixels.reshape(1, *pixels.shape[:2], -1)
    return Samples(
        (stack.astype(np.uint16 if mode.startswith("I") else np.uint8),),
        _DEPTHS[mode],
        alpha=mode in ("LA", "RGBA"),
        palette=_palette(image, int(stack.max())) if mode == "P" else None,
    )


def _palette(image: Any, largest: int) -> npt.NDArray[np.uint8]:
    """uint8 [entries, 3], or [entries, 4] where some are transparent; entries that are missing are black.

    Args:
        largest: index in the picture.
    """
    colours = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    palette = np.zeros((max(len(colours), largest + 1), 3), np.uint8)
    palette[: len(colours)] = colours
    transparency = image.info.get("transparency")
    if transparency is None:
        return palette
    alpha = np.full((len(palette), 1), 255, np.uint8)
    if isinstance(transparency, int):
        alpha[transparency : transparency + 1] = 0
    else:
        known = np.frombuffer(bytes(transparency), np.uint8)[: len(alpha)]
        alpha[: len(known), 0] = known
    return np.hstack([palette, alpha])


def mode_of(channels: int, depth: int, form: Form, palette: bool) -> str:
    """The mode in which Pillow holds pictures of samples, all of their bits.

    Args:
        channels: 1 to 4. depth: bits of a sample. form: what they were made of.
        palette: whether they are indices into one.

    Raises:
        PictureError: it has none for them.
    """
    if isinstance(form, Bytes):
        raise PictureError("bytes, no picture", remedy="arcomp.restore gives them")
    if isinstance(form, Array) and form.dtype.startswith("int"):
        raise PictureError("Pillow has no mode for negative numbers", remedy="arcomp.decompress gives them as an array")
    if palette and depth <= 8:
        return "P"
    if depth > 8 and channels == 1 and not palette:
        return "I;16"
    gray = isinstance(form, Array) or 255 % ((1 << depth) - 1) == 0
    if depth > 8 or palette or not gray:
        what = f"{channels} channel{'s' if channels > 1 else ''} of {depth} bits{' and a palette' if palette else ''}"
        raise PictureError(f"Pillow has no mode for {what}", remedy="arcomp.decompress gives them as an array")
    return "1" if (channels, depth) == (1, 1) and _is_binary(form) else _MODES[channels]


def _is_binary(form: Form) -> bool:
    """Whether samples of 1 bit are black and white; those of an array of bytes are its numbers, 0 and 1."""
    return not isinstance(form, Array) or form.dtype == "bool"


def image_of(pixels: Pixels, depth: int, form: Form, palette: npt.NDArray[np.uint8] | None) -> Any:
    """A picture of Pillow.

    Args:
        pixels: uint8 or uint16 [H, W, C]. depth: their bits. form: what they were made of.
        palette: what they are indices into; uint8 [entries, 3 or 4].

    Raises:
        PictureError: Pillow has no mode for it.
    """
    from PIL import Image

    mode = mode_of(pixels.shape[2], depth, form, palette is not None)
    plane = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    if mode == "1":
        return Image.fromarray(plane.astype(bool))
    if mode in ("L", "LA", "RGB", "RGBA") and not isinstance(form, Array) and depth < 8:
        plane = plane * np.uint8(255 // ((1 << depth) - 1))
    image = Image.fromarray(plane)
    if palette is not None:
        image.putpalette(palette[:256, :3].tobytes(), "RGB")
        if palette.shape[1] == 4:
            image.info["transparency"] = palette[:256, 3].tobytes()
    return image
