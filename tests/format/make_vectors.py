"""Makes the files in tests/format/vectors by hand, when a format version or weights change; a test run never does.

    python -m tests.format.make_vectors

Existing files are left alone: a vector, once released, decodes for ever.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch

import arcomp
from arcomp.coding import lattice
from arcomp.container import Header, pack, pixels_checksum, unpack
from arcomp.container.numbers import encode_number
from arcomp.contract import distributions, registry
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from arcomp.models.photo.config import PhotoConfig
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.models.photo.training import freeze as photo_freeze
from arcomp.models.photo.training import learn_mixer_weights
from arcomp.models.photo.windows import Window
from tests.coded import encode, read_picture
from tests.specimens import SIZES, pictures

VECTORS = Path(__file__).parent / "vectors"
TINY = VECTORS / "context-tiny.safetensors"
TINY_PHOTO = VECTORS / "photo-tiny.safetensors"
Fields = list[tuple[int, bytes]]


def write(name: str, data: bytes) -> None:
    """A file that does not exist yet."""
    path = VECTORS / name
    if path.exists():
        print("kept", path.name)
    else:
        path.write_bytes(data)
        print("made", path.name, len(data), "bytes")


def success(name: str, pixels: npt.NDArray[Any], depth: int, model: Model, tile: tuple[int, int] = (0, 0)) -> None:
    """A file that must decode, and what to."""
    data = encode(pixels, depth, model, tile=tile).data
    samples = np.ascontiguousarray(pixels, "<u2" if depth > 8 else "u1").tobytes()
    expected = {"shape": pixels.shape, "depth": depth, "sha256": hashlib.sha256(samples).hexdigest()}
    if not (VECTORS / f"{name}.arcomp").exists():
        write(f"{name}.arcomp", data)
        write(f"{name}.json", json.dumps(expected).encode() + b"\n")


def tiny_weights() -> Weights:
    """A small network with random weights whose predictions are not absurd."""
    if TINY.exists():
        return Weights.load(TINY)
    torch.manual_seed(20)
    weights = freeze({c: Context(ContextConfig(c, trunk=(12, 10), head=6, mixture=2)) for c in (1, 3)})
    weights.save(TINY)
    return weights


def tiny_photo_weights() -> Weights:
    """Small networks of model photo with random weights: gray with one window and weights of the mixing stage,
    colour with all kinds of windows."""
    if TINY_PHOTO.exists():
        return Weights.load(TINY_PHOTO)
    torch.manual_seed(21)
    near = Window(step=1, rows=3, left=3, right=3, taps=5, weighted=False, beta=0.05, ridge=10.0)
    wide = Window(step=1, rows=5, left=4, right=5, taps=7, weighted=True, beta=0.03, ridge=1.0)
    sparse = Window(step=2, rows=2, left=2, right=2, taps=4, weighted=True, beta=0.03, ridge=1.0)
    networks = {}
    for channels, windows, stage in ((1, (near,), "cheap"), (3, (near, wide, sparse), "full")):
        network = Photo(PhotoConfig(channels, windows, trunk=(12, 10), head=6, mixture=3, stage=stage))
        network.prepare([pictures("smooth", (24, 30, channels), 8, seed) for seed in range(3)])
        networks[channels] = network
    weights = learn_mixer_weights(
        photo_freeze(networks), 1, [pictures("smooth", (9, 12, 1), 8, seed) for seed in range(4)]
    )
    weights.save(TINY_PHOTO)
    return weights


def photo_successes() -> None:
    """Files of model photo that must decode."""
    tiny = PhotoModel(tiny_photo_weights())
    for channels, kind in ((1, "gray"), (3, "rgb")):
        for content in ("smooth", "noise", "extreme"):
            success(f"photo-tiny-{kind}-{content}", pictures(content, (11, 14, channels), 8)[None], 8, tiny)
        success(f"photo-tiny-{kind}-one-pixel", pictures("noise", (1, 1, channels), 8)[None], 8, tiny)
    success("photo-tiny-column", pictures("smooth", (19, 1, 3), 8)[None], 8, tiny)
    several = np.stack([pictures("smooth", (7, 9, 3), 8, seed) for seed in range(3)])
    success("photo-tiny-tiles", several, 8, tiny, (4, 5))
    for name, known in (("jfif", lattice.JFIF), ("photo-cd", lattice.PHOTO_CD)):
        rows = np.unpackbits(lattice.colours(known).reshape(256, 256, 32), axis=2, bitorder="little")
        colours = np.argwhere(rows[100:103, 110:114]) + np.array([100, 110, 0])  # few rows, for the reference's sake
        coded = colours[np.random.default_rng(known).integers(0, len(colours), 5 * 11)].reshape(1, 5, 11, 3)
        success(f"photo-tiny-{name}", coded[..., [1, 0, 2]].astype(np.uint8), 8, tiny)
    picture = read_picture(str(Path(__file__).parents[1] / "pictures" / "lighthouse.png"))[100:108, 60:72]
    for preset in ("fast", "balanced", "max"):
        for name, pixels in (("rgb", picture), ("gray", picture[..., 1:2])):
            try:
                shipped = arcomp.load(f"photo-{preset}")
                shipped.check(pixels.shape[2], 8)
            except ModelError:
                print("no weights for", preset, name)
            else:
                success(f"photo-{preset}-{shipped.digest.hex()[:8]}-{name}", pixels[None], 8, shipped)


def successes() -> None:
    """Files that must decode."""
    histogram = arcomp.load("histogram")
    for depth, channels in ((1, 1), (3, 2), (8, 1), (8, 3), (8, 4), (12, 1), (16, 1)):
        content = pictures("smooth" if depth >= 8 else "noise", (9, 7, channels), depth)
        success(f"histogram-{channels}x{depth}bit", content[None], depth, histogram)
    with patch.object(distributions, "DECISIONS_FROM", 0):
        for channels in (1, 2):
            success(f"histogram-{channels}-decisions", pictures("noise", (20, 31, channels), 1)[None], 1, histogram)
    several = np.stack([pictures("smooth", (7, 9, 3), 8, seed) for seed in range(3)])
    success("histogram-tiles", several, 8, histogram, (4, 5))
    tiny = ContextModel(tiny_weights())
    for channels, colour in ((1, "gray"), (3, "rgb")):
        for kind in ("smooth", "noise", "extreme"):
            success(f"context-tiny-{colour}-{kind}", pictures(kind, (11, 14, channels), 8)[None], 8, tiny)
    success("context-tiny-one-pixel", pictures("noise", (1, 1, 3), 8)[None], 8, tiny)
    success("context-tiny-column", pictures("smooth", (19, 1, 3), 8)[None], 8, tiny)
    success("context-tiny-tiles", several, 8, tiny, (4, 5))
    shipped = arcomp.load("context")
    mark = shipped.digest.hex()[:8]
    photo = read_picture(str(Path(__file__).parents[1] / "pictures" / "lighthouse.png"))
    success(f"context-{mark}-rgb", photo[100:118, 60:84][None], 8, shipped)
    success(f"context-{mark}-gray", photo[100:118, 60:84, 1:2][None], 8, shipped)


def ladder_successes() -> None:
    """Files of the ladder's shipped weights that must decode: three pictures, or a line."""
    line = np.frombuffer(b"It was on a dreary night of November", np.uint8).reshape(1, 1, -1, 1)
    for name in registry.names():
        if name.split("-")[0] not in SIZES:
            continue
        model = registry.load(name)
        mark = f"{name}-{model.digest.hex()[:8]}"
        channels, depth = (3, 8) if name.endswith("-colour") else (1, 1)
        several = np.stack([pictures("noise", (9, 11, channels), depth, seed) for seed in range(3)])
        if name.endswith("-text"):
            success(mark, line, 8, model)
        else:
            success(mark, several, depth, model)


