"""What can be coded besides pictures of 8 bits: arrays, pictures of 1 bit, and bytes."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from arcomp import codec
from arcomp.container import unpack
from arcomp.contract import registry
from arcomp.contract.fitting import fitted
from arcomp.errors import ModelError, PictureError
from arcomp.formats import is_array, kind, read, read_array, write
from arcomp.formats.arrays import write_array
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.wavenet import WaveNet
from arcomp.samples import Array, Bytes, Samples
from tests.cli.command import Said, refused, say, spawn
from tests.specimens import layered, pictures

HISTOGRAM = registry.load("histogram")
DIGITS = pictures("noise", (6 * 7, 9, 1), 1).reshape(6, 7, 9)
TEXT = (b"It is a truth universally acknowledged, \xe2\x80\x94 that a single \0\xff byte " * 300)[:17001]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with untrained weights in it."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    layered(WaveNet, channels=1, depth=8, width=4, blocks=2, cycle=2).weights.save(tmp_path / "text.safetensors")
    layered(PixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3).weights.save(tmp_path / "binary.safetensors")
    return tmp_path


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def read_fitted(data: bytes, model: registry.Model) -> Samples:
    return fitted(read(data), model)


def said_well(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


class TestArrays:
    @pytest.mark.parametrize(
        ("shape", "as_pictures"),
        [
            ((5, 6), (1, 5, 6, 1)),
            ((9, 5, 6), (9, 5, 6, 1)),
            ((2, 3, 5), (2, 3, 5, 1)),
            ((9, 5, 3), (1, 9, 5, 3)),
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

    @pytest.mark.parametrize("shape", [(5, 4, 4), (9, 4, 3), (9, 5, 4), (9, 5, 1), (9, 5, 2), (3, 3, 3)])
    def test_axes_that_leave_it_open(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(PictureError, match="four axes"):
            read_array(npy(np.zeros(shape, np.uint8)))

    @pytest.mark.parametrize("shape", [(), (5,), (1, 2, 3, 4, 5), (2, 3, 4, 5), (0, 5, 5), (5, 0), (1 << 15, 1 << 15)])
    def test_shapes_that_are_no_pictures(self, shape: tuple[int, ...]) -> None:
        claimed = np.broadcast_to(np.zeros((), np.uint8), shape)
        data = npy(claimed) if claimed.size < 1 << 20 else npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(32768,32768)")
        with pytest.raises(PictureError, match="shape"):
            read_array(data)

    @pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float32, "U3", [("a", np.uint8)]])
    def test_types_that_are_not_taken(self, dtype: Any) -> None:
        with pytest.raises(PictureError, match="give uint8 or bool"):
            read_array(npy(np.zeros((8, 8), dtype)))

    def test_nothing_is_executed(self) -> None:
        data = io.BytesIO()
        np.save(data, np.array([[{}]], dtype=object), allow_pickle=True)
        with pytest.raises(PictureError, match="object"):
            read_array(data.getvalue())

    def test_archives(self) -> None:
        assert read_array(npz(images=DIGITS)).form.name == "images"  # type: ignore[union-attr]
        with pytest.raises(PictureError, match="2 arrays"):
            read_array(npz(a=DIGITS, b=DIGITS))
        hostile = bytearray(npz(a=DIGITS))
        at = hostile.rindex(b"PK\x01\x02") + 24
        hostile[at : at + 4] = (1 << 31).to_bytes(4, "little")
        with pytest.raises(PictureError, match="too large"):
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
        for data in (npy(values), npz(name=values)):
            samples = read_fitted(data, HISTOGRAM)
            assert isinstance(samples.form, Array)
            coded = codec.encode(samples, HISTOGRAM).data
            again = np.load(io.BytesIO(write(codec.decode(coded), samples.ending)))
            again = again if isinstance(again, np.ndarray) else again["name"]
            assert (again.dtype, again.shape) == (values.dtype, shape)
            assert np.array_equal(again, values)
        assert write(codec.decode(coded), "npy") == npy(values)


def test_the_command_line_takes_arrays(folder: Path) -> None:
    files = {"a.npy": npy(DIGITS), "b.npy": npy(DIGITS.astype(bool)), "c.npz": write_array(DIGITS, "file", "npz")}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    binary = ("-m", "binary.safetensors")
    (about, *_) = said_well(say("compress", *binary, "--json", *files)).objects
    assert (about["content"], about["images"], about["bit_depth"]) == ("array", 6, 1)
    assert (folder / "a.npy.arcomp").stat().st_size < len(files["a.npy"]) * 2
    assert "array    6 pictures of 9 x 7, gray, 1 bit" in said_well(say("info", "a.npy.arcomp")).out.decode()
    said_well(say("test", *binary, "a.npy.arcomp", "b.npy.arcomp"))
    said_well(say("decompress", *binary, "--rm", *(f"{name}.arcomp" for name in files), "-o", "back/"))
    assert (folder / "back" / "a.npy").read_bytes() == files["a.npy"]
    assert (folder / "back" / "b.npy").read_bytes() == files["b.npy"]
    assert np.array_equal(np.load(folder / "back" / "c.npz")["file"], DIGITS)
    assert not list(folder.glob("*.arcomp"))


def test_arrays_and_pictures_convert_where_they_can(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(DIGITS))
    Image.fromarray(DIGITS[0].astype(bool)).save(folder / "one.png")
    said_well(say("compress", "-m", "histogram", "-q", "a.npy", "one.png"))
    refused(
        say("decompress", "a.npy.arcomp", "-o", "a.png"), "holds 6 pictures; name the output with -o, as in -o out.npy"
    )
    said_well(say("decompress", "one.png.arcomp", "-o", "one.npy"))
    assert np.load(folder / "one.npy").shape == (1, 7, 9, 1)
    said_well(say("compress", "-m", "histogram", "a.npy", "-o", "x.arcomp"))
    said_well(say("decompress", "x.arcomp"))
    assert (folder / "x.npy").read_bytes() == npy(DIGITS)


def test_the_command_line_takes_pictures_of_one_bit(folder: Path) -> None:
    picture = Image.fromarray(DIGITS[0].astype(bool))
    picture.save(folder / "one.png")
    picture.save(folder / "one.pbm")
    before = (folder / "one.pbm").read_bytes()
    said_well(say("compress", "-m", "binary.safetensors", "one.png", "one.pbm"))
    said_well(say("decompress", "-m", "binary.safetensors", "one.png.arcomp", "one.pbm.arcomp", "-o", "back/"))
    assert (folder / "back" / "one.pbm").read_bytes() == before
    with Image.open(folder / "back" / "one.png") as back:
        assert back.mode == "1"
        assert np.array_equal(np.asarray(back), np.asarray(picture))
    refused(say("decompress", "-m", "binary.safetensors", "one.png.arcomp", "-o", "one.bmp"), "1 bit")
    for model in ("photo-fast", "context"):
        refused(say("compress", "-m", model, "-f", "one.png"), "not 1 channel of 1 bit; choose another model")


@pytest.mark.parametrize("length", [1, 4000, 17001])
def test_the_command_line_takes_any_file_as_bytes(folder: Path, length: int) -> None:
    (folder / "notes.txt").write_bytes(TEXT[:length])
    (about,) = said_well(say("compress", "-m", "text.safetensors", "--json", "notes.txt")).objects
    assert (about["content"], about["width"], about["height"]) == ("bytes", length, 1)
    data = (folder / "notes.txt.arcomp").read_bytes()
    header, _ = unpack(data)
    assert header.form == Bytes()
    assert (header.tile_height, header.tile_width) == ((1, 8192) if length > 8192 else (0, 0))
    assert f"bytes    {length} byte" in said_well(say("info", "notes.txt.arcomp")).out.decode()
    piped = said_well(say("decompress", "-m", "text.safetensors", "-", stdin=data))
    assert piped.out == TEXT[:length]
    (folder / "notes.txt").unlink()
    said_well(say("decompress", "-m", "text.safetensors", "--rm", "notes.txt.arcomp"))
    assert (folder / "notes.txt").read_bytes() == TEXT[:length]


def test_what_bytes_are_called(folder: Path) -> None:
    text = ("-m", "text.safetensors")
    (folder / "notes.txt").write_bytes(TEXT[:100])
    (folder / "README").write_bytes(TEXT[:100])
    said_well(say("compress", *text, "notes.txt", "-o", "x.arcomp"))
    said_well(say("decompress", *text, "x.arcomp", "-o", "back/"))
    said_well(say("compress", *text, "README"))
    said_well(say("decompress", *text, "README.arcomp", "-o", "back/"))
    assert sorted(p.name for p in (folder / "back").iterdir()) == ["README", "x.txt"]


def test_a_picture_is_a_picture_unless_it_is_said(folder: Path) -> None:
    text = ("-m", "text.safetensors")
    Image.fromarray(pictures("noise", (6, 5, 1), 8)[:, :, 0]).save(folder / "gray.png")
    Image.fromarray(pictures("noise", (6, 5, 3), 8)).save(folder / "rgb.png")
    (folder / "bmw.txt").write_bytes(b"BMW makes cars.")
    (folder / "empty.txt").write_bytes(b"")
    (about,) = said_well(say("compress", *text, "--json", "gray.png")).objects
    assert about["content"] == "picture"
    refused(say("compress", *text, "rgb.png"), "takes 1 channel of 8 bits (with these weights), not 3 channels")
    refused(say("compress", *text, "bmw.txt"), "--bytes takes the file's bytes as they are")
    for flags in ((), ("--bytes",)):
        refused(say("compress", *text, *flags, "empty.txt"), "empty.txt: the file is empty")
    refused(say("compress", "-m", "histogram", "--bytes", "bmw.txt"), "does not take bytes; choose a model of text")
    refused(say("compress", "-m", "histogram", "bmw.txt"), "BMP")
    said_well(say("compress", *text, "--bytes", "rgb.png", "bmw.txt"))
    said_well(say("decompress", *text, "rgb.png.arcomp", "bmw.txt.arcomp", "-o", "back/"))
    for name in ("rgb.png", "bmw.txt"):
        assert (folder / "back" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy(np.zeros((5, 4, 4), np.uint8)), "give it four axes"),
        (npy(np.zeros((8, 8))), "an array of float64 is not supported"),
        (npy(DIGITS)[:-1], "377 of 378 samples"),
        (npz(a=DIGITS)[:-30], "damaged archive"),
        (b"\x93NUMPY\x01\x00", "damaged array"),
    ],
)
def test_bad_arrays_take_one_line_and_leave_nothing(folder: Path, data: bytes, words: str) -> None:
    (folder / "bad.npy").write_bytes(data)
    before = sorted(p.name for p in folder.iterdir())
    refused(say("compress", "-m", "histogram", "bad.npy"), words)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_in_a_process_of_its_own(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(DIGITS))
    done = spawn("compress", "-m", "histogram", "-c", "a.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert isinstance(unpack(done.stdout)[0].form, Array)


def test_arrays_as_numpy_writes_them() -> None:
    assert write_array(DIGITS, "", "npy") == npy(DIGITS)
    found = np.load(io.BytesIO(write_array(DIGITS, "file", "npz")))
    assert np.array_equal(found["file"], DIGITS)
