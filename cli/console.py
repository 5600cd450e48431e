"""What a user sees: one line a file, one line an error, progress on terminals, JSON for programs."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

import click

from arcomp.cli.ending import TERMINATED
from arcomp.errors import ArcompError

if TYPE_CHECKING:
    from tqdm import tqdm


def one_line(text: str) -> str:
    """Text that stays on its line and in its terminal, whatever a file's name holds."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def shown(name: str) -> str:
    """What messages call a file."""
    return "standard input" if name == "-" else name


def size(count: float) -> str:
    """A number of bytes with a unit and three or four digits."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024 or unit == "GiB":
            break
    return f"{count:.3g} {unit}" if count < 1000 else f"{count:.0f} {unit}"


def duration(seconds: float) -> str:
    """Seconds as they are said: 0.42 s, 1 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def megapixels(speed: float) -> str:
    """A number of pixels a second, in millions, or in thousands if there are few."""
    return f"{speed / 1e6:.3g} MP/s" if speed >= 1e5 else f"{speed / 1e3:.3g} kP/s"


def when(nanoseconds: int, form: str) -> str:
    """A time since 1970, in UTC; "" for one that no calendar here has, of which years have four digits.

    Args:
        nanoseconds: since the beginning of 1970. form: as of :func:`time.strftime`.
    """
    try:
        return datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc).strftime(form)
    except (OverflowError, OSError, ValueError):
        return ""


def percent(value: float) -> str:
    """A signed percentage: three decimals below one percent."""
    if abs(value) < 1:
        return f"{value:+.3f}%"
    return f"{value:+.1f}%" if abs(value) < 100 else f"{value:+.0f}%"


def plural(count: int, word: str) -> str:
    """ "1 file", "2 files"."""
    return f"{count} {word}" + ("" if count == 1 else "s")


FULL = {errno.ENOSPC: "no space is left on the device", errno.EDQUOT: "the disk quota is used up"}


def describe(error: BaseException) -> str:
    """One line for any error; those not raised on purpose say that they are not."""
    if isinstance(error, ArcompError):
        return str(error)
    if _is_interrupt(error):
        return "; ".join(["interrupted", *map(str, error.args)])
    if isinstance(error, MemoryError):
        return "not enough memory; cut the picture into smaller ones"
    if isinstance(error, OSError) and error.errno in FULL:
        return f"{FULL[error.errno]}; free some space, or write elsewhere"
    if isinstance(error, OSError):
        name = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        return f"{name}{error.strerror or error}"
    text = str(error).strip()
    return f"internal error, please report it with what -v prints: {type(error).__name__}{': ' if text else ''}{text}"


def explained(error: BaseException, name: str) -> str:
    """One line for any error, which begins with the file it is about, if that is known."""
    if isinstance(error, ArcompError) and name:
        return describe(error.at(name))
    line = describe(error)
    return f"{name}: {line}" if name and not line.startswith(f"{name}:") and not _is_interrupt(error) else line


def _is_interrupt(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt | click.Abort)


def report(error: BaseException, *, name: str = "", verbose: bool = False) -> int:
    """Print an error's line (and with ``verbose`` where it comes from); the exit status it means.

    Args:
        error: anything raised.
        name: the file it is about, unless the error says so itself.
        verbose: print the traceback of an error that was not raised on purpose.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone: nothing to say. Python would complain about its last flush.
        stdout_to_nowhere()
        return 1
    line = explained(error, name)
    if verbose and not isinstance(error, ArcompError | KeyboardInterrupt):
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    print(f"arcomp: {one_line(line)}", file=sys.stderr)
    if isinstance(error, OSError):
        stdout_to_nowhere(only_if_broken=True)
    if _is_interrupt(error):
        # Python ends by SIGINT, whatever status it is given, if an interrupt left the last `exec` of a text (as in
        # making a dataclass). Another `exec` makes it forget that.
        exec("")
        return 143 if TERMINATED in error.args else 130
    return 1


def stdout_to_nowhere(only_if_broken: bool = False) -> None:
    """Let the interpreter's last flush of standard output go to the null device, or it prints a second error."""
    try:
        if only_if_broken:
            sys.stdout.flush()
            return
    except OSError:
        pass
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        pass


MISSING: set[str] = set()
"""Standard streams that the process was started without."""


