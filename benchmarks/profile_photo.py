"""Where the time of ``photo`` goes: CPU microseconds a pixel of each stage, one thread.

``python -m benchmarks.profile_photo PICTURE [--models photo-fast,photo-balanced] [--rows 400] [--columns 1280]``

A strip is coded front by front from Python, each stage a kernel called by itself, so that its CPU time can be taken;
what calling a kernel that does nothing takes is subtracted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from arcomp.api import load
from arcomp.coding import binary, lattice
from arcomp.coding.levels import LEVELS
from arcomp.exact import last_layers
from arcomp.exact.compiled import kernel
from arcomp.measure import tables
from arcomp.measure.inputs import read
from arcomp.measure.tables import Column
from arcomp.models.photo import (
    adaptation,
    backward,
    descent,
    direct,
    exact,
    inputs,
    least_squares,
    plain,
    similarity,
    stage,
)
from arcomp.models.photo.contexts import hash_contexts
from arcomp.models.photo.fronts import begin
from arcomp.models.photo.inputs import extras
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.planes import SKEW, first_row, last_row
from arcomp.models.photo.strip import Strip

Pixels = npt.NDArray[np.uint8]
ROWS, COLUMNS = 400, 1280


@kernel()
def nothing(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """What a call takes."""


@kernel()
def distances(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Least squares: what samples are like a pixel."""
    similarity.distances(strip.planes, strip.squares, strip.workspace.similarity, t, first, count)


