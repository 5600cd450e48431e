"""``arcomp decompress``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, about_header, decoded, digits, geometry
from arcomp.cli.console import Console, duration, plural, shown, size
from arcomp.cli.files import ENDING, STDOUT, Target, read_compressed
from arcomp.errors import OutputError, VerificationError

if TYPE_CHECKING:
    from arcomp.container import Header


def named(name: str, header: Header) -> tuple[str, str]:
    """The name and the format of what an input becomes when none is asked for.

    Args:
        name: the input, ``-`` for standard input.
        header: of the file, for names that tell no format.

    Returns:
        A path beside the input ("" where the input's name gives none), and an ending, perhaps "".
    """
    from arcomp.formats import ARRAY_ENDINGS, ENDINGS, format_of
    from arcomp.samples import Bytes

    if not name.lower().endswith(ENDING) or os.path.basename(name).lower() == ENDING:
        return "", header.source
    restored = name[: -len(ENDING)]
    ending = format_of(restored)
    known = bool(ending) if isinstance(header.form, Bytes) else ending in {*ENDINGS, *ARRAY_ENDINGS}
    if known or not header.source:
        return restored, ending
    return f"{restored}.{header.source}", header.source


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
        from arcomp.formats import reads_back, write

        data = read_compressed(name)
        header, _ = unpack(data)
        path, ending = self._output(name, header)
        self.target.claim(path, name)
        _check_format(header, ending)
        samples, seconds = decoded(data, name, self.startup, self.console, self.model_name, self.naive, self.device)
        written = write(samples, ending)
        if self.target.remove and not reads_back(written, samples):
            raise VerificationError("what was written does not read back the same", remedy="choose another format")
        self.target.put(path, written, name, replaces=True)
        self._tell(name, path, data, written, header, seconds)

    def _output(self, name: str, header: Header) -> tuple[str, str]:
        """Where the picture goes, and in which format."""
        from arcomp.formats import format_of

        restored, ending = named(name, header)
        if not (self.target.to_stdout or (self.target.output and not self.target.into_folder)):
            if not restored:
                raise OutputError(f"its name does not end in {ENDING}", remedy="name the output with -o")
            return self.target.place(restored), ending
        path = self.target.place(restored)
        return path, ending if path == STDOUT else format_of(path) or header.source

    def _tell(self, name: str, path: str, data: bytes, written: bytes, header: Header, seconds: float) -> None:
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            **about_header(header),
            "input_bytes": len(data),
            "output_bytes": len(written),
            "seconds": digits(seconds),
            "verified": True,
            "startup_seconds": digits(self.startup.seconds),
        }
        line = (
            f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {size(len(data))} -> {size(len(written))}, "
            f"{duration(seconds)}"
        )
        details = f"{geometry(header)}, model {header.model}, start-up {duration(self.startup.seconds)}"
        self.console.result(line, about, details)
        self.files, self.seconds = self.files + 1, self.seconds + seconds
        self.bytes_in, self.bytes_out = self.bytes_in + len(data), self.bytes_out + len(written)


def _check_format(header: Header, ending: str) -> None:
    """Refuse, before decoding, what no file of that ending can hold.

    Raises:
        OutputError: nor can anything else here, or another ending can.
    """
    import numpy as np

    from arcomp.formats import ARRAY_ENDINGS, write
    from arcomp.samples import Bytes, Samples

    if isinstance(header.form, Bytes):
        return
    if not ending:
        raise OutputError("nothing says which format to write", remedy="name the output with -o, as in -o out.png")
    if ending in ARRAY_ENDINGS:
        return
    if header.images != 1:
        raise OutputError(f"holds {header.images} pictures", remedy="name the output with -o, as in -o out.npy")
    dtype = np.uint8 if header.depth <= 8 else np.uint16
    try:
        write(Samples.of(np.zeros((1, 1, 1, header.channels), dtype), header.depth), ending)
    except OutputError as error:
        # Its remedy is a list of formats; how to name one is for the command line to say.
        raise OutputError(error.cause, remedy=f"name the output with -o ({error.remedy or 'no format can'})") from error


@click.command("decompress", short_help="Decompress.")
@options.inputs
@options.output
@options.force
@options.remove
@options.to_stdout
@options.model_of_file
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
    naive: bool,
    threads: int | None,
    device: str,
) -> int:
    """Decompress files: img.png.arcomp becomes img.png.

    The output's ending chooses its format: png, bmp, tif, tiff, webp (lossless), ppm, pgm, pbm, pnm; npy and npz for
    arrays. So -o other.bmp converts. Text and other bytes are restored as they were, whatever the ending.
    """
    options.check_cuda(device)
    target = Target(output, to_stdout, force, remove, console)
    target.check(inputs)
    work = Decompressor(console, target, Startup(threads, console), model_name, naive, device)
    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        line = (
            f"{plural(work.files, 'file')}: {size(work.bytes_in)} -> {size(work.bytes_out)}, {duration(work.seconds)}"
        )
        console.summary(line + (f"; {failed} failed" if failed else ""))
    return 1 if failed else 0
