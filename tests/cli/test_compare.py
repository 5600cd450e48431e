"""``arcomp compare`` as a command."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.temporal_conv import TemporalConv
from tests.cli.command import refused, say
from tests.compared import picture
from tests.contents import pictures
from tests.specimens import layered


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
        assert said.status == 1
        assert said.lines == ["arcomp: r.csv: no space is left on the device; free some space, or write elsewhere"]
        assert {p.name for p in folder.iterdir()} == {"a.png", "r.json", "r.html"}

    def test_refusals(self, folder: Path) -> None:
        picture(folder / "a.png", 20, 30, 3)
        refused(say("compare", "absent.png", *self.MODELS), "absent.png: does not exist")
        refused(say("compare", "a.png", "--models", "absent"), "no model 'absent'")
        refused(say("compare", "a.png", "--models", ""), "--models names none", 2)
        refused(say("compare", "a.png", *self.MODELS, "--html", "-"), "need a file", 2)
        refused(say("compare", "a.png", *self.MODELS, "--csv", "r", "--json", "r"), "a file each", 2)
        refused(say("compare", "a.png", *self.MODELS, "--json", "no/r.json"), "its folder does not exist")
        assert {p.name for p in folder.iterdir()} == {"a.png"}

    def test_pictures_that_cannot_be_read(self, folder: Path) -> None:
        (folder / "in").mkdir()
        picture(folder / "in" / "a.png", 20, 30, 3)
        (folder / "in" / "cut.png").write_bytes((folder / "in" / "a.png").read_bytes()[:-30])
        said = say("compare", "in", *self.MODELS)
        assert said.status == 0
        assert said.results[0] == "1 input, 1,800 sub-pixels"
        (line,) = said.lines
        assert line.startswith("arcomp: warning: in/cut.png: left out: a damaged PNG picture")
        said = say("compare", "in/cut.png", "in/a.png", *self.MODELS)
        assert said.status == 1
        assert said.results[0] == "1 input, 1,800 sub-pixels"
        assert "damaged" in said.err
        (folder / "in" / "a.png").unlink()
        assert "there is nothing to compare" in say("compare", "in", *self.MODELS).err

    @pytest.mark.parametrize(
        ("mode", "skipped"),
        [("P", ()), ("RGBA", ()), ("LA", ()), ("1", ()), ("I;16", ("WebP",))],
    )
    def test_every_kind_of_picture(self, folder: Path, mode: str, skipped: tuple[str, ...]) -> None:
        """By models, by way of transforms, and by the codecs that can hold it, with the same pixels."""
        image = Image.fromarray(pictures("smooth", (20, 30, 3), 8)).convert(mode)
        if mode in ("LA", "RGBA"):
            image.putalpha(Image.fromarray(pictures("smooth", (20, 30, 1), 8)[:, :, 0]))
        image.save("a.png")
        said = say("compare", "a.png", *self.MODELS, "--classical", "--html", "page.html", "-f", "--json")
        assert said.status == 0, said.err
        rows = {row["model"]: row for row in said.objects}
        for name in ("histogram", "PNG", "WebP"):
            assert bool(rows[name]["skipped"]) == (name in skipped), rows[name]
            assert rows[name]["round_trip"] or name in skipped

    def test_pictures_of_several_sizes(self, folder: Path) -> None:
        Image.fromarray(pictures("smooth", (64, 64, 3), 8)).save("a.ico", sizes=[(16, 16), (32, 32)])
        said = say("compare", "a.ico", *self.MODELS, "--classical", "--json")
        assert said.status == 0, said.err
        rows = {row["model"]: row for row in said.objects}
        assert rows["histogram"]["round_trip"] is True
        assert rows["histogram"]["samples"] == 3 * (16 * 16 + 32 * 32)
        assert rows["PNG"]["skipped"] == "pictures of several sizes"

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

    @pytest.mark.parametrize("torch", [True, False])
    def test_the_note_is_there_where_its_star_is(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, torch: bool
    ) -> None:
        """In the table and on the page."""
        if torch:
            pytest.importorskip("torch")
        else:
            monkeypatch.setattr("arcomp.measure.compare.float_nll", lambda *args: None)
        picture(folder / "a.png", 20, 30, 3)
        said = say("compare", "a.png", "--models", "photo-fast,histogram", "--html", "r.html")
        assert said.status == 0
        page = (folder / "r.html").read_text(encoding="utf-8")
        for text in (said.out.decode(), page):
            assert ("* of the network alone" in text) is torch
            assert text.count("*") == 2 * torch or text is page

    def test_limit(self, folder: Path) -> None:
        np.save(folder / "many.npy", np.zeros((50, 4, 8), np.uint8))
        assert say("compare", "many.npy", *self.MODELS, "--limit", "3").results[0] == "1 input, 96 sub-pixels"


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
