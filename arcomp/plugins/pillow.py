"""Pillow's plugin: opens compressed pictures by their headers, decodes them when their pixels are asked for.

A file that was made of a picture's file, such as a PNG, opens as Pillow opens that: same mode, palette, frames and
metadata. Of others, such as arrays, samples become the mode of Pillow that holds them. Nothing is truncated: what
Pillow has no mode for, as colours of 16 bits, is refused.
"""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageSequence

from arcomp.container import MAGIC, Header, read_form, unpack
from arcomp.errors import ArcompError, PictureError
from arcomp.form import Chunks, Differences, Jpeg, Literal, Raster, Skeleton
from arcomp.images import image_of, mode_of
from arcomp.samples import Array, Bytes, Picture, Samples

FORMAT = "ARCOMP"
MIME = "image/x-arcomp"
_SAVED = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA")
"""Modes that can be saved."""
_HELD = ("icc_profile", "exif", "transparency", "dpi", "pnginfo", "xmp")
"""What save takes that is kept beside pixels, as PNG keeps it; of pages of a TIFF `pnginfo` is not."""


@contextmanager
def _as_oserror() -> Iterator[None]:
    """Errors as users of Pillow expect them: OSError."""
    try:
        yield
    except ArcompError as error:
        raise OSError(str(error)) from error


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


class _Frames(ABC):
    """The pictures of a compressed file: what its header says of them, and each, decoded.

    Args:
        read: gives the whole compressed file.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self.read = read

    @property
    @abstractmethod
    def count(self) -> int:
        """How many there are."""

    @abstractmethod
    def looks(self, frame: int) -> Image.Image:
        """A picture of the same mode, size, palette and information; its pixels may not be there."""

    @abstractmethod
    def decoded(self, frame: int) -> Image.Image:
        """A picture."""


class _OfFile(_Frames):
    """Of a picture's file, which Pillow opens."""

    def __init__(self, header: Header, skeleton: Skeleton, read: Callable[[], bytes]) -> None:
        super().__init__(read)
        from arcomp.formats.hollow import hollow  # brings Numba

        assert header.original is not None
        if skeleton and isinstance(skeleton[0], Jpeg):
            skeleton = skeleton[0].content
        data = hollow(skeleton, header.original.length)
        as_bytes = header.geometry is None and not header.jpegs.each
        _check_depth(data if as_bytes else None, header)
        self._complete = all(isinstance(part, (Literal, Raster, Differences, Chunks)) for part in skeleton)
        self._file: Image.Image | None = None
        self._hollow: Image.Image | None = None
        try:
            self._hollow = Image.open(io.BytesIO(data))
        except Exception as error:  # Pillow raises nearly anything
            if as_bytes:  # all of it was there
                raise SyntaxError("no picture") from error

    @property
    def count(self) -> int:
        known = self._hollow if self._complete and self._hollow is not None else self._whole()
        return int(getattr(known, "n_frames", 1))

    def looks(self, frame: int) -> Image.Image:
        return self._hollow if not frame and self._hollow is not None else self.decoded(frame)

    def decoded(self, frame: int) -> Image.Image:
        file = self._whole()
        if file.tell() != frame:
            file.seek(frame)
        return file

    def _whole(self) -> Image.Image:
        """The file, decoded, as Pillow opens it."""
        if self._file is None:
            from arcomp.api import restore

            self._file = Image.open(io.BytesIO(restore(self.read())))
        return self._file


def _check_depth(data: bytes | None, header: Header) -> None:
    """Refuse pictures of which Pillow would show the highest bits alone.

    Args:
        data: the picture's file, if it is kept as bytes. header: says what it is, if not.

    Raises:
        PictureError: it is one.
    """
    from arcomp.formats.parsing import parse

    if header.geometry is not None:
        channels, depth = header.geometry.channels, header.geometry.depth
    elif data and (parsed := parse(data)) is not None:
        channels, depth = parsed.samples.channels, parsed.samples.depth
    else:
        return
    if depth > 8 and channels > 1:
        mode_of(channels, depth, Picture(), False)


class _OfSamples(_Frames):
    """Of an array, or of samples that come from no file."""

    def __init__(self, header: Header, palette: npt.NDArray[np.uint8] | None, read: Callable[[], bytes]) -> None:
        super().__init__(read)
        assert header.geometry is not None
        self._stacks = header.geometry.stacks
        self._mode = mode_of(header.geometry.channels, header.geometry.depth, header.form, palette is not None)
        self._samples: Samples | None = None

    @property
    def count(self) -> int:
        return sum(count for count, _, _ in self._stacks)

    def looks(self, frame: int) -> Image.Image:
        if self._samples is not None:
            return self.decoded(frame)
        stack, _ = self._place(frame)
        _, height, width = self._stacks[stack]
        image = Image.Image()  # without memory for its pixels
        image._mode, image._size = self._mode, (width, height)
        return image

    def decoded(self, frame: int) -> Image.Image:
        if self._samples is None:
            from arcomp.api import decompress

            self._samples = decompress(self.read())
        stack, at = self._place(frame)
        samples = self._samples
        return cast(Image.Image, image_of(samples.stacks[stack][at], samples.depth, samples.form, samples.palette))

    def _place(self, frame: int) -> tuple[int, int]:
        """Which stack a picture is in, and where in it."""
        for stack, (count, _, _) in enumerate(self._stacks):
            if frame < count:
                return stack, frame
            frame -= count
        raise EOFError("no more pictures")


