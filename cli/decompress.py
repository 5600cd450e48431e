"""``arcomp decompress``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import click

from arcomp.cli import jobs, many, options
from arcomp.cli.archives import folders_of, header_of, input_of, latest, members, unpacked, with_top
from arcomp.cli.coding import Decoded, Startup, about_member, contents, decoded, digits, positions
from arcomp.cli.console import Console, duration, shown, size
from arcomp.cli.files import ENDING, STDOUT, content
from arcomp.cli.jobs import Chosen, Given, Job
from arcomp.cli.options import examples
from arcomp.cli.target import Target
from arcomp.errors import ArcompError, OutputError, PictureError
from arcomp.limits import USUAL_LIMITS, Limits

if TYPE_CHECKING:
    from arcomp.cli.inputs import Input
    from arcomp.container import Header, Member
    from arcomp.files import About


EXAMPLES = examples(
    "arcomp decompress img.png.arcomp",
    "arcomp decompress img.png.arcomp -o img.bmp",
    "arcomp decompress -r packed/ -o photos/",
    "arcomp decompress photos.arcomp -o photos/",
)
_PICTURES = "png apng bmp dib tif tiff gif jpg jpeg jfif webp ico cur ppm pgm pbm pnm pam heic avif jxl jp2 tga pcx psd"
_OTHERS = "npy npz wav dng raw svg txt md csv tsv json xml log dat bin"
RESTORED = frozenset([*_PICTURES.split(), *_OTHERS.split()])
"""Endings that are taken from the file itself where its own name has none: of pictures, arrays and texts, never of
programs."""


def named(name: str, member: Header) -> str:
    """The name of what an input becomes when none is asked for: its own, never one that the file says.

    Args:
        name: the input, ``-`` for standard input.
        member: what it says, for names that have no ending.

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
    return restored + (ending if ending[1:].lower() in RESTORED else "")


def default_ending(member: Member | Header) -> str:
    """What samples that came from no file are written as."""
    if member.geometry and sum(stack[0] for stack in member.geometry.stacks) > 1 and member.form.kind == "picture":
        return "tif"
    return "png" if member.form.kind == "picture" else "npy" if member.form.kind == "array" else "bin"


@dataclass(frozen=True)
class Decompression:
    """What is asked for.

    Attributes:
        example: an input; what it needs, most will need.
        limits: what decoding a file may take.
        skip_existing: --skip-existing.
    """

    goes_on: ClassVar[bool] = True
    target: Target
    model_name: str | None = None
    naive: bool = False
    device: str = "auto"
    example: Job | None = None
    limits: Limits = USUAL_LIMITS
    skip_existing: bool = False

    def __call__(self, console: Console, threads: int | None, *, warm: bool = False) -> Decompressor:
        """See :class:`arcomp.cli.many.Plan`."""
        startup = Startup(threads, console, self.limits)
        if warm and self.example is not None:
            with suppress(ArcompError):  # it fails in its turn
                startup.warm_member(unpacked(self.example, input_of(self.example).data, self.limits), self.model_name)
        target = replace(self.target, console=console)
        return Decompressor(console, target, startup, self.model_name, self.naive, self.device, self.skips)

    def later(self) -> Decompression | None:
        """See :class:`arcomp.cli.many.Plan`."""
        return replace(self, target=replace(self.target, waits=True)) if self.skip_existing else None

    def placed(self, job: Job) -> Job:
        """An input with the path of its output.

        Raises:
            OutputError: there is none for its name.
        """
        if job.entry is not None:
            return self._placed_below(job, job.entry.name)
        name, said = job.name, None
        restored = name[: -len(ENDING)] if name.lower().endswith(ENDING) else ""
        if not os.path.splitext(restored)[1]:
            with suppress(ArcompError):  # it fails when it is decoded
                said = header_of(job) if os.path.isfile(name) else None
            restored = named(name, said) if said else restored if os.path.basename(restored) else ""
        target = self.target
        if not restored and not (target.to_stdout or (target.output and not target.into_folder)):
            raise OutputError(f"its name does not end in {ENDING}", remedy="name the output with -o")
        within = os.path.dirname(job.within)
        base = os.path.basename(restored)
        return replace(job, path=target.place(restored or name, f"{within}/{base}" if within else base))

    def _placed_below(self, job: Job, name: str) -> Job:
        """A member with the path of its output."""
        from arcomp.batch import place_below

        if self.target.to_stdout:
            return replace(job, path=STDOUT)
        if not name:
            assert job.entry is not None
            header = header_of(job)
            name = f"member-{job.entry.offset}" + ("" if header.original else f".{default_ending(header)}")
        return replace(job, path=place_below(self.target.output or "", name))

    def skips(self, job: Job) -> bool:
        """See :class:`arcomp.cli.many.Plan`: an output of the length and time that the original had."""
        if not self.skip_existing:
            return False
        try:
            found, original = os.stat(job.path), header_of(job).original
        except (OSError, ArcompError):
            return False
        return original is not None and (found.st_size, found.st_mtime_ns) == (original.length, original.modified)


