"""The verbs, by name and a line of help each, imported only when one is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

import click

from arcomp import __version__
from arcomp.cli.console import one_line, open_missing_streams, report
from arcomp.cli.ending import terminated_as_interrupted

VERBS = {
    "compress": ("compress", "Compress files, folders, or into an archive: img.png becomes img.png.arcomp."),
    "decompress": ("decompress", "Decompress: the very same img.png comes back."),
    "list": ("listing", "Say what is in archives."),
    "extract": ("extract", "Take files out of an archive."),
    "test": ("verify", "Decode and verify files, write nothing."),
    "info": ("info", "Say what files hold, without decoding them."),
    "eval": ("evaluate", "Measure what data would cost under models."),
    "score": ("score", "Rank pictures by how surprising they are."),
    "sample": ("sample", "Draw new pictures or text from a model."),
    "compare": ("compare", "Compare models and codecs on pictures and arrays."),
    "show": ("show", "Draw what models see, cost and learn."),
    "models": ("models", "List the models here, or show the card of one."),
    "doctor": ("doctor", "Check that this machine computes what it must."),
    "train": ("train", "Train the weights of a model."),
    "completion": ("completion", "Make bash, zsh or fish complete what is typed."),
}
"""Verb -> its module here, and its line in ``arcomp --help``. A module has the verb's name, unless that is one of
Python's own (``test``, ``eval``, ``list``)."""


class Verbs(click.Group):
    """A group whose commands are modules; each module's command is called ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order a user meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        command = import_module(f"arcomp.cli.{VERBS[cmd_name][0]}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click, with a hint if a file is given where a verb belongs."""
        name = args[0]
        if name not in VERBS and (name == "-" or os.path.exists(name)):
            verb = "decompress" if name.endswith(".arcomp") else "compress"
            raise click.UsageError(f"{name!r} is not a verb; did you mean `arcomp {verb} {name}`", ctx)
        if name not in VERBS and (near := get_close_matches(name, VERBS, 1)):
            raise click.UsageError(f"{name!r} is not a verb; did you mean `arcomp {near[0]}`", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, from the lines above: click would import all of them to ask."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; an interrupt is turned into its exit status before click prints an empty line for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            return report(error)


@click.group(
    cls=Verbs,
    subcommand_metavar="VERB ...",
    options_metavar="",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`arcomp VERB --help` says more. Exit status: 0, 1 for errors, 2 for wrong usage.",
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def group() -> None:
    """Neural lossless compression of pictures. Any file comes back, bit for bit.

    A `-` stands for standard input, and as output of compress and decompress for standard output.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """What :func:`arcomp.cli.main` does, once an interrupt can be told from other errors."""
    open_missing_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with terminated_as_interrupted():
            status = group.main(given or ["--help"], prog_name="arcomp", standalone_mode=False)
        sys.stdout.flush()  # here, where what goes wrong can be told in one line
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "arcomp"
        text = error.format_message().strip().rstrip(".")
        print(f"arcomp: {one_line(text[:1].lower() + text[1:])}; see `{where} --help`", file=sys.stderr)
        return error.exit_code
    except BaseException as error:
        status = report(error)
    if not given:
        return 2
    return status if isinstance(status, int) else 0
