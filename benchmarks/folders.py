"""Whole folders: files a second, by one process, by several, and by a command for each file; and back bit for bit.

    python -m benchmarks.folders [FOLDER] [--files 2000] [--model photo-fast] [-j 2] [--singles 40]

Without FOLDER, a tree of small mixed files is made: PNG of several kinds, BMP, arrays, JPEG, text, random bytes.
Everything is compared: contents, permissions and times, of folders too; and one run is killed and resumed.
"""

from __future__ import annotations

import hashlib
import io
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from PIL import Image

from arcomp.container import Member, Original, pack
from arcomp.container.archive import ArchiveWriter
from arcomp.form import Literal

PICTURE = Path(__file__).parents[1] / "tests" / "pictures" / "lighthouse.png"
ARCOMP = [sys.executable, "-m", "arcomp"]
WHEN = 1_600_000_000 * 10**9


class Run(NamedTuple):
    """One way to do it: files, seconds on the clock, processor seconds of all processes."""

    name: str
    files: int
    wall: float
    processor: float

    def line(self) -> str:
        """A row of the table."""
        rate, busy = self.files / self.wall, self.processor / self.wall
        return f"| {self.name} | {self.files} | {self.wall:.1f} | {rate:.2f} | {self.processor:.1f} | {busy:.2f} |"


