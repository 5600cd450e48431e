"""Many small pictures as one: what codecs of single pictures are given, and what a page shows."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Element = TypeVar("Element", bound=np.generic)


def sheet(pictures: npt.NDArray[Element], gap: int = 0, fill: Any = 0) -> npt.NDArray[Element]:
    """Pictures side by side, row by row, about as wide as high.

    Args:
        pictures: [N, H, W, ...].
        gap: pixels between them.
        fill: value of gaps and of places left over.

    Returns:
        [rows, columns, ...]; for one picture that picture.
    """
    count, height, width = pictures.shape[:3]
    columns = min(count, max(1, round(math.sqrt(count * height / width))))
    rows = -(-count // columns)
    whole = np.full((rows * (height + gap), columns * (width + gap), *pictures.shape[3:]), fill, pictures.dtype)
    for i, picture in enumerate(pictures):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        whole[y : y + height, x : x + width] = picture
    return whole[: whole.shape[0] - gap, : whole.shape[1] - gap]
