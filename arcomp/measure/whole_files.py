"""Whole files compressed and restored: what became of each, for ``benchmarks.there_and_back``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcomp import files
from arcomp.container import unpack
from arcomp.contract import registry
from arcomp.contract.model import Execution
from arcomp.errors import ArcompError
from arcomp.form import Chunks, Deflated, Skeleton
from arcomp.formats.parsing import parse

MOST_OVER = 128
"""Bytes that a compressed file may be larger than its input and its name."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Attributes:
        path: of it. kind: its ending, lower-case. bytes: its length.
        packed: bytes of what it was compressed to. same: whether it came back bit for bit.
        form: "samples" or "bytes". beside: bytes of the compressed file that are not coded samples.
        streams, stream_bytes: deflate streams in it, of any coding.
        predicted, predicted_bytes: those that were replaced by corrections, and how long they were.
        corrections: bytes of the corrections.
        seconds, back_seconds: compressing without verification, restoring.
        failed: what went wrong; "" if nothing.
    """

    path: str
    kind: str
    bytes: int
    packed: int = 0
    same: bool = False
    form: str = ""
    beside: int = 0
    streams: int = 0
    stream_bytes: int = 0
    predicted: int = 0
    predicted_bytes: int = 0
    corrections: int = 0
    seconds: float = 0.0
    back_seconds: float = 0.0
    failed: str = ""

    @property
    def over(self) -> int:
        """Bytes above the input and its name."""
        return self.packed - self.bytes - len(Path(self.path).name.encode())

    @property
    def right(self) -> bool:
        """Whether all that is promised of a file was kept."""
        return self.same and self.over <= MOST_OVER


def deflated(skeleton: Skeleton) -> Iterator[Deflated]:
    """All deflate streams of a form."""
    for segment in skeleton:
        if isinstance(segment, Deflated):
            yield segment
        if isinstance(segment, (Deflated, Chunks)):
            yield from deflated(segment.content)


def there_and_back(path: Path, model_name: str, threads: int | None = None) -> Outcome:
    """Compress a file and restore it from the result alone."""
    model, data = registry.load(model_name), path.read_bytes()
    none = Outcome(str(path), path.suffix[1:].lower(), len(data))
    settings = files.Settings(None, "cpu", threads, False)
    began = time.perf_counter()
    try:
        made = files.compress(files.examine(data, model, files.About(path.name), settings), model, settings)
        between = time.perf_counter()
        same = files.restored(unpack(made.data), how=Execution(threads=threads)) == data
        ended = time.perf_counter()
    except ArcompError as error:
        return Outcome(**{**vars(none), "failed": str(error)})
    parsed = parse(data)
    before = list(deflated(parsed.skeleton)) if parsed else []
    after = list(deflated(made.member.skeleton or ())) if made.coded else [*before]
    told = [(old, new) for old, new in zip(before, after, strict=True) if new.predicted]
    return Outcome(
        none.path, none.kind, none.bytes, len(made.data), same, "samples" if made.coded else "bytes", made.form_bytes,
        len(before), sum(len(s.coded) for s in before), len(told), sum(len(old.coded) for old, _ in told),
        sum(len(new.coded) for _, new in told), between - began, ended - between,
    )  # fmt: skip


def summed(outcomes: Iterable[Outcome], by: str) -> list[dict[str, Any]]:
    """Sums over outcomes that agree in an attribute, and over all.

    Returns:
        Rows of counts and sums; `percent` is of bytes, `correction_percent` of the predicted streams' bytes.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(str(getattr(outcome, by)), []).append(outcome)
    everything = [outcome for group in groups.values() for outcome in group]
    rows = [_row(name, group) for name, group in sorted(groups.items())]
    return [*rows, _row("all", everything)] if len(groups) > 1 else rows


def _row(name: str, group: list[Outcome]) -> dict[str, Any]:
    total: Mapping[str, int] = {
        key: sum(getattr(o, key) for o in group)
        for key in ("bytes", "packed", "streams", "predicted", "predicted_bytes", "corrections")
    }
    return {
        "group": name,
        "files": len(group),
        "same": sum(o.same for o in group),
        "samples": sum(o.form == "samples" for o in group),
        **total,
        "percent": 100 * total["packed"] / total["bytes"] if total["bytes"] else None,
        "correction_percent": (
            100 * total["corrections"] / total["predicted_bytes"] if total["predicted_bytes"] else None
        ),
        "most_over": max(o.over for o in group),
        "seconds": sum(o.seconds + o.back_seconds for o in group),
    }
