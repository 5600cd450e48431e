"""Limits: what a file claims is refused before memory or time is taken for it."""

from __future__ import annotations

import hashlib
import io
import os
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp import files, limits
from arcomp.claims import check_member
from arcomp.codec import decode_member
from arcomp.coding import binary
from arcomp.container import Geometry, Member, ModelId, Original, Part, pack, samples_checksum, unpack
from arcomp.contract.model import Execution
from arcomp.contract.side_by_side import Positions, do_all
from arcomp.errors import ArcompError, FormatError, LimitError
from arcomp.exact.compiled import kernel
from arcomp.exact.records import record
from arcomp.form import Chunks, Decimals, Deflated, Layout, Literal, Lzw, PackBits, Raster, Segment
from arcomp.formats import lzw, packbits
from arcomp.formats.rebuild import pieces
from arcomp.limits import Budget, Limits
from arcomp.samples import Samples
from arcomp.transforms import Coded, Constant, Node
from tests.coded import encode
from tests.contents import pictures
from tests.specimens import LEARNERS, MODELS

LAYOUT = Layout(8, (0,))
TEXT = (Literal(b"x"),)
BLACK = Constant((0,))
WIDE = Raster(0, 0, 0, 1, 1, LAYOUT, stride=1 << 30)


def member(
    stack: tuple[int, int, int], skeleton: tuple[Segment, ...], length: int, tree: Node = BLACK, depth: int = 8
) -> bytes:
    """A file that claims pictures, and an original of so many bytes."""
    coded = isinstance(tree, Coded)
    return pack(
        Member(
            Geometry((stack,), 1, depth), (tree,), (Part((0, 0), (b"",)),) if coded else (),
            (ModelId("histogram", arcomp.load("histogram").digest[:8]),) if coded else (),
            samples_crc=zlib.crc32(bytes(1)), original=Original(length, bytes(32)), skeleton=skeleton,
        )
    )  # fmt: skip


