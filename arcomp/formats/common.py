"""The largest picture, and the words that refusals of pictures share."""

from __future__ import annotations

from arcomp.errors import PictureError
from arcomp.samples import MAX_PIXELS

LOSSY_HINT = "convert it to PNG first"
TO_RGB = "convert it to RGB first"
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
