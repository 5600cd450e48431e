"""Without torch: everything that is shipped works on the processor, and what does not says so in one line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from arcomp.container import unpack
from tests.unit.test_house import ROOT, modules

WITHOUT = """
import json, sys
sys.modules["torch"] = sys.modules["msgspec"] = None  # the extra
from arcomp.cli import main
sys.exit(max(main(arguments) for arguments in json.loads(sys.argv[1])))
"""
TRAINS = ("arcomp.training", "arcomp.layers.float", "arcomp.network.float")
"""Folders whose files may import torch when they are imported; and models' own files for training."""


def run(*arguments: str, code: int = 0) -> str:
    """The command, where torch cannot be imported."""
    return run_all([list(arguments)], code)


def run_all(commands: list[list[str]], code: int = 0) -> str:
    """Several, in one process."""
    command = [sys.executable, "-c", WITHOUT, json.dumps(commands)]
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


LIGHTHOUSE = Path(__file__).parents[1] / "pictures" / "lighthouse.png"
TEXT = b"""It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of
a wife. However little known the feelings or views of such a man may be on his first entering a neighbourhood, this
truth is so well fixed in the minds of the surrounding families, that he is considered as the rightful property of some
one or other of their daughters."""


def test_files_go_there_and_back_and_models_draw_and_are_compared(tmp_path: Path) -> None:
    photo = np.asarray(Image.open(LIGHTHOUSE))
    drawn = tmp_path / "pixelcnn-digits.npy"
    run("sample", "-q", "-m", "pixelcnn-digits", "--size", "28x28", "-n", "2", "-o", str(drawn))
    Image.fromarray(photo[100:140, 100:150]).save(tmp_path / "photo-fast.png")
    np.save(tmp_path / "pixelsnail-colour.npy", np.stack([photo[40:72, 40:72], photo[90:122, 90:122]]))
    np.save(tmp_path / "subscale-colour.npy", photo[:12, :11])
    (tmp_path / "char_rnn-text.txt").write_bytes(TEXT)
    paths = sorted(path for path in tmp_path.iterdir())
    there = [["compress", "-q", "-m", path.stem, str(path)] for path in paths]
    back = [["decompress", "-q", "-o", f"{tmp_path / 'back'}/", f"{path}.arcomp"] for path in paths]
    said = run_all([*there, *back, ["compare", "--models", "photo-fast,histogram", str(tmp_path / "photo-fast.png")]])
    assert "photo-fast" in said
    for path in paths:
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
        member = unpack(Path(f"{path}.arcomp").read_bytes())
        assert path.stem.split("-")[0] in [model.name for model in member.models], path.stem


def test_what_needs_torch_says_so() -> None:
    for arguments in (
        ["train", "--recipe", "pixelcnn-digits", "-o", "never.safetensors", "README.md"],
        ["train", "--list"],
    ):
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


def test_it_logs_to_who_asks() -> None:
    """Nothing is heard without a handler; with one, which weights were found."""
    code = (
        "import logging, sys, arcomp; arcomp.load('context'); print('-'); sys.stdout.flush()\n"
        "logging.basicConfig(stream=sys.stdout, level='DEBUG'); arcomp.load('photo-fast')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    quiet, _, heard = said.stdout.partition("-\n")
    assert (quiet, said.stderr) == ("", "")
    assert "DEBUG:arcomp.contract.registry:model photo-fast: " in heard
