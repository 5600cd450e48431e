"""Work spread over machines: shards, and workers of dask, of which some are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from arcomp.batch import Done, Lost
from arcomp.batch.cluster import PER_TASK, SIZE_OF_TASK, Cluster, _error, tasks
from arcomp.errors import ArcompError
from tests.cli.command import MODEL, names, refused, said_well, say


@pytest.fixture
def many(folder: Path) -> Path:
    for i in range(40):
        path = folder / "D" / str(i % 3) / f"{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"text %d " % i * 9)
    return folder / "D"


def test_shards_are_disjoint_and_complete(many: Path, folder: Path) -> None:
    done: list[set[str]] = []
    for shard in ("1/3", "3/3", "2/3"):
        before = names(folder / "OUT") if done else set()
        said_well(say("compress", *MODEL, "-r", "D", "-o", "OUT", "-j", "1", "--shard", shard))
        done.append(names(folder / "OUT") - before)
    assert min(map(len, done)) > 5
    assert sum(map(len, done)) == len(names(many)) == len(names(folder / "OUT"))
    for shard in ("1/2", "2/2"):
        said_well(say("decompress", "-r", "OUT", "-o", "BACK", "-j", "1", "--shard", shard))
    assert names(folder / "BACK") == names(many)
    said = said_well(say("compress", *MODEL, "-r", "D", "-o", "OUT", "-j", "1", "--skip-existing"))
    assert said.results[-1].endswith("40 there already")


def test_a_file_stays_in_its_shard_when_others_come_or_go(many: Path, folder: Path) -> None:
    shard = (*MODEL, "-r", "D", "-j", "1", "--shard", "1/2", "-o")
    said_well(say("compress", *shard, "OUT"))
    for path in sorted(many.rglob("*.txt"))[::3]:
        path.unlink()
    said_well(say("compress", *shard, "LATER"))
    assert names(folder / "LATER") == {f"{n}.arcomp" for n in names(many)} & names(folder / "OUT")


@pytest.mark.parametrize("part", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_shards_that_there_are_not(many: Path, part: str) -> None:
    refused(say("compress", "-r", "D", "-o", "OUT", f"--shard={part}"), "is no part of all", status=2)


def test_what_a_scheduler_is_not_for(many: Path) -> None:
    for options, why in (
        (["-r", "D", "-o", "OUT", "--rm"], "--rm is not for --scheduler"),
        (["D/0/0.txt"], "--scheduler is for -r and --files-from"),
        (["-r", "D", "-o", "all.arcomp"], "--scheduler is for files in a folder"),
    ):
        refused(say("compress", "--scheduler", "local", *options), why, status=2)


def test_tasks_are_of_many_small_items_and_of_few_large_ones() -> None:
    sizes = [1000] * 50_000 + [SIZE_OF_TASK] * 3
    made = tasks(sizes, 8)
    assert sorted(i for part in made for i in part) == list(range(len(sizes)))
    assert made[:3] == [[50_000], [50_001], [50_002]]
    assert {len(part) for part in made[3:]} == {PER_TASK}
    assert [len(part) for part in tasks([1] * 16, 2)] == [2] * 8
    assert tasks([], 4) == []


pytest.importorskip("distributed")


@pytest.fixture
def cluster() -> Iterator[str]:
    """A scheduler and two workers in this process."""
    from distributed import LocalCluster

    with LocalCluster(
        2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made.scheduler_address


def test_workers_do_what_one_process_does(many: Path, folder: Path, cluster: str) -> None:
    (many / "img.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    os.mkfifo(many / "pipe")
    said_well(say("compress", *MODEL, "-r", "D", "-o", "ONE", "-j", "1"))
    (folder / "OUT/1").mkdir(parents=True)
    (folder / "OUT/1/1.txt.arcomp").write_bytes(b"something else")
    command = ("compress", *MODEL, "-r", "D", "-o", "OUT", "--scheduler", cluster)
    said = say(*command)
    assert said.status == 1
    assert "OUT/1/1.txt.arcomp: exists already" in said.err
    assert said.results[-1].startswith("40 files: ")
    (folder / "OUT/1/1.txt.arcomp").unlink()
    again = said_well(say(*command, "--json"))
    assert [line.get("skipped", False) for line in again.objects].count(False) == 1
    (folder / "OUT/2/2.txt.arcomp").unlink()  # which these very workers have written
    assert said_well(say(*command)).results[-1].startswith("1 file: ")
    for name in names(folder / "ONE"):
        assert (folder / "ONE" / name).read_bytes() == (folder / "OUT" / name).read_bytes()


def test_a_scheduler_that_does_not_answer(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcomp.batch.cluster.PATIENCE", 0.5)
    command = ("compress", *MODEL, "-r", "D", "-o", "OUT", "--scheduler", "tcp://127.0.0.1:9")
    refused(say(*command), "no scheduler with workers at tcp://127.0.0.1:9")


def test_a_scheduler_that_ends_meanwhile() -> None:
    class Given:
        def exception(self) -> None:
            raise CancelledError("scheduler-connection-lost")

    with pytest.raises(ArcompError, match="the scheduler is gone; start it again: the same command goes on"):
        _error(Given())


def start_deadly(tell: Callable[[Any], None], first: bool) -> Callable[[int, int], int]:
    """Work that kills its process at one item."""

    def work(item: int, threads: int) -> int:
        if item == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return item * item

    return work


@pytest.mark.slow
def test_an_item_that_kills_every_worker_is_the_only_one_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    dask = pytest.importorskip("dask")
    monkeypatch.setattr("arcomp.batch.cluster.TASKS_EACH", 1)
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        events = list(Cluster(start_deadly, "local", 2).run(range(40), [1] * 40))
    assert [event.index for event in events if isinstance(event, Lost)] == [13]
    assert {event.index: event.result for event in events if isinstance(event, Done)} == {
        i: i * i for i in range(40) if i != 13
    }
