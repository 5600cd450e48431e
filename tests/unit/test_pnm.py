"""PBM, PGM, PPM and PAM: every maximum, comments, several pictures, text; and every byte back."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from arcomp.errors import OutputError
from arcomp.form import Decimals, Raster
from arcomp.formats import read, write
from arcomp.formats.conversion import is_of
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Pixels, Samples
from tests.unit.picture_files import refusal

RANDOM = np.random.default_rng(6)


def pixels(maximum: int, channels: int = 1, height: int = 7, width: int = 9) -> Pixels:
    values = RANDOM.integers(0, maximum + 1, (height, width, channels)).astype(np.uint8 if maximum < 256 else np.uint16)
    values[0, 0] = maximum
    return values


def raw(picture: Pixels) -> bytes:
    return picture.astype(picture.dtype.newbyteorder(">")).tobytes()


def text(picture: Pixels) -> bytes:
    return b"".join(b" ".join(b"%d" % value for value in row.ravel()) + b"\n" for row in picture)


def pam(picture: Pixels, maximum: int, kind: bytes, *more: bytes) -> bytes:
    height, width, channels = picture.shape
    sizes = b"HEIGHT %d\nWIDTH %d\nMAXVAL %d\nDEPTH %d\n" % (height, width, maximum, channels)
    return b"P7\n" + b"".join(more) + sizes + kind + b"ENDHDR\n" + raw(picture)


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


@pytest.mark.parametrize("maximum", [1, 2, 7, 15, 100, 254, 255, 256, 1000, 4095, 65534, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_maximum(maximum: int, channels: int) -> None:
    picture = pixels(maximum, channels)
    for kind, body in ((b"5", raw(picture)), (b"2", text(picture))):
        kind = kind if channels == 1 else b"%d" % (int(kind) + 1)
        samples = taken_apart(b"P%b 9 7 %d\n" % (kind, maximum) + body).samples
        assert samples.depth == maximum.bit_length()
        assert np.array_equal(samples.pixels[0], picture)


@pytest.mark.parametrize("maximum", [1, 100, 1000])
def test_samples_above_the_maximum(maximum: int) -> None:
    """Raw, they are kept; in text the file is damaged."""
    picture = pixels(maximum)
    picture[3, 3] = large = 200 if maximum < 256 else 40000
    samples = taken_apart(b"P5 9 7 %d\n" % maximum + raw(picture)).samples
    assert samples.depth == large.bit_length()
    assert np.array_equal(samples.pixels[0], picture)
    data = b"P2 9 7 %d\n" % maximum + text(picture)
    assert parse(data) is None
    assert f"a sample is {large}, above its maximum of {maximum}" in refusal(data)


def test_bits() -> None:
    black = pixels(1)
    rows = np.packbits(black[..., 0], axis=1)
    rows[:, -1] |= RANDOM.integers(0, 1 << 7, 7, dtype=np.uint8)  # bits after the last pixel
    digits = b"".join(b"".join(b"%d" % value for value in row.ravel()) + b"\n" for row in black)
    for data in (b"P4 9 7\n" + rows.tobytes(), b"P1 9 7\n" + digits, b"P1 9 7\n" + text(black)):
        samples = taken_apart(data).samples
        assert samples.depth == 1
        assert np.array_equal(samples.pixels[0], 1 - black)


@pytest.mark.parametrize(
    "header",
    [
        b"P5 9 7 255\n",
        b"P5\n# a comment\n9 # another\n7\n#\n#\n255\n",
        b"P5#\n9 7 255 ",
        b"P5\t9\v7\f255\t",
        b"P5\r\n9 7\r\n255\r\n",  # as text was once transferred: the samples begin after both
        b"P5 9 7 255# at the end\n",
        b"P5 9 7 255\n# after the maximum\n# and more\n",
        b"P5 0009 7 255\n",
    ],
)
def test_headers(header: bytes) -> None:
    picture = pixels(255)
    picture[0, :2, 0] = 35, 10  # like a comment
    assert np.array_equal(taken_apart(header + raw(picture)).samples.pixels[0], picture)


def test_what_looks_like_white_space_or_a_comment_is_samples() -> None:
    for body in (b"#\n", b"\n ", b"\r\n"):
        assert taken_apart(b"P5 2 1 255\n" + body).samples.pixels.ravel().tolist() == list(body)
    assert taken_apart(b"P5 2 1 255\r\n#").samples.pixels.ravel().tolist() == [10, 35]


def test_comments_before_text_and_bytes_after_it() -> None:
    picture = pixels(255)
    data = b"P2 9 7 # size\n255\n# in between\n  # and again\n" + text(picture) + b"\n# after\nmore"
    assert np.array_equal(taken_apart(data).samples.pixels[0], picture)
    bits = b"P1 2 2 # 101\n# 101\n10\n01 # 101"
    assert taken_apart(bits).samples.pixels.ravel().tolist() == [0, 1, 1, 0]


def test_several_pictures() -> None:
    first, second, wide = pixels(255, 3), pixels(255, 3), pixels(255, 3, width=11)
    parts = [b"P6 9 7 255\n" + raw(first), b"P6 9 7 255\n" + raw(second), b"P3 11 7 255\n" + text(wide)]
    for between in (b"", b"\n", b" \n\n"):
        samples = taken_apart(between.join(parts) + b"tail").samples
        assert [stack.shape for stack in samples.stacks] == [(2, 7, 9, 3), (1, 7, 11, 3)]
        assert np.array_equal(samples.stacks[0], np.stack([first, second]))
        assert np.array_equal(samples.stacks[1][0], wide)


def test_pictures_of_several_kinds() -> None:
    small, large = pixels(1), pixels(4095, height=30)
    data = b"P5 9 7 1\n" + raw(small) + b"P5 9 30 4095\n" + raw(large) + b"P5 9 7 1\n" + raw(small)
    parsed = taken_apart(data)
    assert parsed.samples.depth == 12
    assert np.array_equal(parsed.samples.pixels, large[None])
    cut = b"P5 9 7 1\n" + raw(small) + b"P5 9 30 4095\n" + raw(large)[:-1]
    assert np.array_equal(taken_apart(cut).samples.pixels, small[None])


@pytest.mark.parametrize(
    ("maximum", "channels", "kind", "alpha"),
    [
        (1, 1, b"TUPLTYPE BLACKANDWHITE\n", False),
        (1, 2, b"TUPLTYPE BLACKANDWHITE_ALPHA\n", True),
        (255, 1, b"TUPLTYPE GRAYSCALE\n", False),
        (255, 2, b"TUPLTYPE GRAYSCALE_ALPHA\n", True),
        (1023, 3, b"TUPLTYPE RGB\n", False),
        (65535, 4, b"TUPLTYPE RGB_ALPHA\n", True),
        (255, 4, b"TUPLTYPE CMYK\n", False),
        (255, 2, b"TUPLTYPE what ever\n", False),
        (255, 3, b"", False),
    ],
)
def test_pam(maximum: int, channels: int, kind: bytes, alpha: bool) -> None:
    picture = pixels(maximum, channels)
    samples = taken_apart(pam(picture, maximum, kind, b"# comment\n", b"\n", b"  # another\n") + b"tail").samples
    assert (samples.depth, samples.alpha) == (maximum.bit_length(), alpha)
    assert np.array_equal(samples.pixels[0], picture)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"P5 ", "header"),
        (b"P5 9 7\n", "header"),
        (b"P5 9 7 255x" + bytes(63), "header"),
        (b"P5 9 7 0\n" + bytes(63), "maximum value is 0"),
        (b"P5 9 7 65536\n" + bytes(126), "maximum value is 65536"),
        (b"P5 9 7 99999999999\n" + bytes(126), "header"),
        (b"P5 0 7 255\n", "0 x 7"),
        (b"P5 99999 99999 255\n", "limit"),
        (b"P5 9 7 255\n" + bytes(62), "truncated, 62 of 63"),
        (b"P5 9 7 256\n" + bytes(125), "truncated, 125 of 126"),
        (b"P4 9 7\n" + bytes(13), "truncated, 13 of 14"),
        (b"P2 2 2 255\n1 2 3", "truncated"),
        (b"P2 2 2 255\n1 2\n3 # 4\n4", "comments among its samples"),
        (b"P2 2 2 255\n1  2\n3 4", "lines of its samples differ"),
        (b"P1 2 2\n10 02", "neither 0 nor 1"),
        (b"P7\nWIDTH 2\nENDHDR\n12", "header"),
        (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n" + bytes(10), "5 channels"),
        (b"P7\nWIDTH x\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(10), "header"),
        (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\n", "header"),
    ],
)
def test_what_is_left_as_bytes(data: bytes, words: str) -> None:
    assert parse(data) is None
    assert words in refusal(data)


GRAY, COLOUR, BITS = pixels(255), pixels(1000, 3), pixels(1)
FILES = (
    b"P5 9 7 255\n" + raw(GRAY) + b"\nP5 9 7 255\n" + raw(GRAY),
    b"P3 9 7 1000\n" + text(COLOUR),
    b"P1 # c\n9 7\n" + text(BITS),
    b"P4 9 7\n" + bytes(14),
    pam(COLOUR, 1000, b"TUPLTYPE RGB\n"),
)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_damage(draw: st.DataObject) -> None:
    """Bytes changed, put in or taken out: what is still taken apart comes back."""
    data = bytearray(draw.draw(st.sampled_from(FILES)))
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, 40))
        data[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.sampled_from([b"", b"0", b" ", b"\n", b"#", b"P"]))
    parsed = parse(bytes(data))
    if parsed is not None:
        assert rebuild(parsed.skeleton, parsed.samples) == data


def test_text_takes_about_as_long_as_reading_it() -> None:
    picture = pixels(255, 3, 900, 1000)
    data = b"P3 1000 900 255\n" + b"\n".join(np.char.mod(b"%d", picture.ravel()).tolist())
    taken_apart(data)  # compiled
    start = time.perf_counter()
    parsed = taken_apart(data)
    assert time.perf_counter() - start < 3
    assert isinstance(parsed.skeleton[1], Decimals)


def test_many_pictures_are_bounded() -> None:
    parsed = taken_apart(b"P5 1 1 255\nx" * 17000)
    assert parsed.samples.count == 1 << 14
    assert sum(isinstance(segment, Raster) for segment in parsed.skeleton) == 1 << 14


@pytest.mark.parametrize(
    ("depth", "channels", "alpha", "ending", "start"),
    [
        (8, 1, False, "pgm", b"P5"),
        (8, 3, False, "ppm", b"P6"),
        (8, 1, False, "ppm", b"P5"),  # gray in a .ppm: readers go by what is in it
        (8, 3, False, "pgm", b"P6"),
        (12, 1, False, "pnm", b"P5"),
        (16, 3, False, "ppm", b"P6"),
        (3, 3, False, "pnm", b"P6"),
        (1, 1, False, "pbm", b"P4"),
        (1, 1, False, "pnm", b"P4"),
        (1, 1, False, "pgm", b"P5"),
        (1, 3, False, "ppm", b"P6"),
        (1, 1, False, "pam", b"P7"),
        (8, 2, True, "pam", b"P7"),
        (16, 4, True, "pam", b"P7"),
        (10, 4, False, "pam", b"P7"),
    ],
)
def test_writing(depth: int, channels: int, alpha: bool, ending: str, start: bytes) -> None:
    samples = Samples((pixels((1 << depth) - 1, channels)[None],), depth, alpha=alpha)
    data = write(samples, ending)
    again = read(data)
    assert data.startswith(start + b"\n")
    assert (again.depth, again.alpha) == (depth, alpha)
    assert np.array_equal(again.pixels, samples.pixels)
    if ending != "pam" and depth in (1, 8) and (depth, channels) != (1, 3):
        with Image.open(io.BytesIO(data)) as image:
            values = np.asarray(image).reshape(samples.pixels[0].shape)
        assert np.array_equal(values.astype(bool) if depth == 1 else values, samples.pixels[0])


def test_writing_several() -> None:
    stacks = (np.stack([pixels(255), pixels(255)]), pixels(255, width=5)[None])
    again = read(write(Samples(stacks, 8), "pgm"))
    assert all(np.array_equal(a, b) for a, b in zip(again.stacks, stacks, strict=True))


@pytest.mark.parametrize(
    ("samples", "ending"),
    [
        (Samples.of(pixels(255)[None]), "pbm"),
        (Samples.of(pixels(1, 3)[None], 1), "pbm"),
        (Samples((pixels(255, 4)[None],), 8, alpha=True), "ppm"),
        (Samples((pixels(255, 2)[None],), 8, alpha=True), "pgm"),
        (Samples.of(pixels(255, 4)[None]), "pnm"),
        (Samples((pixels(255)[None],), 8, palette=np.zeros((256, 3), np.uint8)), "pam"),
    ],
)
def test_what_cannot_be_written(samples: Samples, ending: str) -> None:
    with pytest.raises(OutputError):
        write(samples, ending)


@pytest.mark.parametrize(
    ("start", "endings"),
    [
        (b"P6\n", {"ppm", "pgm", "pnm"}),
        (b"P2\n", {"ppm", "pgm", "pnm"}),
        (b"P4\n", {"ppm", "pgm", "pnm", "pbm"}),
        (b"P7\n", {"pam"}),
    ],
)
def test_endings_that_a_file_may_have(start: bytes, endings: set[str]) -> None:
    assert {ending for ending in ("ppm", "pgm", "pnm", "pbm", "pam", "png") if is_of(start, ending)} == endings
