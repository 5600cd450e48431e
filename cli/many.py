"""One input or fifty thousand: the same work on each, in this process or by several, with one progress and one end."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TextIO

from arcomp.batch import Done, Lost, Message, Workers, in_order
from arcomp.batch.workers import Event
from arcomp.cli.coding import Total
from arcomp.cli.console import Console, Overall, plural
from arcomp.cli.jobs import Chosen, Job
from arcomp.errors import ArcompError, BusyError, ExistsError

AHEAD = 64
"""How many inputs, for each process, are begun after one that an archive waits for."""
NAMED = 10
"""How many of the inputs that failed the last line names."""
OFTEN = 0.2
"""Seconds between two words of a process about how far it is."""


@dataclass
class Outcome:
    """What came of one input.

    Attributes:
        bytes_in, bytes_out, samples, positions, seconds: for sums; of no samples and positions (pixels) if it is kept
            as bytes.
        data: what was made, where somebody else is to write it.
        skipped: nothing was made, as it is there already.
        busy: nothing was made, as another process is making it.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    samples: int = 0
    seconds: float = 0.0
    data: bytes | None = field(default=None, repr=False)
    skipped: bool = False
    busy: bool = False
    positions: int = 0


Work = Callable[[Job, int | None], Outcome]
"""Does one input with so many threads, and prints its line; raises what is wrong with it."""


class Plan(Protocol):
    """What a verb is to do, before models are loaded. It can be pickled.

    Attributes:
        goes_on: whether --skip-existing goes on where it was interrupted.
    """

    goes_on: ClassVar[bool]

    def skips(self, job: Job) -> bool:
        """Whether --skip-existing is given and an input's output is there, whole."""

    def later(self) -> Plan | None:
        """The plan for inputs that another process is at, when all else is done: it waits for that. None: they fail."""

    def __call__(self, console: Console, threads: int | None, *, warm: bool = False) -> Work:
        """Get ready.

        Args:
            console: for lines. threads: to begin with.
            warm: compile what inputs will probably need.

        Raises:
            ArcompError: a model is not here.
        """


