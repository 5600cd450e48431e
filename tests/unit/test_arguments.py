"""Arguments of the Python interface: whatever is handed in, an error in one line that names it, or the result."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import arcomp
from arcomp import images, limits
from arcomp.errors import ArcompError, FormatError, LimitError, LossyError, ModelError, PictureError
from arcomp.samples import Samples
from tests.contents import pictures

RGB = pictures("smooth", (5, 7, 3), 8)
MODEL = "histogram"
INDICES = RGB[..., 0] % 4


def refusal(call: Any, *args: Any, **named: Any) -> str:
    """What a call is refused with, in one line and with a remedy."""
    with pytest.raises(ArcompError) as caught:
        call(*args, **named)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize("verb", [arcomp.compress, arcomp.code_lengths])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tile", [4, "ab", b"ab", (-1, 4), (4,), (4, 4, 4), (1.5, 2), (4, 1 << 40), [None, 3], np.eye(2)]),
        ("device", ["gpu", "", None, 3, "cuda:0", ["cpu"]]),
        ("threads", [0, -1, "2", 1.5, True, 10**9, [1]]),
        ("progress", [3, "yes"]),
        ("model", [None, 3, b"histogram", [], object]),
    ],
)
def test_how_it_is_coded(verb: Any, name: str, values: list[Any]) -> None:
    for value in values:
        said = refusal(verb, RGB, **{"model": MODEL, name: value})
        assert f"{name}=" in said or "is no model" in said


def test_arguments_of_numpy_are_taken() -> None:
    plain = arcomp.compress(RGB, MODEL, tile=(4, 4), threads=2)
    for tile in ([4, 4], np.array([4, 4]), (np.int64(4), np.uint8(4))):
        assert arcomp.compress(RGB, MODEL, tile=tile, threads=np.int32(2)) == plain  # type: ignore[arg-type]


def test_cuda_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no CUDA device" in refusal(arcomp.compress, RGB, MODEL, device="cuda")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("shape", [(2, 3), None, "ab", (0, 8, 8, 1), (1, -1, 8, 1), (1, 8, 8, 9), (1.0, 8, 8, 1), (9**9, 9, 9, 1)]),
        ("depth", [0, 17, "1", 1.0]),
        ("seed", [-1, "a", None, 1.5]),
        ("temperature", ["x", "1", -1, float("nan"), float("inf"), None, 101]),
        ("progress", [3]),
    ],
)  # fmt: skip
def test_what_is_drawn(name: str, values: list[Any]) -> None:
    for value in values:
        assert f"{name}=" in refusal(arcomp.sample, "made-digits", **{"shape": (1, 4, 4, 1), name: value})


def test_paths() -> None:
    for wrong in (None, 3, b"o.png"):
        assert "is no path" in refusal(arcomp.save, RGB, wrong)
        assert "is no path" in refusal(arcomp.load, wrong)
    assert "b" not in refusal(arcomp.save, RGB, 3).split("int")[0]
    assert "never.xyz" in (said := refusal(arcomp.save, RGB, "never.xyz"))
    assert said.endswith("pam, npy, npz")


class Raises:
    """What has the looks of a file, or of an array, and is none."""

    def read(self) -> bytes:
        raise RuntimeError("one line\nand another")


class NoArray:
    """What promises an array."""

    def __array__(self, *args: Any, **named: Any) -> Any:
        raise ValueError("not today")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    closed = io.BytesIO(b"P5 1 1 255 A")
    closed.close()
    with (tmp_path / "w").open("wb") as write_only:
        for file in (closed, write_only, Raises()):
            for verb in (arcomp.compress, arcomp.decompress, arcomp.open):
                assert "cannot be read" in refusal(verb, file)
    assert "open as text" in refusal(arcomp.decompress, io.StringIO("x"))


def test_arrays_that_are_none() -> None:
    torch = pytest.importorskip("torch")
    for source in (NoArray(), torch.zeros(4, 4, requires_grad=True)):
        assert "gives no array" in refusal(arcomp.compress, source, MODEL)
    for source in (np.ndarray, io.BytesIO, Image.Image, NoArray):
        assert "a type cannot be compressed" in refusal(arcomp.compress, source, MODEL)
    assert "masked" in refusal(arcomp.compress, np.ma.masked_array(RGB, RGB > 11), MODEL)
    assert np.array_equal(arcomp.decompress(arcomp.compress(np.ma.masked_array(RGB), MODEL)).array, RGB)
    assert "no array of numpy" in refusal(Samples.of, [[1]], 8)
    assert "not a sequence" in refusal(Samples, 3, 8)
    with pytest.raises(ArcompError, match=r"1.5 bits"):
        Samples.of(RGB[None], 1.5)  # type: ignore[arg-type]


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.arcomp"
    path.write_bytes(arcomp.compress(RGB, MODEL)[:-1])
    for verb in (arcomp.decompress, arcomp.open):
        assert refusal(verb, path).startswith(f"{path}: ")
        with pytest.raises(FormatError):
            verb(str(path))
    (tmp_path / "x.txt").write_text("text")
    assert refusal(arcomp.code_lengths, tmp_path / "x.txt", MODEL).startswith(f"{tmp_path / 'x.txt'}: ")


def test_errors_name_the_limit_as_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = arcomp.compress(RGB, MODEL)
    pixels = RGB.size // 3
    assert refusal(arcomp.decompress, data, max_pixels=1).endswith(f"; max_pixels={pixels} allows it")
    assert refusal(arcomp.restore, arcomp.compress(b"P5 2 1 255 AZ"), max_memory=1).endswith("; raise max_memory=")
    monkeypatch.setattr(limits, "free_memory", lambda: 10.0)
    assert refusal(arcomp.decompress, data).endswith("; use a machine with more, or allow it with max_memory=")
    assert refusal(arcomp.open, data).endswith("; arcomp.decompress takes max_memory=")
    assert refusal(arcomp.compress, RGB, MODEL).endswith("; use a machine with more memory")
    error = pickle.loads(pickle.dumps(LimitError("many", limit="pixels", least=3)))
    assert str(error) == "many; raise --max-pixels 3"
    error.in_python()
    assert str(error) == "many; raise max_pixels=3"


def test_the_model_of_another_file() -> None:
    data = arcomp.compress(RGB, MODEL)
    with pytest.raises(ModelError, match="was written with model histogram"):
        arcomp.decompress(data, model="context")
    assert np.array_equal(arcomp.decompress(data, model=MODEL).array, RGB)


def coloured() -> Image.Image:
    """A picture with a palette of four."""
    image = Image.fromarray(INDICES, "P")
    image.putpalette([0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32])
    return image


class TestPillow:
    """Nothing of a picture of Pillow is lost in silence."""

    def test_kinds(self) -> None:
        for mode, channels, depth, alpha in (
            ("1", 1, 1, False), ("L", 1, 8, False), ("RGB", 3, 8, False), ("LA", 2, 8, True), ("RGBA", 4, 8, True),
        ):  # fmt: skip
            image = Image.fromarray(RGB).convert(mode)
            found = images.samples_of(image)
            assert (found.channels, found.depth, found.alpha, found.palette) == (channels, depth, alpha, None)
            assert np.array_equal(found.array, np.asarray(image))
        deep = RGB[..., 0].astype(np.uint16) * 257
        found = images.samples_of(Image.fromarray(deep))
        assert (found.depth, found.array.dtype.name) == (16, "uint16")
        assert np.array_equal(found.array, deep)

    def test_palettes(self) -> None:
        found = images.samples_of(coloured())
        assert np.array_equal(found.array, INDICES)
        assert found.palette is not None
        assert found.palette[:4].tolist() == [[0, 1, 2], [10, 11, 12], [20, 21, 22], [30, 31, 32]]
        image = coloured()
        for transparency, alpha in ((2, [255, 255, 0, 255]), (b"\x07\x08", [7, 8, 255, 255])):
            image.info["transparency"] = transparency
            found = images.samples_of(image)
            assert found.palette is not None
            assert found.palette[:4, 3].tolist() == alpha
        few = Image.fromarray(INDICES + 8, "P")
        few.putpalette([1, 2, 3])
        found = images.samples_of(few)
        assert found.palette is not None
        assert len(found.palette) > INDICES.max() + 8

    def test_what_is_refused(self) -> None:
        image = Image.fromarray(RGB)
        image.info["transparency"] = (1, 2, 3)
        assert "transparent colour" in refusal(arcomp.compress, image, MODEL)
        for mode in ("CMYK", "F", "HSV"):
            with pytest.raises(PictureError, match=f"mode {mode}"):
                arcomp.compress(Image.new(mode, (3, 3)), MODEL)
        assert "no pixels" in refusal(arcomp.compress, Image.new("RGB", (0, 3)), MODEL)

    def test_several_frames(self) -> None:
        file = io.BytesIO()
        first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
        first.save(file, "TIFF", save_all=True, append_images=[second])
        with Image.open(file) as image:
            assert "2 frames" in refusal(arcomp.compress, image, MODEL)
            assert np.array_equal(images.samples_of(image.copy()).array, RGB)

    @pytest.mark.parametrize("ending", ["JPEG", "WEBP"])
    def test_lossy_ones(self, ending: str) -> None:
        file = io.BytesIO()
        Image.fromarray(RGB).save(file, ending)
        with Image.open(file) as image:
            with pytest.raises(LossyError, match="may be lossy; give the file"):
                arcomp.compress(image, MODEL)
            assert np.array_equal(images.samples_of(image.copy()).array, np.asarray(image))
        with pytest.raises(LossyError, match="allow_lossy=True"):
            arcomp.open(file.getvalue())

    def test_damaged_ones(self) -> None:
        file = io.BytesIO()
        Image.fromarray(RGB).save(file, "PNG")
        with Image.open(io.BytesIO(file.getvalue()[:-40])) as image:
            assert "cannot be decoded" in refusal(arcomp.compress, image, MODEL)