@dataclass
class Decompressor:
    """Decompresses one file after the other."""

    console: Console
    target: Target
    startup: Startup
    model_name: str | None
    naive: bool
    device: str
    skips: Callable[[Job], bool]

    def __call__(self, job: Job, threads: int | None) -> many.Outcome:
        """Decompress a file.

        Raises:
            ArcompError: it cannot be read, is damaged, or the output cannot be written or hold the pixels.
        """
        self.startup.use(threads)
        source, path = input_of(job, to_remove=self.target.remove), job.path
        member = unpacked(job, source.data, self.startup.limits)
        to_remove = self.target.remove and self.skips(job)
        with nullcontext() if to_remove else self.target.claimed(path, job.name):
            return self._made(job, source, member, to_remove)

    def _made(self, job: Job, source: Input, member: Member, to_remove: bool) -> many.Outcome:
        """Decompress what was read, or compare it with what is there already; see :meth:`__call__`."""
        from arcomp.formats import format_of

        data, path = source.data, job.path
        found = decoded(data, job.shown, self.startup, self.console, self.model_name, self.naive, self.device)
        chosen = path != STDOUT and not self.target.into_folder and self.target.output is not None
        written, lost = _written(found, format_of(path), chosen)
        same = written == found.original or (found.samples is not None and not lost)
        if self.target.remove and not same:
            raise OutputError("--rm would lose the original file", remedy="leave out --rm, or -o's other ending")
        if to_remove:
            self.target.remove_done(job, source, content(path) == written)
            return many.Outcome(skipped=True)
        about = _about(member) if same else None
        self.target.put(path, written, source, replaces=same, about=about)
        if lost:
            self.console.warn(f"{shown(job.shown)}: not kept in .{format_of(path)}: {', '.join(lost)}")
        self._tell(job, len(data), written, found)
        return many.Outcome(len(data), len(written), seconds=found.seconds, positions=positions(member))

    def _tell(self, job: Job, bytes_in: int, written: bytes, found: Decoded) -> None:
        path = job.path
        about: dict[str, Any] = {
            "input": job.name,
            **({"member": job.entry.name} if job.entry else {}),
            "output": path,
            **about_member(found.member),
            "input_bytes": bytes_in,
            "output_bytes": len(written),
            "converted": written != found.original,
            "seconds": digits(found.seconds),
            "verified": True,
            "startup_seconds": digits(self.startup.seconds),
        }
        line = (
            f"{shown(job.shown)}{'' if path == STDOUT else ' -> ' + path}: {size(bytes_in)} -> {size(len(written))}, "
            f"{duration(found.seconds)}"
        )
        models = ", ".join(model.name for model in found.member.models)
        details = f"{contents(found.member)}, model {models or 'none'}, start-up {duration(self.startup.seconds)}"
        self.console.result(line, about, details)


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


def decompress(chosen: Chosen, work: Decompression, given: Given, threads: int | None, console: Console) -> int:
    """Decompress inputs and say what came of them; the exit status."""
    target = work.target
    chosen.jobs, folders = folders_of(chosen.jobs)
    chosen.folders = chosen.folders if given.mirrored and target.into_folder else []
    if any(not folder.within for folder in chosen.folders):
        folders = [folder for folder in folders if folder.within]
    chosen.folders += (
        with_top(folders, chosen.jobs, target.output or "", work.skip_existing) if target.confined else folders
    )
    chosen.place(work.placed)
    chosen.share(given.shard)
    there = [] if target.remove else chosen.skip(work.skips)
    many.tell_there(there, console)
    largest = max(chosen.jobs, key=lambda job: job.size, default=None)
    processes = 1 if target.to_stdout else given.processes(threads, chosen.jobs)
    with target.folders_made([] if target.to_stdout else chosen.folders):
        summary = many.run(
            chosen, replace(work, example=largest), console, processes, threads, scheduler=given.scheduler
        )
    summary.skipped += len(there)
    if not target.to_stdout:
        target.put_folders([] if given.shard else chosen.folders, summary)
    return summary.tell(console, chosen, summary.total.line(summary.seconds if processes > 1 else None))