class ArcompImageFile(ImageFile.ImageFile):
    """A compressed picture. Opening it reads its header and its form; pixels are decoded by `load`."""

    format = FORMAT
    format_description = "arcomp, neural lossless compression"

    _frames: _Frames | None = None
    _frame = 0
    _decoded = -1

    def _open(self) -> None:
        assert self.fp is not None
        begin = self.fp.tell()
        if not _accept(self.fp.read(len(MAGIC))):
            raise SyntaxError("not an arcomp file")
        self.fp.seek(begin)
        with _as_oserror():
            header, skeleton, palette = read_form(cast(BinaryIO, self.fp))
            if header.original is not None and not isinstance(header.form, (Array, Bytes)):
                self._frames = _OfFile(header, skeleton or (), self._read_from(begin))
            elif header.geometry is not None and not isinstance(header.form, Bytes):
                self._frames = _OfSamples(header, palette, self._read_from(begin))
            else:
                raise SyntaxError("no picture")
            self._be(self._frames.looks(0))

    def _read_from(self, begin: int) -> Callable[[], bytes]:
        def read() -> bytes:
            if self.fp is None or self.fp.closed:
                raise ValueError("Operation on closed image")
            self.fp.seek(begin)
            return self.fp.read()

        return read

    def _be(self, image: Image.Image) -> None:
        """Say what a picture says."""
        self._mode, self._size = image.mode, image.size
        self.info = {**image.info}
        self.palette = image.palette

    def load(self) -> Any:
        """Decode the picture at hand, if it is not decoded."""
        if self._frames is not None and self._decoded != self._frame:
            with _as_oserror():
                image = self._frames.decoded(self._frame)
                image.load()
            self.im = image.im
            self._be(image)
            self._decoded = self._frame
            if self._exclusive_fp and self.fp is not None and self._frames.count == 1:
                self.fp.close()
                self.fp = None
        return Image.Image.load(self)

    @property
    def n_frames(self) -> int:
        """How many pictures there are."""
        if self._frames is None:
            return 1
        with _as_oserror():
            return self._frames.count

    @property
    def is_animated(self) -> bool:
        """Whether there are several."""
        return self.n_frames > 1

    def tell(self) -> int:
        """The picture at hand, from 0."""
        return self._frame

    def seek(self, frame: int) -> None:
        """Go to a picture.

        Raises:
            EOFError: there is no such one.
        """
        if frame == self._frame:
            return
        if self._frames is None or not 0 <= frame < self.n_frames:
            raise EOFError("no more pictures")
        with _as_oserror():
            self._be(self._frames.looks(frame))
        self._frame = frame

    def verify(self) -> None:
        """Compare the checksums of all that is stored; nothing is decoded.

        Raises:
            OSError: one differs.
        """
        if self._frames is not None:
            with _as_oserror():
                unpack(self._frames.read())
        super().verify()

    def getexif(self) -> Image.Exif:
        """The picture's Exif; of a TIFF, its tags."""
        if self._frames is None or "exif" in self.info:
            return super().getexif()
        with _as_oserror():
            return self._frames.decoded(self._frame).getexif()


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    _write([image], image.encoderinfo, file, filename)


def _save_all(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    about = image.encoderinfo
    frames = [frame.copy() for one in (image, *about.get("append_images", ())) for frame in ImageSequence.Iterator(one)]
    _write(frames, about, file, filename)


def _write(frames: list[Image.Image], about: dict[str, Any], file: IO[bytes], filename: str | bytes) -> None:
    """Compress pictures, as the PNG that Pillow makes of one, or as the TIFF that it makes of several.

    Raises:
        OSError: there is a mode that cannot be saved, or no such model.
    """
    from arcomp import files
    from arcomp.contract import registry

    for frame in frames:
        if frame.mode not in _SAVED:
            raise OSError(f"cannot write mode {frame.mode} as {FORMAT}")
    with _as_oserror():
        model = registry.load(registry.with_preset(about.get("model"), about.get("preset")))
        data, ending = _plain(frames, about)
        stem, _ = os.path.splitext(os.path.basename(os.fsdecode(filename or "")))
        named = files.About(stem + ending if stem else "")
        settings = files.Settings(threads=about.get("threads"), verify=bool(about.get("verify", True)))
        file.write(files.compress(files.examine(data, model, named, settings), model, settings).data)


def _plain(frames: list[Image.Image], about: dict[str, Any]) -> tuple[bytes, str]:
    """A file of pictures as they are, and its ending."""
    made = io.BytesIO()
    held = {key: about[key] for key in _HELD if about.get(key) is not None}
    first = frames[0]
    if len(frames) == 1:
        first.save(made, "PNG", **held)
        return made.getvalue(), ".png"
    if any("transparency" in frame.info for frame in frames):
        raise PictureError("several pictures with a transparent colour", remedy='convert them: frame.convert("RGBA")')
    held.pop("pnginfo", None)
    first.save(made, "TIFF", save_all=True, append_images=frames[1:], **held)
    return made.getvalue(), ".tif"


def register() -> None:
    """Make Pillow know files of arcomp."""
    Image.register_open(FORMAT, ArcompImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_save_all(FORMAT, _save_all)
    Image.register_extension(FORMAT, ".arcomp")
    Image.register_mime(FORMAT, MIME)
