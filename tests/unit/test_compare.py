"""``arcomp compare``: what is measured, and how it is told."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import arcomp
from arcomp.errors import ArcompError, PictureError
from arcomp.measure import plot
from arcomp.measure.codecs import Png, WebP, identical
from arcomp.measure.compare import CodecContestant, Contestant, Measured, ModelContestant, float_nll
from arcomp.measure.inputs import Input, find, read
from arcomp.measure.labels import Box, place
from arcomp.measure.results import COLUMNS, as_csv, as_json, results
from arcomp.measure.sheets import sheet
from arcomp.models.context.model import ContextModel
from arcomp.models.gated_pixelcnn import GatedPixelCNN
from arcomp.models.photo import model as photo_model
from arcomp.models.photo.model import PhotoModel
from arcomp.models.photo.net import Photo
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.temporal_conv import TemporalConv
from arcomp.network.layered import Layered
from tests.cli.test_cli import refused, say
from tests.specimens import LEARNERS, MODELS, layered, pictures

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def picture(path: Path, *shape: int, seed: int = 0) -> Path:
    """A small picture with few levels, gray without a third number."""
    levels = np.random.default_rng(seed).integers(100, 108, shape, np.uint8)
    Image.fromarray(levels).save(path)
    return path


@pytest.fixture
def binary(folder: Path) -> Path:
    """Weights for pictures of one bit."""
    model = layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3)
    model.weights.save(folder / "small.safetensors")
    return folder / "small.safetensors"


class TestFloat:
    """The float evaluation of frozen weights."""

    @pytest.mark.parametrize("name", [name for name in MODELS if not re.search("extreme|histogram|context", name)])
    def test_thawed_weights_freeze_to_what_they_were(self, name: str) -> None:
        make, channels, depth = MODELS[name]
        model = make()
        assert isinstance(model, Layered)
        again = model.freeze({channels: model.dequantized(channels, depth)})
        assert {k: v.tolist() for k, v in again.arrays.items()} == {
            k: v.tolist() for k, v in model.weights.arrays.items()
        }

    @pytest.mark.parametrize("name", ["pixelcnn rgb", "gated pixelcnn binary", "made rgb", "wavenet gray"])
    def test_bits_are_those_of_the_network_that_was_frozen(self, name: str) -> None:
        make, channels, depth = MODELS[name]
        model = make()
        assert isinstance(model, Layered)
        torch.manual_seed(0)
        network = model.float_model(asdict(model.configs[channels, depth]))
        pixels = np.stack([pictures(kind, (17, 23, channels), depth) for kind in ("smooth", "noise")])
        with torch.no_grad():
            before = float(network.bits(torch.from_numpy(pixels)).double().sum())
        assert model.float_bits(pixels, depth) == pytest.approx(before, rel=0.02)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_context_is_near_its_integers(self, channels: int) -> None:
        model = arcomp.load("context")
        assert isinstance(model, ContextModel)
        pixels = pictures("smooth", (24, 33, channels), 8)[None]
        exact = arcomp.encode(pixels, 8, model).nll_bits
        assert model.float_bits(pixels, 8) == pytest.approx(exact, rel=0.002)

    @pytest.mark.parametrize("name", ["photo rgb", "photo gray"])
    def test_photo_is_near_its_network_alone(self, name: str) -> None:
        make, channels = LEARNERS[name]
        model = make()
        pixels = pictures("smooth", (24, 33, channels), 8)[None]
        encoded = arcomp.encode(pixels, 8, model)
        assert model.float_bits(pixels, 8) == pytest.approx(encoded.static_bits, rel=0.01)

    def test_photo_thaws_to_what_it_was(self) -> None:
        model = LEARNERS["photo three windows rgb"][0]()
        assert isinstance(model, PhotoModel)
        from arcomp.network.perceptron import dequantize_layers

        net = Photo(model.configs[3])
        own = {k[2:]: a for k, a in model.weights.arrays.items() if k.startswith("3.")}
        dequantize_layers(net, own)
        again = photo_model.freeze({3: net}).arrays
        assert all(np.array_equal(again[f"3.{k}"], a) for k, a in own.items() if k.endswith(("weight", "multiplier")))

    def test_histogram_is_entropy_and_counts(self) -> None:
        pixels = pictures("noise", (20, 30, 3), 3)[None]
        model = arcomp.load("histogram")
        exact = arcomp.encode(pixels, 3, model).nll_bits
        found = model.float_bits(pixels, 3)
        assert found is not None
        assert exact * 0.99 < found <= exact

    def test_pictures_are_cut_into_the_tiles_that_are_coded(self) -> None:
        model = layered(GatedPixelCNN, channels=1, depth=2, width=3, blocks=1, kernel=3)
        pixels = pictures("noise", (40, 50, 1), 2)[None]
        parts = [pixels[:, :32, :32], pixels[:, :32, 32:], pixels[:, 32:, :32], pixels[:, 32:, 32:]]
        whole, tiles = float_nll(model, pixels, 2), [model.float_bits(part, 2) for part in parts]
        assert whole == pytest.approx(sum(filter(None, tiles)), rel=1e-6)
        assert whole != pytest.approx(model.float_bits(pixels, 2), rel=1e-6)


class TestInputs:
    def test_arrays(self, tmp_path: Path) -> None:
        many = np.arange(2 * 3 * 6 * 3, dtype=np.uint8).reshape(2, 3, 6, 3) + np.uint8(60)
        np.save(tmp_path / "colour.npy", many)
        np.savez(tmp_path / "gray.npz", many[..., 0])
        np.save(tmp_path / "bool.npy", many[..., 0] > 99)
        np.save(tmp_path / "digits.npy", many[..., 0] % 2)
        found = {p.path.stem: read(p.path) for p in find([tmp_path])}
        assert {name: (i.pixels.shape, i.depths) for name, i in found.items()} == {
            "colour": ((2, 3, 6, 3), (8,)),
            "gray": ((2, 3, 6, 1), (8,)),
            "bool": ((2, 3, 6, 1), (1,)),
            "digits": ((2, 3, 6, 1), (8, 7, 6, 5, 4, 3, 2, 1)),
        }
        assert np.array_equal(found["colour"].pixels, many)
        assert np.array_equal(found["bool"].pixels[..., 0], many[..., 0] > 99)
        assert [found[name].binary for name in ("gray", "bool", "digits")] == [False, True, True]
        assert len(read(tmp_path / "colour.npy", 1).pixels) == 1
        assert len(find([tmp_path], 2)) == 2

    def test_files_are_as_large_as_those_that_are_kept(self, folder: Path) -> None:
        np.save(folder / "many.npy", pictures("smooth", (9, 11, 3), 8)[None])
        picture(folder / "one.png", 20, 30, 3)
        for name in ("many.npy", "one.png"):
            assert say("compress", "-m", "histogram", name).status == 0
            size = (folder / f"{name}.arcomp").stat().st_size
            assert ModelContestant("histogram").measure(read(Path(name))).bytes == size

    @pytest.mark.parametrize(
        ("name", "save"),
        [
            ("float.npy", lambda path: np.save(path, np.zeros((1, 2, 2)))),
            ("flat.npy", lambda path: np.save(path, np.zeros(4, np.uint8))),
            ("empty.npy", lambda path: np.save(path, np.zeros((0, 2, 2), np.uint8))),
            ("objects.npy", lambda path: np.save(path, np.array([{}]), allow_pickle=True)),
            ("two.npz", lambda path: np.savez(path, np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 2), np.uint8))),
            ("cut.npz", lambda path: path.write_bytes(b"PK\x03\x04 not a zip file")),
            ("absent.npy", lambda path: None),
        ],
    )
    def test_other_arrays_are_refused(self, name: str, save: Any, tmp_path: Path) -> None:
        save(tmp_path / name)
        with pytest.raises(PictureError) as caught:
            read(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)

    def test_a_folder_without_pictures(self, tmp_path: Path) -> None:
        with pytest.raises(ArcompError, match="no pictures"):
            find([tmp_path])

    def test_sheets(self) -> None:
        many = np.arange(1, 7, dtype=np.uint8)[:, None, None, None] * np.ones((6, 4, 6, 1), np.uint8)
        assert sheet(many)[::4, ::6, 0].tolist() == [[1, 2], [3, 4], [5, 6]]
        spaced = sheet(many[:5], gap=1, fill=9)
        assert spaced.shape == (14, 13, 1)
        assert set(spaced[4].ravel().tolist()) == {9}
        assert set(spaced[10:, 7:].ravel().tolist()) == {9}
        assert np.array_equal(sheet(many[:1]), many[0])


def test_png_of_two_levels_takes_a_bit_a_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 2, (64, 64, 1), np.uint8) * np.uint8(255)
    data = Png().encode(pixels)
    assert len(data) < 64 * 64 // 8 + 150
    assert identical(pixels, Png().decode(data))
    assert identical(pixels // 2, Png().decode(Png().encode(pixels // 2)))


class TestMeasured:
    def test_models_and_codecs(self) -> None:
        given = Input("a", np.stack([pictures("smooth", (9, 11, 3), 8, seed) for seed in range(5)]))
        model, codec = ModelContestant("histogram"), CodecContestant(Png())
        of_model, of_codec = model.measure(given), codec.measure(given)
        encoded = arcomp.encode(given.pixels, 8, arcomp.load("histogram"))
        assert (of_model.bytes, of_model.nll_bits_exact) == (len(encoded.data), encoded.nll_bits)
        assert of_model.round_trip
        assert of_codec.round_trip
        assert of_codec.bytes == len(Png().encode(sheet(given.pixels)))
        assert (of_codec.nll_bits_float, of_codec.nll_bits_exact) == (None, None)
        assert model.startup_seconds > 0
        assert codec.startup_seconds > 0

    def test_depths(self, binary: Path) -> None:
        digits = pictures("noise", (8, 8, 1), 1)[None]
        found = ModelContestant(str(binary)).measure(Input("d", digits, (8, 1)))
        assert (found.depth, found.round_trip, found.skipped) == (1, True, "")
        assert ModelContestant("context").measure(Input("d", digits, (8, 1))).depth == 8
        assert "not 1 channel of 1 bit" in ModelContestant("context").measure(Input("d", digits, (1,))).skipped

    def test_wrong_pixels_are_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = Input("a", pictures("smooth", (9, 11, 3), 8)[None])
        whole = WebP.decode
        monkeypatch.setattr(WebP, "decode", lambda self, data: whole(self, data) ^ np.uint8(1))
        found = CodecContestant(WebP()).measure(given)
        assert (found.round_trip, found.failed) == (False, True)

    def test_an_error_is_a_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object, **__: object) -> None:
            raise ArcompError("too large for this machine")

        contestant = ModelContestant("histogram")
        monkeypatch.setattr("arcomp.codec.encode", full)
        found = contestant.measure(Input("a", pictures("smooth", (9, 11, 3), 8)[None]))
        assert (found.failed, found.bytes, found.skipped) == (True, None, "failed: too large for this machine")


class Fixed(Contestant):
    """One whose results are given."""

    def __init__(self, name: str, parameters: int | None = None) -> None:
        self.name, self.parameters = name, parameters

    def _measure(self, given: Input, progress: Any) -> Measured:
        raise NotImplementedError


def measured(codec: str, number: int, size: int | None, **more: Any) -> Measured:
    usual = {} if size is None else {"encode_seconds": 0.5, "decode_seconds": 2.0, "round_trip": True}
    return Measured(codec, f"input {number}", 3_000_000, 1_000_000, 8, size, **{**usual, **more})


class TestResults:
    def test_totals_are_sorted(self) -> None:
        contestants = [Fixed(name) for name in ("large", "none", "part", "small")]
        found = results(contestants, [
            *(measured("large", i, 4000, nll_bits_exact=31_000.0, nll_bits_float=30_000.0) for i in range(2)),
            *(measured("none", i, None, skipped="no such kind") for i in range(2)),
            measured("part", 0, 1), measured("part", 1, None, skipped="only one"),
            measured("small", 0, 1000, nll_bits_float=1.0), measured("small", 1, 3000),
        ])  # fmt: skip
        assert [r.model for r in found] == ["small", "large", "part", "none"]
        large, small, none = found[1].row(), found[0].row(), found[3].row()
        assert large["bytes"] == 8000
        assert large["bits_per_subpixel"] == pytest.approx(64_000 / 6_000_000)
        assert large["overhead_percent"] == pytest.approx(100 * (64_000 / 62_000 - 1))
        assert large["nll_bits_float"] == 60_000
        assert (large["encode_mps"], large["decode_mps"]) == (2.0, 0.5)
        assert (small["nll_bits_float"], small["overhead_percent"]) == (None, None)
        assert found[2].row()["skipped"] == "1 of 2: only one"
        assert none["skipped"] == "no such kind"
        assert (none["bytes"], none["bits_per_subpixel"], none["round_trip"]) == (None, None, None)

    def test_documents(self) -> None:
        found = results([Fixed("a", 7)], [measured("a", 0, 1000, nll_bits_exact=7000.0)])
        (about,) = json.loads(as_json(found))
        assert list(about) == [*COLUMNS, "pictures"]
        assert (about["model"], about["parameters"], about["round_trip"]) == ("a", 7, True)
        assert about["pictures"][0]["input"] == "input 0"
        assert about["pictures"][0]["bytes"] == about["bytes"]
        (row,) = csv.DictReader(io.StringIO(as_csv(found)))
        assert list(row) == list(COLUMNS)
        assert float(row["bits_per_subpixel"]) == about["bits_per_subpixel"]
        assert row["nll_bits_float"] == ""


class TestCommand:
    MODELS = ("--models", "histogram")

    def test_table_and_files(self, folder: Path, binary: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        picture(folder / "b.png", 12, 16)
        said = say(
            "compare", "a.png", "b.png", "--models", f"histogram,{binary.name}", "--classical", "--json", "r.json",
            "--csv", "r.csv",
        )  # fmt: skip
        assert said.status == 0, said.err
        assert said.results[0] == "2 inputs, 1,992 sub-pixels"
        assert all(ord(c) < 128 for line in said.results for c in line)
        assert any(line.startswith("small: skipped: 1 of 2: takes") for line in said.results)
        whole = json.loads((folder / "r.json").read_text())
        by_name = {row["model"]: row for row in whole}
        assert {"histogram", "small", "PNG", "WebP"} < set(by_name)
        assert by_name["histogram"]["samples"] == 1992
        assert by_name["histogram"]["round_trip"] is True
        sizes = [row["bits_per_subpixel"] for row in whole if row["inputs"] == 2]
        assert sizes == sorted(sizes)
        rows = list(csv.DictReader(io.StringIO((folder / "r.csv").read_text())))
        assert [row["model"] for row in rows] == [row["model"] for row in whole]

    @pytest.mark.parametrize("columns", [60, 90, 140])
    def test_bars_fit_the_terminal(self, folder: Path, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        picture(folder / "a.png", 20, 30, 3)
        monkeypatch.setenv("COLUMNS", str(columns))
        said = say("compare", "a.png", *self.MODELS, "--classical", terminals=("stdout",))
        assert said.status == 0
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in said.results]
        table = [line for line in lines[1:] if "skipped" not in line]
        assert max(map(len, table)) <= columns
        assert any("█" in line for line in table)
        assert "\x1b[" in said.out.decode()
        monkeypatch.setenv("NO_COLOR", "1")
        assert b"\x1b[" not in say("compare", "a.png", *self.MODELS, terminals=("stdout",)).out

    def test_json_without_a_file_is_an_object_a_line(self, folder: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        said = say("compare", "a.png", *self.MODELS, "--classical", "--json")
        assert said.status == 0
        assert {row["model"] for row in said.objects} >= {"histogram", "PNG", "WebP"}

    def test_inputs_are_not_written_over(self, folder: Path) -> None:
        data = picture(folder / "a.png", 20, 30, 3).read_bytes()
        refused(say("compare", *self.MODELS, "a.png", "--json", "a.png"), "is the input itself")
        refused(say("compare", *self.MODELS, "a.png", "--csv", "a.png", "-f"), "is the input itself")
        refused(say("compare", *self.MODELS, "--json", "a.png"), "missing argument PATH; --json takes a.png as", 2)
        refused(say("compare", *self.MODELS), "missing argument", 2)
        assert (folder / "a.png").read_bytes() == data

    def test_only_results_are_written_over(self, folder: Path) -> None:
        """--json takes the word after it: an input that was meant is safe even with -f."""
        data = picture(folder / "a.png", 20, 30, 3).read_bytes()
        picture(folder / "b.png", 12, 16)
        refused(say("compare", *self.MODELS, "-f", "--json", "a.png", "b.png"), "is no result of compare")
        refused(say("compare", *self.MODELS, "--json", "a.png", "b.png"), "--json alone prints, if it comes last")
        assert (folder / "a.png").read_bytes() == data
        (folder / "r.csv").write_text("mine")
        refused(say("compare", *self.MODELS, "a.png", "--csv", "r.csv", "-f"), "is no result of compare")
        assert (folder / "r.csv").read_text() == "mine"
        (folder / "r.html").write_text("<!doctype html>\n<title>Mine</title>")
        refused(say("compare", *self.MODELS, "a.png", "--html", "r.html", "-f"), "is no result of compare")
        (folder / "r.html").unlink()
        (folder / "r.csv").write_text("")
        documents = ("--json", "r.json", "--csv", "r.csv", "--html", "r.html")
        assert say("compare", *self.MODELS, "a.png", "-f", *documents).status == 0
        for option, name in zip(documents[::2], documents[1::2], strict=True):
            before = (folder / name).stat().st_mtime_ns
            said = say("compare", *self.MODELS, "a.png", option, name)
            refused(said, "exists already; -f overwrites it; or name another file")
            assert (folder / name).stat().st_mtime_ns == before
        assert say("compare", *self.MODELS, "b.png", "-f", *documents).status == 0
        assert json.loads((folder / "r.json").read_text())[0]["samples"] == 12 * 16

    def test_a_document_that_cannot_be_written_loses_no_other(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        picture(folder / "a.png", 20, 30, 3)

        def full(found: Any) -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("arcomp.measure.results.as_csv", full)
        said = say("compare", *self.MODELS, "a.png", "--json", "r.json", "--csv", "r.csv", "--html", "r.html")
        assert (said.status, said.lines) == (1, ["arcomp: r.csv: No space left on device"])
        assert {p.name for p in folder.iterdir()} == {"a.png", "r.json", "r.html"}

    def test_refusals(self, folder: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        refused(say("compare", "absent.png", *self.MODELS), "absent.png: does not exist")
        refused(say("compare", "a.png", "--models", "absent"), "no model 'absent'")
        refused(say("compare", "a.png", *self.MODELS, "--html", "-"), "need a file", 2)
        refused(say("compare", "a.png", *self.MODELS, "--csv", "r", "--json", "r"), "a file each", 2)
        refused(say("compare", "a.png", *self.MODELS, "--json", "no/r.json"), "its folder does not exist")
        assert {p.name for p in folder.iterdir()} == {"a.png"}

    def test_pictures_that_cannot_be_read(self, folder: Path) -> None:
        (folder / "in").mkdir()
        picture(folder / "in" / "a.png", 20, 30, 3)
        Image.new("P", (3, 3)).save(folder / "in" / "palette.png")
        said = say("compare", "in", *self.MODELS)
        assert said.status == 0
        assert said.results[0] == "1 input, 1,800 sub-pixels"
        assert said.lines == [
            "arcomp: warning: in/palette.png: left out: a PNG picture (palette, 1-bit) is not supported"
        ]
        said = say("compare", "in/palette.png", "in/a.png", *self.MODELS)
        assert said.status == 1
        assert said.results[0] == "1 input, 1,800 sub-pixels"
        assert "palette" in said.err
        Image.new("P", (3, 3)).save(folder / "in" / "a.png")
        assert "there is nothing to compare" in say("compare", "in", *self.MODELS).err

    def test_weights_of_the_name_of_a_model(self, folder: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        layered(PixelCNN, channels=3, depth=8, width=3, blocks=1, kernel=3).weights.save(
            folder / "histogram.safetensors"
        )
        said = say("compare", "a.png", "--models", "histogram,histogram.safetensors", "--json")
        assert {row["model"] for row in said.objects} == {"histogram", "histogram.safetensors"}
        assert len({row["bytes"] for row in said.objects}) == len({row["digest"] for row in said.objects}) == 2

    def test_nothing_that_is_taken(self, folder: Path, binary: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        said = say("compare", "a.png", "--models", binary.name)
        assert said.status == 1
        assert said.results[-1].startswith("small: skipped: takes 1 channel of 1 bit")

    def test_limit(self, folder: Path) -> None:
        np.save(folder / "many.npy", np.zeros((50, 4, 8), np.uint8))
        assert say("compare", "many.npy", *self.MODELS, "--limit", "3").results[0] == "1 input, 96 sub-pixels"


PROBE = """<script>addEventListener("load", () => {
  const all = (what, f) => [...document.querySelectorAll(what)].map(f);
  const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const found = {
    width: innerWidth, scrolls: document.documentElement.scrollWidth,
    images: all("img", e => [e.naturalWidth, e.naturalHeight, e.clientWidth, e.clientHeight]),
    plots: all("svg.plot", s => [...s.querySelectorAll("text.name")].map(box)),
    titles: all("svg.plot text.title", e => e.textContent),
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
  };
  parent.postMessage(JSON.stringify(found), "*");
});</script>"""
FRAME = """<!doctype html><style>:root {{ color-scheme: light dark }}</style><body><script>
  addEventListener("message", e => {{ document.body.textContent = e.data; }});
