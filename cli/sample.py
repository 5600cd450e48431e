"""``arcomp sample``."""

from __future__ import annotations

import re
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, digits
from arcomp.cli.console import Console, duration, plural, shown
from arcomp.cli.data import read_samples
from arcomp.cli.files import STDOUT
from arcomp.cli.options import examples
from arcomp.cli.target import Target
from arcomp.errors import ModelError, OutputError, said_of

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.samples import Samples

PICTURES, TEXTS = 16, 1
"""How many are drawn unless it is said."""
SIDE, LENGTH = 32, 1000
"""Sides of a picture whose model takes any size, and bytes of a text."""
SOUND = 32000
"""Samples of a sound, two seconds of them."""
LARGEST = 128
"""Side of tiles up to which they may be the size that a model was made for; larger ones only cut pictures."""


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """(height, width) of HxW; (0, N) of a number N alone.

    Raises:
        click.BadParameter: neither.
    """
    if value is None:
        return None
    found = re.fullmatch(r"(?:(\d{1,5})x)?(\d{1,9})", value)
    if found is None or not int(found[2]) or not int(found[1] or 1):
        raise click.BadParameter(f"{value!r} is not HxW, as in 28x28, or a number of bytes")
    return int(found[1] or 0), int(found[2])


@dataclass
class Wanted:
    """What is to be drawn.

    Attributes:
        text: bytes, not pictures. sound: neither.
        shape: [N, H, W, C].
        given: pictures of that shape, or None. kept: how many of their positions stay.
    """

    text: bool
    shape: tuple[int, int, int, int]
    depth: int
    given: Any = None
    kept: int = 0
    sound: bool = False
    scale: int = 1


def _wanted(
    model: Model, count: int | None, size: tuple[int, int] | None, gray: bool, complete: str | None,
    prefix: str | None, output: str | None,
) -> Wanted:  # fmt: skip
    """What the options ask for.

    Raises:
        ArcompError: what is to be completed cannot be read, or the model does not take it.
        click.UsageError: the size of a picture for a text, or the other way round.
    """
    import numpy as np

    from arcomp.contract.fitting import takes
    from arcomp.formats import ARRAY_ENDINGS, ENDINGS, format_of

    if complete is not None:
        return _completion(model, complete, count)
    ending = format_of(output or "")
    if prefix is not None or (model.takes_bytes and ending not in (*ENDINGS, *ARRAY_ENDINGS)):
        if not model.takes_bytes:
            raise ModelError(f"model {model.name} does not draw text", remedy="choose a model of text with -m")
        if size is not None and size[0]:
            raise click.UsageError("a text has no rows; --size is its number of bytes")
        begin = (prefix or "").encode("utf-8", "surrogateescape")
        shape = (count or TEXTS, 1, max(len(begin), size[1] if size else LENGTH), 1)
        given = np.zeros(shape, np.uint8)
        given[:, 0, : len(begin), 0] = np.frombuffer(begin, np.uint8)
        return Wanted(True, shape, 8, given, len(begin))
    if ending == "wav":
        if not takes(model, 2, 8):
            raise ModelError(f"model {model.name} does not draw sounds", remedy="choose a model of sounds with -m")
        return Wanted(False, (count or 1, 1, size[1] if size else SOUND, 2), 8, sound=True)
    channels, depth = _kind(model, gray)
    if size is None:
        tile = model.tile(SIDE, SIDE, channels, depth)
        size = (tile[0], tile[1]) if 0 < max(tile) <= LARGEST else (SIDE, SIDE)
    if not size[0]:
        raise click.UsageError(f"pictures have rows and columns: --size {size[1]}x{size[1]}, for one")
    return Wanted(False, (count or PICTURES, *size, channels), depth)


def _scaled(wanted: Wanted, scale: int, output: str | None) -> Wanted:
    """With larger pixels.

    Raises:
        click.UsageError: for what is no picture.
    """
    from arcomp.formats import ARRAY_ENDINGS, format_of

    if scale > 1 and (wanted.text or wanted.sound or format_of(output or "") in ARRAY_ENDINGS):
        raise click.UsageError("--scale is for pictures")
    return replace(wanted, scale=scale)


