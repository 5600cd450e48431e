"""``arcomp train``: recipes found and listed, one line for whatever is wrong, weights at the end."""

from __future__ import annotations

import csv
import errno
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arcomp.formats.wav import write_wav
from arcomp.models.made import MADE
from arcomp.samples import Samples
from tests.cli.command import MODEL, refused, save, say

TINY = (
    'model = "context"\nseed = 1\n[config]\nchannels = 1\ntrunk = [8]\nhead = 8\nmixture = 2\n'
    "[data]\ncrop = 16\ncrops = 4\nheld_out = 1\n[optimiser]\nbatch = 64\nsteps = 8\nwarmup = 2\n"
)
TEXT = (
    'model = "temporal_conv"\nseed = 1\n[config]\nchannels = 1\ndepth = 8\nwidth = 4\nblocks = 1\nkernel = 2\n'
    '[data]\nkind = "bytes"\ncrop = 32\ncrops = 8\nheld_out = 4\n[optimiser]\nbatch = 4\nsteps = 6\n'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(folder: Path) -> Path:
    """Small gray pictures, and a recipe for them, in the folder that commands run in."""
    (folder / "photos").mkdir()
    for i in range(4):
        save(folder / "photos" / f"{i}.png", seed=i, channels=1, height=24, width=24)
    (folder / "tiny.toml").write_text(TINY)
    (folder / "text.toml").write_text(TEXT)
    return folder / "photos"


def test_usage(folder: Path) -> None:
    refused(say("train", "photos"), "--model", 2)
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "x.bin"), "safetensors", 2)
    refused(
        say("train", "--recipe", "context-rgb", "p", "-o", "x.safetensors", "--steps", "1", "--minutes", "1"), "both", 2
    )
    refused(say("train", "--recipe", "nope", "photos", "-o", "x.safetensors"), "no recipe 'nope'")
    refused(say("train", "--model", "nope", "photos", "-o", "x.safetensors"), "no recipe for model 'nope'")
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "x.safetensors"), "photos: ")
    refused(say("train", "--recipe", "made-digits", "--model", "photo", "p", "-o", "x.safetensors"), "of model made")
    (folder / "photos").mkdir()
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "x.safetensors"), "no pictures in photos")
    refused(say("train", "--model", "context", "photos", "-o", "x.safetensors"), "no files in photos")
    (folder / "jpegs").mkdir()
    for i in range(2):
        (folder / "jpegs" / f"{i}.JPG").write_bytes(b"\xff\xd8\xff" + bytes(100))
    for model in ("pixelcnn", "wavenet"):
        refused(say("train", "--model", model, "jpegs", "-o", "x.safetensors"), "no pictures that can be read in jpegs")
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "n/x.safetensors"), "n/x.safetensors: its folder")
    refused(say("train", "--recipe", "made-digits", "p", "-o", "x.safetensors", "--checkpoint", "n/c"), "n/c: its")
    (folder / "x.safetensors").touch()
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "x.safetensors"), "-f")
    (folder / "y.safetensors.checkpoint").touch()
    refused(say("train", "--recipe", "context-rgb", "photos", "-o", "y.safetensors"), "--resume")


def test_weights_to_begin_from_name_the_model(folder: Path, photos: Path) -> None:
    """Of gray pictures another recipe is taken than the weights' own."""
    begun = say("train", "--begin-from", "photo-fast", "photos", "-o", "x.safetensors", "--steps", "1")
    refused(begun, "4 usable pictures, of which 12 would be held out")


def test_what_would_fail_at_the_end_is_refused_at_the_start(folder: Path, photos: Path) -> None:
    command: list[str | Path] = ["train", "--recipe", "tiny.toml", "photos", "-q", "-o", "w.safetensors"]
    (folder / "w.safetensors.checkpoint").write_bytes(b"precious")
    same = [*command, "--checkpoint", folder / "photos" / ".." / "w.safetensors"]
    refused(say(*same, "-f"), "is the checkpoint and the output at once")
    (folder / "folder.safetensors").mkdir()
    refused(say(*command[:-1], "folder.safetensors", "-f"), "folder.safetensors: is a directory")
    refused(say(*command, "--checkpoint", "photos", "-f"), "photos: is a directory")
    refused(say(*command, "--join", "x", "--checkpoint", "x", "-f"), "is the checkpoint and what is joined at once")
    os.mkfifo(folder / "pipe")
    refused(say(*command, "--checkpoint", "pipe", "-f"), "pipe: is not a regular file")
    assert (folder / "w.safetensors.checkpoint").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("setting", "words"), [("order = 3", "networks have another order"), ("rows = 9", "another size of pictures")]
)
def test_networks_that_cannot_be_in_one_file(folder: Path, photos: Path, setting: str, words: str) -> None:
    settings = {"channels": 1, "depth": 1, "rows": 16, "columns": 16, "width": 8, "blocks": 1}
    settings |= {"masks": 1, "degrees": 1, "direct": 1, "order": 0}
    MADE.freeze({1: MADE.float_model(settings)}).save(folder / "w.safetensors")
    lines = [f"{name} = {value}" for name, value in {**settings, "depth": 8}.items()]
    config = [setting if line.split()[0] == setting.split()[0] else line for line in lines]
    (folder / "made.toml").write_text(
        "\n".join(['model = "made"', "seed = 1", "[config]", *config, "[data]", "crop = 9", "[optimiser]"])
    )
    command = ["train", "--recipe", "made.toml", "photos", "-q", "-o", "both.safetensors", "--join", "w.safetensors"]
    refused(say(*command), words)


