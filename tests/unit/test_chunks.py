"""Chunks of arrays in numcodecs, zarr 2 and zarr 3: every type, shape and byte order comes back, by whoever asks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import arcomp
from arcomp.contract.registry import with_preset
from arcomp.errors import ArcompError
from arcomp.plugins import chunks

numcodecs = pytest.importorskip("numcodecs")
MODEL = "histogram"
SHAPES = [(20, 30), (3, 20, 30), (20, 30, 3), (2, 3, 20, 30), (1, 2, 3, 20, 30), (2, 2, 20, 30, 3)]
TYPES = ["bool", "uint8", "int8", "<u2", ">u2", "<i2", ">i2"]
PAIRS = [*zip(TYPES, SHAPES + SHAPES[:1], strict=True), ("<u2", SHAPES[2]), ("uint8", SHAPES[4])]


def drawn(shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any]:
    """Numbers of all of a type's range, and mostly of few."""
    rng = np.random.default_rng(len(shape))
    if dtype == "bool":
        return rng.random(shape) < 0.3
    kind = np.iinfo(dtype)
    values = rng.integers(0, 9, shape)
    values.flat[:2] = kind.min, kind.max
    return values.astype(dtype)


def test_numcodecs_gives_back_every_array() -> None:
    codec = numcodecs.get_codec({"id": "arcomp", "model": MODEL})
    for dtype, shape in PAIRS:
        array = drawn(shape, dtype)
        for given in (array, np.asfortranarray(array), array[::-1]):
            data = codec.encode(given)
            found = numcodecs.compat.ensure_ndarray_like(codec.decode(data)).view(dtype)
            order: Any = "F" if given.flags.f_contiguous and not given.flags.c_contiguous else "C"
            assert np.array_equal(found.reshape(-1).reshape(shape, order=order), given)
        out = np.empty(shape, dtype)
        codec.decode(codec.encode(array), out=out)
        assert np.array_equal(out, array)


def test_a_chunk_is_a_file() -> None:
    array = drawn((3, 20, 30), "<i2")
    assert np.array_equal(arcomp.decompress(chunks.encode(array, MODEL)).array[..., 0], array)


def test_a_codec_says_how_it_is_made() -> None:
    codec = numcodecs.get_codec({"id": "arcomp", "preset": "fast"})
    assert codec.get_config() == {"id": "arcomp", "model": None, "preset": "fast"}
    assert numcodecs.get_codec(codec.get_config()) == codec
    assert eval(repr(codec), {"Arcomp": type(codec)}) == codec
    assert [with_preset(*given) for given in ((None, None), ("photo", "max"), ("context", None))] == [
        "photo-balanced", "photo-max", "context"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((4, 4), np.float32), "an array of float32 is not supported"),
        (np.zeros((4, 4), np.int64), "an array of int64 is not supported"),
        (np.zeros((4, 4), "M8[s]"), r"an array of datetime64\[s\] is not supported"),
        (np.zeros(4, np.uint8), "chunks of 1 axes are not supported"),
        (np.zeros((1,) * 6, np.uint8), "chunks of 6 axes are not supported"),
        (np.zeros((0, 4), np.uint8), "holds nothing"),
    ],
)
def test_what_cannot_be_compressed_is_refused_in_a_line(given: Any, said: str) -> None:
    with pytest.raises(ArcompError, match=said) as caught:
        numcodecs.get_codec({"id": "arcomp", "model": MODEL}).encode(given)
    assert "\n" not in str(caught.value)


def test_other_bytes_and_presets_are_refused() -> None:
    codec, file = numcodecs.get_codec({"id": "arcomp"}), b"P5 2 1 255 AZ"
    for data in (b"no file at all", arcomp.compress(file, MODEL), arcomp.compress(arcomp.open(file), MODEL)):
        with pytest.raises(ArcompError):
            codec.decode(data)
    with pytest.raises(ArcompError, match="preset= works with model photo only"):
        numcodecs.get_codec({"id": "arcomp", "model": "context", "preset": "fast"})


zarr = pytest.importorskip("zarr")
if zarr.__version__ < "3":
    pytest.skip("codecs of zarr 3 need it", allow_module_level=True)
from arcomp.plugins.zarr import NAME, Arcomp  # noqa: E402

CODEC = {"name": NAME, "configuration": {"model": MODEL}}


