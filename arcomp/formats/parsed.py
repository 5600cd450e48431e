"""A file taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from arcomp.form import Skeleton
from arcomp.samples import Samples


@dataclass(frozen=True)
class Parsed:
    """Samples and a form that together make a file again: ``rebuild(skeleton, samples)`` is the file.

    Attributes:
        samples: exactly as they are stored: not turned, not scaled, colour not converted.
        skeleton: the rest of the file, and where the samples lie in it.
    """

    samples: Samples
    skeleton: Skeleton
