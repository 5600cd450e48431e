"""The record of a measurement: one model or codec on one input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

ALLOWED_BYTES, ALLOWED_PART, ALLOWED_PART_LEARNING = 64, 0.0005, 0.0002
"""A file may be larger than the model's NLL by so many bytes and that part of it; the last is for models that learn."""


@dataclass(frozen=True)
class Measurement:
    """One model or codec on one input.

    Attributes:
        codec: its name.
        input: name of the input.
        samples: sub-pixels, or bytes.
        positions: pixels, or bytes.
        depth: bits of a sample, as coded.
        bytes: of the file; None if there is none.
        nll_bits_float: under the model's float evaluation; None for codecs, and for models without one.
        nll_bits_exact: under the exact model, as the file was coded.
        nll_bits_network: the same before a model that learns mixes in what it has counted in the picture.
        encode_seconds: evaluation and coding, without start-up.
        decode_seconds: the same.
        round_trip: the decoded pixels are those that were encoded.
        skipped: why there is no file, in a few words.
        failed: it should have worked.
        set: the set of inputs that this one belongs to, such as its folder.
    """

    codec: str
    input: str
    samples: int
    positions: int
    depth: int
    bytes: int | None = None
    nll_bits_float: float | None = None
    nll_bits_exact: float | None = None
    nll_bits_network: float | None = None
    encode_seconds: float | None = None
    decode_seconds: float | None = None
    round_trip: bool | None = None
    skipped: str = ""
    failed: bool = False
    set: str = ""

    @property
    def bits_per_subpixel(self) -> float | None:
        """Of the whole file."""
        return None if self.bytes is None else 8 * self.bytes / self.samples

    @property
    def allowed_part(self) -> float:
        """Part of its NLL that a file may be larger by."""
        return ALLOWED_PART if self.nll_bits_network is None else ALLOWED_PART_LEARNING

    @property
    def overhead_bytes(self) -> float | None:
        """How much larger the file is than the model's NLL and the part allowed; at most ALLOWED_BYTES is right."""
        if self.nll_bits_exact is None or self.bytes is None:
            return None
        return self.bytes - (1 + self.allowed_part) * self.nll_bits_exact / 8

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Measurement:
        """From plain types, as ``dataclasses.asdict`` gives them; other keys are left out."""
        return cls(**{f.name: row[f.name] for f in fields(cls) if f.name in row})
