"""Any file comes back through the command line, bit for bit, whatever it is and whatever it is called."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.cli.command import MODEL, names, npy, pixels, refused, said_well, save, say


def encoded(form: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels()).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def with_texts() -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_text("Title", "a test")
    return encoded("PNG", pnginfo=about, icc_profile=b"p" * 200, dpi=(300, 300)) + b"after its end"


FILES = {
    "empty": b"",
    "one byte": b"x",
    "notes.txt": b"It is a truth universally acknowledged. " * 40,
    "noise.bin": np.random.default_rng(3).integers(0, 256, 5000, np.uint8).tobytes(),
    "photo.jpg": encoded("JPEG"),
    "drawing.gif": encoded("GIF", "P"),
    "lossless.webp": encoded("WEBP", lossless=True),
    "texts.png": with_texts(),
    "alpha.png": encoded("PNG", "RGBA"),
    "gray alpha.png": encoded("PNG", "LA"),
    "palette.png": encoded("PNG", "P"),
    "bits.png": encoded("PNG", "1"),
    "deep.png": encoded("PNG", "I;16"),
    "cut.png": encoded("PNG")[:900],
    "picture.bmp": encoded("BMP"),
    "picture.ppm": b"P6 # a comment\n50 40 255\n" + pixels().tobytes() + b"\n",
    "picture.tif": encoded("TIFF"),
    "packed.tif": encoded("TIFF", compression="tiff_lzw"),
    "cmyk.tif": encoded("TIFF", "CMYK"),
    "icon.ico": encoded("ICO", sizes=[(16, 16), (32, 32)]),
    "array.npy": npy(pixels()),
    "floats.npy": npy(pixels() / 3),
    "jpeg called.png": encoded("JPEG"),
    "text called.png": b"This is no picture.\n",
    "png called.jpg": encoded("PNG"),
    "png called.txt": encoded("PNG"),
    "no ending": encoded("PNG"),
    ".hidden": b"#!/bin/sh\n",
    "compressed.arcomp": b"\x89ARC\r\n\x1a\n",
}


@pytest.mark.parametrize("name", FILES)
def test_comes_back(folder: Path, name: str) -> None:
    data = FILES[name]
    (folder / name).write_bytes(data)
    (about,) = said_well(say("compress", *MODEL, "--json", "--", name)).objects
    assert (about["original"]["name"], about["original"]["bytes"], about["verified"]) == (name, len(data), True)
    packed = folder / f"{name}.arcomp"
    assert packed.stat().st_size == about["output_bytes"] <= len(data) + 128 + len(name)
    (folder / name).unlink()
    said_well(say("test", packed))
    said_well(say("info", packed))
    said_well(say("decompress", "--rm", packed.name))
    assert names(folder) == {name}
    assert (folder / name).read_bytes() == data


@pytest.mark.parametrize("name", ["empty", "notes.txt", "texts.png", "jpeg called.png"])
def test_through_pipes(folder: Path, name: str) -> None:
    for flags in ((), ("--bytes",)):
        packed = said_well(say("compress", *MODEL, *flags, "-", stdin=FILES[name]))
        assert said_well(say("decompress", "-", stdin=packed.out)).out == FILES[name]
    assert names(folder) == set()


def test_all_at_once(folder: Path) -> None:
    """Into a folder and back into another, whatever comes before."""
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    said = said_well(say("compress", *MODEL, "-o", "packed/", "--", *FILES))
    assert said.results[-1].startswith(f"{len(FILES)} files: ")
    assert names(folder / "packed") == {f"{name}.arcomp" for name in FILES}
    said_well(say("decompress", *(f"packed/{name}.arcomp" for name in FILES), "-o", "back/"))
    assert {name: (folder / "back" / name).read_bytes() for name in FILES} == FILES


@pytest.mark.parametrize("name", ["jpeg called.png", "text called.png", "png called.jpg"])
def test_misnamed_files_are_converted_to_no_ending_of_their_own(folder: Path, name: str) -> None:
    """Asked for under its own name, a file is the file, even if its ending is wrong."""
    (folder / name).write_bytes(FILES[name])
    said_well(say("compress", *MODEL, name))
    said_well(say("decompress", f"{name}.arcomp", "-o", f"again{Path(name).suffix}"))
    assert (folder / f"again{Path(name).suffix}").read_bytes() == FILES[name]


def test_folders_are_refused(folder: Path) -> None:
    (folder / "d.png").mkdir()
    for verb in (("compress", *MODEL), ("decompress",), ("test",)):
        refused(say(*verb, "d.png"), "d.png: is a directory; -r takes the files in it")
    refused(say("info", "d.png"), "d.png: is a directory; name the files in it")
    assert names(folder) == set()


def test_what_is_said_of_files_kept_as_bytes(folder: Path) -> None:
    (folder / "notes.txt").write_bytes(FILES["notes.txt"])
    save(folder / "img.png")
    said = said_well(say("compress", *MODEL, "notes.txt", "img.png"))
    assert "kept as bytes" in said.results[0]
    assert "kept as bytes" not in said.results[1]
    assert "bits/" not in said.results[0]
    rate = said.results[1].split(" bits/sub-pixel")[0].split()[-1]
    assert f", {rate} bits/sub-pixel, " in said.results[2]  # of what has sub-pixels
    info = said_well(say("info", "notes.txt.arcomp", "img.png.arcomp")).out.decode()
    assert "original notes.txt, 1600 bytes, SHA-256 " in info
    assert "form     bytes\n" in info
    assert "picture  50 x 40, RGB, 8 bits" in info
    assert "form     literal, chunks, deflated (predicted), scanlines" in info
    assert "model    histogram, digest " in info