@pytest.mark.parametrize("sharded", [False, True])
def test_zarr_3_gives_back_every_array(tmp_path: Path, sharded: bool) -> None:
    for dtype, shape in PAIRS:
        array = drawn(shape, dtype)
        pieces = tuple(side // 2 + 1 if side > 4 else side for side in shape)
        made = zarr.create_array(
            tmp_path, shape=shape, chunks=pieces, shards=tuple(2 * n for n in pieces) if sharded else None,
            dtype=dtype, serializer=CODEC, compressors=None, overwrite=True,
        )  # fmt: skip
        made[:] = array
        found = zarr.open_array(tmp_path, mode="r")
        assert np.array_equal(found[:], array)
        assert np.array_equal(found[..., 3:7, 1:2], array[..., 3:7, 1:2])


@pytest.mark.parametrize("order", ["C", "F"])
def test_zarr_2_gives_back_every_array(tmp_path: Path, order: str) -> None:
    codec = numcodecs.get_codec({"id": "arcomp", "model": MODEL})
    for dtype in ("bool", "uint8", "<i2", ">u2"):
        array = drawn((3, 20, 30), dtype)
        made = zarr.create_array(
            tmp_path, shape=array.shape, chunks=(2, 11, 13), dtype=dtype, zarr_format=2, compressors=codec,
            order=order, overwrite=True,
        )  # fmt: skip
        made[:] = array
        found = zarr.open_array(tmp_path, mode="r")[:]
        assert np.array_equal(found, array)
        assert found.dtype == array.dtype


def test_metadata_hold_model_and_preset() -> None:
    for codec in (Arcomp(), Arcomp(preset="fast"), Arcomp(model="context")):
        assert Arcomp.from_dict(codec.to_dict()) == codec
    for wrong in ({"name": "arcomp.other"}, {"name": NAME, "configuration": {"level": 3}}):
        with pytest.raises(ArcompError, match=r"no configuration of arcomp\.image"):
            Arcomp.from_dict(wrong)
    with pytest.raises(ArcompError, match="preset= works with model photo only"):
        Arcomp(model="context", preset="fast")


def test_floats_are_refused_when_an_array_is_made(tmp_path: Path) -> None:
    for dtype, shape, said in (("f4", (9, 9), "float32 is not supported"), ("u1", (9,), "1 axes are not supported")):
        with pytest.raises(ArcompError, match=said):
            zarr.create_array(tmp_path, shape=shape, dtype=dtype, serializer=CODEC, compressors=None)


def test_a_chunk_of_another_array_is_refused(tmp_path: Path) -> None:
    for name, shape in (("one", (8, 9)), ("other", (8, 8))):
        zarr.create_array(
            tmp_path / name, shape=shape, chunks=shape, dtype="u1", serializer=CODEC, compressors=None
        )[:] = drawn(shape, "uint8")  # fmt: skip
    (tmp_path / "one/c/0/0").write_bytes((tmp_path / "other/c/0/0").read_bytes())
    with pytest.raises(ArcompError, match=r"a chunk of uint8 with 64 samples where uint8 \[8, 9\] is expected"):
        zarr.open_array(tmp_path / "one")[:]


def test_threads_and_event_loops_read_one_array(tmp_path: Path) -> None:
    array = drawn((8, 40, 30), "<u2")
    made = zarr.create_array(
        tmp_path, shape=array.shape, chunks=(1, 40, 30), dtype="u2", serializer=CODEC, compressors=None
    )  # fmt: skip
    made[:] = array

    async def read() -> Any:
        opened = await zarr.api.asynchronous.open_array(store=str(tmp_path))
        return await asyncio.gather(*(opened.getitem(i) for i in range(8)))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: made[i], range(8)))
    assert np.array_equal(found, array)
    assert np.array_equal(asyncio.run(read()), array)


FORKING = """
import os, sys, numpy as np, zarr
array = np.arange(256 * 64, dtype=np.int16).reshape(4, 64, 64) // 50
made = zarr.create_array(sys.argv[1], shape=array.shape, chunks=(1, 64, 64), dtype="i2", compressors=None,
                         serializer={"name": "arcomp.image", "configuration": {"model": "histogram"}})
made[:] = array
assert (zarr.open_array(sys.argv[1])[:] == array).all()  # the parent decodes
if not (child := os.fork()):
    os._exit(0 if (zarr.open_array(sys.argv[1])[:] == array).all() else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fork_of_a_process_that_has_decoded_decodes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING, str(tmp_path / "a")], check=True, timeout=60)


LOADING = """
import sys, numpy as np, torch, zarr
class Slices(torch.utils.data.Dataset):
    def __init__(self, path):
        self.array = zarr.open_array(path)
    def __len__(self):
        return self.array.shape[0]
    def __getitem__(self, i):
        return torch.from_numpy(self.array[i].astype("i4"))
if __name__ == "__main__":
    data = Slices(sys.argv[1])
    plain = np.stack([data[i] for i in range(len(data))])  # the parent decodes first
    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context=sys.argv[2])
    assert np.array_equal(np.concatenate([batch.numpy() for batch in loader]), plain)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_data_loaders_fork_and_spawn(tmp_path: Path, how: str) -> None:
    array = drawn((6, 64, 64), "<u2")
    zarr.create_array(
        tmp_path / "a", shape=array.shape, chunks=(2, 64, 64), dtype="u2", serializer=Arcomp(preset="fast"),
        compressors=None,
    )[:] = array  # fmt: skip
    (tmp_path / "load.py").write_text(LOADING)
    command = [sys.executable, "-W", "ignore", str(tmp_path / "load.py"), str(tmp_path / "a"), how]
    subprocess.run(command, check=True, timeout=300)


@pytest.mark.slow
def test_dask_writes_and_reads(tmp_path: Path) -> None:
    da = pytest.importorskip("dask.array")
    array = drawn((6, 100, 80), "<i2")
    made = zarr.create_array(
        tmp_path, shape=array.shape, chunks=(2, 50, 40), shards=(2, 100, 80), dtype="i2",
        serializer=Arcomp(preset="fast"), compressors=None,
    )  # fmt: skip
    da.from_array(array, chunks=(2, 100, 80)).to_zarr(made)
    assert np.array_equal(da.from_zarr(str(tmp_path)).compute(), array)
