"""Arrays coded and decoded, as most tests want it: each makes its samples here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from arcomp import codec, formats, sampling
from arcomp.codec import Encoded
from arcomp.container import Member, unpack
from arcomp.container.archive import Entry
from arcomp.contract.model import Bits, Execution, Model
from arcomp.measure import bits
from arcomp.samples import Pixels, Samples
from arcomp.transforms import Coded


def encode(pixels: Pixels, depth: int, model: Model, **options: Any) -> Encoded:
    """Pictures [N, H, W, C] as a file, coded by the model as they are: no transform is looked for."""
    return codec.encode(Samples.of(pixels, depth), model, trees=(Coded(depth),), **options)


def decode(data: bytes, model: Model | None = None, **options: Any) -> tuple[Pixels, Member]:
    """The pictures [N, H, W, C] of a file, and what the file says; options are those of execution."""
    pixels = codec.decode(data, model, Execution(**options)).pixels
    return pixels, unpack(data)


def member_of(source: BinaryIO | bytes, entry: Entry) -> Member:
    """One member of an archive."""
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    file.seek(entry.offset)
    return unpack(file.read(entry.length))


def measure(pixels: Pixels, depth: int, model: Model, **options: Any) -> Bits:
    """What pictures [N, H, W, C] cost."""
    (found,) = bits.measure(Samples.of(pixels, depth), model, **options)
    return found


def draw(model: Model, shape: tuple[int, int, int, int], depth: int, **options: Any) -> Pixels:
    """New pictures of a shape [N, H, W, C]."""
    return sampling.draw(model, shape, depth, **options).pixels


def read_picture(source: str | Path | bytes, **options: Any) -> Pixels:
    """The pixels of a file with one picture, [H, W, C]."""
    picture: Pixels
    (picture,) = formats.read(source, **options).pixels
    return picture


def write_picture(pixels: Pixels, depth: int, ending: str) -> bytes:
    """A file of one picture, [H, W, C]."""
    return formats.write(Samples.of(pixels[None], depth), ending)