def test_the_list_says_what_recipes_are_for() -> None:
    said = say("train", "--list")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in said.results}
    assert lines["context-rgb"] == "context RGB, 8 bits, 256 x 256 pixels 120,000 steps of 2,048"
    assert lines["made-digits"] == "made gray, 1 bit, 28 x 28 pixels 6,600 steps of 100"
    assert lines["wavenet-text"].startswith("wavenet text and bytes, 512 at a time")
    assert {o["recipe"] for o in say("train", "--list", "--json").objects} == set(lines)


def test_from_pictures_to_a_file(folder: Path, photos: Path) -> None:
    said = say("train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors", "--json", "--steps", "6")
    assert (said.status, said.err) == (0, "")
    started, *progress, finished = said.objects
    assert (started["recipe"], started["data"]) == ("tiny.toml", "4 pictures, 1 of them held out")
    assert progress[-1]["step"] == progress[-1]["steps"] == 6
    assert finished["event"] == "finished"
    assert (folder / "w.safetensors.checkpoint").is_file()
    picture = photos / "0.png"
    said = say("compress", "-m", "w.safetensors", "--json", picture)
    assert said.status == 0
    assert said.objects[0]["digest"] == finished["digest"]
    refused(say("test", f"{picture}.arcomp"), finished["digest"][:16])
    refused(say("test", f"{picture}.arcomp", *MODEL), "written with model context")
    assert say("test", f"{picture}.arcomp", "-m", "w.safetensors").status == 0


def test_a_run_is_logged(folder: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors", "--device", "cpu", "-q"]
    assert say(*command).status == 0
    with (folder / "w.csv").open() as file:
        first = list(csv.DictReader(file))
    assert [row["step"] for row in first][-1] == "8"
    assert float(first[-1]["validation_bits"]) > 0
    if find_spec("matplotlib"):
        assert b"bits per dimension" in (folder / "w.svg").read_bytes()
    assert say(*command, "--resume", "-f", "--steps", "12").status == 0
    with (folder / "w.csv").open() as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 12
    (folder / "mine.csv").write_text("a,b\n1,2\n")
    refused(say(*command, "-f", "--log", "mine.csv"), "mine.csv: exists already and is no log of a run")
    monkeypatch.setattr("arcomp.training.log.find_spec", lambda name: None)
    refused(say(*command, "-f", "--tensorboard", "board"), 'pip install "arcomp[tensorboard]"')


def test_a_run_begins_from_weights(folder: Path, photos: Path) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "--device", "cpu", "--json"]
    assert say(*command, "-o", "w.safetensors", "--steps", "60").status == 0
    one = [*command, "--steps", "1", "--rate", "0.000001"]
    fresh, begun = say(*one, "-o", "a.safetensors"), say(*one, "-o", "b.safetensors", "--begin-from", "w.safetensors")
    assert begun.objects[-1]["float_bits"] < fresh.objects[-1]["float_bits"] - 0.1
    refused(say(*one, "-q", "-o", "c.safetensors", "--begin-from", "photo-fast"), "weights of photo, not of context")


def test_little_is_held_out_of_little(folder: Path, photos: Path) -> None:
    """Of a short text, and of a sound of 16 kB, which chooses its recipe itself."""
    t = np.arange(8000)
    tone = (9000 * np.sin(t / 7) + np.random.default_rng(0).normal(0, 9, len(t))).astype(np.int16)
    (folder / "a.wav").write_bytes(write_wav(Samples.of((tone.view(np.uint16) ^ 0x8000).reshape(1, 1, -1, 1), 16)))
    command = ["train", "--model", "wavenet", "a.wav", "-o", "w.safetensors", "--device", "cpu", "--steps", "1"]
    refused(say(*command, "-q"), "hold out less by --held-out")
    said = say(*command, "--held-out", "2", "--json")
    assert said.status == 0
    assert said.objects[0]["data"] == "1 sound, 8,000 samples; 1,024 held out"


def test_text_is_told_in_bits_per_character(folder: Path, photos: Path) -> None:
    (folder / "text.txt").write_text("to be or not to be, " * 50)
    said = say("train", "--recipe", "text.toml", "text.txt", "-o", "t.safetensors", "--device", "cpu")
    assert said.status == 0
    assert "recipe text.toml, 6 steps, on cpu; a file, 1,000 bytes; its end held out" in said.err
    assert "step 6 of 6, bits per character: training" in said.err
    assert "bits per character on what was held out" in said.out.decode()


