"""Totals of sizes over sets of pictures, and tables of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from arcomp.measure.codecs import NOT_INSTALLED, WebP
from arcomp.measure.jpegs import AsItIs
from arcomp.measure.record import Measurement
from arcomp.measure.results import Result
from arcomp.measure.tables import Column
from benchmarks.choice import JXL

WEBP, JPEG = WebP.name, AsItIs.name


def row_of(m: Measurement) -> dict[str, Any]:
    """A measurement as a row of tables."""
    more = {"bits_per_subpixel": m.bits_per_subpixel, "overhead_bytes": m.overhead_bytes}
    return {"level": "picture", **asdict(m), **more, "learning_percent": _learning([m])}


def totals(results: Sequence[Measurement]) -> list[dict[str, Any]]:
    """One row for each set and codec, and for all sets together if there are several."""
    sets = list(dict.fromkeys(r.set for r in results))
    groups = [(name, [r for r in results if r.set == name]) for name in sets]
    if len(sets) > 1:
        groups.append(("all", list(results)))
    rows = []
    for name, group in groups:
        for codec in dict.fromkeys(r.codec for r in group):
            rows.append({"level": "set", "set": name, "codec": codec, **_total(group, codec)})
    return rows


def _total(group: Sequence[Measurement], codec: str) -> dict[str, Any]:
    """Of one codec in one set."""
    own = [m for m in group if m.codec == codec]
    whole = Result(codec, "", False, "", None, 0.0, own)
    done = whole.done
    row: dict[str, Any] = {"pictures": len(done), "skipped": whole.skipped, "failed": whole.failed}
    if not done:
        return row
    row |= {key: value for key, value in whole.row().items() if key in KEPT}
    row |= {
        "to_jxl": _ratio(group, codec, JXL),
        "to_webp": _ratio(group, codec, WEBP),
        "to_jpeg": _ratio(group, codec, JPEG),
        "above_webp": sum(1 for _ in above_webp(group, codec)),
    }
    if row["nll_bits_exact"] is not None:
        row["max_overhead_bytes"] = max(m.overhead_bytes or 0.0 for m in done)
        row["allowed_part"] = done[0].allowed_part
        row["learning_percent"] = _learning(done)
    return row


KEPT = {
    "samples", "bytes", "bits_per_subpixel", "nll_bits_exact", "overhead_percent", "encode_mps", "decode_mps",
    "round_trip",
}  # fmt: skip
"""What totals have of a result's row."""


def _learning(done: Sequence[Measurement]) -> float | None:
    """How much smaller the NLL became by learning from the pictures, in percent."""
    network = sum(m.nll_bits_network or 0 for m in done)
    if not network or any(m.nll_bits_network is None for m in done):
        return None
    return 100 * (1 - sum(m.nll_bits_exact or 0 for m in done) / network)


def above_webp(group: Sequence[Measurement], codec: str) -> Iterator[tuple[Measurement, int]]:
    """Pictures that a codec makes larger than WebP, and by how many bytes."""
    webp = {(r.set, r.input): r.bytes for r in group if r.codec == WEBP and r.bytes is not None}
    for r in group:
        more = (r.bytes or 0) - webp.get((r.set, r.input), r.bytes or 0)
        if r.codec == codec and more > 0:
            yield r, more


def _ratio(group: Sequence[Measurement], codec: str, peer: str) -> float | None:
    """Bytes of a codec to those of a peer, over the pictures that both did."""
    sizes = {(r.input, r.set, r.codec): r.bytes for r in group if r.bytes is not None}
    both = [(p, s) for p, s, c in sizes if c == codec and (p, s, peer) in sizes]
    if not both:
        return None
    return sum(sizes[p, s, codec] for p, s in both) / sum(sizes[p, s, peer] for p, s in both)


COLUMNS = [
    Column("set", "set"),
    Column("codec", "codec"),
    Column("pictures", "pictures", "d"),
    Column("bytes", "bytes", ",d"),
    Column("bits_per_subpixel", "bits/sub-pixel", ".4f"),
    Column("to_jxl", f"/ {JXL}", ".4f"),
    Column("to_webp", "/ WebP", ".4f"),
    Column("to_jpeg", "/ JPEG", ".4f"),
    Column("above_webp", "> WebP", "d"),
    Column("nll_bits_exact", "NLL bits", ",.0f"),
    Column("learning_percent", "learning %", ".1f"),
    Column("overhead_percent", "overhead %", ".3f"),
    Column("max_overhead_bytes", "most over, bytes", ".1f"),
    Column("encode_mps", "MP/s enc", ".3f"),
    Column("decode_mps", "MP/s dec", ".3f"),
    Column("round_trip", "round trip"),
    Column("skipped", "remarks"),
]
EACH = [
    Column("set", "set"),
    Column("input", "picture"),
    Column("codec", "codec"),
    Column("samples", "sub-pixels", ",d"),
    *(c for c in COLUMNS if c.key in ("bytes", "bits_per_subpixel", "nll_bits_exact", "learning_percent")),
    Column("overhead_bytes", "over, bytes", ".1f"),
    *COLUMNS[-2:],
]


def filled(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns in which there is something."""
    return [column for column in columns if any(row.get(column.key) for row in rows)]


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a person reads them: where there is no file, a word stands in place of its size."""
    return [{**row, "bytes": _word(row) if row.get("bytes") is None else row["bytes"]} for row in rows]


def _word(row: Mapping[str, Any]) -> str:
    if row["failed"]:
        return "failed"
    return NOT_INSTALLED if row["skipped"].startswith(NOT_INSTALLED) else "refused"
