"""``photo``'s parts: least squares against numpy, the network in kernels, its weights, and hostile ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.coding.levels import MID_LEVEL
from arcomp.contract import registry
from arcomp.contract.weights_file import Weights
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.photo import inputs, least_squares
from arcomp.models.photo.config import CODING_ORDER, PhotoConfig
from arcomp.models.photo.depth import LEVEL_BITS
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.planes import (
    MARGIN,
    NEIGHBOURS,
    SKEW,
    UNSEEN_WEIGHT,
    blank,
    first_row,
    front_count,
    last_row,
    sample_weight,
)
from arcomp.models.photo.training import freeze, learn_mixer_weights
from arcomp.models.photo.windows import LOW_ORDER, Window, layout, mean_covariance, pairs
from arcomp.models.photo.workspace import new_squares, new_workspace
from tests.contents import pictures
from tests.specimens import ONE_WINDOW, SIMILARITY_WINDOWS, THREE_WINDOWS, photo, photo_net

# --- least squares --------------------------------------------------------------------------------------------------

WINDOWS = {
    "A": Window(1, 6, 6, 6, 7, False, 0.05, 10.0),
    "B": Window(1, 3, 4, 2, 5, True, 0.02, 5.0),
    "wide": Window(1, 2, 3, 7, 24, True, 0.05, 10.0),
    "step 2": Window(2, 2, 3, 1, 6, False, 0.1, 8.0),
    "step 2 weighted": Window(2, 3, 2, 3, 4, True, 0.5, 2.0),
    "similarity": Window(1, 5, 6, 4, 5, False, 0.003, 1.0, similarity=6.0, fade=0.8125),
    "similarity, an even number, far": Window(1, 2, 14, 7, 4, False, 0.02, 3.0, similarity=0.1, fade=1.0),
}


@kernel()
def predictions_of(planes: Any, squares: Any, workspace: Any, pixels: Any, t: int, first: int, count: int) -> None:
    """Look at a front, then enter its pixels."""
    least_squares.predict(planes, squares, workspace, t, first, count)
    for c in range(planes.channels):
        for k in range(count):
            workspace.current[c, k] = pixels[first + k, t - 8 * (first + k), c]
        inputs.push(planes, t, first, count, c, workspace.current[c])
    inputs.update_errors(planes, workspace, t, first, count)


def beyond(plane: npt.NDArray[np.int64], y: int, x: int, above: int) -> int:
    """A plane's value at any place, as planes.py says: above the picture, left and right of a row."""
    if y < 0:
        return above
    if x < 0:
        return beyond(plane, y - 1, 0, above)
    return int(plane[y, min(x, plane.shape[1] - 1)])


