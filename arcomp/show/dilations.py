"""Dilations: through which positions of each layer the last output of a stack of convolutions sees a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.layers.spec import Conv
from arcomp.network.layered import Layered
from arcomp.show.drawing import COLOURS, Picture, bare, panels, titled

LONGEST = 72
"""Positions that are drawn, at most."""


def layers(model: Model) -> list[tuple[int, ...]]:
    """Of each convolution along a sequence, how far back it looks: one of those that stand side by side.

    Raises:
        ModelError: the model has none.
    """
    found: dict[str, tuple[int, ...]] = {}
    layered = cast(Layered, model)
    for wiring in layered.wirings(next(iter(layered.configs.values()))).values():
        for name, spec in wiring.layers().items():
            if isinstance(spec, Conv) and len(spec.taps) > 1 and all(dy == 0 for dy, _ in spec.taps):
                found[name.rpartition(".")[2]] = tuple(-dx for _, dx in spec.taps)
    if not found:
        raise ModelError(f"model {model.name} has no convolutions along a sequence", remedy="choose another with -m")
    return list(found.values())


def paths(stack: Sequence[tuple[int, ...]]) -> list[set[int]]:
    """How far back the last output sees into each layer's inputs, from the top down; the first is the output."""
    found = [{0}]
    for taps in reversed(stack):
        found.append({back + tap for back in found[-1] for tap in taps})
    return found


def _drawable(stack: Sequence[tuple[int, ...]]) -> int:
    """How many layers, from the samples up, see no more positions than are drawn; at least one."""
    return max(k for k in range(1, len(stack) + 1) if k == 1 or max(paths(stack[:k])[-1]) < LONGEST)


def draw(models: Sequence[Model]) -> Picture:
    """A panel a model."""
    with panels(len(models), (6.8, 2.1), 1) as (picture, axes):
        for model, own in zip(models, axes, strict=True):
            whole = layers(model)
            reach = max(paths(whole)[-1]) + 1
            stack = whole[: _drawable(whole)]
            seen = paths(stack)
            width = max(seen[-1]) + 1
            for level, (positions, taps) in enumerate(zip(seen, [*reversed(stack), ()], strict=True)):
                height = len(stack) - level
                own.scatter(range(-width + 1, 1), [height] * width, s=5, color="#d0d7de", zorder=1)
                own.scatter([-p for p in positions], [height] * len(positions), s=9, color=COLOURS[0], zorder=3)
                for p in positions:
                    for tap in taps:
                        own.plot([-p, -p - tap], [height, height - 1], color=COLOURS[0], lw=0.5, zorder=2)
            bare(own)
            own.spines[:].set_visible(False)
            own.set_xlabel("samples before, the nearest on the right")
            steps = ", ".join(str(max(taps)) for taps in stack)
            first = f"the first {len(stack)} of {len(whole)} layers" if len(stack) < len(whole) else "its layers"
            titled(own, f"{model.name}: {first} reach {steps} back, {width} positions together")
            picture.say(
                f"{model.name}: {len(whole)} layers see {reach} positions", model=model.name, layers=len(whole),
                positions=reach,
            )  # fmt: skip
    return picture
