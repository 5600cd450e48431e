"""``arcomp extract``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from arcomp.cli import options
from arcomp.cli.archives import chosen_by, latest, members
from arcomp.cli.console import Console, shown
from arcomp.cli.decompress import Decompression, decompress
from arcomp.cli.jobs import Chosen, Given, Job, Jobs
from arcomp.cli.options import examples
from arcomp.cli.target import Target
from arcomp.errors import ArcompError

if TYPE_CHECKING:
    from arcomp.limits import Limits

EXAMPLES = examples(
    "arcomp extract photos.arcomp -o photos/",
    "arcomp extract photos.arcomp 2024/beach.png -o photos/",
    "arcomp extract photos.arcomp '*.png' 2023 -o photos/",
    "arcomp extract photos.arcomp 2024/beach.png -c > beach.png",
)


@click.command("extract", short_help="Take files out of an archive.", epilog=EXAMPLES)
@click.argument("archive", metavar="ARCHIVE")
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("-o", "--output", metavar="DIR", help="The folder to write to; it is made if it is missing.")
@options.force
@options.to_stdout
@options.skip_existing
@options.model_of_file
@options.limited
@click.option("-j", "--jobs", metavar="N", type=Jobs(), default=0, help="Files at a time. [default: auto]")
@options.threads
@options.talkative
def command(
    console: Console,
    archive: str,
    names: tuple[str, ...],
    output: str | None,
    force: bool,
    to_stdout: bool,
    skip_existing: bool,
    model_name: str | None,
    jobs: int,
    threads: int | None,
    limits: Limits,
) -> int:
    """Take files out of an archive, bit for bit, with their folders, times and permissions: all of them, or those that
    are named.

    NAME is the name of a file or of a folder in the archive, or a pattern: `*` stands for anything, `/` too. No more
    is read than is needed. Of several files of one name the last is taken. Nothing is written outside DIR, and
    nothing is replaced without -f.
    """
    if output is None and not to_stdout:
        raise click.UsageError("name a folder with -o, or -c for one file")
    given = Given((archive,), jobs=jobs)
    target = Target(output, to_stdout, force, False, console)
    target.check(given, unpacks=True)
    target.mirrored = target.confined = not target.to_stdout
    chosen = Chosen([Job(archive)])
    chosen.expand(partial(members, one_too=True))
    select(chosen, names, archive)
    latest(chosen, console)
    files = [job for job in chosen.jobs if job.entry is None or not job.entry.name.endswith("/")]
    if to_stdout and len(files) != 1:
        raise click.UsageError(f"standard output holds one file, and {len(files)} are meant")
    work = Decompression(target, model_name, limits=limits, skip_existing=skip_existing)
    return decompress(chosen, work, given, threads, console)


def select(chosen: Chosen, names: tuple[str, ...], archive: str) -> None:
    """Keep the members that are named, and the folders that they are in; names of none of them fail.

    Args:
        names: and patterns; without any, everything is kept.
    """
    if not names:
        return
    meant, used = chosen_by(names), set[str]()
    kept = []
    for job in chosen.jobs:
        name = job.entry.name if job.entry else job.within
        found = meant(name)
        used |= found
        if found:
            kept.append(job)
    chosen.jobs = kept
    for name in names:
        if name not in used:
            error = ArcompError(f"there is no {name!r} in it", remedy="see `arcomp list`")
            chosen.failures.append((shown(archive), error))
