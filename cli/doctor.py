"""``arcomp doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from arcomp.cli import options
from arcomp.cli.console import Console


@click.command("doctor", short_help="Check this machine.")
@options.device("Where backends and layers are checked. auto: the processor, and CUDA if there is one.")
@options.talkative
def command(console: Console, device: str) -> int:
    """Check that this machine computes what it must: versions, backends, and every layer of the models here.

    Exit status 1 if anything is not as it should be.
    """
    from arcomp.doctor import examine

    findings = examine(options.choose_device(device, uses_torch=True))
    wrong = [f for f in findings if not f.ok]
    width = max((len(f.name) for f in findings), default=0)
    for finding in findings if not console.quiet else wrong:
        if console.as_json:
            print(json.dumps(asdict(finding)))
        else:
            console.print(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name:<{width}}  {finding.value}")
    return 1 if wrong else 0
