"""arcomp: autoregressive models that are working lossless compressors, exact in integers.

>>> import arcomp, numpy
>>> pixels = numpy.zeros((1, 8, 8, 3), numpy.uint8)
>>> data = arcomp.encode(pixels, 8, arcomp.load("histogram")).data
>>> numpy.array_equal(arcomp.decode(data)[0], pixels)
True

Everything is imported on first use, so that ``import arcomp`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0.dev0"

_OFFERED = {
    "ArcompError": "arcomp.errors",
    "encode": "arcomp.codec",
    "decode": "arcomp.codec",
    "Encoded": "arcomp.codec",
    "draw": "arcomp.sampling",
    "load": "arcomp.contract.registry",
    "measure": "arcomp.measure.bits",
    "read_picture": "arcomp.formats",
    "read_samples": "arcomp.inputs",
    "write_picture": "arcomp.formats",
    "write_samples": "arcomp.inputs",
}
__all__ = [
    "ArcompError",
    "Encoded",
    "__version__",
    "decode",
    "draw",
    "encode",
    "load",
    "measure",
    "read_picture",
    "read_samples",
    "write_picture",
    "write_samples",
]


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module 'arcomp' has no attribute {name!r}")
    return getattr(import_module(_OFFERED[name]), name)


def __dir__() -> list[str]:
    return __all__