def weights_of(pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sample weights, from the definition: 64 / (1 + activity), rounded."""
    height, width, channels = pixels.shape
    out = np.zeros((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            a = 0
            for c in range(channels):
                own = pixels[..., c]
                w, n, nw, ne = (beyond(own, y + j, x + i, MID_LEVEL) for j, i in ((0, -1), (-1, 0), (-1, -1), (-1, 1)))
                v = int(own[y, x])
                a += abs(w - nw) + abs(n - nw) + abs(n - ne) + abs(v - w) + abs(v - n)
            five = 5 * channels
            out[y, x] = (64 * five + (five + a) // 2) // (five + a)
    return out


def similarity_weights(pixels: npt.NDArray[np.int64], window: Window, y: int, x: int) -> dict[tuple[int, int], float]:
    """Weights of the samples (dy, dx) of a pixel, by docs/format.md: nearly halves must round alike."""

    def near(y: int, x: int) -> npt.NDArray[np.int64]:
        places = [(y + int(j), x + int(i)) for j, i in NEIGHBOURS[:6]]
        return np.array([[beyond(p, *at, MID_LEVEL) for at in places] for p in np.moveaxis(pixels, 2, 0)])

    q = {}
    for dy in range(-window.rows, 1):
        for dx in range(-window.left, window.right + 1 if dy else 0):
            d = int(np.abs(near(y + dy, x + dx) - near(y, x)).sum())
            fade = float(np.prod([1.0] + [window.fade] * (abs(dy) + abs(dx))))
            q[dy, dx] = fade / (window.similarity * 36 * pixels.shape[2] ** 2 + d**2)
    unit = 64 / max(q.values())
    return {at: float(np.floor(v * unit + 0.5)) for at, v in q.items()}


def by_numpy(
    pixels: npt.NDArray[np.int64], window: Window, prior: npt.NDArray[np.float64], y: int, x: int
) -> tuple[list[float], list[float], list[float], npt.NDArray[np.float64]]:
    """(low, full, variance of each channel, factor among channels) of a pixel: np.linalg.solve of the window's sums."""
    channels = pixels.shape[2]
    weight = weights_of(pixels) if window.weighted else None
    weights = similarity_weights(pixels, window, y, x) if window.similarity else None

    def v(y: int, x: int) -> npt.NDArray[np.float64]:
        own = [pixels[..., c] for c in range(channels)]
        west = [beyond(p, y, x - 1, MID_LEVEL) for p in own]
        near = [(int(j), int(i)) for j, i in NEIGHBOURS[1 : window.taps]] + [(0, 0)]
        return np.array(
            [beyond(p, y + j, x + i, MID_LEVEL) - w for j, i in near for p, w in zip(own, west, strict=True)]
        )

    s, m = window.step, window.size(channels)
    total = np.zeros((m, m))
    for k in range(window.rows + 1):
        for q in range(-window.left, window.right + 1 if k else 0):
            u = v(y - s * k, x + s * q)
            w = 1.0 if weight is None else beyond(weight, y - s * k, x + s * q, UNSEEN_WEIGHT)
            total += (w if weights is None else weights[-k, q]) * np.outer(u, u)
    square = np.zeros((m, m))
    square[np.tril_indices(m)] = prior
    square += np.tril(square, -1).T
    a = total + window.beta * (np.trace(total) + window.ridge) * square + window.ridge * np.eye(m)
    known = m - channels
    own = v(y, x)
    low: list[float] = []
    full: list[float] = []
    variance: list[float] = []
    for c in range(channels):
        west = beyond(pixels[..., c], y, x - 1, MID_LEVEL)
        for n, out in ((LOW_ORDER * channels, low), (known, full)):
            out.append(west + float(np.linalg.solve(a[:n, :n], a[:n, known + c]) @ own[:n]))
        n = known + c
        left = a[n, n] - a[n, :n] @ np.linalg.solve(a[:n, :n], a[:n, n])
        counted = sum(weights.values()) if weights else window.samples() * (64 / 5 if window.weighted else 1)
        variance.append(float(left) / counted)
    lower = np.linalg.cholesky(a)
    return low, full, variance, (lower / np.diag(lower))[known:, known:]


_ROUNDED = 0.52
"""Of a unit that results are rounded to: half, and what float32 adds."""


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", WINDOWS)
def test_least_squares_are_numpys(name: str, channels: int) -> None:
    """Everywhere in a small picture, its edges included; also that the window that is moved along is the one begun
    anew."""
    window = WINDOWS[name]
    height, width = 11, 21
    rng = np.random.default_rng(3)
    grain = rng.integers(0, 9, (height, width, channels))
    pixels = (pictures("smooth", (height, width, channels), 8) // 2 + grain).astype(np.uint8)
    prior = mean_covariance([pictures("noise", (20, 30, channels), 8), pixels], window)
    squares = new_squares((window,), channels, prior)
    ring = PhotoConfig(channels, (window,), (8,), 8, 1, "cheap").ring
    planes = blank(height, width, channels, 1, ring)
    workspace = new_workspace((window,), channels, planes.values.shape[2], height)
    records = record(planes), record(squares), record(workspace)
    real = pixels.astype(np.int64)
    places = {(int(rng.integers(height)), int(rng.integers(width))) for _ in range(40)}
    places |= {(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1), (1, 0), (5, 1), (height - 1, 4)}
    seen = 0
    for t in range(front_count(height, width)):
        first = first_row(t, width)
        count = last_row(t, height) - first + 1
        predictions_of(*records, pixels, t, first, count)
        for k in range(count):
            y, x = first + k, t - SKEW * (first + k)
            if (y, x) not in places:
                continue
            low, full, variance, factor = by_numpy(real, window, prior / 2.0**24, y, x)
            unit = 1 << LEVEL_BITS
            for c in range(channels):
                assert abs(workspace.low[c, 0, k] / unit - np.clip(low[c], -32, 287)) <= _ROUNDED / unit
                assert abs(workspace.full[c, 0, k] / unit - np.clip(full[c], -32, 287)) <= _ROUNDED / unit
                assert abs(workspace.variance[c, 0, k] / 16 + 0.5 / 16 - variance[c]) <= _ROUNDED / 16
            for p, (i, j) in enumerate([(1, 0), (2, 0), (2, 1)] if channels == 3 else []):
                assert abs(workspace.factor[0, p, k] / 1024 - np.clip(factor[i, j], -16, 16)) <= _ROUNDED / 1024
            seen += 1
    assert seen == len(places)
    if window.weighted:
        at = sample_weight(channels, 1)
        expected = weights_of(real)
        for y, x in places:
            t = x + SKEW * y
            if t > front_count(height, width) - 30:  # still in the ring
                assert planes.values[at, t % ring, MARGIN + y] == expected[y, x]


def test_prior_is_a_covariance_of_trace_one() -> None:
    for window in WINDOWS.values():
        for kind in ("smooth", "noise", "constant"):
            prior = mean_covariance([pictures(kind, (24, 24, 3), 8)], window)
            m = window.size(3)
            matrix = np.zeros((m, m))
            matrix[np.tril_indices(m)] = prior / 2.0**24
            matrix += np.tril(matrix, -1).T
            assert np.trace(matrix) == pytest.approx(1, abs=1e-4)
            assert np.linalg.eigvalsh(matrix)[0] > 0


@pytest.mark.parametrize("windows", [ONE_WINDOW, THREE_WINDOWS, SIMILARITY_WINDOWS])
def test_layout_has_a_place_for_everything(windows: tuple[Window, ...]) -> None:
    spec, real, sums, prior = layout(windows, 3)
    assert prior == sum(pairs(w.size(3)) for w in windows)
    assert sums == sum(w.step * pairs(w.size(3)) for w in windows if not w.similarity)
    assert spec.shape == (len(windows), 12)
    assert np.isfinite(real).all()
    net = PhotoConfig(3, windows, (8,), 8, 2, "full")
    assert net.ring & (net.ring - 1) == 0
    assert net.ring > max(w.reach() for w in windows) + 7


# --- weights --------------------------------------------------------------------------------------------------------


def test_freeze_save_load_keeps_the_digest(tmp_path: Path) -> None:
    weights = freeze({c: photo_net(c, THREE_WINDOWS, "full") for c in (1, 3)})
    mixed = learn_mixer_weights(weights, 1, [pictures("smooth", (16, 20, 1), 8, seed) for seed in range(3)])
    assert set(mixed.arrays) == {*weights.arrays, "1.mixer"}
    assert mixed.digest != weights.digest
    for made in (weights, mixed):
        made.save(tmp_path / "w.safetensors")
        loaded = Weights.load(tmp_path / "w.safetensors")
        assert loaded.digest == made.digest == registry.load(str(tmp_path / "w.safetensors")).digest
        again, before = PhotoModel(loaded), PhotoModel(made)
        assert again.configs == before.configs
        for channels in (1, 3):
            pixels = pictures("smooth", (9, 12, channels), 8)
            assert again.encode_tile(pixels) == before.encode_tile(pixels)


def test_a_learnt_mixer_helps() -> None:
    weights = photo().weights
    training = [pictures("smooth", (24, 32, 3), 8, seed) for seed in range(4)]
    pixels = np.ascontiguousarray(pictures("smooth", (24, 32, 3), 8, 9)[..., list(CODING_ORDER[3])])
    learnt = learn_mixer_weights(weights, 3, training)
    assert np.array_equal(learn_mixer_weights(learnt, 3, training).arrays["3.mixer"], learnt.arrays["3.mixer"])
    with_it, without = PhotoModel(learnt).encode_tile(pixels), PhotoModel(weights).encode_tile(pixels)
    assert with_it.nll_bits < without.nll_bits
    assert with_it.network_bits == without.network_bits
