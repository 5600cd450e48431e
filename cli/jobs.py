"""Which files a verb is to take: those named, those in folders, those that a list names."""

from __future__ import annotations

import functools
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from arcomp.batch.trees import FILE, FOLDER, Folder, Seen, below, look
from arcomp.batch.urls import is_url, listed
from arcomp.cli.console import plural
from arcomp.cli.options import Integers, complete_files, shard
from arcomp.errors import ArcompError, OutputError

if TYPE_CHECKING:
    from arcomp.container.archive import Entry

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Given:
    """What the command line says of inputs.

    Attributes:
        names: FILE... recursive: -r. files_from, null: --files-from, -0.
        jobs: -j; None without it.
        shard: (which, of how many) of --shard, from 1; None: all files.
        scheduler: --scheduler; None without it.
    """

    names: tuple[str, ...]
    recursive: bool = False
    files_from: str | None = None
    null: bool = False
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    scheduler: str | None = None

    @property
    def mirrored(self) -> bool:
        """Whether outputs keep the folders that inputs are in."""
        return self.recursive or self.files_from is not None

    @property
    def several(self) -> bool:
        """Whether there may be more than one input."""
        return self.mirrored or len(self.names) > 1

    def processes(self, threads: int | None, jobs: Sequence[Job]) -> int:
        """How many processes there are to be: without -j one for files that are named, or that take less than it takes
        to start others; else as many as processors."""
        from arcomp.exact import threads as processors

        if self.scheduler is not None:
            return self.jobs or threads or processors.threads()
        if (self.jobs is None and not self.mirrored) or (not self.jobs and _seconds(jobs) < WORTH_STARTING):
            return 1
        return self.jobs or threads or processors.threads()


def _seconds(jobs: Sequence[Job]) -> float:
    """What files take, roughly: a little each, and by their size."""
    return sum(0.02 + job.size / 2**20 for job in jobs)


WORTH_STARTING = 2.0
"""Seconds of work for which processes are started: each imports everything and loads the model."""


def given(function: F) -> F:
    """Decorator of a verb: its inputs, as a parameter ``given``."""

    @click.argument("inputs", metavar="FILE...", nargs=-1, shell_complete=complete_files)
    @click.option("-r", "--recursive", is_flag=True, help="Take all files in folders, and folders in them.")
    @click.option("--files-from", metavar="LIST", help="Take files that a list names, one a line; - is standard input.")
    @click.option("-0", "--null", is_flag=True, help="In the list, a zero byte ends each name (find -print0).")
    @click.option(
        "-j",
        "--jobs",
        metavar="N",
        type=Jobs(),
        help="Files at a time, each by a process; 0 or auto: as many as processors. [default: auto with -r and "
        "--files-from, else 1]",
    )
    @functools.wraps(function)
    def verb(
        *args: Any,
        inputs: tuple[str, ...],
        recursive: bool,
        files_from: str | None,
        null: bool,
        jobs: int | None,
        **kwargs: Any,
    ) -> Any:
        if null and files_from is None:
            raise click.UsageError("-0 is for --files-from")
        if not inputs and files_from is None:
            if recursive or sys.stdin is None or sys.stdin.isatty():
                raise click.UsageError("name a file" if not recursive else "name a folder")
            inputs = ("-",)
        return function(*args, given=Given(inputs, recursive, files_from, null, jobs), **kwargs)

    return verb  # type: ignore[return-value]


def spread(function: F) -> F:
    """Decorator of a verb below :func:`given`: its work may be spread over machines."""

    @click.option(
        "--shard",
        "part",
        metavar="I/N",
        callback=shard,
        help="Do the I-th of N parts of the files: 1/8, 2/8, ... 8/8.",
    )
    @click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Have workers of dask do it, which see the same files: tcp://HOST:8786, or local. Goes on with what is "
        "there, as --skip-existing does.",
    )
    @functools.wraps(function)
    def verb(*args: Any, given: Given, part: tuple[int, int] | None, scheduler: str | None, **kwargs: Any) -> Any:
        given = replace(given, shard=part, scheduler=scheduler)
        if scheduler is not None and kwargs["remove"]:
            raise click.UsageError("--rm is not for --scheduler, whose workers do again what another one began")
        if scheduler is not None and not given.mirrored:
            raise click.UsageError("--scheduler is for -r and --files-from")
        kwargs["skip_existing"] = kwargs["skip_existing"] or scheduler is not None
        return function(*args, given=given, **kwargs)

    return verb  # type: ignore[return-value]


