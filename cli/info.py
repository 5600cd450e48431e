"""``arcomp info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import about_header, geometry, unit
from arcomp.cli.console import Console, shown, size
from arcomp.cli.files import read_compressed

if TYPE_CHECKING:
    from arcomp.container import Header


def whereabouts(header: Header) -> Path | str | None:
    """Where the model that decodes a file is: a path, "built in", or None if it is not here."""
    from arcomp.contract import library

    found = library.find(header.model, header.digest)
    return "built in" if found is None and library.built_in(header.model, header.digest) else found


def _about(name: str) -> tuple[dict[str, Any], Header]:
    from arcomp.container import VERSION, unpack

    data = read_compressed(name)
    header, payload = unpack(data)
    where = whereabouts(header)
    samples = header.images * header.height * header.width * header.channels
    return {
        "input": name,
        "format_version": VERSION,
        **about_header(header),
        "tile_width": header.tile_width,
        "tile_height": header.tile_height,
        "source": header.source,
        "available": where is not None,
        "where": None if where is None else str(where),
        "input_bytes": len(data),
        "payload_bytes": len(payload),
        "side_bytes": len(header.side),
        "bits_per_subpixel": 8 * len(data) / samples,
    }, header


@click.command("info", short_help="Say what files hold.")
@options.inputs
@options.talkative
def command(console: Console, inputs: tuple[str, ...]) -> int:
    """Say what files hold: geometry, model, sizes. Checksums are checked, pixels are not decoded."""

    def work(name: str) -> None:
        about, header = _about(name)
        if console.as_json:
            print(json.dumps(about))
            return
        if console.quiet:
            return
        where = f"here: {about['where']}" if console.verbose else "here"
        others = about["input_bytes"] - about["payload_bytes"]
        digest = about["digest_begins"]
        tiles = f", tiles of {header.tile_width} x {header.tile_height}" if header.tile_width else ""
        console.print(shown(name))
        console.print(
            f"  {header.form.kind:<8} {geometry(header)}{tiles}" + (f", from {header.source}" if header.source else "")
        )
        console.print(f"  model    {header.model}, digest {digest}, {where if about['available'] else 'NOT here'}")
        console.print(f"  format   version {about['format_version']}")
        console.print(
            f"  size     {size(about['input_bytes'])} (payload {about['payload_bytes']} bytes, header {others} bytes), "
            f"{about['bits_per_subpixel']:.3f} bits/{unit(header.form)}"
        )

    return 1 if options.each(inputs, work, console) else 0
