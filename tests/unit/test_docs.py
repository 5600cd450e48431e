"""The pages: short lines, links and paths that exist, options that the command has, examples that run."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import click
import pytest

from arcomp.cli.group import VERBS

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
]
TRACKED = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
TOP = ("arcomp/", "cli/", "models/", "tests/", "benchmarks/", "docs/", ".ci/")
PLACEHOLDER = re.compile(r"[A-Z]{4,}")
"""In a path: NAME, MODEL, FILE and such."""
SHELL = re.compile(r"[|&;<>]+|#.*")

pages = pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])


def blocks(page: Path, language: str | None = None) -> list[str]:
    """Fenced blocks, of a language or of all."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [text for name, text in found if language in (None, name)]


def inline(page: Path) -> list[str]:
    """What stands in backticks, outside of blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them in links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> list[list[str]]:
    """The words of every ``arcomp VERB ...`` of a page."""
    found = []
    lines = [line for block in blocks(page) for line in block.replace("\\\n", " ").splitlines()]
    for text in lines + inline(page):
        for part in SHELL.split(text):
            words = shlex.split(part.replace("'", "").replace("$ ", ""), comments=True) if "arcomp " in part else []
            if "arcomp" in words and len(words) > words.index("arcomp") + 1:
                found.append(words[words.index("arcomp") + 1 :])
    return found


def options(verb: str) -> set[str]:
    """All that a verb takes, from its command."""
    command: click.Command = import_module(f"arcomp.cli.{VERBS[verb][0]}").command
    return {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"-h", "--help"}


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 120


@pages
def test_lines_are_short(page: Path) -> None:
    long = [i for i, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120]
    assert long == []


@pages
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    wrong = []
    for link in links:
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


@pages
def test_paths_exist(page: Path) -> None:
    """Paths from the root; of file names without a folder, that some file is called so."""
    names = {Path(name).name for name in TRACKED}
    wrong = []
    for code in inline(page):
        if PLACEHOLDER.search(code) or re.search(r"[\s*<{]", code):
            continue
        if code.startswith(TOP):
            if not (ROOT / code).exists():
                wrong.append(code)
        elif re.fullmatch(r"\w+\.(py|md|toml)", code) and not code.startswith("mine") and code not in names:
            wrong.append(code)
    assert wrong == []


@pages
def test_modules_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"-m ((?:benchmarks|tests)(?:\.\w+)+)", text) + re.findall(r"`(benchmarks\.\w+)`", text)
    assert [n for n in named if not (ROOT / (n.replace(".", "/") + ".py")).exists()] == []


@pages
def test_commands_have_these_options(page: Path) -> None:
    wrong = []
    for verb, *words in commands(page):
        if PLACEHOLDER.search(verb) or verb.startswith("-"):
            continue
        if verb not in VERBS:
            wrong.append(f"arcomp {verb}")
            continue
        used = {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}
        wrong += [f"arcomp {verb} {option}" for option in used - options(verb)]
    assert wrong == []


def test_options_named_alone_exist() -> None:
    known = set().union(*(options(verb) for verb in VERBS))
    wrong = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for code in inline(page):
            words = code.split()
            if words and words[0].startswith("--") and words[0] not in known:
                wrong.append(f"{page.name}: {code}")
    assert wrong == []


@pytest.mark.parametrize("name", ["README.md", "docs/use.md", "docs/libraries.md"])
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = blocks(ROOT / name, "python")
    assert found
    for example in found:
        exec(compile(example, name, "exec"), {"__name__": "example"})


@pages
def test_contents_name_every_section(page: Path) -> None:
    """Where a page has a list of its sections, that is all of them, as they follow each other."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    listed = re.findall(r"^\* \[(.*?)\]\(#", text, re.M)
    if len(listed) > 2:
        assert listed == re.findall(r"^## (.*)$", text, re.M)
