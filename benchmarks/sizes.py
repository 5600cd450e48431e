"""Sizes of files: one codec on one picture, totals over sets, and tables of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from arcomp.measure.codecs import NOT_INSTALLED, WebP
from arcomp.measure.tables import Column
from benchmarks.choice import JXL

WEBP = WebP.name
ALLOWED_BYTES, ALLOWED_PART, ALLOWED_PART_LEARNING = 64, 0.0005, 0.0002
"""A file may be larger than the model's NLL by so many bytes and that part of it; the last is for models that learn."""


@dataclass(frozen=True)
class Result:
    """One codec on one picture.

    Attributes:
        set: name of the folder.
        picture: name of the file.
        codec: name of the codec.
        height: rows.
        width: columns.
        channels: samples a pixel.
        bytes: of the file written; None if there is none.
        nll_bits: the model's NLL, where there is a model.
        static_bits: the NLL before what is counted in the picture is mixed in (what its colours leave open is known).
        encode_s: seconds.
        decode_s: seconds.
        same: the decoded pixels are those that were encoded.
        note: why there is no file.
        failed: it should have worked.
    """

    set: str
    picture: str
    codec: str
    height: int
    width: int
    channels: int
    bytes: int | None = None
    nll_bits: float | None = None
    static_bits: float | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    same: bool | None = None
    note: str = ""
    failed: bool = False

    @property
    def samples(self) -> int:
        """Sub-pixels."""
        return self.height * self.width * self.channels

    @property
    def allowed_part(self) -> float:
        """Part of its NLL that a file may be larger by."""
        return ALLOWED_PART if self.static_bits is None else ALLOWED_PART_LEARNING

    @property
    def overhead_bytes(self) -> float | None:
        """What the file has over the model's NLL beyond the part allowed; at most ALLOWED_BYTES is right."""
        if self.nll_bits is None or self.bytes is None:
            return None
        return self.bytes - (1 + self.allowed_part) * self.nll_bits / 8

    def row(self) -> dict[str, Any]:
        """All of it for tables."""
        bits = None if self.bytes is None else 8 * self.bytes / self.samples
        more = {"samples": self.samples, "bits_per_subpixel": bits, "overhead_bytes": self.overhead_bytes}
        more["learning_percent"] = _learning([self])
        return {"level": "picture", **asdict(self), **more}

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Result:
        """What :meth:`row` was made of."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__ if name in row})


def totals(results: Sequence[Result]) -> list[dict[str, Any]]:
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


def _total(group: Sequence[Result], codec: str) -> dict[str, Any]:
    """Of one codec in one set."""
    own = [r for r in group if r.codec == codec]
    done = [r for r in own if r.bytes is not None]
    notes = "; ".join(dict.fromkeys(r.note for r in own if r.note))
    row: dict[str, Any] = {"pictures": len(done), "note": notes, "failed": any(r.failed for r in own)}
    if not done:
        return row
    size, samples = sum(r.bytes or 0 for r in done), sum(r.samples for r in done)
    pixels = sum(r.height * r.width for r in done)
    encode_s, decode_s = sum(r.encode_s or 0 for r in done), sum(r.decode_s or 0 for r in done)
    row |= {
        "bytes": size,
        "samples": samples,
        "bits_per_subpixel": 8 * size / samples,
        "to_jxl": _ratio(group, codec, JXL),
        "to_webp": _ratio(group, codec, WEBP),
        "encode_mps": pixels / 1e6 / encode_s if encode_s else None,
        "decode_mps": pixels / 1e6 / decode_s if decode_s else None,
        "above_webp": sum(1 for _ in above_webp(group, codec)),
        "same": all(r.same for r in done),
    }
    nll = [r.nll_bits for r in done if r.nll_bits is not None]
    if len(nll) == len(done):
        over = [r.overhead_bytes for r in done if r.overhead_bytes is not None]
        row["nll_bits"] = sum(nll)
        row["overhead_percent"] = 100 * (8 * size / sum(nll) - 1) if sum(nll) else None
        row["max_overhead_bytes"] = max(over)
        row["allowed_part"] = done[0].allowed_part
        row["learning_percent"] = _learning(done)
    return row


def _learning(done: Sequence[Result]) -> float | None:
    """How much smaller the NLL became by learning from the pictures, in percent."""
    static = sum(r.static_bits or 0 for r in done)
    if not static or any(r.static_bits is None for r in done):
        return None
    return 100 * (1 - sum(r.nll_bits or 0 for r in done) / static)


def above_webp(group: Sequence[Result], codec: str) -> Iterator[tuple[Result, int]]:
    """Pictures that a codec makes larger than WebP, and by how many bytes."""
    webp = {(r.set, r.picture): r.bytes for r in group if r.codec == WEBP and r.bytes is not None}
    for r in group:
        more = (r.bytes or 0) - webp.get((r.set, r.picture), r.bytes or 0)
        if r.codec == codec and more > 0:
            yield r, more


def _ratio(group: Sequence[Result], codec: str, peer: str) -> float | None:
    """Bytes of a codec to those of a peer, over the pictures that both did."""
    sizes = {(r.picture, r.set, r.codec): r.bytes for r in group if r.bytes is not None}
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
    Column("above_webp", "> WebP", "d"),
    Column("nll_bits", "NLL bits", ",.0f"),
    Column("learning_percent", "learning %", ".1f"),
    Column("overhead_percent", "overhead %", ".3f"),
    Column("max_overhead_bytes", "most over, bytes", ".1f"),
    Column("encode_mps", "MP/s enc", ".3f"),
    Column("decode_mps", "MP/s dec", ".3f"),
    Column("same", "round trip"),
    Column("note", "remarks"),
]
EACH = [
    Column("set", "set"),
    Column("picture", "picture"),
    Column("codec", "codec"),
    Column("height", "rows", "d"),
    Column("width", "columns", "d"),
    Column("channels", "channels", "d"),
    *(c for c in COLUMNS if c.key in ("bytes", "bits_per_subpixel", "nll_bits", "learning_percent")),
    Column("overhead_bytes", "over, bytes", ".1f"),
    *COLUMNS[-2:],
]


def shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a person reads them: where there is no file, a word stands in place of its size."""
    return [{**row, "bytes": _word(row) if row.get("bytes") is None else row["bytes"]} for row in rows]


def _word(row: Mapping[str, Any]) -> str:
    if row["failed"]:
        return "failed"
    return NOT_INSTALLED if row["note"] == NOT_INSTALLED else "refused"