@click.command("decompress", short_help="Decompress.", epilog=EXAMPLES)
@jobs.given
@jobs.spread
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
@click.option(
    "--salvage",
    is_flag=True,
    help="Write what is intact of a damaged file or archive: pictures with gray where tiles are lost.",
)
@options.naive
@options.limited
@options.threads
@options.skip_existing
@options.device(options.DECODING)
@options.talkative
def command(
    console: Console,
    given: Given,
    output: str | None,
    force: bool,
    remove: bool,
    to_stdout: bool,
    model_name: str | None,
    area: tuple[int, int, int, int] | None,
    picture: int | None,
    salvage: bool,
    naive: bool,
    skip_existing: bool,
    threads: int | None,
    device: str,
    limits: Limits,
) -> int:
    """Decompress files: img.png.arcomp becomes img.png, bit for bit, with its time and permissions. Of an archive, -o
    DIR gets all files; `arcomp extract` takes some.

    -o other.bmp converts a picture: png, bmp, tif, tiff, webp (lossless), ppm, pgm, pbm, pnm, pam; npy and npz. Pixels
    are converted without loss, or not at all; metadata goes along where the other format has room for it.
    """
    _check(area, picture, salvage, remove, naive)
    options.check_cuda(device)
    target = Target(output, to_stdout, force, remove, console)
    target.check(given, unpacks=True)
    if area is not None:
        if given.mirrored:
            raise click.UsageError("--crop takes files that are named, not -r or --files-from")
        from arcomp.cli.crop import Cropper

        cropper = Cropper(console, target, Startup(threads, console, limits), area, picture, model_name)
        return 1 if options.each(given.names, cropper, console) else 0
    if salvage:
        if given.mirrored:
            raise click.UsageError("--salvage takes files that are named, not -r or --files-from")
        from arcomp.cli.salvage import Salvager

        salvager = Salvager(console, target, Startup(threads, console, limits), model_name)
        return 1 if options.each(given.names, salvager, console) else 0
    chosen = jobs.choose(given)
    if given.recursive:
        chosen.without(lambda job: "" if job.name.lower().endswith(ENDING) else "other file")
    chosen.expand(members)
    if any(job.entry is not None for job in chosen.jobs):
        target = into(target)
        latest(chosen, console)
    work = Decompression(target, model_name, naive, device, limits=limits, skip_existing=skip_existing)
    return decompress(chosen, work, given, threads, console)


def into(target: Target) -> Target:
    """Where the members of an archive go.

    Raises:
        OutputError: no folder is named.
    """
    if target.to_stdout or target.output is None:
        raise OutputError("an archive of several files", remedy="name a folder with -o, or see `arcomp extract`")
    if target.remove:
        raise OutputError("an archive of several files", remedy="--rm removes no archives; leave it out")
    if os.path.lexists(target.output) and not os.path.isdir(target.output):
        raise OutputError("is no folder, which an archive needs", remedy="name another with -o", path=target.output)
    return replace(target, output=os.path.join(target.output, ""), confined=True)


def _check(area: tuple[int, ...] | None, picture: int | None, salvage: bool, remove: bool, naive: bool) -> None:
    """Refuse combinations that cannot be meant.

    Raises:
        click.UsageError: for these.
    """
    part = "--salvage" if salvage else "--crop" if area is not None else ""
    if area is None and picture is not None:
        raise click.UsageError("--picture says which picture --crop cuts; without it all are decompressed")
    if area is not None and salvage:
        raise click.UsageError("--crop and --salvage are two things to do with a file; salvage it first")
    if part and remove:
        raise click.UsageError(f"--rm would lose what {part} does not write; leave it out")
    if part and naive:
        raise click.UsageError(f"--naive decodes whole files; leave it out with {part}")
