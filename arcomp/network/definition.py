"""Networks: layers by name and how they are joined, said once; three evaluations of that.

=====================  ==========================================  ============================================
``FloatNetwork``       float, all positions, differentiable        training (:mod:`arcomp.network.float`)
:class:`ExactNetwork`  integers, all positions (``parallel``)      encoding
\\                      integers, front by front (``start``)        decoding: each position once, from caches
=====================  ==========================================  ============================================
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arcomp.contract.model import Watch
from arcomp.errors import ModelError
from arcomp.exact.arrays import CPU, Array, Ints
from arcomp.exact.devices import backend
from arcomp.layers.conditioning import Conditioning, ExactConditioning
from arcomp.layers.frozen import Arrays
from arcomp.layers.layer import ExactLayer
from arcomp.layers.spec import Spec
from arcomp.network.interpreter import Interpreter
from arcomp.network.program import Program, has_instructions
from arcomp.network.wiring import Wiring
from arcomp.orders import Batch


def owned(specs: Mapping[str, Spec], arrays: Mapping[str, Ints]) -> dict[str, Arrays]:
    """Each layer's own arrays, by their names within it.

    Raises:
        ModelError: an array of no layer, or of one that has no weights.
    """
    own: dict[str, Arrays] = {name: {} for name in specs}
    for key, a in arrays.items():
        name = key
        while name and name not in own:
            name = name.rpartition(".")[0]
        if not name or not specs[name].has_weights:
            raise ModelError("the weights have arrays of no layer", remedy="install the model's weights again")
        own[name][key[len(name) + 1 :]] = a
    return own


class ExactNetwork:
    """Both exact evaluations.

    Args:
        arrays: as a float network gives them when it is frozen.
        device: of parallel evaluation.

    Raises:
        ModelError: arrays that are missing, too many, or not those of a layer.
    """

    def __init__(self, wiring: Wiring, arrays: Mapping[str, Ints], device: str = CPU) -> None:
        self.wiring, self.device, self.backend = wiring, device, backend(device)
        self.specs = wiring.layers()
        own = owned(self.specs, arrays)
        self.layers: dict[str, ExactLayer] = {
            name: spec.exact_layer(own[name], device) for name, spec in self.specs.items()
        }
        self._scales = {s for spec in self.specs.values() for s in (spec.scale, spec.scale * spec.stride)} | {1}
        self._steps: Interpreter | Program | None = None

    def parallel(
        self, samples: Ints, batch: Batch, watch: Watch | None = None, conditioning: Array | None = None
    ) -> Array:
        """All positions: int8 [N, H, W, channels] -> integers [N, H, W, channels * outputs].

        Args:
            watch: called with every layer's name and output.
            conditioning: integers [N, H, W, F], features that are known beforehand, on the network's device.
        """
        batches = {scale: batch.coarser(scale) for scale in self._scales}

        def run(name: str, *x: Array) -> Array:
            if conditioning is not None and isinstance(self.specs[name], Conditioning):
                x = (conditioning,)
            made = self.layers[name].parallel(batches[self.specs[name].scale], *x)
            if watch:
                watch(name, self.backend.numpy(made))
            return made

        return self.wiring.forward(run, self.backend.constant(np.ascontiguousarray(samples)))

    def start(self, batch: Batch, open_rows: int, conditioning: Ints | None = None) -> Interpreter | Program:
        """Begin an evaluation front by front.

        Args:
            batch: that is to be decoded. open_rows: how many rows fronts may be in at a time.
            conditioning: integers [N, H, W, F], features that are known beforehand.
        """
        if conditioning is not None:
            for layer in self.layers.values():
                if isinstance(layer, ExactConditioning):
                    layer.features = conditioning
        if self._steps is None:
            kind = Program if has_instructions(self.layers.values()) else Interpreter
            self._steps = kind(self.wiring, self.specs, self.layers)
        self._steps.start(batch, open_rows)
        return self._steps