def contents(count: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a tree of small mixed files; always the same."""
    rng, photo = np.random.default_rng(0), Image.open(PICTURE).convert("RGB")
    for i in range(count):
        side = int(rng.integers(16, 65))
        x, y = int(rng.integers(0, photo.width - side)), int(rng.integers(0, photo.height - side))
        crop, stream = photo.crop((x, y, x + side, y + side)), io.BytesIO()
        kind = ("png", "gray.png", "palette.png", "alpha.png", "bmp", "jpg", "npy", "txt", "json", "bin")[i % 10]
        if kind.endswith("png"):
            mode = {"gray.png": "L", "palette.png": "P", "alpha.png": "RGBA"}.get(kind, "RGB")
            crop.convert(mode).save(stream, "png")
        elif kind == "npy":
            np.save(stream, np.asarray(crop))
        elif kind in ("bmp", "jpg"):
            crop.save(stream, {"bmp": "BMP", "jpg": "JPEG"}[kind])
        else:
            words = {"txt": b"It is a truth %d. ", "json": b'{"id": %d},\n', "bin": b"%d"}[kind]
            stream.write(rng.bytes(side) if kind == "bin" else b"".join(words % j for j in range(side)))
        yield f"{i % 7}/{i % 13}/{i}.{kind}", stream.getvalue()


def make_tree(root: Path, count: int) -> None:
    """Write it, with permissions and times."""
    for i, (name, data) in enumerate(contents(count)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod((0o644, 0o600, 0o755)[i % 3])
        os.utime(path, ns=(WHEN + i, WHEN + i))
    (root / "empty").mkdir()
    for folder in sorted((p for p in root.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts)):
        os.utime(folder, ns=(WHEN, WHEN))


def measured(name: str, files: int, command: list[str], **kwargs: str) -> Run:
    """Run a command.

    Raises:
        CalledProcessError: it failed.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, text=True, **kwargs)  # type: ignore[call-overload]
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    run = Run(name, files, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(run.line(), flush=True)
    return run


def seen(root: Path, top: bool) -> list[tuple[str, int, int]]:
    """Names, permissions and times of all that is in a folder, and perhaps of the folder."""
    paths = [*([root] if top else []), *root.rglob("*")]
    return sorted((p.relative_to(root).as_posix(), stat.S_IMODE(p.stat().st_mode), p.stat().st_mtime_ns) for p in paths)


def same(what: str, one: Path, other: Path, top: bool) -> None:
    """Say whether a folder came back."""
    contents_differ = subprocess.run(["diff", "-r", one, other], stdout=subprocess.DEVNULL).returncode != 0
    rest_differs = seen(one, top) != seen(other, top)
    wrong = [word for word, is_so in (("contents", contents_differ), ("modes or times", rest_differs)) if is_so]
    print(
        f"{what}: {'DIFFERENT ' + ' and '.join(wrong) if wrong else 'the same: contents, modes and times'}", flush=True
    )


def killed_and_resumed(tree: Path, there: Path, options: list[str], files: int) -> None:
    """Kill all processes of a run when a third of the files is done, and go on."""
    command = [*ARCOMP, "compress", "-r", str(tree), "-o", str(there), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    assert process.stdout is not None
    for _ in range(max(1, files // 3)):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    done = sum(path.suffix == ".arcomp" for path in there.rglob("*"))
    measured(f"killed with {done} there, resumed", files - done, [*command, "--skip-existing"])


def one_of_many(place: Path, count: int) -> None:
    """Take one file out of an archive of very many."""
    place.mkdir()
    archive = place / "many.arcomp"
    with archive.open("wb") as file:
        writer = ArchiveWriter(file)
        for i in range(count):
            content = b"%d" % i
            original = Original(len(content), hashlib.sha256(content).digest(), f"{i % 100}/{i}")
            writer.add(pack(Member(None, original=original, skeleton=(Literal(content),))))
        writer.finish()
    name = f"{(count - 1) % 100}/{count - 1}"
    measured(f"extract one of {count}", 1, [*ARCOMP, "extract", "-q", str(archive), name, "-o", str(place)])


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--files", default=2000, show_default=True, help="Files of the tree that is made without FOLDER.")
@click.option("--model", default="photo-fast", show_default=True)
@click.option("-j", "--jobs", default=2, show_default=True, help="Processes.")
@click.option("--singles", default=40, show_default=True, help="Files that are coded by a command each; 0: none.")
def main(folder: Path | None, files: int, model: str, jobs: int, singles: int) -> None:
    """Measure and compare."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        tree = place / "tree"
        if folder is None:
            make_tree(tree, files)
        else:
            shutil.copytree(folder, tree, copy_function=shutil.copy2)
        paths = sorted(str(path) for path in tree.rglob("*") if path.is_file())
        count, with_model = len(paths), ["-m", model, "-q"]
        print(f"{count} files, {sum(os.path.getsize(path) for path in paths)} bytes, {model}\n")
        print("| | files | s | files/s | processor s | processor s / s |\n|---|---|---|---|---|---|", flush=True)
        measured("start-up: one small file", 1, [*ARCOMP, "compress", *with_model, paths[0], "-o", str(place / "x")])
        for number in (1, jobs):
            command = [*ARCOMP, "compress", *with_model, "-r", str(tree), "-o", str(place / f"out{number}")]
            measured(f"compress -r -j {number}", count, [*command, "-j", str(number)])
        archive = place / "all.arcomp"
        command = [*ARCOMP, "compress", *with_model, "-r", str(tree), "-o", str(archive), "-j", str(jobs)]
        measured(f"one archive, -j {jobs}", count, command)
        if singles:
            step = max(1, count // singles)
            some = paths[::step][:singles]
            (place / "single").mkdir()
            alone = [*ARCOMP, "compress", *with_model, "-T1", "-o", str(place / "single")]
            each = ["xargs", "-d", "\n", "-n1", f"-P{jobs}", *alone]
            measured(f"xargs -P{jobs}, a command for each", len(some), each, input="\n".join(some))
        back = [*ARCOMP, "decompress", "-q", "-j", str(jobs)]
        measured(f"decompress -r -j {jobs}", count, [*back, "-r", str(place / f"out{jobs}"), "-o", str(place / "back")])
        measured(f"extract all, -j {jobs}", count, [*back, str(archive), "-o", str(place / "extracted")])
        killed_and_resumed(tree, place / "resumed", ["-m", model, "-j", str(jobs)], count)
        one_of_many(place / "one", 1)
        one_of_many(place / "10000", 10_000)
        print()
        same("decompress -r", tree, place / "back", True)
        same("extract", tree, place / "extracted", False)
        same("resumed", place / f"out{jobs}", place / "resumed", True)


if __name__ == "__main__":
    main()
