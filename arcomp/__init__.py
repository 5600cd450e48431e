"""arcomp: autoregressive models that are working lossless compressors, exact in integers.

>>> import numpy as np
>>> import arcomp
>>> pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
>>> data = arcomp.compress(pixels, model="histogram")
>>> np.array_equal(arcomp.decompress(data).array, pixels)
True

Everything is imported on first use, so that ``import arcomp`` is quick.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"
__all__ = [
    "Archive",
    "ArcompError",
    "Samples",
    "__version__",
    "code_lengths",
    "compress",
    "decompress",
    "load",
    "open",
    "restore",
    "sample",
    "save",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())  # what is said there is for who asks for it

if TYPE_CHECKING:
    from arcomp.api import Archive, Samples, code_lengths, compress, decompress, load, open, restore, sample, save
    from arcomp.errors import ArcompError
else:  # a type checker would take __getattr__ for an answer to everything

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'arcomp' has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module("arcomp.errors" if name == "ArcompError" else "arcomp.api"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return __all__
