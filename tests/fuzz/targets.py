"""What is fuzzed: how an input is made from a seed and a number, and what may come of it.

python -m tests.fuzz.targets pictures 7 123 > input    # the input of one case again, and what comes of it
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import arcomp
from arcomp import codec, files
from arcomp.container import unpack
from arcomp.container.archive import read_archive
from arcomp.contract import registry
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights
from arcomp.deflate import DeflateError, predict, restore
from arcomp.errors import ArcompError
from arcomp.formats.parsing import parse
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Samples
from tests.coded import member_of
from tests.deflate_streams import content, deflated, flushed, odd
from tests.fuzz import jpegs
from tests.fuzz.commands import commands, try_command
from tests.fuzz.forms import checksum, coded, forms, try_form
from tests.fuzz.members import archive_tampered, member_tampered
from tests.fuzz.mutations import ODD, Random, cut, number_tampered, picture_tampered, tampered

VECTORS = Path(__file__).parents[1] / "format" / "vectors"
SECONDS = 1.0
"""Most processor time that one case may take."""
EXACT, REFUSED, AS_BYTES = "exact", "refused", "as bytes"


@lru_cache(1)
def vectors() -> dict[str, bytes]:
    """Members that need no weights, by name."""
    starts = ("bytes-", "form-", "histogram-", "node-", "stacks")
    found = {p.stem: p.read_bytes() for p in sorted(VECTORS.glob("*.arcomp")) if p.stem.startswith(starts)}
    return {name: data for name, data in found.items() if len(data) < 1500}


@lru_cache(1)
def answers() -> dict[str, Any]:
    return {name: _decoded(data) for name, data in vectors().items()}


def _decoded(data: bytes, model: Model | None = None) -> Any:
    member = unpack(data)
    if member.original:
        return files.restored(member, model)
    samples = codec.decode_member(member, model)
    assert checksum(samples) == member.samples_crc, "samples of another checksum"
    return [stack.tolist() for stack in samples.stacks]


def members(rng: Random) -> tuple[bytes, str]:
    if rng.random() < 0.2:
        name = sorted(coded())[int(rng.integers(len(coded())))]
        data = coded()[name][1]
        return (data if rng.random() < 0.1 else member_tampered(data, rng)), name
    name = sorted(vectors())[int(rng.integers(len(vectors())))]
    return member_tampered(vectors()[name], rng), name


def try_member(data: bytes, name: str) -> str:
    """The very file, or a refusal. Where no digest of a file says what is right, a header may say of other samples what
    their checksum says, which is computed here once more; not if pictures, parts and streams are what they were."""
    model, was = coded()[name] if name in coded() else (None, vectors().get(name, b""))
    try:
        made = _decoded(data, model)
    except ArcompError:
        assert data != was, "an intact member is refused"
        return REFUSED
    expected = _decoded(was, model) if model else answers()[name]
    if isinstance(made, bytes) or _pictures_of(data) == _pictures_of(was):
        assert made == expected, "another file" if isinstance(made, bytes) else "other samples"
        return EXACT
    return EXACT if made == expected else "other samples"


def _pictures_of(data: bytes) -> Any:
    """All that samples depend on."""
    member = unpack(data)
    streams = [[bytes(part.side), *map(bytes, part.streams)] for part in member.parts]
    return member.geometry, member.trees, [(part.tile, part.binary_samples) for part in member.parts], streams


@lru_cache(1)
def files_known() -> frozenset[bytes]:
    """All files that are in vectors."""
    return frozenset(made for made in answers().values() if isinstance(made, bytes))


def archives(rng: Random) -> tuple[bytes, str]:
    few = [data for name, data in vectors().items() if name.startswith(("bytes-", "node-c", "form-pnm"))]
    return archive_tampered(few, rng), ""


def hostile(rng: Random) -> tuple[bytes, str]:
    return commands([vectors()[name] for name in ("bytes-deflate", "bytes-stored", "form-pnm-p1")], rng)


def try_hostile(data: bytes, name: str) -> str:
    return try_command(data, name, files_known() | {b""})


def try_archive(data: bytes, name: str) -> str:
    """Every member that is intact is restored to the file it was made of; others are one of these files, or refused."""
    known = {vectors()[one]: answers()[one] for one in vectors()}
    restored = 0
    try:
        archive = read_archive(data)
    except ArcompError:
        return REFUSED
    for entry in archive.entries:
        assert 0 <= entry.offset < entry.end <= len(data)
        intact = data[entry.offset : entry.end] in known
        try:
            member = member_of(data, entry)
            made = files.restored(member) if member.original else _decoded(data[entry.offset : entry.end])
        except ArcompError:
            assert not intact, "an intact member is refused"
            continue
        assert not intact or made == known[data[entry.offset : entry.end]], "another file"
        assert not member.original or made in files_known(), "another file"
        restored += 1
    return EXACT if restored else REFUSED


@lru_cache(1)
def originals() -> dict[str, bytes]:
    """Files of every format, small."""
    found = {name: made for name, made in answers().items() if name.startswith("form-") and isinstance(made, bytes)}
    png, bmp = found["form-png-rgba"], found["form-bmp-palette-4"]
    for name, body in (("png", png), ("bmp", bmp[14:] + bytes(32))):
        entry = np.array([len(body), 22], "<u4").tobytes()
        found[f"ico-{name}"] = b"\0\0\1\0\1\0" + bytes(8) + entry + body
    found["icns"] = b"icns" + (16 + len(png)).to_bytes(4, "big") + b"ic07" + (8 + len(png)).to_bytes(4, "big") + png
    big = np.array([256, 3, 1, 4 << 16, 257, 3, 1, 2 << 16, 258, 3, 1, 8 << 16, 262, 3, 1, 1 << 16, 273, 4, 1, 74],
                   ">u4")  # fmt: skip
    entries = b"".join(
        np.array(e[:2], ">u2").tobytes() + np.array(e[2:], ">u4").tobytes() for e in big.reshape(-1, 4).tolist()
    )
    found["tiff-big-endian"] = b"MM\0*\0\0\0\x08\0\x05" + entries + bytes(4) + bytes(range(8))
    return found


def pictures(rng: Random) -> tuple[bytes, str]:
    name = sorted(originals())[int(rng.integers(len(originals())))]
    return picture_tampered(originals()[name], rng), name


def try_picture(data: bytes, name: str) -> str:
    """Comes back bit for bit; some of them by way of a whole compressed file."""
    if zlib.crc32(data) % 32 == 0:
        model = arcomp.load("histogram")
        made = files.compress(files.examine(data, model), model)
        assert files.restored(unpack(made.data)) == data
        return EXACT if made.coded else AS_BYTES
    parsed = parse(data)
    if parsed is None:
        return AS_BYTES
    assert rebuild(parsed.skeleton, parsed.samples) == data
    if zlib.crc32(data) % 4 == 0:
        assert rebuild(predicted(parsed.skeleton, parsed.samples), parsed.samples) == data
    return EXACT


@lru_cache(1)
def streams() -> list[bytes]:
    """Deflate streams, made by zlib and by hand."""
    text, noise = content("text")[:700], bytes(range(90))
    made = [
        deflated(data, level, strategy) for data in (text, noise) for level in (0, 1, 6, 9) for strategy in (0, 2, 4)
    ]
    return made + [flushed(text, 6, zlib.Z_SYNC_FLUSH, 300)] + [one for _, one in odd() if len(one) < 600]


def deflates(rng: Random) -> tuple[bytes, str]:
    data = streams()[int(rng.integers(len(streams())))]
    for _ in range(int(rng.integers(1, 3))):
        data = (tampered, tampered, cut)[int(rng.integers(3))](data, rng) or b"\3"
    return data, str(rng.integers(2))


def try_deflate(data: bytes, name: str) -> str:
    """What is predicted is restored; corrections that are wrong make another stream or are refused."""
    try:
        found = predict(data)
    except DeflateError:
        return REFUSED
    assert restore(found.data, found.coded) == data[: found.length]
    if name == "1":
        rng = np.random.default_rng(zlib.crc32(data))
        wrong = tampered(bytes(found.coded), rng) if rng.integers(2) else found.coded
        try:
            restore(tampered(bytes(found.data), rng) if wrong == found.coded else found.data, wrong)
        except DeflateError:
            return REFUSED
    return EXACT


@lru_cache(1)
def weights() -> list[tuple[bytes, Weights]]:
    """Small files of weights, and what is in them."""
    from arcomp.models.pixelcnn import PixelCNN
    from tests.specimens import layered

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3).weights.save(path)
        paths = [path, VECTORS / "context-tiny.safetensors"]
        return [(p.read_bytes(), Weights.load(p)) for p in paths]


def weight_files(rng: Random) -> tuple[bytes, str]:
    """Bytes changed; or the configuration or an array, with a right digest."""
    data, known = weights()[int(rng.integers(len(weights())))]
    what = int(rng.integers(4))
    if what == 0:
        size = 8 + int.from_bytes(data[:8], "little")
        return (tampered, number_tampered, cut)[int(rng.integers(3))](data[:size], rng) + data[size:], ""
    arrays, config = dict(known.arrays), json.loads(json.dumps(known.config))
    if what == 1:
        name = sorted(arrays)[int(rng.integers(len(arrays)))]
        arrays |= {name: _other_array(arrays[name], rng)}
    elif what == 2:
        name = sorted(arrays)[int(rng.integers(len(arrays)))]
        arrays[f"{name}x"] = arrays.pop(name)
    else:
        config = _other_config(config, rng)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "w.safetensors"
        Weights(known.model, config, arrays, known.layers, made).save(made)
        return made.read_bytes(), ""


def _other_array(array: Any, rng: Random) -> Any:
    what = int(rng.integers(4))
    if what == 0:
        return array.ravel()[: int(rng.integers(array.size + 1))]
    if what == 1:
        return array.astype(rng.choice(["int8", "int16", "int32", "int64", "uint8"]))
    if what == 2:
        return array[None]
    other = array.copy().ravel()
    info = np.iinfo(array.dtype)
    other[int(rng.integers(max(1, other.size)))] = rng.choice([info.min, info.max, 0])
    return other.reshape(array.shape)


def _other_config(config: Any, rng: Random) -> Any:
    odd_values: list[Any] = [None, [], {}, "", "x", True, 0.5, -1, [[]], *map(int, ODD)]
    if isinstance(config, dict) and config and rng.random() < 0.9:
        key = sorted(config)[int(rng.integers(len(config)))]
        if rng.random() < 0.1:
            return {k: v for k, v in config.items() if k != key}
        return {**config, key: _other_config(config[key], rng)}
    if isinstance(config, list) and config and rng.random() < 0.9:
        at = int(rng.integers(len(config)))
        return [*config[:at], _other_config(config[at], rng), *config[at + 1 :]]
    return odd_values[int(rng.integers(len(odd_values)))]


def try_weights(data: bytes, name: str) -> str:
    """A model of them codes and decodes, or they are refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        path.write_bytes(data)
        try:
            model = registry.from_weights(Weights.load(path))
        except ArcompError:
            return REFUSED
    coding = zlib.crc32(data) % 16 == 0
    if coding and model.name == "pixelcnn":
        picture = np.random.default_rng(0).integers(0, 2, (1, 4, 5, 1), np.uint8)
        try:
            made = codec.encode(Samples.of(picture, 1), model).data
        except ArcompError:
            return REFUSED
        assert (codec.decode(made, model=model).pixels == picture).all()
        return EXACT
    return "loaded"


