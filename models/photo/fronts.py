"""The kernels of one front, compiled apart: a second process makes half of them while a first picture waits."""

from __future__ import annotations

from typing import Any, NamedTuple

from arcomp.coding import binary
from arcomp.exact import apart, last_layers
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.models.photo import adaptation, backward, descent, direct, plain, stage
from arcomp.models.photo.contexts import hash_contexts
from arcomp.models.photo.exact import head, mixtures, trunk
from arcomp.models.photo.inputs import channel_features, extras, features, update_errors
from arcomp.models.photo.least_squares import predict

BESIDE = 2
"""How many of the kernels, first ones, a second process compiles: about half of the work."""


class Calls(NamedTuple):
    """Addresses of the kernels."""

    predict: int
    features: int
    outputs: int
    code: int
    errors: int


def begin(parts: Any, own_stage: stage.Stage | direct.Direct, learners: Any) -> None:
    """Have those compiled that are not kept, by a second process.

    Args:
        parts: a strip's :class:`arcomp.models.photo.strip.Parts`. own_stage: its mixing stage.
        learners: its heads and its other layers that learn, records or None.
    """
    apart.begin(_wanted(parts, own_stage, learners)[:BESIDE])


def addresses(parts: Any, own_stage: stage.Stage | direct.Direct, learners: Any) -> Calls:
    """Where they are, for a strip like this; compiled if they have to be, first those that nobody has begun."""
    return Calls(*[apart.address(*one) for one in _wanted(parts, own_stage, learners)[::-1]][::-1])


def _wanted(parts: Any, own_stage: stage.Stage | direct.Direct, learners: Any) -> list[apart.Wanted]:
    """Kernels in the order of :class:`Calls`, and what they take."""
    strip, coding = record(parts), record(stage.Coding(own_stage, binary.encoder(1)))
    planes, squares, workspace = record(parts.planes), record(parts.squares), record(parts.workspace)
    front, learnt = (planes, squares, workspace, 0, 0, 0), (planes, workspace, 0, 0, 0)
    if isinstance(own_stage, direct.Direct):
        return [
            (predict_plainly, front),
            (plain_features, (strip, None, 0, 0, 0)),
            (plain_outputs, (strip, None, 0, 0, 0, 0)),
            (code_directly, (strip, coding, None, None, True, 0, 0)),
            (plain_errors, learnt),
        ]
    return [
        (predict_front, front),
        (front_features, (strip, learners[1], 0, 0, 0)),
        (channel_outputs, (strip, learners[0], 0, 0, 0, 0)),
        (code_channel, (strip, coding, *learners, True, 0, 0)),
        (front_errors, learnt),
    ]


@kernel(apart=True)
def predict_front(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """Least squares of a front."""
    predict(planes, squares, workspace, t, first, count)


@kernel(apart=True)
def front_features(strip: Any, layers: Any, t: int, first: int, count: int) -> None:
    """The network's inputs and its trunk, of a front. ``layers``: those that learn, or None."""
    features(strip.planes, strip.squares, strip.workspace, t, first, count, strip.activations.inputs)
    if layers is None:
        trunk(strip.net, strip.activations, count)
    else:
        descent.trunk(layers, strip.net, strip.activations, count)


@kernel(apart=True)
def channel_outputs(strip: Any, heads: Any, t: int, first: int, count: int, c: int) -> None:
    """One channel of a front: its head's outputs, gates and contexts."""
    planes, workspace, activations = strip.planes, strip.workspace, strip.activations
    channel_features(strip.squares, workspace, c, count, activations.extras)
    head(strip.net, activations, c, planes.channels, extras(c, planes.windows), count)
    if heads is not None:
        last_layers.unpack(activations.packed[0], heads.units, count, activations.units)
    for w in range(planes.windows):
        for k in range(count):
            activations.residuals[w, k] = workspace.predictions[c, w, k] - workspace.base[c, k]
    hash_contexts(planes, workspace, t, first, count, c, strip.front, strip.front.tables)


@kernel(apart=True)
def code_channel(strip: Any, coding: Any, heads: Any, layers: Any, decoding: bool, c: int, count: int) -> None:
    """One channel of a front, from its head's outputs to its values. ``heads`` that learn make the outputs from their
    hidden units, and learn, as other ``layers`` may; steps follow the last channel. None: the kernel is compiled
    without this code.
    """
    net, activations, workspace, front = strip.net, strip.activations, strip.workspace, strip.front
    if heads is not None:
        last_layers.forward(heads, c, activations.units, count, activations.outputs)
    mixtures(net, activations, workspace.base[c], workspace.scale[c], front.depth, count, front.mixture)
    stage.code(coding.stage, coding.coder, front, decoding, c, count)
    if heads is not None:
        values, logistic = workspace.current[c, :count], coding.stage.logistic
        adaptation.learn(
            heads, c, front, activations.outputs, workspace.scale[c], activations.residuals, values, logistic
        )
    last = c == strip.planes.channels - 1
    if layers is not None:
        if descent.learns(layers):
            backward.begin(layers, heads, c, activations.units, count)
            if last:
                backward.back(layers, count)
        if last:
            descent.step(layers, net, count)
    if heads is not None and last:
        last_layers.step(heads, count)


@kernel(apart=True)
def front_errors(planes: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """What is kept of a front whose levels are all known."""
    update_errors(planes, workspace, t, first, count)


@kernel(apart=True)
def predict_plainly(planes: Any, squares: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """:func:`predict_front` where there are no windows, as the following kernels are for the others."""
    plain.predict(planes, workspace, t, first, count)


@kernel(apart=True)
def plain_features(strip: Any, layers: Any, t: int, first: int, count: int) -> None:
    """The network's inputs and its trunk, of a front."""
    plain.features(strip.planes, strip.squares, strip.workspace, t, first, count, strip.activations.inputs)
    trunk(strip.net, strip.activations, count)


@kernel(apart=True)
def plain_outputs(strip: Any, heads: Any, t: int, first: int, count: int, c: int) -> None:
    """One channel of a front: its head's outputs."""
    activations = strip.activations
    plain.channel_features(strip.workspace, c, count, activations.extras, activations.residuals)
    head(strip.net, activations, c, strip.planes.channels, plain.extras(c), count)


@kernel(apart=True)
def code_directly(strip: Any, coding: Any, heads: Any, layers: Any, decoding: bool, c: int, count: int) -> None:
    """One channel of a front, from its head's outputs to its values."""
    activations, workspace, front = strip.activations, strip.workspace, strip.front
    mixtures(strip.net, activations, workspace.base[c], workspace.scale[c], front.depth, count, front.mixture)
    direct.code(coding.stage, coding.coder, front, decoding, c, count)


@kernel(apart=True)
def plain_errors(planes: Any, workspace: Any, t: int, first: int, count: int) -> None:
    """What is kept of a front whose levels are all known."""
    plain.update_errors(planes, workspace, t, first, count)
