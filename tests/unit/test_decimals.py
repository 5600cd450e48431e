"""Samples as text: the same text again, in any of the usual shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from arcomp.errors import PictureError
from arcomp.form import Decimals, Literal
from arcomp.formats.decimals import Numbers, read, rendered
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Pixels, Samples

COLOUR = np.random.default_rng(3).integers(0, 256, (9, 14, 3)).astype(np.uint8)
DEEP = np.random.default_rng(3).integers(0, 65536, (9, 14, 1)).astype(np.uint16)
BITS = COLOUR[..., :1] & 1


def one_a_line(picture: Pixels) -> str:
    return "".join(f"{value}\n" for value in picture.ravel())


def all_in_a_line(picture: Pixels) -> str:
    return " ".join(map(str, picture.ravel()))


def a_row_a_line(picture: Pixels) -> str:
    return "".join(" ".join(map(str, row.ravel())) + "\n" for row in picture)


def with_space_behind(picture: Pixels) -> str:
    return "".join("".join(f"{value} " for value in row.ravel()) + "\r\n" for row in picture)


def filled_up(picture: Pixels) -> str:
    return "".join("".join(f"{value:6d}" for value in row.ravel()) + "\n" for row in picture)


def in_columns(picture: Pixels) -> str:
    return "\n".join(" ".join(f"{value:3d}" for value in row.ravel()) for row in picture)


def netpbm(picture: Pixels) -> str:
    """Lines of about 70 characters, anew with each row, two spaces between pixels."""
    lines = []
    for row in picture:
        pixels = [" ".join(map(str, pixel)) for pixel in row]
        lines += ["  ".join(pixels[i : i + 6]) for i in range(0, len(pixels), 6)]
    return "\n".join(lines) + "\n"


def as_many_as_fit(picture: Pixels) -> str:
    lines = [""]
    for value in picture.ravel():
        if len(lines[-1]) > 60:
            lines.append("")
        lines[-1] += f"{value} "
    return "\n".join(lines)


def digits(picture: Pixels) -> str:
    return "".join("".join(map(str, row.ravel())) + "\n" for row in picture)


SHAPES = (one_a_line, all_in_a_line, a_row_a_line, with_space_behind, filled_up, in_columns, netpbm, as_many_as_fit)


def again(text: bytes, found: Numbers, picture: Pixels) -> bytes:
    form = (Literal(text[: found.begin]), found.form, Literal(text[found.end :]))
    return rebuild(form, Samples.of(picture[None], 16 if picture.dtype == np.uint16 else 8))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("picture", [COLOUR, DEEP, COLOUR[:1, :1, :2]], ids=["colour", "deep", "one"])
def test_usual_shapes(shape: Callable[[Pixels], str], picture: Pixels) -> None:
    text = b"255\n" + shape(picture).encode() + b"and more"
    found = read(text, 4, picture.shape)
    assert np.array_equal(found.values.reshape(picture.shape), picture)
    assert again(text, found, picture) == text


@pytest.mark.parametrize("shape", [digits, a_row_a_line])
def test_bits(shape: Callable[[Pixels], str]) -> None:
    text = shape(BITS).encode()
    found = read(text, 0, BITS.shape, single=True)
    assert np.array_equal(found.values.reshape(BITS.shape), BITS)
    assert again(text, found, BITS) == text
    inverted = found._replace(form=replace(found.form, inverted=True))
    assert again(text, inverted, BITS ^ 1) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"1 2 3", "truncated, 5 bytes for 4 samples"),
        (b"1 2 3    ", "truncated, 3 of 4 samples"),
        (b"1 2 x 4", "not a number"),
        (b"1 2 -3 4", "not a number"),
        (b"1 2 65536 4", "not a number"),
        (b"1 2 999999999999999999999 4", "not a number"),
        (b"1 2 # 3\n3 4", "comment"),
        (b"1 2  3 4", "lines of its samples differ"),
        (b"1 2 03 4", "lines of its samples differ"),
        (b"1" + b" " * 65 + b"2" + b" " * 65 + b"3 4", "lines of its samples differ"),
    ],
)
def test_what_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        read(text, 0, (2, 2, 1))


@pytest.mark.parametrize("text", [b"10a1", b"1021", b"10-11"])
def test_bits_that_are_none(text: bytes) -> None:
    with pytest.raises(PictureError, match="neither 0 nor 1"):
        read(text, 0, (2, 2, 1), single=True)


@pytest.mark.parametrize(
    "form",
    [
        Decimals(0, (0,), ((3, 1),), b" ", b" ", b"\n"),
        Decimals(0, (0,), ((5, 1), (-1, 1)), b" ", b" ", b"\n"),
        Decimals(0, (0,), ((1 << 70, 1),), b" ", b" ", b"\n"),
        Decimals(0, (1,), ((4, 1),), b" ", b" ", b"\n"),
        Decimals(0, (), (), b" ", b" ", b"\n"),
        Decimals(0, (0,), ((4, 1),), b" " * 99, b" ", b"\n"),
        Decimals(0, (0,), ((4, 1),), b" ", b" ", b"\n", width=1 << 40),
    ],
)
def test_forms_of_no_such_picture(form: Decimals) -> None:
    with pytest.raises(ValueError, match="numbers"):
        b"".join(map(bytes, rendered(form, np.zeros((2, 2, 1), np.uint8))))