def _completion(model: Model, name: str, count: int | None) -> Wanted:
    """The first half of each picture (rows) or text (bytes) of a file, each ``count`` times.

    Raises:
        ArcompError: it cannot be read, or the model does not take it.
    """
    import numpy as np

    from arcomp.contract.fitting import fitted
    from arcomp.samples import Bytes

    with said_of(shown(name)):
        samples = fitted(read_samples(name, model), model)
    height, width = samples.pixels.shape[1:3]
    text = isinstance(samples.form, Bytes)
    several = TEXTS if text else PICTURES if len(samples.pixels) == 1 else 1
    given = np.repeat(samples.pixels, count or several, 0)
    kept = -(-height // 2) * width if height > 1 else -(-width // 2)
    shape = (len(given), height, width, given.shape[3])
    return Wanted(text, shape, samples.depth, given, kept)


def _kind(model: Model, gray: bool) -> tuple[int, int]:
    """(channels, depth) of the pictures that a model draws: colour if it can.

    Raises:
        ModelError: no such.
    """
    from arcomp.contract.fitting import takes

    for channels in (1,) if gray else (3, 1, 2, 4):
        for depth in range(8, 0, -1):
            if takes(model, channels, depth):
                return channels, depth
    what = "gray pictures" if gray else "pictures of up to 8 bits"
    raise ModelError(
        f"model {model.name} does not draw {what}", remedy="leave out --gray" if gray else "choose another"
    )


def _file(drawn: Samples, wanted: Wanted, output: str) -> bytes:
    """The output's bytes.

    Raises:
        OutputError: its ending names no format that can hold them.
    """
    from arcomp.formats import ARRAY_ENDINGS, format_of, write
    from arcomp.sampling import as_sound, grid

    if wanted.sound:
        return write(as_sound(drawn), "wav")
    if wanted.text:
        return b"\n\n".join(text.tobytes() for text in drawn.pixels) + b"\n"
    ending = format_of(output)
    plain = drawn.count == 1 and drawn.depth == 1 and wanted.scale == 1 and ending in ("png", "pbm")
    return write(drawn if plain or ending in ARRAY_ENDINGS else grid(drawn, wanted.scale), ending)


def _printable(text: bytes) -> str:
    """Text that does a terminal no harm."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text.decode("utf-8", "replace")
    )


EXAMPLES = examples(
    "arcomp sample -m MODEL -n 40 --size 28x28 -o digits.png",
    "arcomp sample -m MODEL --complete img.png -o done.png",
    "arcomp sample -m MODEL --size 48000 -o sound.wav",
)


@click.command("sample", short_help="Draw new pictures or text.", epilog=EXAMPLES)
@options.model_to_use
@click.option(
    "-n",
    "count",
    type=options.Integers(1, 1 << 16),
    metavar="N",
    help="How many to draw; with --complete: for each picture. [default: 16 pictures, 1 text; 1 if there are several]",
)
@click.option(
    "--temperature",
    type=options.Numbers(0, 100),
    default=1.0,
    help="Below 1 the samples are more typical. [default: 1]",
)
@click.option(
    "--seed",
    type=options.Integers(0),
    default=0,
    metavar="N",
    help="The same seed draws the same samples. [default: 0]",
)
@click.option(
    "--size",
    callback=_size,
    metavar="HxW",
    help="Size of pictures; a single number is a length: of text in bytes, of sound in samples.",
)
@click.option(
    "--scale", type=options.Integers(1, 64), default=1, metavar="N", help="Draw each pixel of a picture as N x N."
)
@click.option("--gray", is_flag=True, help="Draw gray pictures from a model of gray and colour.")
@click.option(
    "--complete",
    metavar="FILE",
    help="Keep the first half of a picture (its upper rows), array or text, and draw the rest. The model must go "
    "row by row.",
)
@click.option("--prefix", metavar="TEXT", help="Start each text with TEXT.")
@options.output
@options.force
@options.threads
@options.talkative
def command(
    console: Console,
    model_name: str,
    count: int | None,
    temperature: float,
    seed: int,
    size: tuple[int, int] | None,
    scale: int,
    gray: bool,
    complete: str | None,
    prefix: str | None,
    output: str | None,
    force: bool,
    threads: int | None,
) -> int:
    """Draw new pictures from a model, as a grid (-o out.png) or an array (-o out.npy); or text, to standard output; or
    sound (-o out.wav).

    They are drawn position by position from the same integer probabilities that files are coded with.
    """
    if complete is not None and (size is not None or prefix is not None):
        raise click.UsageError("--complete says size and beginning itself; leave out --size and --prefix")
    import numpy as np

    from arcomp.contract import registry
    from arcomp.samples import Samples
    from arcomp.sampling import draw

    output = None if output == STDOUT else output
    target = Target(output, output is None, force, False, console)
    model = registry.load(model_name)
    model.check_sampling(temperature, 0)  # whether it draws at all
    wanted = _scaled(_wanted(model, count, size, gray, complete, prefix, output), scale, output)
    with said_of(shown(complete)) if complete is not None else nullcontext():
        model.check_sampling(temperature, wanted.kept)
    if output is None and not wanted.text:
        raise OutputError("pictures go to a file", remedy="name it with -o, as in -o out.png or -o out.npy")
    if output is not None:
        target.claim(output, complete or "-")
        with said_of(output):
            _file(Samples.of(np.zeros(wanted.shape, np.uint8), wanted.depth), wanted, output)  # can so many be written?
    startup = Startup(threads, console)
    startup.warm(model, wanted.shape[3], wanted.depth, None)
    began = time.perf_counter()
    with console.progress("drawing") as meter:
        drawn = draw(
            model, wanted.shape, wanted.depth, seed=seed, temperature=temperature, given=wanted.given,
            kept=wanted.kept, progress=meter,
        )  # fmt: skip
    seconds = time.perf_counter() - began
    data = _file(drawn, wanted, output or "")
    if output is None and sys.stdout.isatty():
        print(_printable(data), end="")
    else:
        target.put(output or "-", data, None, replaces=False)
    console.stdout_taken = output is None
    _tell(console, wanted, model, output, seed, temperature, seconds)
    return 0


def _tell(
    console: Console, wanted: Wanted, model: Model, output: str | None, seed: int, temperature: float, seconds: float
) -> None:
    images, height, width, channels = wanted.shape
    about = {
        "output": output or "-",
        "model": model.name,
        "digest": model.digest.hex(),
        "images": images,
        "width": width,
        "height": height,
        "channels": channels,
        "bit_depth": wanted.depth,
        "kept": wanted.kept,
        "seed": seed,
        "temperature": temperature,
        "seconds": digits(seconds),
    }
    what = plural(images, "text") if wanted.text else plural(images, "picture") + f" of {width} x {height}"
    what = f"{plural(images, 'channel')} of {width:,} samples" if wanted.sound else what
    where = f"{model.name} -> {output}" if output else model.name
    console.result(f"{where}: {what}, {duration(seconds)}", about)
