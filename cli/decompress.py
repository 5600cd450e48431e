"""``arcomp decompress``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Decoded, Startup, about_member, contents, decoded, digits
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.files import ENDING, STDOUT, Target
from arcomp.cli.inputs import read_compressed
from arcomp.errors import OutputError, PictureError

if TYPE_CHECKING:
    from arcomp.container import Member
    from arcomp.files import About


def named(name: str, member: Member) -> str:
    """The name of what an input becomes when none is asked for.

    Args:
        name: the input, ``-`` for standard input.
        member: the file, for names that have no ending.

    Returns:
        A path beside the input; "" where the input's name gives none.
    """
    if not name.lower().endswith(ENDING) or os.path.basename(name).lower() == ENDING:
        return ""
    restored = name[: -len(ENDING)]
    if os.path.splitext(restored)[1]:
        return restored
    if member.original is None:
        return f"{restored}.{default_ending(member)}"
    ending = os.path.splitext(member.original.name)[1]
    return restored + (ending if ending[1:].isalnum() else "")


def default_ending(member: Member) -> str:
    """What samples that came from no file are written as."""
    if member.geometry and sum(stack[0] for stack in member.geometry.stacks) > 1 and member.form.kind == "picture":
        return "tif"
    return "png" if member.form.kind == "picture" else "npy" if member.form.kind == "array" else "bin"


@dataclass
class Decompressor:
    """Decompresses one file after the other."""

    console: Console
    target: Target
    startup: Startup
    model_name: str | None = None
    naive: bool = False
    device: str = "auto"
    files: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0

    def __call__(self, name: str) -> None:
        """Decompress a file.

        Raises:
            ArcompError: it cannot be read, is damaged, or the output cannot be written or hold the pixels.
        """
        from arcomp.container import unpack
        from arcomp.formats import format_of

        source = read_compressed(name, to_remove=self.target.remove)
        data = source.data
        member = unpack(data)
        path, chosen = self._output(name, member)
        self.target.claim(path, name)
        found = decoded(data, name, self.startup, self.console, self.model_name, self.naive, self.device)
        written, lost = _written(found, format_of(path), chosen)
        same = written == found.original or (found.samples is not None and not lost)
        if self.target.remove and not same:
            raise OutputError("--rm would lose the original file", remedy="leave out --rm, or -o's other ending")
        self.target.put(path, written, source, replaces=same, about=_about(member) if same else None)
        if lost:
            self.console.warn(f"{shown(name)}: not kept in .{format_of(path)}: {', '.join(lost)}")
        self._tell(name, path, data, written, found)

    def _output(self, name: str, member: Member) -> tuple[str, bool]:
        """Where the file goes, and whether its name was chosen with -o, so that its ending may ask for a conversion."""
        restored = named(name, member)
        if not (self.target.to_stdout or (self.target.output and not self.target.into_folder)):
            if not restored:
                raise OutputError(f"its name does not end in {ENDING}", remedy="name the output with -o")
            return self.target.place(restored), False
        path = self.target.place(restored or name)
        return path, path != STDOUT

    def _tell(self, name: str, path: str, data: bytes, written: bytes, found: Decoded) -> None:
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            **about_member(found.member),
            "input_bytes": len(data),
            "output_bytes": len(written),
            "converted": written != found.original,
            "seconds": digits(found.seconds),
            "verified": True,
            "startup_seconds": digits(self.startup.seconds),
        }
        line = (
            f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {size(len(data))} -> {size(len(written))}, "
            f"{duration(found.seconds)}"
        )
        models = ", ".join(model.name for model in found.member.models)
        details = f"{contents(found.member)}, model {models or 'none'}, start-up {duration(self.startup.seconds)}"
        self.console.result(line, about, details)
        self.files, self.seconds = self.files + 1, self.seconds + found.seconds
        self.bytes_in, self.bytes_out = self.bytes_in + len(data), self.bytes_out + len(written)


def _written(found: Decoded, ending: str, chosen: bool) -> tuple[bytes, tuple[str, ...]]:
    """The file to write, and names of what the original says that it does not.

    Args:
        ending: of its name. chosen: whether the user named it: then the ending may ask for another format.

    Raises:
        OutputError: no such file holds the pixels without loss, or there are none.
    """
    from arcomp.formats import lost_in, write
    from arcomp.formats.conversion import converted, is_of

    if found.samples is not None:
        made = write(found.samples, ending or default_ending(found.member))
        return made, lost_in(made, found.samples)
    original = found.original or b""
    kept = found.member.original
    if not chosen or (kept and os.path.splitext(kept.name)[1][1:].lower() == ending) or is_of(original, ending):
        return original, ()
    try:
        conversion = converted(original, ending)
    except PictureError as error:
        raise OutputError(
            f"cannot be converted to .{ending}: {error.cause}", remedy="name the output with another ending"
        ) from error
    return conversion.data, conversion.lost


def _about(member: Member) -> About | None:
    from arcomp.files import About

    original = member.original
    return None if original is None else About(original.name, original.modified, original.mode)


@click.command("decompress", short_help="Decompress.")
@options.inputs
@options.output
@options.force
@options.remove
@options.to_stdout
@options.model_of_file
@click.option(
    "--crop",
    "area",
    metavar="X,Y,W,H",
    callback=options.area,
    help="Write only that rectangle of a picture, as a PNG or as -o's ending says; decode only the tiles it needs.",
)
@click.option("--picture", metavar="K", type=options.Integers(0), help="Which of several pictures --crop cuts, from 0.")
@options.naive
@options.threads
@options.device(options.DECODING)
@options.talkative
def command(
    console: Console,
    inputs: tuple[str, ...],
    output: str | None,
    force: bool,
    remove: bool,
    to_stdout: bool,
    model_name: str | None,
    area: tuple[int, int, int, int] | None,
    picture: int | None,
    naive: bool,
    threads: int | None,
    device: str,
) -> int:
    """Decompress files: img.png.arcomp becomes img.png, bit for bit, with its time and permissions.

    -o other.bmp converts a picture: png, bmp, tif, tiff, webp (lossless), ppm, pgm, pbm, pnm, pam; npy and npz. Pixels
    are converted without loss, or not at all; metadata goes along where the other format has room for it.
    """
    _check(area, picture, remove, naive)
    options.check_cuda(device)
    target = Target(output, to_stdout, force, remove, console)
    target.check(inputs)
    if area is not None:
        from arcomp.cli.crop import Cropper

        cropper = Cropper(console, target, Startup(threads, console), area, picture, model_name)
        return 1 if options.each(inputs, cropper, console) else 0
    work = Decompressor(console, target, Startup(threads, console), model_name, naive, device)
    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        line = (
            f"{plural(work.files, 'file')}: {size(work.bytes_in)} -> {size(work.bytes_out)}, {duration(work.seconds)}"
        )
        console.summary(line + (f"; {failed} failed" if failed else ""))
    return 1 if failed else 0


def _check(area: tuple[int, ...] | None, picture: int | None, remove: bool, naive: bool) -> None:
    """Refuse combinations that cannot be meant.

    Raises:
        click.UsageError: for these.
    """
    if area is None and picture is not None:
        raise click.UsageError("--picture says which picture --crop cuts; without it all are decompressed")
    if area is not None and remove:
        raise click.UsageError("--rm would lose all but a part of the original; leave it out with --crop")
    if area is not None and naive:
        raise click.UsageError("--naive decodes whole files; leave it out with --crop")
