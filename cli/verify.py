"""``arcomp test``."""

from __future__ import annotations

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, about_member, contents, decoded, digits
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.inputs import read_compressed


@click.command("test", short_help="Decode and verify.")
@options.inputs
@options.model_of_file
@options.naive
@options.threads
@options.device(options.DECODING)
@options.talkative
def command(
    console: Console, inputs: tuple[str, ...], model_name: str | None, naive: bool, threads: int | None, device: str
) -> int:
    """Decode files and verify them; write nothing."""
    options.check_cuda(device)
    startup = Startup(threads, console)

    def work(name: str) -> None:
        data = read_compressed(name).data
        found = decoded(data, name, startup, console, model_name, naive, device)
        about = {
            "input": name,
            **about_member(found.member),
            "input_bytes": len(data),
            "seconds": digits(found.seconds),
            "verified": True,
            "startup_seconds": digits(startup.seconds),
        }
        models = ", ".join(model.name for model in found.member.models) or "none"
        line = (
            f"{shown(name)}: ok, {size(len(data))}, {contents(found.member)}, model {models}, {duration(found.seconds)}"
        )
        console.result(line, about, f"start-up {duration(startup.seconds)}")

    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        console.summary(f"{plural(len(inputs), 'file')}: " + (f"{failed} failed" if failed else "all ok"))
    return 1 if failed else 0
