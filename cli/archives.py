"""Archives, as verbs write and read them."""

from __future__ import annotations

import io
import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO

from arcomp.cli.console import Console, plural, shown
from arcomp.cli.files import folder_for, mode_now, no_more_than, to_stdout, umask
from arcomp.cli.inputs import Input, read_compressed
from arcomp.cli.jobs import Chosen, Job
from arcomp.cli.target import Target
from arcomp.errors import ArcompError, FormatError, OutputError
from arcomp.limits import USUAL_LIMITS, Limits

if TYPE_CHECKING:
    from arcomp.batch import Folder
    from arcomp.cli.many import Write
    from arcomp.container import Header, Member
    from arcomp.container.archive import ArchiveWriter
    from arcomp.container.atomic import Writing


class _Stdout:
    """Standard output, as what an archive is written to."""

    mode: int | None = None

    def write(self, data: bytes, /) -> None:
        to_stdout(data)


@contextmanager
def written_archive(target: Target, chosen: Chosen, model: str | None = None) -> Iterator[Write | None]:
    """The archive that outputs go into, put in place when the context ends well; None if they go elsewhere.

    Others may read no more of it than of every file in it, and nothing if they do not get into a folder in it.

    Args:
        model: whose weights go into it, or None.

    Raises:
        OutputError: it cannot be written, or there is nothing to put into it.
    """
    if not target.archive:
        yield None
        return
    from arcomp.container import written_atomically
    from arcomp.container.archive import ArchiveWriter
    from arcomp.container.member import TOP
    from arcomp.container.temporary import claimed
    from arcomp.contract import registry
    from arcomp.embedding import section

    name = target.output or ""
    if not target.to_stdout:
        target.claim_file(name, "-")
    if not chosen.jobs and not any(folder.within for folder in chosen.folders):
        raise OutputError("there is no file to put into it", remedy="name files", path=name or None)
    place: AbstractContextManager[Writing | _Stdout] = nullcontext(_Stdout())
    claim: AbstractContextManager[None] = nullcontext()
    if not target.to_stdout:
        place = written_atomically(name, overwrite=target.force, mode=0o666 & ~umask())
        claim = claim if target.force else claimed(name, waits=False)
    with claim, place as file:
        writer, folders = ArchiveWriter(file, section(registry.load(model)) if model else b""), list(chosen.folders)
        for folder in folders if file.mode is not None else ():
            file.mode = no_more_than(file.mode or 0, _readable(folder.mode))

        def write(job: Job, data: bytes) -> None:
            _add_folders(writer, folders, len(chosen.folders) - job.after)
            writer.add(data)
            if job.mode is not None and file.mode is not None:
                file.mode = no_more_than(file.mode, job.mode)

        yield write
        _add_folders(writer, folders, 0)
        if all(entry.name == TOP for entry in writer.entries):
            raise OutputError("every file failed; no archive is written", path=name or None)
        writer.finish()


def _readable(mode: int | None) -> int:
    """What a folder's permissions say of files in it, as permissions of a file: others read them if they may list it
    and enter it."""
    return 0o777 if mode is None else mode & ~(~mode & 0o11) << 2 | 0o22


def _add_folders(writer: ArchiveWriter, folders: list[Folder], left: int) -> None:
    """Write the first of some folders, until so many are left."""
    from arcomp.container.archive import folder

    while len(folders) > left:
        first = folders.pop(0)
        writer.add(folder(f"{first.within}/", first.modified, first.mode))


def opened(name: str, data: bytes | None = None) -> BinaryIO:
    """An archive, or a compressed file, to read parts of.

    Args:
        data: what is in it, if that is known.

    Raises:
        ArcompError: it cannot be read.
    """
    if name == "-" or data is not None:
        return io.BytesIO(read_compressed(name).data if data is None else data)
    try:
        return open(name, "rb")
    except FileNotFoundError:
        raise ArcompError("does not exist", remedy="check the path", path=name) from None
    except IsADirectoryError:
        raise ArcompError("is a directory", remedy="-r takes the files in it", path=name) from None
    except PermissionError as error:
        raise ArcompError("permission denied", remedy="make it readable", path=name) from error
    except (OSError, ValueError) as error:
        raise ArcompError(f"cannot be read: {error}", path=name) from error


def members(job: Job, one_too: bool = False) -> tuple[list[Job], list[Exception]]:
    """The members of an input, if it is an archive, and what is damaged of it; else the input itself.

    Args:
        one_too: whether a file of one member is taken for an archive, too.

    Raises:
        ArcompError: it cannot be read.
    """
    from arcomp.container.archive import read_archive, read_entry

    if job.name != "-" and not os.path.isfile(job.name):
        return [job], []  # a pipe is read once; what is not there fails as it is read
    data = read_compressed(job.name).data if job.name == "-" else None
    with opened(job.name, data) as file:
        try:
            archive = read_archive(file)
        except FormatError:
            return [replace(job, data=data)], []  # unpacking it says more
    if archive.is_one_file and not one_too:
        return [replace(job, data=data)], []
    found = []
    for entry in archive.entries:
        part = None if data is None else read_entry(io.BytesIO(data), entry)
        found.append(Job(job.name, entry.original or entry.length, entry.name, entry=entry, data=part))
    wrong: list[Exception] = [
        FormatError(f"bytes {begin} to {end - 1} of the archive are damaged", remedy="get a fresh copy")
        for begin, end in archive.damaged
    ]
    return found, wrong


