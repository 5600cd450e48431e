"""What a decoder written from docs/format.md alone makes of the product's files: the same pixels, the same refusals."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from arcomp.coding import Decoder, FrequencyTable
from arcomp.coding.table import cumulate
from arcomp.container import pack, unpack
from arcomp.contract import library, registry
from arcomp.errors import ArcompError
from arcomp.exact import tables
from arcomp.models.context import inputs as context_inputs
from arcomp.models.context.config import ContextConfig
from arcomp.models.context.model import ContextModel
from arcomp.models.context.net import Context
from arcomp.models.context.training import freeze
from tests.coded import decode, encode
from tests.contents import pictures
from tests.format import reference, reference_coders, reference_container, reference_models, reference_tables
from tests.format.faults import part
from tests.format.fields import (
    CONTENT,
    MODE,
    MODELS,
    MODIFIED,
    NAME,
    ORIGINAL,
    PARTS,
    PICTURES,
    SAMPLES,
    SKELETON,
    STREAMS,
    build,
    changed,
    extents,
    fields_of,
    number,
    numbers,
    streams_of,
)
from tests.format.originals import TEXT
from tests.specimens import context

ROOT = Path(__file__).parents[2]
SMALL = [(1, 1), (1, 9), (9, 1), (5, 7)]


def images(kind: str, count: int, shape: tuple[int, int, int], depth: int) -> npt.NDArray[Any]:
    """[count, H, W, C] of a kind of content."""
    return np.stack([pictures(kind, shape, depth, seed=i) for i in range(count)])


@cache
def tiny(extreme: bool) -> ContextModel:
    return context(extreme=extreme)


def saved(model: ContextModel, folder: Path) -> bytes:
    """The file of a model's weights."""
    model.weights.save(folder / "context.safetensors")
    return (folder / "context.safetensors").read_bytes()


def check(pixels: npt.NDArray[Any], depth: int, model: Any, weights: bytes | None, tile: tuple[int, int]) -> None:
    """Both decoders give the pixels that were encoded."""
    data = encode(pixels, depth, model, tile=tile).data
    (decoded,) = reference.decode(data, *([weights] if weights else []))
    assert decoded == (pixels.shape, depth, pixels.ravel().tolist())
    assert np.array_equal(decode(data, model=model)[0], pixels)


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("reference*.py")), ids=lambda path: path.stem)
def test_it_shares_nothing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= sys.stdlib_module_names - {"decimal"}
        elif isinstance(node, ast.ImportFrom) and not re.match(r"tests\.format(\.reference\w*)?$", str(node.module)):
            assert str(node.module).split(".")[0] in sys.stdlib_module_names


