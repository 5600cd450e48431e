"""Pillow's plugin: files open lazily as the pictures they were made of, and what is saved comes back."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageSequence, UnidentifiedImageError

import arcomp
import arcomp.pillow
from arcomp.formats.npy import write_npy
from arcomp.plugins.pillow import ArcompImageFile
from arcomp.samples import Samples
from tests.contents import pictures

MODEL = "histogram"
RGB = pictures("smooth", (12, 17, 3), 8)
ICC = b"not a profile" * 9


def of_mode(mode: str) -> Image.Image:
    image = Image.fromarray(RGB)
    if mode == "I;16":
        return Image.fromarray(RGB[..., 0].astype(np.uint16) * 257)
    return image.quantize(9) if mode == "P" else image.convert(mode)


def saved(image: Image.Image, **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, "ARCOMP", model=MODEL, **options)
    return made.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert isinstance(image, ArcompImageFile)
    return image


def file_of(image: Image.Image, form: str, **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, form, **options)
    return made.getvalue()


def assert_same(one: Image.Image, other: Image.Image) -> None:
    assert (one.mode, one.size, one.info) == (other.mode, other.size, other.info)
    assert one.tobytes() == other.tobytes()
    assert one.getpalette() == other.getpalette()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "RGB", "RGBA"])
def test_every_mode_comes_back_with_what_is_known_of_it(mode: str) -> None:
    image, exif = of_mode(mode), Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    found = opened(saved(image, icc_profile=ICC, exif=exif))
    assert (found.mode, found.size, found.info["icc_profile"]) == (image.mode, image.size, ICC)
    assert found.getexif()[ExifTags.Base.Orientation] == 3
    assert found.tobytes() == image.tobytes()
    assert found.getpalette() == image.getpalette()
    frames = [image, image.rotate(90, expand=True), image]
    several = opened(saved(image, save_all=True, append_images=frames[1:]))
    assert [frame.tobytes() for frame in ImageSequence.Iterator(several)] == [frame.tobytes() for frame in frames]
    assert getattr(several, "n_frames") == 3  # noqa: B009
    with pytest.raises(EOFError):
        several.seek(3)


def test_opening_decodes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = [tmp_path / "a.arcomp", tmp_path / "b.arcomp", tmp_path / "c.arcomp"]
    of_mode("P").save(paths[0], model=MODEL)
    of_mode("L").save(paths[1], model=MODEL, save_all=True, append_images=[of_mode("L")])
    paths[2].write_bytes(arcomp.compress(np.stack([RGB, RGB]), MODEL))
    with monkeypatch.context() as patch:
        for name in ("restore", "decompress"):
            patch.setattr(f"arcomp.api.{name}", lambda *args: pytest.fail("decoded"))
        found = [Image.open(path) for path in paths]
        assert [(i.mode, i.size, i.format) for i in found] == [(m, (17, 12), "ARCOMP") for m in ("P", "L", "RGB")]
        assert [getattr(image, "n_frames") for image in found] == [1, 2, 2]  # noqa: B009
        assert found[0].get_format_mimetype() == "image/x-arcomp"
    for image in found:
        image.load()
        image.close()
    assert arcomp.restore(paths[0]).startswith(b"\x89PNG")


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "JPEG", "GIF", "WEBP"])
def test_a_file_of_a_picture_opens_as_that(form: str) -> None:
    data = file_of(of_mode("RGB"), form, **({"compression": "tiff_adobe_deflate"} if form == "TIFF" else {}))
    made = arcomp.compress(data, MODEL)
    found = opened(made)
    assert found.size == (17, 12)
    assert_same(found, Image.open(io.BytesIO(data)))
    assert dict(opened(made).getexif()) == dict(Image.open(io.BytesIO(data)).getexif())


def test_frames_of_an_animation_are_its_own() -> None:
    frames = [of_mode("RGB"), Image.fromarray(RGB[::-1].copy()), of_mode("RGB")]
    data = file_of(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=[100, 200, 300])
    found, plain = opened(arcomp.compress(data, MODEL)), Image.open(io.BytesIO(data))
    assert getattr(found, "is_animated")  # noqa: B009
    for frame in (0, 2, 1):
        found.seek(frame)
        plain.seek(frame)
        assert (found.tell(), found.info["duration"]) == (frame, plain.info["duration"])
        assert_same(found, plain)


def test_arrays_open_as_pictures() -> None:
    arrays = [RGB, RGB[..., 0], RGB[..., 0] > 99, RGB[..., 0].astype(np.uint16) << 3, RGB[..., 0] % 4, RGB[..., :2]]
    modes = ["RGB", "L", "1", "I;16", "L", "LA"]
    for array, mode in zip(arrays, modes, strict=True):
        found = opened(arcomp.compress(np.ascontiguousarray(array), MODEL))
        assert found.mode == mode
        assert np.array_equal(np.asarray(found), array)
    noise = pictures("noise", (90, 90, 3), 3)
    file = write_npy(Samples.of(noise[None]), "npy")
    assert np.array_equal(np.asarray(opened(arcomp.compress(file, MODEL))), noise)


def test_samples_of_few_bits_fill_eight() -> None:
    found = opened(arcomp.compress(Samples.of(RGB[None, ..., :1] % 4, 2), MODEL))
    assert np.array_equal(np.asarray(found), RGB[..., 0] % 4 * 85)


def test_palettes_with_opacity() -> None:
    palette = np.array([[1, 2, 3, 0], [4, 5, 6, 200]], np.uint8)
    found = opened(arcomp.compress(Samples((RGB[None, ..., :1] % 2,), 1, palette=palette), MODEL))
    assert (found.mode, found.getpalette(), found.info["transparency"]) == ("P", [1, 2, 3, 4, 5, 6], bytes([0, 200]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.full((2, 3, 3), 999, np.uint16), "no mode for 3 channels of 16 bits"),
        (np.full((2, 3), -1, np.int16), "negative numbers"),
        (b"P6 1 1 65535 abcdef", "no mode for 3 channels of 16 bits"),
    ],
)
def test_nothing_is_truncated(data: Any, said: str) -> None:
    with pytest.raises(OSError, match=said):
        opened(arcomp.compress(data, MODEL))


def test_what_cannot_be_saved_is_refused() -> None:
    refused: list[tuple[Image.Image, dict[str, Any], str]] = [
        (Image.new("CMYK", (2, 2)), {}, "cannot write mode CMYK as ARCOMP"),
        (Image.new("L", (2, 2)), {"preset": "fast"}, "preset= works with model photo only"),
        (Image.new("L", (2, 2)), {"preset": "quick", "model": None}, "photo-quick"),
    ]
    for image, options, said in refused:
        with pytest.raises(OSError, match=said):
            image.save(io.BytesIO(), "ARCOMP", **{"model": MODEL, **options})


def test_damage_is_an_oserror_and_other_files_are_not_identified() -> None:
    good = saved(of_mode("L"))
    opened(good).verify()
    damaged = bytearray(good)
    damaged[-3] ^= 1
    with pytest.raises(OSError, match="damaged"):
        opened(bytes(damaged)).load()
    with pytest.raises(OSError, match="damaged"):
        opened(bytes(damaged)).verify()
    with pytest.raises(OSError, match="truncated"):
        opened(good[:30])
    for data in (arcomp.compress(b"plain text"), b"\x89ARC"):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data))


def test_copies_and_pickles() -> None:
    image = opened(saved(of_mode("P")))
    for other in (pickle.loads(pickle.dumps(image)), copy.copy(image), image.copy()):
        assert other.tobytes() == image.tobytes()


def test_imageio_opens_and_writes_it(tmp_path: Path) -> None:
    iio = pytest.importorskip("imageio.v3")
    iio.imwrite(tmp_path / "a.arcomp", RGB, model=MODEL)
    assert np.array_equal(iio.imread(tmp_path / "a.arcomp"), RGB)


def test_importing_it_brings_no_models() -> None:
    code = "import sys, arcomp.pillow; print([m for m in ('torch', 'numba', 'arcomp.api') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
