"""Whether torch multiplies float32 matrices in float32.

``torch.set_float32_matmul_precision``, ``torch.backends`` and their newer ``fp32_precision`` let it round the operands
to TF32 (11 bits) or bfloat16 (8 bits), on GPUs and on processors that have such products. A program may ask for it at
any moment, also in another thread. So it is looked up at each product of integers, and nothing is set: such a product
is computed in float64, which no setting touches.
"""

from __future__ import annotations

import torch

_WHOLE = ("ieee", "none")


def whole(kind: torch.dtype, device: torch.device) -> torch.dtype:
    """What integers that fit into floats of this kind are multiplied in: the kind, or float64 in place of a float32
    whose operands torch would round."""
    return torch.float64 if kind == torch.float32 and _rounded(device.type) else kind


def _rounded(device: str) -> bool:
    """Whether operands of float32 products may be rounded on a device."""
    cuda = torch.backends.cuda.matmul
    place = cuda if device == "cuda" else getattr(torch.backends.mkldnn, "matmul", None)
    said = getattr(place, "fp32_precision", None)
    if said is not None:  # from torch 2.9; the settings of before are told by it, too
        return said not in _WHOLE
    return bool(cuda.allow_tf32) if device == "cuda" else torch.get_float32_matmul_precision() != "highest"
