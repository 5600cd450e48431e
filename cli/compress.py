"""``arcomp compress``: of files, folders, or into an archive."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import click

from arcomp.cli import jobs, many, options
from arcomp.cli.archives import written_archive
from arcomp.cli.coding import Startup, about_member, contents, decoded, digits, member_in, positions, unit
from arcomp.cli.console import Console, duration, percent, shown, size
from arcomp.cli.files import ENDING, STDOUT, is_whole
from arcomp.cli.inputs import Input, is_picture, read_compressed, read_input
from arcomp.cli.jobs import Chosen, Given, Job
from arcomp.cli.options import examples
from arcomp.cli.suiting import suited, tell_of_size
from arcomp.cli.target import Target
from arcomp.errors import LimitError, OutputError, PictureError, said_of

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.files import Compressed, Settings


EXAMPLES = examples(
    "arcomp compress img.png",
    "arcomp compress -r photos/ -o packed/",
    "arcomp compress -r photos/ -o packed/ --skip-existing",
    "arcomp compress -r photos/ -o photos.arcomp",
    "arcomp compress -r photos/ -o packed/ --shard 3/8",
    "arcomp compress -r photos/ -o packed/ --scheduler tcp://HOST:8786",
    "find . -name '*.png' -print0 | arcomp compress -0 --files-from - -o packed/",
)


def as_png(name: str) -> str:
    """The name of the PNG that --pixels keeps in place of a file."""
    return os.path.splitext(name)[0] + ".png"


@dataclass(frozen=True)
class Compression:
    """What is asked for. ``skip_existing``: --skip-existing; ``embed``: --embed-model."""

    goes_on: ClassVar[bool] = True
    target: Target
    model_name: str
    device: str
    verify: bool = True
    pixels: bool = False
    as_bytes: bool = False
    tile: tuple[int, int] | None = None
    skip_existing: bool = False
    embed: bool = False

    def __call__(self, console: Console, threads: int | None, *, warm: bool = False) -> Compressor:
        """See :class:`arcomp.cli.many.Plan`."""
        from arcomp.contract import registry
        from arcomp.files import Settings

        model = registry.load(self.model_name)
        where = options.choose_device(self.device, uses_torch=not model.weightless)
        settings = Settings(self.tile, where, threads, self.verify, self.as_bytes)
        startup = Startup(threads, console)
        if warm:
            startup.warm_usual(model, where)
        target = replace(self.target, console=console)
        return Compressor(console, target, model, settings, startup, self)

    def later(self) -> Compression | None:
        """See :class:`arcomp.cli.many.Plan`."""
        return replace(self, target=replace(self.target, waits=True)) if self.skip_existing else None

    def placed(self, job: Job) -> Job:
        """An input with the path of its output."""
        named = as_png if self.pixels and job.name != "-" else str
        within = named(job.within) if job.within else ""
        path = self.target.place(named(job.name) + ENDING, within + ENDING if within else "")
        return replace(job, within=within, path=path)

    def skips(self, job: Job) -> bool:
        """See :class:`arcomp.cli.many.Plan`: whole and, as its header says, of the same original."""
        if not self.skip_existing:
            return False
        try:
            found = os.stat(job.name)
        except OSError:
            return False
        return is_whole(job.path, None if self.pixels else found.st_size, found.st_mtime_ns)


@dataclass
class Compressor:
    """Compresses file after file with one model."""

    console: Console
    target: Target
    model: Model
    settings: Settings
    startup: Startup
    asked: Compression
    suggested: bool = False

    def __call__(self, job: Job, threads: int | None) -> many.Outcome:
        """Compress a file.

        Raises:
            ArcompError: it cannot be read or written, is not supported, or does not decode to the original.
        """
        self.startup.use(threads)
        self.settings = replace(self.settings, threads=threads)
        name, path = job.name, job.path
        source = read_input(name, to_remove=self.target.remove)
        if self.target.remove and self.asked.skips(job):
            return self._removed(job, source)
        with self.target.claimed(path, name):
            return self._made(job, source)

    def _made(self, job: Job, source: Input) -> many.Outcome:
        """Compress what was read; see :meth:`__call__`."""
        from arcomp.files import About

        name, path = job.name, job.path
        data, about, regular = source.data, About(), source.regular
        if name != "-":
            named = as_png(name) if self.asked.pixels else name
            about = About(job.within if self.target.archive else os.path.basename(named))
        if regular is not None:
            about = replace(about, modified=regular.st_mtime_ns, mode=stat.S_IMODE(regular.st_mode))
        bytes_in = len(data)
        made = self._compress(self._as_png(data, name) if self.asked.pixels else data, about, name, self.settings)
        if self.asked.pixels and (itself := self._without_pixels(data, about, name)) <= len(made.data):
            self.console.warn(f"{shown(name)}: the file itself becomes smaller, {size(itself)}; leave out --pixels")
        leave, removes = self._leave(made), self.target.remove
        if not self.target.archive:
            replaces = self.settings.verify and not self.asked.pixels and leave is None
            self.target.put(path, made.data, source, replaces=replaces, about=about)
        if leave is not None and removes:
            raise _kept(job, leave)
        self._tell(job, bytes_in, made)
        if not self.asked.pixels and not self.target.mirrored:  # of thousands, lines say it
            look = not (self.suggested or self.settings.as_bytes or made.coded)
            self.suggested |= tell_of_size(self.console, name, data, len(made.data), look)
        if leave is not None:
            self.console.warn(f"{shown(name)}: became so small that decompressing it needs leave: {leave.remedy}")
        samples = made.coded.samples if made.coded else 0
        packed = made.data if self.target.archive else None
        return many.Outcome(bytes_in, len(made.data), samples, made.seconds, packed, positions=positions(made.member))

    def _removed(self, job: Job, source: Input) -> many.Outcome:
        """Remove an input whose output an interrupted run has left, once that is decoded.

        Raises:
            ArcompError: the output is damaged, or of another file.
        """
        from arcomp.limits import USUAL_LIMITS

        startup = Startup(self.settings.threads, self.console, USUAL_LIMITS)
        with said_of(job.path):
            data = read_compressed(job.path).data
            uses = any(model.digest == self.model.digest for model in member_in(data).models)
            given = self.asked.model_name if uses else None
            try:
                found = decoded(data, job.path, startup, self.console, given, False, "cpu")
            except LimitError as error:
                raise _kept(job, error) from error
        self.target.remove_done(job, source, found.original == source.data)
        return many.Outcome(skipped=True)

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

    def _without_pixels(self, data: bytes, about: Any, name: str) -> int:
        """To how many bytes a picture's file is compressed itself, at most: tried, unless its pixels are coded then,
        too."""
        from arcomp.formats.parsing import parse

        if parse(data) is not None:
            return len(data)
        return len(self._compress(data, about, name, replace(self.settings, verify=False)).data)

    def _compress(self, data: bytes, about: Any, name: str, settings: Settings) -> Compressed:
        from arcomp import files
        from arcomp.embedding import with_weights
        from arcomp.formats.png import SIGNATURE

        deflated = data.startswith(SIGNATURE) and not settings.as_bytes
        jpeg = data.startswith(b"\xff\xd8") and not settings.as_bytes
        first = self.startup.is_first("deflated" if deflated else "jpeg" if jpeg else "")
        self.startup.begin(deflated, self.model, settings.device)
        with self.startup.compiling():
            found = files.examine(data, self.model, about, settings)
        if first:  # that was start-up, most of it
            found = replace(found, seconds=0.0)
        if found.jpegs and settings.tile is not None:
            self.console.warn_once("--tile has no effect on JPEGs, which are coded and decoded whole")
        for model, leaf in found.coded_by(self.model):
            self.startup.warm(model, leaf.shape[3], leaf.depth, settings.device)
        if found.jpeg_model:
            self.startup.warm_jpegs(found.jpeg_model)
        share = 0.5 if settings.verify else 1.0  # verifying takes as long as coding
        with self.console.progress(f"compressing {shown(name)}") as meter:
            made = files.compress(
                found, self.model, settings,
                progress=lambda part: meter(share * part), verifying=lambda part: meter(share + (1 - share) * part),
            )  # fmt: skip
        if self.asked.embed and not self.target.archive:  # which holds them once
            made = replace(made, data=with_weights(made.data, made.member, self.model))
        return made

    def _leave(self, made: Compressed) -> LimitError | None:
        """Why decompressing must be allowed, also where there is memory enough: because the file became as small as
        those that are made as traps."""
        from arcomp.claims import check_member, check_seconds
        from arcomp.codec import coded_by, if_used, tiles_of
        from arcomp.container.archive import parse_of
        from arcomp.limits import AnyMemory

        try:
            member, given = replace(made.member, stored=parse_of(made.data).length), if_used(self.model, made.member)
            check_member(member, AnyMemory())
            if made.coded and member.geometry:
                models = coded_by(member, given)
                check_seconds(member, models, AnyMemory())
                for part, (model, leaf) in zip(member.parts, models, strict=True):
                    tiles_of(part, leaf, model, self.settings.threads, AnyMemory())
        except LimitError as error:
            return error
        return None

    def _tell(self, job: Job, bytes_in: int, made: Compressed) -> None:
        name, path = job.name, job.path
        bytes_out, coded = len(made.data), made.coded
        about: dict[str, Any] = {
            "input": name,
            "output": path,
            **about_member(made.member),
            "digest": made.model.digest.hex() if made.model else None,
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
            if made.form_bytes > bytes_out / 2:  # figures of the whole file say nothing of its pictures
                rate = f", pictures {size(made.member.coded_bytes)}, {nll / coded.samples:.3f} bits/{unit(made.member)}"
            model = made.model or self.model
            details.append(f"model {model.name} {model.digest.hex()[:16]} on {self.settings.device}")
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


def _kept(job: Job, leave: LimitError) -> OutputError:
    """Why --rm does not remove an input whose output is there."""
    cause = f"is kept: {job.path} is written, but so small that decompressing it must be allowed: {leave.remedy}"
    return OutputError(cause, remedy="remove it yourself, if that will do", path=job.name)


def choose(given: Given, work: Compression, only_pictures: bool) -> tuple[Chosen, list[Job]]:
    """The files to compress, and those that are compressed already.

    Raises:
        ArcompError: the list of --files-from cannot be read.
    """
    output = work.target.output
    chosen = jobs.choose(given, frozenset() if output in (None, STDOUT) else frozenset({os.path.realpath(output)}))
    if given.recursive and output is None and not work.target.to_stdout:
        chosen.without(lambda job: "compressed file" if job.name.lower().endswith(ENDING) else "")
    if only_pictures:
        chosen.without(lambda job: "" if is_picture(job.name) else "other file")
    chosen.place(work.placed, work.target.archive)
    chosen.share(given.shard)
    return chosen, [] if work.target.remove else chosen.skip(work.skips)


@click.command("compress", short_help="Compress any files: pictures best.", epilog=EXAMPLES)
@jobs.given
@jobs.spread
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
    help="Keep pictures' pixels and metadata, as a PNG, in place of the file: smaller for GIF, mostly for "
    "lossless WebP and PNG that was optimised.",
)
@click.option(
    "--tile",
    metavar="N or HxW",
    callback=options.sides,
    help="Code pictures in tiles of that many pixels, which `decompress --crop` decodes alone; files become larger.",
)
@options.embed
@click.option("--bytes", "as_bytes", is_flag=True, help="Look for no pictures in files.")
@click.option("--only-pictures", is_flag=True, help="Leave out files that are no pictures, by how they begin.")
@options.skip_existing
@options.threads
@options.device("Where the model is evaluated; the file is the same. auto: CUDA if there is one, and one process.")
@options.talkative
def command(
    console: Console,
    given: Given,
    output: str | None,
    model_name: str | None,
    preset: str | None,
    force: bool,
    remove: bool,
    to_stdout: bool,
    no_verify: bool,
    pixels: bool,
    tile: tuple[int, int] | None,
    embed: bool,
    as_bytes: bool,
    only_pictures: bool,
    skip_existing: bool,
    threads: int | None,
    device: str,
) -> int:
    """Compress files: img.png becomes img.png.arcomp. Of several files, -o NAME.arcomp makes one archive.

    Any file comes back bit for bit, with its name, time and permissions. PNG, BMP, TIFF, PNM, JPEG, .npy and .npz are
    coded by the model; other files are kept as bytes, or coded by a model of text (-m). Every result is decoded again
    and compared with its input before it is put in place.
    """
    if remove and no_verify:
        raise click.UsageError("--rm removes verified inputs only; leave out --no-verify")
    if remove and pixels:
        raise click.UsageError("--rm would delete files that do not come back; leave out --pixels")
    if pixels and as_bytes:
        raise click.UsageError("--pixels and --bytes are two things to do with a picture")
    target = Target(output, to_stdout, force, remove, console)
    target.check(given, archives=True)
    if skip_existing and (target.archive or target.to_stdout):
        raise click.UsageError("--skip-existing is for files; an archive is made whole")
    name = options.chosen_model(model_name, preset)
    several = given.jobs not in (None, 1) or given.mirrored
    where = "cpu" if device == "auto" and several else device
    work = Compression(target, name, where, not no_verify, pixels, as_bytes, tile, skip_existing, embed)
    chosen, there = choose(given, work, only_pictures)
    many.tell_there(there, console)
    work = replace(work, model_name=suited(work.model_name, chosen.jobs))
    processes = 1 if device == "cuda" and given.jobs is None else given.processes(threads, chosen.jobs)
    folders = chosen.folders if target.into_folder and given.mirrored else []
    with target.folders_made(folders), written_archive(target, chosen, work.model_name if embed else None) as write:
        summary = many.run(chosen, work, console, processes, threads, write, given.scheduler)
    summary.skipped += len(there)
    target.put_folders([] if given.shard else folders, summary)
    return summary.tell(console, chosen, summary.total.line(summary.seconds if processes > 1 else None))
