"""What instructions are made of: the fields of each.

An instruction is a run of int64: a :class:`Header`; an :class:`Operand` for its output and one for each input; then the
record of its layer, declared here. Places in the arrays of :mod:`arcomp.kernels.memory` are numbers of elements.
Everything is integers; each instruction computes what its layer's own file says.
"""

from __future__ import annotations

from typing import NamedTuple

from arcomp.kernels.records import length

# --- parts of instructions ------------------------------------------------------------------------------------------


class Header(NamedTuple):
    """How an instruction begins.

    Attributes:
        opcode: see :data:`OPCODES`. scale: number of the layer's. positions: number of the set. operands: how many.
    """

    opcode: int
    scale: int
    positions: int
    operands: int


class Operand(NamedTuple):
    """Where features of positions are, in ``Memory.values``.

    Attributes:
        begin: of the first position's. distance: from position to position.
        row_level: whether they are of rows, known by image and column; else of the front, numbered as they come.
        share: features of a group.
    """

    begin: int
    distance: int
    row_level: int
    share: int


class Cache(NamedTuple):
    """Where features of image i at y, x are kept, in ``Memory.caches``; those of a group follow one another:

        begin + i * image + (y % rows) * row + x * column + g * group

    Attributes:
        begin: with margins left out, so that y and x may be beyond the picture by as much.
        symbols: of what reads samples: where the table from samples + 128 to what is kept is in the constants; -1:
            samples are kept.
    """

    begin: int
    image: int
    rows: int
    row: int
    column: int
    group: int
    symbols: int = -1


class Rescaling(NamedTuple):
    """From sums to features.

    Attributes:
        begin: the first output's row of ``Memory.rescale``. zero, low, high: of the outputs' quantisation.
    """

    begin: int
    zero: int
    low: int
    high: int


class Product(NamedTuple):
    """A linear layer.

    Attributes:
        inputs: of an output; 0 where there is no layer. weights: where [outputs, inputs] are in the constants.
        wide: whether sums need more than 32 bits.
    """

    inputs: int
    weights: int
    rescaling: Rescaling
    wide: int


class Run(NamedTuple):
    """Taps side by side: of ``columns`` positions from (y + dy, x + dx) on."""

    dy: int
    dx: int
    columns: int


class Hidden(NamedTuple):
    """A hidden layer of a masked network.

    Attributes:
        units: where the numbers of units are in the constants, those of all masks, by degree.
        first: where the constants say at which of those each degree begins.
    """

    units: int
    first: int
    product: Product


NO_CACHE = Cache(0, 0, 1, 0, 0, 0)
NO_PRODUCT = Product(0, 0, Rescaling(0, 0, 0, 0), 0)


# --- instructions ---------------------------------------------------------------------------------------------------
# One that reads the samples begins with the cache that they go into.


class Convolution(NamedTuple):
    """:class:`arcomp.layers.conv.ExactConv`.

    Attributes:
        cached: whether what it sees is in the cache (0: it sees the position itself alone).
        samples: whether it reads the samples, in place of an input.
        groups, inputs, outputs: of each group. later: features at the end of what it sees that a group has less than
            the next one. stride: outputs are made where y and x are multiples of it.
    """

    cache: Cache
    cached: int
    samples: int
    groups: int
    inputs: int
    outputs: int
    later: int
    stride: int
    product: Product
    runs: tuple[Run, ...]


class Embedding(NamedTuple):
    """:class:`arcomp.layers.embedding.ExactEmbedding`.

    Attributes:
        groups, outputs: of each group. symbols: how many, with none. table: where [taps, groups, symbols,
            groups * outputs] are in the constants.
    """

    cache: Cache
    groups: int
    outputs: int
    symbols: int
    table: int
    rescaling: Rescaling
    runs: tuple[Run, ...]


class Dense(NamedTuple):
    """:class:`arcomp.layers.dense.ExactDense`.

    Attributes:
        local: whether a sample sees its own position's inputs, up to its own; else the samples before.
        groups: samples of a position. inputs, outputs: of each. width: positions of a row.
    """

    cache: Cache
    local: int
    groups: int
    inputs: int
    outputs: int
    width: int
    product: Product


