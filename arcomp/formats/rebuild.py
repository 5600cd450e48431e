"""A file from its form and its samples, whatever its format."""

from __future__ import annotations

import io
from collections.abc import Iterator

from arcomp.form import Decimals, Literal, Raster, Segment, Skeleton
from arcomp.formats.layouts import Buffer, packed
from arcomp.samples import Pixels, Samples


def rebuild(skeleton: Skeleton, samples: Samples) -> bytes:
    """The whole file.

    Raises:
        ValueError: the form is not one of these samples.
    """
    made = io.BytesIO()  # gives its own buffer away: the file is not copied once more
    for piece in pieces(skeleton, samples):
        made.write(piece)
    return made.getvalue()


def pieces(skeleton: Skeleton, samples: Samples) -> Iterator[Buffer]:
    """The file, some bytes after the other: as little as possible is held at once."""
    for segment in skeleton:
        yield from _segment(segment, samples)


def picture(samples: Samples, index: int) -> Pixels:
    """A picture counted through all stacks, uint8 or uint16 [H, W, C].

    Raises:
        ValueError: there are not so many.
    """
    for stack in samples.stacks:
        if 0 <= index < len(stack):
            view: Pixels = stack[index]
            return view
        index -= len(stack)
    raise ValueError("a picture that is not among the samples")


def _segment(segment: Segment, samples: Samples) -> Iterator[Buffer]:
    if isinstance(segment, Literal):
        yield segment.data
    elif isinstance(segment, Raster):
        yield from raster(segment, samples)
    elif isinstance(segment, Decimals):
        from arcomp.formats.decimals import rendered  # Numba takes a second to import: only where it is needed

        yield from rendered(segment, picture(samples, segment.picture))
    else:
        raise ValueError(f"segments of type {type(segment).__name__} cannot be rebuilt")


def raster(segment: Raster, samples: Samples) -> Iterator[Buffer]:
    """The rows of a rectangle of a picture.

    Raises:
        ValueError: it is not within the picture, or has channels that the picture has not.
    """
    whole = picture(samples, segment.picture)
    bottom, right = segment.y + segment.height, segment.x + segment.width
    inside = min(segment.y, segment.x) >= 0 and bottom <= whole.shape[0] and right <= whole.shape[1]
    if not inside or min(segment.height, segment.width) < 1 or max(segment.layout.channels) >= whole.shape[2]:
        raise ValueError("a rectangle that is not within its picture")
    part = whole[segment.y : bottom, segment.x : right]
    part = part.transpose(1, 0, 2) if segment.transposed else part
    yield from packed(part, segment.layout, stride=segment.stride, upward=segment.upward, padding=segment.padding)
