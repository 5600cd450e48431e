"""Benchmarks: totals, files of results, tables, and that a difference is seen."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import ArcompError
from arcomp.measure import tables
from arcomp.measure.codecs import NOT_INSTALLED, JpegXl, WebP, identical, of_deep_pictures
from arcomp.measure.contestants import CodecContestant
from arcomp.measure.external import External, ExternalError, ExternalOfJpegs
from arcomp.measure.inputs import read
from arcomp.measure.record import ALLOWED_BYTES, Measurement
from benchmarks import inputs, outputs, pareto, ratio, readme, sizes, speed, tiles
from benchmarks.choice import JXL, Choice, efforts
from tests.jpeg_files import jpeg


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of two sets: an RGB picture; a gray one, one that is not supported, and a text."""
    slope = np.arange(9 * 7 * 3, dtype=np.uint8).reshape(9, 7, 3)
    for name in ("colour", "gray"):
        (tmp_path / name).mkdir()
    Image.fromarray(slope).save(tmp_path / "colour" / "a.png")
    Image.fromarray(slope[..., 0]).save(tmp_path / "gray" / "b.png")
    (tmp_path / "gray" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "gray" / "notes.txt").write_text("no picture")
    return tmp_path


def test_find_names_sets_by_folder(pictures: Path) -> None:
    found = inputs.find([pictures / "gray", pictures / "colour" / "a.png", pictures])
    assert [(s.set, s.path.name) for s in found] == [
        ("gray", "b.png"),
        ("gray", "broken.png"),
        ("colour", "a.png"),
    ]
    with pytest.raises(ArcompError):
        inputs.find([pictures / "absent"])