@kernel()
def window(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Least squares by one window, whose number is c."""
    least_squares.predict_by(strip.planes, strip.squares, strip.workspace, c, t, first, count)


@kernel()
def features(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The trunk's inputs."""
    inputs.features(strip.planes, strip.squares, strip.workspace, t, first, count, strip.activations.inputs)


@kernel()
def trunk(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The network's trunk."""
    if layers is None:
        exact.trunk(strip.net, strip.activations, count)
    else:
        descent.trunk(layers, strip.net, strip.activations, count)


@kernel()
def channel(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A head's inputs, gates and contexts."""
    planes, workspace, activations = strip.planes, strip.workspace, strip.activations
    inputs.channel_features(strip.squares, workspace, c, count, activations.extras)
    for w in range(planes.windows):
        for k in range(count):
            activations.residuals[w, k] = workspace.predictions[c, w, k] - workspace.base[c, k]
    hash_contexts(planes, workspace, t, first, count, c, strip.front, strip.front.tables)


@kernel()
def head(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A head's outputs."""
    planes, activations = strip.planes, strip.activations
    exact.head(strip.net, activations, c, planes.channels, extras(c, planes.windows), count)


@kernel()
def forward(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Outputs of a head that learns."""
    activations = strip.activations
    if heads is not None:
        last_layers.unpack(activations.packed[0], heads.units, count, activations.units)
        last_layers.forward(heads, c, activations.units, count, activations.outputs)


@kernel()
def learn(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """What that head learns."""
    front, workspace = strip.front, strip.workspace
    if heads is not None:
        values, logistic = workspace.current[c, :count], coding.stage.logistic
        made = front, strip.activations.outputs
        adaptation.learn(heads, c, *made, workspace.scale[c], strip.activations.residuals, values, logistic)


@kernel()
def step(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Its step, after the last channel."""
    if heads is not None and c == strip.planes.channels - 1:
        last_layers.step(heads, count)


@kernel()
def back(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """What the layers below the heads learn."""
    if layers is not None:
        last = c == strip.planes.channels - 1
        if descent.learns(layers):
            backward.begin(layers, heads, c, strip.activations.units, count)
            if last:
                backward.back(layers, count)
        if last:
            descent.step(layers, strip.net, count)


@kernel()
def mixtures(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Mixtures of a head's outputs."""
    workspace, front = strip.workspace, strip.front
    base, scale = workspace.base[c], workspace.scale[c]
    exact.mixtures(strip.net, strip.activations, base, scale, front.depth, count, front.mixture)


@kernel()
def encode(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The mixing stage, writing."""
    stage.code(coding.stage, coding.coder, strip.front, False, c, count)


@kernel()
def decode(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The mixing stage, reading."""
    stage.code(coding.stage, coding.coder, strip.front, True, c, count)


@kernel()
def push(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A channel becomes known; after the last one, its errors."""
    inputs.push(strip.planes, t, first, count, c, strip.workspace.current[c])
    if c == strip.planes.channels - 1:
        inputs.update_errors(strip.planes, strip.workspace, t, first, count)


@kernel()
def plain_bases(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Where there are no windows: the median predictor and its mean error."""
    plain.predict(strip.planes, strip.workspace, t, first, count)


@kernel()
def plain_features(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The trunk's inputs."""
    plain.features(strip.planes, strip.squares, strip.workspace, t, first, count, strip.activations.inputs)


@kernel()
def plain_channel(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A head's inputs and gates."""
    activations = strip.activations
    plain.channel_features(strip.workspace, c, count, activations.extras, activations.residuals)


@kernel()
def plain_head(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A head's outputs."""
    exact.head(strip.net, strip.activations, c, strip.planes.channels, plain.extras(c), count)


@kernel()
def write(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """Values straight from the mixture, written."""
    direct.code(coding.stage, coding.coder, strip.front, False, c, count)


@kernel()
def find(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """The same, read."""
    direct.code(coding.stage, coding.coder, strip.front, True, c, count)


@kernel()
def plain_push(strip: Any, coding: Any, heads: Any, layers: Any, t: int, first: int, count: int, c: int) -> None:
    """A channel becomes known; after the last one, its errors."""
    inputs.push(strip.planes, t, first, count, c, strip.workspace.current[c])
    if c == strip.planes.channels - 1:
        plain.update_errors(strip.planes, strip.workspace, t, first, count)


Times = dict[str, float]


class Clock:
    """Adds up CPU seconds by stage."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments, self.times, self.calls = arguments, Times(), dict[str, int]()

    def __call__(self, name: str, run: Callable[..., None], *where: int) -> None:
        began = time.thread_time()
        run(*self.arguments, *where)
        self.times[name] = self.times.get(name, 0.0) + time.thread_time() - began
        self.calls[name] = self.calls.get(name, 0) + 1

    def stages(self) -> Times:
        """Seconds of each stage, without those of calling it."""
        each = self.times.pop("calling") / self.calls["calling"]
        return {name: seconds - each * self.calls[name] for name, seconds in self.times.items()}


def profile(model: PhotoModel, pixels: Pixels, data: bytes | None) -> tuple[Times, bytes]:
    """Code one strip, channels in coding order; decode it if there is coded data, into ``pixels``."""
    height, width, channels = pixels.shape
    strip = Strip(model.frozen(channels), height, width)
    coder = binary.encoder(pixels.size * 20 + 16) if data is None else binary.decoder(data[1:])
    lattice_id = data[0] if data is not None else lattice.NONE if strip.config.plain else lattice.detect(pixels)
    begin(strip.parts, strip.stage, strip.learners)
    clock = Clock(strip.record(lattice_id), strip.coding(coder), *strip.learners)
    for t in range(strip.fronts):
        first, count = first_row(t, width), last_row(t, height) - first_row(t, width) + 1
        if count > 0:
            ys = np.arange(first, first + count)
            code_front = _plain_front if strip.config.plain else _front
            code_front(clock, strip, pixels[ys, t - SKEW * ys] if data is None else None, t, first)
            pixels[ys, t - SKEW * ys] = strip.parts.workspace.current[:, :count].T
    made = bytes([lattice_id]) + binary.finish(coder) if data is None else b""
    return clock.stages(), made


def _front(clock: Clock, strip: Strip, known: Pixels | None, t: int, first: int) -> None:
    current, rows = strip.parts.workspace.current, strip.parts.front.lattice_rows
    where = (t, first, last_row(t, strip.height) - first + 1)
    count = where[2]
    clock("calling", nothing, *where, 0)
    clock("least squares, distances", distances, *where, 0)
    for w, own in enumerate(strip.config.windows):
        weighs = "similarity" if own.similarity else "moving"
        clock(f"least squares, {weighs}, {own.taps} x {own.rows}", window, *where, w)
    clock("features", features, *where, 0)
    clock("trunk", trunk, *where, 0)
    for c in range(len(current)):
        clock("extras, contexts", channel, *where, c)
        clock("heads", head, *where, c)
        clock("heads that learn", forward, *where, c)
        clock("mixtures", mixtures, *where, c)
        if known is not None:
            current[c, :count] = known[:, c]
        if c == 2:
            rows[:count] = current[0, :count] * LEVELS + current[1, :count]
        clock("mixing stage", decode if known is None else encode, *where, c)
        clock("heads that learn", learn, *where, c)
        clock("layers that learn", back, *where, c)
        clock("heads that learn", step, *where, c)
        clock("known pixels, errors", push, *where, c)


def _plain_front(clock: Clock, strip: Strip, known: Pixels | None, t: int, first: int) -> None:
    current = strip.parts.workspace.current
    where = (t, first, last_row(t, strip.height) - first + 1)
    count = where[2]
    clock("calling", nothing, *where, 0)
    clock("median predictor, scales", plain_bases, *where, 0)
    clock("features", plain_features, *where, 0)
    clock("trunk", trunk, *where, 0)
    for c in range(len(current)):
        clock("extras", plain_channel, *where, c)
        clock("heads", plain_head, *where, c)
        clock("mixtures", mixtures, *where, c)
        if known is not None:
            current[c, :count] = known[:, c]
        clock("values from the mixture", find if known is None else write, *where, c)
        clock("known pixels, errors", plain_push, *where, c)


def rows(name: str, picture: Pixels) -> Iterator[dict[str, Any]]:
    """A row for each stage of a model, encoding and decoding."""
    model = cast(PhotoModel, load(Path(name)))
    pixels = np.ascontiguousarray(picture[..., list(model.coding_order(picture.shape[2]))])
    few, size = np.ascontiguousarray(pixels[:20, :40]), pixels.shape[0] * pixels.shape[1]
    profile(model, few.copy(), profile(model, few, None)[1])  # compiled
    found, data = profile(model, pixels, None)
    read_back = np.zeros_like(pixels)
    decoding, _ = profile(model, read_back, data)
    assert np.array_equal(read_back, pixels)
    found["all"], decoding["all"] = sum(found.values()), sum(decoding.values())
    for part in sorted(found, key=lambda part: (part == "all", -found[part])):
        encode_us, decode_us = (times[part] / size * 1e6 for times in (found, decoding))
        yield {"model": name, "stage": part, "encode": encode_us, "decode": decode_us}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--models", default="photo-turbo,photo-fast,photo-balanced,photo-max")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--columns", type=int, default=COLUMNS)
    chosen = parser.parse_args()
    picture = read(chosen.picture).stacks[0][0][: chosen.rows, : chosen.columns]
    for name in chosen.models.split(","):
        made = [row for row in rows(name, picture) if row["encode"] > 0.005]
        columns = [Column(k, k) for k in ("model", "stage")] + [Column(k, k, ".2f") for k in ("encode", "decode")]
        print(tables.text(made, columns), flush=True)


if __name__ == "__main__":
    main()
