"""The prior of the least squares, from training pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.models.photo.least_squares import Window
from arcomp.models.photo.planes import NEIGHBOURS


def mean_covariance(pictures: list[npt.NDArray[np.uint8]], window: Window) -> npt.NDArray[np.int32]:
    """The prior of a window: the mean over pictures of the covariance of v, each of trace one.

    Args:
        pictures: uint8 [H, W, C], channels in coding order.

    Returns:
        int32 [pairs], in 2**-24.
    """
    total = np.zeros((window.size(pictures[0].shape[2]),) * 2)
    for picture in pictures:
        p = picture.astype(np.float64)
        height, width, _ = p.shape
        rows, columns = slice(4, height), slice(5, width - 4)

        def shifted(dy: int, dx: int, p: npt.NDArray[np.float64] = p, h: int = height, w: int = width) -> Any:
            return p[4 + dy : h + dy, 5 + dx : w - 4 + dx]

        west = shifted(0, -1)
        v = np.concatenate(
            [shifted(y, x) - west for y, x in NEIGHBOURS[1 : window.taps]] + [p[rows, columns] - west], 2
        )
        weight = np.ones(v.shape[:2])
        if window.weighted:
            n, nw, ne, x = shifted(-1, 0), shifted(-1, -1), shifted(-1, 1), p[rows, columns]
            activity = sum(np.abs(d) for d in (west - nw, n - nw, n - ne, x - west, x - n)).mean(2) / 5
            weight = 1 / (1 + activity)
        v = v.reshape(-1, v.shape[2])
        covariance = (v * weight.reshape(-1, 1)).T @ v
        trace = np.trace(covariance)
        if trace > 0:
            total += covariance / trace
    total += np.eye(len(total)) * max(1.0, np.trace(total)) * 1e-5  # positive definite, also for pictures of one colour
    return np.asarray(np.round(total[np.tril_indices(len(total))] / np.trace(total) * (1 << 24)), np.int32)
