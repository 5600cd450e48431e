"""Files of every released format version decode for ever, by the product and by the reference decoder.

Faulty ones are refused by both, by the product in one line.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from arcomp import codec, files
from arcomp.container import Member, unpack
from arcomp.container.archive import read_archive
from arcomp.contract import library, registry
from arcomp.contract.model import Model
from arcomp.errors import ArcompError
from arcomp.samples import Samples
from tests.coded import member_of
from tests.format import originals, reference
from tests.format.reference_container import entries_of
from tests.format.reference_numbers import Refused

VECTORS = Path(__file__).parent / "vectors"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())
LONG = (
    "photo-balanced",
    "photo-max",
    "gated_pixelcnn-colour",
    "context-747c5512-rgb",
    "wavenet-colour",
    "char_rnn-col",
    "photo-fast-e61746a1-rgb",
    "temporal_conv-colour",
    "image_transformer-colour",
    "made-2-32",
    "pixelcnn-colour",
    "pixelrnn-colour",
    "pixelsnail-colour",
)
"""Vectors that take the reference decoder seconds; others of these models take it less."""
BAD = json.loads((VECTORS / "faults.json").read_text())
ARCHIVES = {"archive", "archive-of-archives"}


def data_of(name: str) -> bytes:
    return (VECTORS / f"{name}.arcomp").read_bytes()


@cache
def weights_of(name: str, digest: str) -> Path | None:
    """The file of weights that a model needs."""
    if registry.find(name).weightless:
        return None
    for candidate in [*VECTORS.glob("*.safetensors"), *library.SHIPPED.glob("*.safetensors")]:
        if library.digest_of(candidate).startswith(digest):
            return candidate
    raise AssertionError(f"weights of {name} {digest} that a vector was written with are no longer here")


def weights_for(member: Member) -> list[Path]:
    """The files of weights that a vector needs."""
    found = [weights_of(model.name, model.digest.hex()) for model in member.models]
    return [path for path in found if path is not None]


def model_for(member: Member) -> Model | None:
    """The model that a vector needs, if it is none of those that come with the program."""
    for path in weights_for(member):
        if path.parent == VECTORS:
            return registry.load(str(path))
    return None


def digest_of(samples: Samples) -> str:
    digest = hashlib.sha256()
    for stack in samples.stacks:
        digest.update(np.ascontiguousarray(stack, "<u2" if samples.depth > 8 else "u1").tobytes())
    return digest.hexdigest()


def test_there_are_vectors() -> None:
    good = {path.stem for path in VECTORS.glob("*.arcomp") if not path.name.startswith("bad-")}
    assert good == set(EXPECTED) | ARCHIVES
    assert {path.name for path in VECTORS.glob("bad-*")} == set(BAD)
    assert len(good) > 100
    assert len(BAD) > 60
    assert sum(path.stat().st_size for path in VECTORS.iterdir()) < 400_000


@pytest.mark.parametrize("name", EXPECTED)
def test_vector_decodes(name: str) -> None:
    member, expected = unpack(data_of(name)), EXPECTED[name]
    model = model_for(member)
    if "samples" in expected:
        samples = codec.decode_member(member, model)
        assert [list(stack.shape) for stack in samples.stacks] == expected["stacks"]
        assert samples.depth == expected["depth"]
        assert digest_of(samples) == expected["samples"]
    if "file" in expected:
        assert hashlib.sha256(files.restored(member, model)).hexdigest() == expected["file"]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n.startswith(LONG) else []) for n in EXPECTED],
)
def test_vector_decodes_by_the_reference(name: str) -> None:
    data, expected = data_of(name), EXPECTED[name]
    weights = [path.read_bytes() for path in weights_for(unpack(data))]
    if "file" in expected:  # made of the samples, whose checksum is compared
        assert hashlib.sha256(reference.restore(data, *weights)).hexdigest() == expected["file"]
        return
    stacks = reference.decode(data, *weights)
    assert [list(stack.shape) for stack in stacks] == expected["stacks"]
    samples = b"".join(reference.sample_bytes(stack) for stack in stacks)
    assert hashlib.sha256(samples).hexdigest() == expected["samples"]


def test_archives() -> None:
    for name in ARCHIVES:
        data = data_of(name)
        found = read_archive(data)
        names = ["first.txt", "second.txt"] * (2 if name == "archive-of-archives" else 1)
        assert [entry.name for entry in found.entries] == names
        assert found.damaged == ()
        for entry in found.entries:
            assert files.restored(member_of(data, entry)) == originals.MEMBERS[entry.name]
        index = len(data) - int.from_bytes(data[-16:-8], "little")
        listed = [(entry.offset, entry.length, entry.original, entry.name.encode()) for entry in found.entries]
        assert entries_of(data, index) == listed[-len(entries_of(data, index)) :]
        assert reference.restore_all(data) == [originals.MEMBERS[name] for name in names]


@pytest.mark.parametrize("name", BAD)
def test_fault_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ArcompError) as caught:
        whole((VECTORS / name).read_bytes())
    assert BAD[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def whole(data: bytes) -> None:
    """Decode all that there is."""
    member, tiny = unpack(data), registry.load(str(VECTORS / "context-tiny.safetensors"))
    model = tiny if (tiny.name, tiny.digest[:8]) in [(of.name, of.digest) for of in member.models] else None
    if member.geometry:
        codec.decode_member(member, model)
    if member.original:
        files.restored(member, model)


@pytest.mark.parametrize("name", BAD)
def test_fault_is_refused_by_the_reference(name: str) -> None:
    data = (VECTORS / name).read_bytes()
    weights = (VECTORS / "context-tiny.safetensors").read_bytes()
    with pytest.raises(Refused):
        referenced(data, weights)


def referenced(data: bytes, weights: bytes) -> None:
    """Decode all that there is by the reference decoder."""
    reference.decode(data, weights)
    if unpack(data).original:
        reference.restore(data, weights)
