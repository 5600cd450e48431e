"""What ``import arcomp`` offers: arrays and files come out as they went in; anything else is refused in words."""

from __future__ import annotations

import doctest
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arcomp
from arcomp import api, samples
from arcomp.container import unpack
from arcomp.errors import ArcompError, FormatError, ModelError, OutputError, PictureError
from arcomp.models.wavenet import WaveNet
from arcomp.samples import Array, Bytes, Samples
from tests.contents import pictures
from tests.specimens import layered

ROOT = Path(__file__).parents[2]
LIGHTHOUSE = ROOT / "tests" / "pictures" / "lighthouse.png"
RGB = pictures("smooth", (11, 13, 3), 8)
MODEL = "histogram"


@st.composite
def arrays(draw: st.DrawFn) -> npt.NDArray[Any]:
    """Arrays of pictures of every kind, shape and layout in memory."""
    sides = st.integers(1, 9)
    shape = draw(
        st.one_of(
            st.tuples(sides, sides),
            st.tuples(sides, sides, st.integers(1, 4)),
            st.tuples(sides, sides, st.integers(5, 9)),
            st.tuples(sides, sides, sides, st.integers(1, 4)),
        )
    )
    kind: Any = draw(st.sampled_from([np.bool_, np.uint8, np.int8, np.uint16, np.int16, ">u2"]))
    most = 2 if kind is np.bool_ else 1 << 8 * np.dtype(kind).itemsize
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, most, shape)
    layout = draw(st.sampled_from(["C", "F", "strided", "reversed", "read-only"]))
    array: npt.NDArray[Any] = np.array(values, kind, order="F" if layout == "F" else "C")
    if layout == "strided":
        array = np.repeat(array, 2, 0)[::2]
    elif layout == "reversed":
        array = np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1]
    array.setflags(write=layout != "read-only")
    return array


class TestArrays:
    @given(arrays())
    @settings(max_examples=100, deadline=None)
    def test_arrays_come_back_as_they_were(self, array: npt.NDArray[Any]) -> None:
        before = array.copy()
        found = arcomp.decompress(arcomp.compress(array, MODEL)).array
        assert (found.shape, found.dtype) == (array.shape, array.dtype.newbyteorder("="))
        assert np.array_equal(found, before)
        assert np.array_equal(array, before)

    @pytest.mark.parametrize("model", ["photo-fast", "context"])
    def test_learned_models_take_views(self, model: str) -> None:
        view = np.asfortranarray(np.repeat(RGB, 2, 1))[:, ::-2]
        view.setflags(write=False)
        assert np.array_equal(arcomp.decompress(arcomp.compress(view, model)).array, view)

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (RGB.astype(np.float32), "an array of float32"),
            (RGB / 255, "give bool or integers"),
            (RGB.astype(np.int64), "an array of int64"),
            (RGB.astype(np.int32) - 300, "an array of int32"),
            (RGB.astype(np.uint32), "an array of uint32"),
            (RGB.astype(np.complex64), "an array of complex64"),
            (RGB.astype(object), "an array of object"),
            (np.array([["a", "b"]]), "is not supported"),
            (np.zeros((2, 2), [("r", np.uint8)]), "is not supported"),
            (np.zeros((3, 3), "datetime64[s]"), "is not supported"),
            (np.uint8(3), "is not one of pictures"),
            (np.zeros(5, np.uint8), "is not one of pictures"),
            (np.zeros((1, 1, 2, 2, 3), np.uint8), "is not one of pictures"),
            (np.zeros((2, 3, 4, 5), np.uint8), "is not one of pictures"),
            (np.zeros((0, 5), np.uint8), "holds nothing"),
            (np.zeros((5, 5, 0), np.uint8), "holds nothing"),
            (np.broadcast_to(np.uint8(1), (1 << 20, 1 << 20)), "too large"),
            ([[1, 2], [3, 4]], "a list cannot be compressed"),
            (None, "None cannot be compressed"),
            (3.5, "a float cannot be compressed"),
            (io.StringIO("P2 1 1 255 7"), "open as text"),
        ],
    )
    def test_others_are_refused_in_words(self, array: Any, words: str) -> None:
        with pytest.raises(ArcompError, match=words) as caught:
            arcomp.compress(array, MODEL)
        assert "\n" not in str(caught.value)
        assert ";" in str(caught.value)

    def test_what_a_model_does_not_take(self) -> None:
        """It is made into what the model takes, if that can be."""
        for array, model in ((RGB[..., :2], "photo-fast"), (RGB.astype(np.uint16) * 257, MODEL)):
            assert np.array_equal(arcomp.decompress(arcomp.compress(array, model)).array, array)
        with pytest.raises(ModelError, match="takes 1 channel of 1 bit"):
            arcomp.compress(RGB, layered(WaveNet, channels=1, depth=1, width=3, blocks=1, cycle=1))
        with pytest.raises(ModelError, match="no model"):
            arcomp.compress(RGB, "absent")
        with pytest.raises(ArcompError, match="an int is no model"):
            arcomp.compress(RGB, 3)  # type: ignore[arg-type]


