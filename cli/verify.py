"""``arcomp test``."""

from __future__ import annotations

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, about_header, decoded, digits, geometry
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.files import read_compressed


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
    from arcomp.container import unpack

    options.check_cuda(device)
    startup = Startup(threads, console)

    def work(name: str) -> None:
        data = read_compressed(name)
        header, _ = unpack(data)
        _, seconds = decoded(data, name, startup, console, model_name, naive, device)
        about = {
            "input": name,
            **about_header(header),
            "input_bytes": len(data),
            "seconds": digits(seconds),
            "verified": True,
            "startup_seconds": digits(startup.seconds),
        }
        line = f"{shown(name)}: ok, {size(len(data))}, {geometry(header)}, model {header.model}, {duration(seconds)}"
        console.result(line, about, f"start-up {duration(startup.seconds)}")

    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        console.summary(f"{plural(len(inputs), 'file')}: " + (f"{failed} failed" if failed else "all ok"))
    return 1 if failed else 0
