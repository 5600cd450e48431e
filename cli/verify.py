"""``arcomp test``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import click

from arcomp.cli import jobs, many, options
from arcomp.cli.archives import input_of, members, unpacked
from arcomp.cli.coding import Startup, about_member, contents, decoded, digits, positions
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.files import ENDING
from arcomp.cli.jobs import Given, Job
from arcomp.cli.options import examples
from arcomp.errors import ArcompError
from arcomp.limits import USUAL_LIMITS, Limits


@dataclass(frozen=True)
class Verification:
    """What is asked for.

    Attributes:
        example: an input; what it needs, most will need.
        limits: what decoding a file may take.
    """

    goes_on: ClassVar[bool] = False
    model_name: str | None
    naive: bool
    device: str
    example: Job | None = None
    limits: Limits = USUAL_LIMITS

    def __call__(self, console: Console, threads: int | None, *, warm: bool = False) -> many.Work:
        """See :class:`arcomp.cli.many.Plan`."""
        startup = Startup(threads, console, self.limits)
        if warm and self.example is not None:
            with suppress(ArcompError):  # it fails in its turn
                startup.warm_member(unpacked(self.example, input_of(self.example).data, self.limits), self.model_name)

        def work(job: Job, threads: int | None) -> many.Outcome:
            startup.use(threads)
            data = input_of(job).data
            unpacked(job, data, self.limits)
            found = decoded(data, job.shown, startup, console, self.model_name, self.naive, self.device)
            about = {
                "input": job.name,
                **({"member": job.entry.name} if job.entry else {}),
                **about_member(found.member),
                "input_bytes": len(data),
                "seconds": digits(found.seconds),
                "verified": True,
                "startup_seconds": digits(startup.seconds),
            }
            models = ", ".join(model.name for model in found.member.models) or "none"
            line = (
                f"{shown(job.shown)}: ok, {size(len(data))}, {contents(found.member)}, model {models}, "
                f"{duration(found.seconds)}"
            )
            console.result(line, about, f"start-up {duration(startup.seconds)}")
            return many.Outcome(len(data), seconds=found.seconds, positions=positions(found.member))

        return work

    def skips(self, job: Job) -> bool:
        """There are no outputs."""
        return False

    def later(self) -> None:
        """As above."""


EXAMPLES = examples(
    "arcomp test img.png.arcomp",
    "arcomp test -r packed/ photos.arcomp",
)


@click.command("test", short_help="Decode and verify.", epilog=EXAMPLES)
@jobs.given
@options.model_of_file
@options.naive
@options.limited
@options.threads
@options.device(options.DECODING)
@options.talkative
def command(
    console: Console,
    given: Given,
    model_name: str | None,
    naive: bool,
    threads: int | None,
    device: str,
    limits: Limits,
) -> int:
    """Decode files, and all files in archives, and verify them; write nothing."""
    options.check_cuda(device)
    chosen = jobs.choose(given)
    if given.recursive:
        chosen.without(lambda job: "" if job.name.lower().endswith(ENDING) else "other file")
    chosen.expand(members)
    largest = max(chosen.jobs, key=lambda job: job.size, default=None)
    work = Verification(model_name, naive, device, largest, limits)
    summary = many.run(chosen, work, console, given.processes(threads, chosen.jobs), threads)
    count = summary.total.files + len(summary.failed)
    return summary.tell(console, chosen, f"{plural(count, 'file')}" + ("" if summary.failed else ", all ok"))