Make = Callable[[Random], tuple[bytes, str]]
Try = Callable[[bytes, str], str]
TARGETS: dict[str, tuple[Make, Try, int]] = {
    "members": (members, try_member, 1200),
    "forms": (forms, try_form, 300),
    "archives": (archives, try_archive, 500),
    "commands": (hostile, try_hostile, 100),
    "pictures": (pictures, try_picture, 1700),
    "deflate": (deflates, try_deflate, 900),
    "weights": (weight_files, try_weights, 300),
    "jpegs": (jpegs.jpegs, jpegs.try_jpeg, 200),
    "members of jpegs": (jpegs.members, jpegs.try_member, 100),
}
"""How an input is made, what is done with it, and how many of 5,000 cases are of this kind."""


def case(target: str, seed: int, number: int) -> tuple[bytes, str]:
    """The input of one case, and what it was made of."""
    return TARGETS[target][0](np.random.default_rng([zlib.crc32(target.encode()), seed, number]))


def outcome(target: str, data: bytes, name: str) -> str:
    """What comes of it.

    Raises:
        AssertionError: something wrong, or it took too long. Other errors are as wrong.
    """
    for _ in range(2):  # a kernel may have to be compiled first
        began = time.process_time()
        found = TARGETS[target][1](data, name)
        took = time.process_time() - began
        if took < SECONDS:
            return found
    raise AssertionError(f"takes {took:.1f} s")


if __name__ == "__main__":
    made, about = case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.buffer.write(made)
    print(about, len(made), outcome(sys.argv[1], made, about), file=sys.stderr)
