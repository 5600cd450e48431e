"""The verbs eval, score and sample, and what is below them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arcomp
from arcomp import codec
from arcomp.contract import registry
from arcomp.errors import OutputError
from arcomp.formats import read
from arcomp.measure.bits import Planned, measure, planned
from arcomp.measure.evaluation import costs
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.pixelrnn import PixelRNN
from arcomp.samples import of_array
from arcomp.sampling import GAP
from tests.cli.command import DIGITS, TEXT, Said, names, npy, refused, said_well, say
from tests.coded import draw, encode
from tests.contents import pictures
from tests.specimens import layered

BINARY = layered(PixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3)


@pytest.fixture
def folder(untrained: Path) -> Path:
    """The current folder, with untrained weights in it."""
    return untrained


def bits_of(said: Said) -> list[float]:
    return [about["bits"] for about in said_well(said).objects]


class TestEval:
    def test_costs_are_what_files_cost(self, folder: Path) -> None:
        (folder / "a.npy").write_bytes(npy(DIGITS))
        (about,) = said_well(say("eval", "-m", "binary.safetensors", "--json", "a.npy")).objects
        encoded = encode(DIGITS[..., None], 1, arcomp.load("binary.safetensors"))
        assert about["bits"] == pytest.approx(encoded.nll_bits, rel=1e-6)
        assert about["bits_per_dimension"] == pytest.approx(encoded.nll_bits / DIGITS.size, rel=1e-6)
        assert about["nats_per_image"] == pytest.approx(encoded.nll_bits * math.log(2) / 6, rel=1e-6)
        assert (about["images"], about["samples"], about["data"]) == (6, DIGITS.size, "a.npy")
        assert names(folder) == {"a.npy", "text.safetensors", "binary.safetensors"}

    def test_several_models_and_sets(self, folder: Path) -> None:
        (folder / "set" / "below").mkdir(parents=True)
        for i, digit in enumerate(DIGITS[:3]):
            Image.fromarray(digit.astype(bool)).save(folder / "set" / ("below" if i else ".") / f"{i}.png")
        (folder / "set" / "notes.txt").write_text("not a picture")
        (folder / "a.npy").write_bytes(npy(DIGITS))
        verb = ("eval", "-m", "binary.safetensors", "-m", "histogram")
        found = said_well(say(*verb, "--json", "set", "a.npy")).objects
        assert [(o["model"], o["data"], o["images"]) for o in found] == [
            (model, data, images)
            for model in ("pixelcnn", "histogram")
            for data, images in (("set", 3), ("a.npy", 6), (None, 9))
        ]
        assert found[2]["bits"] == pytest.approx(found[0]["bits"] + found[1]["bits"])
        limited = said_well(say(*verb, "--json", "--limit", "5", "set", "a.npy")).objects
        assert [o["images"] for o in limited] == [3, 2, 5] * 2
        assert "nats/image, 9 images in" in said_well(say(*verb, "set", "a.npy")).results[2]

    def test_text(self, folder: Path) -> None:
        (folder / "notes.txt").write_bytes(TEXT)
        (about,) = said_well(say("eval", "-m", "text.safetensors", "--json", "notes.txt")).objects
        assert (about["images"], about["samples"]) == (1, len(TEXT))

    def test_pictures_of_one_size_are_evaluated_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And cost what they cost alone; but not where a model learns from them, nor of several sizes."""
        from arcomp.measure import evaluation

        shapes = [(5, 6), (5, 6), (5, 6), (6, 5), (5, 6)]
        files = [
            (str(i), planned(of_array(pictures("noise", (*shape, 1), 1, i)[:, :, 0].astype(bool)), BINARY))
            for i, shape in enumerate(shapes)
        ]
        calls: list[int] = []

        def counted(plan: Planned, *args: object, **kwargs: object) -> object:
            calls.append(plan.samples.count)
            return measure(plan, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(evaluation, "measure", counted)
        together = [cost.bits for cost in costs(files, BINARY)]
        assert calls == [3, 1, 1]
        alone = [next(costs([file], BINARY)).bits for file in files]
        assert together == pytest.approx(alone, rel=1e-6)
        calls.clear()
        assert len(list(costs(files, registry.load("histogram")))) == 5
        assert calls == [1] * 5

    def test_refusals(self, folder: Path) -> None:
        (folder / "empty").mkdir()
        (folder / "bad.npy").write_bytes(npy(DIGITS)[:-1])
        (folder / "a.npy").write_bytes(npy(DIGITS))
        refused(say("eval", "-m", "histogram", "empty"), "no pictures or arrays in it")
        refused(say("eval", "-m", "histogram", "nothing"), "nothing: does not exist")
        refused(say("eval", "-m", "none", "a.npy"), "no model 'none'")
        said = say("eval", "-m", "histogram", "--json", "bad.npy", "a.npy")
        assert said.status == 1
        assert len(said.lines) == 1
        assert said.objects[-1]["images"] == 6
        said = say("eval", "-m", "histogram", "--json", "a.npy", "empty", "a.npy")
        assert (said.status, len(said.lines)) == (1, 1)
        assert "empty: no pictures or arrays in it" in said.err
        assert [about["images"] for about in said.objects] == [6, 6, 12]
        refused(say("eval", "a.npy"), "'-m'", status=2)

    def test_pictures_that_are_coded_as_others(self, folder: Path) -> None:
        """They cost what compress says, and have maps; files of several sizes, too."""
        image = Image.fromarray(pictures("smooth", (20, 30, 3), 8))
        image.convert("RGBA").save(folder / "alpha.png")
        image.quantize(16).save(folder / "palette.png")
        image.save(folder / "sizes.ico", sizes=[(8, 8), (16, 16)])
        Image.fromarray(pictures("noise", (20, 30, 1), 16)[..., 0]).save(folder / "deep.png")
        for name, many in (("alpha.png", 1), ("palette.png", 1), ("sizes.ico", 2), ("deep.png", 1)):
            (cost,) = said_well(say("eval", "-m", "histogram", "--json", name)).objects
            samples = read(folder / name)
            coded = codec.encode(samples, registry.load("histogram"))
            assert (cost["images"], cost["samples"]) == (many, samples.size)
            assert cost["bits"] == pytest.approx(coded.nll_bits, rel=1e-5)
            scores = said_well(say("score", "-m", "histogram", "--json", "--heatmap", "maps", name)).objects
            assert sum(score["bits"] for score in scores) == pytest.approx(cost["bits"])
            assert {Path(score["heatmap"]).is_file() for score in scores} == {True}


class TestScore:
    def test_the_most_surprising_comes_first(self, folder: Path) -> None:
        (folder / "set").mkdir()
        smooth, noise = pictures("constant", (20, 20, 1), 8)[:, :, 0], pictures("noise", (12, 12, 1), 8)[:, :, 0]
        for name, pixels in (("a.png", smooth), ("b.png", noise), ("c.png", smooth)):
            Image.fromarray(pixels).save(folder / "set" / name)
        found = said_well(say("score", "-m", "context", "--json", "set", "--heatmap", "maps")).objects
        assert Path(found[0]["image"]).name == "b.png"
        assert [o["rank"] for o in found] == [1, 2, 3]
        rates = [o["bits_per_subpixel"] for o in found]
        assert rates == sorted(rates, reverse=True)
        assert found[0]["bits"] == pytest.approx(rates[0] * 144)
        assert names(folder / "maps") == {"a-bits.png", "b-bits.png", "c-bits.png"}
        with Image.open(found[0]["heatmap"]) as image:
            assert (image.mode, image.size) == ("RGB", (12, 12))
            loud = np.asarray(image).mean()
        with Image.open(found[2]["heatmap"]) as image:
            assert np.asarray(image).mean() < loud
        refused(say("score", "-m", "context", "set", "--heatmap", "maps"), "exists already")
        said_well(say("score", "-m", "context", "-f", "set", "--heatmap", "maps"))

    def test_pictures_of_arrays_are_named(self, folder: Path) -> None:
        odd = np.zeros_like(DIGITS)
        odd[2] = DIGITS[2]
        (folder / "a.npy").write_bytes(npy(odd))
        said = said_well(say("score", "-m", "binary.safetensors", "a.npy", "--heatmap", "maps"))
        assert len(said.results) == 6
        assert {line.split()[-1] for line in said.results} == {f"a.npy[{i}]" for i in range(6)}
        assert names(folder / "maps") == {f"a-bits.{i}.png" for i in range(6)}

    def test_heat_maps_of_files_with_one_name(self, folder: Path) -> None:
        for part in ("x", "y"):
            (folder / part).mkdir()
            Image.fromarray(pictures("noise", (4, 4, 1), 8)[:, :, 0]).save(folder / part / "a.png")
        said_well(say("score", "-m", "histogram", "x", "y", "--heatmap", "maps"))
        assert names(folder / "maps") == {"a-bits.png", "a-bits.2.png"}
        (folder / "file").write_bytes(b"")
        refused(say("score", "-m", "histogram", "x", "--heatmap", "file"), "cannot be made a folder")

    def test_what_fails_loses_nothing_else(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An argument without pictures, and a map that cannot be written."""
        (folder / "empty").mkdir()
        (folder / "many").mkdir()
        for name in "abc":
            Image.fromarray(pictures("noise", (4, 4, 1), 8)[:, :, 0]).save(folder / "many" / f"{name}.png")
        verb = ("score", "-m", "histogram", "--json")
        said = say(*verb, "many", "empty")
        assert (said.status, len(said.lines), len(said.objects)) == (1, 1, 3)
        assert "empty: no pictures or arrays in it" in said.err

        def full(path: Path, *_: object, **__: object) -> None:
            raise OutputError("no space is left on the device", path=str(path))

        monkeypatch.setattr("arcomp.container.write_atomically", full)
        said = say(*verb, "many", "--heatmap", "maps")
        assert (said.status, len(said.lines), len(said.objects)) == (1, 3, 3)
        assert [about["heatmap"] for about in said.objects] == [None] * 3

    def test_files_that_do_not_fit_are_told_of(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from arcomp import limits

        for name, side in (("small.png", 4), ("large.png", 400)):
            Image.fromarray(pictures("noise", (side, side, 1), 8)[:, :, 0]).save(folder / name)
        monkeypatch.setattr(limits, "free_memory", lambda: 1e5)
        for verb in ("score", "eval"):
            said = say(verb, "-m", "histogram", "--json", "large.png", "small.png")
            assert (said.status, len(said.lines)) == (1, 1)
            assert "large.png: needs" in said.err
            assert said.objects

    @pytest.mark.parametrize("there", ["c-bits.png", "c-bits.2.png", "a-bits.5.png", "c.1-bits.png"])
    def test_maps_that_exist_are_refused_first(
        self,
        folder: Path,
        there: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (folder / "a.npy").write_bytes(npy(DIGITS))
        Image.fromarray(DIGITS[0].astype(bool)).save(folder / "c.png")
        (folder / "c.1").write_bytes((folder / "c.png").read_bytes())
        (folder / "maps").mkdir()
        (folder / "maps" / there).write_bytes(b"mine")
        monkeypatch.setattr("arcomp.measure.evaluation.costs", None)
        refused(
            say("score", "-m", "binary.safetensors", "c.png", "a.npy", "c.1", "--heatmap", "maps"), "exists already"
        )
        assert names(folder / "maps") == {there}

    def test_maps_of_text_have_rows(self, folder: Path) -> None:
        (folder / "notes.txt").write_bytes(TEXT[:5000])
        said_well(say("score", "-m", "text.safetensors", "notes.txt", "--heatmap", "maps"))
        with Image.open(folder / "maps" / "notes-bits.png") as image:
            assert image.size == (71, 71)


class TestSampleVerb:
    def test_pixels_are_enlarged(self, folder: Path) -> None:
        verb = ("sample", "-m", "binary.safetensors", "--size", "8x9", "-n", "1")
        said_well(say(*verb, "-o", "a.png"))
        said_well(say(*verb, "--scale", "3", "-o", "b.png"))
        with Image.open(folder / "a.png") as plain, Image.open(folder / "b.png") as large:
            wanted = np.asarray(plain.convert("L")).repeat(3, 0).repeat(3, 1)
            assert np.array_equal(np.asarray(large.convert("L")), wanted)
        assert say(*verb, "--scale", "3", "-o", "b.npy").status == 2

    def test_pictures(self, folder: Path) -> None:
        verb = ("sample", "-m", "binary.safetensors", "--size", "8x9", "-n", "4")
        said_well(say(*verb, "-o", "a.png"))
        with Image.open(folder / "a.png") as image:
            assert image.size == (2 * 9 + GAP, 2 * 8 + GAP)
        (about,) = said_well(say(*verb, "--json", "--seed", "3", "-o", "a.npy")).objects
        assert (about["images"], about["height"], about["width"], about["seed"]) == (4, 8, 9, 3)
        drawn = draw(arcomp.load("binary.safetensors"), (4, 8, 9, 1), 1, seed=3)
        assert np.array_equal(np.load(folder / "a.npy"), drawn)
        refused(say(*verb, "-o", "a.npy"), "exists already")

    def test_size_of_tiles_that_only_cut_is_not_one_to_draw(self, folder: Path) -> None:
        wide = layered(PixelRNN, channels=1, depth=1, width=2, blocks=1)
        wide.weights.save(folder / "wide.safetensors")
        assert wide.tile(99, 99, 1, 1) == (256, 256)
        said_well(say("sample", "-m", "wide.safetensors", "-n", "1", "-o", "w.npy"))
        assert np.load(folder / "w.npy").shape == (1, 32, 32, 1)

    def test_completion(self, folder: Path) -> None:
        Image.fromarray(DIGITS[0].astype(bool)).save(folder / "one.png")
        said_well(say("sample", "-m", "binary.safetensors", "--complete", "one.png", "-n", "3", "-o", "c.npy"))
        found = np.load(folder / "c.npy")
        assert found.shape == (3, 7, 9, 1)
        assert (found[:, :4, :, 0] == DIGITS[0, :4]).all()
        np.save(folder / "two.npy", DIGITS[:2])
        said_well(say("sample", "-m", "binary.safetensors", "--complete", "two.npy", "-o", "d.npy"))
        found = np.load(folder / "d.npy")  # each of several once, unless it is said
        assert len(found) == 2
        assert (found[:, :4, :, 0] == DIGITS[:2, :4]).all()
        refused(say("sample", "-m", "histogram", "-f", "--complete", "one.png", "-o", "one.png"), "is the input itself")

    @pytest.mark.parametrize("name", ["two.pbm", "two.jpg"])
    def test_what_cannot_be_written_is_not_drawn(
        self,
        folder: Path,
        name: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("arcomp.sampling.draw", None)
        verb = ("sample", "-m", "binary.safetensors", "--size", "4x4", "-n", "2")
        refused(say(*verb, "-o", name), name.rpartition(".")[2])
        assert not (folder / name).exists()

    def test_text(self, folder: Path) -> None:
        text = ("sample", "-m", "text.safetensors")
        said = said_well(say(*text, "--prefix", "Call me \N{EM DASH}", "--size", "40"))
        assert said.out.startswith("Call me \N{EM DASH}".encode())
        assert len(said.out) == 41
        assert "1 text" in said.err
        (folder / "notes.txt").write_bytes(TEXT[:31])
        said_well(say(*text, "--complete", "notes.txt", "-o", "c.txt"))
        assert (folder / "c.txt").read_bytes()[:16] == TEXT[:16]
        said_well(say(*text, "--size", "6x5", "-n", "2", "-o", "gray.npy"))
        assert np.load(folder / "gray.npy").shape == (2, 6, 5, 1)
        shown = say(*text, "--size", "300", terminals=("stdout",))
        assert all(c.isprintable() or c in "\n\t" for c in shown.out.decode())

    def test_refusals(self, folder: Path) -> None:
        binary = ("sample", "-m", "binary.safetensors")
        refused(say(*binary), "name it with -o")
        refused(say(*binary, "-o", "a.jpg"), "jpg")
        refused(say(*binary, "--prefix", "a", "-o", "a.txt"), "does not draw text")
        refused(say(*binary, "--size", "0x4", "-o", "a.png"), "is not HxW", status=2)
        refused(say(*binary, "--size", "4x4", "--complete", "a.png", "-o", "b.png"), "leave out --size", status=2)
        refused(say(*binary, "--complete", "a.png", "-o", "b.png"), "a.png: does not exist")
        refused(say("sample", "-m", "histogram", "-o", "b.png"), "give one to complete")
        refused(say("sample", "-m", "photo-fast", "--temperature", "0.5", "-o", "b.png"), "cannot draw at another")
        Image.fromarray(pictures("noise", (5, 5, 3), 8)).save(folder / "rgb.png")
        refused(say(*binary, "--complete", "rgb.png", "-o", "b.png"), "rgb.png: model pixelcnn takes")
        for temperature in ("nan", "inf", "-inf", "NaN"):
            refused(say(*binary, f"--temperature={temperature}", "-o", "b.png"), "temperature", status=2)
        refused(say(*binary, "--size", "5", "-o", "b.png"), "--size 5x5", status=2)
        refused(say("sample", "-m", "text.safetensors", "--size", "5x5"), "a text has no rows", status=2)
        assert not (folder / "b.png").exists()
