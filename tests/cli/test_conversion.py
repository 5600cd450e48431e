"""``--pixels`` and ``-o other.bmp``: the same pixels in another file, metadata where there is room for it, and a word
about what there is no room for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, PngImagePlugin

import arcomp
from arcomp.samples import Samples
from tests.cli.command import MODEL, compressed, names, pixels, refused, said_well, save, say, spawn
from tests.coded import read_picture
from tests.jpeg_files import jpeg

PROFILE, XMP = b"p" * 200, b"<x:xmpmeta/>"


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[271], made[274] = "camera", orientation
    return made


def shown(path: Path | str) -> npt.NDArray[np.uint8]:
    """What a picture looks like: uint8 [H, W, 4]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGBA"))


def with_metadata(path: Path, orientation: int = 1) -> Path:
    about = PngImagePlugin.PngInfo()
    about.add_text("Title", "a test")
    about.add_itxt("XML:com.adobe.xmp", XMP.decode())
    image = Image.fromarray(pixels())
    image.save(path, pnginfo=about, icc_profile=PROFILE, exif=exif(orientation), dpi=(300, 300))
    return path


class TestPixels:
    @pytest.mark.parametrize(
        ("name", "mode", "options"),
        [
            ("a.gif", "P", {}),
            ("a.webp", "RGB", {"lossless": True}),
            ("a.webp", "RGBA", {"lossless": True, "exact": True}),
            ("a.jpg", "RGB", {}),
            ("a.jpg", "L", {}),
            ("a.bmp", "RGB", {}),
            ("a.tif", "LA", {"compression": "tiff_lzw"}),
            ("a.png", "P", {"optimize": True}),
            ("a.png", "RGBA", {}),
            ("a.png", "LA", {}),
            ("a.png", "1", {}),
        ],
    )
    def test_a_png_comes_back(self, folder: Path, name: str, mode: str, options: dict[str, Any]) -> None:
        image = Image.fromarray(pixels()).convert(mode)
        if "A" in mode:
            image.putalpha(Image.fromarray(pixels(channels=1, seed=1)))
        image.save(folder / name, **options)
        expected = shown(name)
        said = said_well(say("compress", *MODEL, "--pixels", name))
        assert f"{name}: its pixels and metadata are kept, as a PNG, not the file itself" in said.err
        (folder / name).unlink()
        assert names(folder) == {"a.png.arcomp"}
        (about,) = said_well(say("decompress", "--json", "a.png.arcomp")).objects
        assert about["original"]["name"] == "a.png"
        assert (folder / "a.png").read_bytes()[:4] == b"\x89PNG"
        assert np.array_equal(shown("a.png"), expected)

    def test_it_is_worth_it(self, folder: Path) -> None:
        """For a PNG that was packed by unknown rules, whose picture costs little, and for lossless WebP."""
        Image.fromarray(pixels()).save("a.webp", lossless=True)
        sizes = []
        for flags in ((), ("--pixels",)):
            (about,) = said_well(say("compress", *MODEL, *flags, "-f", "--json", "a.webp")).objects
            sizes.append(about["output_bytes"])
        assert sizes[1] < sizes[0]

    def test_it_is_not(self, folder: Path) -> None:
        """For what WebP codes better than the model does; that is said."""
        tile = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(np.tile(tile, (16, 16, 1))).save("a.webp", lossless=True)
        said = said_well(say("compress", *MODEL, "--pixels", "a.webp"))
        assert "a.webp: the file itself becomes smaller" in said.err

    def test_it_is_not_for_jpeg(self, folder: Path) -> None:
        """Though its pixels take less than the JPEG does: its coefficients take least."""
        data = jpeg(64, 48, exif=b"Exif\0\0" + bytes(range(256)) * 60)
        (folder / "a.jpg").write_bytes(data)
        sizes = []
        for flags in ((), ("--pixels",)):
            said = said_well(say("compress", "-p", "fast", *flags, "--json", "a.jpg"))
            sizes.append(said.objects[0]["output_bytes"])
        assert sizes[0] < sizes[1] < len(data)
        assert "a.jpg: the file itself becomes smaller" in said.err

    @pytest.mark.parametrize("form", ["JPEG", "WEBP"])
    def test_metadata_of_others(self, folder: Path, form: str) -> None:
        options = {"lossless": True} if form == "WEBP" else {"dpi": (300, 300)}
        Image.fromarray(pixels()).save("a", form, icc_profile=PROFILE, exif=exif(6), xmp=XMP, **options)
        said_well(say("compress", *MODEL, "--pixels", "a", "-o", "b.arcomp"))
        said_well(say("decompress", "b.arcomp"))
        with Image.open("b.png") as image:
            assert image.info["icc_profile"] == PROFILE
            assert image.info["xmp"] == XMP
            assert dict(image.getexif()) == dict(exif(6))
            if form == "JPEG":
                assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)

    def test_a_png_keeps_all_that_it_says(self, folder: Path) -> None:
        with_metadata(folder / "a.png", 6)
        said = said_well(say("compress", *MODEL, "--pixels", "a.png"))
        assert "not kept" not in said.err
        said_well(say("decompress", "a.png.arcomp", "-o", "b.png"))
        with Image.open("a.png") as first, Image.open("b.png") as second:
            first.load()
            second.load()
            assert first.info == second.info
            assert np.array_equal(np.asarray(first), np.asarray(second))

    def test_through_pipes(self, folder: Path) -> None:
        buffer = io.BytesIO()
        Image.fromarray(pixels()).save(buffer, "WEBP", lossless=True)
        said = said_well(say("compress", *MODEL, "--pixels", "-", stdin=buffer.getvalue()))
        assert len(said.lines) >= 1
        back = said_well(say("decompress", "-", stdin=said.out)).out
        assert np.array_equal(read_picture(back), pixels())

    def test_what_has_no_pixels_is_refused(self, folder: Path) -> None:
        (folder / "notes.txt").write_bytes(b"A note.")
        (folder / "empty.png").write_bytes(b"")
        (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
        first = Image.fromarray(pixels())
        first.save("many.gif", save_all=True, append_images=[first.rotate(90), first.rotate(180)])
        before = names(folder)
        for name in ("notes.txt", "empty.png", "cut.jpg", "many.gif"):
            refused(say("compress", *MODEL, "--pixels", name), "leave out --pixels: then the file itself is kept")
        assert names(folder) == before

    def test_outputs_that_exist(self, folder: Path) -> None:
        Image.fromarray(pixels()).save("a.gif")
        (folder / "a.png.arcomp").write_bytes(b"mine")
        refused(say("compress", *MODEL, "--pixels", "a.gif"), "a.png.arcomp: exists already")


class TestOtherEndings:
    def test_the_same_pixels(self, picture: Path, folder: Path) -> None:
        packed = compressed(picture)
        for name in ("x.bmp", "x.tif", "x.tiff", "x.webp", "x.ppm", "x.pam"):
            (about,) = said_well(say("decompress", "--json", packed, "-o", name)).objects
            assert about["converted"] is True
            assert np.array_equal(read_picture(name), pixels())

    def test_the_same_file(self, picture: Path, folder: Path) -> None:
        """Under its own ending however that is spelled, and under those that say nothing of pictures."""
        packed = compressed(picture)
        for name in ("x.png", "X.PNG", "x", "x.xyz", "x.bin"):
            (about,) = said_well(say("decompress", "--json", packed, "-o", name)).objects
            assert about["converted"] is False
            assert (folder / name).read_bytes() == picture.read_bytes()
        said_well(say("compress", *MODEL, "-f", "-o", "y.arcomp", "-", stdin=picture.read_bytes()))
        said_well(say("decompress", "y.arcomp", "-o", "y.png"))
        assert (folder / "y.png").read_bytes() == picture.read_bytes()

    def test_what_loses_pixels_is_refused(self, picture: Path, folder: Path) -> None:
        packed = compressed(picture)
        before = names(folder)
        for name in ("x.jpg", "x.gif", "x.jxl", "x.pbm"):
            refused(say("decompress", packed, "-o", name), "choose")
        assert names(folder) == before

    def test_what_is_no_picture_is_refused(self, folder: Path) -> None:
        (folder / "notes.txt").write_bytes(b"A note.")
        said_well(say("compress", *MODEL, "notes.txt"))
        refused(say("decompress", "notes.txt.arcomp", "-o", "x.png"), "cannot be converted to .png")
        said_well(say("decompress", "notes.txt.arcomp", "-o", "x.md"))
        assert names(folder) == {"notes.txt", "notes.txt.arcomp", "x.md"}

    def test_gray(self, folder: Path) -> None:
        packed = compressed(save(folder / "g.png", channels=1))
        for name in ("g.pgm", "g.bmp", "g.tif"):
            said_well(say("decompress", packed, "-o", name))
            assert np.array_equal(shown(name), shown("g.png"))
        refused(say("decompress", packed, "-o", "g.webp"), "webp cannot hold gray")

    @pytest.mark.parametrize("ending", ["bmp", "tif", "webp", "ppm", "png"])
    def test_palettes(self, folder: Path, ending: str) -> None:
        """Where there is no room for one, its colours; of a GIF too."""
        image = Image.fromarray(pixels() // 2 * 40).quantize(30)
        image.save("a.gif")
        said_well(say("compress", *MODEL, "a.gif"))
        said_well(say("decompress", "a.gif.arcomp", "-o", f"b.{ending}"))
        assert np.array_equal(shown(f"b.{ending}"), shown("a.gif"))

    def test_alpha(self, folder: Path) -> None:
        image = Image.fromarray(pixels())
        image.putalpha(Image.fromarray(pixels(channels=1, seed=1)))
        image.save("a.png")
        said_well(say("compress", *MODEL, "a.png"))
        for ending in ("tif", "webp", "pam"):
            said_well(say("decompress", "a.png.arcomp", "-o", f"b.{ending}"))
            assert np.array_equal(read_picture(f"b.{ending}"), np.asarray(image))
        refused(say("decompress", "a.png.arcomp", "-o", "b.ppm"), "ppm cannot hold")

    def test_metadata_that_there_is_room_for(self, folder: Path) -> None:
        said_well(say("compress", *MODEL, with_metadata(folder / "a.png", 6)))
        said = said_well(say("decompress", "a.png.arcomp", "-o", "b.tif"))
        assert said.lines == ["arcomp: warning: a.png.arcomp: not kept in .tif: text"]
        with Image.open("b.tif") as image:
            tags: Any = image.getexif()
            assert (tags[274], tags[271], tags[700]) == (6, "camera", XMP)
            assert image.info["icc_profile"] == PROFILE
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        said = said_well(say("decompress", "a.png.arcomp", "-o", "b.webp"))
        assert said.lines == ["arcomp: warning: a.png.arcomp: not kept in .webp: text, resolution"]
        with Image.open("b.webp") as image:
            assert (image.info["icc_profile"], image.info["xmp"]) == (PROFILE, XMP)
            assert image.getexif()[271] == "camera"

    def test_metadata_that_there_is_none_for(self, folder: Path) -> None:
        said_well(say("compress", *MODEL, with_metadata(folder / "a.png", 6)))
        said = said_well(say("decompress", "a.png.arcomp", "-o", "b.ppm"))
        assert said.lines == [
            "arcomp: warning: a.png.arcomp: not kept in .ppm: ICC profile, Exif, XMP, text, resolution, orientation"
        ]
        assert said_well(say("decompress", "-q", "a.png.arcomp", "-o", "c.ppm")).err == ""
        refused(say("decompress", "--rm", "a.png.arcomp", "-o", "d.ppm"), "--rm would lose the original file")

    def test_nothing_is_said_where_nothing_is_lost(self, picture: Path) -> None:
        packed = compressed(picture)
        assert said_well(say("decompress", packed, "-o", "x.bmp")).err == ""


class TestSamplesFromNoFile:
    """As Python code compresses them."""

    def test_pictures_of_two_sizes(self, folder: Path) -> None:
        stacks = (pixels()[None], pixels(9, 8)[None])
        (folder / "a.arcomp").write_bytes(arcomp.compress(Samples(stacks, 8), "histogram"))
        for arguments, name in (((), "a.tif"), (("-o", "b.npz"), "b.npz")):
            assert said_well(say("decompress", "a.arcomp", *arguments)).err == ""
            assert all(map(np.array_equal, arcomp.open(name).stacks, stacks))
        refused(say("decompress", "a.arcomp", "-o", "c.png"), "holds 2 pictures")
        said_well(say("decompress", "--rm", "a.arcomp", "-f"))
        assert "a.arcomp" not in names(folder)

    def test_what_an_array_does_not_say(self, folder: Path) -> None:
        rgba = pixels(channels=4)[None]
        (folder / "a.arcomp").write_bytes(arcomp.compress(Samples((rgba,), 8, alpha=True), "histogram"))
        (folder / "b.arcomp").write_bytes(arcomp.compress(Samples((rgba[..., :1] >> 4,), 4), "histogram"))
        for name, what in (("a", "that the last channel is opacity"), ("b", "that samples have 4 bits")):
            said = said_well(say("decompress", f"{name}.arcomp", "-o", "x.npy", "-f"))
            assert said.lines == [f"arcomp: warning: {name}.arcomp: not kept in .npy: {what}"]
            refused(say("decompress", "--rm", f"{name}.arcomp", "-o", "y.npy"), "--rm would lose")
            assert said_well(say("decompress", "--rm", f"{name}.arcomp", "-o", f"{name}.png")).err == ""


def test_other_programs_do_not_speak(folder: Path) -> None:
    """Pillow warns of damaged Exif; that is ours to say, or not."""
    broken = exif(6).tobytes()[:-9]
    Image.fromarray(pixels()).save("a.png", exif=broken)
    said_well(say("compress", *MODEL, "a.png"))
    done = spawn("decompress", "a.png.arcomp", "-o", "b.bmp")
    assert done.stderr.splitlines() == [b"arcomp: warning: a.png.arcomp: not kept in .bmp: Exif, orientation"]
