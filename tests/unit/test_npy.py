"""Arrays of numpy in files: the array that numpy.load gives, and every byte back."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.errors import OutputError, PictureError
from arcomp.form import Deflated, Raster
from arcomp.formats import read, read_array, write
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Array, Picture, Samples

RANDOM = np.random.default_rng(2)
Values = npt.NDArray[Any]


def values(dtype: str, *shape: int) -> Values:
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return RANDOM.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(kind)
    return RANDOM.integers(limits.min, limits.max + 1, shape).astype(kind)


def npy(array: Values, version: tuple[int, int] | None = None) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other programs may not read versions 2 and 3
        np.lib.format.write_array(made, array, version)
    return made.getvalue()


def npz(deflated: bool, **arrays: Values) -> bytes:
    made = io.BytesIO()
    (np.savez_compressed if deflated else np.savez)(made, **arrays)  # type: ignore[arg-type]
    return made.getvalue()


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


def same(found: Values, array: Values) -> None:
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("=")
    assert np.array_equal(found, array)


SHAPES = ((5, 6), (4, 5, 6), (5, 6, 3), (5, 6, 1), (3, 5, 6, 2), (1, 5, 6, 4), (1, 1), (4, 4, 3))
DTYPES = ("|b1", "|u1", "|i1", "<u2", ">u2", "<i2", ">i2")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays(dtype: str, shape: tuple[int, ...], version: tuple[int, int]) -> None:
    array = values(dtype, *shape)
    data = npy(array, version)
    parsed = taken_apart(data + b"tail")
    same(parsed.samples.array, array)
    if dtype.endswith("i2"):
        assert parsed.samples.pixels.astype(int).ravel().tolist() == (array.astype(int).ravel() + 32768).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 3), (1, 5, 6, 2), (1, 7, 6), (4, 5, 6), (3, 4, 5, 2)], ids=str)
def test_first_index_fastest(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.asfortranarray(values(dtype, *shape))
    data = npy(array)
    assert b"'fortran_order': True" in data
    same(taken_apart(data).samples.array, array)
    for file in (npz(False, a=array), npz(True, a=array)):
        same(taken_apart(file).samples.array, array)


def test_truth_values_that_are_neither() -> None:
    array = values("|u1", 5, 6)
    data = npy(array).replace(b"'|u1'", b"'|b1'")
    same(taken_apart(data).samples.array, array)


@pytest.mark.parametrize("deflated", [False, True])
def test_archives_of_one(deflated: bool) -> None:
    for dtype in DTYPES:
        array = values(dtype, 4, 15, 16)
        parsed = taken_apart(b"" + npz(deflated, images=array))
        same(parsed.samples.array, array)
        assert isinstance(parsed.samples.form, Array)
        assert parsed.samples.form.name == "images"
        assert any(isinstance(segment, Deflated if deflated else Raster) for segment in parsed.skeleton)


@pytest.mark.parametrize("deflated", [False, True])
def test_archives_of_several(deflated: bool) -> None:
    first, second, other = values("|u1", 4, 15, 16), values("|u1", 15, 16), values("|u1", 9, 16)
    samples = taken_apart(npz(deflated, a=first, b=second, c=other)).samples
    assert [stack.shape for stack in samples.stacks] == [(5, 15, 16, 1), (1, 9, 16, 1)]
    assert samples.form == Picture()
    assert np.array_equal(samples.stacks[0][..., 0], np.concatenate([first, second[None]]))
    mixed = taken_apart(npz(deflated, images=first, labels=np.arange(4), wide=values("<u2", 5, 6))).samples
    same(mixed.array, first)
    assert isinstance(mixed.form, Array)
    assert mixed.form.name == "images"


def test_archives_with_something_odd() -> None:
    array = values("|u1", 9, 16)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.npy", npy(array), zipfile.ZIP_DEFLATED)
        archive.writestr("b.npy", npy(array), zipfile.ZIP_BZIP2)
    assert parse(made.getvalue()) is None
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("notes.txt", "text")
        archive.writestr("a.npy", npy(array) + b"tail", zipfile.ZIP_DEFLATED)
        archive.comment = b"a comment"
    same(taken_apart(made.getvalue()).samples.array, array)


def test_what_is_inflated_is_bounded() -> None:
    """A header that speaks of few numbers, and a gigabyte after it."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = npy(np.zeros((8, 8), np.uint8))
    stream = deflater.compress(start) + b"".join(deflater.compress(bytes(1 << 24)) for _ in range(8))
    stream += deflater.flush()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"")
    data = made.getvalue()
    size = len(stream).to_bytes(4, "little")
    local = data[:18] + size + data[22:35] + stream
    at = data.index(b"PK\x01\x02")
    directory = data[at : at + 20] + size + data[at + 24 : -6] + len(local).to_bytes(4, "little") + b"\0\0"
    with pytest.raises(PictureError, match="its end is missing"):
        read_array(local + directory)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy(values("|u1", 5, 6))[:-1], "29 of 30"),
        (npy(values("<u2", 5, 6))[:-1], "29 of 30"),
        (npy(values("|u1", 5)), "shape"),
        (npy(values("|u1", 2, 3, 4, 5, 1)), "shape"),
        (npy(values("|u1", 2, 3, 4, 5)), "shape"),
        (npy(np.zeros((0, 5), np.uint8)), "holds nothing"),
        (npy(np.zeros((5, 6), np.float32)), "float32"),
        (npy(np.zeros((5, 6), np.int32)), "int32"),
        (npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(1<<9,)"), "damaged"),
        (npy(np.zeros(0, np.uint8)).replace(b"(0,), }      ", b"(65536, 65536)}"), "too large"),
        (npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(True, 5)"), "damaged"),
        (npy(np.zeros(0, np.uint8)).replace(b"(0,)", b"(-2, -2)"), "damaged"),
        (b"\x93NUMPY\4\0", "damaged"),
        (b"\x93NUMPY\1\0\xff\xff{", "damaged"),
        (b"\x93NUMPY\1\0\x90\1" + b"(" * 400, "damaged"),
        (npz(False, a=np.zeros((5, 6), np.uint8))[:-9], "archive"),
        (b"PK\3\4" + bytes(100), "archive"),
        (npz(True, a=np.zeros((5, 6))), "'a.npy' in it: an array of float64"),
    ],
)
def test_what_is_left_as_bytes(data: bytes, words: str) -> None:
    assert parse(data) is None
    with pytest.raises(PictureError, match=words.replace("(", r"\(")):
        read_array(data)


