"""What ``arcomp compare`` measures: inputs, models and codecs, results."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import arcomp
from arcomp.errors import ArcompError, PictureError
from arcomp.measure.codecs import Png, WebP, identical
from arcomp.measure.compare import ModelContestant
from arcomp.measure.contestants import CodecContestant, Coded, Contestant
from arcomp.measure.inputs import find, least_depth, read
from arcomp.measure.record import Measurement
from arcomp.measure.results import COLUMNS, as_csv, as_json, results
from arcomp.measure.sheets import sheet
from arcomp.samples import Samples, of_array
from tests.cli.command import pixels, say
from tests.coded import encode
from tests.contents import pictures


class TestInputs:
    def test_arrays(self, tmp_path: Path) -> None:
        many = np.arange(2 * 3 * 6 * 3, dtype=np.uint8).reshape(2, 3, 6, 3) + np.uint8(60)
        np.save(tmp_path / "colour.npy", many)
        np.savez(tmp_path / "gray.npz", many[..., 0])
        np.save(tmp_path / "bool.npy", many[..., 0] > 99)
        np.save(tmp_path / "digits.npy", many[..., 0] % 2)
        found = {p.path.stem: read(p.path) for p in find([tmp_path])}
        assert {name: (i.pixels.shape, i.depth) for name, i in found.items()} == {
            "colour": ((2, 3, 6, 3), 8),
            "gray": ((2, 3, 6, 1), 8),
            "bool": ((2, 3, 6, 1), 1),
            "digits": ((2, 3, 6, 1), 8),
        }
        assert np.array_equal(found["colour"].pixels, many)
        assert np.array_equal(found["bool"].pixels[..., 0], many[..., 0] > 99)
        assert [least_depth(found[name]) for name in ("gray", "bool", "digits")] == [8, 1, 1]
        assert len(read(tmp_path / "colour.npy", 1).pixels) == 1
        assert len(find([tmp_path], 2)) == 2

    def test_files_are_as_large_as_those_that_are_kept(self, folder: Path) -> None:
        """But for what is kept of the file that pictures came from: its form, name, time and checksum."""
        few = pixels(60, 80)
        np.save(folder / "many.npy", few[None])
        Image.fromarray(few).save(folder / "one.png")
        for name in ("many.npy", "one.png"):
            (about,) = say("compress", "-m", "histogram", "--json", name).objects
            found = ModelContestant("histogram").measure(name, read(Path(name)))
            assert found.bytes is not None
            assert about["output_bytes"] - about["form_bytes"] < found.bytes < about["output_bytes"]

    @pytest.mark.parametrize(
        ("name", "save"),
        [
            ("float.npy", lambda path: np.save(path, np.zeros((1, 2, 2)))),
            ("flat.npy", lambda path: np.save(path, np.zeros(4, np.uint8))),
            ("empty.npy", lambda path: np.save(path, np.zeros((0, 2, 2), np.uint8))),
            ("objects.npy", lambda path: np.save(path, np.array([{}]), allow_pickle=True)),
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
        given = Samples.of(np.stack([pictures("smooth", (9, 11, 3), 8, seed) for seed in range(5)]))
        model, codec = ModelContestant("histogram"), CodecContestant(Png())
        of_model, of_codec = model.measure("a", given), codec.measure("a", given)
        encoded = encode(given.pixels, 8, arcomp.load("histogram"))
        assert (of_model.bytes, of_model.nll_bits_exact) == (len(encoded.data), encoded.nll_bits)
        assert of_model.round_trip
        assert of_codec.round_trip
        assert of_codec.bytes == len(Png().encode(sheet(given.pixels)))
        assert (of_codec.nll_bits_float, of_codec.nll_bits_exact) == (None, None)
        assert model.startup_seconds > 0
        assert codec.startup_seconds > 0

    def test_what_was_tried_is_timed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A small picture was coded to choose its transform: it is coded once more, by the clock."""
        given, contestant = Samples.of(pictures("noise", (12, 12, 3), 2)[None] * 80), ModelContestant("graphic")
        own = contestant.fitted(given)
        coded, inner = list[int](), contestant.model.encode

        def watched(*args: Any) -> Any:
            coded.append(1)
            return inner(*args)

        monkeypatch.setattr(contestant.model, "encode", watched)
        contestant.encode(own)
        assert coded

    def test_depths(self, binary: Path) -> None:
        digits = pictures("noise", (8, 8, 1), 1)[None]
        found = ModelContestant(str(binary)).measure("d", of_array(digits))
        assert (found.depth, found.round_trip, found.skipped) == (1, True, "")
        assert ModelContestant("context").measure("d", of_array(digits)).depth == 8
        found = ModelContestant("context").measure("d", of_array(digits.astype(bool)))  # by way of a transform
        assert (found.depth, found.round_trip, found.skipped) == (1, True, "")
        found = ModelContestant(str(binary)).measure("d", of_array(pictures("noise", (8, 8, 1), 8)[None]))
        assert "takes 1 channel of 1 bit" in found.skipped

    def test_wrong_pixels_are_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = Samples.of(pictures("smooth", (9, 11, 3), 8)[None])
        whole = WebP.decode
        monkeypatch.setattr(WebP, "decode", lambda self, data: whole(self, data) ^ np.uint8(1))
        found = CodecContestant(WebP()).measure("a", given)
        assert (found.round_trip, found.failed) == (False, True)

    def test_an_error_is_a_result(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object, **__: object) -> None:
            raise ArcompError("too large for this machine")

        contestant = ModelContestant("histogram")
        monkeypatch.setattr("arcomp.codec.encode", full)
        found = contestant.measure("a", Samples.of(pictures("smooth", (9, 11, 3), 8)[None]))
        assert (found.failed, found.bytes, found.skipped) == (True, None, "failed: too large for this machine")


class Fixed(Contestant):
    """One whose results are given."""

    def __init__(self, name: str, parameters: int | None = None) -> None:
        self.name, self.parameters = name, parameters

    def fitted(self, samples: Samples) -> Samples:
        return samples

    def warm_up(self, samples: Samples) -> None:
        pass

    def encode(self, samples: Samples, progress: Any = None) -> Coded:
        raise NotImplementedError

    def decode(self, data: bytes, progress: Any = None) -> Any:
        raise NotImplementedError

    def identical(self, samples: Samples, decoded: Any) -> bool:
        return True


def measured(codec: str, number: int, size: int | None, **more: Any) -> Measurement:
    usual = {} if size is None else {"encode_seconds": 0.5, "decode_seconds": 2.0, "round_trip": True}
    return Measurement(codec, f"input {number}", 3_000_000, 1_000_000, 8, size, **{**usual, **more})


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
