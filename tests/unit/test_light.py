"""Without torch: everything that is shipped works on the processor, and what does not says so in one line."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contents import pictures
from tests.unit.test_house import ROOT, modules

WITHOUT = "import sys; sys.modules['torch'] = None; from arcomp.cli import main; sys.exit(main(sys.argv[1:]))"
TRAINS = ("arcomp.training", "arcomp.layers.float", "arcomp.network.float")
"""Folders whose files may import torch when they are imported; and models' own files for training."""


def run(*arguments: str, code: int = 0) -> str:
    """The command, where torch cannot be imported."""
    command = [sys.executable, "-c", WITHOUT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=900)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def imports_torch(path: Path) -> bool:
    """Whether a file imports torch outside of functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {node for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    for node in ast.walk(tree):
        if node in inside:
            continue
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.split(".")[0] == "torch" or name == "safetensors.torch" for name in names):
            return True
    return False


def test_the_coded_path_imports_no_torch() -> None:
    own = {"arcomp.exact.by_torch", "arcomp.exact.precision"}
    own |= {f"arcomp.models.{name}.net" for name in ("context", "graphic", "jpeg", "photo")}
    found = {name for name, path in modules().items() if imports_torch(path)}
    assert own <= found
    assert {name for name in found - own if not name.startswith(TRAINS)} == set()


@pytest.mark.parametrize(
    ("model", "shape", "depth"),
    [
        ("photo-fast", (9, 10, 3), 8),
        ("pixelcnn-digits", (1, 28, 28, 1), 1),
        ("pixelsnail-colour", (2, 32, 32, 3), 8),
        ("subscale-colour", (1, 12, 11, 3), 8),
    ],
)
def test_files_go_there_and_back(model: str, shape: tuple[int, ...], depth: int, tmp_path: Path) -> None:
    pixels = pictures("smooth", (shape[-3], shape[-2], shape[-1]), depth)
    source = tmp_path / ("in.png" if len(shape) == 3 else "in.npy")
    if len(shape) == 3:
        Image.fromarray(pixels).save(source)
    else:
        np.save(source, np.stack([pixels] * shape[0]))
    run("compress", "-q", "-m", model, "-o", str(tmp_path / "coded.arcomp"), str(source))
    run("decompress", "-q", "-o", str(tmp_path / source.name.replace("in", "out")), str(tmp_path / "coded.arcomp"))
    out = tmp_path / source.name.replace("in", "out")
    if len(shape) == 3:
        assert np.array_equal(np.asarray(Image.open(out)), pixels)
    else:
        assert np.array_equal(np.load(out), np.load(source))


def test_a_text_goes_there_and_back(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"What hath God wrought?\n" * 3)
    run("compress", "-q", "-m", "char_rnn-text", "-o", str(tmp_path / "a.arcomp"), str(tmp_path / "a.txt"))
    run("decompress", "-q", "-o", str(tmp_path / "b.txt"), str(tmp_path / "a.arcomp"))
    assert (tmp_path / "b.txt").read_bytes() == (tmp_path / "a.txt").read_bytes()


def test_sampling_and_comparing(tmp_path: Path) -> None:
    run("sample", "-q", "-m", "pixelcnn-digits", "-o", str(tmp_path / "drawn.png"))
    assert (tmp_path / "drawn.png").stat().st_size
    Image.fromarray(pictures("smooth", (9, 10, 3), 8)).save(tmp_path / "in.png")
    said = run("compare", "--models", "photo-fast,histogram", str(tmp_path / "in.png"))
    assert "photo-fast" in said


def test_what_needs_torch_says_so() -> None:
    for arguments in (["train", "--recipe", "pixelcnn-digits", "-o", "never.safetensors", "README.md"],):
        said = run(*arguments, code=1)
        assert said.count("\n") == 1
        assert "needs torch; install it with pip install 'arcomp[torch]'" in said
    said = run("compress", "-m", "context", "--device", "cuda", "README.md", code=1)
    assert "needs torch" in said


def test_doctor_finds_torch_missing_and_all_else_right() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from arcomp import doctor; from pathlib import Path; "
        "path = doctor.SHIPPED / 'pixelcnn-digits.safetensors'; found = doctor._model(path, 'cpu'); "
        "assert found.ok, found; assert all(f.ok for f in doctor._devices('cpu')); "
        "assert all(f.ok for f in doctor._backends('cpu'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=600)
