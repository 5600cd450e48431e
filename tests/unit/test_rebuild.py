"""Files from forms: what holds other segments, and forms that cannot be."""

from __future__ import annotations

import sys
import zlib
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from arcomp.form import Chunks, Deflated, Layout, Literal, Raster, Scanlines, Segment
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import pieces, rebuild
from arcomp.samples import Samples
from tests.unit.picture_files import GRAY, RGB, chunk

SAMPLES = Samples((RGB[None], RGB[None, :5].repeat(2, axis=0)), 8)
LAYOUT = Layout(8, (0, 1, 2))
RASTER = Raster(0, 0, 0, 11, 13, LAYOUT)


def deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(6, wbits=-15)
    return deflater.compress(data) + deflater.flush()


STREAM = deflate(RGB.tobytes())


def test_pictures_are_counted_through_stacks() -> None:
    for index, expected in ((0, RGB), (1, RGB[:5]), (2, RGB[:5])):
        height = len(expected)
        assert rebuild((Raster(index, 0, 0, height, 13, LAYOUT),), SAMPLES) == expected.tobytes()
    with pytest.raises(ValueError, match="picture"):
        rebuild((Raster(3, 0, 0, 5, 13, LAYOUT),), SAMPLES)


def test_no_piece_is_large() -> None:
    samples = Samples.of(np.zeros((1, 5000, 5000, 1), np.uint8))
    layout = Layout(8, (0,))
    for segment in (Raster(0, 0, 0, 5000, 5000, layout), Scanlines(0, layout, bytes(5000))):
        assert max(len(piece) for piece in pieces((segment,), samples)) < 1 << 23


def test_a_stream_in_its_wrapping() -> None:
    raw = RGB.tobytes()
    whole = rebuild((Deflated((RASTER,), STREAM, False, b"\x78\x9c", None),), SAMPLES)
    assert whole == b"\x78\x9c" + STREAM + zlib.adler32(raw).to_bytes(4, "big")
    assert rebuild((Deflated((RASTER,), STREAM, False),), SAMPLES) == STREAM
    assert rebuild((Deflated((RASTER,), STREAM, False, b"", b"abc"),), SAMPLES) == STREAM + b"abc"


def test_chunks() -> None:
    content = (Literal(b"abc"), Literal(b""), Literal(b"defgh"))
    run = Chunks(content, b"IDAT", ((0, 1), (3, 2), (2, 1), (0, 1)), wrong=((1, 7),))
    bodies = [b"", b"abc", b"def", b"gh", b""]
    expected = [chunk(b"IDAT", body) for body in bodies]
    expected[1] = expected[1][:-4] + bytes([0, 0, 0, 7])
    assert rebuild((run,), SAMPLES) == b"".join(expected)
    run = Chunks(content, b"fdAT", ((4, 2),), sequence=258)
    expected = [chunk(b"fdAT", b"\0\0\1\2abcd"), chunk(b"fdAT", b"\0\0\1\3efgh")]
    assert rebuild((run,), SAMPLES) == b"".join(expected)


@pytest.mark.parametrize(
    "segment",
    [
        Chunks((Literal(b"abc"),), b"IDAT", ((2, 1),)),
        Chunks((Literal(b"abc"),), b"IDAT", ((4, 1),)),
        Chunks((Literal(b"abc"), Literal(b"d")), b"IDAT", ((3, 1),)),
        Scanlines(0, LAYOUT, bytes(10)),
        Scanlines(0, LAYOUT, bytes(12)),
        Scanlines(0, LAYOUT, bytes(11), interlaced=True),
        Scanlines(0, LAYOUT, b"\5" * 11),
        Scanlines(0, LAYOUT, bytes(11), padding=b"x"),
        Scanlines(0, Layout(8, (3,)), bytes(11)),
        Scanlines(3, LAYOUT, bytes(11)),
    ],
)
def test_forms_that_cannot_be(segment: Segment) -> None:
    with pytest.raises(ValueError, match=r"."):
        rebuild((segment,), SAMPLES)


class _NoStreamError(ValueError):
    pass


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """Prediction of one encoder, that of level 6: no corrections are needed, or all of the stream is.
    What it gives is the predictors that were made."""
    made: list[SimpleNamespace] = []

    def predict(stream: bytes, feed: int = 0) -> SimpleNamespace:
        inflater = zlib.decompressobj(-15)
        try:
            data = inflater.decompress(stream)
        except zlib.error:
            raise _NoStreamError from None
        length = len(stream) - len(inflater.unused_data)
        return SimpleNamespace(coded=b"" if deflate(data) == stream[:length] else stream[:length], length=length)

    def predictor() -> SimpleNamespace:
        made.append(SimpleNamespace(predict=predict))
        return made[-1]

    module = ModuleType("arcomp.deflate")
    vars(module).update(
        Predictor=predictor, restore=lambda data, coded, most: coded or deflate(data), DeflateError=_NoStreamError
    )
    monkeypatch.setitem(sys.modules, "arcomp.deflate", module)
    return made


@pytest.mark.usefixtures("rules")
class TestPrediction:
    def test_a_file_has_one_predictor(self, rules: list[SimpleNamespace]) -> None:
        """Which remembers by which rules the streams before were made."""
        predicted((Deflated((RASTER,), STREAM, False),) * 3, SAMPLES)
        assert len(rules) == 1

    def test_streams_are_replaced(self) -> None:
        streams = (Deflated((RASTER,), STREAM, False, b"ab", None), Literal(b"more"))
        form = (Literal(b"x"), Chunks(streams, b"IDAT", ((len(STREAM) + 10, 1),)), Deflated((RASTER,), STREAM, False))
        short = predicted(form, SAMPLES)
        assert rebuild(short, SAMPLES) == rebuild(form, SAMPLES)
        (_, run, last) = short
        assert isinstance(run, Chunks)
        for segment in (run.content[0], last):
            assert isinstance(segment, Deflated)
            assert (segment.predicted, segment.coded) == (True, b"")
        assert predicted(short, SAMPLES) == short

    @pytest.mark.parametrize("stream", [STREAM + b"x", b"\xff" * 9, zlib.compress(bytes(999), 0)[2:-4]])
    def test_others_are_kept(self, stream: bytes) -> None:
        form = (Deflated((RASTER,), stream, False),)
        assert predicted(form, SAMPLES) == form


def test_interlaced_scanlines_of_every_small_size() -> None:
    for height in range(1, 10):
        for width in range(1, 10):
            samples = Samples.of(GRAY[None, :height, :width])
            columns = [
                -(-(width - x) // across) for x, across in ((0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2), (0, 1))
            ]
            rows = [-(-(height - y) // down) for y, down in ((0, 8), (0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2))]
            count = sum(max(0, h) for h, w in zip(rows, columns, strict=True) if w > 0)
            made = rebuild((Scanlines(0, Layout(8, (0,)), bytes(count), True),), samples)
            assert len(made) == height * width + count
