"""What any picture's file says besides its pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from arcomp.errors import PictureError
from arcomp.formats.kinds import kind_of
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.metadata.of_bmp import of_bmp
from arcomp.formats.metadata.of_gif import of_gif
from arcomp.formats.metadata.of_jpeg import of_jpeg
from arcomp.formats.metadata.of_others import of_arrays, of_icon, of_pnm, of_wav
from arcomp.formats.metadata.of_png import of_png
from arcomp.formats.metadata.of_tiff import of_tiff
from arcomp.formats.metadata.of_webp import of_webp
from arcomp.formats.npy import is_array

READERS: Mapping[str, Callable[[bytes], Metadata]] = MappingProxyType(
    {
        "png": of_png, "jpeg": of_jpeg, "bmp": of_bmp, "gif": of_gif, "tiff": of_tiff, "webp": of_webp, "pnm": of_pnm,
        "icon": of_icon, "wav": of_wav,
    }
)  # fmt: skip
"""By the kind of a file, all kinds that there are."""


def read_metadata(data: bytes) -> Metadata:
    """What a picture's file says besides its pixels; what is damaged is named.

    Args:
        data: the whole file.
    """
    if is_array(data[:320]):
        return of_arrays(data)
    try:
        kind = kind_of(data[:64])
    except PictureError:
        return NONE
    return READERS[kind](data)
