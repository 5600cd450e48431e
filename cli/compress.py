"""``arcomp compress``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli import options
from arcomp.cli.coding import Startup, Total, digits, ending_to_keep, unit
from arcomp.cli.console import Console, duration, percent, shown, size
from arcomp.cli.data import read_samples
from arcomp.cli.files import ENDING, STDOUT, Target
from arcomp.errors import VerificationError

if TYPE_CHECKING:
    from arcomp.codec import Encoded
    from arcomp.contract.model import Model
    from arcomp.samples import Samples


@dataclass
class Compressor:
    """Compresses file after file with one model."""

    console: Console
    target: Target
    model: Model
    device: str
    verify: bool
    pixels: bool
    as_bytes: bool
    startup: Startup
    threads: int | None = None
    drop: bool = False
    total: Total = field(default_factory=Total)

    def __call__(self, name: str) -> None:
        """Compress a file.

        Raises:
            ArcompError: it cannot be read or written, is not supported, or does not decode to the original.
        """
        samples, bytes_in = read_samples(name, self.model, as_bytes=self.as_bytes, allow_lossy=self.pixels)
        path = self.target.place(name + ENDING)
        self.target.claim(path, name)
        kept = self.target.remove and bool(samples.dropped) and not self.drop
        if samples.dropped:
            stays = "; so the input stays (--drop removes it)" if kept else ""
            self.console.warn(f"{shown(name)}: not kept: {', '.join(samples.dropped)}{stays}")
        self.startup.warm(self.model, samples.channels, samples.depth, self.device)
        samples = replace(samples, ending=ending_to_keep(name, path, samples))
        encoded, verify_seconds = self._encode(samples, name)
        self.target.put(path, encoded.data, name, replaces=self.verify and not kept)
        self._tell(name, path, bytes_in, samples, encoded, verify_seconds)

    def _encode(self, samples: Samples, name: str) -> tuple[Encoded, float]:
        import numpy as np

        from arcomp import codec

        with self.console.progress(f"compressing {shown(name)}") as meter:
            encoded = codec.encode(samples, self.model, device=self.device, threads=self.threads, progress=meter)
        began = time.perf_counter()
        if self.verify:
            with self.console.progress(f"verifying {shown(name)}") as meter:
                decoded = codec.decode(encoded.data, model=self.model, threads=self.threads, progress=meter)
            again, pixels = decoded.pixels, samples.pixels
            if again.shape != pixels.shape or not all(map(np.array_equal, _rows(again), _rows(pixels))):
                raise VerificationError(
                    "decoding did not give back the original; nothing was written", remedy="run `arcomp doctor`"
                )
        return encoded, time.perf_counter() - began

    def _tell(
        self, name: str, path: str, bytes_in: int, samples: Samples, encoded: Encoded, verify_seconds: float
    ) -> None:
        images, height, width, channels = samples.pixels.shape
        bytes_out = len(encoded.data)
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            "model": self.model.name,
            "digest": self.model.digest.hex(),
            "content": samples.form.kind,
            "images": images,
            "width": width,
            "height": height,
            "channels": channels,
            "bit_depth": samples.depth,
            "input_bytes": bytes_in,
            "output_bytes": bytes_out,
            "bits_per_subpixel": encoded.bits_per_subpixel,
            "nll_bits": encoded.nll_bits,
            "network_nll_bits": encoded.network_bits,
            "overhead_percent": encoded.overhead_percent,
            "seconds": digits(encoded.seconds),
            "verified": self.verify,
            "verify_seconds": digits(verify_seconds),
            "startup_seconds": digits(self.startup.seconds),
            "device": self.device,
            "dropped": list(samples.dropped),
        }
        model_bits = encoded.nll_bits / encoded.samples
        line = (
            f"{shown(name)}{'' if path == STDOUT else ' -> ' + path}: {size(bytes_in)} -> {size(bytes_out)} "
            f"({bytes_out / bytes_in:.1%}), {encoded.bits_per_subpixel:.3f} bits/{unit(samples.form)} "
            f"(NLL {model_bits:.3f}, "
            f"overhead {percent(encoded.overhead_percent)}), {duration(encoded.seconds)}"
            f"{'' if self.verify else ', NOT verified'}"
        )
        details = [f"model {self.model.name} {self.model.digest.hex()[:16]} on {self.device}"]
        if encoded.network_bits is not None:
            details.append(f"NLL of the network alone {encoded.network_bits / encoded.samples:.3f}")
        details += [f"verified in {duration(verify_seconds)}"] if self.verify else []
        details += [f"start-up {duration(self.startup.seconds)}"]
        self.console.result(line, about, ", ".join(details))
        self.total.add(bytes_in, bytes_out, encoded.samples, encoded.seconds)


def _rows(pixels: Any) -> Iterator[Any]:
    """Pictures [N, H, W, C] row by row: to compare all of them at once would take as much memory again."""
    return (row for picture in pixels for row in picture)


@click.command("compress", short_help="Compress pictures, arrays, or text.")
@options.inputs
@options.output
@options.model_or_default
@options.preset
@options.force
@options.remove
@options.to_stdout
@click.option("--drop", is_flag=True, help="With --rm: also remove files whose metadata is lost, such as Exif.")
@click.option("--no-verify", is_flag=True, help="Do not decode the result to compare it with the input.")
@click.option(
    "--pixels",
    is_flag=True,
    help="Also take JPEG and other lossy files: compress the decoded pixels; the result is larger than the file.",
)
@click.option(
    "--bytes", "as_bytes", is_flag=True, help="Compress any file as bytes, even a picture (with a model of text)."
)
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
    drop: bool,
    no_verify: bool,
    pixels: bool,
    as_bytes: bool,
    threads: int | None,
    device: str,
) -> int:
    """Compress pictures: img.png becomes img.png.arcomp.

    FILE is a picture of 8-bit gray or RGB (PNG, BMP, TIFF, lossless WebP, PNM), or an array of uint8 or bool (.npy,
    .npz). Models of binary pictures take gray pictures of 1 bit; models of text take any file. Every result is decoded
    again and compared with its input before it is put in place.
    """
    if remove and no_verify:
        raise click.UsageError("--rm removes verified inputs only; leave out --no-verify")
    if remove and pixels:
        raise click.UsageError("--rm would delete lossy originals, which arcomp cannot restore; leave out --pixels")
    if drop and not remove:
        raise click.UsageError("--drop needs --rm")
    target = Target(output, to_stdout, force, remove, console)
    target.check(inputs)
    from arcomp.contract import registry

    model = registry.load(options.chosen_model(model_name, preset))
    where = options.choose_device(device, uses_torch=not model.weightless)
    work = Compressor(
        console, target, model, where, not no_verify, pixels, as_bytes, Startup(threads, console), threads, drop
    )
    failed = options.each(inputs, work, console)
    if len(inputs) > 1:
        console.summary(work.total.line(failed))
    return 1 if failed else 0
