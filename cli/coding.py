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
from arcomp.cli.console import Console, duration, megapixels, plural, report, shown, size
from arcomp.cli.ending import TERMINATED
from arcomp.errors import FormatError
from arcomp.limits import USUAL_LIMITS, Limits

if TYPE_CHECKING:
    from arcomp.container import Member
    from arcomp.contract.model import Model
    from arcomp.samples import Samples

COMPILING = 2.0
"""Seconds of compiling after which a message says so."""


class Startup:
    """What is done once, before the first file is coded: imports, weights, compiled code, devices, threads.

    Args:
        threads: --threads.
        console: prints a note if this takes long.
        limits: what decoding a file may take.

    Attributes:
        seconds: from the start of the process until the first file's coding began.
    """

    def __init__(self, threads: int | None, console: Console, limits: Limits = USUAL_LIMITS) -> None:
        options.set_threads(threads)
        self.threads, self.console, self.limits = threads, console, limits
        self.seconds = 0.0
        self._seen: set[str] = set()
        self._warm: set[tuple[str, bytes, int, int, str]] = set()

    def use(self, threads: int | None) -> None:
        """Use so many threads for the file that comes next."""
        if threads != self.threads:
            options.set_threads(threads)
            self.threads = threads

    def is_first(self, kind: str) -> bool:
        """Whether no file of a kind came before, so that it waits for what others of it do not."""
        if kind in self._seen:
            return False
        self._seen.add(kind)
        return True

    def warm(self, model: Model, channels: int, depth: int, device: str | None) -> None:
        """Code a few pixels with a model before the clock of the first file starts.

        Args:
            model: the model to prepare.
            channels: channels of the picture that comes next.
            depth: bits of its samples.
            device: where it will be encoded; None if it will only be decoded.
        """
        from arcomp import codec

        key = (model.name, model.digest, channels, depth, device or "")
        if key not in self._warm:
            with self.compiling():
                codec.warm_up(model, channels, depth, device or "cpu")
            self._warm.add(key)

    def warm_jpegs(self, model: Model) -> None:
        """Code a few coefficients with a model of JPEGs, for the same reason."""
        from arcomp.contract.coefficients import comes_back
        from arcomp.contract.fixed_input import fixed_picture

        key = (model.name, model.digest, 0, 0, "")
        if key not in self._warm:
            with self.compiling():
                comes_back(model, fixed_picture(3))
            self._warm.add(key)

    def warm_usual(self, model: Model, device: str | None) -> None:
        """Compile, or load, what most files need, before other processes do the same.

        Args:
            model, device: as of :meth:`warm`.
        """
        from arcomp.contract.fitting import takes
        from arcomp.warming import warm_forms

        with self.compiling():
            warm_forms()
        for channels in (3, 1):
            if takes(model, channels, 8):
                self.warm(model, channels, 8, device)

    def warm_member(self, member: Member, model_name: str | None) -> None:
        """Compile, or load, what decoding a file needs.

        Args:
            member: the file. model_name: -m.
        """
        from arcomp import codec
        from arcomp.form import kinds_of

        model = model_for(member, model_name)
        self.begin("deflated (predicted)" in kinds_of(member.skeleton or ()), None, None)
        for found, leaf in codec.coded_by(member, model):
            self.warm(found, leaf.shape[3], leaf.depth, None)
        if member.jpegs:
            self.warm_jpegs(codec.model_of_jpegs(member, model))

    def begin(self, deflated: bool, model: Model | None, device: str | None) -> None:
        """Where nothing is kept from before: have a second process compile what deflate streams need, and compile what
        the model needs meanwhile.

        Args:
            deflated: whether the file that comes next has such streams.
            model: will perhaps code its pictures; None if that is not known yet.
            device: as of :meth:`warm`.
        """
        from arcomp.contract.fitting import takes
        from arcomp.deflate import begin

        if not deflated or not begin() or model is None:
            return
        channels = next((count for count in (3, 1) if takes(model, count, 8)), 0)
        if channels:
            self.warm(model, channels, 8, device)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Where kernels may have to be compiled, before there is anything to undo."""
        from arcomp.exact.compiled import Compiling

        with Compiling(COMPILING, self._tell), _ended_by_interrupts():
            yield
        if not self.seconds:
            self.seconds = time.perf_counter() - STARTED

    def _tell(self, kept: bool) -> None:
        """Say what takes so long."""
        lasting = "the first time only" if kept else "each time: set NUMBA_CACHE_DIR to a folder to keep it in"
        self.console.note(f"arcomp: compiling for this processor, {lasting} ...")


@contextmanager
def _ended_by_interrupts() -> Iterator[None]:
    """Let an interrupt end the process at once, while there is nothing to undo but claims.

    A thread that compiles cannot be stopped, and an exception inside one of the compiler's callbacks would be printed
    and lost.
    """
    from arcomp.container.temporary import give_up_claims

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored, or somebody else's
        return

    def end(number: int, frame: FrameType | None) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        give_up_claims()
        os._exit(report(KeyboardInterrupt(*[TERMINATED] * (number == signal.SIGTERM))))

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Total:
    """Sums over all files of a run."""

    files: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    coded_bytes: int = 0
    samples: int = 0
    positions: int = 0
    seconds: float = 0.0

    def add(self, bytes_in: int, bytes_out: int, samples: int, positions: int, seconds: float) -> None:
        """Count one file; of no samples and positions if it is kept as bytes."""
        self.files += 1
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out
        self.coded_bytes += bytes_out if samples else 0
        self.samples += samples
        self.positions += positions
        self.seconds += seconds

    def line(self, wall: float | None = None) -> str:
        """The last line of a run over several files.

        Args:
            wall: seconds from the first file's beginning to the last one's end, where several were coded at a time.
        """
        rate = f", {8 * self.coded_bytes / self.samples:.3f} bits/sub-pixel" if self.samples else ""
        speed = f", {self.files / wall:.3g} files/s" if wall and self.files else ""
        seconds = self.seconds if wall is None else wall
        speed += f", {megapixels(self.positions / seconds)}" if self.positions and seconds else ""
        return (
            f"{plural(self.files, 'file')}: {size(self.bytes_in)} -> {size(self.bytes_out)}{rate}, "
            f"{duration(self.seconds if wall is None else wall)}{speed}"
        )


def about_member(member: Member) -> dict[str, Any]:
    """What JSON says about every compressed file."""
    geometry, original, jpegs = member.geometry, member.original, member.jpegs
    height, width = geometry.stacks[0][1:] if geometry else (jpegs[0].height, jpegs[0].width) if jpegs else (None, None)
    return {
        "model": member.models[0].name if member.models else None,
        "digest_begins": member.models[0].digest.hex() if member.models else None,
        "models": [model.name for model in member.models],
        "digests_begin": [model.digest.hex() for model in member.models],
        "content": member.form.kind if geometry else "jpeg" if jpegs else "file",
        "images": sum(stack[0] for stack in geometry.stacks) if geometry else len(jpegs),
        "width": width,
        "height": height,
        "channels": geometry.channels if geometry else jpegs[0].components if jpegs else None,
        "bit_depth": geometry.depth if geometry else 8 if jpegs else None,
        "alpha": geometry.alpha if geometry else None,
        "palette": None if geometry is None or geometry.palette is None else len(geometry.palette),
        "transforms": [str(tree) for tree in member.trees],
        "form": described(member),
        "original": None if original is None else {
            "name": original.name,
            "bytes": original.length,
            "sha256": original.sha256.hex(),
            "modified_ns": original.modified,
            "mode": None if original.mode is None else f"{original.mode:04o}",
        },
    }  # fmt: skip


def described(member: Member) -> str:
    """How the original is made: "bytes", "samples", or the segments of its skeleton."""
    if member.original and member.original.is_folder:
        return "folder"
    if member.geometry is None and not member.jpegs:
        return "bytes"
    if not member.skeleton:
        return "samples"
    from arcomp.form import kinds_of

    return ", ".join(kinds_of(member.skeleton))


def positions(member: Member) -> int:
    """How many pixels a file has that a model coded; none if it is kept as bytes, or coded as such."""
    stacks = member.geometry.stacks if member.geometry and member.form.kind != "bytes" else ()
    return sum(count * height * width for count, height, width in stacks) + sum(
        jpeg.height * jpeg.width for jpeg in member.jpegs
    )


def unit(member: Member) -> str:
    """What a sample is called."""
    return "byte" if member.form.kind == "bytes" else "sub-pixel"


def contents(member: Member) -> str:
    """What a file holds in words, such as "640 x 480, RGB, 8 bits"."""
    from arcomp.samples import kind_of_channels

    geometry = member.geometry
    if member.original and member.original.is_folder:
        return "a folder"
    if member.jpegs:
        first, *others = member.jpegs
        more = f", and {plural(len(others), 'JPEG')} in it" if others else ""
        return f"{first.width} x {first.height}, JPEG of {plural(first.components, 'component')}{more}"
    if geometry is None:
        return plural(member.original.length if member.original else 0, "byte")
    _, height, width = geometry.stacks[0]
    if member.form.kind == "bytes":
        return plural(width, "byte")
    count = sum(stack[0] for stack in geometry.stacks)
    of = f"{count} pictures of " if count > 1 else ""
    sizes = f"{width} x {height}" + (" and other sizes" if len(geometry.stacks) > 1 else "")
    kind = kind_of_channels(geometry.channels - geometry.alpha)
    if geometry.palette is not None:
        kind = f"palette of {len(geometry.palette)}"
    kind += " with alpha" if geometry.alpha else ""
    return f"{of}{sizes}, {kind}, {plural(geometry.depth, 'bit')}"


def digits(seconds: float) -> float:
    """Seconds, rounded to what a clock can tell."""
    return round(seconds, 6)


def member_in(data: bytes, limits: Limits = USUAL_LIMITS) -> Member:
    """A file's only member.

    Raises:
        FormatError: it is none, or damaged; then it is said where.
        LimitError: it takes more memory than is allowed.
    """
    from arcomp.container import unpack

    try:
        return unpack(data, limits)
    except FormatError as error:
        from arcomp.damage import explained

        raise explained(data, error) from error


def model_for(member: Member, given: str | None) -> Model | None:
    """The model that is given for a file.

    Args:
        member: the file. given: -m: a name, or the path of weights that are not where models are looked for.

    Raises:
        ModelError: it is none of those that the file needs.
    """
    from arcomp.codec import check_model
    from arcomp.contract import registry

    if given is None:
        return None
    model = registry.load(given)
    check_model(member, model)
    return model


@dataclass(frozen=True)
class Decoded:
    """What a file gave: the samples of its pictures, if it has any; the original file, if it was made of one."""

    member: Member
    samples: Samples | None
    original: bytes | None
    seconds: float


def decoded(
    data: bytes,
    name: str,
    startup: Startup,
    console: Console,
    model_name: str | None,
    naive: bool,
    device: str,
) -> Decoded:
    """Decode a file.

    Args:
        data: the file's bytes.
        name: what progress calls it.
        startup: prepares the file's models.
        console: shows progress.
        model_name: -m.
        naive: --naive.
        device: --device; only "cuda" uses a GPU.

    Raises:
        ArcompError: damaged, or its model is not here.
    """
    from arcomp import codec, files
    from arcomp.claims import check_member
    from arcomp.contract.model import Execution

    member = member_in(data, startup.limits)
    check_member(member, startup.limits)
    model = model_for(member, model_name)
    startup.warm_member(member, model_name)
    began = time.perf_counter()
    with console.progress(f"decoding {shown(name)}") as meter:
        how = Execution("cuda" if device == "cuda" else "cpu", startup.threads, naive, meter, startup.limits)
        if member.original is None:
            samples, original = codec.decode_member(member, model, how), None
        else:
            samples, original = None, files.restored(member, model, how)
    return Decoded(member, samples, original, time.perf_counter() - began)
