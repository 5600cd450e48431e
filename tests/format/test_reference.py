"""What a decoder written from docs/format.md alone makes of the product's files: the same pixels, the same refusals."""

from __future__ import annotations

import ast
import hashlib
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
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
from tests.format import reference, reference_coders, reference_container, reference_models, reference_tables
from tests.specimens import context, pictures

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
    decoded = reference.decode(data, weights)
    assert decoded[:5] == (*pixels.shape, depth)
    assert decoded.samples == pixels.ravel().tolist()
    assert np.array_equal(decode(data, model=model)[0], pixels)


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("reference*.py")), ids=lambda path: path.stem)
def test_it_shares_nothing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= sys.stdlib_module_names - {"decimal"}
        elif isinstance(node, ast.ImportFrom) and not re.match(r"tests\.format(\.reference\w*)?$", str(node.module)):
            assert str(node.module).split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    "module", [reference, reference_coders, reference_container, reference_models, reference_tables]
)
def test_it_is_plain_integers(module: ModuleType) -> None:
    """Those of photo have floats where the page has them."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Import | ast.ImportFrom) and "math" in ast.unparse(node))
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
    return encode(images("noise", 1, (2, 3, 1), 2), 2, registry.load("histogram"), source="png").data


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


def rebuilt(change: Callable[[dict[int, bytes]], object], order: Callable[[list[int]], list[int]] = sorted) -> bytes:
    """The small file with other fields and a right checksum."""
    data = small()
    begin, length = 11, data[10]
    fields = reference_container.split_fields(data[begin : begin + length])
    change(fields)
    block = b"".join(bytes([tag, len(fields[tag])]) + fields[tag] for tag in order(list(fields)))
    assert len(block) < 128
    start = data[:10] + bytes([len(block)]) + block
    return start + struct.pack("<I", zlib.crc32(start)) + data[begin + length + 4 :]


def test_rebuilt_files_are_right() -> None:
    assert rebuilt(lambda fields: None) == small()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x83, b""),  # an optional field of later versions
        (0x82, b"\x02\x00"),  # arrays
        (0x82, b"\x02\x06name"),
        (0x82, b"\x63abc"),  # a kind of content of later versions
        (0xFF, b"abc"),
        (0x81, b"tif"),
        (0x03, b"\x01\x02"),  # tiles that leave the order of the pixels as it was
        (0x03, b"\x7f\x80\x01"),
        (0x03, b"\xff\xff\xff\xff\x0f\xff\xff\xff\xff\x0f"),
    ],
)
def test_takes(tag: int, value: bytes) -> None:
    data = rebuilt(lambda fields: fields.update({tag: value}))
    assert reference.decode(data).samples == decode(data)[0].ravel().tolist()
    assert reference.decode(data).samples == images("noise", 1, (2, 3, 1), 2).ravel().tolist()


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x00, b""),  # unknown critical fields
        (0x07, b"abc"),
        (0x01, b""),
        (0x01, b"\x01\x02\x03\x01"),
        (0x01, b"\x01\x02\x03\x01\x02\x00"),
        (0x01, b"\x00\x02\x03\x01\x02"),
        (0x01, b"\x01\x00\x03\x01\x02"),
        (0x01, b"\x01\x02\x00\x01\x02"),
        (0x01, b"\x01\x02\x03\x00\x02"),
        (0x01, b"\x01\x02\x03\x05\x02"),
        (0x01, b"\x01\x02\x03\x01\x00"),
        (0x01, b"\x01\x02\x03\x01\x11"),
        (0x01, b"\x81\x00\x02\x03\x01\x02"),  # not the shortest form
        (0x01, b"\x01\x02\x03\x01\x82"),  # does not end
        (0x01, b"\x01\x80\x80\x80\x80\x10\x01\x01\x02"),  # 2^32 rows
        (0x01, b"\x02\x80\x80\x80\x80\x01\x01\x01\x02"),  # 2^29 pixels
        (0x01, b"\x01" + b"\xff" * 9 + b"\x01\x03\x01\x02"),  # a number of 10 bytes
        (0x02, b"12345678"),
        (0x02, b"12345678Histogram"),
        (0x02, b"12345678histogram"),  # another digest
        (0x02, b"12345678none"),
        (0x02, b"12345678" + b"h" * 65),
        (0x03, b""),
        (0x03, b"\x01"),
        (0x03, b"\x00\x01"),
        (0x03, b"\x01\x00"),
        (0x03, b"\x00\x00"),
        (0x03, b"\x01\x01\x01"),
        (0x03, b"\x01\x80\x80\x80\x80\x10"),
        (0x04, b"\x04"),
        (0x04, b"\x04\x00\x00\x00\x00"),
        (0x04, b"\x04\x00\x00\x00\x00\x00"),
        (0x05, b"\x00\x00\x00"),
        (0x05, b"\x00\x00\x00\x00"),  # other pixels
        (0x05, b"\x00\x00\x00\x00\x00"),
        (0x06, b""),
        (0x06, b"\x01\x01\x01"),  # a count is missing
        (0x06, b"\x01\x01\x01\x01\x01"),
        (0x06, b"\x00\x03"),  # no counts
        (0x06, b"\x01\x00\x03"),  # zeros beyond the end
        (0x06, b"\x01\x01\x01\x80\x80\x40"),  # 2^20
        (0x81, b""),
        (0x81, b"PNG"),
        (0x81, b"a" * 17),
        (0x82, b""),
        (0x82, b"\x01"),  # bytes of two rows
        (0x82, b"\x02"),
        (0x82, b"\x02\x08"),
        (0x82, b"\x02\x01"),  # truth values of two bits
        (0x82, b"\x02\x00\xff"),
    ],
)
def test_refuses(tag: int, value: bytes) -> None:
    refused(rebuilt(lambda fields: fields.update({tag: value})))


def test_refuses_too_many_tiles() -> None:
    def change(fields: dict[int, bytes]) -> None:
        fields[1] = b"\x01\x81\x80\x40\x01\x01\x02"  # 2^20 + 1 rows
        fields[3] = b"\x01\x01"

    refused(rebuilt(change))


@pytest.mark.parametrize("tag", [1, 2, 4, 5, 6])
def test_refuses_missing_fields(tag: int) -> None:
    refused(rebuilt(lambda fields: fields.pop(tag)))


def test_refuses_fields_out_of_order() -> None:
    refused(rebuilt(lambda fields: None, order=lambda tags: tags[::-1]))
    refused(rebuilt(lambda fields: None, order=lambda tags: [tags[0], *tags]))


def test_refuses_a_payload_that_is_no_words() -> None:
    header, payload = unpack(small())
    refused(pack(header, payload + b"\0"))
    more = pack(header, payload + b"\1\2\3\4")  # left over: ignored
    assert reference.decode(more).samples == decode(more)[0].ravel().tolist()


def test_refuses_other_weights(tmp_path: Path) -> None:
    model = tiny(False)
    data = encode(images("noise", 1, (2, 2, 3), 8), 8, model).data
    right, other = saved(model, tmp_path), saved(tiny(True), tmp_path)
    reference.decode(data, right)
    for weights in (None, b"", b"\0" * 8, other, right[:-1], right[:-1] + bytes([right[-1] ^ 1]), right[:100]):
        with pytest.raises(reference_container.Refused):
            reference.decode(data, weights)
    with pytest.raises(ArcompError):
        decode(data, model=tiny(True))


def test_command(tmp_path: Path) -> None:
    pixels = images("noise", 2, (3, 5, 2), 12)
    (tmp_path / "x.arcomp").write_bytes(encode(pixels, 12, registry.load("histogram")).data)
    command = [sys.executable, "-m", reference.__name__, str(tmp_path / "x.arcomp")]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert said.strip() == hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest()
