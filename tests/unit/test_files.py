"""Whole files: what is written is what is verified."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from arcomp import files
from arcomp.container import packing, unpack
from arcomp.container.packing import Parts
from arcomp.contract import registry
from arcomp.errors import VerificationError
from arcomp.formats import write
from arcomp.samples import Samples
from tests.jpeg_files import jpeg

MODEL = registry.load("histogram")
TEXT = b"It was on a dreary night of November. " * 20
RAMP = write(Samples.of((np.arange(64 * 64, dtype=np.uint32) // 40 % 23).astype(np.uint8).reshape(1, 64, 64, 1)), "bmp")


def compressed(data: bytes, **settings: Any) -> files.Compressed:
    how = files.Settings(**settings)
    return files.compress(files.examine(data, MODEL, settings=how), MODEL, how)


def flipped(squeeze: Callable[[Parts], tuple[int, Parts]]) -> Callable[[Parts], tuple[int, Parts]]:
    """A fault in one bit of what is packed."""

    def faulty(parts: Parts) -> tuple[int, Parts]:
        method, packed = squeeze(parts)
        made = b"".join(packed)
        at = len(made) // 2
        return method, [made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]]

    return faulty


@pytest.mark.parametrize("data", [TEXT, RAMP], ids=["bytes", "picture"])
def test_what_is_written_is_verified(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, the form too, and of files that are kept as bytes."""
    assert files.restored(unpack(compressed(data).data)) == data
    monkeypatch.setattr("arcomp.container.skeleton.squeeze", flipped(packing.squeeze))
    with pytest.raises(VerificationError, match="nothing was written"):
        compressed(data)


def test_more_pictures_than_a_file_holds_are_kept_as_bytes() -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange((1 << 20) + 1, dtype=np.uint32).astype(np.uint8).reshape(-1, 1, 1, 1).repeat(5, 2))
    made = compressed(stream.getvalue())
    assert made.coded is None
    assert files.restored(unpack(made.data)) == stream.getvalue()


def test_a_form_is_packed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To weigh it and to write it; the file as bytes is packed besides."""
    packed: list[int] = []

    def counted(parts: Parts) -> tuple[int, Parts]:
        packed.append(packing.size_of(parts))
        return packing.squeeze(parts)

    monkeypatch.setattr("arcomp.container.skeleton.squeeze", counted)
    data = write(Samples.of(np.arange(1200, dtype=np.uint8).reshape(1, 20, 20, 3)), "png")
    model = registry.load("histogram")
    files.compress(files.examine(data, model), model)
    assert len(packed) == 2


@pytest.mark.parametrize("name", ["png", "jpg"])
def test_pictures_before_much_else_are_coded(name: str) -> None:
    """What they save counts, not their part of the file."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 23, (1, 64, 64, 1), np.uint8)
    data = write(Samples.of(noise), "png") if name == "png" else jpeg(exif=b"Exif\0\0" + rng.bytes(40000))
    much = rng.bytes(60000)
    model = MODEL if name == "png" else registry.load("photo-fast")
    plain, found = len(files.compress(files.examine(data, model), model).data), files.examine(data + much, model)
    made = files.compress(found, model)
    assert made.coded is not None
    assert len(made.data) <= plain + len(much) + 128
    assert files.restored(unpack(made.data)) == data + much


def test_files_kept_as_bytes_are_held_once_more() -> None:
    """As what is written; neither packing nor verifying makes another copy of what is stored."""
    data = np.random.default_rng(1).bytes(8 << 20)
    tracemalloc.start()
    try:
        made = compressed(data, as_bytes=True)
        assert tracemalloc.get_traced_memory()[1] < 1.5 * len(data)
    finally:
        tracemalloc.stop()
    assert files.restored(unpack(made.data)) == data
