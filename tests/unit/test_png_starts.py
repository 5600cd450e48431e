"""PNG files: what follows from the rest is not stored."""

from __future__ import annotations

import zlib

import pytest

from arcomp.container import png_starts
from arcomp.errors import FormatError
from arcomp.form import Chunks, Deflated, Layout, PngStart, Scanlines
from arcomp.formats.scanlines import chosen
from tests.unit.picture_files import chunk
from tests.unit.test_png import SIGNATURE, filtered, header, random_pixels, taken_apart


@pytest.mark.parametrize(
    ("size", "depth", "colour"), [((9, 7), 8, 6), ((5, 4), 16, 2), ((40, 30), 4, 3), ((1, 1), 8, 0)]
)
def test_what_follows_is_not_stored(size: tuple[int, int], depth: int, colour: int) -> None:
    """Filters as the specification recommends, one chunk, signature and header."""
    pixels = random_pixels(*size, colour, depth)
    layout = Layout(depth, tuple(range(pixels.shape[2])))
    filters = chosen(pixels, layout)
    stream = zlib.compress(filtered(pixels, depth, filters))
    palette = [chunk(b"PLTE", bytes(48))] if colour == 3 else []
    parts = [header(size[1], size[0], depth, colour), *palette, chunk(b"IDAT", stream), chunk(b"IEND", b"")]
    data = SIGNATURE + b"".join(parts)
    parsed = taken_apart(data)
    (run,) = (segment for segment in parsed.skeleton if isinstance(segment, Chunks))
    assert run.lengths == ()
    assert isinstance(run.content[0], Deflated)
    (lines,) = run.content[0].content
    assert isinstance(lines, Scanlines)
    assert lines.filters == b""
    short = png_starts.shortened(parsed.skeleton)
    assert short[0] == PngStart(size[1], size[0], depth, colour, False)
    assert png_starts.whole(short) == parsed.skeleton
    with pytest.raises(FormatError):
        png_starts.whole((PngStart(1 << 32, 1, 8, 0, False),))