@contextmanager
def little(seconds: float = 1.0, memory: int = 1 << 25) -> Iterator[None]:
    """What is done inside takes little time and memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        assert time.process_time() - began < seconds
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("segments", "length"),
    [
        ((WIDE,) * 64, 10),
        ((WIDE,) * 64, 1 << 60),
        ((Lzw((WIDE,) * 64),), 10),
        ((PackBits((WIDE,) * 64, 1),), 10),
        ((Deflated((WIDE,) * 64, b"\x03\0", False, b"x\x9c", None),), 10),
        ((Deflated((WIDE,) * 64, b"\6\0", True),), 10),
        ((Chunks((), b"IDAT", ((0, 1 << 62),)),), 1 << 20),
        ((Lzw((Chunks((), b"IDAT", ((0, 1 << 62),)),)),), 10),
        ((Decimals(0, (0,), ((1, 1 << 62),), b" ", b" ", b"\n"),), 10),
    ],
)
def test_endless_forms_are_refused_at_once(segments: tuple[Segment, ...], length: int) -> None:
    """Strides, chunks and checksums of contents without end, whatever the original is said to be."""
    lzw.pack(b"a", (), None)
    packbits.pack(b"a", 1)  # compiled before a clock starts
    data = member((1, 1, 1), segments, length)
    with little(), pytest.raises(ArcompError):
        arcomp.restore(data)


def test_checksum_of_a_billion_pictures() -> None:
    """All of one pixel, and constant: in no memory, and not picture by picture."""
    data = member((1 << 25, 1, 1), TEXT, 1)
    with little(), pytest.raises(ArcompError, match="not those that were encoded"):
        arcomp.restore(data)


@pytest.mark.parametrize("stack", [(1, 1 << 14, 1 << 14), (1 << 20, 16, 16), (1, 1, 1 << 28)])
def test_pictures_of_a_few_bytes(stack: tuple[int, int, int]) -> None:
    """More than a file of that length can honestly hold; a limit goes before that, and is told of."""
    data = member(stack, TEXT, 1, Coded(8))
    with little(), pytest.raises(LimitError, match=r"claims 268435456 samples in 0 coded bytes.*max_pixels=268435456"):
        arcomp.restore(data)
    with pytest.raises(LimitError, match="268435456 pixels, the limit is 1000"):
        files.restored(unpack(data), how=Execution(limits=Limits(pixels=1000)))


def test_memory_of_constants() -> None:
    data = member((1, 1 << 15, 1 << 15), TEXT, 1, Constant((0,)), 16)
    with little(), pytest.raises(LimitError, match=r"needs 4.0 GiB of memory, 1.0 MiB are allowed; raise --max-memory"):
        files.restored(unpack(data), how=Execution(limits=Limits(1 << 30, 1 << 20)))


def test_a_constant_picture_of_30000_x_30000_is_honest() -> None:
    """Of which nothing is made here but its header. It needs an option, which is named."""
    large = unpack(member((1, 30000, 30000), TEXT, 1))
    with pytest.raises(LimitError, match=r"claims 900000000 pixels in .* --max-pixels 900000000 decodes it all the"):
        check_member(large, Limits())
    check_member(large, Limits(900_000_000, 2.0**31))
    check_member(unpack(member((1, 8192, 4096), TEXT, 1)), Limits())
    with pytest.raises(LimitError, match="0 coded bytes, samples of 33562624 bytes where 33554432 are allowed;"):
        check_member(replace(unpack(member((1, 8194, 4096), TEXT, 1)), stored=0), Limits())
    check_member(replace(large, stored=None), Limits(memory=2.0**31))  # made here


def test_originals_of_a_few_bytes() -> None:
    with pytest.raises(LimitError, match=r"original of 1.0 GiB .* max_memory=2\d{9} decodes it all the same"):
        arcomp.restore(member((1, 1, 1), TEXT, 1 << 30))
    check_member(unpack(member((1, 1, 1), TEXT, 1 << 30)), Limits(memory=2.0**31))


def nested(times: int, inner: Segment) -> Segment:
    for _ in range(times):
        inner = PackBits((inner,), 1)
    return inner


LARGE = Raster(0, 0, 0, 4096, 8192, LAYOUT)


@pytest.mark.parametrize(
    "segment",
    [
        nested(7, LARGE),
        nested(3, LARGE),
        Lzw((LARGE,) * 4),
        PackBits((PackBits((replace(LARGE, stride=1 << 20),), 1),), 1),
        Chunks((LARGE,), b"IDAT", ((1, 1 << 25),)),
    ],
)
def test_forms_of_large_constant_pictures(segment: Segment) -> None:
    """Contents of many levels, or the same again and again; and millions of chunks, which take time."""
    packbits.pack(b"a", 1)
    lzw.pack(b"a", (), None)
    data = member((1, 4096, 8192), (segment,), 1 << 25)
    with little(1.0, 100_000_000), pytest.raises(FormatError):
        files.restored(unpack(data))


def test_nested_forms_are_as_deep_as_formats_make() -> None:
    assert unpack(member((1, 9, 9), (nested(3, replace(LARGE, height=1, width=1)),), 9))
    with pytest.raises(FormatError, match="nested too deep"):
        unpack(member((1, 9, 9), (nested(4, TEXT[0]),), 9))


@pytest.mark.parametrize("form", ["literal", "literals", "decimals", "rasters"])
def test_the_limit_of_memory_holds(form: str) -> None:
    """What is allocated while a file is restored is within what is asked for before."""
    size = 1 << 22
    part = replace(LARGE, height=2048, width=2048)
    forms: dict[str, tuple[Segment, ...]] = {
        "literal": (Literal(bytes(size)),),
        "literals": (Literal(bytes(size)), Literal(b"x")),
        "decimals": (Decimals(0, (0,), ((1, size),), b" ", b" ", b"\n"),),
        "rasters": (part,) * 4,
    }
    segments = forms[form]
    made = b"".join(pieces(segments, Samples.of(np.zeros((1, 2048, 2048, 1), np.uint8))))
    geometry = None if form.startswith("literal") else Geometry(((1, 2048, 2048),), 1, 8)
    original = Original(len(made), hashlib.sha256(made).digest())
    crc = zlib.crc32(bytes(size)) if geometry else 0
    data = pack(Member(geometry, (BLACK,) if geometry else (), (), (), samples_crc=crc, original=original,
                       skeleton=segments))  # fmt: skip
    need = (2 * size if geometry else 2 * len(made) + 99) + len(made)
    less = Limits(memory=need - 99)
    with pytest.raises(LimitError):
        files.restored(unpack(data, less), how=Execution(limits=less))
    files.restored(unpack(data))  # kernels are compiled
    with little(9.0, need + (1 << 20)):
        assert files.restored(unpack(data, limits := Limits(memory=need)), how=Execution(limits=limits)) == made


def test_memory_of_what_is_packed() -> None:
    samples = Samples.of(np.zeros((1, 1, 1, 1), "u1"))
    segment = Lzw((Raster(0, 0, 0, 1, 1, LAYOUT, stride=1 << 20),))
    with pytest.raises(LimitError):
        list(pieces((segment,), samples, 1 << 20, 1 << 20))
    assert list(pieces((segment,), samples, 1 << 20, 1 << 24))


def test_budget() -> None:
    budget = Budget(5, FormatError, "too many")
    budget.take(5)
    with pytest.raises(FormatError, match="too many"):
        budget.take(1)
    budget.take(0)


def test_checksums_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    for shape in ((3, 5, 7, 2), (1, 3000, 2000, 1), (1, 1, 5 << 20, 1), (5 << 20, 1, 1, 1), (2, 2100, 2000, 1)):
        stack = rng.integers(0, 256, shape, np.uint8)
        assert samples_checksum((stack,), 8) == zlib.crc32(stack.tobytes())


def test_what_a_container_leaves(tmp_path: Path) -> None:
    """Groups of both versions, and those above them; what cached files take is given back."""
    (tmp_path / "groups").write_text("4:memory:/a/b\n2:cpu:/a\n0::/c\n")
    for folder, most, used in (("memory/a/b", 900, 500), ("memory/a", 1000, 950), ("memory", 1 << 62, 4000)):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "memory.limit_in_bytes").write_text(f"{most}\n")
        (place / "memory.usage_in_bytes").write_text(f"{used}\n")
        (place / "memory.stat").write_text("inactive_file 7\ntotal_inactive_file 30\n")
    (tmp_path / "c").mkdir()
    for name, text in (("max", "max"), ("current", "5"), ("stat", "inactive_file 0")):
        (tmp_path / "c" / f"memory.{name}").write_text(text)
    left = limits._group_memory(tmp_path / "groups", tmp_path)
    assert sorted(left)[:2] == [80, 430]
    (tmp_path / "c" / "memory.max").write_text("45")
    assert min(limits._group_memory(tmp_path / "groups", tmp_path)) == 40
    assert limits._group_memory(tmp_path / "none", tmp_path) == []
    assert limits.free_memory() > 0


@pytest.mark.parametrize("count", [0, 1, 60, 5000, 300_000])
@pytest.mark.parametrize("ones", [(1 << 24) - 1, 1 << 23, 1])
def test_decoders_read_no_more_than_four_words_beyond(count: int, ones: int) -> None:
    """All decisions alike, of any probability: what is coded is zeros, or ends in them, and is not left out."""
    for bit in (0, 1):
        coder = binary.encoder(count + 4)
        _write(record(coder), bit, ones, count)
        reading = binary.decoder(binary.finish(coder))
        assert _read(record(reading), ones, count) == bit * count
        assert binary.beyond(reading) <= binary.LOOK_AHEAD
        if count > 300 and ones == 1 << 23:
            assert binary.beyond(reading) >= 0
            cut = binary.decoder(binary.finish(coder)[:-20])
            _read(record(cut), ones, count)
            with pytest.raises(FormatError, match="too soon"):
                binary.check_end(binary.beyond(cut))


@kernel()
def _write(coder: Any, bit: int, ones: int, count: int) -> None:
    for _ in range(count):
        binary.encode_finely(coder, bit, ones)


@kernel()
def _read(coder: Any, ones: int, count: int) -> int:
    found = 0
    for _ in range(count):
        found += binary.decode_finely(coder, ones)
    return found


@pytest.mark.parametrize("name", ["photo gray", "context gray"])
def test_streams_that_end_are_refused(name: str) -> None:
    """A stream of a small picture, said to be one of a large one, that is cut off."""
    model = (LEARNERS if name in LEARNERS else MODELS)[name][0]()
    few = encode(pictures("noise", (12, 12, 1), 8)[None], 8, model, tile=(0, 0)).member
    many = replace(few, geometry=Geometry(((1, 400, 400),), 1, 8))
    with pytest.raises(ArcompError, match="coded pixels"):
        decode_member(many, model)


def test_small_tiles_are_done_together_and_stop_at_once() -> None:
    """A million tiles of a pixel: few of them wait, and an error ends all."""
    done: list[int] = []

    def work(i: int, meter: Positions) -> None:
        done.append(i)
        meter(1)
        if i == 5000:
            raise KeyboardInterrupt

    with little(5.0, 1 << 26), pytest.raises(KeyboardInterrupt):
        do_all(work, [1] * (1 << 20), 2, lambda part: None)
    assert len(done) < 20_000
    done.clear()
    do_all(lambda i, meter: done.append(i), [1] * 700, 3, lambda part: None)
    assert sorted(done) == list(range(700))


def test_weights_that_are_none_are_refused_at_once(tmp_path: Path) -> None:
    """Nested deeply, of a great many arrays, a pipe."""
    from safetensors.numpy import save

    def about(config: str) -> dict[str, str]:
        return {"arcomp": "1", "model": "wavenet", "config": config, "digest": "00", "layers": "{}"}

    one = np.zeros(1, np.int8)
    deep = "[" * 50_000 + "]" * 50_000
    (tmp_path / "deep.safetensors").write_bytes(save({"a": one}, about(f'{{"networks":{deep}}}')))
    (tmp_path / "many.safetensors").write_bytes(save({f"a{i}": one for i in range(40_000)}, about("{}")))
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name, why in (("deep", "damaged"), ("many", "of this size"), ("pipe", "no regular file")):
        with little(2.0, 1 << 26), pytest.raises(ArcompError, match=why):
            arcomp.load(str(tmp_path / f"{name}.safetensors"))


def test_names_out_of_files_lead_nowhere() -> None:
    """Of arrays in archives, and of the original."""
    from arcomp.cli.decompress import named
    from arcomp.container.layout import read_header
    from arcomp.formats.npy import write_array

    for name, harmless in (
        ("../../x", "__/__/x"), ("/etc/x", "_/etc/x"), ("a\x1b[31m", "a_[31m"), ("c:\\x", "c__x"), ("a/b.c", "a/b.c"),
    ):  # fmt: skip
        made = zipfile.ZipFile(io.BytesIO(write_array(np.zeros(3, np.uint8), name, "npz")))
        assert made.namelist() == [f"{harmless}.npy"]
    for said, restored in (("x.exe", "photo"), ("CON.png", "photo.png"), ("a.TIF", "photo.TIF")):
        data = pack(Member(None, original=Original(1, bytes(32), said), skeleton=TEXT))
        header, _ = read_header(io.BytesIO(data))
        assert named("photo.arcomp", header) == restored
        assert named("photo.bmp.arcomp", header) == "photo.bmp"
