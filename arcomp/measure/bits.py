"""What each sample costs: the exact model's bits, without coding, for ``arcomp eval``, ``score`` and heat maps."""

from __future__ import annotations

from arcomp.codec import plan
from arcomp.contract.fitting import fitted
from arcomp.contract.model import Bits, Execution, Model, Progress
from arcomp.samples import Samples


def measure(
    samples: Samples,
    model: Model,
    *,
    tile: tuple[int, int] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Progress = lambda part: None,
) -> Bits:
    """Negative log-likelihood of each sample under the exact model, as :func:`arcomp.codec.encode` would code it.

    Args:
        samples: pictures of one size, or bytes.
        model: see :mod:`arcomp.contract.registry`.
        tile: (height, width) of tiles; (0, 0) for whole pictures; None for what suits the model.
        device: of parallel evaluation; models that learn are evaluated on the processor.
        threads: how many tiles a model that learns evaluates at a time; None: one for each processor.
        progress: callback given the part done, 0 to 1, now and then.

    Raises:
        ModelError, ArcompError: as :func:`arcomp.codec.encode`.
    """
    samples = fitted(samples, model)
    tiling, spec = plan(samples.pixels, samples.depth, model, tile, threads)
    return model.bits(samples.pixels, tiling, spec, Execution(device, threads, progress=progress))
