"""Decoding a strip naively, to test the incremental planes and kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.coding import binary
from arcomp.contract.learning import Tile
from arcomp.exact import last_layers
from arcomp.exact.apart import call
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.photo import descent
from arcomp.models.photo.exact import ChunkNetwork, head
from arcomp.models.photo.inputs import extras
from arcomp.models.photo.planes import SKEW, first_row, last_row
from arcomp.models.photo.strip import Frozen, Strip, depth_of, load_channel, start


def decode_naively(frozen: Frozen, network: ChunkNetwork, data: bytes | memoryview, pixels: Tile) -> None:
    """Fill [height, width, C], extracting the features of the whole strip anew for every channel of every front:
    a slow reference for testing the incremental planes and kernels. Only the mixing stage keeps its
    state from front to front."""
    height, width, channels = pixels.shape
    depth = depth_of(data, pixels)
    lattice_id, coder = start(data, frozen.config, depth)
    own = Strip(frozen, height, width, depth)
    strip, reading = own.record(lattice_id), own.coding(coder)
    for t in range(own.fronts):
        count = last_row(t, height) - first_row(t, width) + 1
        if count <= 0:
            continue
        ys = np.arange(first_row(t, width), last_row(t, height) + 1)
        for c in range(channels):
            chunk = Strip(frozen, height, width, depth).extract_features(pixels, 0, t + 1)
            outputs, units = network.outputs(chunk.seen.inputs, chunk.seen.extras)
            n = chunk.seen.values.shape[1]
            _decode_channel(strip, reading, *own.learners, record(chunk), (outputs, units), (c, n - count, n))
            pixels[ys, t - SKEW * ys, c] = own.parts.workspace.current[c, :count]
            binary.check_end(binary.beyond(coder))


@kernel()
def _decode_channel(strip: Any, coding: Any, heads: Any, layers: Any, chunk: Any, network: Any, place: Any) -> None:
    """A channel's positions begin .. end - 1 of a chunk, for Python to call.

    Args:
        network: its outputs and its hidden units; where layers have learnt, they are evaluated here.
        place: channel, begin and end.
    """
    outputs, units = network
    c, begin, end = place
    count = end - begin
    load_channel(strip, chunk, outputs, units, c, begin, end)
    if layers is not None:
        activations, windows, seen = strip.activations, strip.planes.windows, chunk.seen
        for i in range(activations.inputs.shape[0]):
            for k in range(count):
                activations.inputs[i, k] = seen.inputs[i, begin + k]
        descent.trunk(layers, strip.net, activations, count)
        first, more = 0, extras(c, windows)
        for before in range(c):
            first += extras(before, windows)
        for i in range(more):
            for k in range(count):
                activations.extras[i, k] = seen.extras[first + i, begin + k]
        head(strip.net, activations, c, strip.planes.channels, more, count)
        last_layers.unpack(activations.packed[0], heads.units, count, activations.units)
    call(strip.calls.code, (strip, coding, heads, layers, True, c, count))
