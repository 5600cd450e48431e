"""Arguments of ``import arcomp``, checked before any work begins; the ranges are those of the command line.

Each function gives the argument back in the type that the code behind relies on, or raises an ArcompError that names
it.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable
from typing import Any

from arcomp.errors import ArcompError, needs_torch
from arcomp.limits import Limits
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, MAX_PIXELS

MAX_THREADS = 4096
"""Most threads that can be asked for."""
MAX_TEMPERATURE = 100
"""Above it, samples are noise anyway."""
NOTHING = "leave it out"
"""Remedy for arguments that have a default."""


def named(value: object) -> str:
    """What an argument is, in words: "an int", "a list", "bytes", "None"."""
    if value is None:
        return "None"
    if isinstance(value, bytes):
        return "bytes"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' or name == 'ndarray' else 'a'} {name}"


def shown(value: object) -> str:
    """An argument as messages print it: on one line, and short."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # anything can be handed in
        return named(value)
    return text if len(text) <= 60 else named(value)


def one_line(error: Exception) -> str:
    """What somebody else's error says, short and on one line."""
    return " ".join(str(error).split())[:100] or type(error).__name__


def _integer(value: object) -> int | None:
    """An integer of Python or NumPy as one of Python; None for what is none."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except Exception:  # anything can be handed in
        return None


def _integers(values: object) -> list[int] | None:
    """A sequence of integers; None for what is none."""
    try:
        found = [_integer(value) for value in values]  # type: ignore[attr-defined]
    except Exception:  # anything can be handed in
        return None
    return None if None in found else [value for value in found if value is not None]


def tile(value: object) -> tuple[int, int] | None:
    """(height, width) of tiles, 0 for that of the picture; or None.

    Raises:
        ArcompError: it is neither.
    """
    if value is None:
        return None
    sides = None if isinstance(value, (str, bytes)) else _integers(value)
    if sides is None or len(sides) != 2 or not all(0 <= side <= MAX_PIXELS for side in sides):
        raise ArcompError(
            f"tile={shown(value)} is no size of tiles",
            remedy="give (height, width), (0, 0) for whole pictures, or None",
        )
    return sides[0], sides[1]


def limits(max_pixels: object, max_memory: object) -> Limits:
    """Most pixels, and most bytes of memory; or None for either.

    Raises:
        ArcompError: one is neither.
    """
    for name, value in (("max_pixels", max_pixels), ("max_memory", max_memory)):
        number = None if value is None else _integer(value)
        if value is not None and (number is None or number < 1):
            raise ArcompError(f"{name}={shown(value)} is no limit", remedy=f"give an integer from 1 on, or {NOTHING}")
    return Limits(_integer(max_pixels), _integer(max_memory))


def crop(value: object) -> tuple[int, int, int, int] | None:
    """(x, y, width, height) of a rectangle; or None.

    Raises:
        ArcompError: it is neither.
    """
    if value is None:
        return None
    found = None if isinstance(value, (str, bytes)) else _integers(value)
    if found is None or len(found) != 4 or min(found) < 0:
        raise ArcompError(f"crop={shown(value)} is no rectangle", remedy="give (x, y, width, height) in pixels")
    return found[0], found[1], found[2], found[3]


def picture(value: object) -> int | None:
    """Which picture, from 0; or None.

    Raises:
        ArcompError: it is neither.
    """
    number = None if value is None else _integer(value)
    if value is not None and (number is None or number < 0):
        raise ArcompError(f"picture={shown(value)} is no number of a picture", remedy="give 0 for the first")
    return number


def device(value: object) -> str:
    """ "cpu" or "cuda", which is there.

    Raises:
        ArcompError: another device, no such device, or torch is not installed.
    """
    if not isinstance(value, str) or value not in ("cpu", "cuda"):
        raise ArcompError(f"device={shown(value)} is not supported", remedy='give "cpu" or "cuda"')
    if value == "cuda":
        with needs_torch('device="cuda"'):
            import torch

        if not torch.cuda.is_available():
            raise ArcompError("no CUDA device is available here", remedy='leave out device="cuda"')
    return value


def threads(value: object) -> int | None:
    """A number of threads, or None.

    Raises:
        ArcompError: it is neither.
    """
    found = _integer(value)
    if value is not None and (found is None or not 1 <= found <= MAX_THREADS):
        raise ArcompError(
            f"threads={shown(value)} is no number of threads", remedy=f"give 1 to {MAX_THREADS}, or {NOTHING}"
        )
    return found


def progress(value: Any) -> Callable[[float], None]:
    """A callback; one that does nothing for None.

    Raises:
        ArcompError: it cannot be called.
    """
    if value is None:
        return lambda part: None
    if not callable(value):
        raise ArcompError(f"progress={shown(value)} cannot be called", remedy="give a function of the part done")
    found: Callable[[float], None] = value
    return found


def shape(value: object) -> tuple[int, int, int, int]:
    """[N, H, W, C] of what is to be drawn.

    Raises:
        ArcompError: it is not four such numbers, or too many pixels.
    """
    found = None if isinstance(value, (str, bytes)) else _integers(value)
    if found is None or len(found) != 4 or min(found) < 1 or found[3] > MAX_CHANNELS:
        raise ArcompError(
            f"shape={shown(value)} is none of pictures",
            remedy=f"give (N, H, W, C), each at least 1 and C at most {MAX_CHANNELS}; of texts (N, 1, length, 1)",
        )
    if math.prod(found[:3]) > MAX_PIXELS:
        raise ArcompError(
            f"shape={shown(value)} is {math.prod(found[:3])} pixels, the limit is {MAX_PIXELS}",
            remedy="draw fewer, or smaller ones",
        )
    return found[0], found[1], found[2], found[3]


def depth(value: object) -> int | None:
    """Bits of a sample, or None.

    Raises:
        ArcompError: it is neither.
    """
    found = _integer(value)
    if value is not None and (found is None or not 1 <= found <= MAX_DEPTH):
        raise ArcompError(
            f"depth={shown(value)} is no number of bits", remedy=f"give an integer from 1 to {MAX_DEPTH}, or {NOTHING}"
        )
    return found


def seed(value: object) -> int:
    """The seed of a draw.

    Raises:
        ArcompError: it is no integer, or below 0.
    """
    found = _integer(value)
    if found is None or found < 0:
        raise ArcompError(f"seed={shown(value)} is no seed", remedy="give an integer from 0 up")
    return found


def temperature(value: object) -> float:
    """The temperature of a draw.

    Raises:
        ArcompError: it is no number, or out of range.
    """
    try:
        found = math.nan if isinstance(value, (str, bytes)) else float(value)  # type: ignore[arg-type]
    except Exception:  # anything can be handed in
        found = math.nan
    if not 0 <= found <= MAX_TEMPERATURE:
        raise ArcompError(
            f"temperature={shown(value)} is no temperature", remedy=f"give a number from 0 to {MAX_TEMPERATURE}"
        )
    return found


def path(value: object) -> str:
    """A path as text.

    Raises:
        ArcompError: it is none.
    """
    try:
        found = os.fspath(value)  # type: ignore[call-overload]
    except Exception:  # anything can be handed in
        found = None
    if not isinstance(found, str):
        raise ArcompError(f"{named(value)} is no path", remedy="give a str or a pathlib.Path")
    return found