</script><iframe style="width: {width}px; height: 2000px; border: 0" src="{page}"></iframe></body>"""
"""A window is at least 500 pixels wide, a frame is not."""


def seen(page: Path, width: int, *options: str) -> dict[str, Any]:
    """What a browser makes of a page in a window so wide; fails if it says anything on its console."""
    assert BROWSER
    probed, framed = page.with_name("probed.html"), page.with_name("framed.html")
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>"), encoding="utf-8")
    framed.write_text(FRAME.format(width=width, page=probed.name))
    profile = page.with_name("profile")
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        f"--user-data-dir={profile}", f"--window-size={width + 40},2000", *options, "--virtual-time-budget=2000",
        "--dump-dom", framed.as_uri(),
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in made.stderr
    match = re.search(r"<body>({.*})</body>", made.stdout, re.S)
    assert match
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a photograph-like picture, of digits, and of one with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3).weights.save(folder / "small.safetensors")
    np.save(folder / "digits.npy", np.stack([pictures("noise", (8, 9, 1), 1, s)[..., 0] for s in range(70)]))
    Image.fromarray(np.tile(pictures("smooth", (150, 200, 3), 8), (2, 3, 1))).save(folder / "large.png")
    picture(folder / "<b>&.png", 20, 30, 3)
    names = [str(folder / name) for name in ("large.png", "digits.npy", "<b>&.png")]
    models = f"histogram,{folder / 'small.safetensors'}"
    said = say("compare", *names, "--models", models, "--classical", "--html", folder / "page.html", "-q")
    assert (said.status, said.out, said.err) == (0, b"", "")
    return folder / "page.html"


class TestText:
    """Bytes are compared by models of text, beside codecs of bytes."""

    @pytest.fixture
    def text(self, folder: Path) -> Path:
        layered(TemporalConv, channels=1, depth=8, width=3, blocks=1, kernel=2).weights.save(
            folder / "small.safetensors"
        )
        (folder / "notes.txt").write_bytes(b"to be, or not to be: that is the question. " * 30)
        return folder / "notes.txt"

    def test_a_table(self, text: Path) -> None:
        said = say("compare", text, "--models", "small.safetensors,histogram", "--classical", "--json")
        assert said.status == 0
        rows = {row["model"]: row for row in said.objects}
        assert {"small", "histogram", "gzip -9", "bzip2 -9", "xz -9", "zstd -19"} == set(rows)
        assert rows["small"]["round_trip"]
        assert rows["small"]["samples"] == text.stat().st_size
        assert abs(rows["small"]["nll_bits_float"] / rows["small"]["nll_bits_exact"] - 1) < 0.02
        assert rows["gzip -9"]["bytes"] == len(gzip.compress(text.read_bytes(), 9))
        assert rows["histogram"]["skipped"] == "model histogram does not take bytes"
        assert b"bits/byte" in say("compare", text, "--models", "small.safetensors").out

    def test_beside_a_picture(self, text: Path) -> None:
        Image.fromarray(pictures("smooth", (9, 11, 3), 8)).save("a.png")
        said = say("compare", text, "a.png", "--models", "small.safetensors,histogram", "--classical", "--json")
        rows = {row["model"]: row for row in said.objects}
        assert {name: rows[name]["inputs"] for name in ("small", "histogram", "PNG", "gzip -9")} == dict.fromkeys(
            ("small", "histogram", "PNG", "gzip -9"), 1
        )
        assert [one["skipped"] for one in rows["gzip -9"]["pictures"]] == [None, "takes bytes only"]

    def test_a_page(self, text: Path) -> None:
        said = say("compare", text, "--models", "small.safetensors", "--html", "page.html", "-q")
        assert said.status == 0
        page = Path("page.html").read_text(encoding="utf-8")
        assert "1,290 bytes, drawn in rows of 36" in page
        assert "bits/byte" in page
        assert "sub-pixel" not in page

    def test_without_a_model_of_text(self, text: Path) -> None:
        refused(say("compare", text, "--models", "histogram"), "not a picture of a known kind")


class TestPage:
    def test_needs_nothing_else(self, page: Path) -> None:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script|<link|@import|url\(|https?:", text)
        assert set(re.findall(r'src="(.{10})', text)) == {"data:image"}
        assert "<b>&.png" not in text
        assert "&lt;b&gt;&amp;.png" in text
        assert "70 pictures of 9 x 8, gray, 1 bit a sample; the first 64 are drawn" in text
        assert text.count("<section>") == 3
        assert len(re.findall("<figure>", text)) == 3 + 3 + 1  # inputs; histogram's maps; the small model's one
        assert len(re.findall("skipped: model pixelcnn takes", text)) == 2

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
    def test_in_a_browser(self, page: Path) -> None:
        phone, desktop = seen(page, 400), seen(page, 1280)
        for found, width in ((phone, 400), (desktop, 1280)):
            assert found["width"] == width
            assert found["scrolls"] <= width
            assert len(found["images"]) == 7
            assert all(side > 0 for image in found["images"] for side in image)
            assert [[round(w / h, 1) for w, h in (i[:2], i[2:])] for i in found["images"][:2]] == [[2.0, 2.0]] * 2
            assert len(found["plots"]) == 2
            for names in found["plots"]:
                assert len(names) >= 2
                for i, (x0, y0, x1, y1) in enumerate(names):
                    assert 0 <= x0 < x1 <= width
                    assert not any(x0 < b[2] and b[0] < x1 and y0 < b[3] and b[1] < y1 for b in names[:i])
        assert all(text.strip() for text in desktop["titles"])
        assert len(desktop["titles"]) == 4

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
    def test_light_and_dark(self, page: Path) -> None:
        light, dark = seen(page, 900), seen(page, 900, "--blink-settings=preferredColorScheme=0")
        assert (light["paper"], dark["ink"]) == ("rgb(255, 255, 255)", "rgb(230, 237, 243)")
        assert light["paper"] != dark["paper"]


class TestPlot:
    def test_front(self) -> None:
        points = [(1.0, 5.0), (2.0, 4.0), (3.0, 4.5), (2.0, 4.2), (0.5, 1.0), (0.4, 0.9), (0.3, 2.0)]
        found = plot.front(points)
        assert found == [5, 4, 1, 2]
        line = plot.steps([points[i] for i in found])
        assert line[:3] == [(0.4, 0.9), (0.4, 1.0), (0.5, 1.0)]
        assert line[-1] == (3.0, 4.5)

    def test_ticks(self) -> None:
        assert plot.ticks(1.9, 5.2) == [(2.0, "2"), (3.0, "3"), (4.0, "4"), (5.0, "5")]
        assert [said for _, said in plot.ticks(0.1, 0.35)] == ["0.10", "0.15", "0.20", "0.25", "0.30", "0.35"]
        assert plot.log_ticks(0.02, 30) == pytest.approx([0.1, 1, 10])
        assert plot.log_ticks(0.2, 3) == pytest.approx([0.3, 1, 3])

    def test_names_cover_nothing(self) -> None:
        frame = Box(0, 0, 400, 300)
        points = [(100.0 + 9 * i, 100.0 + 5 * (i % 3)) for i in range(9)]
        found = place(points, [(60.0, 12.0)] * 9, frame)
        boxes = [label.box for label in found]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        assert not any(box.holds(point) for box in boxes for point in points)
        assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)

    def test_lines_through_boxes(self) -> None:
        box = Box(0, 0, 10, 10)
        assert box.crossed([(-5, 5), (15, 5)])
        assert box.crossed([(-5, 3), (3, 11)])
        assert box.crossed([(2, 2), (3, 3)])
        assert not box.crossed([(-5, 8), (3, 20)])
        assert not box.crossed([(12, -5), (12, 20)])

    def test_one_point_and_equal_points(self) -> None:
        one = plot.Mark("a<b", 1.0, 2.0, True)
        made = plot.scatter([one], "x", "y", "said")
        assert "a&lt;b" in made
        assert "nan" not in plot.scatter([one, one], "x", "y", "said")
        assert plot.drawable([one, plot.Mark("far", 1.0, 9.0, True)]) == [one]


def test_names_stay_in_the_plot() -> None:
    """Also long ones of points that are near each other and the edge."""
    speeds = {"pixelsnail": 0.0274, "image_transformer": 0.0192, "pixelcnnpp": 0.0598, "gated_pixelcnn": 0.0143}
    speeds |= {"pixelcnn": 0.0411, "multiscale_pixelcnn": 0.12, "char_rnn": 0.0234}
    sizes = (3.7253, 3.8682, 3.9141, 3.9674, 4.0111, 4.1357, 5.3040)
    ours = zip(speeds.items(), sizes, strict=True)
    marks = [plot.Mark(f"{name}-colour", speed, size, True) for (name, speed), size in ours]
    marks += [plot.Mark("JPEG XL e9", 0.153, 4.1908, False), plot.Mark("WebP", 0.0232, 4.5859, False)]
    drawn = plot.scatter([*marks, plot.Mark("PNG", 5.71, 5.9105, False)], "x", "y", "said")
    names = re.findall(r'class="name [^"]*" x="([\d.-]+)" [^>]*>([^<]+)<', drawn)
    assert len(names) == 10
    for middle, name in names:
        assert plot.FRAME.x0 - 1 <= float(middle) - plot.text_width(name) / 2, name
        assert float(middle) + plot.text_width(name) / 2 <= plot.FRAME.x1 + 1, name
