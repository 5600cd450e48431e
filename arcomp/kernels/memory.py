"""The arrays that instructions read and write: positions, features, caches, weights, tables.

Features of all layers are int16, in ``Memory.values``. Layers' weights, tables and caches lie in one array each, as
:class:`arcomp.kernels.workspace.Workspace` lays them out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

Ints = npt.NDArray[Any]


class Positions(NamedTuple):
    """Of pictures; at least ``size`` of them, in the sequence of a front or of rows.

    Attributes:
        image, y, x: int32 [n] each: the picture's number in the batch, row and column at the instruction's scale.
    """

    size: int
    image: Ints
    y: Ints
    x: Ints


class Sets(NamedTuple):
    """The sets of positions of a front: (first scale, front), (first scale, rows), (second scale, front) and so on.

    Attributes:
        positions: int32 [sets, 3, n]: image, y, x. counts: int64 [sets], how many of each set there are.
    """

    positions: Ints
    counts: Ints


class Code(NamedTuple):
    """The instructions.

    Attributes:
        numbers: int64, instruction after instruction.
        widths: int64 [scales + 1], of the padded batch, in positions of each scale; the last is 0.
    """

    numbers: Ints
    widths: Ints


class Memory(NamedTuple):
    """What instructions read and write.

    Attributes:
        values: int16, features of rows, then of the front, position after position.
        caches: int16. counters: int64, positions or samples that are done, of each picture.
        constants: int16, weights and tables. rescale: int64 [rows, 3]: bias, multiplier, shift of outputs
            (:mod:`arcomp.exact.rescale`).
    """

    values: Ints
    caches: Ints
    counters: Ints
    constants: Ints
    rescale: Ints


class Tables(NamedTuple):
    """Functions in integers.

    Attributes:
        logistic: int32 [6145], :func:`arcomp.exact.tables.fine_logistic`.
        elu: int16 [256], :func:`arcomp.layers.elu.elu_table`.
        exponential: int64 [4096], :func:`arcomp.exact.tables.exponential`.
    """

    logistic: Ints
    elu: Ints
    exponential: Ints


class Scratch(NamedTuple):
    """To work in.

    Attributes:
        features: int16 [most features], inputs or outputs of a product. scores: int64 [most positions of a picture].
        totals: int64 [most features of a head, or outputs of a look-up].
    """

    features: Ints
    scores: Ints
    totals: Ints


class Call(NamedTuple):
    """An instruction that is carried out.

    Attributes:
        numbers: int64, all instructions. operands: where this one's begin. own: where its layer's record begins.
        width: of the padded batch at the layer's scale, in positions. coarse_width: at the next scale.
        group: of features that is wanted.
    """

    numbers: Ints
    operands: int
    own: int
    width: int
    coarse_width: int
    group: int
