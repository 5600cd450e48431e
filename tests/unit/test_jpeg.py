"""JPEG files: coefficients and form, and the same bytes from them."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp import limits
from arcomp.coefficients import MAX_VALUE, Coefficients, Component
from arcomp.form import Jpeg, Literal, Skeleton
from arcomp.formats.jpeg import Found, read, write
from arcomp.formats.jpeg.huffman import Table, optimal
from arcomp.formats.jpeg.writing import shape_of
from arcomp.limits import BLOCKS_FREELY, BLOCKS_PER_BYTE, JpegBudget
from tests.jpeg_files import at_random, by_libjpeg, jpeg

SHARED = Path(__file__).parents[3] / "shared"


def made(skeleton: Skeleton, coefficients: tuple[Coefficients, ...], most: int) -> bytes:
    """The bytes of a form of JPEGs and literal bytes."""
    out = b""
    for segment in skeleton:
        if isinstance(segment, Jpeg):
            content = made(segment.content, coefficients, most)
            out += b"".join(write(segment, content, coefficients[segment.picture], most))
        else:
            assert isinstance(segment, Literal)
            out += segment.data
    return out


def check(data: bytes) -> Jpeg | None:
    """Whether a JPEG comes back; its form, None if it is kept as bytes."""
    found = read(data)
    if found is None:
        return None
    assert made(found.skeleton, found.coefficients, len(data)) == data
    assert max(int(np.abs(c.blocks).max()) for one in found.coefficients for c in one.components) <= MAX_VALUE
    assert isinstance(found.skeleton[0], Jpeg)
    return found.skeleton[0]


def _found(data: bytes) -> Found:
    found = read(data)
    assert found is not None
    return found


def literal(data: bytes) -> int:
    """Bytes of a file that are kept as they are."""
    found = read(data)
    assert found is not None

    def count(skeleton: Skeleton) -> int:
        return sum(len(s.data) if isinstance(s, Literal) else count(getattr(s, "content", ())) for s in skeleton)

    return count(found.skeleton)


def _many_scans(width: int, height: int) -> bytes:
    """A gray progressive JPEG but for its scans' bytes, with one scan for each bit of each coefficient but DC."""
    body = bytes([8]) + height.to_bytes(2, "big") + width.to_bytes(2, "big") + bytes([1, 1, 0x11, 0])
    table = bytes([0x10, 1, 0, *[1] * 14, 0xE0, *range(0, 0xE0, 0x10)])  # the longest run is the shortest code
    content = b"\xff\xd8" + _segment(0xC2, body) + _segment(0xC4, table)
    for k in range(1, 64):
        for low in range(13, -1, -1):
            before = low + 1 if low < 13 else 0
            content += _segment(0xDA, bytes([1, 1, 0, k, k, before << 4 | low]))
    return content + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def test_thousands_of_scans_of_nothing_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VISITS_PER_BLOCK", 0)
    content = _many_scans(400, 400)
    form = Jpeg((Literal(content),), 0, 63 * 14)
    shape = shape_of(form, content)
    (one,) = shape.components
    zeros = Component(np.zeros((one.rows, one.columns, 64), np.int16), one.quantisation, one.sampling)
    data = b"".join(write(form, content, Coefficients((zeros,), shape.width, shape.height), 1 << 20))
    with pytest.raises(ValueError, match="too many scans"):
        shape_of(form, content, JpegBudget(len(data)).visits)
    assert read(data) is None
    small = _many_scans(16, 16)
    assert (
        shape_of(replace(form, content=(Literal(small),)), small, JpegBudget(len(data)).visits).coefficients == 4 * 64
    )


def test_blocks_of_all_jpegs_of_a_file_are_counted_together() -> None:
    budget = JpegBudget(100)
    budget.blocks.take(BLOCKS_FREELY)
    with pytest.raises(ValueError, match="more blocks"):
        budget.blocks.take(BLOCKS_PER_BYTE * 100 + 1)
    one = jpeg(1600, 1600, "L", quality=1)  # 40,000 blocks
    assert len(_found(one * 2).coefficients) == 2


