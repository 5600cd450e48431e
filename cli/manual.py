"""Man pages of the command and its verbs, made of what ``--help`` prints: ``python -m arcomp.cli.manual FOLDER``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from arcomp import __version__
from arcomp.cli.group import VERBS, group

STATUS = "0 if all went well, 1 after errors, 2 for wrong usage."
SPECIAL = str.maketrans({"\\": r"\e", "-": r"\-"})


def pages() -> Iterator[tuple[str, str]]:
    """All pages: a file's name, and its text for ``man``."""
    with click.Context(group, info_name="arcomp", **group.context_settings) as ctx:
        verbs = [(f"arcomp-{verb}(1)", line) for verb, (_, line) in VERBS.items()]
        yield "arcomp.1", _page(group, ctx, "arcomp", "lossless compression by autoregressive models", verbs)
        for verb in VERBS:
            command = group.get_command(ctx, verb)
            assert command is not None
            with click.Context(command, parent=ctx, info_name=verb) as own:
                brief = (command.short_help or "").rstrip(".")
                yield f"arcomp-{verb}.1", _page(command, own, f"arcomp-{verb}", brief[:1].lower() + brief[1:], [])


def _page(command: click.Command, ctx: click.Context, name: str, brief: str, verbs: list[tuple[str, str]]) -> str:
    _, _, examples = (command.epilog or "").partition("Examples:\n")
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines = [
        f'.TH {name.upper().translate(SPECIAL)} 1 "" "arcomp {__version__}"',
        *(".SH NAME", f"{_text(name)} \\- {_text(brief)}"),
        *(".SH SYNOPSIS", f".B {_text(ctx.command_path)}", _text(usage)),
        *(".SH DESCRIPTION", *_paragraphs(command.help or "")),
    ]
    options = [record for param in command.get_params(ctx) if (record := param.get_help_record(ctx))]
    lines += [*_section("VERBS", verbs), *_section("OPTIONS", options)]
    if examples:
        lines += [".SH EXAMPLES", ".nf", *(_text(line.strip()) for line in examples.splitlines()), ".fi"]
    lines += [".SH EXIT STATUS", STATUS, *([] if verbs else [".SH SEE ALSO", ".BR arcomp (1)"])]
    return "\n".join(lines) + "\n"


def _section(title: str, entries: list[tuple[str, str]]) -> list[str]:
    """A list of names, each with what it means."""
    lines = [f".SH {title}"] if entries else []
    for name, meaning in entries:
        if meaning:
            lines += [".TP", f".B {_text(name)}", _text(" ".join(meaning.split()))]
    return lines


def _paragraphs(text: str) -> list[str]:
    """What a docstring says, a paragraph after the other."""
    found = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return [line for part in found for line in (".PP", _text(part))][1:]


def _text(line: str) -> str:
    """A line that ``man`` shows as it is."""
    escaped = line.translate(SPECIAL)
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped


def main(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
