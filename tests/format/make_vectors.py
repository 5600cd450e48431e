"""Makes the files in tests/format/vectors by hand, when a format version or weights change; a test run never does.

    python -m tests.format.make_vectors

Existing files are left alone: a vector, once released, decodes for ever. What they decode to is in expected.json.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

import arcomp
from arcomp import codec, files
from arcomp.coding import lattice
from arcomp.container import Member, Original, pack
from arcomp.container.archive import joined
from arcomp.contract import distributions, registry
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights
from arcomp.embedding import with_weights
from arcomp.errors import ModelError
from arcomp.form import Literal, Skeleton
from arcomp.formats.parsing import parse
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import rebuild
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
from arcomp.samples import Samples, of_bytes
from arcomp.transforms import Node
from tests.coded import read_picture
from tests.contents import deep, pictures, screen
from tests.format import faults, originals
from tests.jpegs import tiny as tiny_jpeg
from tests.specimens import SIZES

VECTORS = Path(__file__).parent / "vectors"
EXPECTED = VECTORS / "expected.json"
TINY = VECTORS / "context-tiny.safetensors"
TINY_PHOTO = VECTORS / "photo-tiny.safetensors"
TINY_PLAIN = VECTORS / "photo-plain-tiny.safetensors"
TINY_JPEG = VECTORS / "jpeg-tiny.safetensors"
PICTURE = Path(__file__).parents[1] / "pictures" / "lighthouse.png"


def write(name: str, data: bytes) -> bool:
    """A file, unless it exists."""
    path = VECTORS / name
    made = not path.exists()
    if made:
        path.write_bytes(data)
        print("made", path.name, len(data), "bytes")
    return made


def expect(name: str, samples: Samples | None, file: bytes | None) -> None:
    """Remember what a vector decodes to."""
    known = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    entry: dict[str, Any] = {}
    if samples is not None:
        digest = hashlib.sha256()
        for stack in samples.stacks:
            digest.update(np.ascontiguousarray(stack, "<u2" if samples.depth > 8 else "u1").tobytes())
        entry = {"stacks": [stack.shape for stack in samples.stacks], "depth": samples.depth}
        entry["samples"] = digest.hexdigest()
    if file is not None:
        entry["file"] = hashlib.sha256(file).hexdigest()
    known[name] = entry
    lines = (f"{json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def success(
    name: str,
    pixels: npt.NDArray[Any],
    depth: int,
    model: Model,
    tile: tuple[int, int] = (0, 0),
    trees: tuple[Node, ...] | None = None,
) -> None:
    """A file of pictures that must decode."""
    samples = Samples.of(pixels, depth)
    if not (VECTORS / f"{name}.arcomp").exists():
        write(f"{name}.arcomp", codec.encode(samples, model, tile=tile, trees=trees).data)
        expect(name, samples, None)


def member_of(file: bytes, samples: Samples | None, skeleton: Skeleton | None, name: str, model: Model) -> bytes:
    """A member of a file."""
    original = Original(len(file), hashlib.sha256(file).digest(), name, 1_700_000_000_123_456_789, 0o644)
    if samples is None:
        return pack(Member(None, original=original, skeleton=skeleton))
    coded = codec.encode(samples, model)
    return pack(replace(coded.member, original=original, skeleton=skeleton))


def form(name: str, file: bytes, model: Model) -> None:
    """A file that is made of pictures, and must come back."""
    path = VECTORS / f"form-{name}.arcomp"
    if path.exists():
        return
    parsed = parse(file)
    assert parsed is not None, name
    skeleton = parsed.skeleton if name.endswith("kept") else predicted(parsed.skeleton, parsed.samples)
    assert rebuild(skeleton, parsed.samples) == file, name
    write(path.name, member_of(file, parsed.samples, skeleton, name.replace("-", "."), model))
    expect(path.stem, parsed.samples, file)


def kept_as_bytes(name: str, file: bytes, method: int) -> None:
    """A file that is kept as bytes, packed by a method."""
    path = VECTORS / f"bytes-{name}.arcomp"
    if path.exists():
        return
    skeleton = (Literal(file),) if file else ()
    with patch("arcomp.container.skeleton.squeeze", originals.packer(method)):
        write(path.name, member_of(file, None, skeleton, f"{name}.txt", arcomp.load("histogram")))
    expect(path.stem, None, file)


@cache
def tiny_weights() -> Weights:
    """A small network with random weights whose predictions are not absurd."""
    if TINY.exists():
        return Weights.load(TINY)
    torch.manual_seed(20)
    weights = freeze({c: Context(ContextConfig(c, trunk=(12, 10), head=6, mixture=2)) for c in (1, 3)})
    weights.save(TINY)
    return weights


@cache
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


def tiny_plain_weights() -> Weights:
    """Small networks of model photo without windows, with random weights."""
    if TINY_PLAIN.exists():
        return Weights.load(TINY_PLAIN)
    torch.manual_seed(23)
    weights = photo_freeze({c: Photo(PhotoConfig(c, (), (12, 10), 6, 3, "direct")) for c in (1, 3)})
    weights.save(TINY_PLAIN)
    return weights


def photo_successes() -> None:
    """Files of model photo that must decode."""
    tiny, plain = PhotoModel(tiny_photo_weights()), PhotoModel(tiny_plain_weights())
    for channels, kind in ((1, "gray"), (3, "rgb")):
        for content in ("smooth", "noise", "extreme"):
            success(f"photo-tiny-{kind}-{content}", pictures(content, (11, 14, channels), 8)[None], 8, tiny)
        for bits in (10, 16):
            coded = (replace(originals.CODED, depth=bits),)
            success(f"photo-tiny-{kind}-{bits}-bits", deep((11, 14, channels), bits)[None], bits, tiny, trees=coded)
        for content in ("smooth", "extreme"):
            success(f"photo-plain-tiny-{kind}-{content}", pictures(content, (11, 14, channels), 8)[None], 8, plain)
        coded = (replace(originals.CODED, depth=12),)
        success(f"photo-plain-tiny-{kind}-12-bits", deep((11, 14, channels), 12)[None], 12, plain, trees=coded)
        success(f"photo-tiny-{kind}-one-pixel", pictures("extreme", (1, 1, channels), 8)[None], 8, tiny, trees=CODED)
    success("photo-tiny-column", pictures("smooth", (19, 1, 3), 8)[None], 8, tiny)
    several = np.stack([pictures("smooth", (7, 9, 3), 8, seed) for seed in range(3)])
    success("photo-tiny-tiles", several, 8, tiny, (4, 5))
    for name, known in (("jfif", lattice.JFIF), ("photo-cd", lattice.PHOTO_CD)):
        rows = np.unpackbits(lattice.colours(known).reshape(256, 256, 32), axis=2, bitorder="little")
        colours = np.argwhere(rows[100:103, 110:114]) + np.array([100, 110, 0])  # few rows, for the reference's sake
        coded = colours[np.random.default_rng(known).integers(0, len(colours), 5 * 11)].reshape(1, 5, 11, 3)
        success(f"photo-tiny-{name}", coded[..., [1, 0, 2]].astype(np.uint8), 8, tiny)
    picture = read_picture(str(PICTURE))[100:108, 60:72]
    for preset in registry.PRESETS:
        for name, pixels in (("rgb", picture), ("gray", picture[..., 1:2])):
            try:
                shipped = arcomp.load(f"photo-{preset}")
                shipped.check(pixels.shape[2], 8)
            except ModelError:
                print("no weights for", preset, name)
            else:
                success(f"photo-{preset}-{shipped.digest.hex()[:8]}-{name}", pixels[None], 8, shipped)
                if (preset, name) == ("balanced", "gray"):
                    wide = pixels[None].astype(np.uint16) * 16 + deep((8, 12, 1), 9)[None] % 16
                    coded = (replace(originals.CODED, depth=12),)
                    success(f"photo-{preset}-{shipped.digest.hex()[:8]}-12-bits", wide, 12, shipped, trees=coded)


def jpeg_successes() -> None:
    """JPEGs that must come back, by a tiny model and by one that is shipped."""
    if not TINY_JPEG.exists():
        tiny_jpeg(online=True).weights.save(TINY_JPEG)
    models = {"jpeg-tiny": registry.load(str(TINY_JPEG))}
    shipped = registry.load("jpeg-balanced")  # max takes long to compile; the tiny one is of its kind
    models[f"jpeg-balanced-{shipped.digest.hex()[:8]}"] = shipped
    colours = read_picture(str(PICTURE))[60:84, 60:100]
    for name, model in models.items():
        for kind, mode, how in (("420", "RGB", {"progressive": True}), ("gray", "L", {"restart_marker_blocks": 3})):
            path, file = VECTORS / f"{name}-{kind}.arcomp", io.BytesIO()
            Image.fromarray(colours).convert(mode).save(file, "JPEG", quality=70, **how)
            if not path.exists():
                with patch.object(files, "guessed", lambda data: float("inf")):
                    made = files.compress(files.examine(file.getvalue(), model), model)
                assert made.member.jpegs
                write(path.name, made.data)
                expect(path.stem, None, file.getvalue())


def graphic_successes() -> None:
    """Files of model graphic that must decode: of every number of channels, indices, tiles."""
    shipped = arcomp.load("graphic")
    mark = f"graphic-{shipped.digest.hex()[:8]}"
    for channels, kind in ((1, "gray"), (2, "gray-alpha"), (3, "rgb"), (4, "rgba")):
        success(f"{mark}-{kind}", screen(18, 25, channels)[None], 8, shipped, trees=CODED)
    success(f"{mark}-noise", pictures("noise", (6, 9, 3), 8)[None], 8, shipped, trees=CODED)
    success(f"{mark}-one-pixel", pictures("extreme", (1, 1, 4), 8)[None], 8, shipped, trees=CODED)
    several = np.stack([screen(13, 20, 3, seed) for seed in range(2)])
    success(f"{mark}-tiles", several, 8, shipped, (7, 11), trees=CODED)
    for depth in (1, 4):
        part = np.right_shift(screen(16, 33, 1), np.uint8(8 - depth))
        success(
            f"{mark}-indices-{depth}bit", part[None], depth, shipped, trees=(replace(originals.CODED, depth=depth),)
        )


def bilevel_successes() -> None:
    """Files of model bilevel that must decode."""
    model, rng = arcomp.load("bilevel"), np.random.default_rng(7)
    for name, shape, share in (("one-pixel", (1, 1), 1.0), ("noise", (9, 13), 0.5), ("page", (40, 60), 0.02)):
        pixels = np.cumsum(rng.random(shape) < share, axis=1).astype(np.uint8)[None, ..., None] & np.uint8(1)
        success(f"bilevel-{name}", pixels, 1, model, (0, 0) if name == "noise" else (24, 60), trees=BILEVEL)


CODED = (originals.CODED,)
BILEVEL = (replace(originals.CODED, depth=1),)


def successes() -> None:
    """Files of histogram and context that must decode."""
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
    success("context-tiny-one-pixel", pictures("noise", (1, 1, 3), 8)[None], 8, tiny, trees=CODED)
    success("context-tiny-column", pictures("smooth", (19, 1, 3), 8)[None], 8, tiny)
    success("context-tiny-tiles", several, 8, tiny, (4, 5))
    shipped = arcomp.load("context")
    mark = shipped.digest.hex()[:8]
    photo = read_picture(str(PICTURE))
    success(f"context-{mark}-rgb", photo[100:118, 60:84][None], 8, shipped)
    success(f"context-{mark}-gray", photo[100:118, 60:84, 1:2][None], 8, shipped)


def ladder_successes() -> None:
    """Files of the ladder's shipped weights that must decode: two pictures of two tiles, or a text."""
    line = b"It was on a dreary night of November"
    for name in registry.names():
        if name.split("-")[0] not in SIZES:
            continue
        model = registry.load(name)
        mark = f"{name}-{model.digest.hex()[:8]}"
        kinds = {"colour": (3, 8), "audio": (2, 8)}
        channels, depth = kinds.get(name.rpartition("-")[2], (1, 1))
        several = np.stack([pictures("noise", (7, 9, channels), depth, seed) for seed in range(2)])
        if not name.endswith("-text"):
            success(mark, several, depth, model, (7, 6))
        elif write(f"{mark}.arcomp", member_of(line, of_bytes(line), None, "line.txt", model)):
            expect(mark, of_bytes(line), line)