def test_what_follows_is_not_searched_for_ever() -> None:
    began = time.process_time()
    empty = b"\xff\xd8\xff" + b"\xff\xe0\0\x02" * (1 << 19)
    for tail in (b"\xff\xd8" * (1 << 20), empty, b"\xff\xd8\xff\0" * (1 << 19)):
        assert len(_found(jpeg(8, 8) + tail).coefficients) == 1
    assert time.process_time() - began < 4  # one byte after the other took 10 and more


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("RGB", {"quality": 90}),
        ("RGB", {"quality": 75, "subsampling": "4:4:4", "optimize": True}),
        ("RGB", {"quality": 60, "subsampling": "4:2:2", "restart_marker_blocks": 3}),
        ("RGB", {"quality": 85, "progressive": True}),
        ("L", {"quality": 95, "progressive": True, "restart_marker_rows": 1}),
        ("CMYK", {"quality": 80}),
    ],
)
def test_jpegs_of_pillow_come_back(mode: str, how: dict[str, Any]) -> None:
    """And nothing is odd about them."""
    form = check(jpeg(mode=mode, **how))
    assert form is not None
    assert (form.units, form.padded, form.restarts, form.zeros, form.breaks, form.pads) == (None, 0, (), (), (), b"")


def test_coefficients_are_those_of_the_picture() -> None:
    """Gray, of one block: DC is 8 times the mean, less 128, in steps."""
    out = io.BytesIO()
    Image.new("L", (8, 8), 200).save(out, "JPEG", quality=100)
    found = read(out.getvalue())
    assert found is not None
    (component,) = found.coefficients[0].components
    assert component.blocks.shape == (1, 1, 64)
    assert component.quantisation.tolist() == [1] * 64
    assert component.blocks[0, 0].tolist() == [8 * (200 - 128)] + [0] * 63


def test_best_tables_are_not_stored() -> None:
    for how in ({"optimize": True}, {"progressive": True}):
        assert literal(jpeg(mode="L", **how)) < 220
    assert optimal([4, 1, 1, *[0] * 253]) == Table(bytes([1, 1, 1, *[0] * 13]), b"\0\1\2")


def test_jpegs_inside() -> None:
    """A thumbnail in Exif, with one in it, and another JPEG at the end."""
    thumbnail = jpeg(16, 16, exif=b"Exif\0\0" + jpeg(8, 8))
    data = jpeg(exif=b"Exif\0\0" + thumbnail) + b"between" + jpeg(24, 8) + b"end"
    found = read(data)
    assert found is not None
    assert [(one.width, one.height) for one in found.coefficients] == [(37, 29), (16, 16), (8, 8), (24, 8)]
    assert made(found.skeleton, found.coefficients, len(data)) == data


def test_a_tall_claim_costs_nothing() -> None:
    """65,500 x 65,500 in a few bytes: coefficients go as far as the bytes do."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xdc\xff\xdc"
    found = read(bytes(data))
    assert found is not None
    assert (found.coefficients[0].width, found.coefficients[0].height) == (65500, 16)


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("progressive", [False, True])
def test_truncations_and_flips(progressive: bool, step: int) -> None:
    """Cut off anywhere, a JPEG is coded as far as it goes."""
    data = jpeg(20, 20, quality=50, progressive=progressive, subsampling="4:2:0", restart_marker_blocks=1)
    coded = [check(data[:length]) is not None for length in range(2, len(data), step)]
    assert sum(coded) > 40 // step
    rng = np.random.default_rng(5)
    for bit in rng.choice(8 * len(data), 300 // step, replace=False):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        check(bytes(flipped))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_flip(seed: int) -> None:
    data = at_random(np.random.default_rng(seed))[:2000] if seed else jpeg(12, 12, progressive=True, quality=30)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        check(bytes(flipped))


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_jpegs_at_random(count: int) -> None:
    """Of libjpeg, and of any scans, tables and oddities: almost all are coded, and all come back."""
    rng, sides = np.random.default_rng(count), (9, 40, 120) * 33 + (max(120, 3 * count),)  # few of them large
    assert all(check(by_libjpeg(rng, sides)) is not None for _ in range(count // 2))
    forms = [check(at_random(rng)) for _ in range(count // 2)]
    assert sum(form is None for form in forms) <= count // 100
    assert any(form is not None and form.zeros for form in forms)


def files_here() -> list[Path]:
    """JPEGs beside the checkout."""
    return sorted((SHARED / "data" / "jpeg").glob("*.jpg")) if SHARED.is_dir() else []


@pytest.mark.slow
@pytest.mark.skipif(not files_here(), reason="no files")
def test_odd_and_real_files() -> None:
    """All but one, which ends in its first unit."""
    kept = [path.name for path in files_here() if check(path.read_bytes()) is None]
    assert kept == ["mismatch_encode.jpg"]