class Jobs(Integers):
    """A number of processes, or ``auto``."""

    def __init__(self) -> None:
        super().__init__(0, 1024)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """0 stands for as many as there are processors."""
        return 0 if value == "auto" else super().convert(value, param, ctx)


@dataclass(frozen=True)
class Job:
    """An input.

    Attributes:
        name: as the user calls it, ``-`` for standard input.
        size: in bytes, for progress.
        within: its path below a folder, or its name in an archive.
        after: how many of the folders come before it.
        mode: its permissions, if they are known.
        path: of its output, if it has one.
        entry: the member that it is, of the archive ``name``.
        data: what is in it, where that is known already.
    """

    name: str
    size: int = 0
    within: str = ""
    path: str = ""
    entry: Entry | None = None
    data: bytes | memoryview | None = field(default=None, repr=False)
    after: int = 0
    mode: int | None = None

    @property
    def shown(self) -> str:
        """What lines call it."""
        return self.name if self.entry is None else f"{self.name}: {self.entry.name or 'a member without name'}"


@dataclass
class Chosen:
    """Inputs.

    Attributes:
        jobs: the files, by names.
        folders: in which they are, to be made again.
        left_out: how many of what were left out.
        unread: what of that nobody asked to leave out: links, pipes and the like.
        failures: what could not be looked at.
        known: paths of the folders, below where they will be.
    """

    jobs: list[Job] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unread: set[str] = field(default_factory=set)
    failures: list[tuple[str, Exception]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def without(self, why: Callable[[Job], str]) -> None:
        """Leave out those files that there is a reason to leave out.

        Args:
            why: the reason, a noun in the singular; "" to keep it.
        """
        kept = []
        for job in self.jobs:
            try:
                reason = why(job) if job.name != "-" else ""
            except OSError:
                reason = ""  # it fails where it is read
            if reason:
                self.left_out[reason] += 1
            else:
                kept.append(job)
        self.jobs = kept

    def place(self, placed: Callable[[Job], Job], archive: bool = False) -> None:
        """Say where outputs go; those that would go where another one goes fail. The same file is taken once.

        Args:
            placed: gives an input with its place. archive: whether they are told apart there by their names alone.
        """
        kept: list[Job] = []
        taken: dict[str, Job] = {}
        for job in self.jobs:
            try:
                job = placed(job)
            except ArcompError as error:
                self.failures.append((job.shown, error))
                continue
            path = os.path.normcase(os.path.abspath(job.path)) if job.path not in ("", "-") else ""
            key = job.within if archive else path
            if key and key in taken:
                if job.entry == taken[key].entry and os.path.realpath(job.name) == os.path.realpath(taken[key].name):
                    continue
                place = f"is {key} in the archive" if archive else f"is written to {job.path}"
                cause = f"another input of this run {place}"
                self.failures.append((job.shown, OutputError(cause, remedy="choose another name")))
                continue
            taken[key] = job
            kept.append(job)
        self.jobs = kept

    def share(self, shard: tuple[int, int] | None) -> None:
        """Leave the files of other shards to them: which shard has a file is said by its name alone, so that it stays
        in it if others come or go meanwhile.

        Args:
            shard: (which, of how many), from 1; None: all.
        """
        if shard is None:
            return
        which, count = shard

        def ours(name: str) -> bool:
            return zlib.crc32(os.fsencode(name)) % count == which - 1

        self.jobs = [job for job in self.jobs if ours(job.entry.name if job.entry else job.within or job.name)]
        self.failures = [(name, error) for name, error in self.failures if ours(name)]

    def expand(self, members: Callable[[Job], tuple[list[Job], list[Exception]]]) -> None:
        """Take the members of archives in place of them.

        Args:
            members: gives those of an input, and what is wrong with it; raises if nothing of it can be read.
        """
        found: list[Job] = []
        for job in self.jobs:
            try:
                jobs, wrong = members(job)
            except ArcompError as error:
                jobs, wrong = [], [error]
            found += jobs
            self.failures += [(job.name, error) for error in wrong]
        self.jobs = found

    def skip(self, is_there: Callable[[Job], bool]) -> list[Job]:
        """Take those out whose outputs are there already."""
        there = [job for job in self.jobs if job.name != "-" and is_there(job)]
        gone = {id(job) for job in there}
        self.jobs = [job for job in self.jobs if id(job) not in gone]
        return there

    def said(self, only: Collection[str] | None = None) -> str:
        """What was left out, in words; "" for nothing.

        Args:
            only: of these kinds.
        """
        found = sorted(self.left_out.items())
        return ", ".join(plural(count, what) for what, count in found if only is None or what in only)


def choose(given: Given, without: frozenset[str] = frozenset()) -> Chosen:
    """All inputs.

    Args:
        given: on the command line.
        without: real paths that are no inputs: where outputs go.

    Raises:
        ArcompError: the list of --files-from cannot be read.
    """
    chosen = Chosen()
    alone = len(given.names) == 1 and given.files_from is None
    for name in given.names:
        base = os.path.basename(os.path.abspath(name)) if name not in ("", "-") else name
        _add(chosen, name, "" if alone and os.path.isdir(name) else base, given.recursive, without)
    if given.files_from is not None:
        for name in _listed(given.files_from, given.null):
            within = os.path.normpath(name).replace(os.sep, "/").lstrip("/")
            _add_parents(chosen, os.path.normpath(name), within)
            _add(chosen, name, "" if within == "." else within, given.recursive, without)
    return chosen


def _add(chosen: Chosen, name: str, within: str, recursive: bool, without: frozenset[str]) -> None:
    if name in ("", "-"):
        chosen.jobs.append(Job(name, within=within))
        return
    if is_url(name):
        _add_url(chosen, name, within, recursive)
        return
    try:
        path = os.path.realpath(name) if os.path.islink(name) else name  # what is named is meant, also by a link
        seen = replace(look(path, within), path=name)
    except (OSError, ValueError):
        seen = Seen(name, within, FILE)
    if seen.error is not None or seen.kind not in (FOLDER, FILE):
        chosen.jobs.append(Job(name, within=within))  # it is read, or fails as it is read
        return
    if seen.kind == FOLDER and not recursive:
        chosen.failures.append((name, ArcompError("is a directory", remedy="-r takes the files in it", path=name)))
        return
    for one in (seen, *(below(name, within, without) if seen.kind == FOLDER else ())):
        _take(chosen, one)


def _add_url(chosen: Chosen, url: str, within: str, recursive: bool) -> None:
    """Files elsewhere; of those in a folder there must be -r."""
    try:
        chosen.jobs += [Job(one.path, one.size, one.within) for one in listed(url, "" if recursive else within)]
    except ArcompError as error:
        chosen.failures.append((url, error))


def _add_parents(chosen: Chosen, path: str, within: str) -> None:
    """The folders that a listed file is in, as far as its name says: they have their time and permissions again."""
    parents = list[Seen]()
    while "/" in within and within.rpartition("/")[0] not in chosen.known and ".." not in within.split("/"):
        path, within = os.path.dirname(path), within.rpartition("/")[0]
        parents.append(look(os.path.realpath(path), within))
    for seen in reversed(parents):
        if seen.kind == FOLDER:
            _take(chosen, seen)


def _take(chosen: Chosen, seen: Seen) -> None:
    if seen.error is not None:
        cause = f"cannot be looked at: {seen.error.strerror or seen.error}"
        chosen.failures.append((seen.path, ArcompError(cause, remedy="make it readable", path=seen.path)))
    elif seen.kind == FOLDER:
        if seen.within not in chosen.known:
            chosen.folders.append(Folder(seen.within, seen.modified, seen.mode))
            chosen.known.add(seen.within)
    elif seen.kind != FILE:
        chosen.left_out[seen.kind] += 1
        chosen.unread.add(seen.kind)
    elif _is_temporary(seen.path):
        chosen.left_out["leftover file"] += 1
    else:
        chosen.jobs.append(Job(seen.path, seen.size, seen.within, after=len(chosen.folders), mode=seen.mode))


def _is_temporary(path: str) -> bool:
    """Whether it is a file that this program was writing when it was killed."""
    from arcomp.container.temporary import is_temporary

    return is_temporary(os.path.basename(path))


def _listed(name: str, null: bool) -> Iterator[str]:
    """Names in a list. Where lines end as on Windows, and no file has such a name, the end is no part of it."""
    from arcomp.cli.inputs import read_file

    for line in read_file(name).split(b"\0" if null else b"\n"):
        if line.endswith(b"\r") and not null and not os.path.lexists(line):
            line = line[:-1]
        if line:
            yield os.fsdecode(line)
