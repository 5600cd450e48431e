"""Taking a file apart into samples and the rest, by its first bytes."""

from __future__ import annotations

from collections.abc import Callable

from arcomp.errors import PictureError
from arcomp.formats import bmp, ico, npy, png, pnm, tiff
from arcomp.formats.parsed import Parsed

Parser = Callable[[bytes], Parsed | None]

_PARSERS: tuple[tuple[bytes, Parser], ...] = (
    (png.SIGNATURE, png.parse),
    (ico.ICON, ico.parse),
    (ico.CURSOR, ico.parse),
    (ico.ICNS, ico.parse),
    *((start, tiff.parse) for start in tiff.STARTS),
    (b"BM", bmp.parsed),
    (npy.NPY, npy.parsed),
    (npy.ZIP, npy.parsed),
    *((b"P%d" % kind, pnm.parsed) for kind in range(1, 8)),
)
"""How files begin, and the function that takes them apart; it gives or raises why it does not."""


def parse(data: bytes) -> Parsed | None:
    """Take a file apart.

    Args:
        data: the whole file.

    Returns:
        None if its format is not known, or if something about it is so odd that it is better taken as bytes.
    """
    for magic, parser in _PARSERS:
        if data.startswith(magic):
            try:
                return parser(data)
            except PictureError:
                return None
    return None
