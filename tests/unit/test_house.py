"""The house: imports go down only, torch comes late, and a wheel holds what is tracked and nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"arcomp": ROOT / "arcomp", "arcomp.cli": ROOT / "cli", "arcomp.models": ROOT / "models"}

# Floor of each module by its longest matching prefix; a module may import from its own floor and those below.
FLOORS = {
    "arcomp.errors": 0,
    "arcomp.coefficients": 0,
    "arcomp.form": 0,
    "arcomp.jpeg_tables": 0,
    "arcomp.limits": 0,
    "arcomp.locks": 0,
    "arcomp.exact": 0,
    "arcomp.samples": 0,
    "arcomp.batch": 1,
    "arcomp.container": 1,
    "arcomp.coding": 1,
    "arcomp.deflate": 1,
    "arcomp.formats": 2,
    "arcomp.orders": 1,
    "arcomp.transforms": 1,
    "arcomp.kernels": 1,
    "arcomp.layers": 2,
    "arcomp.contract": 3,
    "arcomp.network": 4,
    "arcomp.models": 5,
    "arcomp": 6,
    "arcomp.measure": 7,
    "arcomp.api": 7,
    "arcomp.show": 7,
    "arcomp.training": 7,
    "arcomp.plugins": 8,
    "arcomp.pillow": 8,
    "arcomp.cli": 8,
    "arcomp.__main__": 8,
}
ALONGSIDE = "arcomp.training"
"""Nothing on the coded path imports it; only the command line does."""


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            parts = [*package.split("."), *path.relative_to(folder).with_suffix("").parts]
            found[".".join(p for p in parts if p != "__init__")] = path
    return found


def floor(module: str) -> int:
    prefix = module
    while prefix not in FLOORS:
        prefix = prefix.rpartition(".")[0]
    return FLOORS[prefix]


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module of arcomp that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return frozenset(name for name in found if name.split(".")[0] == "arcomp")


def test_imports_go_down_only() -> None:
    found = modules()
    assert len(found) > 40
    wrong = []
    for module, path in found.items():
        for name in imports(path):
            target = name if name in found else name.rpartition(".")[0]
            if (module, target) == ("arcomp", "arcomp.api"):
                continue  # what the package offers is looked up there when it is asked for
            if floor(target) > floor(module) or (
                target.startswith(ALONGSIDE) and not module.startswith((ALONGSIDE, "arcomp.cli"))
            ):
                wrong.append(f"{module} imports {target}")
    assert wrong == []


def test_no_module_imports_itself_through_others() -> None:
    """Imports for types alone count too."""
    found = modules()
    graph = {
        module: {name if name in found else name.rpartition(".")[0] for name in imports(path)} & set(found) - {module}
        for module, path in found.items()
    }
    size = -1
    while size != len(graph):  # take away what is in no circle: what imports none of the others, and what none imports
        size = len(graph)
        wanted = set().union(*graph.values())
        graph = {module: used & set(graph) for module, used in graph.items() if used & set(graph) and module in wanted}
    assert sorted(graph) == []


def test_the_floor_test_can_fail() -> None:
    assert floor("arcomp.cli.compress") > floor("arcomp.codec") > floor("arcomp.models.context.net")
    assert floor("arcomp.models.context.net") > floor("arcomp.layers.conv") > floor("arcomp.coding.table")
    assert floor("arcomp.coding.table") > floor("arcomp.exact.matmul")


def sources() -> list[Path]:
    """All source files, of tests and benchmarks too."""
    return [path for name in ("arcomp", "cli", "models", "benchmarks", "tests") for path in (ROOT / name).rglob("*.py")]


class Function(NamedTuple):
    """A function of a file: its lines; how many parameters it takes by position, itself aside."""

    name: str
    lines: int
    positional: int
    is_command: bool


@cache
def functions(path: Path) -> list[Function]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            named = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
            command = any("command(" in ast.unparse(d) for d in node.decorator_list)
            count = len(named) - (named[:1] in (["self"], ["cls"]))
            found.append(Function(node.name, (node.end_lineno or 0) - node.lineno + 1, count, command))
    return found


def test_files_are_short() -> None:
    """At most 400 lines."""
    assert [str(p) for p in sources() if p.read_text(encoding="utf-8").count("\n") > 400] == []


def test_functions_are_short() -> None:
    """At most 60 lines."""
    assert [f"{p}: {f.name}" for p in sources() for f in functions(p) if f.lines > 60] == []


def test_functions_have_few_parameters() -> None:
    """At most 8 by position; commands take an option each."""
    many = [f"{p}: {f.name}" for p in sources() for f in functions(p) if f.positional > 8 and not f.is_command]
    assert many == []


def kinds_of_models() -> set[str]:
    """Names of the classes below :class:`arcomp.contract.model.Model`."""
    bases = {}
    for path in modules().values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(base) for base in node.bases}
    kinds: set[str] = set()
    while more := {name for name, own in bases.items() if own & (kinds | {"Model"})} - kinds:
        kinds |= more
    return kinds


def test_nobody_asks_what_kind_a_model_is() -> None:
    """Codec, measurements and commands go by the contract."""
    kinds = kinds_of_models()
    assert {"DistributionModel", "Layered", "Histogram", "PhotoModel"} <= kinds
    asked = []
    for path in sources():
        if (ROOT / "tests") in path.parents:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and called in ("isinstance", "issubclass"):
                asked += [f"{path}: {name}" for name in re.findall(r"\w+", ast.unparse(node.args[1])) if name in kinds]
            if isinstance(node, ast.Call) and called in ("hasattr", "getattr"):
                whose = ast.unparse(node.args[0]).rpartition(".")[2]
                asked += [f"{path}: an attribute of {whose}"] if whose in ("model", "config", "settings") else []
    assert asked == []


def test_whether_a_model_learns_is_asked_where_the_contract_says() -> None:
    """By planning, for a figure of the codec's, for what suits a sound, and in footnotes."""
    asked = set()
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "learns" and ast.unparse(node.value).endswith("model"):
                asked.add(module)
    assert asked == {"arcomp.planning", "arcomp.codec", "arcomp.contract.suiting", "arcomp.measure.compare"}


