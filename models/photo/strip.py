"""One strip, coded on its own: front by front, or (encoding, where a GPU evaluates the network) many fronts at a time.

Both ways call the same kernels: ``features`` and ``channel_features`` (:mod:`arcomp.models.photo.inputs`) compute the
network's inputs, ``mixtures`` (:mod:`arcomp.models.photo.exact`) makes a mixture of its outputs, ``hash_contexts``
(:mod:`arcomp.models.photo.contexts`) says what is counted, and ``code`` (:mod:`arcomp.models.photo.stage`) codes
decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from arcomp.coding import binary, lattice, mixing
from arcomp.coding.decisions import MOST_DECISIONS
from arcomp.coding.levels import LEVELS
from arcomp.contract.learning import Stream, Tile
from arcomp.contract.model import Watch
from arcomp.contract.side_by_side import Positions
from arcomp.errors import FormatError, ModelError
from arcomp.exact.apart import call
from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import aligned
from arcomp.exact.records import Record, record
from arcomp.models.photo import adaptation, chunks, descent, exact, fronts
from arcomp.models.photo.chunks import Chunk
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.depth import EIGHT, Depth, from_bytes, to_bytes
from arcomp.models.photo.direct import Direct, new_direct
from arcomp.models.photo.exact import ChunkNetwork, PackedNet
from arcomp.models.photo.inputs import push
from arcomp.models.photo.planes import SKEW, Int32, Planes, blank, first_row, front_count, last_row
from arcomp.models.photo.stage import STAGES, Coding, FrontData, Stage, StageSettings, new_stage
from arcomp.models.photo.workspace import Squares, Workspace, new_squares, new_workspace

CHUNK = 1 << 14
"""Positions that are evaluated at a time in encoding, about."""
STEPS = 64
"""Fronts between two reports of progress in decoding."""
NOT_ASKED = np.zeros((0, 0, 0), np.float32)
"""Passed where no per-sample costs are wanted."""


@dataclass(frozen=True)
class Frozen:
    """All that is fixed of a network: made once, used by every strip."""

    config: PhotoConfig
    net: PackedNet
    prior: npt.NDArray[np.int32] | None
    """Of the least squares; None without windows."""
    mixer_weights: Int32 | None
    calls: dict[bool, fronts.Calls] = field(default_factory=dict, repr=False, compare=False)
    """The kernels of its strips, of 8 bits and of more, once they are compiled: finding them takes as long as coding a
    row of an icon."""

    @cached_property
    def squares(self) -> Squares:
        """Constants of the windows."""
        prior = np.zeros(0, np.int32) if self.prior is None else self.prior
        return new_squares(self.config.windows, self.config.channels, prior)

    @property
    def stage_settings(self) -> StageSettings | None:
        """Settings of the mixing stage; None where values are coded directly."""
        return STAGES.get(self.config.stage)

    def new_stage(self, pixels: int) -> Stage | Direct:
        """What codes so many pixels, before the first."""
        config, settings = self.config, self.stage_settings
        if settings is None:
            return new_direct(config.mixture)
        return new_stage(settings, config.channels, pixels, config.mixture, self.mixer_weights)

    def check(self) -> None:
        """Refuse mixing weights of the wrong shape, type or size.

        Raises:
            ModelError: they have another shape or type, or sums could overflow.
        """
        settings = self.stage_settings
        rows = settings.shape(self.config.channels, 1).weight_rows if settings else 0
        shape = (rows, mixing.LANES)
        if self.mixer_weights is not None and (
            self.mixer_weights.dtype != np.int32
            or self.mixer_weights.shape != shape
            or np.abs(self.mixer_weights.astype(np.int64)).max() >= 1 << 20
        ):
            raise ModelError("the mixing stage's weights are not right", remedy="install the model's weights again")


def memory(config: PhotoConfig, height: int, width: int) -> int:
    """Bytes that a strip takes while it is coded, about."""
    longest = min(height, -(-width // SKEW)) + 16
    planes = ((4 + len(config.windows)) * config.channels + 1) * config.ring * (height + 64) * 2
    sums = sum(w.step * w.size(config.channels) ** 2 // 2 * 4 for w in config.windows) * (height + 64)
    return (
        planes
        + (descent.memory(config, longest) if config.inner_rate else 0)
        + sums
        + longest * 4 * (4096 + config.channels * config.head)
        + CHUNK * 2048
        + (0 if config.plain else mixing.memory(STAGES[config.stage].shape(config.channels, height * width)))
    )


Learners = tuple[Record | None, Record | None]
"""Heads that learn (:class:`arcomp.models.photo.adaptation.Heads`), and all other layers that do
(:class:`arcomp.models.photo.descent.Layers`)."""


class Parts(NamedTuple):
    """One strip for the kernels: a record of records."""

    calls: fronts.Calls
    planes: Planes
    squares: Squares
    workspace: Workspace
    net: PackedNet
    activations: exact.Workspace
    front: FrontData


class Strip:
    """Everything one strip needs while it is coded.

    Args:
        frozen: the network. height, width: of the strip. depth: of its samples.
    """

    def __init__(self, frozen: Frozen, height: int, width: int, depth: Depth = EIGHT) -> None:
        config, settings = frozen.config, frozen.stage_settings
        self.config, self.height, self.width, self._calls = config, height, width, frozen.calls
        self.depth = depth
        longest = min(height, -(-width // SKEW))
        planes = blank(height, width, config.channels, len(config.windows), config.ring, depth)
        workspace = new_workspace(config.windows, config.channels, planes.values.shape[2], longest, depth)
        n = longest + 16
        net = descent.own_net(frozen.net) if config.inner_rate else frozen.net
        self.stage = frozen.new_stage(height * width)
        self.parts = Parts(
            fronts.Calls(0, 0, 0, 0, 0),
            planes,
            frozen.squares,
            workspace,
            net,
            exact.new_workspace(config, longest),
            FrontData(
                np.zeros((n, 3 * config.mixture + 2), np.int32),
                np.zeros((n, 2), np.int32),
                aligned((n, mixing.LANES), np.int32),
                aligned((n, mixing.LANES), np.int32),
                lattice.colours(lattice.NONE),
                np.zeros(n, np.int32),
                workspace.current,
                workspace.scale,
                depth,
                np.zeros(0, np.float32),
                np.zeros(2),
                settings.tables if settings else 0,
            ),
        )
        self.learners: Learners = (None, None)
        if config.online:
            heads = record(adaptation.heads(net, config.channels, longest, config.rate, config.group))
            layers = record(descent.layers(net, config, longest, height * width)) if config.inner_rate else None
            self.learners = heads, layers
        self.fronts = front_count(height, width)

    def record(self, lattice_id: int, costs: bool = False) -> Record:
        """What kernels take.

        Args:
            lattice_id: of the picture's lattice. costs: whether each value's bits are asked for.
        """
        front = self.parts.front
        asked = np.zeros(len(front.lattice_rows) if costs else 0, np.float32)
        wide = bool(self.depth.wide)
        if wide not in self._calls:
            self._calls[wide] = fronts.addresses(self.parts, self.stage, self.learners)
        parts = self.parts._replace(calls=self._calls[wide])
        return record(parts._replace(front=front._replace(colours=lattice.colours(lattice_id), costs=asked)))

    def _begin(self) -> None:
        """Have the kernels compiled, if they are not."""
        if bool(self.depth.wide) not in self._calls:
            fronts.begin(self.parts, self.stage, self.learners)

    def coding(self, coder: binary.Coder) -> Record:
        """What kernels take to code with."""
        return record(Coding(self.stage, coder))

    def decode(self, data: bytes | memoryview, pixels: Tile, progress: Positions) -> None:
        """Fill [height, width, C] (channels in coding order) from coded bytes.

        Raises:
            FormatError: they end too soon.
        """
        self._begin()
        lattice_id, coder = start(data, self.config, self.depth)
        strip, reading = self.record(lattice_id), self.coding(coder)
        for t in range(0, self.fronts, STEPS):
            end = min(t + STEPS, self.fronts)
            progress(_code_fronts(strip, reading, self.learners, True, pixels, NOT_ASKED, t, end))
            binary.check_end(binary.beyond(coder))

    def encode(self, pixels: Tile, progress: Positions, bits: npt.NDArray[np.float32] = NOT_ASKED) -> Stream:
        """Code [height, width, C], channels in coding order, front by front as decoding goes; ``bits``, of the
        same shape, is filled with each sample's."""
        self._begin()
        lattice_id, coder = self._lattice(pixels), binary.encoder(1 << 16)
        strip = self.record(lattice_id, costs=bits.size > 0)
        for t in range(0, self.fronts, STEPS):
            end = min(t + STEPS, self.fronts)
            coder = self._with_space(coder, self._positions(t, end))
            progress(_code_fronts(strip, self.coding(coder), self.learners, False, pixels, bits, t, end))
        return self._stream(lattice_id, coder)

    def _positions(self, begin: int, end: int) -> int:
        """Of fronts begin .. end - 1."""
        return sum(max(0, last_row(t, self.height) - first_row(t, self.width) + 1) for t in range(begin, end))

    def _with_space(self, coder: binary.Coder, positions: int) -> binary.Coder:
        """The coder, with room for so many positions more."""
        return binary.with_space(coder, positions * self.config.channels * MOST_DECISIONS // 2 + 16)

    def _lattice(self, pixels: Tile) -> int:
        return lattice.NONE if self.depth.wide or self.config.plain else lattice.detect(pixels)

    def _stream(self, lattice_id: int, coder: binary.Coder) -> Stream:
        totals = self.parts.front.totals
        begin = to_bytes(self.depth) if self.depth.wide else bytes([lattice_id])
        return Stream(begin + binary.finish(coder), float(totals[0]), float(totals[1]))

    def extract_features(self, pixels: Tile, begin: int, end: int) -> Chunk:
        """Fronts begin .. end - 1 of a known strip; their mixtures are not yet there."""
        parts = self.parts
        chunk = chunks.chunk(self.config, parts.front.tables, self._positions(begin, end))
        planes, squares, workspace = (record(part) for part in (parts.planes, parts.squares, parts.workspace))
        known = planes, squares, workspace, pixels, begin, end, record(chunk.seen)
        if self.config.plain:
            chunks.extract_plain_features(*known)
        else:
            chunks.extract_features(*known, record(chunk.hashed))
        return chunk

    def encode_by_chunks(
        self, pixels: Tile, network: ChunkNetwork, progress: Positions, watch: Watch | None = None
    ) -> Stream:
        """The same bytes; the network evaluated over many fronts at a time, on its own device."""
        channels = self.config.channels
        lattice_id, coder = self._lattice(pixels), binary.encoder(1 << 16)
        strip = self.record(lattice_id)
        fronts = max(1, CHUNK // min(self.height, -(-self.width // SKEW)))
        for t in range(0, self.fronts, fronts):
            chunk = self.extract_features(pixels, t, min(t + fronts, self.fronts))
            seen, n = chunk.seen, chunk.seen.values.shape[1]
            outputs, units = network.outputs(seen.inputs, seen.extras, watch)
            coder = self._with_space(coder, n)
            _encode_chunk(strip, self.coding(coder), self.learners, record(chunk), outputs, units)
            for c in range(channels if watch else 0):
                assert watch is not None
                watch(f"mixture.{c}", chunk.mixture[c])
            progress(n)
        return self._stream(lattice_id, coder)


def depth_of(data: bytes | memoryview, pixels: Tile) -> Depth:
    """Of a stream's samples; ``pixels``: what it is decoded to.

    Raises:
        FormatError: there is no such depth.
    """
    return EIGHT if pixels.dtype == np.uint8 else from_bytes(data)


def start(data: bytes | memoryview, config: PhotoConfig, depth: Depth) -> tuple[int, binary.Coder]:
    """A stream's lattice and its decoder.

    Raises:
        FormatError: a lattice that is not known.
    """
    if depth.wide:
        return lattice.NONE, binary.decoder(memoryview(data)[len(to_bytes(depth)) :])
    lattice_id = data[0] if len(data) else -1
    may_have = config.channels == 3 and not config.plain
    if lattice_id not in (lattice.NONE, *(lattice.KNOWN if may_have else ())):
        raise FormatError("the coded pixels are damaged", remedy="get a fresh copy of the file")
    return lattice_id, binary.decoder(memoryview(data)[1:])


@kernel(inner=True)
def load_channel(strip: Any, chunk: Any, outputs: Any, units: Any, c: int, begin: int, end: int) -> None:
    """Positions begin .. end - 1 of a chunk as the front that is coded next."""
    seen, hashed = chunk.seen, chunk.hashed
    front, workspace, activations = strip.front, strip.workspace, strip.activations
    for k in range(end - begin):
        n = begin + k
        workspace.base[c, k], workspace.scale[c, k] = seen.base[c, n], seen.scale[c, n]
        workspace.current[c, k] = seen.values[c, n]
        front.lattice_rows[k] = hashed.lattice_rows[n]
        for w in range(activations.residuals.shape[0]):
            activations.residuals[w, k] = seen.residuals[c, w, n]
        for j in range(activations.outputs.shape[0]):
            activations.outputs[j, k] = outputs[c, j, n]
        for j in range(activations.units.shape[0]):
            activations.units[j, k] = units[c, j, n]
        for j in range(2):
            front.selectors[k, j] = hashed.selectors[c, n, j]
        for j in range(hashed.tables):
            front.contexts[k, j] = hashed.contexts[c, n, j]
            front.checks[k, j] = hashed.checks[c, n, j]


@kernel()
def _encode_chunk(strip: Any, coding: Any, learners: Any, chunk: Any, outputs: Any, units: Any) -> None:
    """Encode the fronts of a chunk.

    Args:
        outputs, units: of the network, see :meth:`arcomp.models.photo.exact.ChunkNetwork.outputs`.
    """
    ends, mixture = chunk.seen.ends, strip.front.mixture
    begin = 0
    for front in range(1, ends[0] + 1):
        end = ends[front]
        for c in range(chunk.seen.values.shape[0]):
            load_channel(strip, chunk, outputs, units, c, begin, end)
            call(strip.calls.code, (strip, coding, learners[0], learners[1], False, c, end - begin))
            for k in range(end - begin):
                for j in range(mixture.shape[1]):
                    chunk.mixture[c, begin + k, j] = mixture[k, j]
        begin = end


@kernel()
def _code_fronts(
    strip: Any, coding: Any, learners: Any, decoding: bool, pixels: Any, bits: Any, begin: int, end: int
) -> int:  # fmt: skip
    """Code fronts begin .. end - 1, one after the other; returns positions done.

    Args:
        strip: record of :class:`Parts`. coding: record of :class:`arcomp.models.photo.stage.Coding`.
        learners: see :data:`Learners`.
        pixels: uint8 or uint16 [height, width, C], read or written.
        bits: float32 [height, width, C], filled in encoding, or NOT_ASKED.
    """
    calls, planes, workspace, front = strip.calls, strip.planes, strip.workspace, strip.front
    channels = planes.channels
    heads, layers = learners
    done = 0
    for t in range(begin, end):
        first = first_row(t, planes.width)
        count = last_row(t, planes.height) - first + 1
        if count <= 0:
            continue
        call(calls.predict, (planes, strip.squares, workspace, t, first, count))
        call(calls.features, (strip, layers, t, first, count))
        for c in range(channels):
            current = workspace.current[c]
            call(calls.outputs, (strip, heads, t, first, count, c))
            if not decoding:
                for k in range(count):
                    current[k] = pixels[first + k, t - SKEW * (first + k), c]
            if c == 2:
                for k in range(count):
                    front.lattice_rows[k] = workspace.current[0, k] * LEVELS + workspace.current[1, k]
            call(calls.code, (strip, coding, heads, layers, decoding, c, count))
            push(planes, t, first, count, c, current)
            for k in range(count):
                if decoding:
                    pixels[first + k, t - SKEW * (first + k), c] = current[k]
                if bits.shape[0]:
                    bits[first + k, t - SKEW * (first + k), c] = front.costs[k]
        call(calls.errors, (planes, workspace, t, first, count))
        done += count
    return done
