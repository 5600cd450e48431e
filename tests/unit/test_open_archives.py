"""Archives as mappings: names, samples, files; nothing but what is asked for is decoded; a data set of torch."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp import files
from arcomp.container.archive import folder, joined
from arcomp.errors import ArcompError, FormatError
from tests.contents import pictures

MODEL = "histogram"
NOISE = [pictures("noise", (30, 40, 3), 3, seed) for seed in range(3)]


def member(name: str, data: bytes) -> bytes:
    model = arcomp.load(MODEL)
    return files.compress(files.examine(data, model, files.About(name)), model).data


def ppm(seed: int) -> bytes:
    return b"P6 40 30 255 " + NOISE[seed].tobytes()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "all.arcomp"
    made = [folder("a/"), member("a/0.ppm", ppm(0)), member("a/1.ppm", ppm(1)), member("note.txt", b"some text")]
    path.write_bytes(joined([*made, arcomp.compress(NOISE[2], MODEL)]))
    return path


def test_names_lead_to_samples_and_files(archive: Path) -> None:
    for source in (archive, str(archive), archive.read_bytes()):
        opened = arcomp.open(source)
        assert isinstance(opened, arcomp.Archive)
        assert list(opened) == ["a/0.ppm", "a/1.ppm", "note.txt", "4"]
        assert len(opened) == 4
        assert "a/" not in opened
        assert np.array_equal(opened["a/1.ppm"].array, NOISE[1])
        assert np.array_equal(opened["4"].array, NOISE[2])
        assert bytes(opened["note.txt"].array) == opened.file("note.txt") == b"some text"
        assert opened.file("a/0.ppm") == ppm(0)
        with pytest.raises(KeyError):
            opened["a/2.ppm"]
        with pytest.raises(ArcompError, match="4: holds samples that came from no file"):
            opened.file("4")
    assert repr(arcomp.open(archive)) == f"<Archive of 4 files, {str(archive)!r}>"


def test_only_what_is_asked_for_is_decoded(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = files.samples_in

    def samples_in(one: Any, *others: Any) -> Any:
        seen.append(one.original.name)
        return real(one, *others)

    monkeypatch.setattr(files, "samples_in", samples_in)
    opened = arcomp.open(archive)
    assert seen == []
    opened["a/1.ppm"]
    assert seen == ["a/1.ppm"]


def test_damage_costs_the_file_it_is_in(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[data.index(b"a/1.ppm") + 200] ^= 1
    archive.write_bytes(data)
    opened = arcomp.open(archive)
    assert np.array_equal(opened["a/0.ppm"].array, NOISE[0])
    with pytest.raises(FormatError, match=r"all\.arcomp: a/1\.ppm: .*damaged"):
        opened["a/1.ppm"]


def test_pickles_and_threads(archive: Path) -> None:
    opened = pickle.loads(pickle.dumps(arcomp.open(archive)))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda i: opened[f"a/{i % 2}.ppm"].array, range(6)))
    assert all(np.array_equal(array, NOISE[i % 2]) for i, array in enumerate(found))


def test_one_file_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "one.arcomp"
    path.write_bytes(member("0.ppm", ppm(0)))
    assert np.array_equal(arcomp.open(path).array, NOISE[0])
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FormatError, match="truncated"):
        arcomp.open(path)


def test_many_files_take_no_longer_than_those_that_are_read(tmp_path: Path) -> None:
    """Of 10,000, all but an index is read of 64 only."""
    path, one = tmp_path / "many.arcomp", arcomp.compress(NOISE[0][:4, :4], MODEL)
    path.write_bytes(joined([one] * 10_000))
    opened = arcomp.open(path)
    read: list[int] = []
    real = opened._data

    def data(entry: Any) -> Any:
        read.append(entry.length)
        return real(entry)

    opened._data = data
    for name in list(opened)[::157]:
        assert opened[name].array.shape == (4, 4, 3)
    assert read == [len(one)] * 64