def test_minutes_and_bfloat16(folder: Path, photos: Path) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors", "--minutes", "0.01", "--bf16"]
    said = say(*command, "--json")
    assert (said.status, said.err) == (0, "")
    assert said.objects[1]["steps"] is None
    assert 0.6 <= said.objects[-1]["seconds"] < 60
    resumed = say(*command[:-3], "--bf16", "--resume", "-f", "--json")  # at its end, by the clock, as it is told there
    assert (resumed.status, [o["event"] for o in resumed.objects]) == (0, ["started", "finished"])
    assert resumed.objects[-1]["digest"] == said.objects[-1]["digest"]
    refused(say(*command[:-1], "--resume", "-f", "-q"), "optimiser.bf16 True there, False here")


def test_a_run_does_not_train_on_what_it_writes(folder: Path, photos: Path) -> None:
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("to be or not to be, " * 50)
    command = ["train", "--recipe", "text.toml", "texts", "-o", "texts/w.safetensors", "--checkpoint", "texts/c"]
    command += ["--device", "cpu", "-f", "--json"]
    first = say(*command)
    (folder / "texts" / "other.safetensors").write_bytes(b"weights" * 100)
    (folder / "texts" / "a.txt.arcomp").write_bytes(b"compressed" * 100)
    again = say(*command, "--resume", "--steps", "8")
    assert (first.status, again.status) == (0, 0)
    assert [said.objects[0]["data"] for said in (first, again)] == [again.objects[0]["data"]] * 2
    (folder / "texts" / "b.txt").write_text("that is the question" * 50)
    refused(say(*command, "--resume", "-q"), "texts/c: this checkpoint was made with other data than these (2 files")


def test_what_is_read_is_not_written_over(folder: Path, photos: Path) -> None:
    """Nor by force: data, the recipe, the network that is begun from."""
    command: list[str | Path] = ["train", "--recipe", "tiny.toml", "photos", "-q", "-f"]
    assert say(*command, "-o", "first.safetensors").status == 0
    picture = sorted(photos.iterdir())[0]
    weights, network = folder / "texts.safetensors", folder / "first.safetensors.checkpoint"
    weights.write_text("data by another name " * 500)
    kept = {path: path.read_bytes() for path in (picture, weights, network, folder / "tiny.toml")}
    refused(say(*command, "-o", "w.safetensors", "--checkpoint", picture), "is the checkpoint and data at once")
    refused(say(*command, "-o", "w.safetensors", "--checkpoint", "tiny.toml"), "is the checkpoint and the recipe")
    refused(say(*command, "-o", "first.safetensors", "--begin-from", network), "is the checkpoint and what is begun")
    refused(say("train", "--recipe", "text.toml", weights, "-f", "-o", weights), "is the output and data at once")
    assert {path: path.read_bytes() for path in kept} == kept


def test_nothing_is_left_to_train(folder: Path, photos: Path) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors", "--device", "cpu"]
    assert say(*command, "-q").status == 0
    said = say(*command, "--resume", "-f", "--steps", "2")
    assert said.status == 0
    assert "nothing was left to train" in said.err


def test_a_run_is_resumed_with_another_rate(folder: Path, photos: Path) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors", "--device", "cpu"]
    assert say(*command, "-q", "--rate", "0.01").status == 0
    said = say(*command, "--resume", "-f", "--steps", "12", "--rate", "0.001")
    assert said.status == 0
    assert "the rate is 0.001 from here on, it was 0.01\n" in said.err


def test_what_is_wrong_is_one_line(folder: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["train", "--recipe", "tiny.toml", "photos", "-o", "w.safetensors"]
    assert say(*command, "-q").status == 0
    kept = (folder / "w.safetensors.checkpoint").read_bytes()
    digits = np.zeros((4, 16, 16), np.uint8)
    np.save(folder / "digits.npy", digits)
    (folder / "other.toml").write_text(
        'model = "pixelcnn"\nseed = 1\n[config]\nchannels = 1\ndepth = 1\nwidth = 4\nblocks = 1\nkernel = 3\n'
        "[data]\nheld_out = 1\n[optimiser]\nbatch = 2\n"
    )
    refused(
        say("train", "--recipe", "other.toml", "digits.npy", "-o", "w.safetensors", "-f", "--resume"),
        "w.safetensors.checkpoint: this is a checkpoint of context, not of pixelcnn",
    )
    (folder / "w.safetensors.checkpoint").write_bytes(kept[:-9])
    refused(say(*command, "-f", "--resume", "-q"), "w.safetensors.checkpoint: not a checkpoint, or damaged")
    (folder / "w.safetensors.checkpoint").write_bytes(kept)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    said = say(*command, "-f", "--resume", "--steps", "20", "--json")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert "space" in said.err
    assert [json.loads(line)["event"] for line in said.out.splitlines()] == ["started"]
    monkeypatch.undo()
    assert (folder / "w.safetensors.checkpoint").read_bytes() == kept
