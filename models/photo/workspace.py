"""What the kernels of one strip work with: constants of the windows, and the workspace of one front."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.exact.lanes import aligned
from arcomp.models.photo import covariance, similarity
from arcomp.models.photo.depth import EIGHT, Depth
from arcomp.models.photo.planes import LANES, Int32, Int64
from arcomp.models.photo.windows import Window, compared, layout, pairs, samples_of


@cache
def log2_table() -> Int32:
    """floor(16 log2 i) for i in 0..4095 (0 for i = 0), by integers: i^16 has that many bits less one."""
    return np.array([0] + [(i**16).bit_length() - 1 for i in range(1, 4096)], np.int32)


class Squares(NamedTuple):
    """The windows as kernels take them (:func:`arcomp.models.photo.windows.layout`), and the table of logarithms."""

    spec: Int64
    """[windows, 12]: numbers of the windows, by the names of :mod:`arcomp.models.photo.windows`."""
    real: npt.NDArray[np.float32]
    """[windows, 4]: beta, ridge, what variances are multiplied by, similarity."""
    prior: npt.NDArray[np.float32]
    """[all windows' pairs]: of trace one."""
    logs: Int32
    """[4096]: 16 log2 i, rounded down."""
    places: Int64
    """Samples of windows that weigh by similarity: :func:`arcomp.models.photo.windows.samples_of`."""
    fading: npt.NDArray[np.float32]
    compared: Int64
    """[places, 2], (dy, dx): of all these samples, each once."""


class Workspace(NamedTuple):
    """The workspace of one front of a strip: a column for each pixel of the longest front, and LANES to spare."""

    sums: Int32
    """[all windows' pairs, columns of a plane]: the windows' covariances, kept from front to front."""
    pairs: covariance.Pairs
    samples: Int32
    """[m + 1, most samples]: of a window that begins a row (:func:`least_squares.start_row`)."""
    similarity: similarity.Workspace
    matrix: npt.NDArray[np.float32]
    """[most pairs, LANES]: of LANES pixels, factorised in place."""
    vector: npt.NDArray[np.float32]
    """[most m, LANES]: v of LANES pixels."""
    low: Int32
    """[channels, windows, n], Q6: predictions from LOW_ORDER neighbours, without the current pixel's channels."""
    full: Int32
    """[channels, windows, n], Q6: from all neighbours."""
    factor: Int32
    """[windows, 3, n], Q10: L among the current channels, (1, 0), (2, 0), (2, 1)."""
    variance: Int32
    """[channels, windows, n], Q4: of the fit."""
    total: Int32
    """[channels, 3 + windows, n]: mean errors (Q8) of base, trunk's base, base at the four nearest, each window."""
    weight: npt.NDArray[np.float64]
    """[windows + 2, n]: of each window in a channel's base."""
    trunk_base: Int32
    """[channels, n], Q6: the base without the current pixel's channels."""
    base: Int32
    """[channels, n], Q6."""
    scale: Int32
    """[channels, n], Q8."""
    inverse: Int32
    """[channels, n]: 2**18 / scale."""
    trunk_inverse: Int32
    """[channels, n]: 2**18 / the trunk base's mean error."""
    predictions: Int32
    """[channels, windows, n], Q6: with the channels before."""
    current: Int32
    """[channels, n]: the pixel's own levels, once known."""
    depth: Depth


def new_squares(windows: tuple[Window, ...], channels: int, prior: npt.NDArray[np.int32]) -> Squares:
    """Constants of the windows; ``prior`` in 2**-24 of the trace."""
    spec, real, _, _ = layout(windows, channels)
    return Squares(
        spec, real, np.ldexp(prior.astype(np.float32), -24), log2_table(), *samples_of(windows),
        np.array(compared(windows), np.int64),
    )  # fmt: skip


def new_workspace(
    windows: tuple[Window, ...], channels: int, columns: int, longest: int, depth: Depth = EIGHT
) -> Workspace:
    """For fronts of at most ``longest`` pixels; ``columns`` of a plane."""
    _, _, sums, _ = layout(windows, channels)
    n = -(-longest // LANES) * LANES + LANES
    count = len(windows)
    largest = max((w.size(channels) for w in windows), default=0)

    def integers(*shape: int) -> Int32:
        made: Int32 = aligned((*shape, n), np.int32)
        return made

    return Workspace(
        aligned((sums, columns), np.int32),
        covariance.pairs_of(largest),
        aligned((largest + 1, max((w.samples() for w in windows), default=0) + 1), np.int32),
        similarity.new_workspace(windows, channels, n),
        aligned((pairs(largest), LANES), np.float32),
        aligned((largest, LANES), np.float32),
        integers(channels, count),
        integers(channels, count),
        integers(count, 3),
        integers(channels, count),
        integers(channels, 3 + count),
        aligned((count + 2, n), np.float64),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(channels),
        integers(channels, count),
        integers(channels),
        depth,
    )
