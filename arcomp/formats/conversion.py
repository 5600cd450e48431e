"""One picture's file as another: the same pixels, and its metadata where the other format has room for it."""

from __future__ import annotations

from arcomp.errors import OutputError, PictureError
from arcomp.formats import png
from arcomp.formats.kinds import kind_of
from arcomp.formats.metadata import read_metadata
from arcomp.formats.png_writing import repacked
from arcomp.formats.reading import read
from arcomp.formats.writing import ENDINGS, write

_KINDS = {"tif": "tiff", "jpg": "jpeg", "jpe": "jpeg", "ppm": "pnm", "pgm": "pnm", "pbm": "pnm", "pam": "pnm"}
"""The kind of a file, by its ending, where the two differ."""
_NETPBM = {"pam": b"7", "pbm": b"14"}
"""The second byte of files of Netpbm, by their ending; for others it may be any but 7: readers go by it."""


def is_of(data: bytes, ending: str) -> bool:
    """Whether a file may have an ending as it is: it is of the kind that the ending says, or the ending says none.

    Args:
        data: the file. ending: lower-case, without a dot.
    """
    if ending not in ENDINGS and ending not in ("npy", "npz", "jpg", "jpeg"):
        return True
    try:
        kind = kind_of(data[:64])
    except PictureError:
        return False
    if kind == "pnm" and data[1:2] not in _NETPBM.get(ending, b"123456"):
        return False
    return kind == _KINDS.get(ending, ending)


def converted(data: bytes, ending: str) -> bytes:
    """A picture's file as one of another ending. A PNG as PNG is deflated anew, and keeps all else that is in it.

    Raises:
        PictureError: it is no picture that can be read.
        OutputError: no such file holds its pixels without loss.
    """
    parsed = png.parse(data) if data.startswith(png.SIGNATURE) else None
    if parsed is not None and png.is_sound(data, parsed):
        if ending == "png":
            return repacked(parsed)
        if ending in ENDINGS and png.has_transparent_colour(data):
            raise OutputError(f"{ending} cannot hold a colour that is transparent", remedy="choose png")
    return write(read(data, allow_lossy=True), ending, read_metadata(data))
