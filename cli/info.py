"""``arcomp info``."""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import about_member, contents, described, member_in, unit
from arcomp.cli.console import Console, plural, shown, size, when
from arcomp.cli.inputs import read_compressed
from arcomp.cli.options import examples
from arcomp.errors import FormatError

if TYPE_CHECKING:
    from arcomp.container import Member, ModelId, Original
    from arcomp.limits import Limits


INSIDE = "in the file"
"""Where weights are that decode it: so it needs none from elsewhere."""


def whereabouts(model: ModelId) -> Path | str | None:
    """Where a model that decodes a file is: a path, "built in", or None if it is not here."""
    from arcomp.contract import library

    found = library.find(model.name, model.digest)
    return "built in" if found is None and library.built_in(model.name, model.digest) else found


def _archive(name: str, data: bytes, console: Console) -> bool:
    """Say what an archive holds; False if it is none."""
    from arcomp.container import VERSION, read_header
    from arcomp.container.archive import read_archive

    try:
        archive = read_archive(data)
    except FormatError:
        return False  # unpacking it says more
    if archive.is_one_file:
        return False
    headers = [read_header(io.BytesIO(data[entry.offset : entry.end]))[0] for entry in archive.entries]
    files = [header for header in headers if not (header.original and header.original.is_folder)]
    models = Counter(model for header in headers for model in header.models)
    length = sum(header.original.length for header in headers if header.original)
    about = {
        "input": name,
        "format_version": VERSION,
        "members": len(files),
        "folders": len(headers) - len(files),
        "indexed": archive.indexed,
        "damaged": [list(part) for part in archive.damaged],
        "models": {model.name: count for model, count in models.items()},
        "available": all(whereabouts(model) is not None for model in models),
        "input_bytes": len(data),
        "original_bytes": length,
    }
    if console.as_json:
        print(json.dumps(about))
    elif not console.quiet:
        console.print(shown(name))
        folders = f", {plural(len(headers) - len(files), 'folder')}" if len(files) < len(headers) else ""
        console.print(f"  archive  of {plural(len(files), 'file')}{folders}, see `arcomp list`")
        console.print(f"  index    {'whole' if archive.indexed else 'none: files are found by their headers'}")
        for begin, end in archive.damaged:
            console.print(f"  damaged  bytes {begin} to {end - 1}")
        for model, count in models.items():
            here = "NOT here" if whereabouts(model) is None else "here"
            console.print(f"  model    {model.name}, digest {model.digest.hex()}, {here}, of {plural(count, 'file')}")
        percent = f"{len(data) / max(1, length):.1%}"
        console.print(f"  size     {size(len(data))} of {size(length)} ({percent}), format version {VERSION}")
    return True


def _list_damage(data: bytes, console: Console) -> None:
    """Print each damaged stream of a file."""
    from arcomp.container.damage import remains_at
    from arcomp.damage import listed

    with suppress(FormatError):  # who reads it then says what is wrong with it
        remains = remains_at(memoryview(data), 0)
        for line in listed(remains, len(remains.streams)):
            console.note(line)


def _about(name: str, data: bytes, limits: Limits) -> tuple[dict[str, Any], Member]:
    from arcomp.claims import check_member
    from arcomp.container import VERSION
    from arcomp.container.embedded import digest_of

    member = member_in(data, limits)
    if limits.pixels is not None:  # without, it says what a file claims, whatever that is
        check_member(member, limits)
    inside = [digest_of(section) for section in member.weights]
    where = [
        INSIDE if any(d.startswith(model.digest) for d in inside) else whereabouts(model) for model in member.models
    ]
    coded = member.coded_bytes
    return {
        "input": name,
        "format_version": VERSION,
        **about_member(member),
        "tiles": [list(part.tile) for part in member.parts],
        "streams": member.stream_count,
        "available": None not in where,
        "where": [None if found is None else str(found) for found in where],
        "input_bytes": len(data),
        "coded_bytes": coded,
        "form_bytes": len(data) - coded,
        "bits_per_subpixel": 8 * len(data) / samples if (samples := _samples(member)) else None,
    }, member


def _samples(member: Member) -> int:
    geometry = member.geometry
    return sum(n * h * w for n, h, w in geometry.stacks) * geometry.channels if geometry else 0


def _tiles(member: Member) -> str:
    """Tiles in words, as height x width; "" where pictures are not cut."""
    counts = [len(part.streams) for part in member.parts if part.tile != (0, 0)]
    sizes = {part.tile for part in member.parts if part.tile != (0, 0)}
    if not sizes:
        return ""
    said = " and ".join(f"{height} x {width}" for height, width in sorted(sizes))
    return f"{said}, {sum(counts)} of them" if max(counts) > 1 else f"{said}, in one stream"


def _original(original: Original) -> str:
    said = [original.name or "without a name", f"{original.length} bytes", f"SHA-256 {original.sha256.hex()[:16]}..."]
    if original.modified is not None:
        changed = when(original.modified, "%Y-%m-%d %H:%M:%S UTC")
        said.append(f"changed {changed}" if changed else f"changed {original.modified // 10**9} seconds after 1970")
    if original.mode is not None:
        said.append(f"mode {original.mode:04o}")
    return ", ".join(said)


EXAMPLES = examples(
    "arcomp info img.png.arcomp",
    "arcomp info -v photos.arcomp",
)


@click.command("info", short_help="Say what files hold.", epilog=EXAMPLES)
@options.inputs
@options.limited
@options.talkative
def command(console: Console, inputs: tuple[str, ...], limits: Limits) -> int:
    """Say what files hold: the original, its pictures, how they are coded, sizes. Checksums are checked, pixels are not
    decoded."""

    def work(name: str) -> None:
        data = read_compressed(name).data
        if _archive(name, data, console):
            return
        if console.verbose:
            _list_damage(data, console)
        about, member = _about(name, data, limits)
        if console.as_json:
            print(json.dumps(about))
            return
        if console.quiet:
            return
        console.print(shown(name))
        if member.original:
            console.print(f"  original {_original(member.original)}")
        kind = about["content"]
        console.print(f"  {kind:<8} {contents(member)}")
        console.print(f"  form     {described(member)}")
        for tree in member.trees[:4] if console.verbose or len(member.parts) > 1 else ():
            console.print(f"  made of  {tree}")
        if tiles := _tiles(member):
            console.print(f"  tiles    {tiles}")
        for model, where in zip(member.models, about["where"], strict=True):
            here = "NOT here" if where is None else where if where == INSIDE else "here"
            here += f": {where}" if here == "here" and console.verbose else ""
            console.print(f"  model    {model.name}, digest {model.digest.hex()}, {here}")
        rate = f", {about['bits_per_subpixel']:.3f} bits/{unit(member)}" if member.geometry else ""
        console.print(
            f"  size     {size(about['input_bytes'])} (samples {about['coded_bytes']} bytes in "
            f"{about['streams']} streams, all else {about['form_bytes']}){rate}, format version "
            f"{about['format_version']}"
        )

    return 1 if options.each(inputs, work, console) else 0