ARRAY = values("|u1", 12, 14)
FILES = (npy(ARRAY), npy(np.asfortranarray(ARRAY)), npz(False, a=ARRAY), npz(True, a=ARRAY, b=ARRAY))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damage(draw: st.DataObject) -> None:
    """Bytes changed, put in or taken out: what is still taken apart comes back."""
    data = bytearray(draw.draw(st.sampled_from(FILES)))
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(data)))
        data[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
    parsed = parse(bytes(data))
    if parsed is not None:
        assert rebuild(parsed.skeleton, parsed.samples) == data


@pytest.mark.parametrize("dtype", ["|b1", "|u1", "|i1", "<u2", "<i2"])
def test_writing(dtype: str) -> None:
    array = values(dtype, 3, 5, 6)
    samples = read(npy(array))
    assert write(samples, "npy") == npy(array)
    with np.load(io.BytesIO(write(samples, "npz"))) as found:
        same(found["arr_0"], array)


def test_writing_pictures_of_several_sizes() -> None:
    stacks = (values("|u1", 2, 5, 6, 3), values("|u1", 1, 4, 4, 3))
    samples = Samples(stacks, 8)
    with np.load(io.BytesIO(write(samples, "npz"))) as found:
        assert all(np.array_equal(found[f"arr_{i}"], stack) for i, stack in enumerate(stacks))
    with pytest.raises(OutputError, match="several sizes"):
        write(samples, "npy")
    with pytest.raises(OutputError, match="palette"):
        write(Samples((stacks[0][..., :1],), 8, palette=np.zeros((256, 3), np.uint8)), "npy")