WITH_FLOATS = {
    "reference_photo", "reference_heads", "reference_descent", "reference_squares", "reference_jpeg_stage",
}  # fmt: skip
PLAIN = sorted(path for path in Path(__file__).parent.glob("reference*.py") if path.stem not in WITH_FLOATS)


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_it_is_plain_integers(path: Path) -> None:
    """Those of photo and the stage of jpeg have floats where the page has them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom) and "math" in ast.unparse(node):
            assert ast.unparse(node) == "from math import prod"
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))


def test_tables() -> None:
    assert tables.logistic().tolist() == reference_tables.SIGMA
    assert tables.exponential().tolist() == reference_tables.EXP
    assert tables.inverse_scale().tolist() == reference_tables.SCALE
    assert context_inputs.LOG2.tolist() == reference_tables.LOG2
    assert context_inputs.BLEND.tolist() == reference_tables.BLEND


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [1, 3, 8, 12, 16])
def test_histogram(depth: int, channels: int) -> None:
    model = registry.load("histogram")
    for height, width in SMALL:
        check(images("smooth", 1, (height, width, channels), depth), depth, model, None, (0, 0))
    check(images("noise", 2, (5, 7, channels), depth), depth, model, None, (3, 4))


def test_histogram_of_several_blocks() -> None:
    check(images("noise", 2, (150, 120, 2), 3), 3, registry.load("histogram"), None, (0, 0))


@pytest.mark.parametrize("content", ["smooth", "noise", "extreme"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("extreme", [False, True])
def test_context(extreme: bool, channels: int, content: str, tmp_path: Path) -> None:
    model = tiny(extreme)
    weights = saved(model, tmp_path)
    for height, width in SMALL:
        check(images(content, 1, (height, width, channels), 8), 8, model, weights, (0, 0))
    check(images(content, 2, (5, 7, channels), 8), 8, model, weights, (0, 0))
    check(images(content, 2, (7, 10, channels), 8), 8, model, weights, (3, 4))


def test_context_goes_group_after_group(tmp_path: Path) -> None:
    """Of 2,048 pictures at most."""
    model = tiny(False)
    check(images("smooth", 2100, (1, 2, 1), 8), 8, model, saved(model, tmp_path), (0, 0))


def test_context_takes_the_largest_skew(tmp_path: Path) -> None:
    configs = [ContextConfig(c, trunk=(8,), head=8, mixture=c + 1, skew=skew) for c, skew in ((1, 4), (3, 7))]
    model = ContextModel(freeze({config.channels: Context(config) for config in configs}))
    for channels in (1, 3):
        check(images("smooth", 1, (6, 9, channels), 8), 8, model, saved(model, tmp_path), (0, 0))


def shipped() -> bytes:
    return (library.SHIPPED / "context.safetensors").read_bytes()


@pytest.mark.parametrize("channels", [1, 3])
def test_shipped_context(channels: int) -> None:
    check(images("smooth", 1, (8, 8, channels), 8), 8, registry.load("context"), shipped(), (0, 0))


@pytest.mark.slow
@pytest.mark.parametrize("content", ["smooth", "noise", "extreme"])
@pytest.mark.parametrize("channels", [1, 3])
def test_shipped_context_at_length(channels: int, content: str) -> None:
    model = registry.load("context")
    check(images(content, 2, (40, 50, channels), 8), 8, model, shipped(), (0, 0))
    check(images(content, 2, (40, 50, channels), 8), 8, model, shipped(), (16, 24))


def test_the_range_coder_makes_the_same_of_any_words() -> None:
    """Also of what no encoder wrote: the same symbols, or both refuse it."""
    rng = np.random.default_rng(0)
    refusals = 0
    for words in range(400):
        depth = int(rng.integers(1, 11))
        counts = rng.integers(0, 1 << 20, (1, 1 << depth)) * (rng.random((1, 1 << depth)) < 0.2)
        counts[0, 0] += 1
        rows = np.zeros(16, np.int32)
        data = rng.bytes(4 * (words % 40))
        if words % 3 == 0:  # begins near the end of all intervals: where damage shows
            data = (b"\xff" * 8 + data)[: len(data)]
        try:
            got = Decoder(data).decode(FrequencyTable(cumulate(counts, depth), rows, depth)).tolist()
        except ArcompError:
            got = None
        distributions = [reference_models.counts_to_distribution(counts[0].tolist(), depth)] * len(rows)
        try:
            expected = reference_coders.decode_symbols(reference_coders.RangeDecoder(data), depth, distributions)
        except reference_container.Refused:
            expected = None
        assert got == expected
        refusals += got is None
    assert 0 < refusals < 200


# ---------------------------------------------------------------- refusals


def small() -> bytes:
    return encode(images("noise", 1, (2, 3, 1), 2), 2, registry.load("histogram")).data


def refused(data: bytes) -> None:
    """By both."""
    with pytest.raises(reference_container.Refused):
        reference.decode(data)
    with pytest.raises(ArcompError):
        decode(data)


def test_refuses_every_truncation() -> None:
    data = small()
    assert len(data) < 120
    for end in range(len(data)):
        refused(data[:end])
    refused(data + b"\0")


def test_refuses_every_changed_byte() -> None:
    data = small()
    for at in range(len(data)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            refused(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :])


def test_rebuilt_files_are_right() -> None:
    assert changed(small(), {}) == small()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x85, b""),  # an optional field of later versions
        (CONTENT, b"\x02\x00\x00"),  # arrays
        (CONTENT, b"\x02\x02\x03name"),
        (CONTENT, b"\x63abc"),  # a kind of content of later versions
        (0xFF, b"abc"),
        (PARTS, part(2, (1, 3), 2)),  # tiles that leave the order of the pixels as it was
        (PARTS, part(2, (127, 128), 2)),
        (PARTS, part(2, ((1 << 32) - 1, (1 << 32) - 1), 2)),
        (MODELS, None),  # filled in below: two models, of which one is not used
    ],
)
def test_takes(tag: int, value: bytes | None) -> None:
    values = {tag: value}
    if tag == MODELS:
        values[MODELS] = dict(fields_of(small()))[MODELS] * 2
    data = changed(small(), values)
    expected = images("noise", 1, (2, 3, 1), 2).ravel().tolist()
    assert reference.decode(data)[0].samples == decode(data)[0].ravel().tolist() == expected


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x00, b""),  # unknown critical fields
        (0x08, b"abc"),
        (PICTURES, b""),
        (PICTURES, numbers(1, 2, 0, 1, 2)),
        (PICTURES, numbers(1, 2, 0, 1, 2, 3, 0)),
        (PICTURES, numbers(0, 2, 0, 1, 2, 3)),
        (PICTURES, numbers(5, 2, 0, 1, 2, 3)),
        (PICTURES, numbers(1, 0, 0, 1, 2, 3)),
        (PICTURES, numbers(1, 17, 0, 1, 2, 3)),
        (PICTURES, numbers(1, 2, 4, 1, 2, 3)),
        (PICTURES, numbers(1, 2, 2, 1, 1, 2, 3)),
        (PICTURES, numbers(1, 2, 0, 0, 2, 3)),
        (PICTURES, numbers(1, 2, 0, 1, 0, 3)),
        (PICTURES, numbers(1, 2, 0, 1, 2, 0)),
        (PICTURES, numbers(1, 2, 2, 2, 1, 2, 3, 1, 2, 3)),  # a stack without parts
        (PICTURES, b"\x81\x00" + numbers(2, 0, 1, 2, 3)),  # not the shortest form
        (PICTURES, numbers(1, 2, 0, 1, 2) + b"\x83"),  # does not end
        (PICTURES, numbers(1, 2, 0, 1, 1 << 32, 1)),
        (PICTURES, numbers(1, 2, 0, 2, 1 << 15, 1 << 15)),  # 2^31 pixels
        (PICTURES, numbers(1, 2, 0, 1) + b"\xff" * 9 + b"\x01\x03"),  # a number of 10 bytes
        (MODELS, b""),
        (MODELS, b"12345678"),
        (MODELS, b"12345678" + number(9) + b"Histogram"),
        (MODELS, b"12345678" + number(9) + b"histogram"),  # another digest
        (MODELS, b"12345678" + number(4) + b"none"),
        (MODELS, b"12345678" + number(65) + b"h" * 65),
        (MODELS, b"12345678" + number(9) + b"histogra"),
        (PARTS, b""),
        (PARTS, part(2, (0, 1), 2)),
        (PARTS, part(2, (1, 0), 2)),
        (PARTS, part(2, (1, 1 << 32), 2)),
        (PARTS, part(2, flags=2) + b"\0"),
        (PARTS, part(2, flags=2)[:-1]),
        (PARTS, part(2, flags=0)),  # a stream too many
        (PARTS, part(2, flags=3)),  # decisions of 2 bits
        (PARTS, part(2, flags=18)),
        (PARTS, part(2, flags=2)[:-1] + b"\x0a\x01"),  # one stream, of several
        (PARTS, part(2, flags=2)[:-1] + b"\x06\0\0"),  # tiles of no size
        (PARTS, part(2, flags=2, streams=2)),
        (PARTS, part(1, flags=2)),  # a leaf of fewer bits
        (PARTS, part(17, flags=2)),
        (PARTS, b"\x00\x02\x01" + part(2, flags=2)[3:]),  # a model that is not named
        (PARTS, b"\x0d" + part(2, flags=2)[1:]),  # an unknown node
        (SAMPLES, b"\0\0\0"),
        (SAMPLES, bytes(4)),  # other samples
        (SAMPLES, bytes(5)),
        (STREAMS, b""),
        (STREAMS, numbers(1) + bytes(3)),
        (ORIGINAL, number(5) + bytes(31)),
        (ORIGINAL, number(5) + bytes(33)),
        (SKELETON, numbers(0, 0, 1, 0, 0)),  # without an original
        (SKELETON, numbers(0, 0, 0, 0, 0)),
        (NAME, b"x"),  # without an original
        (MODIFIED, bytes(8)),
        (MODE, bytes(2)),
        (CONTENT, b""),
        (CONTENT, b"\x01"),  # bytes of two rows
        (CONTENT, b"\x02"),
        (CONTENT, b"\x02\x06"),
        (CONTENT, b"\x02\x05"),
        (CONTENT, b"\x02\x40"),
        (CONTENT, b"\x02\x01"),  # truth values of two bits
        (CONTENT, b"\x02\x03"),  # signed numbers of two bits
        (CONTENT, b"\x02\x00\xff"),
    ],
)
def test_refuses(tag: int, value: bytes) -> None:
    refused(changed(small(), {tag: value}))


@pytest.mark.parametrize(
    "side",
    [
        b"",
        b"\x01\x01\x01",  # a count is missing
        b"\x01\x01\x01\x01\x01",
        b"\x00\x03",  # no counts
        b"\x01\x00\x03",  # zeros beyond the end
        b"\x01\x01\x01\x80\x80\x40",  # 2^20
    ],
)
def test_refuses_side_information(side: bytes) -> None:
    coded = streams_of(small())[len(unpack(small()).parts[0].side) :]
    refused(changed(small(), {STREAMS: extents(side, coded)}, streams=side + coded))


def test_refuses_too_many_tiles() -> None:
    rows = numbers(1, 2, 0, 1, (1 << 20) + 1, 1)
    refused(changed(small(), {PICTURES: rows, PARTS: part(2, (1, 1), 2)}))


@pytest.mark.parametrize("tag", range(1, 6))
def test_refuses_missing_fields(tag: int) -> None:
    refused(changed(small(), {tag: None}))


def test_refuses_fields_out_of_order() -> None:
    fields = fields_of(small())
    refused(build(fields[::-1], streams=streams_of(small())))
    refused(build([fields[0], *fields], streams=streams_of(small())))


def test_refuses_a_stream_that_is_no_words() -> None:
    member = unpack(small())
    (found,) = member.parts

    def with_stream(stream: bytes) -> bytes:
        return pack(replace(member, parts=(replace(found, streams=(stream,)),)))

    stream = bytes(found.streams[0])
    refused(with_stream(stream + b"\0"))
    more = with_stream(stream + b"\1\2\3\4")  # left over: ignored
    assert reference.decode(more)[0].samples == decode(more)[0].ravel().tolist()


def test_refuses_other_weights(tmp_path: Path) -> None:
    model = tiny(False)
    data = encode(images("noise", 1, (2, 2, 3), 8), 8, model).data
    right, other = saved(model, tmp_path), saved(tiny(True), tmp_path)
    reference.decode(data, right)
    for weights in ((), (b"",), (b"\0" * 8,), (other,), (right[:-1],), (right[:-1] + bytes([right[-1] ^ 1]),),
                    (right[:100],)):  # fmt: skip
        with pytest.raises(reference_container.Refused):
            reference.decode(data, *weights)
    with pytest.raises(ArcompError):
        decode(data, model=tiny(True))


def test_command(tmp_path: Path) -> None:
    vector = ROOT / "tests" / "format" / "vectors" / "bytes-deflate.arcomp"
    command = [sys.executable, "-m", reference.__name__, str(vector)]
    said = subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout
    assert said == TEXT
