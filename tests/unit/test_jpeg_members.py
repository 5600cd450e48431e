"""What members claim of JPEGs, refused before it costs anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcomp import files
from arcomp.container import DIGEST_BYTES, CodedJpeg, Member, ModelId, Original, pack, unpack
from arcomp.contract.model import Execution
from arcomp.errors import ArcompError, FormatError, LimitError
from arcomp.form import Jpeg, Skeleton
from arcomp.jpegs import encode_jpegs
from tests.jpeg_files import jpeg
from tests.standin import standin

MODEL = standin()
DATA = jpeg(16, 16)


def member(data: bytes = DATA) -> Member:
    """A JPEG's, coded by the stand-in."""
    found = files.examine(data, MODEL)
    coded, bits = encode_jpegs(found.jpegs, MODEL, Execution())
    assert bits > 0
    models = (ModelId(MODEL.name, MODEL.digest[:DIGEST_BYTES]),)
    return Member(None, models=models, original=found.original, skeleton=found.skeleton, jpegs=coded)


def restored(made: Member) -> bytes:
    return files.restored(unpack(pack(made)), MODEL)


def test_it_comes_back() -> None:
    assert restored(member()) == DATA


def form(made: Member, **other: object) -> Skeleton:
    """The form of a member's only JPEG, changed."""
    (segment,) = made.skeleton or ()
    assert isinstance(segment, Jpeg)
    return (replace(segment, **other),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        {"picture": 1}, {"scans": 2}, {"scans": 0}, {"units": 99}, {"restarts": ((1, 0),)},
        {"zeros": ((0, 70),)}, {"zeros": ((1 << 61, 1),)}, {"breaks": (0,)}, {"breaks": (1 << 61, 1 << 61)},
    ],
)  # fmt: skip
def test_forms_that_cannot_be(other: dict[str, object]) -> None:
    made = member()
    with pytest.raises(ArcompError):
        restored(replace(made, skeleton=form(made, **other)))


def test_one_jpeg_is_not_there_twice() -> None:
    made = member()
    original = Original(2 * len(DATA), bytes(32))
    with pytest.raises(FormatError):
        restored(replace(made, skeleton=2 * (made.skeleton or ()), original=original))


def test_sizes_are_compared() -> None:
    made = member()
    for other in (replace(made.jpegs[0], width=17), replace(made.jpegs[0], components=1)):
        with pytest.raises(FormatError):
            restored(replace(made, jpegs=(other,)))


def test_large_claims_are_refused() -> None:
    made = member()
    with pytest.raises(LimitError, match="claims"):
        restored(replace(made, jpegs=(CodedJpeg(65535, 65535, 4, made.jpegs[0].streams),)))
    with pytest.raises(FormatError):
        CodedJpeg(65536, 1, 1, (b"",))
