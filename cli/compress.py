"""``arcomp compress``."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, Total, about_member, contents, digits, unit
from arcomp.cli.console import Console, duration, percent, shown, size
from arcomp.cli.files import ENDING, STDOUT, Target
from arcomp.cli.inputs import read_input
from arcomp.errors import OutputError, PictureError

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.files import Compressed, Settings


@dataclass
class Compressor:
    """Compresses file after file with one model."""

    console: Console
    target: Target
    model: Model
    settings: Settings
    pixels: bool
    startup: Startup
    total: Total = field(default_factory=Total)

    def __call__(self, name: str) -> None:
        """Compress a file.

        Raises:
            ArcompError: it cannot be read or written, is not supported, or does not decode to the original.
        """
        from arcomp.files import About

        source = read_input(name, to_remove=self.target.remove)
        data, about, regular = source.data, About(), source.regular
        if name != "-":
            about = About(os.path.basename(name))
        if regular is not None:
            about = replace(about, modified=regular.st_mtime_ns, mode=stat.S_IMODE(regular.st_mode))
        bytes_in, restored = len(data), name
        if self.pixels and name != "-":
            restored = os.path.splitext(name)[0] + ".png"
            about = replace(about, name=os.path.basename(restored))
        path = self.target.place(restored + ENDING)
        self.target.claim(path, name)
        made = self._compress(self._as_png(data, name) if self.pixels else data, about, name)
        self.target.put(path, made.data, source, replaces=self.settings.verify and not self.pixels, about=about)
        self._tell(name, path, bytes_in, made)

    def _as_png(self, data: bytes, name: str) -> bytes:
        """A picture's pixels and metadata as a PNG.

        Raises:
            PictureError: it is no picture that can be read.
            OutputError: PNG does not hold its pixels.
        """
        from arcomp.formats.conversion import converted

        try:
            made = converted(data, "png")
        except (PictureError, OutputError) as error:
            error.remedy = "leave out --pixels: then the file itself is kept"
            raise
        lost = f"; not kept: {', '.join(made.lost)}" if made.lost else ""
        self.console.warn(f"{shown(name)}: its pixels and metadata are kept, as a PNG, not the file itself{lost}")
        return made.data

    def _compress(self, data: bytes, about: Any, name: str) -> Compressed:
        from arcomp import files
        from arcomp.formats.png import SIGNATURE

        first = not self.startup.seconds
        self.startup.begin(data.startswith(SIGNATURE) and not self.settings.as_bytes, self.model, self.settings.device)
        with self.startup.compiling():
            found = files.examine(data, self.model, about, self.settings)
        if first:  # that was start-up, most of it
            found = replace(found, seconds=0.0)
        for model, leaf in found.coded_by(self.model):
            self.startup.warm(model, leaf.shape[3], leaf.depth, self.settings.device)
        share = 0.5 if self.settings.verify else 1.0  # verifying takes as long as coding
        with self.console.progress(f"compressing {shown(name)}") as meter:
            return files.compress(
                found, self.model, self.settings,
                progress=lambda part: meter(share * part), verifying=lambda part: meter(share + (1 - share) * part),
            )  # fmt: skip

    def _tell(self, name: str, path: str, bytes_in: int, made: Compressed) -> None:
        bytes_out, coded = len(made.data), made.coded
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            **about_member(made.member),
            "digest": self.model.digest.hex() if coded else None,
            "input_bytes": bytes_in,
            "output_bytes": bytes_out,
            "form_bytes": made.form_bytes,
            "seconds": digits(made.seconds),
            "verified": self.settings.verify,
            "verify_seconds": digits(made.verify_seconds),
            "startup_seconds": digits(self.startup.seconds),
            "device": self.settings.device,
        }
        rate, details = "", [contents(made.member)]
        if coded:
            nll = coded.nll_bits
            over = 100 * (8 * bytes_out / nll - 1) if nll else 0.0
            about |= {
                "bits_per_subpixel": 8 * bytes_out / coded.samples,
                "nll_bits": nll,
                "network_nll_bits": coded.network_bits,
                "overhead_percent": over,
            }
            rate = (
                f", {8 * bytes_out / coded.samples:.3f} bits/{unit(made.member)} "
                f"(NLL {nll / coded.samples:.3f}, overhead {percent(over)})"
            )
            details.append(f"model {self.model.name} {self.model.digest.hex()[:16]} on {self.settings.device}")
            if coded.network_bits is not None:
                details.append(f"NLL of the network alone {coded.network_bits / coded.samples:.3f}")
        line = (
            f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {size(bytes_in)} -> {size(bytes_out)} "
            f"({bytes_out / max(1, bytes_in):.1%}){rate}{'' if coded else ', kept as bytes'}, {duration(made.seconds)}"
            f"{'' if self.settings.verify else ', NOT verified'}"
        )
        details += [f"form {made.form_bytes} bytes"]
        details += [f"verified in {duration(made.verify_seconds)}"] if self.settings.verify else []
        details += [f"start-up {duration(self.startup.seconds)}"]
        self.console.result(line, about, ", ".join(details))
        self.total.add(bytes_in, bytes_out, coded.samples if coded else 0, made.seconds)


@click.command("compress", short_help="Compress any files: pictures best.")
@options.inputs
@options.output
@options.model_or_default
@options.preset
@options.force
@options.remove
@options.to_stdout
@click.option("--no-verify", is_flag=True, help="Do not decode the result to compare it with the input.")
@click.option(
    "--pixels",
    is_flag=True,
    help="Keep pictures' pixels and metadata, as a PNG, in place of the file: smaller for GIF, lossless WebP, and PNG "
    "that was optimised.",
)
@click.option(
    "--tile",
    metavar="N or HxW",
    callback=options.sides,
    help="Code pictures in tiles of that many pixels, which `decompress --crop` decodes alone; files become larger.",
)
@click.option("--bytes", "as_bytes", is_flag=True, help="Look for no pictures in files.")
@options.threads
@options.device("Where the model is evaluated; the file is the same. auto: CUDA if there is one.")
@options.talkative
def command(
    console: Console,
    inputs: tuple[str, ...],
    output: str | None,
    model_name: str | None,
    preset: str | None,
    force: bool,
    remove: bool,
    to_stdout: bool,
    no_verify: bool,
    pixels: bool,
    tile: tuple[int, int] | None,
    as_bytes: bool,
    threads: int | None,
    device: str,
) -> int:
    """Compress files: img.png becomes img.png.arcomp.

    Any file comes back bit for bit, with its name, time and permissions. PNG, BMP, TIFF, PNM, .npy and .npz are coded
    by the model; other files are kept as bytes, or coded by a model of text (-m). Every result is decoded again and
    compared with its input before it is put in place.
    """
    if remove and no_verify:
        raise click.UsageError("--rm removes verified inputs only; leave out --no-verify")
    if remove and pixels:
        raise click.UsageError("--rm would delete files that do not come back; leave out --pixels")
    if pixels and as_bytes:
        raise click.UsageError("--pixels and --bytes are two things to do with a picture")
    target = Target(output, to_stdout, force, remove, console)
    target.check(inputs)
    from arcomp.contract import registry
    from arcomp.files import Settings

    model = registry.load(options.chosen_model(model_name, preset))
    where = options.choose_device(device, uses_torch=not model.weightless)
    settings = Settings(tile, where, threads, not no_verify, as_bytes)
    work = Compressor(console, target, model, settings, pixels, Startup(threads, console))
    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        console.summary(work.total.line(failed))
    return 1 if failed else 0
