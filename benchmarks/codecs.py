"""arcomp's models as codecs, beside those of :mod:`arcomp.measure.codecs`; which are compared: choice.py."""

from __future__ import annotations

import os
from typing import Any

from arcomp.measure.codecs import Codec, Pixels
from arcomp.samples import Samples


class Model(Codec):
    """One of arcomp's models.

    Args:
        name: as arcomp calls it, or the path of its weights.
        threads: for models that code several tiles at a time; -1 for one a core.
    """

    def __init__(self, name: str, threads: int = -1) -> None:
        self.name, self.threads = name, None if threads < 0 else threads
        self._model: Any = None
        self._nll: float | None = None
        self._static: float | None = None

    @property
    def model(self) -> Any:
        """Loaded on first use."""
        if self._model is None:
            from arcomp.contract import registry

            self._model = registry.load(self.name)
        return self._model

    def available(self) -> str:
        """See :meth:`Codec.available`."""
        from arcomp.errors import ModelError

        try:
            return "" if self.model else "no model"
        except ModelError as error:
            return str(error)

    def takes(self, pixels: Pixels) -> str:
        """See :meth:`Codec.takes`."""
        from arcomp.errors import ModelError

        try:
            self.model.check(pixels.shape[2], 8)
        except ModelError as error:
            return error.cause
        return ""

    def encode(self, pixels: Pixels) -> bytes:
        """See :meth:`Codec.encode`."""
        from arcomp import codec

        encoded = codec.encode(Samples.of(pixels[None]), self.model, threads=self.threads)
        self._nll, self._static = encoded.nll_bits, encoded.static_bits
        return encoded.data

    def decode(self, data: bytes) -> Pixels:
        """See :meth:`Codec.decode`."""
        from arcomp import codec

        pixels: Pixels = codec.decode(data, model=self.model, threads=self.threads).pixels[0]
        return pixels

    def nll_bits(self) -> float | None:
        """See :meth:`Codec.nll_bits`."""
        return self._nll

    def static_bits(self) -> float | None:
        """See :meth:`Codec.static_bits`."""
        return self._static


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
