"""What the verbs that code pixels share: start-up kept apart from coding, totals, and words for results."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from arcomp.cli import STARTED, options
from arcomp.cli.console import Console, duration, plural, report, shown, size
from arcomp.cli.files import ENDING

if TYPE_CHECKING:
    from arcomp.container import Header
    from arcomp.contract.model import Model
    from arcomp.samples import Form, Samples

COMPILING = 2.0
"""Seconds of compiling after which a message says so."""
_KINDS = {1: "gray", 3: "RGB"}


class Startup:
    """What is done once, before the first file is coded: imports, weights, compiled code, devices, threads.

    Args:
        threads: --threads.
        console: prints a note if this takes long.

    Attributes:
        seconds: from the start of the process until the first file's coding began.
    """

    def __init__(self, threads: int | None, console: Console) -> None:
        options.set_threads(threads)
        self.threads, self.console = threads, console
        self.seconds = 0.0
        self._warm: set[tuple[str, bytes, int, int, str]] = set()

    def warm(self, model: Model, channels: int, depth: int, device: str | None) -> None:
        """Code a few pixels with a model before the clock of the first file starts.

        Args:
            model: the model to prepare.
            channels: channels of the picture that comes next.
            depth: bits of its samples.
            device: where it will be encoded; None if it will only be decoded.
        """
        from arcomp import codec
        from arcomp.exact.compiled import Compiling

        key = (model.name, model.digest, channels, depth, device or "")
        if key not in self._warm:
            with Compiling(COMPILING, self._tell), _ended_by_interrupts():
                codec.warm_up(model, channels, depth, device or "cpu")
            self._warm.add(key)
        if not self.seconds:
            self.seconds = time.perf_counter() - STARTED

    def _tell(self, kept: bool) -> None:
        """Say what takes so long."""
        lasting = "the first time only" if kept else "each time: set NUMBA_CACHE_DIR to a folder to keep it in"
        self.console.note(f"arcomp: compiling for this processor, {lasting} ...")


@contextmanager
def _ended_by_interrupts() -> Iterator[None]:
    """Let an interrupt end the process at once, while there is nothing to undo: a thread that compiles cannot be
    stopped, and an exception inside one of the compiler's callbacks would be printed and lost."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored, or somebody else's
        return

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(report(KeyboardInterrupt()))

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Total:
    """Sums over all files of a run."""

    files: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    samples: int = 0
    seconds: float = 0.0

    def add(self, bytes_in: int, bytes_out: int, samples: int, seconds: float) -> None:
        """Count one file."""
        self.files += 1
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out
        self.samples += samples
        self.seconds += seconds

    def line(self, failed: int) -> str:
        """The last line of a run over several files."""
        rate = f", {8 * self.bytes_out / self.samples:.3f} bits/sub-pixel" if self.samples else ""
        return (
            f"{plural(self.files, 'file')}: {size(self.bytes_in)} -> {size(self.bytes_out)}{rate}, "
            f"{duration(self.seconds)}" + (f"; {failed} failed" if failed else "")
        )


def ending_to_keep(name: str, path: str, samples: Samples) -> str:
    """The original ending to store in the header; empty if the output's name (img.png.arcomp) already shows it.

    Args:
        name: the input's name, or "-". path: the output's. samples: what was read.
    """
    from arcomp.formats import ARRAY_ENDINGS, ENDINGS, format_of
    from arcomp.samples import Array, Bytes

    given = "" if name == "-" else format_of(name)
    restored = format_of(path[: -len(ENDING)]) if path.endswith(ENDING) else ""
    if isinstance(samples.form, Bytes):
        return "" if restored == given else given
    known = ARRAY_ENDINGS if isinstance(samples.form, Array) else ENDINGS
    if restored in known:
        return ""
    return next((ending for ending in (given, samples.ending) if ending in known), "png")


def about_header(header: Header) -> dict[str, Any]:
    """What JSON says about every compressed file."""
    return {
        "model": header.model,
        "digest_begins": header.digest.hex(),
        "content": header.form.kind,
        "images": header.images,
        "width": header.width,
        "height": header.height,
        "channels": header.channels,
        "bit_depth": header.depth,
    }


def unit(form: Form) -> str:
    """What a sample is called."""
    return "byte" if form.kind == "bytes" else "sub-pixel"


def geometry(header: Header) -> str:
    """A file's contents in words, such as "640 x 480, RGB, 8 bits"."""
    if header.form.kind == "bytes":
        return plural(header.width, "byte")
    images = f"{header.images} pictures of " if header.images > 1 else ""
    kind = _KINDS.get(header.channels, f"{header.channels} channels")
    return f"{images}{header.width} x {header.height}, {kind}, {plural(header.depth, 'bit')}"


def digits(seconds: float) -> float:
    """Seconds, rounded to what a clock can tell."""
    return round(seconds, 6)


def model_for(header: Header, given: str | None) -> Model:
    """The model a file needs.

    Args:
        header: of the file.
        given: -m: a name, or the path of weights that are not where models are looked for.

    Raises:
        ModelError: it is not here, or is not the one given.
    """
    from arcomp.codec import check_model
    from arcomp.contract import registry

    if given is None:
        return registry.load(header.model, header.digest)
    model = registry.load(given)
    check_model(header, model)
    return model


def decoded(
    data: bytes, name: str, startup: Startup, console: Console, model_name: str | None, naive: bool, device: str
) -> tuple[Samples, float]:
    """Decode a file's bytes: the samples, and the seconds it took.

    Args:
        data: the file's bytes.
        name: what progress calls it.
        startup: prepares the file's model.
        console: shows progress.
        model_name: -m.
        naive: --naive.
        device: --device; only "cuda" uses a GPU.

    Raises:
        ArcompError: damaged, or its model is not here.
    """
    from arcomp import codec
    from arcomp.container import unpack

    header, _ = unpack(data)
    model = model_for(header, model_name)
    startup.warm(model, header.channels, header.depth, None)
    began = time.perf_counter()
    with console.progress(f"decoding {shown(name)}") as meter:
        samples = codec.decode(
            data, model=model, naive=naive, device="cuda" if device == "cuda" else "cpu", threads=startup.threads,
            progress=meter,
        )  # fmt: skip
    return samples, time.perf_counter() - began
