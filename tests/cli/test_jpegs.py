"""JPEGs through the command line: coded by their coefficients, restored bit for bit, converted to what they show."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

import arcomp
from tests.cli.command import refused, said_well, say
from tests.jpeg_files import jpeg


def test_a_jpeg_and_its_pixels(folder: Path) -> None:
    data = jpeg(56, 40, exif=b"Exif\0\0" + jpeg(8, 8))
    (folder / "a.jpg").write_bytes(data)
    (about,) = said_well(say("compress", "-p", "fast", "--json", "a.jpg")).objects
    assert (about["content"], about["width"], about["images"], about["model"]) == ("jpeg", 56, 2, "jpeg")
    assert about["output_bytes"] < 0.8 * len(data)
    said_well(say("test", "a.jpg.arcomp"))
    lines = said_well(say("info", "a.jpg.arcomp")).results
    assert "  jpeg     56 x 40, JPEG of 3 components, and 1 JPEG in it" in lines
    said_well(say("decompress", "a.jpg.arcomp", "-o", "b.jpg"))
    assert (folder / "b.jpg").read_bytes() == data
    say("decompress", "a.jpg.arcomp", "-o", "a.png")
    assert np.array_equal(np.asarray(Image.open(folder / "a.png")), np.asarray(Image.open(io.BytesIO(data))))


def test_tiles(folder: Path) -> None:
    """One line for all of them."""
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(jpeg(56, 40))
    said = say("compress", "-p", "fast", "--tile", "16", "--no-verify", "a.jpg", "b.jpg")
    assert said.lines == ["arcomp: warning: --tile has no effect on JPEGs, which are coded and decoded whole"]


def test_a_damaged_one(folder: Path) -> None:
    """Nothing of it can be salvaged, and nobody says so."""
    (folder / "a.jpg").write_bytes(jpeg(56, 40))
    said_well(say("compress", "-p", "fast", "--no-verify", "a.jpg"))
    data = bytearray((folder / "a.jpg.arcomp").read_bytes())
    data[-1] ^= 1
    (folder / "a.jpg.arcomp").write_bytes(data)
    said = say("test", "a.jpg.arcomp")
    assert said.lines == ["arcomp: a.jpg.arcomp: stream 2 of 2 is damaged; get it again"]


def test_compared_with_others(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(jpeg(56, 40))
    said = said_well(say("compare", "a.jpg", "--models", "photo-fast,context", "--classical", "--html", "a.html"))
    rows = {line.split("  ")[0]: line for line in said.results}
    assert float(rows["photo-fast"].split()[1]) < 0.8 * float(rows["JPEG as it is"].split()[4])
    assert "context: skipped: codes no JPEGs" in said.results
    assert "PNG" not in rows
    assert "JPEG as it is" in (folder / "a.html").read_text()
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xffx")
    said = say("compare", "a.jpg", "--models", "photo-fast")
    assert said.status == 1
    assert "a.jpg: a JPEG whose headers are damaged" in said.err


def test_measured(folder: Path) -> None:
    """`eval` says what the coefficients cost; what has no pixels to measure or to draw is refused for that."""
    data = jpeg(56, 40)
    (folder / "a.jpg").write_bytes(data)
    (about,) = said_well(say("eval", "-m", "photo-fast", "--json", "a.jpg")).objects
    assert (about["images"], about["samples"]) == (1, 3 * 56 * 40)
    assert 0.2 * len(data) < about["bits"] / 8 < len(arcomp.compress(data, "photo-fast"))
    (same,) = said_well(say("eval", "-m", "jpeg-fast", "--json", ".")).objects
    assert same["bits"] == about["bits"]
    refused(say("eval", "-m", "histogram", "a.jpg"), "a.jpg: model histogram codes no JPEGs; convert it to PNG first")
    refused(say("score", "-m", "photo-fast", "a.jpg"), "JPEG does not store its pixels exactly")
    refused(say("sample", "-m", "jpeg-fast", "-o", "a.png"), "takes coefficients of JPEG files, not pictures")
