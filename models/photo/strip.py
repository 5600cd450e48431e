"""One strip, coded on its own: front by front, or (encoding, where a GPU evaluates the network) many fronts at a time.

Both ways call the same kernels: :func:`look` and :func:`look_channel` for what is seen, :func:`mixtures` for what the
network says, :func:`find` for what is counted, :func:`code` for the decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary, lattice, mixing
from arcomp.coding.decisions import MOST_DECISIONS
from arcomp.contract.learning import Positions, Stream
from arcomp.contract.model import Watch
from arcomp.errors import FormatError, ModelError
from arcomp.exact.compiled import kernel
from arcomp.models.photo import adaptation, chunks, exact, workspace
from arcomp.models.photo.chunks import Chunk
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.contexts import find
from arcomp.models.photo.exact import Net, Network, head, mixtures, trunk
from arcomp.models.photo.inputs import channel_features, extras, look, observe, push
from arcomp.models.photo.least_squares import predict
from arcomp.models.photo.planes import SKEW, Int32, blank, first_row, front_count, last_row

CHUNK = 1 << 14
"""Positions that are evaluated at a time in encoding, about."""
STEPS = 64
"""Fronts between two reports of progress in decoding."""
NOT_ASKED = np.zeros((0, 0, 0), np.float32)
"""In place of each sample's bits."""


@dataclass(frozen=True)
class Frozen:
    """All that is fixed of a network: made once, used by every strip."""

    config: PhotoConfig
    net: Net
    prior: npt.NDArray[np.int32]
    mixer: Int32 | None

    @property
    def stage(self) -> mixing.Stage:
        """Settings of the mixing stage."""
        return mixing.STAGES[self.config.stage]

    def check(self) -> None:
        """Refuse weights of the mixing stage that are not.

        Raises:
            ModelError: of the wrong shape or type, or beyond what sums can hold.
        """
        shape = (mixing.weight_rows(self.config.channels), mixing.LANES)
        if self.mixer is not None and (
            self.mixer.dtype != np.int32
            or self.mixer.shape != shape
            or np.abs(self.mixer.astype(np.int64)).max() >= 1 << 20
        ):
            raise ModelError("the mixing stage's weights are not right", remedy="install the model's weights again")