class TestFiles:
    def test_anything_that_is_a_picture(self, tmp_path: Path) -> None:
        data = LIGHTHOUSE.read_bytes()
        coded = arcomp.compress(data, MODEL)
        with LIGHTHOUSE.open("rb") as file, Image.open(LIGHTHOUSE) as image:
            pixels = np.asarray(image)
            for same in (bytearray(data), memoryview(data), file):
                assert arcomp.compress(same, MODEL) == coded
            samples = arcomp.compress(image, MODEL)
            assert arcomp.compress(arcomp.open(data), MODEL) == samples
        (tmp_path / "x.arcomp").write_bytes(coded)
        with (tmp_path / "x.arcomp").open("rb") as file:
            for packed in (coded, bytearray(coded), memoryview(coded), file, tmp_path / "x.arcomp"):
                assert arcomp.restore(packed) == data
        for source in (LIGHTHOUSE, tmp_path / "x.arcomp", coded, samples):
            assert np.array_equal(arcomp.open(source).array, pixels)
            if source is not LIGHTHOUSE:
                assert np.array_equal(arcomp.decompress(source).array, pixels)

    def test_any_file_comes_back(self, tmp_path: Path) -> None:
        for data in (b"", b"x", b"Call me Ishmael. " * 9, LIGHTHOUSE.read_bytes()[:500]):
            (tmp_path / "a.png").write_bytes(data)
            for source in (data, tmp_path / "a.png", str(tmp_path / "a.png")):
                coded = arcomp.compress(source, MODEL)
                assert arcomp.restore(coded) == data
                assert len(coded) <= len(data) + 133
                if data:
                    found = arcomp.decompress(coded)
                    assert (found.array.tobytes(), found.colour) == (data, "bytes")

    def test_name_time_and_mode_are_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"A note.")
        os.utime(tmp_path / "a.txt", ns=(7, 10**9))
        original = unpack(arcomp.compress(tmp_path / "a.txt", MODEL)).original
        assert original is not None
        assert (original.name, original.modified, original.length) == ("a.txt", 10**9, 7)
        assert original.mode == (tmp_path / "a.txt").stat().st_mode & 0o7777
        original = unpack(arcomp.compress(b"A note.", MODEL)).original
        assert original is not None
        assert (original.name, original.modified, original.mode) == ("", None, None)

    def test_what_came_from_no_file_is_none(self) -> None:
        for source in (RGB, Image.fromarray(RGB), arcomp.open(LIGHTHOUSE)):
            with pytest.raises(ArcompError, match=r"came from no file; arcomp\.decompress gives the samples"):
                arcomp.restore(arcomp.compress(source, MODEL))

    def test_saved_files_read_back(self, tmp_path: Path) -> None:
        for name, array in (("a.png", RGB), ("a.npy", RGB), ("b.npy", RGB[..., 0] > 9), ("c.ppm", RGB)):
            arcomp.save(array, tmp_path / name)
            assert np.array_equal(arcomp.open(tmp_path / name).array, array)
        arcomp.save(arcomp.decompress(arcomp.compress(RGB, MODEL)), tmp_path / "d.bmp")
        assert np.array_equal(arcomp.open(tmp_path / "d.bmp").array, RGB)
        with pytest.raises(OutputError, match="exists already"):
            arcomp.save(RGB, tmp_path / "a.png", overwrite=False)
        with pytest.raises(OutputError, match="without loss"):
            arcomp.save(RGB, tmp_path / "a.jpg")

    def test_files_that_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(PictureError, match="does not exist"):
            arcomp.open(tmp_path / "absent.png")
        with pytest.raises(PictureError, match="does not exist"):
            arcomp.decompress(tmp_path / "absent.arcomp")
        with pytest.raises(FormatError):
            arcomp.decompress(LIGHTHOUSE)
        with pytest.raises(FormatError):
            arcomp.decompress(arcomp.compress(RGB, MODEL)[:-1])
        with pytest.raises(PictureError, match="empty"):
            arcomp.open(b"")
        with pytest.raises(PictureError, match=r"mode CMYK is not supported; convert it"):
            arcomp.compress(Image.new("CMYK", (3, 3)), MODEL)
        with pytest.raises(ArcompError, match="an int is no file"):
            arcomp.decompress(7)  # type: ignore[arg-type]

    def test_text(self) -> None:
        model = layered(WaveNet, channels=1, depth=8, width=3, blocks=1, cycle=1)
        text = b"Call me Ishmael."
        found = arcomp.decompress(arcomp.compress(text, model), model=model)
        assert (found.array.tobytes(), found.colour) == (text, "bytes")
        assert arcomp.restore(arcomp.compress(text, MODEL)) == text


