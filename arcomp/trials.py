"""Small pictures that were encoded lately, so that what was tried is not coded again.

To choose a transform, small pictures are coded in several ways as a whole, parts of them in the same way again and
again; then the best way is coded once more.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from arcomp.contract.model import BatchSpec, Execution, Model, Payload
from arcomp.contract.tiling import Tiling
from arcomp.locks import ForkedLock
from arcomp.samples import Pixels

LARGEST = 1 << 16
"""Bytes of samples that are kept of a picture, at most."""
KEPT = 32
"""How many."""
_Key = tuple[bytes, int, tuple[int, ...], tuple[int, int], bytes]
_payloads: OrderedDict[_Key, Payload] = OrderedDict()
_lock = ForkedLock()


def tried(model: Model, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
    """Encode a picture to see how large it becomes: as :meth:`arcomp.contract.model.Model.encode`, which gives the same
    whoever coded the picture before."""
    found = _found(model, pixels, tiling, spec)
    payload = model.encode(np.ascontiguousarray(pixels), tiling, spec, how) if found is None else found
    if pixels.nbytes <= LARGEST:
        with _lock:
            key = _key(model, pixels, tiling, spec)
            _payloads[key] = payload
            _payloads.move_to_end(key)
            while len(_payloads) > KEPT:
                _payloads.popitem(last=False)
    return payload


def encode(model: Model, pixels: Pixels, tiling: Tiling, spec: BatchSpec, how: Execution) -> Payload:
    """The same of a picture that is to be coded: once more only if it was not tried lately."""
    found = _found(model, pixels, tiling, spec)
    return model.encode(pixels, tiling, spec, how) if found is None else found


def forget() -> None:
    """Code everything again, for whoever measures how long that takes."""
    with _lock:
        _payloads.clear()


def _found(model: Model, pixels: Pixels, tiling: Tiling, spec: BatchSpec) -> Payload | None:
    if pixels.nbytes > LARGEST:
        return None
    with _lock:
        return _payloads.get(_key(model, pixels, tiling, spec)) if _payloads else None


def _key(model: Model, pixels: Pixels, tiling: Tiling, spec: BatchSpec) -> _Key:
    return model.digest, spec.depth, pixels.shape, tiling.tile, pixels.tobytes()
