"""``arcomp doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from arcomp.cli import options
from arcomp.cli.console import Console
from arcomp.cli.options import examples

NAME_WIDTH = 32
"""As wide as most names of findings: a line is printed before the next name is known."""


EXAMPLES = examples(
    "arcomp doctor",
    "arcomp doctor --json",
    "arcomp doctor --warm",
)


@click.command("doctor", short_help="Check this machine.", epilog=EXAMPLES)
@options.device("What to check. auto: the CPU, and CUDA if there is a GPU.")
@click.option("--warm", is_flag=True, help="Compile the kernels of all models that are shipped, and check nothing.")
@options.talkative
def command(console: Console, device: str, warm: bool) -> int:
    """Check that this machine computes exactly: versions, backends, and every layer of the models here.

    Exit status 1 if anything is wrong.
    """
    if warm:
        return _warm(console)
    from arcomp.doctor import examine

    fit = True
    for finding in examine(options.choose_device(device, uses_torch=True)):
        fit = fit and finding.ok
        if console.quiet and finding.ok:
            continue
        if console.as_json:
            print(json.dumps(asdict(finding)))
        else:
            console.print(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name:<{NAME_WIDTH}}  {finding.value}")
        sys.stdout.flush()
    return 0 if fit else 1


def _warm(console: Console) -> int:
    """A line for each model as it gets ready."""
    from arcomp.warming import warm_all

    ready = True
    for warmed in warm_all():
        ready = ready and not warmed.problem
        if console.quiet and not warmed.problem:
            continue
        if console.as_json:
            print(json.dumps(asdict(warmed)))
        else:
            console.print(f"{warmed.name:<{NAME_WIDTH}}  {warmed.problem or f'ready in {warmed.seconds:.1f} s'}")
        sys.stdout.flush()
    return 0 if ready else 1