def test_sets_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("x/dev", "y/dev"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("L", (2, 2)).save(tmp_path / name / "p.png")
    assert [s.set for s in inputs.find([tmp_path])] == ["x/dev", "y/dev"]


def test_ratio_totals_and_files(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, document = tmp_path / "r.csv", tmp_path / "r.json"
    options = ["--models", "histogram", "--no-jxl", "--each", "--csv", str(table), "--json", str(document)]
    assert ratio.main([str(pictures / "colour"), str(pictures / "gray"), *options]) == 0
    out, err = capsys.readouterr()
    assert "bits/sub-pixel" in out
    assert "skipped 1 file" in err
    found = json.loads(document.read_text())
    assert found["complete"]
    assert sum(found["skipped"].values()) == 1
    assert found["measured_with"]["arcomp"]
    every = {(r["set"], r["codec"]): r for r in found["sets"]}
    assert list(every) == [(s, c) for s in ("colour", "gray", "all") for c in ("PNG", "WebP", "histogram")]
    for codec in ("PNG", "WebP", "histogram"):
        one = [p for p in found["pictures"] if p["codec"] == codec]
        total = every["all", codec]
        assert total["pictures"] == len(one) == 2
        assert total["bytes"] == sum(p["bytes"] for p in one)
        assert total["samples"] == 9 * 7 * 3 + 9 * 7
        assert total["bits_per_subpixel"] == pytest.approx(8 * total["bytes"] / total["samples"])
        assert total["to_webp"] == pytest.approx(total["bytes"] / every["all", "WebP"]["bytes"])
        assert total["to_jxl"] is None
        assert total["round_trip"] is True
    model = every["all", "histogram"]
    assert model["overhead_percent"] == pytest.approx(100 * (8 * model["bytes"] / model["nll_bits_exact"] - 1))
    over = [p["bytes"] - 1.0005 * p["nll_bits_exact"] / 8 for p in found["pictures"] if p["codec"] == "histogram"]
    assert model["max_overhead_bytes"] == pytest.approx(max(over))
    with open(table, newline="") as file:
        levels = [row["level"] for row in csv.DictReader(file)]
    assert levels == ["picture"] * 6 + ["set"] * 9


def result(codec: str, picture: str, size: int | None, **more: Any) -> Measurement:
    usual: dict[str, Any] = {"set": "s"}
    usual |= {} if size is None else {"encode_seconds": 0.5, "decode_seconds": 2.0, "round_trip": True}
    return Measurement(codec, picture, 3_000_000, 1_000_000, 8, size, **{**usual, **more})


def test_ratios_are_over_the_pictures_that_both_did() -> None:
    results = [
        result(JXL, "a", 100),
        result(JXL, "b", 300),
        result("model", "a", 90, nll_bits_exact=640.0),
        result("model", "b", None, skipped="refused"),
    ]
    peer, model = sizes.totals(results)
    assert (peer["to_jxl"], model["to_jxl"]) == (1.0, pytest.approx(0.9))
    assert (model["encode_mps"], model["decode_mps"]) == (pytest.approx(2.0), pytest.approx(0.5))
    assert model["max_overhead_bytes"] == pytest.approx(90 - 80 * 1.0005)
    assert sizes.totals([result("model", "a", 90, round_trip=False, failed=True)])[0]["round_trip"] is False


def test_a_codec_that_is_wrong_is_reported(pictures: Path) -> None:
    class Wrong(WebP):
        name = "wrong"

        def decode(self, data: bytes) -> Any:
            return super().decode(data) ^ np.uint8(1)

    class Absent(WebP):
        name = "absent"

        def available(self) -> str:
            return NOT_INSTALLED

    source = inputs.Source(pictures / "colour" / "a.png", "s")
    found = ratio.measure(source, [CodecContestant(Wrong()), CodecContestant(Absent())])
    assert not isinstance(found, str)
    assert (found[0].round_trip, found[0].failed) == (False, True)
    assert found[1].skipped.startswith(NOT_INSTALLED)
    assert not found[1].failed
    assert [row["bytes"] for row in sizes.shown([sizes.row_of(found[1])])] == [NOT_INSTALLED]


def test_models_that_learn_may_have_less_overhead() -> None:
    one = result("photo-fast", "a", 1000, nll_bits_exact=7900.0, nll_bits_network=8000.0)
    assert one.overhead_bytes == pytest.approx(1000 - 1.0002 * 7900 / 8)
    assert sizes.row_of(one)["learning_percent"] == pytest.approx(1.25)
    assert Measurement.of(sizes.row_of(one)) == one
    (total,) = sizes.totals([one, result("photo-fast", "b", 500, nll_bits_exact=3000.0, nll_bits_network=4000.0)])
    assert total["learning_percent"] == pytest.approx(100 * 1100 / 12000)
    assert sizes.totals([result("context", "a", 9, nll_bits_exact=64.0)])[0]["learning_percent"] is None


def test_larger_than_webp_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        result(WebP.name, "a", 100),
        result(WebP.name, "b", 100),
        result("photo-fast", "a", 99, nll_bits_exact=790.0, nll_bits_network=800.0),
        result("context", "b", 103, nll_bits_exact=800.0),
    ]
    outcome = ratio.Outcome(results)
    assert [row["above_webp"] for row in sizes.totals(results)] == [0, 0, 1]
    assert ratio.remarks(outcome) == 0
    assert "LARGER THAN WEBP: context, 1 picture; most s/b, by 3 bytes" in capsys.readouterr().err
    results.append(result("photo-fast", "b", 101, nll_bits_exact=800.0, nll_bits_network=800.0))
    assert ratio.remarks(outcome) == ratio.ABOVE_WEBP
    results.append(result("PNG", "b", None, failed=True))
    assert ratio.remarks(outcome) == 1


def test_nothing_to_measure(pictures: Path) -> None:
    assert ratio.main([str(pictures / "gray" / "broken.png"), "--models", "histogram", "--no-jxl"]) == 2
    with pytest.raises(SystemExit):
        ratio.main([str(pictures), "--models", "no-such-model"])


def test_jpeg_xl_gray_stays_gray() -> None:
    codec = JpegXl(threads=1)
    if codec.available():
        pytest.skip(codec.available())
    for channels in (1, 3):
        pixels = np.arange(12 * 11 * channels, dtype=np.uint8).reshape(12, 11, channels)
        assert np.array_equal(codec.decode(codec.encode(pixels)), pixels)


def test_efforts_of_jpeg_xl() -> None:
    assert efforts("7,9,10,9") == (7, 9, 10)
    for wrong in ("", "0", "11", "seven"):
        with pytest.raises(argparse.ArgumentTypeError):
            efforts(wrong)
    names = Choice(("histogram",), (7, 10)).names()
    assert names == ["PNG", "WebP", "JPEG XL e7", "JPEG XL e10", "histogram"]


CODEC = """
import sys, zlib
what, source, target = sys.argv[1:]
data = open(source, "rb").read()
if len(data) > 5000:
    sys.exit("too large for this codec")
assert what == "d" or data[:2] in (b"P5", b"P6")
open(target, "wb").write(zlib.compress(data) if what == "e" else zlib.decompress(data))
"""


@pytest.fixture
def deflate(tmp_path: Path) -> str:
    """An external codec: a script of a few lines, in a folder with a space in its name."""
    (tmp_path / "a folder").mkdir()
    script = tmp_path / "a folder" / "codec.py"
    script.write_text(CODEC)
    run = f"'{sys.executable}' '{script}'"
    return f"deflate={run} e {{input.ppm}} {{output.z}}|{run} d {{input.z}} {{output.ppm}}"


def test_external_codec(deflate: str) -> None:
    codec = External(deflate)
    assert (codec.name, codec.available()) == ("deflate", "")
    for channels in (1, 3):
        pixels = np.arange(12 * 11 * channels, dtype=np.uint8).reshape(12, 11, channels)
        coded = codec.encode(pixels)
        assert coded[0] == 0x78  # zlib's own first byte
        assert np.array_equal(codec.decode(coded), pixels)
    with pytest.raises(ExternalError, match="status 1: too large for this codec"):
        codec.encode(np.zeros((60, 60, 3), np.uint8))
    assert External("x=no-such-command {input} {output}|true {input} {output}").available() == NOT_INSTALLED


@pytest.mark.parametrize(
    "spec",
    ["x", "=a {input} {output}|b {input} {output}", "x=a {input} {output}", "x=a {input}|b {input} {output}",
     "x=a {input.tif} {output}|b {input} {output}", "x=a '{input} {output}|b {input} {output}",
     "x=a {input} {output}|b {input} {output}|c {input} {output}"],
)  # fmt: skip
def test_external_codec_that_is_none(spec: str) -> None:
    with pytest.raises(ArcompError):
        External(spec)


def test_external_codecs_in_both_benchmarks(pictures: Path, deflate: str, tmp_path: Path) -> None:
    silent = f"silent='{sys.executable}' -c 0 {{input}} {{output}}|true {{input}} {{output}}"
    picture, options = str(pictures / "colour" / "a.png"), ["--models", "", "--no-jxl", "--external", deflate]
    document = tmp_path / "x.json"
    assert ratio.main([picture, *options, "--external", silent, "--json", str(document)]) == 1
    found = {row["codec"]: row for row in json.loads(document.read_text())["sets"]}
    assert list(found) == ["PNG", "WebP", "deflate", "silent"]
    assert found["deflate"]["round_trip"]
    assert found["deflate"]["bytes"] > 100
    assert found["silent"]["failed"]
    assert found["silent"]["skipped"] == "failed: the command left no file"
    with pytest.raises(SystemExit):
        ratio.main([picture, *options, "--external", deflate])
    choice = Choice((), (), (deflate,), 1)
    rows = speed.measure(inputs.Source(Path(picture), "s"), read(Path(picture)), "deflate", choice, 1)
    assert [(row["action"], row["error"]) for row in rows] == [("encode", ""), ("decode", "")]
    assert rows[1]["same"]
    assert rows[1]["peak_mib"] > 1


def test_jpegs_beside_their_transcoders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(90, 70))
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes() + b"more")
    (tmp_path / "c.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:40])
    run = f"'{sys.executable}' -c 'import shutil, sys; shutil.copy(*sys.argv[1:])'"
    copy = f"copy={run} {{input.jpg}} {{output.x}}|{run} {{input.x}} {{output.jpg}}"
    document = tmp_path / "x.json"
    options = ["--models", "photo-fast,histogram", "--external", copy, "--json", str(document)]
    assert ratio.main([str(tmp_path), *options]) == 0
    found = {row["codec"]: row for row in json.loads(document.read_text())["sets"]}
    assert list(found) == ["JPEG as it is", "JPEG XL of the JPEG", "brunsli", "copy", "photo-fast", "histogram"]
    own, itself = found["photo-fast"], found["JPEG as it is"]
    assert own["round_trip"]
    assert own["bytes"] < 0.8 * itself["bytes"]
    assert own["to_jpeg"] == own["bytes"] / itself["bytes"]
    assert 0 <= own["max_overhead_bytes"] <= ALLOWED_BYTES
    assert found["copy"]["bytes"] == itself["bytes"] == 2 * (tmp_path / "a.jpg").stat().st_size + 4
    assert found["histogram"]["skipped"] == "codes no JPEGs"
    printed, said = capsys.readouterr()
    assert "/ JPEG " in printed
    assert "WebP" not in printed  # no picture, so none of its codecs
    assert "skipped 1 file: a JPEG whose headers are damaged" in said
    with pytest.raises(ArcompError, match="what makes JPEGs smaller"):
        ExternalOfJpegs("x=a {input.jpg} {output.x}|b {input.x} {output.png}")


@pytest.fixture
def measured(tmp_path: Path) -> list[str]:
    """Files of both benchmarks, made up: a fast and large, a slow and small codec, and one that is neither."""
    rows = [("WebP", 1100, 50.0), (JXL, 1000, 8.0), ("JPEG XL e7", 1010, 9.0), ("histogram", 2500, 1.0)]
    rows += [("context", 1020, 0.3), ("photo-fast", 880, 0.5)]
    results = [
        result(codec, "a", size, **({} if codec in ("WebP", JXL) else {"nll_bits_exact": 8.0 * size}))
        for codec, size, _ in rows
    ]
    results.append(result(JXL, "b", 500))
    results += [replace(r, set="kodak") for r in results[:2]]
    times = [
        {"set": "s", "picture": "a", "codec": codec, "action": action, "threads": 2, "height": 1000, "width": 1000,
         "channels": 3, "positions": 1_000_000, "bytes": 1,
         "first_s": 1.0, "median_s": 1 / mps, "startup_s": 1.25, "command_s": 2.0,
         "startup_mib": 10.0, "peak_mib": 20.4, "same": True}
        for codec, _, mps in rows for action in speed.ACTIONS
    ]  # fmt: skip
    outcome = ratio.Outcome(results)
    outputs.write_json(tmp_path / "ratio.json", ratio.document(outcome))
    outputs.write_json(tmp_path / "speed.json", {"benchmark": "speed", "rows": times})
    return [str(tmp_path / "ratio.json"), str(tmp_path / "speed.json")]


def test_tables_for_the_readme(measured: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert readme.main(measured) == 0
    bits, beside, times = capsys.readouterr().out.split("\n\n", 2)
    assert bits.splitlines()[0] == "| set | pictures | WebP lossless | JPEG XL e9 | `context` | `photo-fast` |"
    assert bits.splitlines()[2:] == [
        "| kodak | 1 | 0.0029 | **0.0027** | - | - |",
        "| s | 2 | 0.0029 (1 of 2) | **0.0020** | 0.0027 (1 of 2) | 0.0023 (1 of 2) |",
    ]
    assert beside.splitlines()[0] == "| set | pictures | `context` / JPEG XL e9 | `photo-fast` / JPEG XL e9 |"
    assert beside.splitlines()[3] == "| s | 2 | 1.020 (1 of 2) | 0.880 (1 of 2) |"
    assert times.startswith("a, 1000 x 1000; 2 threads")
    assert "| `photo-fast` | 0.50 | 0.50 | 1.2 | 20 | 20 |" in times
    with pytest.raises(SystemExit):
        readme.main([str(Path(measured[0]).parent / "absent.json")])


def test_pareto_front(measured: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert pareto.main([*measured, "--set", "s"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [(line.split("  ")[0], line.endswith("yes")) for line in lines] == [
        ("context", False),
        ("photo-fast", True),
        ("histogram", False),
        (JXL, True),
        ("JPEG XL e7", True),
        ("WebP", True),
    ]
    for wrong in (["--set", "x"], ["--threads", "3"]):
        with pytest.raises(SystemExit):
            pareto.main([*measured, *wrong])
    with pytest.raises(SystemExit):
        pareto.main(measured[:1])


def test_pareto_drawings(measured: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = tmp_path / "p.png"
    assert pareto.main([*measured, "--set", "s", "--plot", str(drawn)]) == 0
    with Image.open(drawn) as image:
        assert image.width > 1000
    assert "Larger, and not drawn: histogram (2.50)." in capsys.readouterr().err


def test_identical_allows_gray_as_rgb() -> None:
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    colour = np.repeat(gray, 3, 2)
    assert identical(gray, gray)
    assert identical(gray, colour)
    assert not identical(colour, gray)
    colour[0, 0, 1] += 1
    assert not identical(gray, colour)


def test_identical_allows_no_alpha_for_an_opaque_one() -> None:
    clear = np.random.default_rng(0).integers(0, 256, (3, 4, 4), np.uint8)
    opaque = clear.copy()
    opaque[..., 3] = 255
    assert identical(opaque, opaque[..., :3])
    assert not identical(clear, clear[..., :3])
    assert identical(opaque[..., 2:], np.repeat(opaque[..., 2:3], 3, 2))


def test_text_table() -> None:
    columns = [tables.Column("name", "name"), tables.Column("n", "bytes", ",d"), tables.Column("ok", "ok")]
    rows: list[tables.Row] = [
        {"name": "a", "n": 1234567, "ok": True},
        {"name": "long", "n": None, "ok": False},
    ]
    lines = ["name      bytes  ok", "----  ---------  ---", "a     1,234,567  yes", "long          -  NO"]
    assert tables.text(rows, columns).splitlines() == lines
    assert tables.text([], columns).splitlines() == ["name  bytes  ok", "----  -----  --"]


def test_csv_has_every_key(tmp_path: Path) -> None:
    outputs.write_csv(tmp_path / "t.csv", [{"a": 1}, {"a": 2, "b": "x,y"}])
    assert (tmp_path / "t.csv").read_text() == 'a,b\n1,\n2,"x,y"\n'


def test_tiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)).save(tmp_path / "a.png")
    document = tmp_path / "t.json"
    arguments = [str(tmp_path), "--model", "histogram", "--tiles", "16,8", "--crop", "8", "--json", str(document)]
    assert tiles.main(arguments) == 0
    rows = json.loads(document.read_text())["rows"]
    assert [(row["tile"], row["tiles"], row["same"]) for row in rows] == [
        ("whole", 1, True), ("16 x 16", 6, True), ("8 x 8", 20, True)
    ]  # fmt: skip
    assert rows[0]["cost"] == 0
    assert "16 x 16" in capsys.readouterr().out


def test_pictures_of_more_than_8_bits() -> None:
    pytest.importorskip("imagecodecs")
    for channels in (1, 3):
        pixels = np.random.default_rng(channels).integers(0, 1 << 12, (9, 14, channels)).astype(np.uint16)
        for codec in (JpegXl(1), *of_deep_pictures()):
            assert codec.takes(pixels) == ""
            assert identical(pixels, codec.decode(codec.encode(pixels))), codec.name
