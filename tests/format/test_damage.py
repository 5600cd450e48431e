"""Damage of small files: refused, or without effect; never anything else, and the same by both decoders."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from arcomp import codec, files
from arcomp.container import unpack
from arcomp.contract import registry
from arcomp.contract.model import Model
from arcomp.errors import ArcompError
from tests.format import reference
from tests.format.reference_container import read
from tests.format.reference_numbers import Refused
from tests.fuzz.members import header_tampered, skeleton_tampered

VECTORS = Path(__file__).parent / "vectors"
WITH_FILES = [
    "bytes-deflate", "bytes-empty", "form-bmp-565", "form-npy-int16", "form-png-gray-1", "form-png-kept",
    "form-pnm-p1", "form-pnm-p3", "form-tiff-fill-order", "form-tiff-packets", "form-tiff-predictor", "one-and-index",
]  # fmt: skip
WITHOUT = [
    "histogram-1-decisions", "histogram-2x3bit", "histogram-tiles", "node-constant", "node-divide", "node-expand",
    "node-fold", "node-index-16", "node-levels", "node-luma", "node-predict", "node-reorder", "node-scale", "stacks",
]  # fmt: skip
Made = bytes | list[list[int]]


def data_of(name: str) -> bytes:
    return (VECTORS / f"{name}.arcomp").read_bytes()


def by_the_product(data: bytes, model: Model | None = None) -> Made | None:
    """The file, else the samples; None if it is refused."""
    try:
        member = unpack(data)
        if member.original:
            return files.restored(member, model)
        return [stack.ravel().tolist() for stack in codec.decode_member(member, model).stacks]
    except ArcompError:
        return None


def by_the_reference(data: bytes) -> Made | None:
    try:
        if read(data).header.original:
            return reference.restore(data)
        return [stack.samples for stack in reference.decode(data)]
    except Refused:
        return None


@pytest.mark.parametrize("name", WITH_FILES + WITHOUT)
def test_every_truncation(name: str) -> None:
    data = data_of(name)
    whole = {len(data)}
    if name == "one-and-index":
        whole.add(len(data) - int.from_bytes(data[-16:-8], "little"))
    for size in range(len(data)):
        assert (by_the_product(data[:size]) is not None) == (size in whole)


@pytest.mark.parametrize("name", WITH_FILES + WITHOUT)
def test_every_flipped_byte(name: str) -> None:
    data = data_of(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= int(rng.integers(1, 256))
        assert by_the_product(bytes(flipped)) is None


@pytest.mark.parametrize("name", ["context-tiny-one-pixel", "photo-tiny-gray-one-pixel"])
def test_every_flipped_byte_with_weights(name: str) -> None:
    data = data_of(name)
    model = registry.load(str(VECTORS / f"{name[: name.index('-tiny') + 5]}.safetensors"))
    assert by_the_product(data, model) is not None
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0xFF
        assert by_the_product(bytes(flipped), model) is None
        assert by_the_product(data[:at], model) is None


@pytest.mark.parametrize("name", WITH_FILES + WITHOUT)
def test_headers_that_were_tampered_with(name: str) -> None:
    """Where checksums are right, both decoders agree on what is refused, and what is not decodes to the same."""
    data = data_of(name)
    right, rng = by_the_product(data), np.random.default_rng(zlib.crc32(name.encode()))
    assert right == by_the_reference(data)
    for _ in range(150):
        made = header_tampered(data, rng)
        product = by_the_product(made)
        assert product is None or product == right or name in WITHOUT
        assert product == by_the_reference(made)


@pytest.mark.parametrize("name", [name for name in WITH_FILES if name != "one-and-index"])
def test_skeletons_that_were_tampered_with(name: str) -> None:
    data = data_of(name)
    right, rng = by_the_product(data), np.random.default_rng(zlib.crc32(name.encode()))
    for _ in range(150):
        made = skeleton_tampered(data, rng)
        product = by_the_product(made)
        assert product in (None, right)
        assert product == by_the_reference(made)
