"""What other programs read of the project: the kind of its files, its cards, the recipe for conda."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from arcomp.container import MAGIC
from arcomp.container.archive import joined
from tests.everywhere.requirements import dependencies

ROOT = Path(__file__).parents[2]
DESKTOP = ROOT / "arcomp/desktop"


def test_desktops_know_the_files() -> None:
    match = next(e for e in ElementTree.parse(DESKTOP / "arcomp.xml").iter() if e.tag.endswith("match"))
    assert match.get("value", "").encode().decode("unicode_escape").encode("latin-1") == MAGIC


@pytest.mark.skipif(shutil.which("file") is None, reason="no file(1)")
def test_file_knows_them_too(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(joined([]))
    command = ["file", "-b", "-m", str(DESKTOP / "arcomp.magic"), str(tmp_path / "x")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "arcomp compressed file, version 1, an index alone\n"


@pytest.mark.parametrize("card", sorted((ROOT / "models/weights").glob("*.md")), ids=lambda path: path.stem)
def test_cards_say_licence_and_data_as_hubs_want_them(card: Path) -> None:
    found = re.match(r"---\n(.*?)\n---\n\n# ", card.read_text(encoding="utf-8"), re.S)
    assert found
    keys = [line.partition(":")[0] for line in found[1].splitlines() if not line.startswith("- ")]
    assert keys == ["license", "library_name", "tags", "datasets", "metrics"]


def test_conda_needs_what_pip_needs() -> None:
    text = (ROOT / "conda/meta.yaml").read_text(encoding="utf-8")
    run = re.search(r"  run:\n(.*?)\n\n", text, re.S)
    assert run
    needed = {name: bound for name, bound in re.findall(r"- ([\w-]+) >=(\S+)", run[1])}
    wanted = {r.name: re.search(r">=([\d.]+)", str(r.specifier)) for r in dependencies() if r.name != "constriction"}
    assert needed == {"python": "3.10"} | {name: bound[1] for name, bound in wanted.items() if bound}
