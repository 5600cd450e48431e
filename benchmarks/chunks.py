"""Codecs for chunks of zarr arrays, on stacks of pictures: ratio, and MB/s of one thread's processor time.

``python -m benchmarks.chunks PATH... [--side 512] [--presets fast,balanced] [--csv F] [--json F]``

A PATH is a picture, a folder of them, or an array in an .npy file, [slices, H, W]; ``microscopy`` is a stack that is
drawn here: spots and threads blurred by a lens in three dimensions, with shot noise, of 12 bits. Each slice is cut into
chunks, and each codec gets them one by one, as zarr hands them over.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import imagecodecs.numcodecs as others
import numcodecs
import numpy as np
import numpy.typing as npt

from arcomp.formats import read
from arcomp.measure import tables
from arcomp.measure.tables import Column
from arcomp.plugins.numcodecs import Arcomp
from benchmarks import outputs
from benchmarks.outputs import say

Stack = list[npt.NDArray[Any]]
"""Slices [H, W], of uint8 or uint16."""
DRAWN = "microscopy"
COLUMNS = (
    Column("stack", "stack"),
    Column("codec", "codec"),
    Column("bits", "bits/sample", ".3f"),
    Column("ratio", "ratio", ".2f"),
    Column("encode", "encode MB/s", ".1f"),
    Column("decode", "decode MB/s", ".1f"),
)


def microscopy(slices: int = 8, side: int = 512, seed: int = 0) -> Stack:
    """A stack of a microscope, as one draws it: fluorescent spots and threads, blurred, counted photon by photon."""
    rng = np.random.default_rng(seed)
    volume = np.zeros((slices, side, side))
    for at in rng.integers(0, volume.shape, (side, 3)):
        volume[tuple(at)] += rng.exponential(30000)
    for _ in range(side // 16):
        walk = np.cumsum(rng.normal(0, (0.05, 0.7, 0.7), (side, 3)), 0) + rng.integers(0, volume.shape)
        volume[tuple((walk.astype(int) % volume.shape).T)] += 2000
    for axis in range(3):
        for _ in range(6):
            volume = (np.roll(volume, 1, axis) + 2 * volume + np.roll(volume, -1, axis)) / 4
    return list(np.clip(rng.poisson(volume + 90), 0, 4095).astype(np.uint16))


def stacks(names: Sequence[str]) -> Iterator[tuple[str, Stack]]:
    """The stacks that were asked for: pictures of a folder are one of them."""
    for name in names:
        if name == DRAWN:
            yield name, microscopy()
            continue
        path = Path(name)
        paths = sorted(p for p in path.iterdir() if p.suffix in (".png", ".tif", ".npy")) if path.is_dir() else [path]
        found: Stack = []
        for one in paths:
            array = read(one).array
            found += list(array) if array.ndim == 3 else [array]
        yield path.name, found


def codecs(presets: Sequence[str]) -> dict[str, Any]:
    """The codecs, by name."""
    blosc = numcodecs.Blosc("zstd", 9, numcodecs.Blosc.BITSHUFFLE)
    return {
        **{f"arcomp {preset}": Arcomp(preset=preset) for preset in presets},
        "blosc+zstd 9": blosc,
        "JPEG XL 7": others.Jpegxl(lossless=True, effort=7, numthreads=1),
        "JPEG XL 9": others.Jpegxl(lossless=True, effort=9, numthreads=1),
        "JPEG-LS": others.Jpegls(),
        "JPEG 2000": others.Jpeg2k(reversible=True, numthreads=1),
    }


def measure(stack: Stack, codec: Any, side: int) -> dict[str, Any]:
    """A codec on a stack.

    Raises:
        AssertionError: it loses something.
    """
    chunks = [s[y : y + side, x : x + side] for s in stack for y in range(0, s.shape[0], side)
              for x in range(0, s.shape[1], side)]  # fmt: skip
    chunks = [np.ascontiguousarray(chunk) for chunk in chunks]
    codec.decode(codec.encode(chunks[0]))  # kernels are compiled, models are loaded
    began = time.process_time()
    coded = [codec.encode(chunk) for chunk in chunks]
    between = time.process_time()
    decoded = [codec.decode(data) for data in coded]
    seconds = between - began, time.process_time() - between
    for chunk, found in zip(chunks, decoded, strict=True):
        assert np.array_equal(np.frombuffer(found, chunk.dtype).reshape(chunk.shape), chunk)
    size, stored = sum(chunk.nbytes for chunk in chunks), sum(map(len, coded))
    return {
        "bits": 8 * stored / sum(chunk.size for chunk in chunks),
        "ratio": size / stored,
        "encode": size / 1e6 / seconds[0],
        "decode": size / 1e6 / seconds[1],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument("--side", type=int, default=512, help="of chunks, in pixels")
    parser.add_argument("--presets", default="fast,balanced")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    outputs.claim(given.csv)
    outputs.claim(given.json)
    rows = []
    for name, stack in stacks(given.paths):
        for codec, coder in codecs(given.presets.split(",")).items():
            rows.append({"stack": name, "codec": codec, **measure(stack, coder, given.side)})
            say(tables.text(rows[-1:], COLUMNS).splitlines()[-1])
    print(tables.text(rows, COLUMNS))
    outputs.write_csv(given.csv, rows)
    outputs.write_json(given.json, {"benchmark": "chunks", "rows": rows})


if __name__ == "__main__":
    main()
