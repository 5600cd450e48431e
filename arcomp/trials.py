"""Small pictures that were encoded lately, so that what was tried is not coded again.

To choose a transform, small pictures are coded in several ways as a whole, parts of them in the same way again and
again; then the best way is coded once more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from arcomp.contract.model import BatchSpec, Execution, Model, Payload
from arcomp.contract.tiling import Tiling
from arcomp.samples import Pixels

LARGEST = 1 << 16
"""Bytes of samples that are kept of a picture, at most."""
KEPT = 32
"""How many."""
_Key = tuple[bytes, int, tuple[int, ...], tuple[int, int], bytes]
_payloads: OrderedDict[_Key, Payload] = OrderedDict()
_lock = threading.Lock()


def encode(model: Model, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
    """As :meth:`arcomp.contract.model.Model.encode`; what it gives is the same, whoever coded the picture before."""
    if pixels.nbytes > LARGEST:
        return model.encode(pixels, tiling, spec, how)
    pixels = np.ascontiguousarray(pixels)
    key = model.digest, spec.depth, pixels.shape, tiling.tile, pixels.tobytes()
    with _lock:
        found = _payloads.get(key)
    if found is None:
        found = model.encode(pixels, tiling, spec, how)
    with _lock:
        _payloads[key] = found
        _payloads.move_to_end(key)
        while len(_payloads) > KEPT:
            _payloads.popitem(last=False)
    return found
