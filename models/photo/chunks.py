"""Many fronts of a known strip at a time: for training, and for encoding where a GPU evaluates the network."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arcomp.coding.levels import LEVELS
from arcomp.coding.mixing import LANES
from arcomp.exact.compiled import kernel
from arcomp.models.photo import plain
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.contexts import hash_contexts
from arcomp.models.photo.inputs import channel_features, extras, features, push, update_errors
from arcomp.models.photo.least_squares import predict
from arcomp.models.photo.planes import SKEW, Int8, Int32, first_row, last_row


class Seen(NamedTuple):
    """The network's inputs at n positions, front by front, and the levels there."""

    inputs: Int8
    """[inputs, n]."""
    extras: Int8
    """[all channels' extras, n]."""
    base: Int32
    """[channels, n], Q6."""
    scale: Int32
    """[channels, n], Q8."""
    residuals: Int32
    """[channels, residuals, n], Q6: each window's prediction less the base; or, where there are no windows, what the
    channels before are less their own bases."""
    values: Int32
    """[channels, n]: the levels."""
    ends: Int32
    """[n + 1]: the number of fronts, then where each ends."""


class Hashed(NamedTuple):
    """The mixing stage's inputs there, of each channel, as in :class:`arcomp.models.photo.stage.FrontData`."""

    contexts: Int32
    """[channels, n, LANES]."""
    checks: Int32
    """[channels, n, LANES]."""
    selectors: Int32
    """[channels, n, 2]."""
    lattice_rows: Int32
    """[n]: the first two levels of three as one number, a row of a lattice."""
    tables: int
    """Contexts that are counted."""


class Views(NamedTuple):
    """One channel's part of :class:`Hashed`, for one front."""

    contexts: Any
    checks: Any
    selectors: Any


class Chunk(NamedTuple):
    """All that coding needs of n positions."""

    seen: Seen
    hashed: Hashed
    mixture: Int32
    """[channels, n, 3 K + 2], as :func:`arcomp.models.photo.exact.mixtures` writes them."""


def unwritten(config: PhotoConfig, n: int) -> Seen:
    """Arrays for n positions."""
    channels = config.channels
    return Seen(
        np.empty((config.inputs, n), np.int8),
        np.empty((sum(config.extras(c) for c in range(channels)), n), np.int8),
        np.empty((channels, n), np.int32),
        np.empty((channels, n), np.int32),
        np.empty((channels, config.residuals, n), np.int32),
        np.empty((channels, n), np.int32),
        np.empty(n + 1, np.int32),
    )


def chunk(config: PhotoConfig, tables: int, n: int) -> Chunk:
    """Arrays for n positions, with so many contexts each."""
    channels = config.channels
    hashed = Hashed(
        np.zeros((channels, n, LANES), np.int32),
        np.zeros((channels, n, LANES), np.int32),
        np.zeros((channels, n, 2), np.int32),
        np.zeros(n, np.int32),
        tables,
    )
    return Chunk(unwritten(config, n), hashed, np.empty((channels, n, 3 * config.mixture + 2), np.int32))


@kernel(inner=True)
def _know(workspace: Any, pixels: Any, t: int, first: int, count: int, c: int, seen: Any, n: int) -> None:
    """A channel of a front is known: its levels, and what was expected of them, become positions n, n + 1, ..."""
    for k in range(count):
        workspace.current[c, k] = pixels[first + k, t - SKEW * (first + k), c]
        seen.values[c, n + k] = workspace.current[c, k]
        seen.base[c, n + k] = workspace.base[c, k]
        seen.scale[c, n + k] = workspace.scale[c, k]


@kernel()
def extract_features(
    planes: Any,
    squares: Any,
    workspace: Any,
    pixels: Any,
    begin: int,
    end: int,
    seen: Any,
    hashed: Any,
) -> None:
    """Fronts begin .. end - 1 of a known strip, uint8 or uint16 [H, W, C]: everything but the network and the coding.

    Args:
        planes, squares, workspace: records.
        seen, hashed: records, written; ``hashed`` may be None.
    """
    channels, windows = planes.channels, planes.windows
    n = 0
    seen.ends[0] = 0
    for t in range(begin, end):
        first = first_row(t, planes.width)
        count = last_row(t, planes.height) - first + 1
        if count <= 0:
            continue
        own = slice(n, n + count)
        predict(planes, squares, workspace, t, first, count)
        features(planes, squares, workspace, t, first, count, seen.inputs[:, own])
        o = 0
        for c in range(channels):
            more = extras(c, windows)
            channel_features(squares, workspace, c, count, seen.extras[o : o + more, own])
            o += more
            if hashed is not None:
                views = Views(hashed.contexts[c][own], hashed.checks[c][own], hashed.selectors[c][own])
                hash_contexts(planes, workspace, t, first, count, c, views, hashed.tables)
            _know(workspace, pixels, t, first, count, c, seen, n)
            for w in range(windows):
                for k in range(count):
                    seen.residuals[c, w, n + k] = workspace.predictions[c, w, k] - workspace.base[c, k]
            push(planes, t, first, count, c, workspace.current[c])
        if hashed is not None and channels > 2:
            for k in range(count):
                hashed.lattice_rows[n + k] = workspace.current[0, k] * LEVELS + workspace.current[1, k]
        update_errors(planes, workspace, t, first, count)
        n += count
        seen.ends[0] += 1
        seen.ends[seen.ends[0]] = n


@kernel()
def extract_plain_features(
    planes: Any, squares: Any, workspace: Any, pixels: Any, begin: int, end: int, seen: Any
) -> None:
    """The same where there are no windows (:mod:`arcomp.models.photo.plain`); nothing is hashed."""
    channels = planes.channels
    n = 0
    seen.ends[0] = 0
    for t in range(begin, end):
        first = first_row(t, planes.width)
        count = last_row(t, planes.height) - first + 1
        if count <= 0:
            continue
        own = slice(n, n + count)
        plain.predict(planes, workspace, t, first, count)
        plain.features(planes, squares, workspace, t, first, count, seen.inputs[:, own])
        o = 0
        for c in range(channels):
            more = plain.extras(c)
            plain.channel_features(workspace, c, count, seen.extras[o : o + more, own], seen.residuals[c][:, own])
            o += more
            _know(workspace, pixels, t, first, count, c, seen, n)
            push(planes, t, first, count, c, workspace.current[c])
        plain.update_errors(planes, workspace, t, first, count)
        n += count
        seen.ends[0] += 1
        seen.ends[seen.ends[0]] = n