def is_archive(data: bytes) -> bool:
    """Whether bytes are an archive, and no compressed file."""
    from arcomp.container.archive import read_archive

    try:
        return not read_archive(data).is_one_file
    except FormatError:
        return False


def latest(chosen: Chosen, console: Console) -> None:
    """Of members with the same name in an archive keep the last, which was added last, and say so."""
    last, counts = dict[tuple[str, str], Job](), Counter[tuple[str, str]]()
    for job in chosen.jobs:
        if job.entry is not None and job.entry.name:
            key = job.name, job.entry.name
            last[key] = job
            counts[key] += 1
    several: dict[str, list[str]] = {}
    for (archive, name), count in counts.items():
        if count > 1:
            several.setdefault(archive, []).append(name)
    if not several:
        return
    kept = {id(job) for job in last.values()}
    chosen.jobs = [job for job in chosen.jobs if id(job) in kept or job.entry is None or not job.entry.name]
    for archive, names in several.items():
        which = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        said = plural(len(names), "name")
        console.warn(f"{shown(archive)}: {said} in it more than once ({which}); the last one of each is taken")


def input_of(job: Job, *, to_remove: bool = False) -> Input:
    """A compressed input, or the member of an archive that it is.

    Args:
        job: the input. to_remove: see :func:`arcomp.cli.inputs.read_input`.

    Raises:
        ArcompError: it cannot be read.
    """
    if job.data is not None:
        return Input(job.shown, bytes(job.data), None)
    if job.entry is None:
        return read_compressed(job.name, to_remove=to_remove)
    from arcomp.container.archive import read_entry

    with opened(job.name) as file:
        return Input(job.shown, read_entry(file, job.entry), None)


def unpacked(job: Job, data: bytes, limits: Limits = USUAL_LIMITS) -> Member:
    """The member that an input is.

    Raises:
        FormatError: it is damaged, or is not what the archive's index says.
        LimitError: it takes more memory than is allowed.
    """
    from arcomp.cli.coding import member_in

    member = member_in(data, limits)
    if job.entry is not None and job.entry.name != (member.original.name if member.original else ""):
        raise FormatError("the archive's index has another name for it", remedy="get a fresh copy")
    return member


def header_of(job: Job) -> Header:
    """What an input says about itself, without reading more of it.

    Raises:
        ArcompError: it cannot be read, or is damaged.
    """
    from arcomp.container import read_header

    with opened(job.name, None if job.data is None else bytes(job.data)) as file:
        file.seek(job.entry.offset if job.entry and job.data is None else 0)
        return read_header(file)[0]


def folders_of(jobs: list[Job]) -> tuple[list[Job], list[Folder]]:
    """Members that are files, and the folders that others are.

    Raises:
        ArcompError: one of them is damaged.
    """
    from arcomp.batch import Folder

    files, folders = [], []
    for job in jobs:
        is_folder = job.entry is not None and job.entry.name.endswith("/")
        original = header_of(job).original if is_folder else None
        if original is not None and job.entry is not None and original.name == job.entry.name:
            folders.append(Folder(original.name.rstrip("/"), original.modified, original.mode))
        else:  # also where the index lies: it fails in its turn
            files.append(job)
    return files, folders


def with_top(folders: list[Folder], jobs: list[Job], output: str, goes_on: bool) -> list[Folder]:
    """The folders to make for what is in archives, with the one that all of it goes into.

    If that is new, it has the time and permissions that the archives give it; but if somebody made them more private
    than they were written, or if they give none or several, nobody gets into it who may not read them. One that is
    there stays as it is; where a run goes on, it may be of the run before: it gets its time, and is opened no wider.

    Args:
        folders: that archives name. jobs: members of them, and other inputs.
        output: where it all goes. goes_on: --skip-existing.
    """
    archives = {job.name for job in jobs if job.entry is not None}
    tops = {folder for folder in folders if not folder.within}
    folders = [folder for folder in folders if folder.within]
    top = tops.pop() if len(tops) == 1 else None
    if not os.path.lexists(output):
        guard = folder_for(archives)
        if top is None or top.mode is None or guard.mode is None:
            return [*folders, guard] if archives else folders
        mode = top.mode if _is_as_written(archives, jobs) else no_more_than(top.mode, guard.mode)
        return [*folders, replace(top, mode=mode)]
    if top is not None and goes_on:
        there = stat.S_IMODE(os.stat(output).st_mode)
        return [*folders, replace(top, mode=None if top.mode is None else top.mode & there)]
    return folders


def _is_as_written(archives: Collection[str], jobs: list[Job]) -> bool:
    """Whether archives may be read by whoever may read every file that is taken from them."""
    mode = 0o666 & ~umask()
    for job in jobs:
        with suppress(ArcompError):  # it fails in its turn
            original = header_of(job).original
            if original is not None and original.mode is not None:
                mode = no_more_than(mode, original.mode)
    found = [mode_now(name) for name in archives]
    return all(now is None or mode & ~now & 0o444 == 0 for now in found)


def chosen_by(patterns: tuple[str, ...]) -> Callable[[str], set[str]]:
    """Which of some names and patterns mean a member: its name, a folder that it is in, or a pattern of either.

    Args:
        patterns: in which `*` stands for anything, `/` too, `?` for any character, and `[...]` for one of some.
    """

    def meant(name: str) -> set[str]:
        parts = name.rstrip("/").split("/")
        names = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        return {
            pattern
            for pattern in patterns
            if pattern.rstrip("/") in names or any(fnmatchcase(name, pattern) for name in names)
        }

    return meant