class Masked(NamedTuple):
    """:class:`arcomp.layers.masked.ExactMasked`. What is cached first is the samples, row by row.

    Attributes:
        groups: samples of a position. outputs: of each sample and mask. masks, units: of each hidden layer and mask.
        width: positions of a row. order: where the constants say which number each position has.
        done: where the counters are: of each picture, samples whose units are computed.
        held: where units are kept, in ``Memory.caches``: [images, layers, masks, units].
        last: the last layer. direct: from the samples to the outputs.
    """

    cache: Cache
    groups: int
    outputs: int
    masks: int
    units: int
    width: int
    order: int
    done: int
    held: int
    last: Product
    direct: Product
    hidden: tuple[Hidden, ...]


class Recurrent(NamedTuple):
    """:class:`arcomp.layers.recurrent.ExactLSTM`.

    Attributes:
        outputs, states: caches of both. dy, dx: where the state is from. first: the first tap's column, from x.
        features: of a group.
    """

    outputs: Cache
    states: Cache
    dy: int
    dx: int
    first: int
    features: int
    product: Product


class MinGRU(NamedTuple):
    """:class:`arcomp.layers.mingru.ExactMinGRU`.

    Attributes:
        states: a cache. dy, dx: where the state is from. features: of a group.
    """

    states: Cache
    dy: int
    dx: int
    features: int


class Attention(NamedTuple):
    """:class:`arcomp.layers.attention.ExactAttention`.

    Attributes:
        heads: each with ``key`` features of a key and ``value`` features of a value.
        keys, values: where [images, longest, heads * key] and [images, longest, heads * value] are kept, in
            ``Memory.caches``. longest: positions of the largest picture. done: where the counters of those kept are.
    """

    heads: int
    key: int
    value: int
    keys: int
    values: int
    longest: int
    done: int


class Shift(NamedTuple):
    """:class:`arcomp.layers.shift.ExactShift`: what was kept goes out, the input is kept."""

    cache: Cache
    samples: int


class PositionTable(NamedTuple):
    """Features of positions, :class:`arcomp.layers.position.ExactPositionEmbedding` and
    :class:`arcomp.layers.conditioning.ExactConditioning`.

    Attributes:
        table: where [images, height, width, features] are in the constants. height: 0: one for all images.
    """

    table: int
    height: int
    width: int


class DepthToSpace(NamedTuple):
    """:class:`arcomp.layers.depth_to_space.ExactDepthToSpace`: the cache is of squares; a group is a position's
    features."""

    cache: Cache


class Requantize(NamedTuple):
    """:class:`arcomp.layers.pointwise.ExactRequantize`: less ``source_zero``, shifted right, plus ``zero``, clamped."""

    source_zero: int
    shift: int
    zero: int
    low: int
    high: int


class Add(NamedTuple):
    """:class:`arcomp.layers.pointwise.ExactAdd`: ``offset`` plus all inputs, clamped."""

    offset: int
    low: int
    high: int


class Gate(NamedTuple):
    """:class:`arcomp.layers.pointwise.ExactGate`."""


class SigmoidGate(NamedTuple):
    """:class:`arcomp.layers.elu.ExactSigmoidGate`."""


class ConcatELU(NamedTuple):
    """:class:`arcomp.layers.elu.ExactConcatELU`."""


Instruction = (
    Convolution
    | Embedding
    | Dense
    | Masked
    | Recurrent
    | MinGRU
    | Attention
    | Shift
    | PositionTable
    | DepthToSpace
    | Requantize
    | Add
    | Gate
    | SigmoidGate
    | ConcatELU
)
OPCODES: dict[type[Instruction], int] = {kind: number for number, kind in enumerate(Instruction.__args__)}

HEADER, OPERAND, RUN, HIDDEN = (length(kind) for kind in (Header, Operand, Run, Hidden))