NAMED = {
    "arcomp.contract.registry": {"photo"},
    "arcomp.cli.options": {"photo"},
    "arcomp.planning": {"bilevel", "context", "graphic"},
}
"""Where ARCHITECTURE.md says that models are named: the default, and what codes the rest, drawings and two colours."""


def test_models_are_named_by_themselves_only() -> None:
    """In code, that is; docstrings may give examples."""
    found = modules()
    names = {module.split(".")[2] for module in found if re.fullmatch(r"arcomp\.models\.\w+", module)} - {"weights"}
    assert {"photo", "context", "wavenet"} <= names
    said: dict[str, set[str]] = {}
    for module, path in found.items():
        if module.startswith("arcomp.models"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                words = set(re.findall(r"\w+", node.value)) & (names - {"made", "jpeg"})  # a word, and a format
                if words and not re.fullmatch(r"arcomp\.[\w.]+", node.value):
                    said.setdefault(module, set()).update(words)
    assert said == NAMED


@pytest.mark.parametrize("statement", ["import arcomp", "import arcomp.cli", "import arcomp.errors, arcomp.container"])
def test_torch_is_imported_late(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in ('torch', 'numba', 'PIL') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.strip() == "[]"


def test_photo_does_without_torch() -> None:
    """It takes a second to import, more than all else of the start."""
    code = (
        "import sys; import numpy as np; import arcomp; model = arcomp.load('photo-fast'); "
        "data = arcomp.compress(np.zeros((8, 8, 3), np.uint8), model); arcomp.decompress(data, model=model); "
        "print('torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    ).stdout
    assert out.strip() == "False"


def test_every_package_is_listed() -> None:
    packages = re.search(r"^packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    listed = set(re.findall(r'"(.*?)"', packages[1] if packages else ""))
    assert listed == {m for m, p in modules().items() if p.name == "__init__.py"}


@pytest.mark.slow
def test_wheel_holds_the_tracked_files(tmp_path: Path) -> None:
    """A wheel built from this checkout has exactly the tracked files of the packages, weights but no checkpoints."""
    source = tmp_path / "source"  # nothing but what is tracked: an old build folder would leak into the wheel
    source.mkdir()
    archive_of = subprocess.run(["git", "archive", "HEAD"], capture_output=True, check=True, cwd=ROOT).stdout
    subprocess.run(["tar", "x", "-C", str(source)], input=archive_of, check=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "-o", str(tmp_path), str(source)], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    tracked = subprocess.run(
        ["git", "ls-files", *(f.name for f in FOLDERS.values())], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    expected = set()
    for name in (n for n in tracked if not n.startswith("models/checkpoints/")):
        top, _, rest = name.partition("/")
        expected.add(("arcomp/" + rest) if top == "arcomp" else f"arcomp/{name}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    held = {n for n in names if ".dist-info/" not in n and ".data/" not in n}
    assert held == expected
    pages = {Path(n).name for n in names if "/data/share/man/man1/" in n}
    assert pages == {path.name for path in (ROOT / "docs" / "man").iterdir()}
    assert any(n.endswith("context.safetensors") for n in held)
