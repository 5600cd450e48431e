"""What one expects of a tool: hints for what was misspelt, examples, completion, weights that suit an input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

import arcomp
from arcomp.cli.group import VERBS, group
from arcomp.cli.jobs import Job
from arcomp.cli.suiting import suited
from arcomp.contract.library import SHIPPED
from arcomp.contract.registry import PRESETS
from arcomp.contract.suiting import suiting
from arcomp.samples import of_array, of_bytes
from tests.cli.command import DIGITS, MODEL, pixels, refused, said_well, save, say

TEXT = b"It was the best of times, it was the worst of times. " * 40


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (["compres", "x.png"], "did you mean `arcomp compress`"),
        (["verify"], "no such command"),
        (["compress", "-m", "pixelcn", "img.png"], "did you mean pixelcnn"),
        (["compress", "-m", "photo-fsat", "img.png"], "did you mean photo-fast?"),
        (["compress", "-p", "fas", "img.png"], "fast"),
    ],
)
def test_what_was_misspelt(folder: Path, line: list[str], hint: str) -> None:
    save(folder / "img.png")
    said = say(*line)
    assert said.status in (1, 2)
    assert hint in said.err.lower()


def test_every_verb_has_examples() -> None:
    for verb in VERBS:
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        assert f"arcomp {verb}" in (command.epilog or ""), verb


def test_the_weights_of_a_model_that_suit_an_input() -> None:
    assert suiting("pixelcnn", of_array(DIGITS)) == "pixelcnn-digits"
    assert suiting("pixelcnn", of_array(pixels())) == "pixelcnn-colour"
    assert suiting("wavenet", None) == "wavenet-text"
    assert suiting("char_rnn", None) == "char_rnn-text"
    assert suiting("photo", of_bytes(b"x")) == "photo"
    assert suiting("pixelcnn-colour", of_array(DIGITS)) == "pixelcnn-colour"
    assert suiting("pixelcnn", of_array(np.zeros((3, 4, 2), np.uint8))) == "pixelcnn"


def test_the_command_looks_at_the_first_file(folder: Path) -> None:
    np.save(folder / "digits.npy", DIGITS > 0)
    (folder / "notes.txt").write_bytes(TEXT)
    assert suited("pixelcnn", [Job("missing"), Job("digits.npy"), Job("notes.txt")]) == "pixelcnn-digits"
    assert suited("wavenet", [Job("notes.txt")]) == "wavenet-text"
    assert suited("wavenet", [Job("-")]) == "wavenet"


def test_a_text_has_a_model_of_its_own(folder: Path) -> None:
    (folder / "notes.txt").write_bytes(TEXT)
    said = say("compress", *MODEL, "notes.txt")
    assert said.status == 0
    assert "notes.txt is text, which -m char_rnn-text makes smaller, but slowly" in said.err
    assert "is text" not in say("compress", *MODEL, "-f", "--bytes", "notes.txt").err


def test_what_became_larger_is_said(folder: Path) -> None:
    (folder / "noise").write_bytes(os.urandom(300))
    assert "bytes larger, by what is kept about it" in say("compress", *MODEL, "noise").err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_of_verbs_models_presets_and_files(shell: str) -> None:
    script = said_well(say("completion", shell)).out.decode()
    assert "_ARCOMP_COMPLETE" in script
    assert "arcomp" in script


def completed(words: str, begun: str) -> list[str]:
    code = "from arcomp.cli import main; main()"
    about = {**os.environ, "_ARCOMP_COMPLETE": "bash_complete", "COMP_WORDS": f"arcomp {words}{begun}"}
    about["COMP_CWORD"] = str(len(words.split()) + 1)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=about)
    return run.stdout.split()


def test_what_is_completed() -> None:
    assert completed("", "dec") == ["plain,decompress"]
    assert completed("compress -p ", "") == [f"plain,{preset}" for preset in PRESETS]
    assert "plain,photo-fast" in completed("compress -m ", "photo")
    assert completed("compress ", "img") == ["file,img"]


def test_a_shell_that_is_not_known(folder: Path) -> None:
    refused(say("completion", "tcsh"), "tcsh", status=2)


def test_weights_by_their_path(folder: Path) -> None:
    """A path that begins at the root is no pattern to look for names by."""
    save(folder / "a.png")
    weights = SHIPPED / "context.safetensors"
    said_well(say("compress", "-q", "-m", str(weights.resolve()), "a.png"))
    said = say("compress", "-f", "-m", str(folder.resolve() / "nothing"), "a.png")
    assert said.status == 1
    assert "no model" in said.err


@pytest.mark.parametrize(
    ("given", "model"), [("-1", "turbo"), ("-3", "fast"), ("-5", "balanced"), ("-9", "max"), ("-p max -3", "fast")]
)
def test_levels_mean_presets(folder: Path, given: str, model: str) -> None:
    save(folder / "a.png")
    (about,) = say("compress", *given.split(), "--json", "-f", "a.png").objects
    assert about["digest"] == arcomp.load(f"photo-{model}").digest.hex()


def test_man_pages_say_what_help_says(tmp_path: Path) -> None:
    """Those in docs/man, but for line breaks: ``python -m arcomp.cli.manual docs/man`` makes them anew."""
    from arcomp.cli.manual import main

    main(tmp_path)
    kept = Path(__file__).parents[2] / "docs" / "man"
    assert sorted(path.name for path in kept.iterdir()) == sorted(path.name for path in tmp_path.iterdir())
    for path in kept.iterdir():
        assert path.read_text(encoding="utf-8").split() == (tmp_path / path.name).read_text(encoding="utf-8").split()
        assert ".SH EXAMPLES" in path.read_text(encoding="utf-8") or path.stem == "arcomp"


def test_speed_of_all_files(folder: Path) -> None:
    for name in ("a.png", "b.png"):
        save(folder / name)
    assert re.search(
        r"2 files: .* [0-9.e+]+ [kM]P/s\n$", say("compress", "-m", "histogram", "a.png", "b.png").out.decode()
    )
