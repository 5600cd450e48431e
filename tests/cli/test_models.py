"""Models and presets as the command line names them, and doctor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba.core.event import trigger_event
from PIL import Image

import arcomp
from arcomp.contract import library, registry
from arcomp.models.pixelcnn import PixelCNN
from tests.cli.command import MODEL, compressed, names, pixels, refused, said_well, save, say
from tests.specimens import layered


@pytest.fixture
def photograph(folder: Path) -> Path:
    """As much of a photograph as few pixels can be: what repeats is coded by a model of drawings."""
    y, x = np.mgrid[:40, :50][..., None]
    grain = np.random.default_rng(3).integers(0, 9, (40, 50, 1)) * [1, 2, 1]
    Image.fromarray((2 * y + 3 * x + grain).astype(np.uint8)).save(folder / "img.png")
    return folder / "img.png"


class TestModels:
    def test_default(self, photograph: Path) -> None:
        (about,) = say("compress", "--json", photograph).objects
        (row,) = [row for row in say("models", "--json").objects if row["default"]]
        assert (about["model"], row["name"], about["digest"]) == ("photo", "photo-balanced", row["digest"])
        assert say("test", f"{photograph}.arcomp").status == 0

    def test_unknown(self, picture: Path) -> None:
        refused(say("compress", "-m", "nope", picture), "no model 'nope'")
        refused(say("compress", "-m", "none.safetensors", picture), "none.safetensors")
        refused(say("models", "nope"), "no model 'nope'")

    def test_other_weights(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.models.histogram import Histogram

        packed = compressed(picture)
        init = Histogram.__init__

        def other(self: Histogram, *args: Any) -> None:
            init(self, *args)
            self.digest = bytes(32)

        digest = say("info", "--json", packed).objects[0]["digest_begins"]
        monkeypatch.setattr(Histogram, "__init__", other)
        refused(say("test", packed), digest[:8])

    def test_list(self) -> None:
        rows = {row["name"]: row for row in say("models", "--json").objects}
        assert rows["histogram"]["where"] == "built in"
        assert set(rows["histogram"]) >= {"name", "digest", "parameters", "where", "default"}
        assert rows["photo-fast"]["takes"] == ["gray", "RGB"]
        assert rows["graphic"]["takes"] == ["1 bit", "gray", "RGB", "RGBA"]
        assert rows["char_rnn-text"]["takes"] == ["bytes", "gray"]
        said = say("models")
        assert b"histogram" in said.out
        assert b"built in" in say("models", "histogram").out

    def test_several_weights_of_one_name(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The file that bears the name alone is taken; what the other coded is still decoded."""
        several = folder / "models"
        several.mkdir()
        monkeypatch.setenv("ARCOMP_MODELS", str(several))
        first, second = (layered(PixelCNN, channels=1, depth=8, width=w, blocks=1, kernel=3).weights for w in (3, 4))
        first.save(several / "pixelcnn-small.safetensors")
        array = pixels(9, 13, 1)
        Path("one.arcomp").write_bytes(arcomp.compress(array, "pixelcnn-small"))
        first.save(several / f"pixelcnn-small.{first.digest.hex()[:8]}.safetensors")
        second.save(several / "pixelcnn-small.safetensors")
        registry._load.cache_clear()  # as in another process
        Path("two.arcomp").write_bytes(arcomp.compress(array, "pixelcnn-small"))
        (now,) = said_well(say("info", "--json", "two.arcomp")).objects
        assert now["digests_begin"] == [second.digest.hex()[:16]]
        assert say("test", "one.arcomp", "two.arcomp").status == 0
        rows = [row for row in say("models", "--json").objects if row["name"] == "pixelcnn-small"]
        assert [row["digest"] for row in rows] == [second.digest.hex(), first.digest.hex()]
        (several / f"pixelcnn-small.{first.digest.hex()[:8]}.safetensors").unlink()
        registry._load.cache_clear()
        refused(say("test", "one.arcomp"), first.digest.hex()[:16])

    def test_a_file_of_weights(self, folder: Path) -> None:
        shipped = library.SHIPPED / "pixelcnn-digits.safetensors"
        (folder / "mine.safetensors").write_bytes(shipped.read_bytes())
        said = say("models", "mine.safetensors")
        assert said.status == 0
        assert said.out.startswith(b"  mine ")
        assert b"# pixelcnn" in said.out

    def test_cards_and_damaged_weights(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "context.safetensors").write_bytes(b"damaged")
        (folder / "context.md").write_text("# The card\n")
        monkeypatch.setenv("ARCOMP_MODELS", str(folder))
        assert b"# The card" in say("models", "context").out
        assert b"damaged" in say("models").out

    def test_info_without_torch(self, picture: Path) -> None:
        code = (
            "import sys; from arcomp.cli import main; main(['info', sys.argv[1]]);"
            "print([m for m in ('torch', 'numba', 'PIL') if m in sys.modules])"
        )
        command = [sys.executable, "-c", code, str(compressed(picture))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"
        assert "40, RGB, 8 bits" in done.stdout

    def test_cuda_where_there_is_none(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        refused(say("compress", *MODEL, "--device", "cuda", picture), "--device cpu")
        assert say("compress", *MODEL, "--device", "auto", picture).status == 0
        for verb in ("decompress", "test"):
            refused(say(verb, "--device", "cuda", "img.png.arcomp"), "--device cpu")


class TestPresets:
    @pytest.mark.parametrize("preset", ["fast", "balanced", "max"])
    def test_each(self, photograph: Path, preset: str) -> None:
        (about,) = say("compress", "--json", "--preset", preset, photograph).objects
        row, *_ = (row for row in say("models", "--json").objects if row["name"] == f"photo-{preset}")  # the newest
        assert (about["model"], about["digest"]) == ("photo", row["digest"])
        first = Path(f"{photograph}.arcomp").read_bytes()
        for same in (("-m", f"photo-{preset}"), ("-m", "photo", "-p", preset)):
            assert say("compress", "-f", *same, photograph).status == 0
            assert Path(f"{photograph}.arcomp").read_bytes() == first
        assert say("test", f"{photograph}.arcomp").status == 0
        data = photograph.read_bytes()
        photograph.unlink()
        assert say("decompress", f"{photograph}.arcomp").status == 0
        assert photograph.read_bytes() == data

    def test_refused(self, picture: Path, folder: Path) -> None:
        refused(say("compress", "-m", "context", "--preset", "fast", picture), "--preset", 2)
        refused(say("compress", "-m", "photo-max", "--preset", "fast", picture), "--preset", 2)
        refused(say("compress", *MODEL, "-p", "max", picture), "histogram", 2)
        refused(say("compress", "--preset", "best", picture), "best", 2)
        assert names(folder) == {"img.png"}

    def test_threads_do_not_change_the_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import torch

        from arcomp.models.photo import model

        path = save(folder / "img.png", height=40, width=30)
        monkeypatch.setattr(model, "SPLIT_PIXELS", 100)  # so that there are strips
        monkeypatch.setattr(model, "STRIP_PIXELS", 300)
        before, files = torch.get_num_threads(), set()
        try:
            for options in ((), ("--threads", "1"), ("--threads", "2"), ("--threads", "5")):
                assert say("compress", "-f", *options, path).status == 0
                files.add((folder / "img.png.arcomp").read_bytes())
            assert say("test", "--threads", "1", "img.png.arcomp").status == 0
        finally:
            torch.set_num_threads(before)
        assert len(files) == 1

    def test_json_tells_what_learning_gave(self, photograph: Path) -> None:
        said = say("compress", "--json", photograph)
        (about,) = said.objects
        assert 0 < about["nll_bits"] < about["network_nll_bits"]
        assert 8 * about["output_bytes"] > about["nll_bits"]
        assert b"NLL of the network alone" in say("compress", "-f", "-v", photograph).out
        (about,) = say("compress", "-f", "--json", *MODEL, save(photograph)).objects
        assert about["network_nll_bits"] is None

    @pytest.mark.parametrize("kept", [True, False])
    def test_says_that_it_compiles(self, picture: Path, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
        """After a while, once, on standard error; not for those who asked for silence, and not for what is quick."""
        from arcomp import codec
        from arcomp.cli import coding

        warm_up = codec.warm_up
        cache = SimpleNamespace(_cache_file=None) if kept else SimpleNamespace()
        compiled = {"dispatcher": SimpleNamespace(_cache=cache)}

        def slow(*args: Any, **kwargs: Any) -> Any:
            with trigger_event("numba:compile", data=compiled):
                time.sleep(0.3)
            return warm_up(*args, **kwargs)

        assert "compiling" not in say("compress", "-p", "fast", picture).err
        monkeypatch.setattr(codec, "warm_up", slow)
        monkeypatch.setattr(coding, "COMPILING", 0.05)
        other = save(picture.parent / "other.png", seed=1)
        said = say("compress", "-f", "-p", "fast", picture, other)
        why = "the first time only" if kept else "each time: set NUMBA_CACHE_DIR to a folder to keep it in"
        assert said.lines == [f"arcomp: compiling for this processor, {why} ..."]
        for quiet in ("-q", "--json"):
            assert say("compress", "-f", quiet, "-p", "fast", picture).err == ""

    def test_a_preset_that_is_not_here(self, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(library, "SHIPPED", picture.parent / "none")
        monkeypatch.setenv("ARCOMP_MODELS", "")
        monkeypatch.setenv("HOME", str(picture.parent))
        refused(say("compress", "-p", "max", picture), "photo-max is not in")

    def test_a_name_that_is_not_there(self, picture: Path) -> None:
        said = say("compress", "-m", "photo-slow", picture)
        there = "photo-balanced, photo-fast, photo-max, photo-turbo"
        refused(said, f"there are {there}; or put its weights there as photo-slow.safetensors")


class TestDoctor:
    def test_warm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp.contract import registry

        monkeypatch.setattr(registry, "names", lambda: ["histogram", "context"])
        said = say("doctor", "--warm")
        assert said.status == 0
        assert [line.split()[:3:2] for line in said.out.decode().splitlines()] == [
            ["files", "in"],
            ["histogram", "in"],
            ["context", "in"],
        ]
        assert [o["problem"] for o in say("doctor", "--warm", "--json").objects] == ["", "", ""]
        monkeypatch.setattr(registry, "names", lambda: ["nothing"])
        assert say("doctor", "--warm").status == 1

    def test_status(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from arcomp import doctor

        monkeypatch.setattr(doctor, "examine", lambda device: [doctor.Finding("python", "3", True)])
        assert say("doctor", "--device", "cpu").status == 0
        bad = [doctor.Finding("python", "3", True), doctor.Finding("backend", "wrong", False)]
        monkeypatch.setattr(doctor, "examine", lambda device: bad)
        said = say("doctor", "--device", "cpu")
        assert said.status == 1
        assert b"backend" in said.out
        assert [o["ok"] for o in say("doctor", "--device", "cpu", "--json").objects] == [True, False]

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_findings_are_printed_as_they_are_found(
        self, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
    ) -> None:
        from arcomp import doctor

        def interrupted(device: str) -> Iterator[doctor.Finding]:
            yield doctor.Finding("python", "3", True)
            raise KeyboardInterrupt

        monkeypatch.setattr(doctor, "examine", interrupted)
        assert b"python" in say("doctor", "--device", "cpu", *options).out
