"""Fits samples to what a model takes, or says in one line why it does not take them."""

from __future__ import annotations

from dataclasses import replace

from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.samples import Array, Bytes, Samples


def takes(model: Model, channels: int, depth: int) -> bool:
    """Whether a model takes pictures of so many channels and bits a sample."""
    try:
        model.check(channels, depth)
    except ModelError:
        return False
    return True


def takes_samples(model: Model, samples: Samples) -> bool:
    """Whether a model takes samples as they are."""
    return takes(model, samples.channels, samples.depth)


def narrowed(samples: Samples, model: Model) -> Samples:
    """The same samples, of the depth that they are coded with.

    Arrays of bool have 1 bit a sample, pictures what their file says. Arrays of uint8 have 8, or the most that the
    model takes if that is less and no sample is larger.

    Raises:
        ModelError: they are bytes, and the model takes none.
    """
    if isinstance(samples.form, Bytes) and not model.takes_bytes:
        raise ModelError(f"model {model.name} does not take bytes", remedy="choose a model of text with -m")
    if isinstance(samples.form, Array) and 1 < samples.depth <= 8:
        depth = next((d for d in range(samples.depth, 0, -1) if takes(model, samples.channels, d)), samples.depth)
        if depth < samples.depth and not _largest(samples) >> depth:
            return replace(samples, depth=depth)
    return samples


def fitted(samples: Samples, model: Model) -> Samples:
    """Samples that a model takes as they are: narrowed, without alpha and palette.

    Raises:
        ModelError: the model does not take them, or one of them is too large for it.
    """
    if samples.alpha or samples.palette is not None:
        what = "transparency" if samples.alpha else "a palette"
        raise ModelError(f"pictures with {what} are not taken as they are", remedy="convert them to RGB first")
    samples = narrowed(samples, model)
    most = next((d for d in range(samples.depth, 0, -1) if takes(model, samples.channels, d)), samples.depth)
    if isinstance(samples.form, Array) and most < samples.depth:
        raise ModelError(
            f"holds samples of up to {_largest(samples)}, model {model.name} takes {most} bit{'s' if most > 1 else ''}",
            remedy="choose another model (`arcomp models` lists them)",
        )
    model.check(samples.channels, samples.depth)
    return samples


def _largest(samples: Samples) -> int:
    return max(int(stack.max()) for stack in samples.stacks)