@dataclass
class Summary:
    """What came of a run."""

    total: Total = field(default_factory=Total)
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count an input that did not fail."""
        if outcome.skipped:
            self.skipped += 1
            return
        self.total.add(outcome.bytes_in, outcome.bytes_out, outcome.samples, outcome.positions, outcome.seconds)

    def tell(self, console: Console, chosen: Chosen, line: str) -> int:
        """Print the last line, if there was more than one input; the exit status.

        Args:
            line: what was done.
        """
        left_out = chosen.said()
        if not (chosen.jobs or chosen.failures or self.skipped or left_out):
            console.warn("there is no file in what was named")
        said = [line]
        said += [f"{self.skipped} there already"] if self.skipped else []
        said += [f"left out: {left_out}"] if left_out else []
        said += [f"{len(self.failed)} failed"] if self.failed else []
        if len(chosen.jobs) + len(chosen.failures) != 1 or left_out:
            console.summary("; ".join(said))
        unread = chosen.said(chosen.unread)
        if unread and (console.quiet or console.as_json):  # or who removes the folder then loses them unawares
            console.warn(f"left out: {unread}", always=True)
        if len(self.failed) > 1:
            more = len(self.failed) - NAMED
            others = f" and {more} more" if more > 0 else ""
            console.note(f"arcomp: failed: {', '.join(self.failed[:NAMED])}{others}")
        return 1 if self.failed else 0


def tell_there(jobs: Sequence[Job], console: Console) -> None:
    """Say which inputs are skipped because their outputs are there: with --json, and with -v."""
    for job in jobs:
        if console.as_json:
            console.result("", {"input": job.name, "output": job.path, "skipped": True})
        elif console.verbose:
            console.summary(f"{job.shown}: {job.path} is there already")


class Recorder(Console):
    """The console of a process that works for another one, which prints."""

    def __init__(self, quiet: bool, verbose: bool, as_json: bool, tell: Callable[[Any], None]) -> None:
        super().__init__(quiet, verbose, as_json)
        self.live, self._tell, self._last = False, tell, 0.0
        self.said: list[tuple[str, tuple[Any, ...]]] = []

    def result(self, line: str, about: dict[str, Any], details: str = "") -> None:
        self.said.append(("result", (line, about, details)))

    def summary(self, line: str) -> None:
        self.said.append(("summary", (line,)))

    def warn(self, line: str, *, always: bool = False) -> None:
        self.said.append(("warn", (line,)))

    def warn_once(self, line: str) -> None:
        self.said.append(("warn_once", (line,)))

    def failed(self, name: str, line: str, trace: str) -> None:
        self.said.append(("failed", (name, line, trace)))

    def note(self, line: str) -> None:
        self._tell(line)

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[float], None]]:
        yield self._part

    def _part(self, part: float) -> None:
        now = time.monotonic()
        if now > self._last + OFTEN:
            self._last = now
            self._tell(part)

    def _print(self, line: str, file: TextIO) -> None:
        raise AssertionError("a process that works for another one prints nothing")


@dataclass(frozen=True)
class Start:
    """Gets a process ready: what :class:`arcomp.batch.Workers` starts."""

    plan: Plan
    quiet: bool
    verbose: bool
    as_json: bool

    def __call__(self, tell: Callable[[Any], None], first: bool) -> Callable[[Job, int], Any]:
        console = Recorder(self.quiet, self.verbose, self.as_json, tell)
        work = self.plan(console, 1, warm=first)

        def one(job: Job, threads: int) -> tuple[list[tuple[str, tuple[Any, ...]]], Outcome | None]:
            outcome = _attempt(self.plan, work, job, threads, console)
            said, console.said = console.said, []
            return said, outcome

        return one


def _attempt(plan: Plan, work: Work, job: Job, threads: int | None, console: Console) -> Outcome | None:
    """Do one input; None if it failed."""
    try:
        return work(job, threads)
    except BrokenPipeError:
        raise
    except ExistsError as error:
        if plan.skips(job):  # another process was quicker
            tell_there([job], console)
            return Outcome(skipped=True)
        console.failure(job.shown, error)
        return None
    except Exception as error:
        if isinstance(error, BusyError) and plan.later() is not None:
            return Outcome(busy=True)
        console.failure(job.shown, error)
        return None


Write = Callable[[Job, bytes], None]
"""Takes what was made of an input, in the inputs' sequence."""


def run(
    chosen: Chosen,
    plan: Plan,
    console: Console,
    processes: int,
    threads: int | None,
    write: Write | None = None,
    scheduler: str | None = None,
) -> Summary:
    """Do all inputs, and go on after errors.

    Args:
        chosen: the inputs. plan: what to do with them.
        console: prints a line for each.
        processes: how many at a time. threads: of all of them together; None: as many as processors.
        write: see :data:`Write`; else inputs are done in any sequence.
        scheduler: address of one of dask, whose workers do it; or "local", for as many as there are processes.

    Raises:
        ArcompError: the plan cannot start.
        KeyboardInterrupt: with how far it came.
    """
    summary, began = Summary(), time.perf_counter()
    jobs = chosen.jobs
    for name, error in chosen.failures:
        console.failure(name, error)
        summary.failed.append(name)
    try:
        busy = _pass(summary, jobs, plan, console, processes, threads, write, scheduler)
        if busy and (later := plan.later()) is not None:
            console.warn(f"another process is making outputs of {plural(len(busy), 'file')}, which are waited for")
            _pass(summary, busy, later, console, processes, threads, write, scheduler)
    except KeyboardInterrupt as error:
        if len(jobs) > 1:
            done = f"{summary.total.files} of {len(jobs)} files are done"
            goes_on = ["--skip-existing goes on"] if plan.goes_on else []
            error.args += (done, *goes_on) if write is None else ("no archive is written",)
        raise
    summary.seconds = time.perf_counter() - began
    return summary


