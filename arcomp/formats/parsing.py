"""Taking a file apart into samples and the rest, by its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from arcomp.errors import PictureError
from arcomp.formats import bmp, ico, npy, png, pnm, tiff, wav
from arcomp.formats.kinds import kind_of
from arcomp.formats.parsed import Parsed

Parser = Callable[[bytes], Parsed | None]

PARSERS: Mapping[str, Parser] = MappingProxyType(
    {"png": png.parse, "icon": ico.parse, "tiff": tiff.parse, "bmp": bmp.parsed, "pnm": pnm.parsed, "wav": wav.parsed}
)
"""By the kind of a file (:mod:`arcomp.formats.kinds`) the function that takes it apart; it gives None, or raises, where
it does not. Other kinds are not taken apart."""


def parse(data: bytes) -> Parsed | None:
    """Take a file apart.

    Args:
        data: the whole file.

    Returns:
        None if its format is not known, or if something about it is so odd that it is better taken as bytes.
    """
    try:
        if data.startswith((npy.NPY, npy.ZIP)):
            return npy.parsed(data)
        parser = PARSERS.get(kind_of(data[:64]))
        return parser(data) if parser is not None else None
    except PictureError:
        return None
