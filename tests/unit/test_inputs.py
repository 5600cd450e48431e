"""What can be coded besides pictures of 8 bits: arrays, pictures of 1 bit, and bytes."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp import codec
from arcomp.contract import registry
from arcomp.contract.fitting import fitted
from arcomp.contract.model import Model
from arcomp.errors import ModelError, PictureError
from arcomp.formats import is_array, kind, read, read_array, write
from arcomp.formats.npy import write_array
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.wavenet import WaveNet
from arcomp.samples import Array, Samples
from tests.cli.command import DIGITS, npy, npz
from tests.specimens import layered

HISTOGRAM = registry.load("histogram")


def read_fitted(data: bytes, model: Model) -> Samples:
    return fitted(read(data), model)


class TestArrays:
    @pytest.mark.parametrize(
        ("shape", "as_pictures"),
        [
            ((5, 6), (1, 5, 6, 1)),
            ((9, 5, 6), (9, 5, 6, 1)),
            ((2, 3, 5), (2, 3, 5, 1)),
            ((9, 5, 3), (1, 9, 5, 3)),
            ((9, 5, 1), (1, 9, 5, 1)),
            ((5, 4, 4), (1, 5, 4, 4)),
            ((9, 5, 3, 1), (9, 5, 3, 1)),
            ((2, 4, 4, 4), (2, 4, 4, 4)),
            ((1, 1), (1, 1, 1, 1)),
        ],
    )
    @pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
    def test_axes(self, shape: tuple[int, ...], as_pictures: tuple[int, ...], dtype: Any) -> None:
        values = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
        array = read_array(npy(values))
        assert array.pixels.shape == as_pictures
        assert np.array_equal(array.pixels.ravel(), values.ravel())

    @pytest.mark.parametrize("shape", [(), (5,), (1, 2, 3, 4, 5), (2, 3, 4, 5), (0, 5, 5), (5, 0), (1 << 16, 1 << 15)])
    def test_shapes_that_are_no_pictures(self, shape: tuple[int, ...]) -> None:
        claimed = np.broadcast_to(np.zeros((), np.uint8), shape)
        data = npy(claimed) if claimed.size < 1 << 20 else npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(65536,32768)")
        with pytest.raises(PictureError, match="shape"):
            read_array(data)

    @pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.float16, np.float32, "U3", [("a", np.uint8)]])
    def test_types_that_are_not_taken(self, dtype: Any) -> None:
        with pytest.raises(PictureError, match="give bool or integers"):
            read_array(npy(np.zeros((8, 8), dtype)))

    def test_nothing_is_executed(self) -> None:
        data = io.BytesIO()
        np.save(data, np.array([[{}]], dtype=object), allow_pickle=True)
        with pytest.raises(PictureError, match="object"):
            read_array(data.getvalue())

    def test_archives(self) -> None:
        assert read_array(npz(images=DIGITS)).form.name == "images"  # type: ignore[union-attr]
        assert len(read_array(npz(a=DIGITS, b=DIGITS)).pixels) == 2 * len(DIGITS)
        hostile = bytearray(npz(a=DIGITS))
        at = hostile.rindex(b"PK\x01\x02") + 24
        hostile[at : at + 4] = (1 << 31).to_bytes(4, "little")
        with pytest.raises(PictureError, match="damaged"):
            read_array(bytes(hostile))

    @given(st.integers(0, 10**6), st.integers(0, 255))
    @settings(max_examples=150, deadline=None)
    def test_damage_is_refused_or_harmless(self, place: int, byte: int) -> None:
        """One byte changed anywhere, or the end cut off: never anything but a refusal."""
        for data in (npy(DIGITS), npz(images=DIGITS)):
            at = place % len(data)
            for damaged in (data[:at], data[:at] + bytes([byte]) + data[at + 1 :]):
                with suppress(PictureError):
                    assert read_array(damaged).pixels.size

    def test_order_in_memory_does_not_matter(self) -> None:
        assert np.array_equal(read_array(npy(np.asfortranarray(DIGITS))).array, DIGITS)


class TestKinds:
    def test_what_a_file_is_taken_for(self) -> None:
        text = layered(WaveNet, channels=1, depth=8, width=3, blocks=1, cycle=1)
        assert kind(npy(DIGITS)) == kind(npz(a=DIGITS)[:320], or_bytes=text.takes_bytes) == "array"
        assert kind(b"\x89PNG\r\n\x1a\n" + bytes(50), or_bytes=text.takes_bytes) == "picture"
        assert kind(b"Call me Ishmael.", or_bytes=text.takes_bytes) == "bytes"
        with pytest.raises(PictureError, match="not a picture"):
            kind(b"Call me Ishmael.", or_bytes=HISTOGRAM.takes_bytes)
        assert not is_array(npz(a=DIGITS).replace(b"a.npy", b"a.txt"))

    def test_depths_of_arrays(self) -> None:
        binary = layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3)
        assert read_fitted(npy(DIGITS), HISTOGRAM).depth == 8
        assert read_fitted(npy(DIGITS.astype(bool)), HISTOGRAM).depth == 1
        assert read_fitted(npy(DIGITS), binary).depth == 1
        with pytest.raises(ModelError, match="up to 255, model pixelcnn takes 1 bit;"):
            read_fitted(npy(255 * DIGITS), binary)
        with pytest.raises(ModelError, match="not 1 channel of 1 bit;"):
            read_fitted(npy(DIGITS.astype(bool)), registry.load("photo"))

    @pytest.mark.parametrize("boolean", [True, False])
    @pytest.mark.parametrize("shape", [(6, 7, 9), (6, 7, 9, 1), (42, 9), (14, 9, 3), (7, 9, 3, 2)])
    def test_arrays_come_back_as_they_were(self, shape: tuple[int, ...], boolean: bool) -> None:
        values = np.random.default_rng(1).integers(0, 2, shape).astype(bool if boolean else np.uint8)
        for data, ending in ((npy(values), "npy"), (npz(name=values), "npz")):
            samples = read_fitted(data, HISTOGRAM)
            assert isinstance(samples.form, Array)
            coded = codec.encode(samples, HISTOGRAM).data
            again = np.load(io.BytesIO(write(codec.decode(coded), ending)))
            again = again if isinstance(again, np.ndarray) else again["name"]
            assert (again.dtype, again.shape) == (values.dtype, shape)
            assert np.array_equal(again, values)
        assert write(codec.decode(coded), "npy") == npy(values)


def test_arrays_as_numpy_writes_them() -> None:
    assert write_array(DIGITS, "", "npy") == npy(DIGITS)
    found = np.load(io.BytesIO(write_array(DIGITS, "file", "npz")))
    assert np.array_equal(found["file"], DIGITS)
