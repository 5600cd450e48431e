"""The windows of the least squares: where their samples lie, their numbers for the kernels, their priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding.levels import HIGHEST
from arcomp.contract.settings import choice, setting
from arcomp.errors import ModelError
from arcomp.models.photo.planes import LEFT, MARGIN, NEIGHBOURS, RIGHT, SKEW, Int64

LOW_ORDER = 3
"""Neighbours of the prediction of lower order."""
WEIGHT_BITS = 6
"""Sample weights are 0 .. 64."""
FULL_WEIGHT = 1 << WEIGHT_BITS
VARIANCE_UNIT = 16.0
"""Variances are in 1/16."""
COMPARED = 6
"""Neighbours that are compared where samples count by similarity."""
STEP, ROWS, REACH_LEFT, REACH_RIGHT, TAPS, WEIGHTED, SIZE, SUMS_AT, PRIOR_AT, SIMILARITY, SAMPLES, SAMPLES_AT = range(
    12
)


@dataclass(frozen=True)
class Window:
    """Where the samples of one least-squares problem lie, in steps of ``step`` pixels both ways.

    Attributes:
        step: 1 for every pixel, 2 for those of the same phase only.
        rows: rows above. left, right: columns to the left and right (right * step at most 7).
        taps: neighbours used (the first of NEIGHBOURS).
        weighted: count samples of smooth surroundings more.
        beta: of the prior. ridge: added to the diagonal.
        similarity: where not 0, samples count the more, the more their surroundings resemble the pixel's: the squared
            difference, in levels, that halves a weight (:mod:`arcomp.models.photo.similarity`).
        fade: a step's factor of those weights.
    """

    step: int = setting(1, 2)
    rows: int = setting(1, 32)
    left: int = setting(1, 32)
    right: int = setting(0, RIGHT)
    taps: int = setting(LOW_ORDER + 1, len(NEIGHBOURS))
    weighted: bool = choice(False, True)
    beta: float = setting(0.0, 1.0)
    ridge: float = setting(1.0, 1000.0)
    similarity: float = setting(0.0, 1000.0, default=0.0)
    fade: float = setting(0.5, 1.0, default=1.0)

    def __post_init__(self) -> None:
        full = FULL_WEIGHT if self.weighted or self.similarity else 1
        if (
            self.samples() * full * HIGHEST**2 >= 2**31  # a sum is an int32
            or self.step * self.right > RIGHT
            or (self.similarity and (self.step > 1 or self.weighted or self.similarity < 0.1))
            or self.step * self.rows + 4 > MARGIN
            or self.step * (self.left + 1) + 4 > LEFT
        ):
            raise ModelError(f"a window of the least squares reaches too far, or counts in two ways: {self}")

    def size(self, channels: int) -> int:
        """Length m of v."""
        return self.taps * channels

    def samples(self) -> int:
        """Samples of the window."""
        return self.rows * (self.left + self.right + 1) + self.left

    def places(self) -> list[tuple[int, int]]:
        """(dy, dx) of the samples."""
        columns = [range(-self.left, self.right + 1 if i else 0) for i in range(self.rows + 1)]
        return [(-self.step * i, self.step * j) for i, own in enumerate(columns) for j in own]

    def reach(self) -> int:
        """Fronts that it looks back."""
        near = NEIGHBOURS[: max(self.taps, COMPARED if self.similarity else 0)]
        rows = self.step * self.rows + int(-near[:, 0].min())
        columns = self.step * (self.left + 1) + int(-near[:, 1].min())
        return SKEW * rows + columns


def pairs(size: int) -> int:
    """Entries of a symmetric matrix."""
    return size * (size + 1) // 2


def layout(windows: tuple[Window, ...], channels: int) -> tuple[Int64, npt.NDArray[np.float32], int, int]:
    """Windows as plain numbers for the kernels.

    Returns:
        int64 [windows, 12]; float32 [windows, 4] (beta, ridge, what variances are multiplied by, similarity); length of
        all sums that are kept, for each column of a plane; length of all priors.
    """
    spec = np.zeros((len(windows), 12), np.int64)
    real = np.zeros((len(windows), 4), np.float32)
    sums = prior = samples = 0
    for i, w in enumerate(windows):
        m = w.size(channels)
        by_similarity = w.similarity > 0
        spec[i] = (
            w.step, w.rows, w.left, w.right, w.taps, w.weighted, m, sums, prior, by_similarity, w.samples(), samples
        )  # fmt: skip
        area = w.samples() * (FULL_WEIGHT if w.weighted else 1)
        unit = (5.0 if w.weighted else 1.0) / area  # less the sum of the weights where they are made for each pixel
        real[i] = (w.beta, w.ridge, VARIANCE_UNIT * (1.0 if by_similarity else unit), w.similarity)
        sums += 0 if by_similarity else w.step * pairs(m)
        prior += pairs(m)
        samples += w.samples() + 1 if by_similarity else 0
    return spec, real, sums, prior


def compared(windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    """(dy, dx) of all samples of the windows that weigh by similarity, each once."""
    return list(dict.fromkeys(place for w in windows if w.similarity for place in w.places())) or [(0, -1)]


def samples_of(windows: tuple[Window, ...]) -> tuple[Int64, npt.NDArray[np.float32]]:
    """Where the samples of the windows that weigh by similarity are, and how their weights fade.

    Returns:
        int64 [samples, 3], (dy, dx, number among those that are compared), one more than there are for each window;
        float32 [samples].
    """
    places, fading, number = [(0, -1, 0)], [np.float32(0.0)], {place: n for n, place in enumerate(compared(windows))}
    for w in windows:
        if w.similarity:
            steps = [np.float32(1.0)]
            for _ in range(w.rows + max(w.left, w.right)):
                steps.append(steps[-1] * np.float32(w.fade))
            places += [(*place, number[place]) for place in w.places()] + places[:1]
            fading += [*(steps[abs(dy) + abs(dx)] for dy, dx in w.places()), fading[0]]
    return np.array(places[1:] or places, np.int64), np.array(fading[1:] or fading, np.float32)


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