def _pass(
    summary: Summary,
    jobs: Sequence[Job],
    plan: Plan,
    console: Console,
    processes: int,
    threads: int | None,
    write: Write | None,
    scheduler: str | None,
) -> list[Job]:
    """Do inputs, and count them; those that another process is at."""
    busy = []
    with _overall(console, jobs):
        processes = 1 if any(job.data is not None for job in jobs) else min(processes, len(jobs))
        how = _by_processes if processes > 1 else _here
        if scheduler is not None and jobs:
            how = functools.partial(_by_scheduler, scheduler)
        for job, outcome in how(jobs, plan, console, processes, threads, write is not None):
            if outcome is None:
                summary.failed.append(job.shown)
            elif outcome.busy:
                busy.append(job)
            else:
                if write is not None and outcome.data is not None:
                    write(job, outcome.data)
                summary.add(outcome)
                if console.overall:
                    console.overall.count(outcome.positions)
    return busy


def _here(
    jobs: Sequence[Job], plan: Plan, console: Console, processes: int, threads: int | None, in_turn: bool
) -> Iterator[tuple[Job, Outcome | None]]:
    """One after the other, in this process."""
    work = plan(console, threads)
    for index, job in enumerate(jobs):
        if console.overall:
            console.overall.index = index
        yield job, _attempt(plan, work, job, threads, console)
        if console.overall:
            console.overall.finish(index)


def _by_processes(
    jobs: Sequence[Job], plan: Plan, console: Console, processes: int, threads: int | None, in_turn: bool
) -> Iterator[tuple[Job, Outcome | None]]:
    from arcomp.exact import threads as processors

    start = Start(plan, console.quiet, console.verbose, console.as_json)
    workers = Workers(start, processes, threads or processors.threads(), ("arcomp.files", "arcomp.contract.registry"))
    sizes = [job.size + 1 for job in jobs]
    events = workers.run(jobs, sizes, in_turn=AHEAD * processes if in_turn else 0)
    with closing(events), closing(in_order(events) if in_turn else events) as happens:
        yield from _told(jobs, happens, console)


def _by_scheduler(
    address: str, jobs: Sequence[Job], plan: Plan, console: Console, processes: int, threads: int | None, in_turn: bool
) -> Iterator[tuple[Job, Outcome | None]]:
    """By workers of dask."""
    from arcomp.batch.cluster import Cluster

    cluster = Cluster(Start(plan, console.quiet, console.verbose, console.as_json), address, processes)
    with closing(cluster.run(jobs, [job.size + 1 for job in jobs])) as happens:
        yield from _told(jobs, happens, console)


def _told(jobs: Sequence[Job], happens: Iterable[Event], console: Console) -> Iterator[tuple[Job, Outcome | None]]:
    """What others say of inputs, printed."""
    for event in happens:
        if isinstance(event, Message):
            _heard(console, event)
            continue
        job, outcome = jobs[event.index], None
        if isinstance(event, Lost):
            error = ArcompError(event.why, remedy="nothing of it is written; if memory is short, use a smaller -j")
            console.failure(job.shown, error)
        elif isinstance(event, Done):
            said, outcome = event.result
            for method, args in said:
                getattr(console, method)(*args)
        yield job, outcome
        if console.overall:
            console.overall.finish(event.index)


def _heard(console: Console, event: Message) -> None:
    if isinstance(event.what, str):
        console.note(event.what)
    elif console.overall and event.index is not None:
        console.overall.index = event.index
        console.overall.part(event.what)


@contextmanager
def _overall(console: Console, jobs: Sequence[Job]) -> Iterator[None]:
    """One progress for all inputs, where there are several."""
    if not console.live or len(jobs) < 2:
        yield
        return
    console.overall = Overall([job.size + 1 for job in jobs])
    try:
        yield
    finally:
        console.overall.close()
        console.overall = None