def form_successes() -> None:
    """Files of every form, every way of packing, every node of transforms, and archives."""
    histogram = arcomp.load("histogram")
    for name, file in originals.files().items():
        form(name, file, histogram)
    for name, (file, method) in originals.texts().items():
        kept_as_bytes(name, file, method)
    for name, (samples, tree, model) in originals.transformed().items():
        if write(f"node-{name}.arcomp", codec.encode(samples, model, trees=(tree,)).data):
            expect(f"node-{name}", samples, None)
    several = originals.several_sizes()
    if write("stacks.arcomp", codec.encode(several, histogram, trees=CODED * len(several.stacks)).data):
        expect("stacks", several, None)
    context = ContextModel(tiny_weights())
    gray = Samples.of(pictures("smooth", (9, 8, 1), 8)[None], 8)
    coded = codec.encode(gray, context)
    if write("weights.arcomp", with_weights(coded.data, coded.member, context)):
        expect("weights", gray, None)
    two = [member_of(text, None, (Literal(text),), name, histogram) for name, text in originals.MEMBERS.items()]
    if write("one-and-index.arcomp", joined(two[:1])):
        expect("one-and-index", None, next(iter(originals.MEMBERS.values())))
    write("archive.arcomp", joined(two))
    write("archive-of-archives.arcomp", joined(two) + two[0] + joined(two[1:]))


if __name__ == "__main__":
    VECTORS.mkdir(exist_ok=True)
    tiny_weights()
    successes()
    photo_successes()
    graphic_successes()
    bilevel_successes()
    jpeg_successes()
    ladder_successes()
    form_successes()
    faults.write_all(ContextModel(tiny_weights()), VECTORS)
