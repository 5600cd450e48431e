"""Files with one fault each, and a part of the line that refuses them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import arcomp
from arcomp import codec
from arcomp.container import Member, Original, pack
from arcomp.container.archive import joined
from arcomp.container.embedded import weights_section
from arcomp.container.layout import WEIGHTS, framed
from arcomp.contract.model import Model
from arcomp.form import Chunks, Decimals, Deflated, Layout, Literal, Lzw, Raster, Segment
from arcomp.samples import Samples
from tests.contents import pictures
from tests.format.fields import (
    CONTENT,
    MODE,
    MODELS,
    MODIFIED,
    NAME,
    ORIGINAL,
    PARTS,
    PICTURES,
    SAMPLES,
    SKELETON,
    STREAMS,
    build,
    changed,
    extents,
    fields_of,
    number,
    numbers,
    streams_of,
)
from tests.format.originals import CODED as LEAF

CODED = (LEAF,)
Faults = dict[str, tuple[bytes, str]]


def write_all(model: Model, folder: Path) -> None:
    """All that do not exist yet, and what they are refused for."""
    good = codec.encode(Samples.of(pictures("smooth", (6, 8, 3), 8)[None], 8), model).data
    made = {**of_sections(good), **of_fields(good), **of_parts(good), **of_skeletons(), **of_archives()}
    known = folder / "faults.json"
    words = json.loads(known.read_text()) if known.exists() else {}
    for name, (data, word) in made.items():
        path = folder / f"bad-{name}.arcomp"
        if not path.exists():
            path.write_bytes(data)
            words[path.name] = word
    known.write_text(json.dumps(words, indent=1, sort_keys=True) + "\n")


def of_sections(good: bytes) -> Faults:
    fields, section = fields_of(good), weights_section(b"weights", bytes(32))
    return {
        "empty": (b"", "empty"),
        "a-png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG"),
        "text-mode": (good.replace(b"\r\n", b"\n"), "text mode"),
        "cut-in-magic": (good[:5], "truncated"),
        "cut-in-header": (good[:30], "truncated"),
        "cut-in-stream": (good[:-3], "truncated"),
        "too-long": (good + b"x", "after its end"),
        "version-2": (build(fields, streams=streams_of(good), version=2), "newer"),
        "kind-3": (build(fields, streams=streams_of(good), kind=3), "newer"),
        "weights-alone": (section, "weights"),
        "weights-bit": (good + section[:-1] + bytes([section[-1] ^ 1]), "are damaged"),
        "weights-cut": (good + section[:-1], "truncated"),
        "weights-without-digest": (good + framed(b"\1\2\0\1\5\5" + bytes(5), WEIGHTS), "a field is missing"),
        "header-bit": (good[:20] + bytes([good[20] ^ 4]) + good[21:], "header is damaged"),
        "stream-bit": (good[:-1] + bytes([good[-1] ^ 1]), "is damaged"),
    }


def of_fields(good: bytes) -> Faults:
    fields, streams = fields_of(good), streams_of(good)
    known = dict(fields)
    crossed = [fields[1], fields[0], *fields[2:]]
    pictured = known[PICTURES]  # C, depth, flags, N, H, W
    return {
        "unknown-critical-field": (changed(good, {0x20: b"?"}), "0x20"),
        "field-twice": (build([*fields[:2], *fields[1:]], streams=streams), "twice"),
        "fields-out-of-order": (build(crossed, streams=streams), "out of order"),
        "no-pictures": (changed(good, {PICTURES: None}), "missing"),
        "no-parts": (changed(good, {PICTURES: numbers(3, 8, 2, 2, 1, 6, 8, 1, 6, 8), PARTS: None}), ""),
        "usual-parts": (changed(good, {PARTS: part(8)}), "usual"),
        "no-streams": (changed(good, {STREAMS: None}), "0 streams in place of 1"),
        "empty-field": (changed(good, {STREAMS: b""}), "empty"),
        "long-number": (changed(good, {PICTURES: b"\x83\x00" + pictured[1:]}), "no number"),
        "no-width": (changed(good, {PICTURES: numbers(3, 8, 0, 1, 6, 0)}), "geometry"),
        "five-channels": (changed(good, {PICTURES: numbers(5, 8, 0, 1, 6, 8)}), "channels"),
        "enormous": (changed(good, {PICTURES: numbers(3, 8, 0, 1, 1 << 31, 1 << 31)}), "limit"),
        "too-many-stacks": (changed(good, {PICTURES: numbers(3, 8, 2, 1 << 17, 1, 6, 8)}), "impossible"),
        "name-with-folders": (with_original(good, {NAME: b"../x"}), "name"),
        "mode-of-type": (with_original(good, {MODE: b"\0\x80"}), "mode"),
        "long-time-that-fits": (with_original(good, {MODIFIED: bytes(12)}), "time"),
        "time-of-no-clock": (with_original(good, {MODIFIED: (10**9 << 63).to_bytes(12, "little")}), "time"),
        "name-without-original": (changed(good, {NAME: b"x"}), "original"),
        "content-of-other-samples": (changed(good, {CONTENT: b"\x01"}), "content"),
        "nothing": (build([], streams=b""), "nothing"),
    }


def with_original(good: bytes, values: dict[int, bytes | None]) -> bytes:
    return changed(good, {ORIGINAL: number(5) + bytes(8), **values})


def of_parts(good: bytes) -> Faults:
    known, streams = dict(fields_of(good)), streams_of(good)
    named = known[MODELS]
    other = bytearray(streams)
    other[len(other) // 2] ^= 0x10
    histogram = codec.encode(Samples.of(np.zeros((1, 2, 2, 1), np.uint8), 8), arcomp.load("histogram"), trees=CODED)
    side_of = histogram.data

    def side(value: bytes) -> bytes:
        rest = streams_of(side_of)[len(histogram.member.parts[0].side) :]
        return changed(side_of, {STREAMS: extents(value, rest)}, streams=value + rest)

    return {
        "unknown-model": (changed(good, {MODELS: named[:8] + number(6) + b"nobody"}), "no model"),
        "other-weights": (changed(good, {MODELS: bytes(8) + named[8:]}), "0000000000000000"),
        "no-models": (changed(good, {MODELS: None}), "model 0 of 0"),
        "model-of-other-depth": (changed(good, {PICTURES: numbers(3, 7, 0, 1, 6, 8), PARTS: None}), "8-bit"),
        "a-million-tiles": (
            changed(good, {PICTURES: numbers(3, 8, 0, 1, 1025, 1025), PARTS: part(8, (1, 1))}), "tiles",
        ),
        "half-a-tile": (changed(good, {PARTS: part(8, (4, 0))}), "impossible"),
        "one-stack-of-several": (changed(good, {PICTURES: numbers(3, 8, 2, 1, 1, 6, 8)}), "impossible"),
        "unknown-node": (changed(good, {PARTS: b"\x63" + part(8)[1:]}), "unknown"),
        "node-of-other-samples": (
            changed(good, {PARTS: b"\x03\x08\x01\x01\0\x01\x01\0", STREAMS: None}, streams=b""), "transform",
        ),
        "constant-of-two": (changed(good, {PARTS: b"\x01\x02\x05\x05", STREAMS: None}, streams=b""), "transform"),
        "levels-of-nothing": (changed(good, {PARTS: b"\x07\x00" + part(8)}), "transform"),
        "two-streams": (changed(good, {PARTS: part(8, streams=2)}), "streams"),
        "other-samples": (changed(good, {SAMPLES: bytes(4)}), "not those that were encoded"),
        "other-words": (changed(good, {STREAMS: extents(bytes(other))}, streams=bytes(other)), ""),
        "decisions-of-8-bits": (changed(good, {PARTS: part(8, flags=1)}), ""),
        "unknown-flag": (changed(good, {PARTS: part(8, flags=16)}), "impossible"),
        "histogram-cut": (side(b"\x01"), "histogram"),
        "histogram-empty-row": (side(b"\x00\xff\x01"), "histogram"),
    }  # fmt: skip


def part(depth: int, tile: tuple[int, int] = (0, 0), flags: int = 0, streams: int = 1) -> bytes:
    """The parts field of one coded leaf."""
    flags |= 4 * (tile != (0, 0)) | 8 * (streams > 1)
    return bytes([0]) + numbers(depth, 0, flags, *(tile if flags & 4 else ()), *((streams,) if flags & 8 else ()))


def member(skeleton: tuple[Segment, ...], file: bytes, samples: Samples | None = None) -> bytes:
    """A file of a form, whether it is right or not."""
    original = Original(len(file), hashlib.sha256(file).digest())
    if samples is None:
        return pack(Member(None, original=original, skeleton=skeleton))
    coded = codec.encode(samples, arcomp.load("histogram"), trees=CODED).member
    return pack(
        Member(
            coded.geometry, coded.trees, coded.parts, coded.models, coded.form, coded.samples_crc, original, skeleton
        )
    )


def of_skeletons() -> Faults:
    text = b"some text"
    good = member((Literal(text),), text)
    samples = Samples.of(np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1), 8)
    layout = Layout(8, (0,))
    wrong = "does not fit"

    def raster(**values: Any) -> bytes:
        segment = Raster(0, 0, 0, 2, 3, layout)
        return member((replace(segment, **values),), bytes(range(6)), samples)

    fields = dict(fields_of(good))
    return {
        "other-file": (member((Literal(text),), b"some tent"), "not the one that was compressed"),
        "longer-file": (member((Literal(text),), text[:-1]), wrong),
        "unknown-method": (changed(good, {SKELETON: b"\x03" + fields[SKELETON][1:]}), "newer"),
        "unpacks-to-less": (changed(good, {SKELETON: numbers(0, 99, 1, 0, 0)}), "damaged"),
        "palette-of-two": (changed(good, {SKELETON: numbers(0, 11, 1, 3, 2)}), "palette"),
        "palette-without-pictures": (changed(good, {SKELETON: numbers(0, 11, 1, 3)}), ""),
        "skeleton-without-original": (changed(good, {ORIGINAL: None}), ""),
        "unknown-segment": (segments(b"\x63\x00", text), "unknown"),
        "cut-segment": (segments(b"\x00\x09some", text), "is damaged"),
        "misplaced-segment": (segments(b"\x03\x00\x01a", text), "cannot be there"),
        "nested-too-deep": (segments(b"\x09\x01" * 20 + b"\x00\x00", text), "too deep"),
        "raster-outside": (raster(width=4), wrong),
        "raster-of-no-picture": (raster(picture=1), wrong),
        "short-stride": (raster(stride=2), wrong),
        "enormous-stride": (raster(stride=1 << 50), wrong),
        "chunks-too-long": (member((Chunks((Literal(text),), b"IDAT", ((99, 1),)),), text), wrong),
        "endless-chunks": (member((Chunks((Literal(b""),), b"IDAT", ((0, 1 << 50),)),), text), ""),
        **of_segments_that_cannot_be(text, samples, raster),
        "no-corrections": (member((Deflated((Literal(text),), b"", True),), text), ""),
    }


def of_segments_that_cannot_be(text: bytes, samples: Samples, raster: Callable[..., bytes]) -> Faults:
    """What a reader could take, and the format excludes."""
    wrong, layout, one = "does not fit", Layout(8, (0,)), ((len(text), 1),)
    chunks = Chunks((Literal(text),), b"IDAT", one)
    halves = replace(chunks, lengths=((4, 1), (5, 1)))
    row = Raster(0, 0, 0, 1, 3, Layout(4, (0,)), padding=b"\x11")
    return {
        "bits-of-17": (raster(layout=Layout(17, (0,))), wrong),
        "samples-of-too-many-bits": (raster(layout=Layout(2, (0,))), wrong),
        "five-channels-of-one": (raster(layout=Layout(8, (0,) * 5)), wrong),
        "fields-over-each-other": (
            raster(layout=Layout(8, (0, 0), word=16, fields=((0, 8), (7, 8)))), wrong,
        ),
        "fields-without-a-word": (raster(layout=Layout(8, (0,), fields=((0, 8),))), wrong),
        "padding-in-samples": (member((row,), b"\x01\x21", samples), wrong),
        "inverted-bytes": (
            member((Decimals(0, (0,), ((6, 1),), b"", b" ", b"", inverted=True),), b"1 0 3 2 5 4", samples), wrong,
        ),
        "numbers-far-apart": (
            member((Decimals(0, (0,), ((6, 1),), b"", b" ", b"", width=65),), bytes(395), samples), wrong,
        ),
        "chunks-of-no-kind": (member((replace(chunks, kind=b"ID"),), text), wrong),
        "sequence-of-33-bits": (member((replace(chunks, sequence=1 << 32),), text), wrong),
        "wrong-not-ascending": (member((replace(halves, wrong=((1, 0), (0, 0))),), text), wrong),
        "wrong-chunk-not-there": (member((replace(chunks, wrong=((1, 0),)),), text), wrong),
        "checksum-of-33-bits": (member((replace(chunks, wrong=((0, 1 << 32),)),), text), wrong),
        "too-many-segments": (many_segments(1 << 17), "parts"),
        "too-long-a-skeleton": (many_segments(1 << 20), "skeleton"),
        "too-much-to-pack": (
            member((Lzw((Raster(0, 0, 0, 2, 3, layout, stride=1 << 16),)),), b"x", samples), wrong,
        ),
    }  # fmt: skip


def many_segments(count: int) -> bytes:
    """A file of one byte that claims to be made of so many literals of nothing, a few packed bytes."""
    data = bytes(2 * count)
    deflater = zlib.compressobj(9, wbits=-15)
    packed = deflater.compress(data) + deflater.flush()
    fields = {SKELETON: numbers(1, len(data), 1, 0, 0), STREAMS: extents(packed)}
    return changed(member((Literal(b"x"),), b"x"), fields, streams=packed)


def segments(data: bytes, file: bytes) -> bytes:
    """A file of segments as they are, of 2^7 bytes at most."""
    good = member((Literal(file),), file)
    return changed(good, {SKELETON: numbers(0, len(data), 1, 0, 0), STREAMS: extents(data)}, streams=data)


def of_archives() -> Faults:
    text = b"some text"
    good = member((Literal(text),), text)
    archive = joined([good])
    return {
        "two-members": (good + good, "several files"),
        "cut-index": (archive[:-3], "truncated"),
        "other-trailer": (archive[:-1] + b"\0", "index is damaged"),
        "index-alone": (archive[len(good) :], "index"),
    }