def test_pictures_of_one_bit_and_gray() -> None:
    bits = RGB[..., 0] > 9
    found = arcomp.decompress(arcomp.compress(Image.fromarray(bits), MODEL))
    assert (found.depth, found.array.tolist()) == (1, bits.tolist())
    gray = arcomp.decompress(arcomp.compress(Image.fromarray(RGB[..., 0]), MODEL))
    assert np.array_equal(gray.array, RGB[..., 0])


def test_code_lengths_are_those_of_the_file() -> None:
    bits = arcomp.code_lengths(RGB, MODEL)
    assert bits.samples.shape == (1, *RGB.shape)
    assert bits.total / 8 < len(arcomp.compress(RGB, MODEL)) < bits.total / 8 + 90


def test_draws_are_samples() -> None:
    model = layered(WaveNet, channels=1, depth=8, width=3, blocks=1, cycle=1)
    drawn = arcomp.sample(model, (2, 1, 9, 1), seed=3)
    assert (drawn.array.shape, drawn.depth) == ((2, 1, 9), 8)
    assert np.array_equal(drawn.array, arcomp.sample(model, (2, 1, 9, 1), seed=3).array)


class TestSamples:
    def test_all_that_there_is_room_for_comes_back(self, tmp_path: Path) -> None:
        deep = Samples.of(RGB.astype(">u2")[None] * 257, 16)
        assert (deep.pixels.dtype.name, deep.array.shape, deep.colour) == ("uint16", RGB.shape, "rgb")
        with_alpha = Samples((np.zeros((1, 5, 6, 4), np.uint8),), 8, alpha=True)
        indices = Samples((np.zeros((1, 5, 6, 1), np.uint8),), 4, palette=np.zeros((16, 3), np.uint8))
        sizes = Samples((np.zeros((2, 5, 6, 3), np.uint8), np.ones((1, 9, 9, 3), np.uint8)), 8)
        assert (with_alpha.colour, indices.colour, sizes.count, sizes.size) == ("rgb", "palette", 3, 2 * 90 + 243)
        for more in (deep, with_alpha, indices, sizes):
            found = arcomp.decompress(arcomp.compress(more, MODEL))
            assert (found.depth, found.alpha, len(found.stacks)) == (more.depth, more.alpha, len(more.stacks))
            assert all(map(np.array_equal, found.stacks, more.stacks))
            assert (found.palette is None) == (more.palette is None)
            if found.palette is not None and more.palette is not None:
                assert np.array_equal(found.palette, more.palette)
        for more in (deep, with_alpha, indices):
            arcomp.save(more, tmp_path / "a.png")
            assert np.array_equal(arcomp.open(tmp_path / "a.png").array, more.array)
        with pytest.raises(ArcompError, match="3 pictures"):
            arcomp.save(sizes, "never.png")

    @pytest.mark.parametrize(
        ("stacks", "depth", "words"),
        [
            ((), 8, "no pixels"),
            ((RGB,), 8, "no pixels"),
            ((RGB[None, :0],), 8, "no pixels"),
            ((RGB[None].repeat(2, 3),), 8, "6 channels"),
            ((RGB[None],), 17, "17 bits"),
            ((RGB[None],), 2, "not unsigned integers of 2 bits"),
            ((RGB[None].astype(np.int8),), 8, "not unsigned integers"),
            ((RGB[None], RGB[None, ..., :1]), 8, "different numbers of channels"),
        ],
    )
    def test_what_they_cannot_be(self, stacks: Any, depth: int, words: str) -> None:
        with pytest.raises(ArcompError, match=words):
            Samples(stacks, depth)

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"palette": [[1, 2, 3]]}, "a palette is uint8"),
            ({"palette": np.zeros((2, 3))}, "a palette is uint8"),
            ({"palette": np.zeros((2, 3), np.uint16)}, "a palette is uint8"),
            ({"palette": np.zeros((0, 3), np.uint8)}, "a palette is uint8"),
            ({"palette": np.zeros((1 << 17, 3), np.uint8)}, "at most 65536 entries"),
            ({"form": 3}, "form of samples"),
            ({"form": Bytes}, "form of samples"),
            ({"alpha": "x"}, "alpha is True or False"),
            ({"maximum": -4}, "integer from 0 to 255"),
            ({"maximum": 256}, "integer from 0 to 255"),
            ({"maximum": "x"}, "integer from 0 to 255"),
        ],
    )
    def test_what_is_said_of_them_cannot_be(self, more: dict[str, Any], words: str) -> None:
        with pytest.raises(ArcompError, match=words):
            Samples((RGB[None, ..., :1],), 8, **more)

    def test_arrays_of_three_axes(self) -> None:
        assert samples.of_array(np.zeros((9, 5, 4), np.uint8)).form == Array("uint8", False, True)
        assert samples.of_array(np.zeros((9, 4, 5), np.uint8)).form == Array("uint8", True, False)


