"""Segments and transforms by the product and by the reference decoder: the same bytes and samples, or both refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.container.header import NODE_RECORDS
from arcomp.container.skeleton import SEGMENT_RECORDS
from arcomp.errors import ArcompError
from arcomp.form import (
    BitsReversed,
    Chunks,
    Decimals,
    Deflated,
    Differences,
    Layout,
    Literal,
    Lzw,
    PackBits,
    Raster,
    Scanlines,
    Segment,
)
from arcomp.formats.rebuild import UNLIMITED, pieces
from arcomp.samples import Samples
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    Forecast,
    HighLow,
    Index,
    Inset,
    Leaf,
    Levels,
    Luma,
    Node,
    Octets,
    Pile,
    Predict,
    Reorder,
    Repeat,
    Scale,
    Transpose,
    joined,
    leaf_kinds,
)
from arcomp.transforms.depth import packed_levels
from tests.format.reference import Stack
from tests.format.reference_container import Kind
from tests.format.reference_numbers import Reader, Refused
from tests.format.reference_rebuild import rebuilt
from tests.format.reference_records import NODES, SEGMENTS, Record, read_record
from tests.format.reference_transforms import restored

small, few, flag = st.integers(0, 4), st.integers(1, 3), st.booleans()
texts = st.binary(max_size=3)
runs = st.lists(st.tuples(st.integers(0, 7), few), max_size=4).map(tuple)
bytes_with_runs = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 140)), max_size=12).map(
    lambda parts: b"".join(bytes([value]) * (count if count > 20 else 1 + count % 3) for value, count in parts)
)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    channels = tuple(draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
    bits = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 8, 10, 12, 16, 16, 17, 24]))
    word = draw(st.sampled_from([0, 0, 0, 0, 16, 32]))
    fields: list[tuple[int, int]] = []
    for i in range(len(channels) if word else 0):
        place = i * (word // 3) + draw(st.sampled_from([0, 0, 0, 0, 2]))
        fields.append((place, draw(st.integers(1, min(bits, word // 3)))))
    return Layout(bits, channels, draw(flag), draw(flag), draw(flag), draw(flag), word, tuple(fields))


@st.composite
def rasters(draw: st.DrawFn) -> Raster:
    layout = draw(layouts())
    stride, transposed, rows, columns = draw(st.sampled_from([0, 0, 7, 20])), draw(flag), draw(few), draw(few)
    bits = columns * (layout.word or layout.bits * len(layout.channels))
    tail = ((stride or -(-bits // 8)) - bits // 8) * rows
    seldom = st.sampled_from([0, 0, 1])
    return Raster(
        picture=draw(st.sampled_from([0, 0, 1, 2])),
        y=draw(seldom),
        x=draw(seldom),
        height=columns if transposed else rows,
        width=rows if transposed else columns,
        layout=layout,
        stride=stride,
        upward=draw(flag),
        padding=bytes([draw(st.sampled_from([0, 0, 1, 128]))]) * max(0, tail) if draw(flag) else b"",
        transposed=transposed,
        pictures=draw(st.sampled_from([1, 1, 2])),
    )


def counted(lines: tuple[tuple[int, int], ...], count: int) -> tuple[tuple[int, int], ...]:
    """Runs that are of so many numbers."""
    left, made = count, []
    for length, times in lines:
        if length and length * times <= left:
            made.append((length, times))
            left -= length * times
    return (*made, (left, 1)) if left else tuple(made)


@st.composite
def segments(draw: st.DrawFn, deeper: int = 2) -> Segment:
    kind = draw(st.integers(0, 9 if deeper else 4))
    inner = segments(deeper=deeper - 1) if deeper else st.nothing()
    content = (draw(inner),) if kind > 4 else ()
    if kind == 0:
        return Literal(draw(bytes_with_runs))
    if kind == 1:
        return draw(rasters())
    if kind == 2:
        filters = bytes(draw(st.lists(st.integers(0, 4), min_size=1, max_size=12)))
        return Scanlines(draw(st.integers(0, 2)), draw(layouts()), filters, draw(flag))
    if kind == 3:
        return Differences(draw(rasters()))
    if kind == 4:
        channels = tuple(draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
        lines = counted(draw(runs), 12 * len(channels)) if draw(flag) else draw(runs)
        return Decimals(draw(st.integers(0, 2)), channels, lines, draw(texts), draw(texts), draw(texts), draw(flag),
                        draw(st.integers(0, 6)))  # fmt: skip
    if kind == 5:
        return Deflated(content, draw(texts), False, draw(texts), draw(st.none() | texts))
    if kind == 6:
        return PackBits(content, draw(st.integers(0, 90)))
    if kind == 7:
        return Lzw(content, draw(runs), draw(st.none() | st.integers(0, 999)))
    if kind == 8:
        sequence = draw(st.none() | st.sampled_from([0, 9, (1 << 32) - 1, 1 << 32]))
        return Chunks(content, draw(st.sampled_from([b"IDAT"] * 5 + [b"ID"])), draw(runs), sequence, draw(runs))
    return BitsReversed(content)


def by_the_reference(segment: Segment, samples: Samples, most: int = 1 << 34) -> bytes | None:
    reader = Reader(SEGMENT_RECORDS.encode(segment))
    record = read_record(reader, SEGMENTS)
    reader.end()
    stacks = [Stack((*stack.shape,), samples.depth, stack.ravel().tolist()) for stack in samples.stacks]
    try:
        size = sum(stack.nbytes for stack in samples.stacks)
        return rebuilt([record], [stack.pictures() for stack in stacks], most, size)
    except Refused:
        return None


def by_the_product(segment: Segment, samples: Samples, most: int = UNLIMITED) -> bytes | None:
    try:
        return b"".join(pieces((segment,), samples, most))
    except ValueError:
        return None


def some_samples(depth: int) -> Samples:
    """Two pictures of one size, and one of another."""
    rng = np.random.default_rng(depth)
    dtype = np.uint8 if depth <= 8 else np.uint16
    shapes = ((2, 3, 4, 3), (1, 4, 3, 3))
    return Samples(tuple(rng.integers(0, 1 << depth, shape).astype(dtype) for shape in shapes), depth)


@given(segments(), st.sampled_from([1, 2, 8, 12, 16]))
def both_agree(segment: Segment, depth: int) -> None:
    samples = some_samples(depth)
    assert by_the_product(segment, samples) == by_the_reference(segment, samples)


@pytest.mark.parametrize("count", [400, pytest.param(4000, marks=pytest.mark.slow)])
def test_segments(count: int) -> None:
    settings(max_examples=count)(both_agree)()


@settings(max_examples=300)
@given(st.binary(max_size=700).map(lambda data: bytes(v % 5 for v in data)), runs, st.integers(1, 60))
def test_streams(data: bytes, clears: tuple[tuple[int, int], ...], row: int) -> None:
    """Of longer content."""
    samples = some_samples(8)
    for segment in (Lzw((Literal(data * 9),)), Lzw((Literal(data),), clears), PackBits((Literal(data),), row)):
        assert by_the_product(segment, samples) == by_the_reference(segment, samples)


def test_no_more_chunks_than_the_page_says() -> None:
    """2^16, and one for each 1024 bytes of the file: as many are made, one more is refused."""
    samples, length = some_samples(8), 12 * 66314
    most = (1 << 16) + length // 1024
    assert most == 66313
    for count in (most, most + 1):
        chunks = Chunks((), b"IDAT", ((0, count),))
        made = by_the_product(chunks, samples, length)
        assert made == by_the_reference(chunks, samples, length)
        assert (made is not None) == (count == most)


def test_samples_of_more_bits_than_their_layout_has() -> None:
    """In a channel that the layout takes, or in another."""
    samples = Samples((np.array([[[[1, 3]]]], np.uint8),), 2)
    for channels, made in (((0,), b"\x80"), ((1,), None), ((0, 1), None)):
        segment = Raster(0, 0, 0, 1, 1, Layout(1, channels))
        assert by_the_product(segment, samples) == by_the_reference(segment, samples) == made


def test_lzw_at_length() -> None:
    """With a full table."""
    data = np.random.default_rng(2).integers(0, 40, 30000).astype(np.uint8).tobytes()
    for clears in (
        (),
        ((4000, 2),),
        ((3838, 1), (253, 1), (254, 1), (255, 2), (765, 2), (766, 1), (767, 1), (1790, 1)),
    ):
        segment = Lzw((Literal(data),), clears)
        made = by_the_product(segment, some_samples(8))
        assert made is not None
        assert made == by_the_reference(segment, some_samples(8))


# ---------------------------------------------------------------- Transforms


@st.composite
def trees(draw: st.DrawFn, deeper: int = 3) -> Node:
    kind = draw(st.integers(0, 17 if deeper else 1))
    inner = trees(deeper=deeper - 1) if deeper else st.nothing()
    depth = draw(st.sampled_from([1, 2, 4, 8, 8, 16]))
    if kind == 0:
        return Coded(depth, draw(st.integers(0, 2)))
    if kind == 1:
        return Constant(tuple(draw(st.lists(small, max_size=4))))
    if kind == 2:
        return Divide(draw(small), draw(inner), draw(inner))
    if kind == 3:
        return HighLow(draw(st.sampled_from([0, 1, 4, 8])), draw(inner), draw(inner))
    if kind == 4:
        return Reorder(bytes(draw(st.lists(small, max_size=5))), draw(inner))
    if kind == 5:
        return Expand(draw(inner))
    if kind == 6:
        return Index(draw(st.binary(max_size=12)), draw(inner))
    if kind == 7:
        used = np.array([[draw(flag) for _ in range(4)] for _ in range(draw(few))])
        return Levels(draw(st.just(packed_levels(used)) | texts), draw(inner))
    if kind == 8:
        return Scale(draw(st.sampled_from([0, 1, 17, 85])), depth, draw(inner))
    if kind == 14:
        return Predict(draw(st.integers(1, 5)), draw(st.sampled_from([0, 1, 128, 300, 9000])), draw(inner))
    if kind == 15:
        return Forecast(draw(st.integers(0, 70)), draw(st.sampled_from([0, 1, 8, 256, 257])), draw(inner))
    if kind == 17:
        y, x, height, width = (draw(small) for _ in range(4))
        return Inset(y, x, height, width, draw(inner), draw(inner))
    if kind == 11:
        return Fold(draw(small), draw(inner))
    plain: dict[int, Callable[[Node], Node]] = {9: Repeat, 10: Transpose, 12: Pile, 13: Luma, 16: Octets}
    return plain[kind](draw(inner))


def leaf_of(leaf: Leaf | None, shape: tuple[int, ...], depth: int, number: int) -> npt.NDArray[Any]:
    """Samples of a coded leaf: mostly small ones."""
    most = min((1 << depth) - 1, 4 if number % 2 else 1)
    rng = np.random.default_rng(number)
    return rng.integers(0, most + 1, shape).astype(np.uint8 if depth <= 8 else np.uint16)


@settings(max_examples=500)
@given(trees(), st.sampled_from([1, 2, 3, 8, 12, 16]), st.integers(1, 4), st.sampled_from([0, 3, 4]))
def test_transforms(tree: Node, depth: int, channels: int, palette_channels: int) -> None:
    shape = (2, 3, 5, channels)
    colours = np.array([[0, 0, 0, 0], [1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 1]], np.uint8)[:, :palette_channels]
    palette = colours[: 1 << depth] if palette_channels and channels == 1 else None
    try:
        kinds = leaf_kinds(tree, shape, depth, palette)
        made = (leaf_of(kind, kind.shape, kind.depth, i) for i, kind in enumerate(kinds))
        product = joined(tree, made, shape, depth, palette).ravel().tolist()
    except ArcompError:
        product = None
    reader = Reader(NODE_RECORDS.encode(tree))
    record = read_record(reader, NODES)
    count = iter(range(100))

    def decode(node: Record, kind: Kind) -> list[int]:
        if node.model > 15:
            raise Refused("no model")
        return list(leaf_of(None, kind.shape, kind.depth, next(count)).ravel().tolist())

    try:
        rows = [] if palette is None else [tuple(map(int, row)) for row in palette]
        expected = restored(record, Kind(shape, depth), rows, decode)
    except Refused:
        expected = None
    assert product == expected
