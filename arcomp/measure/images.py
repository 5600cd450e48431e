"""Pictures and maps of bits as a page holds them: small enough, and in the page itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt

SIDE = 512
"""Most rows or columns; larger pictures are made smaller by means over blocks."""
SMALL = 128
"""Pictures of at most so many rows and columns are kept as they are, and enlarged as squares."""
QUALITY = 85
"""Of WebP, for what is not small."""


def reduced(picture: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Means over square blocks, so that no side is over SIDE: [H, W, ...] -> float64."""
    block = -(-max(picture.shape[:2]) // SIDE)
    height, width = (-(-side // block) for side in picture.shape[:2])
    padded = np.pad(
        picture.astype(np.float64),
        [(0, height * block - picture.shape[0]), (0, width * block - picture.shape[1])] + [(0, 0)] * (picture.ndim - 2),
        mode="edge",
    )
    blocks = padded.reshape(height, block, width, block, *picture.shape[2:])
    return np.asarray(blocks.mean((1, 3)), np.float64)


def small(picture: npt.NDArray[Any]) -> bool:
    """Whether its pixels are to be seen as squares."""
    return bool(max(picture.shape[:2]) <= SMALL)


def uri(picture: npt.NDArray[np.uint8]) -> str:
    """uint8 [H, W], [H, W, 1] or [H, W, 3] as an address that holds it: PNG if small, else WebP, which is not exact."""
    from PIL import Image

    image = Image.fromarray(picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture)
    kind = "PNG" if small(picture) else "WEBP"
    buffer = io.BytesIO()
    image.save(buffer, kind, **({} if kind == "PNG" else {"quality": QUALITY, "method": 4}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
