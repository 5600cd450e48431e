"""The windows of the least squares: where their samples lie, their numbers for the kernels, their priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.models.photo.planes import NEIGHBOURS, SKEW, Int64

LOW_ORDER = 3
"""Neighbours of the prediction of lower order."""
WEIGHT_BITS = 6
"""Sample weights are 1 .. 64."""
STEP, ROWS, REACH_LEFT, REACH_RIGHT, TAPS, WEIGHTED, SIZE, SUMS_AT, PRIOR_AT = range(9)


@dataclass(frozen=True)
class Window:
    """Where the samples of one least-squares problem lie, in steps of ``step`` pixels both ways.

    Attributes:
        step: 1 for every pixel, 2 for those of the same phase only.
        rows: rows above. left, right: columns to the left and right (right * step at most 7).
        taps: neighbours used (the first of NEIGHBOURS).
        weighted: count samples of smooth surroundings more.
        beta: of the prior. ridge: added to the diagonal.
    """

    step: int
    rows: int
    left: int
    right: int
    taps: int
    weighted: bool
    beta: float
    ridge: float

    def size(self, channels: int) -> int:
        """Length m of v."""
        return self.taps * channels

    def samples(self) -> int:
        """Samples of the window."""
        return self.rows * (self.left + self.right + 1) + self.left

    def reach(self) -> int:
        """Fronts that it looks back."""
        rows = self.step * self.rows + int(-NEIGHBOURS[: self.taps, 0].min())
        columns = self.step * (self.left + 1) + int(-NEIGHBOURS[: self.taps, 1].min())
        return SKEW * rows + columns


def pairs(size: int) -> int:
    """Entries of a symmetric matrix."""
    return size * (size + 1) // 2


def layout(windows: tuple[Window, ...], channels: int) -> tuple[Int64, npt.NDArray[np.float64], int, int]:
    """Windows as plain numbers for the kernels.

    Returns:
        int64 [windows, 9]; float64 [windows, 3] (beta, ridge, 1 / effective samples); length of all sums for each
        column of a plane; length of all priors.
    """
    spec = np.zeros((len(windows), 9), np.int64)
    real = np.zeros((len(windows), 3))
    sums = prior = 0
    for i, w in enumerate(windows):
        m = w.size(channels)
        spec[i] = (w.step, w.rows, w.left, w.right, w.taps, w.weighted, m, sums, prior)
        area = w.samples() * (1 << WEIGHT_BITS if w.weighted else 1)
        real[i] = (w.beta, w.ridge, (5.0 if w.weighted else 1.0) / area)
        sums += w.step * pairs(m)
        prior += pairs(m)
    return spec, real, sums, prior


def split_prior(
    windows: tuple[Window, ...], channels: int, prior: npt.NDArray[np.int32]
) -> list[npt.NDArray[np.int32]]:
    """The windows' parts of all priors."""
    ends = np.cumsum([pairs(w.size(channels)) for w in windows])
    return np.split(prior, ends[:-1])


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
