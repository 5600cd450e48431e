"""The command line takes arrays, pictures of 1 bit and any file as bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arcomp.container import unpack
from arcomp.formats.npy import write_array
from arcomp.samples import Array
from tests.cli.command import DIGITS, MANY_DIGITS, TEXT, npy, npz, refused, said_well, say, spawn
from tests.contents import pictures


@pytest.fixture
def folder(untrained: Path) -> Path:
    """The current folder, with untrained weights in it."""
    return untrained


def test_the_command_line_takes_arrays(folder: Path) -> None:
    digits = MANY_DIGITS
    files = {"a.npy": npy(digits), "b.npy": npy(digits.astype(bool)), "c.npz": write_array(digits, "file", "npz")}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    binary = ("-m", "binary.safetensors")
    (about, *others) = said_well(say("compress", *binary, "--json", *files)).objects
    assert (about["content"], about["images"], about["bit_depth"]) == ("array", 400, 1)
    assert all(other["output_bytes"] < other["input_bytes"] for other in others)
    assert "array    400 pictures of 9 x 7, gray, 1 bit" in said_well(say("info", "a.npy.arcomp")).out.decode()
    said_well(say("test", *binary, "a.npy.arcomp", "b.npy.arcomp"))
    said_well(say("decompress", *binary, "--rm", *(f"{name}.arcomp" for name in files), "-o", "back/"))
    assert {name: (folder / "back" / name).read_bytes() for name in files} == files
    assert not list(folder.glob("*.arcomp"))


def test_arrays_and_pictures_convert_where_they_can(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(MANY_DIGITS))
    Image.fromarray(DIGITS[0].astype(bool)).save(folder / "one.png")
    said_well(say("compress", "-m", "histogram", "-q", "a.npy", "one.png"))
    refused(say("decompress", "a.npy.arcomp", "-o", "a.png"), "holds 400 pictures")
    said_well(say("decompress", "one.png.arcomp", "-o", "one.npy"))
    assert np.load(folder / "one.npy").shape == (1, 7, 9, 1)
    said_well(say("compress", "-m", "histogram", "a.npy", "-o", "x.arcomp"))
    said_well(say("decompress", "x.arcomp"))
    assert (folder / "x.npy").read_bytes() == npy(MANY_DIGITS)
    said_well(say("decompress", "x.arcomp", "-o", "x.npz"))
    with np.load(folder / "x.npz") as archive:
        assert np.array_equal(archive[archive.files[0]], MANY_DIGITS)


def test_the_command_line_takes_pictures_of_one_bit(folder: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).random((200, 200)) < 0.1)
    picture.save(folder / "one.png")
    picture.save(folder / "one.pbm")
    before = {name: (folder / name).read_bytes() for name in ("one.png", "one.pbm")}
    for model in ("histogram", "binary.safetensors", "photo-fast"):  # the last one takes them by another way
        said = said_well(say("compress", "-m", model, "-f", "--json", *before))
        if model == "histogram":
            assert [about["bit_depth"] for about in said.objects] == [1, 1]
        given = ("-m", model) if model == "binary.safetensors" and said.objects[0]["models"] else ()
        said_well(say("decompress", *given, "-f", "one.png.arcomp", "one.pbm.arcomp", "-o", "back/"))
        assert {name: (folder / "back" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize("length", [1, 4000, 17001])
def test_models_of_text_take_any_file_as_bytes(folder: Path, length: int) -> None:
    """Where they make less of it than general codecs do, as here of bytes without any order."""
    text = ("-m", "text.safetensors")
    data = np.random.default_rng(0).integers(0, 256, length, np.uint8).tobytes()
    (folder / "noise.txt").write_bytes(data)
    (about,) = said_well(say("compress", *text, "--json", "noise.txt")).objects
    packed = (folder / "noise.txt.arcomp").read_bytes()
    member = unpack(packed)
    if about["content"] == "bytes":
        assert (about["width"], about["height"], about["form"]) == (length, 1, "samples")
        assert [part.tile for part in member.parts] == [(1, 8192) if length > 8192 else (0, 0)]
        assert f"bytes    {length} byte" in said_well(say("info", "noise.txt.arcomp")).out.decode()
    assert len(packed) < length + 128
    assert said_well(say("decompress", *text, "-", stdin=packed)).out == data
    (folder / "noise.txt").unlink()
    said_well(say("decompress", *text, "--rm", "noise.txt.arcomp"))
    assert (folder / "noise.txt").read_bytes() == data


def test_what_bytes_are_called(folder: Path) -> None:
    text = ("-m", "text.safetensors")
    (folder / "notes.txt").write_bytes(TEXT[:100])
    (folder / "README").write_bytes(TEXT[:100])
    said_well(say("compress", *text, "notes.txt", "-o", "x.arcomp"))
    said_well(say("decompress", *text, "x.arcomp", "-o", "back/"))
    said_well(say("compress", *text, "README"))
    said_well(say("decompress", *text, "README.arcomp", "-o", "back/"))
    assert sorted(p.name for p in (folder / "back").iterdir()) == ["README", "x.txt"]


def test_what_a_model_of_text_is_given(folder: Path) -> None:
    """Pictures that it takes as such, all else as bytes; with --bytes, pictures too."""
    text = ("-m", "text.safetensors")
    files = {
        "gray.pgm": b"P5 60 50 255\n" + pictures("noise", (50, 60, 1), 8).tobytes(),
        "rgb.ppm": b"P6 60 50 255\n" + pictures("noise", (50, 60, 3), 8).tobytes(),
        "bmw.txt": b"BMW makes cars.",
        "empty.txt": b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for flags in ((), ("--bytes",)):
        said = said_well(say("compress", *text, *flags, "-f", "--json", *files))
        contents = {about["input"]: about["content"] for about in said.objects}
        assert contents["gray.pgm"] in (("bytes", "file") if flags else ("picture", "file"))
        assert contents["rgb.ppm"] in ("bytes", "file")
        assert contents["empty.txt"] == "file"
        said_well(say("decompress", *text, "-f", *(f"{name}.arcomp" for name in files), "-o", "back/"))
        assert {name: (folder / "back" / name).read_bytes() for name in files} == files
    (about,) = said_well(say("compress", "-m", "histogram", "-f", "--bytes", "--json", "rgb.ppm")).objects
    assert about["form"] == "bytes"


@pytest.mark.parametrize(
    "data",
    [
        npy(np.zeros((5, 4, 4), np.uint8)),
        npy(np.zeros((8, 8))),
        npy(DIGITS)[:-1],
        npz(a=DIGITS)[:-30],
        b"\x93NUMPY\x01\x00",
    ],
    ids=["three axes", "floats", "truncated", "half an archive", "half a header"],
)
def test_odd_and_bad_arrays_come_back(folder: Path, data: bytes) -> None:
    (folder / "odd.npy").write_bytes(data)
    said_well(say("compress", "-m", "histogram", "odd.npy"))
    said_well(say("decompress", "-q", "odd.npy.arcomp", "-o", "back/"))
    assert (folder / "back" / "odd.npy").read_bytes() == data


def test_in_a_process_of_its_own(folder: Path) -> None:
    (folder / "a.npy").write_bytes(npy(MANY_DIGITS))
    done = spawn("compress", "-m", "histogram", "-c", "a.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert isinstance(unpack(done.stdout).form, Array)
