"""Files that hold several pictures, each a file of its own or nearly so, such as icons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from arcomp.form import (
    BitsReversed,
    Chunks,
    Decimals,
    Deflated,
    Jpeg,
    Literal,
    Lzw,
    PackBits,
    Raster,
    Scanlines,
    Segment,
    Skeleton,
)
from arcomp.formats.parsed import Parsed
from arcomp.samples import MAX_PIXELS, Picture, Pixels, Samples

Part = tuple[int, int, Parsed]
"""Where a picture's bytes begin and end in a file, and what they are."""


def together(data: bytes, parts: Sequence[Part]) -> Parsed | None:
    """A file of several pictures, as one.

    Samples of a file are of one kind: those that hold most bytes are taken, the others stay literal.

    Args:
        data: the whole file.
        parts: pictures in it, in any sequence.

    Returns:
        None if there are no parts. Of an only one, the samples are still made of what they were; else of pictures.
    """
    bytes_of: Counter[object] = Counter()
    for begin, end, parsed in parts:
        bytes_of[_kind(parsed.samples)] += end - begin
    if not bytes_of:
        return None
    (kind, _), *_ = bytes_of.most_common(1)
    skeleton: list[Segment] = []
    chosen: list[Samples] = []
    at, count, room = 0, 0, MAX_PIXELS
    for begin, end, parsed in sorted(parts, key=lambda part: part[:2]):
        if _kind(parsed.samples) != kind or begin < at or parsed.samples.positions > room:
            continue
        skeleton += [Literal(data[at:begin])] if at < begin else []
        skeleton += _renumbered(parsed.skeleton, count)
        chosen.append(parsed.samples)
        at, count, room = end, count + parsed.samples.count, room - parsed.samples.positions
    skeleton += [Literal(data[at:])] if at < len(data) else []
    first, pictures = chosen[0], _joined([stack for samples in chosen for stack in samples.stacks])
    form = first.form if len(chosen) == 1 else Picture()
    return Parsed(replace(first, stacks=pictures, form=form), tuple(skeleton))


def stacks(pictures: Sequence[Pixels]) -> tuple[Pixels, ...]:
    """Pictures [H, W, C]; those of one size that follow each other together: [N, H, W, C] each."""
    return _joined([picture[None] for picture in pictures])


def _joined(parts: Sequence[Pixels]) -> tuple[Pixels, ...]:
    """Stacks [N, H, W, C]; those of pictures of one size that follow each other as one."""
    found = (list(group) for _, group in groupby(parts, lambda part: part.shape[1:]))
    return tuple(same[0] if len(same) == 1 else np.concatenate(same) for same in found)


def _kind(samples: Samples) -> object:
    """What is one and the same for all pictures of a file."""
    palette = None if samples.palette is None else (samples.palette.shape, samples.palette.tobytes())
    return samples.depth, samples.channels, samples.alpha, palette


def _renumbered(skeleton: Skeleton, before: int) -> Skeleton:
    """The same segments, of pictures that come after so many."""
    return tuple(_later(segment, before) for segment in skeleton)


def _later(segment: Segment, before: int) -> Segment:
    if isinstance(segment, Raster | Scanlines | Decimals):
        return replace(segment, picture=segment.picture + before)
    if isinstance(segment, Deflated | PackBits | Lzw | Chunks | BitsReversed):
        return replace(segment, content=_renumbered(segment.content, before))
    if isinstance(segment, Literal | Jpeg):  # whose coefficients are counted by themselves
        return segment
    return replace(segment, raster=replace(segment.raster, picture=segment.raster.picture + before))
