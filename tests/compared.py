"""What is compared in tests of ``arcomp compare``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def picture(path: Path, *shape: int, seed: int = 0) -> Path:
    """A small picture with few levels, gray without a third number."""
    levels = np.random.default_rng(seed).integers(100, 108, shape, np.uint8)
    Image.fromarray(levels).save(path)
    return path
