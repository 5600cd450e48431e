"""What the network sees of a whole strip that is known, for training."""

from __future__ import annotations

from typing import Any

from arcomp.exact.kernels import kernel
from arcomp.models.photo.inputs import enter, extras, look, look_channel, observe
from arcomp.models.photo.planes import SKEW, first_row, last_row


@kernel()
def examine(
    planes: Any, squares: Any, work: Any, pixels: Any, begin: int, end: int,
    out: Any, extra: Any, base: Any, scale: Any, gates: Any, where: Any,
) -> int:  # fmt: skip
    """Fronts begin .. end - 1 of a known strip, uint8 [H, W, C]: everything but contexts.

    Args:
        out: int8 [inputs, N]; extra: int8 [all channels' extras, N]; base: int32 [C, N] in Q6; scale: int32 [C, N] in
            Q8; gates: int32 [C, windows, N], Q6: each window's prediction less the base; where: int32 [2, N], y and x.

    Returns:
        Positions written, front by front.
    """
    channels, windows = planes.channels, planes.windows
    n = 0
    for t in range(begin, end):
        first = first_row(t, planes.width)
        count = last_row(t, planes.height) - first + 1
        if count <= 0:
            continue
        look(planes, squares, work, t, first, count, out[:, n : n + count])
        o = 0
        for c in range(channels):
            more = extras(c, windows)
            look_channel(squares, work, c, count, extra[o : o + more, n : n + count])
            o += more
            for k in range(count):
                work.current[c, k] = pixels[first + k, t - SKEW * (first + k), c]
                base[c, n + k] = work.base[c, k]
                scale[c, n + k] = work.scale[c, k]
            for w in range(windows):
                for k in range(count):
                    gates[c, w, n + k] = work.predictions[w, c, k] - work.base[c, k]
            enter(planes, t, first, count, c, work.current[c])
        for k in range(count):
            where[0, n + k] = first + k
            where[1, n + k] = t - SKEW * (first + k)
        observe(planes, work, t, first, count)
        n += count
    return n
