"""``compress --tile`` and ``decompress --crop``: a rectangle as a picture, and what was decoded for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import MODEL, compressed, names, npy, pixels, refused, said_well, save, say

FAST = ("-p", "fast")


@pytest.fixture
def tiled(folder: Path) -> Path:
    """A picture in six tiles, with a colour profile."""
    Image.fromarray(pixels(40, 60)).save("img.png", icc_profile=b"p" * 200)
    said_well(say("compress", *FAST, "-q", "--tile", "20", "img.png"))
    return folder / "img.png.arcomp"


def test_a_rectangle_of_a_few_tiles(tiled: Path) -> None:
    said = said_well(say("decompress", "-v", "--crop", "25,3,10,30", tiled.name))
    assert said.results[0].startswith("img.png.arcomp -> img.crop.png: 10 x 30 at 25,3, ")
    assert said.results[0].endswith("; 2 of 6 tiles decoded")
    with Image.open("img.crop.png") as image:
        assert np.array_equal(np.asarray(image), pixels(40, 60)[3:33, 25:35])
        assert image.info["icc_profile"] == b"p" * 200
    (about,) = said_well(say("decompress", "--json", "--crop", "25,3,10,30", "-o", "a.npy", tiled.name)).objects
    assert np.array_equal(np.load("a.npy")[0], pixels(40, 60)[3:33, 25:35])
    assert about["crop"] == [25, 3, 10, 30]
    assert (about["tiles_decoded"], about["tiles"]) == (2, 6)
    said = said_well(say("decompress", "--crop", "25,3,10,30", "-o", "a.ppm", tiled.name))
    assert "not kept in .ppm: ICC profile" in said.err
    said = said_well(say("decompress", "--crop", "25,3,10,30", "-c", tiled.name))
    assert said.out == Path("img.crop.png").read_bytes()


def test_info_says_the_tiles(tiled: Path) -> None:
    assert any("tiles    20 x 20, 6 of them" in line for line in said_well(say("info", tiled)).results)


def test_the_whole_file_comes_back(tiled: Path) -> None:
    before = Path("img.png").read_bytes()
    said_well(say("decompress", "-f", tiled))
    assert Path("img.png").read_bytes() == before


def test_tiles_are_height_by_width(tiled: Path) -> None:
    said_well(say("compress", *FAST, "-qf", "--tile", "10x60", "img.png"))
    assert any("tiles    10 x 60, 4 of them" in line for line in said_well(say("info", tiled)).results)


def test_palettes_stay_palettes(folder: Path) -> None:
    image = Image.fromarray(pixels()).quantize(8)
    image.save("a.png")
    said_well(say("compress", *MODEL, "-q", "a.png"))
    said = said_well(say("decompress", "-v", "--crop", "1,2,3,4", "a.png.arcomp"))
    assert said.results[0].endswith("; all of it decoded: it has no tiles")
    with Image.open("a.crop.png") as found:
        assert found.mode == "P"
        assert np.array_equal(np.asarray(found), np.asarray(image)[2:6, 1:4])
    said_well(say("decompress", "--crop", "1,2,3,4", "-o", "a.bmp", "a.png.arcomp"))
    assert np.array_equal(np.asarray(Image.open("a.bmp").convert("RGB")), np.asarray(image.convert("RGB"))[2:6, 1:4])


def test_several_pictures(folder: Path) -> None:
    stack = np.stack([pixels(seed=seed) for seed in range(3)])
    Path("a.npy").write_bytes(npy(stack))
    name = compressed(folder / "a.npy")
    refused(say("decompress", "--crop", "1,2,3,4", name), "holds 3 pictures; choose one, 0 to 2, with --picture")
    refused(say("decompress", "--crop", "1,2,3,4", "--picture", "3", name), "has no picture 3")
    said_well(say("decompress", "--crop", "1,2,3,4", "--picture", "2", name))
    assert np.array_equal(np.load("a.crop.npy"), stack[2, 2:6, 1:4])
    assert names(folder) == {"a.npy", "a.npy.arcomp", "a.crop.npy"}


def test_refusals(folder: Path) -> None:
    name = compressed(save(folder / "img.png"))
    refused(say("decompress", "--crop", "45,2,6,4", name), "6 x 4 at 45,2 is not within the picture of 50 x 40")
    for wrong in ("1,2,3", "1,2,0,4", "a,2,3,4", "-1,2,3,4", f"1,2,3,{'9' * 5000}"):
        refused(say("decompress", "--crop", wrong, name), "is no rectangle X,Y,W,H", 2)
    for wrong in ("0", "8x8x8", "x", "9" * 5000):
        refused(say("compress", "--tile", wrong, "img.png"), "is no size", 2)
    refused(say("decompress", "--crop", "1,2,3,4", "--rm", name), "--rm would lose what --crop does not write", 2)
    refused(say("decompress", "--picture", "0", name), "--picture says which", 2)
    assert names(folder) == {"img.png", "img.png.arcomp"}