class TestPackage:
    def test_names(self) -> None:
        assert len(arcomp.__all__) <= 12
        assert set(dir(arcomp)) == set(arcomp.__all__)
        for name in arcomp.__all__:
            assert getattr(arcomp, name) is not None
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            arcomp.nonsense  # type: ignore[attr-defined]  # noqa: B018

    def test_no_submodule_hides_a_name(self) -> None:
        """Importing arcomp.x puts a module of that name into the package."""
        modules = {path.stem for path in (ROOT / "arcomp").iterdir()} | {"cli", "models"}
        assert not modules & set(arcomp.__all__)

    @pytest.mark.parametrize("module", [arcomp, api, samples])
    def test_examples(self, module: Any) -> None:
        found = doctest.testmod(module)
        assert found.failed == 0
        assert found.attempted or module is samples

    def test_import_is_instant(self) -> None:
        code = "import sys, arcomp; print(sorted({'numpy', 'numba', 'torch', 'PIL', 'click'} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_types_are_visible(self, tmp_path: Path) -> None:
        """To a type checker that reads the package alone, every name is what it is; others are errors."""
        pytest.importorskip("mypy")
        (tmp_path / "arcomp").symlink_to(ROOT / "arcomp")
        names = [name for name in arcomp.__all__ if name != "__version__"]
        lines = ["import arcomp", *(f"reveal_type(arcomp.{name})" for name in names), "arcomp.nonsense"]
        (tmp_path / "user.py").write_text("\n".join(lines) + "\n")
        read = ("__init__", "api", "archives", "samples", "sources", "errors")
        files = ("user.py", *(f"arcomp/{name}.py" for name in read))
        command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=skip", "--no-incremental", *files]
        said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stdout
        said = "\n".join(line for line in said.splitlines() if line.startswith("user.py"))
        for number, name in enumerate(names, 2):
            (line,) = [line for line in said.splitlines() if line.startswith(f"user.py:{number}:")]
            assert 'type is "def (' in line, name
        assert 'Module has no attribute "nonsense"' in said
