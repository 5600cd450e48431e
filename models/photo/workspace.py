"""What the kernels of one strip work with: constants of the windows, and room for one front."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.lanes import aligned
from arcomp.models.photo import covariance, similarity
from arcomp.models.photo.planes import LANES, Int32, Int64
from arcomp.models.photo.windows import Window, layout, pairs, samples_of


def log2_table() -> Int32:
    """floor(16 log2 i) for i in 0..4095 (0 for i = 0), by integers: i^16 has that many bits less one."""
    return np.array([0] + [(i**16).bit_length() - 1 for i in range(1, 4096)], np.int32)


class Squares(NamedTuple):
    """The windows as kernels take them (:func:`arcomp.models.photo.windows.layout`), and the table of logarithms."""

    spec: Int64
    real: npt.NDArray[np.float64]
    prior: npt.NDArray[np.float64]
    logs: Int32
    places: Int64
    """Samples of windows that weigh by similarity: :func:`arcomp.models.photo.windows.samples_of`."""
    fading: npt.NDArray[np.float64]


class Work(NamedTuple):
    """Room for one front of a strip; a column for each pixel, as many as the longest front has and LANES to spare."""

    sums: Int32
    """[all windows' pairs, columns of a plane]: the windows' covariances, kept from front to front."""
    pairs: covariance.Pairs
    samples: Int32
    """[m + 1, most samples]: of a window that begins a row (:func:`least_squares.begin_row`)."""
    alike: similarity.Workspace
    matrix: npt.NDArray[np.float64]
    vector: npt.NDArray[np.float64]
    units: npt.NDArray[np.float64]
    """[LANES]: what a residual variance is counted in."""
    low: Int32
    """[windows, channels, n]: predictions of lower order; full, factor, variance: see :func:`least_squares.solve`."""
    full: Int32
    factor: Int32
    variance: Int32
    total: Int32
    """[3 + windows, channels, n]: mean errors (Q8) of base, trunk's base, base at the four nearest, each window."""
    weight: npt.NDArray[np.float64]
    """[windows + 2, n]: of each window in a channel's base."""
    trunk_base: Int32
    """[channels, n]. base, scale, inverse (2**18 / scale), trunk_inverse: the same shape."""
    base: Int32
    scale: Int32
    inverse: Int32
    trunk_inverse: Int32
    predictions: Int32
    """[windows, channels, n]: with the channels before."""
    current: Int32
    """[channels, n]: the pixel's own levels, once known."""


def squares(windows: tuple[Window, ...], channels: int, prior: npt.NDArray[np.int32]) -> Squares:
    """Constants of the windows; ``prior`` in 2**-24 of the trace."""
    spec, real, _, _ = layout(windows, channels)
    return Squares(spec, real, prior.astype(np.float64) / float(1 << 24), log2_table(), *samples_of(windows))


def work(windows: tuple[Window, ...], channels: int, columns: int, longest: int) -> Work:
    """Room for fronts of at most ``longest`` pixels; ``columns`` of a plane."""
    _, _, sums, _ = layout(windows, channels)
    n = -(-longest // LANES) * LANES + LANES
    count = len(windows)
    largest = max(w.size(channels) for w in windows)

    def integers(*shape: int) -> Int32:
        made: Int32 = aligned((*shape, n), np.int32)
        return made

    return Work(
        aligned((sums, columns), np.int32),
        covariance.pairs_of(largest),
        aligned((largest + 1, max(w.samples() for w in windows) + 1), np.int32),
        similarity.workspace(windows, channels),
        aligned((pairs(largest), 8), np.float64),
        aligned((largest, 8), np.float64),
        aligned((LANES,), np.float64),
        integers(count, channels),
        integers(count, channels),
        integers(count, 3),
        integers(count, channels),
        integers(3 + count, channels),
        aligned((count + 2, n), np.float64),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(count, channels),
        integers(channels),
    )
