"""Decoding from caches beside evaluating the whole picture for every position, as bars."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import cast

import numpy as np

from arcomp.codec import encode, plan, warm_up
from arcomp.contract.distributions import DistributionModel
from arcomp.contract.model import Model
from arcomp.sampling import draw as drawn
from arcomp.show.drawing import COLOURS, Picture, panels, titled
from arcomp.show.samples import kind

TIMED = 5
"""Evaluations of the whole that are timed: one for each front would take too long."""


def seconds(model: Model, count: int) -> tuple[float, float, float]:
    """Of so many pictures: to encode them, to draw them from caches (which is decoding, but for what says the symbols),
    and what evaluating all of them for every position would take."""
    height, width, channels, depth = kind(model)
    warm_up(model, channels, depth)
    shape = (count, height, width, channels)
    drawn(model, shape, depth)
    began = time.perf_counter()
    samples = drawn(model, shape, depth)
    cached = time.perf_counter() - began
    began = time.perf_counter()
    encode(samples, model)
    encoding = time.perf_counter() - began
    own = cast(DistributionModel, model)
    _, spec = plan(samples.pixels, depth, model, (0, 0), None)
    fronts = list(own.order.fronts(spec.batch))
    taken = []
    for i in np.linspace(0, len(fronts) - 1, TIMED).astype(int):
        began = time.perf_counter()
        own.parallel(samples.pixels, spec).distributions(fronts[i])
        taken.append(time.perf_counter() - began)
    return encoding, cached, float(np.median(taken)) * len(fronts) * channels


def draw(models: Sequence[Model], names: Sequence[str], count: int = 8) -> Picture:
    """Three bars a model, on a logarithmic scale."""
    titles = ("encode, all at once", "decode from caches", "decode by whole evaluations")
    with panels(1, (6.4, 0.9 + 0.55 * len(models))) as (picture, (axes,)):
        for i, (model, name) in enumerate(zip(models, names, strict=True)):
            found = seconds(model, count)
            for j, (each, title) in enumerate(zip(found, titles, strict=True)):
                label = title if i == 0 else None
                axes.barh(i + 0.26 * (j - 1), each / count, 0.24, color=COLOURS[j], label=label)
                axes.text(each / count * 1.1, i + 0.26 * (j - 1), f"{each / count:.3g} s", va="center", fontsize=7)
            encoding, cached, naive = found
            picture.say(
                f"{name}, {count} pictures: encode {encoding:.2f} s, decode from caches {cached:.2f} s, by whole "
                f"evaluations {naive:,.1f} s, {naive / cached:,.0f} times as long",
                model=name, pictures=count, encode=encoding, cached=cached, naive=naive,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(right=axes.get_xlim()[1] * 3)
        axes.set_yticks(range(len(models)), names)
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.45, -0.12), ncols=3)
        titled(axes, "seconds a picture")
    return picture