def open_missing_streams() -> None:
    """Give a process that was started with closed standard streams null ones: messages must not end up in a file."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            MISSING.add(name)
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (it stays open as long as the process)


class Console:
    """Where a verb's lines go.

    Args:
        quiet: only errors.
        verbose: more of everything.
        as_json: results as JSON, one object a line.
    """

    def __init__(self, quiet: bool = False, verbose: bool = False, as_json: bool = False) -> None:
        self.quiet, self.verbose, self.as_json = quiet, verbose, as_json
        self.stdout_taken = False
        """Set where standard output carries a file."""
        self._warned: set[str] = set()
        self.live = sys.stderr.isatty() and not quiet and not as_json
        self.overall: Overall | None = None
        """Progress of all files, where there are several."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Without streams and bars, which stay in this process."""
        return Console, (self.quiet, self.verbose, self.as_json)

    def result(self, line: str, about: dict[str, Any], details: str = "") -> None:
        """One file's result, as a line or as JSON."""
        if self.as_json:
            self._print(json.dumps(about, allow_nan=False), self._results())
        else:
            self.summary(line + (f"; {details}" if details and self.verbose else ""))

    def summary(self, line: str) -> None:
        """A line of results, which -q and --json leave out."""
        if not self.quiet and not self.as_json:
            self._print(one_line(line), self._results())

    def failure(self, name: str, error: BaseException) -> None:
        """What went wrong with a file, on standard error, and with --json among the results too."""
        trace = ""
        if self.verbose and not isinstance(error, ArcompError):
            import traceback

            trace = "".join(traceback.format_exception(error))
        self.failed(name, explained(error, shown(name)), trace)
        if isinstance(error, OSError):
            stdout_to_nowhere(only_if_broken=True)

    def failed(self, name: str, line: str, trace: str) -> None:
        """As :meth:`failure`, of an error that is lines already."""
        self._print(f"{trace}arcomp: {one_line(line)}", sys.stderr)
        if self.as_json:
            self.result("", {"input": name, "error": line})

    def _print(self, line: str, file: TextIO) -> None:
        if self.overall:
            self.overall.clear()
        print(line, file=file, flush=True)

    def _results(self) -> TextIO:
        """Standard output, unless that carries a file."""
        return sys.stderr if self.stdout_taken else sys.stdout

    def note(self, line: str) -> None:
        """A line on standard error that -q and --json leave out."""
        if not self.quiet and not self.as_json:
            self._print(one_line(line), sys.stderr)

    def warn(self, line: str, *, always: bool = False) -> None:
        """A warning, which -q leaves out, unless it is that something is missing from what was made."""
        if always or not self.quiet:
            self._print(f"arcomp: warning: {one_line(line)}", sys.stderr)

    def warn_once(self, line: str) -> None:
        """A warning that is the same for many files."""
        if line not in self._warned:
            self._warned.add(line)
            self.warn(line)

    def print(self, line: str) -> None:
        """A line of what was asked for, on standard output."""
        print(one_line(line))

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[float], None]]:
        """A bar on terminals, with the time that is left, which goes when all is done.

        Yields:
            A callback for the part done, 0 to 1.
        """
        if self.overall:
            yield self.overall.part
            return
        if not self.live:
            yield lambda part: None
            return
        bar = progress_bar(one_line(label), PATIENCE)
        try:
            yield lambda part: bar.update(part - bar.n)
        finally:
            bar.close()


class Overall:
    """Progress of all files of a run, by their sizes.

    Args:
        sizes: of the files, in bytes.
    """

    def __init__(self, sizes: list[int]) -> None:
        self._sizes, self._done = sizes, 0
        self._bytes, self._parts = 0.0, dict[int, float]()
        self._total = max(1, sum(sizes))
        self._began, self._positions = time.perf_counter(), 0
        self._bar = progress_bar(self._label(), PATIENCE, smoothing=0.02)
        self.index = 0
        """The file that :meth:`part` is about."""

    def part(self, part: float) -> None:
        """So much of the file at hand is done, 0 to 1."""
        self._parts[self.index] = part
        self._show()

    def finish(self, index: int) -> None:
        """A file is done."""
        self._parts.pop(index, None)
        self._done, self._bytes = self._done + 1, self._bytes + self._sizes[index]
        self._bar.set_description_str(self._label(), refresh=False)
        self._show()

    def count(self, positions: int) -> None:
        """So many pixels more are done."""
        self._positions += positions

    def _show(self) -> None:
        done = self._bytes + sum(self._sizes[index] * part for index, part in self._parts.items())
        self._bar.update(done / self._total - self._bar.n)

    def _label(self) -> str:
        speed = megapixels(self._positions / (time.perf_counter() - self._began))
        return f"{self._done} of {plural(len(self._sizes), 'file')}" + (f", {speed}" if self._positions else "")

    def clear(self) -> None:
        """Make room for a line."""
        if self._bar.last_print_n or self._bar.n:
            self._bar.clear()

    def close(self) -> None:
        """Wipe the bar."""
        self._bar.close()


BAR = "{percentage:3.0f}%|{bar:16}| {remaining} left  {desc}"
"""The form of a bar. The label comes last: a terminal may be too narrow for it."""
PATIENCE = 0.3
"""Seconds before a bar appears: what is done by then does not need one."""


def progress_bar(label: str, delay: float, smoothing: float = 0.3) -> tqdm[Any]:
    """A bar of tqdm on standard error, from 0 to 1, that appears after so many seconds."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread that watches it: callbacks come often enough
    return tqdm(
        total=1.0, desc=label, file=sys.stderr, leave=False, dynamic_ncols=True, delay=delay, bar_format=BAR,
        smoothing=smoothing,
    )  # fmt: skip
