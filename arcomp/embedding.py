"""Weights that go with a file, so that nothing else is needed to decompress it."""

from __future__ import annotations

from arcomp.codec import if_used
from arcomp.container import Member
from arcomp.container.embedded import weights_section
from arcomp.contract.model import Model


def section(model: Model) -> bytes:
    """A section of a model's weights, for an archive; nothing if it has none."""
    return b"" if model.weightless else weights_section(model.weights.to_bytes(), model.digest)


def with_weights(data: bytes, member: Member, model: Model) -> bytes:
    """A file of one member, with the weights of a model if that coded parts of it."""
    return data + section(model) if if_used(model, member) else data
