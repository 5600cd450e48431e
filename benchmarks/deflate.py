"""How small corrections of deflate streams are, by encoder, and how fast they are made and used.

    python -m benchmarks.deflate PNG... [--own] [--encoders zlib-6,libdeflate-6]

Without --own, the filtered rows of each PNG are deflated again by each encoder: zlib of Python, and where they are
installed libdeflate and zlib-ng (imagecodecs) and zopfli. With it, the PNG's own stream is taken.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from arcomp.deflate import predict, restore

Encoder = Callable[[bytes], bytes]


class Measured(NamedTuple):
    """Sums over streams; seconds of processor time."""

    streams: int = 0
    content: int = 0
    stream: int = 0
    coded: int = 0
    predicting: float = 0.0
    restoring: float = 0.0

    def plus(self, other: Measured) -> Measured:
        """The sums of both."""
        return Measured._make(a + b for a, b in zip(self, other, strict=True))


def _zlib(level: int, memory: int, strategy: int, data: bytes) -> bytes:
    encoder = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
    return encoder.compress(data) + encoder.flush()


def _unwrapped(encode: Encoder, data: bytes) -> bytes:
    return encode(data)[2:-4]


def encoders() -> Iterator[tuple[str, Encoder]]:
    """Those that can be had, by name."""
    for level in (1, 6, 9):
        yield f"zlib-{level}", partial(_zlib, level, 8, zlib.Z_DEFAULT_STRATEGY)
    yield "zlib-9-filtered", partial(_zlib, 9, 9, zlib.Z_FILTERED)
    with suppress(ImportError):
        imagecodecs = import_module("imagecodecs")
        for level in (1, 6, 9, 12):
            yield f"libdeflate-{level}", partial(imagecodecs.deflate_encode, level=level, raw=True)
        for level in (1, 2, 3, 6, 9):
            yield f"zlibng-{level}", partial(_unwrapped, partial(imagecodecs.zlibng_encode, level=level))
    with suppress(ImportError):
        zopfli = import_module("zopfli.zlib")
        yield "zopfli", partial(_unwrapped, partial(zopfli.compress, numiterations=5))


def stream_of(path: Path) -> bytes | None:
    """What a PNG's IDAT chunks hold, without zlib's wrapping."""
    data, at, parts = path.read_bytes(), 8, []
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            parts.append(data[at + 8 : at + 8 + size])
        at += 12 + size
    return b"".join(parts)[2:] or None


def row_bytes(path: Path) -> int:
    """Of a PNG's content, with the filter byte."""
    head = path.read_bytes()[16:26]
    channels = {2: 3, 4: 2, 6: 4}.get(head[9], 1)
    return (int.from_bytes(head[:4], "big") * head[8] * channels + 7) // 8 + 1


def measure(stream: bytes, feed: int = 0) -> tuple[Measured, str]:
    """One stream; and the rules that were found."""
    begun = time.process_time()
    predicted = predict(stream, feed)
    made = time.process_time()
    again = restore(predicted.data, predicted.coded)
    used = time.process_time()
    if again != stream[: predicted.length]:
        raise click.ClickException("a stream does not come back")
    sizes = len(predicted.data), predicted.length, len(predicted.coded)
    return Measured(1, *sizes, made - begun, used - made), predicted.name


def row(name: str, total: Measured, rules: str) -> str:
    """A line of the table."""
    speeds = [f"{total.content / 1e6 / seconds:.1f}" for seconds in (total.predicting, total.restoring)]
    share = f"{100 * total.coded / total.stream:.3f} %"
    return f"| {name} | {total.streams} | {total.stream} | {share} | {' | '.join(speeds)} | {rules} |"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--own", is_flag=True, help="The PNGs' own streams, one by one.")
@click.option("--encoders", "chosen", default="", help="Names, with commas between them; all by default.")
@click.option("--most", default=1 << 24, help="Bytes of content to take of a file.")
def main(paths: tuple[Path, ...], own: bool, chosen: str, most: int) -> None:
    """Print a table."""
    click.echo("| encoder | streams | bytes | corrections | predict MB/s | restore MB/s | rules |")
    click.echo("|" + 7 * "---|")
    measure(zlib.compress(b"compile")[2:])
    streams = [(path, stream) for path in paths if (stream := stream_of(path))]
    if own:
        for path, stream in streams:
            one, rules = measure(stream, row_bytes(path))
            click.echo(row(path.name, one, rules))
        return
    for name, encode in encoders():
        if chosen and name not in chosen.split(","):
            continue
        total, found = Measured(), Counter[str]()
        for _, stream in streams:
            one, rules = measure(encode(zlib.decompressobj(-15).decompress(stream, most)))
            total = total.plus(one)
            found[rules] += 1
        click.echo(row(name, total, ", ".join(f"{rules} ({n})" for rules, n in found.most_common(2))))


if __name__ == "__main__":
    main()
