"""Damaged files: the line says where, and ``decompress --salvage`` writes what is intact and says what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.command import MODEL, compressed, names, npy, pixels, refused, said_well, save, say
from tests.unit.test_salvage import flipped, streams_in


@pytest.fixture
def tiled(folder: Path) -> bytes:
    """A file of six tiles."""
    Image.fromarray(pixels(40, 60)).save("img.png", icc_profile=b"p" * 200)
    said_well(say("compress", "-p", "fast", "-q", "--tile", "20", "img.png"))
    Path("img.png").unlink()
    return Path("img.png.arcomp").read_bytes()


def test_a_damaged_tile(tiled: bytes) -> None:
    name = "img.png.arcomp"
    Path(name).write_bytes(flipped(tiled, 2))
    for verb in ("decompress", "test", "info"):
        refused(say(verb, name), f"{name}: stream 3 of 7 is damaged: 20 x 20 at 20,0; get it again, or `arcomp")
    said = say("info", "-v", name)
    assert said.lines[0] == "stream 3 of 7 is damaged: 20 x 20 at 20,0"
    said = say("decompress", "--salvage", name)
    assert said.results == [f"{name} -> img.salvaged.png: 83.3 % of the pixels"]
    refused(said, f"{name}: stream 3 of 7 is damaged; 16.7 % of the pixels are lost (20 x 20 at 20,0)")
    expected = pixels(40, 60)
    expected[:20, 20:40] = 128
    with Image.open("img.salvaged.png") as image:
        assert np.array_equal(np.asarray(image), expected)
        assert image.info["icc_profile"] == b"p" * 200
    said = say("decompress", "--salvage", "--json", "-o", "x.tif", name)
    about, error = said.objects
    assert "stream 3 of 7 is damaged" in error["error"]
    assert about["lost"] == [{"picture": 0, "x": 20, "y": 0, "width": 20, "height": 20}]
    assert (about["output"], about["original"], about["lost_pixels"], about["pixels"]) == ("x.tif", False, 400, 2400)
    assert names(Path()) == {name, "img.salvaged.png", "x.tif"}


def test_a_file_that_is_cut(tiled: bytes) -> None:
    Path("img.png.arcomp").write_bytes(tiled[: streams_in(tiled)[4] + 1])
    refused(say("test", "img.png.arcomp"), "(stream 5 of 7 and all after it are cut: 20 x 20 at 0,20)")
    said = say("decompress", "--salvage", "img.png.arcomp")
    refused(said, "50 % of the pixels are lost (60 x 20 at 0,20)")
    with Image.open("img.salvaged.png") as image:
        assert np.array_equal(np.asarray(image)[:20], pixels(40, 60)[:20])


def test_what_is_whole_comes_back(folder: Path) -> None:
    """A file with something after it."""
    save(folder / "img.png")
    before = Path("img.png").read_bytes()
    name = compressed(folder / "img.png")
    name.write_bytes(name.read_bytes() + b"garbage")
    Path("img.png").unlink()
    refused(say("decompress", name), "7 bytes after its end; get it again, or `arcomp decompress --salvage` gives the")
    refused(say("decompress", "--salvage", name), "an archive of 2 members; name a folder for them with -o FOLDER/")
    said = say("decompress", "--salvage", "-o", ".", name)
    assert said.results == [f"{name} -> ./img.png: the original file"]
    refused(said, "1 of 2 members not whole: member 2: its header is damaged, or this is no member; all of it is lost")
    assert Path("img.png").read_bytes() == before


def test_an_archive_of_three(folder: Path) -> None:
    files = {"a.png": 0, "b.png": 1, "c.npy": 2}
    for name, seed in files.items():
        if name.endswith("npy"):
            Path(name).write_bytes(npy(pixels(seed=seed)))
        else:
            save(folder / name, seed=seed)
    before = {name: Path(name).read_bytes() for name in files}
    said_well(say("compress", *MODEL, "-q", *files))
    members = [Path(f"{name}.arcomp").read_bytes() for name in files]
    damaged = bytearray(members[1])
    damaged[20] ^= 1
    Path("all.arcomp").write_bytes(members[0] + damaged + members[2] + members[0])
    said = say("decompress", "--salvage", "-o", "back/", "all.arcomp")
    refused(said, "all.arcomp: 1 of 4 members not whole: member 2: its header is damaged")
    assert names(folder / "back") == {"a.png", "c.npy", "a-2.png"}
    assert (folder / "back" / "a.png").read_bytes() == (folder / "back" / "a-2.png").read_bytes() == before["a.png"]
    assert (folder / "back" / "c.npy").read_bytes() == before["c.npy"]
    refused(say("decompress", "--salvage", "-c", "all.arcomp"), "an archive of 4 members; name a folder")


def test_refusals(folder: Path) -> None:
    name = compressed(save(folder / "img.png"))
    refused(say("decompress", "--salvage", "--rm", name), "--rm would lose what --salvage does not write", 2)
    refused(say("decompress", "--salvage", "--crop", "1,2,3,4", name), "salvage it first", 2)
    refused(say("decompress", "--salvage", "img.png"), "PNG")
    refused(say("decompress", "--salvage", name), "img.png: exists already")
    name.write_bytes(name.read_bytes()[:-5])
    Path("img.png").unlink()
    refused(say("test", name), "stream 3 of 3 and all after it are cut: 50 x 40 at 0,0); get it again")
    assert "salvage" not in say("test", name).err  # which would say this:
    refused(say("decompress", "--salvage", name), "stream 3 of 3 is damaged; all of it is lost")
    assert names(folder) == {"img.png.arcomp"}


def test_a_damaged_strip_of_a_jpeg(folder: Path) -> None:
    """The other strip's pixels come back in a JPEG; what the file says besides them, too."""
    small = np.random.default_rng(2).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    Image.fromarray(small).resize((2000, 1100)).save("img.jpg", quality=10, comment=b"a comment")
    before = np.asarray(Image.open("img.jpg"))
    said_well(say("compress", "-p", "fast", "-q", "--no-verify", "img.jpg"))
    Path("img.jpg").unlink()
    whole = Path("img.jpg.arcomp").read_bytes()
    Path("img.jpg.arcomp").write_bytes(flipped(whole, 2))
    refused(say("test", "img.jpg.arcomp"), "or `arcomp decompress --salvage` gives what is intact")
    said = say("decompress", "--salvage", "img.jpg.arcomp")
    assert said.results == ["img.jpg.arcomp -> img.salvaged.jpg: 49.5 % of the pixels"]
    refused(said, "50.5 % of the pixels are lost (2000 x 556 at 0,544)")
    with Image.open("img.salvaged.jpg") as image:
        found = np.asarray(image)
        assert image.info["comment"] == b"a comment"
    assert np.array_equal(found[:536], before[:536])
    assert (found[560:] == 128).all()
    Path("img.jpg.arcomp").write_bytes(flipped(whole, 1, 2))
    refused(say("decompress", "--salvage", "img.jpg.arcomp"), "all of it is lost")
