"""Results: totals of a model or codec over all inputs, as JSON and CSV say them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arcomp.measure.compare import ModelContestant
from arcomp.measure.contestants import Contestant
from arcomp.measure.record import Measurement

COLUMNS = (
    "model", "kind", "inputs", "samples", "bytes", "bits_per_subpixel", "nll_bits_float", "nll_bits_exact",
    "nll_bits_network", "overhead_percent", "parameters", "digest", "encode_seconds", "decode_seconds", "encode_mps",
    "decode_mps", "startup_seconds", "round_trip", "skipped",
)  # fmt: skip
"""Of the CSV file, and the keys of JSON's objects, which have "pictures" besides."""
MODEL = re.compile(r"\bmodel [a-z_0-9]+ (?=takes|does|is )")
"""What a reason says of who gives it."""
TITLE = "Models and codecs side by side"
"""Of the page."""


@dataclass(frozen=True)
class Result:
    """One model or codec over all inputs; sums are of those that it took.

    Attributes:
        model: its name.
        kind: "model" or "codec".
        learns: its exact NLL has what it learnt from the picture, its float NLL has not.
        digest: of the weights, hex.
        parameters: see :class:`arcomp.contract.model.Model`.
        startup_seconds: loading, compiling, warming up: in no other figure.
        each: input by input.
    """

    model: str
    kind: str
    learns: bool
    digest: str
    parameters: int | None
    startup_seconds: float
    each: Sequence[Measurement] = field(repr=False)

    @property
    def done(self) -> list[Measurement]:
        """Those of which there is a file."""
        return [m for m in self.each if m.bytes is not None]

    @property
    def skipped(self) -> str:
        """Why inputs are left out, in a line."""
        reasons: dict[str, int] = {}
        for m in self.each:
            if m.skipped:
                reasons[m.skipped] = reasons.get(m.skipped, 0) + 1
        if len(self.each) == 1 or (sum(reasons.values()) == len(self.each) and len(reasons) == 1):
            return next(iter(reasons), "")
        return "; ".join(f"{count} of {len(self.each)}: {why}" for why, count in reasons.items())

    @property
    def failed(self) -> bool:
        """Whether something that should have worked did not."""
        return any(m.failed for m in self.each)

    @property
    def samples(self) -> int:
        """Sub-pixels of what it took."""
        return sum(m.samples for m in self.done)

    def total(self, name: str) -> float | None:
        """The sum of an attribute; None if one that it took has none."""
        values = [getattr(m, name) for m in self.done]
        return None if not values or None in values else sum(values)

    @property
    def bits_per_subpixel(self) -> float | None:
        """Of whole files."""
        return None if not self.done else 8 * (self.total("bytes") or 0) / self.samples

    def per_subpixel(self, name: str) -> float | None:
        """An attribute in bits, a sample."""
        total = self.total(name)
        return None if total is None else total / self.samples

    @property
    def overhead_percent(self) -> float | None:
        """How much larger the files are than the exact model's NLL."""
        nll = self.total("nll_bits_exact")
        return 100 * (8 * (self.total("bytes") or 0) / nll - 1) if nll else None

    def mps(self, seconds: str) -> float | None:
        """Megapixels a second."""
        taken = self.total(seconds)
        return sum(m.positions for m in self.done) / 1e6 / taken if taken else None

    @property
    def round_trip(self) -> bool | None:
        """Whether all files decoded to what was encoded."""
        return all(m.round_trip for m in self.done) if self.done else None

    def row(self) -> dict[str, Any]:
        """As JSON says it; numbers that do not exist are None."""
        whole: dict[str, Any] = {
            "model": self.model,
            "kind": self.kind,
            "inputs": len(self.done),
            "samples": self.samples,
            "bytes": self.total("bytes"),
            "bits_per_subpixel": self.bits_per_subpixel,
            **{name: self.total(name) for name in ("nll_bits_float", "nll_bits_exact", "nll_bits_network")},
            "overhead_percent": self.overhead_percent,
            "parameters": self.parameters,
            "digest": self.digest or None,
            **{name: self.total(name) for name in ("encode_seconds", "decode_seconds")},
            "encode_mps": self.mps("encode_seconds"),
            "decode_mps": self.mps("decode_seconds"),
            "startup_seconds": self.startup_seconds,
            "round_trip": self.round_trip,
            "skipped": self.skipped or None,
        }
        assert tuple(whole) == COLUMNS
        return whole


def results(contestants: Sequence[Contestant], measured: Sequence[Measurement]) -> list[Result]:
    """All of them, the smallest files first; then those that did not take all inputs, then those that took none."""
    made = [
        Result(
            c.name, "model" if isinstance(c, ModelContestant) else "codec",
            c.learns, c.digest, c.parameters, c.startup_seconds,
            [m for m in measured if m.codec == c.name],
        )
        for c in contestants
    ]  # fmt: skip

    def rank(result: Result) -> tuple[int, float]:
        return -len(result.done), result.bits_per_subpixel or 0.0

    return sorted(made, key=rank)


def taking(found: Sequence[Result]) -> list[Result]:
    """Results but for those of models that took nothing."""
    return [r for r in found if r.done or r.failed or r.kind == "codec"]


def _of_input(m: Measurement) -> dict[str, Any]:
    """One input, as JSON says it."""
    one = Result(m.codec, "", False, "", None, 0.0, [m]).row()
    kept = [key for key in COLUMNS if key not in ("model", "kind", "inputs", "digest", "parameters", "startup_seconds")]
    return {"input": m.input, "bit_depth": m.depth, **{key: one[key] for key in kept}}


def as_objects(found: Sequence[Result]) -> list[dict[str, Any]]:
    """What JSON holds: an object for each model or codec, in it one for each input."""
    return [{**result.row(), "pictures": [_of_input(m) for m in result.each]} for result in found]


def as_json(found: Sequence[Result]) -> str:
    """A document: the list of objects."""
    return json.dumps(as_objects(found), indent=1, allow_nan=False) + "\n"


def as_csv(found: Sequence[Result]) -> str:
    """A line of names, then one for each model or codec; what does not exist is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in found:
        row: Mapping[str, Any] = result.row()
        writer.writerow([row[name] for name in COLUMNS])
    return text.getvalue()


def is_document(start: bytes) -> bool:
    """Whether a file that begins so is empty or a document of results: JSON, CSV or a page."""
    text = start.decode("utf-8", "replace")
    page = text.startswith("<!doctype html>") and f"<title>{TITLE}</title>" in text
    return page or not text or text.startswith(("model,kind,", '[\n {\n  "model":'))
