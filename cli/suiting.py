"""Which weights -m means, and which would do better, by what an input holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from arcomp.cli.console import Console, shown
from arcomp.cli.inputs import read_input
from arcomp.cli.jobs import Job
from arcomp.errors import ArcompError

_BEGIN = 4096
"""Bytes of a file that are looked at."""


def is_text(data: bytes) -> bool:
    """Whether a file is a text of some length, by how it begins."""
    begin = data[:_BEGIN]
    if len(data) < 400 or b"\0" in begin:
        return False
    try:
        begin.decode()
    except UnicodeDecodeError as error:
        return error.start > _BEGIN - 4  # a letter that is cut
    return True


def tell_of_size(console: Console, name: str, data: bytes, size: int, look: bool) -> bool:
    """Say so where a file became larger, or is a text, of which a model makes less.

    Args:
        name: of the file. data: what is in it. size: what it became, in bytes.
        look: whether to look if it is a text.

    Returns:
        Whether a model was named.
    """
    if size > len(data):
        console.warn(f"{shown(name)}: became {size - len(data)} bytes larger, by what is kept about it")
    if size > len(data) or not look or not is_text(data):
        return False
    from arcomp.contract import registry

    model = next((one for one in registry.names() if one.endswith("-text")), None)
    if model is not None:
        console.note(f"arcomp: {shown(name)} is text, which -m {model} makes smaller, but slowly")
    return model is not None


def suited(name: str, jobs: Sequence[Job]) -> str:
    """A model's name; where that has several weights, the name of those that suit the first file that can be read.

    Args:
        name: of -m. jobs: the files.
    """
    from arcomp.contract.suiting import is_ambiguous, suiting
    from arcomp.formats.parsing import parse

    if not is_ambiguous(name):
        return name
    for job in (job for job in jobs if job.name != "-"):  # which is read once
        with suppress(ArcompError):
            found = parse(read_input(job.name).data)
            return suiting(name, found.samples if found else None)
    return name
