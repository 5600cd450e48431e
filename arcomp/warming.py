"""Kernels of all shipped models, compiled beforehand: for scripts and clusters, where no file should wait for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from arcomp.codec import warm_up
from arcomp.contract import registry
from arcomp.contract.coefficients import comes_back
from arcomp.contract.fixed_input import fixed_picture
from arcomp.errors import ArcompError, ModelError
from arcomp.formats import write
from arcomp.formats.parsing import parse
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Samples

FORMS = "files"
"""What kernels of no model are called."""
KINDS = ((1, 1), (1, 8), (3, 8), (1, 16))
"""Channels and depth of what is coded; kernels are compiled anew for samples of other types only."""


@dataclass(frozen=True)
class Warmed:
    """One model is ready.

    Attributes:
        name: of the model. seconds: that it took; next to none where its kernels were kept from before.
        problem: why it is not ready, or empty.
    """

    name: str
    seconds: float
    problem: str = ""


def warm_all(names: tuple[str, ...] = ()) -> Iterator[Warmed]:
    """Code a few samples with each model, so that its kernels are compiled and kept; before them, some forms of files.

    Args:
        names: of the models; all that are shipped, if there are none.
    """
    yield warm_forms()
    for name in names or tuple(registry.names()):
        begin = time.perf_counter()
        try:
            model = registry.load(name)
            if model.takes_coefficients:
                comes_back(model, fixed_picture(3))
            for channels, depth in KINDS:
                try:
                    model.check(channels, depth)
                except ModelError:
                    continue
                warm_up(model, channels, depth)
        except ArcompError as error:
            yield Warmed(name, time.perf_counter() - begin, str(error))
        else:
            yield Warmed(name, time.perf_counter() - begin)


def warm_forms() -> Warmed:
    """Take a PNG and a TIFF apart and put them together again."""
    begin = time.perf_counter()
    slope = np.arange(24 * 32, dtype=np.uint16).reshape(1, 24, 32, 1)
    for samples, ending in ((Samples.of((slope % 256).astype(np.uint8)), "png"), (Samples.of(40 * slope, 16), "tiff")):
        parsed = parse(write(samples, ending))
        if parsed is not None:
            rebuild(predicted(parsed.skeleton, parsed.samples), parsed.samples)
    return Warmed(FORMS, time.perf_counter() - begin)
