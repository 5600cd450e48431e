"""Benchmarks: totals, files of results, tables, and that a difference is seen."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks/ is not installed

from benchmarks import children, exactness, inputs, ratio, tables
from benchmarks.codecs import NOT_INSTALLED, JpegXl, WebP, identical
from benchmarks.specimens import SEPARATOR, Specimen, built_in


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of two sets: an RGB picture; a gray one, one that is not supported, and a text."""
    slope = np.arange(9 * 7 * 3, dtype=np.uint8).reshape(9, 7, 3)
    for name in ("colour", "gray"):
        (tmp_path / name).mkdir()
    Image.fromarray(slope).save(tmp_path / "colour" / "a.png")
    Image.fromarray(slope[..., 0]).save(tmp_path / "gray" / "b.png")
    Image.new("P", (3, 3)).save(tmp_path / "gray" / "palette.png")
    (tmp_path / "gray" / "notes.txt").write_text("no picture")
    return tmp_path


def test_find_names_sets_by_folder(pictures: Path) -> None:
    found = inputs.find([pictures / "gray", pictures / "colour" / "a.png", pictures])
    assert [(s.set, s.path.name) for s in found] == [
        ("gray", "b.png"),
        ("gray", "palette.png"),
        ("colour", "a.png"),
    ]
    with pytest.raises(FileNotFoundError):
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
        assert total["same"] is True
    model = every["all", "histogram"]
    assert model["overhead_percent"] == pytest.approx(100 * (8 * model["bytes"] / model["nll_bits"] - 1))
    over = [p["bytes"] - 1.0005 * p["nll_bits"] / 8 for p in found["pictures"] if p["codec"] == "histogram"]
    assert model["max_overhead_bytes"] == pytest.approx(max(over))
    with open(table, newline="") as file:
        levels = [row["level"] for row in csv.DictReader(file)]
    assert levels == ["picture"] * 6 + ["set"] * 9


def result(codec: str, picture: str, size: int | None, **more: Any) -> ratio.Result:
    seconds: dict[str, Any] = {} if size is None else {"encode_s": 0.5, "decode_s": 2.0, "same": True}
    return ratio.Result("s", picture, codec, 1000, 1000, 3, size, **{**seconds, **more})


def test_ratios_are_over_the_pictures_that_both_did() -> None:
    results = [
        result(JpegXl.name, "a", 100),
        result(JpegXl.name, "b", 300),
        result("model", "a", 90, nll_bits=640.0),
        result("model", "b", None, note="refused"),
    ]
    peer, model = ratio.totals(results)
    assert (peer["to_jxl"], model["to_jxl"]) == (1.0, pytest.approx(0.9))
    assert (model["encode_mps"], model["decode_mps"]) == (pytest.approx(2.0), pytest.approx(0.5))
    assert model["max_overhead_bytes"] == pytest.approx(90 - 80 * 1.0005)
    assert ratio.totals([result("model", "a", 90, same=False, failed=True)])[0]["same"] is False


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
    found = ratio.measure(source, [Wrong(), Absent()])
    assert not isinstance(found, str)
    assert (found[0].same, found[0].failed) == (False, True)
    assert (found[1].note, found[1].failed) == (NOT_INSTALLED, False)
    assert [row["bytes"] for row in ratio.shown([found[1].row()])] == [NOT_INSTALLED]


def test_nothing_to_measure(pictures: Path) -> None:
    assert ratio.main([str(pictures / "gray" / "palette.png"), "--models", "histogram", "--no-jxl"]) == 2
    with pytest.raises(SystemExit):
        ratio.main([str(pictures), "--models", "no-such-model"])


def test_jpeg_xl_gray_stays_gray() -> None:
    codec = JpegXl(threads=1)
    if codec.available():
        pytest.skip(codec.available())
    for channels in (1, 3):
        pixels = np.arange(12 * 11 * channels, dtype=np.uint8).reshape(12, 11, channels)
        assert np.array_equal(codec.decode(codec.encode(pixels)), pixels)


def test_identical_allows_gray_as_rgb() -> None:
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    colour = np.repeat(gray, 3, 2)
    assert identical(gray, gray)
    assert identical(gray, colour)
    assert not identical(colour, gray)
    colour[0, 0, 1] += 1
    assert not identical(gray, colour)


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
    tables.write_csv(tmp_path / "t.csv", [{"a": 1}, {"a": 2, "b": "x,y"}])
    assert (tmp_path / "t.csv").read_text() == 'a,b\n1,\n2,"x,y"\n'


def test_combinations_vary_every_setting() -> None:
    few, full = list(exactness.combinations(False)), list(exactness.combinations(True))
    assert few[0] == full[0] == exactness.Combination()
    assert len(few) < 30 < len(full)
    for name in vars(few[0]).keys() - {"device"}:
        assert len({getattr(c, name) for c in few}) > 1


def test_specimens_are_fixed_and_told_apart() -> None:
    made = built_in()
    assert len({s.name for s in made}) == len(made)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(made, built_in(), strict=True))
    assert {s.pixels.shape[3] for s in made if s.tiny} == {1, 3}


def test_exactness_sees_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((1, 2, 2, 1), np.uint8)
    name, good = f"m{SEPARATOR}p", exactness.pixels_digest(pixels)
    same = {"capability": "AVX2", "backend": "int8", "cuda": False, "errors": {}}
    answers: list[dict[str, Any]] = [
        {**same, "files": {name: "1"}, "pixels": {name: good}},
        {**same, "files": {name: "1"}, "pixels": {name: good}},
        {**same, "files": {name: "2"}, "pixels": {name: good}},
        {**same, "files": {name: "1"}, "pixels": {name: ""}, "errors": {name: "damaged"}},
        {**same, "files": {}, "pixels": {}},
        {"error": "ExactnessError: wrong sums", "kind": "ExactnessError"},
        {"error": "ended with status -9"},
    ]
    monkeypatch.setattr(children, "ask", lambda *_: answers.pop(0))
    matrix = exactness.Matrix([Specimen("p", pixels)], ["m"], tmp_path)
    usual, int8 = exactness.Combination(), exactness.Combination(backend="int8")
    rows = [matrix.compare(c) for c in (usual, usual, usual, usual, usual, int8, usual)]
    assert [row["bad"] for row in rows] == [False, False, True, True, True, False, True]
    assert "damaged" in rows[3]["said"]
    assert matrix.compare(exactness.Combination(aten="avx512"))["said"].startswith("skipped")
    assert matrix.compare(exactness.Combination(device="cuda"))["said"].startswith("skipped")
