"""``arcomp list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.archives import opened
from arcomp.cli.console import Console, plural, shown, size, when
from arcomp.cli.options import examples
from arcomp.errors import FormatError

if TYPE_CHECKING:
    from typing import BinaryIO

    from arcomp.container import Header
    from arcomp.container.archive import Entry


EXAMPLES = examples(
    "arcomp list photos.arcomp",
    "arcomp list --json photos.arcomp",
)


@click.command("list", short_help="Say what is in archives.", epilog=EXAMPLES)
@options.inputs
@options.talkative
def command(console: Console, inputs: tuple[str, ...]) -> int:
    """Say what is in archives: each file's size, compressed size and time. With -v also its permissions, models and
    SHA-256. No file is decoded; `arcomp info` says more of a single file."""

    def work(name: str) -> None:
        from arcomp.container.archive import read_archive

        with opened(name) as file:
            archive = read_archive(file)
            if not console.as_json:
                console.summary(f"{'size':>9} {'packed':>9} {'':>6}  {'changed (UTC)':<16}  {shown(name)}")
            sums = [0, 0, 0]
            for entry in archive.entries:
                header = _header(file, entry)
                length = header.original.length if header.original else 0
                sums = [sums[0] + (not entry.name.endswith("/")), sums[1] + length, sums[2] + entry.length]
                console.result(_line(entry, header), {"archive": name, **_about(entry, header)}, _details(header))
        percent = f"{sums[2] / max(1, sums[1]):.1%}"
        console.summary(f"{size(sums[1]):>9} {size(sums[2]):>9} {percent:>6}  {'':<16}  {plural(sums[0], 'file')}")
        if archive.damaged:
            begin, end = archive.damaged[0]
            raise FormatError(f"bytes {begin} to {end - 1} of it are damaged", remedy="get a fresh copy")

    return 1 if options.each(inputs, work, console) else 0


def _header(file: BinaryIO, entry: Entry) -> Header:
    from arcomp.container import read_header

    file.seek(entry.offset)
    header, _ = read_header(file)
    name = header.original.name if header.original else ""
    if name != entry.name:
        raise FormatError(f"the index is wrong: it calls {name!r} {entry.name!r}", remedy="get a fresh copy")
    return header


def _line(entry: Entry, header: Header) -> str:
    original = header.original
    length = original.length if original else None
    percent = f"{entry.length / length:.1%}" if length else ""
    changed = "" if original is None or original.modified is None else when(original.modified, "%Y-%m-%d %H:%M")
    said = "" if length is None else size(length)
    return f"{said:>9} {size(entry.length):>9} {percent:>6}  {changed:<16}  {entry.name or '(without a name)'}"


def _details(header: Header) -> str:
    original = header.original
    models = " and ".join(model.name for model in header.models)
    mode = "" if original is None or original.mode is None else f"mode {original.mode:04o}, "
    sha256 = f", SHA-256 {original.sha256.hex()}" if original else ""
    return f"{mode}{models or 'no model'}{sha256}"


def _about(entry: Entry, header: Header) -> dict[str, Any]:
    original = header.original
    return {
        "member": entry.name,
        "offset": entry.offset,
        "bytes": original.length if original else None,
        "compressed_bytes": entry.length,
        "modified_ns": original.modified if original else None,
        "mode": None if original is None or original.mode is None else f"{original.mode:04o}",
        "sha256": original.sha256.hex() if original else None,
        "models": [model.name for model in header.models],
    }
