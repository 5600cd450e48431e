"""What files may claim, as it is said on the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from arcomp import limits
from arcomp.container import Geometry, Member, ModelId, Original, Part, pack
from arcomp.contract import registry
from arcomp.transforms import Coded
from tests.cli.command import refused, said_well, save, say


@pytest.fixture
def bomb(folder: Path) -> str:
    """A file of some 100 bytes that claims a picture of 16384 x 16384."""
    model = registry.load("histogram")
    claimed = Member(
        Geometry(((1, 16384, 16384),), 1, 8),
        (Coded(8),),
        (Part((0, 0), (b"\0" * 8,), b"\0" * 8),),
        (ModelId(model.name, model.digest[:8]),),
        original=Original(16384 * 16384, hashlib.sha256(b"").digest(), "bomb.bin"),
    )
    (folder / "bomb.arcomp").write_bytes(pack(claimed))
    return "bomb.arcomp"


@pytest.mark.parametrize("verb", [("decompress", "-o", "out.bin"), ("test",), ("extract", "-o", "out")])
def test_bombs_are_refused(bomb: str, folder: Path, verb: tuple[str, ...]) -> None:
    refused(say(*verb, bomb), "claims 268435456 samples in 16 coded bytes")
    refused(say(*verb, bomb, "--max-pixels", "1000"), "268435456 pixels, the limit is 1000")
    refused(say(*verb, bomb, "--max-pixels", "268435456", "--max-memory", "1M"), "1.0 MiB are allowed")
    assert not (folder / "out.bin").exists()


def test_honest_files_within_the_limits(folder: Path) -> None:
    np.save(folder / "a.npy", np.random.default_rng(0).integers(0, 3, (64, 72)).astype(np.uint8))
    said_well(say("compress", "-m", "histogram", "a.npy"))
    for verb in (("test",), ("info",), ("decompress", "-f"), ("extract", "-f", "-o", "out")):
        said_well(say(*verb, "a.npy.arcomp", "--max-pixels", "4608", "--max-memory", "2G"))
    refused(
        say("info", "a.npy.arcomp", "--max-pixels", "71"), "4608 pixels, the limit is 71; --max-pixels 4608 allows it"
    )


def test_salvage_keeps_to_them(folder: Path) -> None:
    """Of an intact file, and of a damaged one; other members of an archive are salvaged all the same."""
    for name, size in (("a.npy", 64), ("b.npy", 8)):
        np.save(folder / name, np.random.default_rng(0).integers(0, 3, (size, 72)).astype(np.uint8))
    said_well(say("compress", "-m", "histogram", "--tile", "32", "a.npy", "b.npy"))
    data = Path("a.npy.arcomp").read_bytes()
    for name, made in (("whole.arcomp", data), ("broken.arcomp", data[:-1])):
        Path(name).write_bytes(made)
        for limit in (("--max-pixels", "4607"), ("--max-memory", "9K")):
            refused(say("decompress", "--salvage", *limit, "-f", "-o", "out.npy", name), limit[0])
            assert not Path("out.npy").exists()
    said_well(say("decompress", "--salvage", "--max-pixels", "4608", "-o", "out.npy", "whole.arcomp"))
    Path("all.arcomp").write_bytes(data + Path("b.npy.arcomp").read_bytes())
    said = say("decompress", "--salvage", "--max-pixels", "4607", "-o", "out/", "all.arcomp")
    refused(said, "4608 pixels, the limit is 4607")
    assert [path.name for path in Path("out").iterdir()] == ["b.npy"]


def test_a_large_picture_of_one_colour(folder: Path) -> None:
    """It becomes so small that decompressing it needs leave; compressing says so."""
    np.save(folder / "black.npy", np.zeros((6500, 6500), np.uint8))
    said = say("compress", "-m", "histogram", "black.npy")
    assert said.status == 0
    assert "black.npy: became so small that decompressing it needs leave: --max-pixels 42250000" in said.err
    refused(say("decompress", "-f", "black.npy.arcomp"), "--max-pixels 42250000 decodes it all the same")
    said_well(say("decompress", "-f", "--max-pixels", "42250000", "black.npy.arcomp"))
    assert not np.load(folder / "black.npy").any()


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files claim too much, too."""
    monkeypatch.setattr(limits, "MADE_FREELY", 1 << 12)
    monkeypatch.setattr(limits, "MADE_PER_BYTE", 1)


@pytest.mark.parametrize("given", [("black.npy",), ("-r", "D"), ("--files-from", "-"), ("-r", "D", "--skip-existing")])
def test_what_needs_leave_is_not_removed(folder: Path, strict: None, given: tuple[str, ...]) -> None:
    """Nor is it silent, with -q; nor does a run that goes on remove it."""
    name = "D/black.npy" if given[0] == "-r" else "black.npy"
    Path(name).parent.mkdir(exist_ok=True)
    np.save(name, np.zeros((1000, 1000), np.uint8))
    command = ("compress", "-q", "--rm", "-m", "histogram", "-j", "1")
    for _ in range(1 + ("--skip-existing" in given)):
        said = say(*command, *given, stdin=b"black.npy\n")
        refused(
            said, f"{name}: is kept: {name}.arcomp is written, but so small that decompressing it must be allowed: "
        )
        assert "--max-pixels 1000000" in said.err
        assert Path(name).exists()
    said_well(say("decompress", "-f", "--max-pixels", "1000000", f"{name}.arcomp"))


def test_originals_that_need_leave_are_not_removed(folder: Path, strict: None) -> None:
    """Of few samples, in many bytes."""
    Path("a.pgm").write_bytes(b"P2\n60 60\n255\n" + b"200" + b"        200" * 3599)
    refused(say("compress", "-q", "--rm", "-m", "histogram", "a.pgm"), "must be allowed: --max-memory")
    assert Path("a.pgm").exists()


def test_what_takes_long_for_its_bytes_needs_leave(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Salvaging too."""
    monkeypatch.setattr(limits, "SECONDS_FREELY", 1e-5)
    monkeypatch.setattr(limits, "SECONDS_PER_BYTE", 0)
    save(folder / "a.png")
    refused(say("compress", "-q", "--rm", "-m", "graphic", "a.png"), "must be allowed: --max-pixels 2000 decodes")
    Path("a.png").unlink()
    for verb in (("test",), ("decompress", "--salvage")):
        refused(say(*verb, "a.png.arcomp"), "0.00 s of work where 0.00 s are allowed; --max-pixels 2000 decodes")
    said_well(say("test", "--max-pixels", "2000", "a.png.arcomp"))
