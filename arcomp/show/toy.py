"""Two variables: p(x1) is a histogram, p(x2 | x1) a small network, learnt from points, sampled and coded.

The chain rule, p(x1, x2) = p(x1) p(x2 | x1), on a density that is drawn by hand: a ring and a bar across it. The
smallest autoregressive model that is not trivial, and a compressor: the points are coded and decoded again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding.stream import Decoder, Encoder
from arcomp.coding.table import FrequencyTable, cumulate
from arcomp.errors import needs_torch
from arcomp.show.drawing import Picture, bare, panels, titled

DEPTH = 5
LEVELS = 1 << DEPTH
"""Of each variable."""
POINTS, STEPS, UNITS, DECAY = 4000, 200, 24, 1.0
COUNTS = 1 << 20
"""Probabilities become integers in parts of so many: what the coder takes."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


def density() -> Floats:
    """The density that is to be learnt: float64 [LEVELS, LEVELS], x1 by x2."""
    a, b = np.indices((LEVELS, LEVELS)) / (LEVELS - 1) * 2 - 1
    ring = np.exp(-(((np.hypot(a, b) - 0.75) / 0.09) ** 2))
    bar = np.exp(-(((a - b) / 0.12) ** 2)) * (np.hypot(a, b) < 0.7)
    made = ring + 1.4 * bar + 0.01
    return np.asarray(made / made.sum())


def points(p: Floats, count: int, seed: int) -> Ints:
    """Points of a density: int32 [count, 2]."""
    drawn = np.random.default_rng(seed).choice(p.size, count, p=p.ravel())
    return np.stack(np.divmod(drawn, LEVELS), 1).astype(np.int32)


def learnt(given: Ints) -> Floats:
    """The model of some points: a histogram of x1, and an MLP from x1, as waves, to the logits of x2. [x1, x2]."""
    with needs_torch("the network of the toy"):
        import torch
    first = (np.bincount(given[:, 0], minlength=LEVELS) + 1.0) / (len(given) + LEVELS)
    angles = np.arange(LEVELS)[:, None] / LEVELS * np.pi * np.arange(1, 9)
    waves = torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Linear(waves.shape[1], UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, LEVELS)
        )
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=DECAY)
    x1, x2 = torch.from_numpy(given.astype(np.int64)).T
    for _ in range(STEPS):
        loss = torch.nn.functional.cross_entropy(network(waves)[x1], x2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        second: Any = network(waves).double().softmax(1).numpy()
    return np.asarray(first[:, None] * second)


def bits(p: Floats, given: Ints) -> float:
    """Mean bits of a point."""
    return float(-np.log2(p[given[:, 0], given[:, 1]]).mean())


def tables(p: Floats) -> list[npt.NDArray[np.int64]]:
    """The integers of p(x1), one row, and of p(x2 | x1), a row for each x1, as the range coder takes them."""
    parts = p.sum(1)[None], p / p.sum(1, keepdims=True)
    return [cumulate(np.rint(part * COUNTS).astype(np.int64), DEPTH) for part in parts]


def coded(p: Floats, given: Ints) -> bytes:
    """The points as bytes: all x1, then all x2."""
    first, second = tables(p)
    encoder, ends = Encoder(), np.array([len(given)])
    encoder.encode([FrequencyTable(first, np.zeros(len(given), np.int32), DEPTH)], given[:, :1], ends)
    encoder.encode([FrequencyTable(second, given[:, 0].copy(), DEPTH)], given[:, 1:], ends)
    return encoder.finish()


def decoded(p: Floats, data: bytes, count: int) -> Ints:
    """The inverse."""
    first, second = tables(p)
    decoder = Decoder(data)
    x1 = decoder.decode(FrequencyTable(first, np.zeros(count, np.int32), DEPTH))
    return np.stack([x1, decoder.decode(FrequencyTable(second, x1, DEPTH))], 1)


def draw() -> Picture:
    """The density, points of it, what was learnt, and points that were drawn from that."""
    true = density()
    given, new = points(true, POINTS, 1), points(true, POINTS, 2)
    model = learnt(given)
    data = coded(model, new)
    right = bool(np.array_equal(decoded(model, data, len(new)), new))
    with panels(4, (1.8, 2.05)) as (picture, axes):
        for own, p, title in ((axes[0], true, "the density"), (axes[2], model, "what was learnt")):
            own.imshow(p.T, cmap="viridis", origin="lower", vmin=0, vmax=true.max())
            titled(own, title)
        shown = points(model / model.sum(), POINTS, 3)
        for own, where, title in ((axes[1], given, "points of it"), (axes[3], shown, "samples")):
            counts = np.zeros((LEVELS, LEVELS))
            np.add.at(counts, (where[:, 0], where[:, 1]), 1)
            own.imshow(counts.T, cmap="viridis", origin="lower", vmin=0, vmax=true.max() * POINTS)
            titled(own, title)
        for own in axes:
            bare(own)
            own.set_xlabel("$x_1$")
        axes[0].set_ylabel("$x_2$")
    independent = true.sum(1)[:, None] * true.sum(0)
    for name, what, p in (
        ("density", "new points under the density itself", true),
        ("independent", "as if x1 and x2 were independent", independent),
        ("model", "under the model", model),
    ):
        picture.say(f"{what}: {bits(p, new):.3f} bits each", under=name, bits=bits(p, new))
    each, came = 8 * len(data) / len(new), "came back" if right else "did NOT come back"
    picture.say(
        f"coded: {len(data):,} bytes, {each:.3f} bits each; {len(new):,} points {came}", coded=each, came_back=right
    )
    return picture
