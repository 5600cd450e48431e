"""The largest picture, and the words that refusals of pictures share."""

from __future__ import annotations

from collections.abc import Iterable

from arcomp.errors import PictureError
from arcomp.samples import MAX_PIXELS

LOSSY_HINT = "convert it to PNG first"
TO_RGB = "convert it to RGB without transparency first"
TO_8_BITS = "only pictures of 8 bits a sample, or gray ones of 1 bit, are supported"
GET_AGAIN = "get the file again from where it came from"


def damaged(kind: str, why: str) -> PictureError:
    """The error for a damaged picture of some kind ("PNG"); `why` in a few words."""
    return PictureError(f"a damaged {kind} picture: {why}", remedy=GET_AGAIN)


def check_size(width: int, height: int) -> None:
    """Refuse impossible and too large sizes, before anything is decoded.

    Args:
        width: columns in pixels, as a file claims them.
        height: rows in pixels.

    Raises:
        PictureError: a side is below 1, or there are more than MAX_PIXELS pixels.
    """
    if width < 1 or height < 1:
        raise PictureError(f"a picture of {width} x {height} pixels", remedy=GET_AGAIN)
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{width} x {height} is {width * height} pixels, the limit is {MAX_PIXELS}",
            remedy="cut it into smaller pictures",
        )


def names(found: Iterable[str]) -> tuple[str, ...]:
    """Names of metadata, sorted and without empty ones or repetition."""
    return tuple(sorted({name for name in found if name}))


def ordinary_resolution(dots_per_inch: float) -> bool:
    """Whether a resolution is one that programs write when nobody asked: 72, 96, or none."""
    return any(abs(dots_per_inch - usual) < 0.1 for usual in (0.0, 72.0, 96.0))
