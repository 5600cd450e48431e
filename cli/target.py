"""Where bytes go to: naming outputs, putting them in place.

Nothing is overwritten unless asked for, nothing appears under its name before it is whole, and an input is removed
only when its output lies on the disk and is the bytes that were verified.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from arcomp.batch import urls
from arcomp.batch.urls import is_url
from arcomp.cli.console import MISSING, Console
from arcomp.cli.files import ENDING, STDOUT, content, is_pipe, mode_of, no_more_than, to_pipe, to_stdout, umask
from arcomp.cli.inputs import Input
from arcomp.errors import ExistsError, OutputError

if TYPE_CHECKING:
    from arcomp.batch import Folder
    from arcomp.cli.jobs import Given, Job
    from arcomp.cli.many import Summary
    from arcomp.files import About

EXISTS = "-f overwrites it, -o names another"
"""The remedy where an output is there already."""
STDOUTS = (STDOUT, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


@dataclass
class Target:
    """Where the outputs of a run go.

    Attributes:
        output: -o as given.
        to_stdout: -c.
        force: -f.
        remove: --rm.
        console: for lines.
        mirrored: outputs keep the folders of their inputs below -o, which is a folder.
        archive: all outputs go into one archive, which is -o.
        confined: names of outputs come out of an archive: nothing below -o leads elsewhere.
        waits: for other processes that are making an output, in place of failing.
    """

    output: str | None
    to_stdout: bool
    force: bool
    remove: bool
    console: Console
    mirrored: bool = False
    archive: bool = False
    confined: bool = False
    waits: bool = False
    _written: set[str] = field(default_factory=set)

    def check(self, given: Given, *, archives: bool = False, unpacks: bool = False) -> None:
        """Refuse combinations that cannot be meant.

        Args:
            given: the inputs, as the command line has them.
            archives: whether several inputs may become one archive.
            unpacks: whether an input may be an archive.

        Raises:
            click.UsageError: two places for one output, or one place for several.
            OutputError: binary data would go to a terminal.
        """
        inputs, self.mirrored = given.names, given.mirrored
        self.to_stdout = self.to_stdout or (self.output is None and inputs == ("-",))
        if self.remove and any(map(is_url, (self.output, *inputs))):
            raise click.UsageError("--rm is for files of this machine, not for URLs; leave it out")
        if self.to_stdout and self.output not in (None, *STDOUTS):
            raise click.UsageError("-c and -o are two places for one output")
        self.to_stdout = self.to_stdout or self.output in STDOUTS
        if self.output == "":
            raise click.UsageError("-o names nothing")
        named = self.output is not None and self.output.lower().endswith(ENDING) and not os.path.isdir(self.output)
        if named and given.several and is_url(self.output):
            raise click.UsageError("an archive is made on this machine; name a file of it with -o")
        self.archive = archives and given.several and (self.to_stdout or named)
        if given.scheduler is not None and (self.archive or self.to_stdout):
            raise click.UsageError("--scheduler is for files in a folder; name one with -o, or make archives of shards")
        if given.several and self.to_stdout and not self.archive:
            raise click.UsageError("standard output holds one file; give one input, or -o FOLDER/")
        if "-" in inputs and (given.several or (self.into_folder and not unpacks)):
            raise click.UsageError("standard input goes alone, to standard output or to -o FILE")
        if given.several and self.output is not None and not self.archive:
            self._check_folder(self.output, archives)
        if self.remove and (self.to_stdout or self.archive or "-" in inputs):
            raise click.UsageError("--rm removes files whose output is a file that was verified; leave it out")
        if self.to_stdout:
            self._check_stdout()

    def _check_folder(self, output: str, archives: bool) -> None:
        if os.path.lexists(output) and not os.path.isdir(output):
            raise click.UsageError(f"several inputs need a folder, and {output} is none")
        if not self.into_folder:
            or_archive = f", or with {ENDING} to make an archive" if archives else ""
            raise click.UsageError(
                f"several inputs need a folder, which {output} is not; end it with / to make one{or_archive}"
            )

    def _check_stdout(self) -> None:
        if "stdout" in MISSING:
            raise OutputError("standard output is closed", remedy="name a file with -o")
        self.console.stdout_taken = True
        if sys.stdout.isatty() and not self.force:
            raise OutputError(
                "standard output is a terminal", remedy="name a file with -o, redirect it, or force it with -f"
            )

    @property
    def into_folder(self) -> bool:
        """Whether -o names a folder."""
        if self.output is None or self.archive:
            return False
        return self.mirrored or self.output.endswith(("/", os.sep)) or os.path.isdir(self.output)

    def place(self, name: str, within: str = "") -> str:
        """The path for an output.

        Args:
            name: what it would be beside its input. within: what it would be below a folder; "": its last part.

        Raises:
            OutputError: it would not lie below the folder.
        """
        if self.to_stdout:
            return STDOUT
        if self.output is None:
            return name
        if not self.into_folder:
            return self.output
        parts = (within or os.path.basename(name)).split("/")
        if ".." in parts:
            raise OutputError("its name leads out of its folder", remedy="name it from a folder that it is in")
        return os.path.join(self.output, *parts)

    def written(self, path: str) -> bool:
        """Whether this run wrote there."""
        return path != STDOUT and os.path.realpath(path) in self._written

    @contextmanager
    def claimed(self, path: str, source: str) -> Iterator[None]:
        """As :meth:`claim`; others that ask do not make the file while the context lasts. Who overwrites does not ask.

        Raises:
            BusyError: another process is making it, and `waits` is not set.
            OutputError: as of :meth:`claim`.
        """
        self.claim(path, source)
        if self.archive or self.force or path == STDOUT or is_url(path) or is_pipe(path):
            yield
            return
        from arcomp.container.temporary import claimed

        with claimed(path, waits=self.waits):
            self.claim(path, source)  # who had it may have made it
            yield

    def claim(self, path: str, source: str) -> None:
        """Refuse, before minutes of work, what could not be written after them.

        Raises:
            OutputError: it exists, is the input, was written by this run, or its folder cannot be written to.
        """
        if self.archive:
            return
        if is_url(path):
            urls.check_writable(path, self.force)
            return
        self._check_confined(path)
        if path == STDOUT or is_pipe(path):
            if self.remove:
                raise OutputError("is a pipe, of which nothing can be verified", remedy="leave out --rm", path=path)
            return
        self.claim_file(path, source)

    def claim_file(self, path: str, source: str) -> None:
        """As :meth:`claim`, of a file."""
        from arcomp.container import check_target

        if os.path.realpath(path) in self._written:
            raise OutputError("another input of this run was written there", remedy="choose another name", path=path)
        if os.path.exists(path):
            if os.path.isdir(path):
                raise OutputError("is a directory", remedy="name a file", path=path)
            if source != "-" and os.path.samefile(path, source):
                raise OutputError("is the input itself", remedy="choose another name with -o", path=path)
            if not self.force:
                raise ExistsError("exists already", remedy=EXISTS, path=path)
        elif os.path.lexists(path) and not self.force:
            raise OutputError("exists already, as a broken link", remedy="-f overwrites it", path=path)
        folder, made = os.path.dirname(os.path.realpath(path)), path
        while self.into_folder and not os.path.lexists(folder):  # it will be made, in what is there of it
            folder, made = os.path.dirname(folder), folder
        if self.into_folder and not os.path.isdir(folder):
            raise OutputError(f"its folder cannot be made: {folder} is a file", remedy="choose another", path=path)
        try:
            check_target(made, overwrite=self.force)
        except OutputError as error:
            if path.endswith(ENDING) and getattr(error.__cause__, "errno", None) == errno.ENAMETOOLONG:
                error.remedy = f"an archive takes it: -o NAME{ENDING}"
            raise

    def _check_confined(self, path: str) -> None:
        """Refuse what the name of a member leads to elsewhere, through a link that is there."""
        if self.confined and path != STDOUT:
            from arcomp.batch import place_below

            place_below(self.output or "", os.path.relpath(path, self.output).replace(os.sep, "/"))

    @contextmanager
    def folders_made(self, folders: list[Folder]) -> Iterator[None]:
        """Make folders below -o, so that nobody looks into private ones meanwhile. If the context ends badly, those in
        which there is nothing are removed again."""
        from arcomp.batch import make_folders

        folders = [] if is_url(self.output) else folders
        made = make_folders(self.output or "", folders, confined=self.confined) if folders else []
        try:
            yield
        except BaseException:
            for path in reversed(made):
                with suppress(OSError):
                    os.rmdir(path)
            raise

    def folders_put(self, folders: list[Folder]) -> list[OutputError]:
        """Make folders below -o, empty ones too, and give them their time and permissions; what went wrong."""
        from arcomp.batch import put_folders

        folders = [] if is_url(self.output) else folders
        return list(put_folders(self.output or "", folders, confined=self.confined))

    def put_folders(self, folders: list[Folder], summary: Summary) -> None:
        """As :meth:`folders_put`; what went wrong is said and counted."""
        for error in self.folders_put(folders):
            self.console.failure(error.path or "", error)
            summary.failed.append(error.path or "")

    def put(self, path: str, data: bytes, source: Input | None, replaces: bool, about: About | None = None) -> None:
        """Write an output and, if asked to, remove its input.

        The output has the time and permissions that are kept of the original (no set-user-id and the like), but never
        lets others do what the input does not let them do.

        Args:
            path: from :meth:`place`.
            data: what was verified.
            source: the input; None: there is none, of which anybody could ask permissions.
            replaces: whether all of the input can be made from it again; otherwise that is not removed.
            about: time and permissions; None: as the system gives them to new files.

        Raises:
            OutputError: it cannot be written, and nothing of it is left; or the input, which was to be removed, cannot
                be, or is not what was read.
        """
        if path == STDOUT:
            to_stdout(data)
            return
        if is_url(path):
            urls.write(path, data, self.force)
            return
        self._check_confined(path)
        if is_pipe(path):
            to_pipe(path, data)
            return
        from arcomp.container import write_atomically

        if self.into_folder:
            try:
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            except OSError as error:
                raise OutputError(f"its folder cannot be made: {error.strerror or error}", path=path) from error
        mode, limit = None if about is None else about.mode, mode_of(source)
        mode = None if mode is None else mode & 0o777
        if limit is not None:
            mode = no_more_than(0o666 & ~umask() if mode is None else mode, limit)
        modified = None if about is None else about.modified
        try:
            write_atomically(path, data, overwrite=self.force, mode=mode, modified=modified)
        except ExistsError as error:  # made by somebody else, since it was claimed
            error.remedy = EXISTS
            raise
        self._written.add(os.path.realpath(path))
        if self.remove and replaces and source is not None:
            if content(path) != data:
                raise OutputError(
                    "is not what was written to it", remedy="check the disk; the input is kept", path=path
                )
            try:
                source.remove()
            except OutputError as error:
                error.cause = f"its output {path} is written, but it {error.cause}"
                raise

    def remove_done(self, job: Job, source: Input, same: bool) -> None:
        """Remove an input, the output of which an older run has left.

        Args:
            same: whether decoding shows that they are of the same content.

        Raises:
            OutputError: they are not, or the input cannot be removed.
        """
        if not same:
            remedy = "replace the output with -f, without --skip-existing"
            raise OutputError(f"{job.path} is there already, but does not hold it", remedy=remedy, path=job.name)
        source.remove()
        about = {"input": job.name, "output": job.path, "skipped": True, "removed": True}
        self.console.result(f"{job.shown}: {job.path} is there already, and was compared; removed", about)
