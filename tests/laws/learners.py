"""Models that learn while they code, and their streams, to be compared."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.contract.learning import Stream, Tile
from arcomp.models.photo.depth import of_tile
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.strip import Strip
from tests.contents import pictures
from tests.specimens import LEARNERS

CONTENTS = ("smooth", "noise", "extreme", "constant", "converted")


SHAPES = ((1, 1), (1, 13), (11, 1), (14, 2), (9, 7), (3, 8), (26, 19), (70, 5), (4, 75), (29, 43))


FEW_SHAPES = ((1, 1), (1, 13), (9, 7), (26, 19))
SMALL = ((1, 1), (3, 4), (2, 9))


MODELS: dict[str, Any] = {name: (cache(make), channels) for name, (make, channels) in LEARNERS.items()}
PHOTOS = [name for name in MODELS if name.startswith("photo") and not name.startswith(("photo inner", "photo-max"))]
"""Those with a network that is evaluated in two ways: layers below the heads do not learn."""


def specimen(name: str, content: str, shape: tuple[int, int]) -> tuple[PhotoModel, npt.NDArray[np.uint8]]:
    make, channels = MODELS[name]
    return make(), pictures(content, (*shape, channels), 8)


def nothing(positions: int) -> None:
    """Progress that nobody wants to know."""


def by_chunks(model: PhotoModel, pixels: Tile, device: str = "cpu") -> Stream:
    channels = pixels.shape[2]
    strip = Strip(model.frozen(channels), pixels.shape[0], pixels.shape[1], of_tile(pixels))
    return strip.encode_by_chunks(pixels, model.chunk_network(channels, device), nothing)


def parallel(model: PhotoModel, pixels: Tile) -> Stream:
    return model.encode_tile(pixels)


def decoded(model: PhotoModel, stream: Stream, like: Tile, naive: bool = False) -> Any:
    out = np.zeros_like(like)
    model.decode_tile(stream.data, out, naive=naive)
    return out


def as_long_as_its_nll(stream: Stream) -> bool:
    return 8 * len(stream.data) <= stream.nll_bits * 1.0002 + 8 * 64