def memory(config: PhotoConfig, height: int, width: int) -> int:
    """Bytes that a strip takes while it is coded, about."""
    longest = min(height, -(-width // SKEW)) + 16
    planes = ((3 + len(config.windows)) * config.channels + 1) * config.ring * (height + 64) * 2
    sums = sum(w.step * w.size(config.channels) ** 2 // 2 * 4 for w in config.windows) * (height + 64)
    return (
        planes
        + sums
        + longest * 4 * (4096 + config.channels * config.head)
        + CHUNK * 2048
        + mixing.memory(mixing.STAGES[config.stage])
    )


class Strip:
    """Everything one strip needs while it is coded.

    Args:
        frozen: the network. height, width: of the strip.
    """

    def __init__(self, frozen: Frozen, height: int, width: int) -> None:
        config = frozen.config
        self.config, self.net = config, frozen.net
        self.height, self.width = height, width
        longest = min(height, -(-width // SKEW))
        self.planes = blank(height, width, config.channels, len(config.windows), config.ring)
        self.squares = workspace.squares(config.windows, config.channels, frozen.prior)
        self.work = workspace.work(config.windows, config.channels, self.planes.values.shape[2], longest)
        self.workspace = exact.workspace(config, longest)
        self.mixer = mixing.mixer(frozen.stage, config.channels, config.mixture, config.tails, frozen.mixer)
        self.contexts = np.zeros((frozen.stage.tables, longest + 16), np.int64)
        self.checks = np.zeros((frozen.stage.tables, longest + 16), np.int32)
        self.selectors = np.zeros((2, longest + 16), np.int32)
        self.rows = np.zeros(longest + 16, np.int32)
        self.costs = np.zeros(longest + 16, np.float32)
        self.heads = None
        if config.online:
            self.heads = adaptation.heads(self.net, config.channels, longest, config.rate, config.group)
        self.totals = np.zeros(2)
        self.fronts = front_count(height, width)

    def decode(self, data: bytes | memoryview, pixels: npt.NDArray[np.uint8], progress: Positions) -> None:
        """Fill uint8 [height, width, C] (channels in coding order) from coded bytes."""
        colours, words = _begin(data, self.config.channels)
        coder = binary.decoder(words)
        for t in range(0, self.fronts, STEPS):
            done = _fronts(
                self.planes, self.squares, self.work, self.net, self.workspace, self.mixer, coder, words, True,
                self.contexts, self.checks, self.selectors, colours, self.rows, pixels, t,
                min(t + STEPS, self.fronts), self.totals, self.heads, self.costs, NOT_ASKED,
            )  # fmt: skip
            progress(done)

    def encode(
        self, pixels: npt.NDArray[np.uint8], progress: Positions, bits: npt.NDArray[np.float32] = NOT_ASKED
    ) -> Stream:
        """Code uint8 [height, width, C], channels in coding order, front by front as decoding goes; ``bits``, of the
        same shape, is filled with each sample's."""
        words, coder = np.zeros(1 << 16, np.uint32), binary.encoder()
        known = lattice.detect(pixels)
        for t in range(0, self.fronts, STEPS):
            end = min(t + STEPS, self.fronts)
            words = self._with_room(words, coder, self._positions(t, end))
            done = _fronts(
                self.planes, self.squares, self.work, self.net, self.workspace, self.mixer, coder, words, False,
                self.contexts, self.checks, self.selectors, lattice.colours(known), self.rows, pixels, t, end,
                self.totals, self.heads, self.costs, bits,
            )  # fmt: skip
            progress(done)
        return self._stream(known, coder, words)

    def _positions(self, begin: int, end: int) -> int:
        """Of fronts begin .. end - 1."""
        return sum(max(0, last_row(t, self.height) - first_row(t, self.width) + 1) for t in range(begin, end))

    def _with_room(self, words: Any, coder: Any, positions: int) -> Any:
        """The words written so far, and room for so many positions more."""
        needed = int(coder[binary.AT]) + positions * self.config.channels * MOST_DECISIONS // 2 + 16
        return words if needed <= len(words) else np.concatenate([words, np.zeros(needed, np.uint32)])

    def _stream(self, known: int, coder: Any, words: Any) -> Stream:
        data = bytes([known]) + binary.finish(coder, words)
        return Stream(data, float(self.totals[0]), float(self.totals[1]))

    def examine(self, pixels: npt.NDArray[np.uint8], begin: int, end: int) -> Chunk:
        """Fronts begin .. end - 1 of a known strip; their mixtures are not yet there."""
        chunk = chunks.chunk(self.config, self.contexts.shape[0], self._positions(begin, end))
        chunks.examine(self.planes, self.squares, self.work, pixels, begin, end, chunk.seen, chunk.found)
        return chunk

    def encode_by_chunks(
        self, pixels: npt.NDArray[np.uint8], network: Network, progress: Positions, watch: Watch | None = None
    ) -> Stream:
        """The same bytes; the network evaluated over many fronts at a time, on its own device."""
        channels = self.config.channels
        words, coder = np.zeros(1 << 16, np.uint32), binary.encoder()
        known = lattice.detect(pixels)
        fronts = max(1, CHUNK // min(self.height, -(-self.width // SKEW)))
        for t in range(0, self.fronts, fronts):
            chunk = self.examine(pixels, t, min(t + fronts, self.fronts))
            seen, n = chunk.seen, chunk.seen.values.shape[1]
            outputs, units = network.outputs(seen.inputs, seen.extras, watch)
            words = self._with_room(words, coder, n)
            _code_fronts(
                self.mixer, coder, words, chunk, lattice.colours(known), self.totals, self.net,
                self.heads, outputs, units, np.zeros(0, np.float32),
            )  # fmt: skip
            for c in range(channels if watch else 0):
                assert watch is not None
                watch(f"mixture.{c}", chunk.mixture[c])
            progress(n)
        return self._stream(known, coder, words)


def decode_naively(frozen: Frozen, network: Network, data: bytes | memoryview, pixels: npt.NDArray[np.uint8]) -> None:
    """Fill uint8 [height, width, C] by looking at the whole strip anew for every channel of every front, to test the
    planes and the kernels for fronts against: only the mixing stage goes on from front to front."""
    height, width, channels = pixels.shape
    colours, words = _begin(data, channels)
    coder = binary.decoder(words)
    own = Strip(frozen, height, width)
    for t in range(own.fronts):
        count = last_row(t, height) - first_row(t, width) + 1
        if count <= 0:
            continue
        ys = np.arange(first_row(t, width), last_row(t, height) + 1)
        for c in range(channels):
            chunk = Strip(frozen, height, width).examine(pixels, 0, t + 1)
            seen, found = chunk.seen, chunk.found
            outputs, units = network.outputs(seen.inputs, seen.extras)
            last = slice(seen.values.shape[1] - count, None)
            values = np.zeros(count, np.int32)
            _code_channel_alone(
                own.mixer, coder, words, True, c, channels, count, own.net, own.heads,
                outputs[c][:, last], units[c][:, last], seen.base[c, last], seen.scale[c, last],
                seen.gates[c][:, last], chunk.mixture[c, last], found.selectors[c][:, last],
                found.contexts[c][:, last], found.checks[c][:, last], colours, found.rows[last], values, own.totals,
                np.zeros(0, np.float32),
            )  # fmt: skip
            pixels[ys, t - SKEW * ys, c] = values


def _begin(data: bytes | memoryview, channels: int) -> tuple[npt.NDArray[np.uint8], Any]:
    """A stream's lattice and its words.

    Raises:
        FormatError: a lattice that is not known.
    """
    known = data[0] if len(data) else -1
    if known not in (lattice.NONE, *(lattice.KNOWN if channels == 3 else ())):
        raise FormatError("the coded pixels are damaged", remedy="get a fresh copy of the file")
    return lattice.colours(known), binary.words_of(memoryview(data)[1:])


@kernel(inner=True)
def _code_channel(
    mixer: Any, coder: Any, words: Any, decoding: bool, c: int, channels: int, count: int, net: Any,
    heads: Any, outputs: Any, units: Any, base: Any, scale: Any, gates: Any, mixture: Any, selectors: Any,
    contexts: Any, checks: Any, colours: Any, rows: Any, values: Any, totals: Any, costs: Any,
) -> None:  # fmt: skip
    """One channel of a front, from its head's outputs to its values. ``heads`` that learn (or None: then nothing of
    them is compiled) fill ``outputs`` from their hidden units, and learn; with the last channel they take a step."""
    if heads is not None:
        adaptation.forward(heads, c, units, count, outputs)
    mixtures(net, outputs, base, scale, gates, count, mixture)
    mixing.code(
        mixer, coder, words, decoding, c, channels, count, mixture, selectors, contexts, checks, colours, rows,
        values, totals, costs,
    )  # fmt: skip
    if heads is not None:
        adaptation.learn(heads, c, mixture, scale, gates, values, count, net.components, mixer.constants.logistic)
        if c == channels - 1:
            adaptation.step(heads, count)


@kernel()
def _code_channel_alone(*given: Any) -> None:
    """The same, for Python to call."""
    _code_channel(*given)


@kernel()
def _code_fronts(
    mixer: Any, coder: Any, words: Any, chunk: Any, colours: Any, totals: Any, net: Any, heads: Any, outputs: Any,
    units: Any, none: Any,
) -> None:  # fmt: skip
    """Encode the fronts of a chunk. ``none``: float32 [0], in place of each value's bits."""
    seen, found = chunk.seen, chunk.found
    channels = seen.values.shape[0]
    begin = 0
    for front in range(1, seen.ends[0] + 1):
        end = seen.ends[front]
        own = slice(begin, end)
        for c in range(channels):
            _code_channel(
                mixer, coder, words, False, c, channels, end - begin, net, heads, outputs[c][:, own],
                units[c][:, own], seen.base[c, own], seen.scale[c, own], seen.gates[c][:, own], chunk.mixture[c, own],
                found.selectors[c][:, own], found.contexts[c][:, own], found.checks[c][:, own], colours,
                found.rows[own], seen.values[c, own], totals, none,
            )  # fmt: skip
        begin = end


@kernel()
def _fronts(
    planes: Any, squares: Any, work: Any, net: Any, workspace: Any, mixer: Any, coder: Any, words: Any, decoding: bool,
    contexts: Any, checks: Any, selectors: Any, colours: Any, rows: Any, pixels: Any, begin: int, end: int,
    totals: Any, heads: Any, costs: Any, bits: Any,
) -> int:  # fmt: skip
    """Fronts begin .. end - 1, one after the other; returns positions done. ``heads`` that learn, or None.
    ``bits``: float32 [height, width, C], filled in encoding, or NOT_ASKED."""
    channels, windows = planes.channels, planes.windows
    done = 0
    gates, units = workspace.gates, workspace.units
    for t in range(begin, end):
        first = first_row(t, planes.width)
        count = last_row(t, planes.height) - first + 1
        if count <= 0:
            continue
        own = slice(0, count)
        predict(planes, squares, work, t, first, count)
        look(planes, squares, work, t, first, count, workspace.inputs[:, own])
        trunk(net, workspace, count)
        for c in range(channels):
            channel_features(squares, work, c, count, workspace.extras[:, own])
            head(net, workspace, c, channels, extras(c, windows), count)
            if heads is not None:
                adaptation.unpack(workspace.packed[0], heads.units, count, units)
            for w in range(windows):
                for k in range(count):
                    gates[w, k] = work.predictions[w, c, k] - work.base[c, k]
            find(planes, work, t, first, count, c, contexts[:, own], checks[:, own], selectors[:, own])
            current = work.current[c]
            if not decoding:
                for k in range(count):
                    current[k] = pixels[first + k, t - SKEW * (first + k), c]
            if c == 2:
                for k in range(count):
                    rows[k] = work.current[0, k] * 256 + work.current[1, k]
            _code_channel(
                mixer, coder, words, decoding, c, channels, count, net, heads, workspace.outputs[:, own],
                units[:, own], work.base[c, own], work.scale[c, own], gates[:, own], workspace.mixture[own],
                selectors[:, own], contexts[:, own], checks[:, own], colours, rows[own], current[own], totals,
                costs[: count if bits.shape[0] else 0],
            )  # fmt: skip
            push(planes, t, first, count, c, current)
            for k in range(count):
                if decoding:
                    pixels[first + k, t - SKEW * (first + k), c] = current[k]
                if bits.shape[0]:
                    bits[first + k, t - SKEW * (first + k), c] = costs[k]
        observe(planes, work, t, first, count)
        done += count
    return done