def fields_of(data: bytes) -> tuple[Fields, bytes]:
    """Fields and payload of a file with a header shorter than 128 bytes."""
    end, at, fields = 11 + data[10], 11, []
    while at < end:
        fields.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return fields, data[end + 4 :]


def build(fields: Fields, payload: bytes, version: int = 1, flags: int = 0) -> bytes:
    """A file with a right header checksum, whatever its fields."""
    body = b"".join(bytes([tag]) + encode_number(len(value)) + value for tag, value in fields)
    start = b"\x89ARC\r\n\x1a\n" + bytes([version, flags]) + encode_number(len(body)) + body
    return start + struct.pack("<I", zlib.crc32(start)) + payload


def faults() -> None:
    """Files with one fault each, and a part of the line that refuses them."""
    good = encode(pictures("smooth", (6, 8, 3), 8)[None], 8, ContextModel(tiny_weights())).data
    fields, payload = fields_of(good)
    known = dict(fields)
    header, _ = unpack(good)

    def with_field(tag: int, value: bytes) -> bytes:
        return build(sorted((known | {tag: value}).items()), payload)

    other = bytearray(payload)
    other[len(payload) // 2] ^= 0x10
    crossed = [fields[1], fields[0], *fields[2:]]
    made: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "empty"),
        "a-png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG"),
        "text-mode": (good.replace(b"\r\n", b"\n"), "text mode"),
        "cut-in-magic": (good[:5], "truncated"),
        "cut-in-header": (good[:30], "truncated"),
        "cut-in-payload": (good[:-3], "truncated"),
        "too-long": (good + b"x", "after its end"),
        "version-2": (build(fields, payload, version=2), "newer"),
        "reserved-flag": (build(fields, payload, flags=1), "reserved"),
        "header-bit": (good[:20] + bytes([good[20] ^ 4]) + good[21:], "header is damaged"),
        "payload-bit": (good[:-1] + bytes([good[-1] ^ 1]), "payload is damaged"),
        "unknown-critical-field": (with_field(0x20, b"?"), "0x20"),
        "field-twice": (build([*fields[:2], *fields[1:]], payload), "twice"),
        "fields-out-of-order": (build(crossed, payload), "out of order"),
        "no-geometry": (build(fields[1:], payload), "missing"),
        "long-number": (with_field(1, b"\x81\x00" + known[1][1:]), "no number"),
        "no-width": (with_field(1, bytes([1, 6, 0, 3, 8])), "geometry"),
        "enormous": (with_field(1, bytes([1]) + encode_number(1 << 31) * 2 + bytes([3, 8])), "limit"),
        "a-million-tiles": (
            build(
                sorted(
                    (known | {1: bytes([1]) + encode_number(1 << 13) * 2 + bytes([3, 8]), 3: bytes([1, 1])}).items()
                ),
                payload,
            ),
            "tiles",
        ),
        "unknown-model": (with_field(2, known[2][:8] + b"nobody"), "no model"),
        "other-weights": (with_field(2, bytes(8) + b"context"), "0000000000000000"),
        "model-of-other-depth": (with_field(1, known[1][:-1] + bytes([7])), "8-bit"),
        "other-pixels": (with_field(5, bytes(4)), "not those that were encoded"),
        "other-words": (pack(header, bytes(other)), ""),
        "decisions-of-8-bits": (with_field(8, b"\x01"), "no decisions"),
        "unknown-coder": (with_field(8, b"\x02"), "not known here"),
        "histogram-cut": (histogram_with(b"\x01"), "histogram"),
        "histogram-empty-row": (histogram_with(b"\x00\xff\x01"), "histogram"),
    }
    for name, (data, _) in made.items():
        write(f"bad-{name}.arcomp", data)
    known_words = {f"bad-{name}.arcomp": word for name, (_, word) in made.items()}
    write("faults.json", json.dumps(known_words, indent=1).encode() + b"\n")


def histogram_with(side: bytes) -> bytes:
    """A histogram file with that side information."""
    pixels = np.zeros((1, 2, 2, 1), np.uint8)
    data = encode(pixels, 8, arcomp.load("histogram")).data
    header, payload = unpack(data)
    return pack(Header(1, 2, 2, 1, 8, "histogram", header.digest, 0, 0, pixels_checksum(pixels, 8), side), payload)


if __name__ == "__main__":
    VECTORS.mkdir(exist_ok=True)
    tiny_weights()
    successes()
    photo_successes()
    ladder_successes()
    faults()
