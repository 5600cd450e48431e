"""One picture's file as another: the same pixels, and its metadata where the other format has room for it."""

from __future__ import annotations

from dataclasses import dataclass

from arcomp.errors import OutputError, PictureError
from arcomp.form import Literal, Skeleton
from arcomp.formats import png, tiff
from arcomp.formats.kinds import kind_of
from arcomp.formats.metadata.fields import Metadata
from arcomp.formats.metadata.reading import read_metadata
from arcomp.formats.npy import ARRAY_ENDINGS
from arcomp.formats.parsing import parse
from arcomp.formats.png_writing import repacked
from arcomp.formats.reading import lost_in, read
from arcomp.formats.writing import ENDINGS, LOSSY, check_colours, write
from arcomp.samples import Samples, in_colours

_KINDS = {
    "tif": "tiff", "jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "ppm": "pnm", "pgm": "pnm", "pbm": "pnm", "pam": "pnm"
}  # fmt: skip
"""The kind of a file, by its ending, where the two differ."""
_STARTS = {
    "npy": (b"\x93NUMPY",),
    "npz": (b"PK\x03\x04",),
    "jp2": (b"\0\0\0\x0cjP  ",),
    "jxl": (b"\0\0\0\x0cJXL ", b"\xff\x0a"),
}
"""How files begin whose kind is not known otherwise."""
_NETPBM = {"pam": b"7", "pbm": b"14"}
"""The second byte of files of Netpbm, by their ending; for others it may be any but 7: readers go by it."""


@dataclass(frozen=True)
class Converted:
    """A file made of another.

    Attributes:
        data: the file.
        lost: names of what the other said that this one does not.
    """

    data: bytes
    lost: tuple[str, ...]


def is_of(data: bytes, ending: str) -> bool:
    """Whether a file may have an ending as it is: it is of the kind that the ending says, or the ending says none.

    Args:
        data: the file. ending: lower-case, without a dot.
    """
    if ending not in ENDINGS and ending not in ARRAY_ENDINGS and ending not in LOSSY:
        return True
    if ending in _STARTS:
        return data.startswith(_STARTS[ending])
    if ending in ("heic", "avif"):
        return data[4:8] == b"ftyp"
    try:
        kind = kind_of(data[:64])
    except PictureError:
        return False
    if kind == "pnm" and data[1:2] not in _NETPBM.get(ending, b"123456"):
        return False
    return kind == _KINDS.get(ending, ending)


def converted(data: bytes, ending: str) -> Converted:
    """A picture's file as one of another ending: the same pixels, a palette's colours where there can be no palette.

    What was made is read again. So what it does not say is known, and no pixel differs. A PNG as a PNG is deflated
    anew and keeps all that it says, frames too.

    Raises:
        PictureError: it is no picture that can be read.
        OutputError: no such file holds its pixels without loss.
    """
    parsed = parse(data)
    if parsed is not None and data.startswith(png.SIGNATURE) and png.is_sound(data, parsed):
        if ending == "png":
            return Converted(repacked(parsed), ())
        if ending in ENDINGS and png.has_transparent_colour(data):
            raise OutputError(f"{ending} cannot hold a colour that is transparent", remedy="choose png")
    samples, metadata = read(data, allow_lossy=True), read_metadata(data)
    made = made_of(samples, metadata, ending)
    lost = [*made.lost]
    if (further := metadata.pictures - samples.count) > 0:
        lost.append(f"{further} further picture{'s' if further > 1 else ''}")
    lost += _hidden(parsed.skeleton) if parsed and not (data.startswith(tiff.STARTS) and tiff.is_tiled(data)) else []
    return Converted(made.data, tuple(dict.fromkeys(lost)))


def made_of(samples: Samples, metadata: Metadata, ending: str) -> Converted:
    """A file of an ending made of samples, of a palette its colours where there can be no palette. It is read again.

    Raises:
        OutputError: no such file holds them without loss.
    """
    written, data = _written(samples, ending, metadata)
    lost = [*lost_in(data, written), *metadata.missing_in(read_metadata(data))]
    if samples.palette is not None and written.palette is None:
        lost.append("palette")
    return Converted(data, tuple(dict.fromkeys(lost)))


def _hidden(skeleton: Skeleton, inside: bool = False) -> list[str]:
    """Names of bytes that lie between pixels: in the padding of rows, or in a packed stream after its picture."""
    found: list[str] = []
    after = False  # what comes before the pixels is the header of an array
    for segment in skeleton:
        raster = getattr(segment, "raster", segment)
        found += ["padding of rows"] if getattr(raster, "padding", b"") else []
        found += ["data after its pixels"] if inside and after and isinstance(segment, Literal) else []
        after |= not isinstance(segment, Literal)
        found += _hidden(getattr(segment, "content", ()), True)
    return found


def _written(samples: Samples, ending: str, metadata: Metadata) -> tuple[Samples, bytes]:
    """The samples that were written, and the file."""
    try:
        return samples, write(samples, ending, metadata)
    except OutputError:
        if samples.palette is None or ending in ARRAY_ENDINGS:
            raise
    check_colours(samples)
    coloured = in_colours(samples)
    return coloured, write(coloured, ending, metadata)
