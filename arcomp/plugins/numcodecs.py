"""A codec of numcodecs, for zarr 2 and whatever else takes those; its entry point makes it known.

It is used as any other: ``compressor={"id": "arcomp", "preset": "fast"}`` or ``compressor=Arcomp(preset="fast")``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_contiguous_ndarray_like, ndarray_copy

from arcomp.contract.registry import with_preset
from arcomp.plugins import chunks


class Arcomp(Codec):  # type: ignore[misc]
    """Lossless compression of arrays of 2 to 5 axes, of bool and integers of 8 and 16 bits.

    Decoding needs the bytes only.

    Args:
        model: the name of a model; None: photo.
        preset: of photo: "turbo", "fast", "balanced" or "max"; None: balanced.

    Raises:
        ArcompError: a preset of another model.
    """

    codec_id = "arcomp"

    def __init__(self, model: str | None = None, preset: str | None = None) -> None:
        self.model, self.preset = model, preset
        self._name = with_preset(model, preset)

    def encode(self, buf: Any) -> bytes:
        """Compress an array; one whose first index runs fastest is taken as it lies in memory.

        Raises:
            ArcompError: it is of another type or number of axes.
        """
        array = np.asarray(buf)
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            array = array.T
        return chunks.encode(array, self._name)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """The array's numbers, of its type and byte order, as [N, H, W, C].

        Raises:
            ArcompError: they are damaged, or their model is not here.
        """
        found = chunks.decode(ensure_contiguous_ndarray_like(buf).tobytes())
        return found if out is None else ndarray_copy(np.ascontiguousarray(found).reshape(-1), out)
