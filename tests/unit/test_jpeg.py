"""JPEG files: coefficients and form, and the same bytes from them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.coefficients import MAX_VALUE, Coefficients
from arcomp.form import Jpeg, Literal, Skeleton
from arcomp.formats.jpeg import read, write
from arcomp.formats.jpeg.huffman import Table, optimal
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


def literal(data: bytes) -> int:
    """Bytes of a file that are kept as they are."""
    found = read(data)
    assert found is not None

    def count(skeleton: Skeleton) -> int:
        return sum(len(s.data) if isinstance(s, Literal) else count(getattr(s, "content", ())) for s in skeleton)

    return count(found.skeleton)


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
    rng = np.random.default_rng(count)
    assert all(check(by_libjpeg(rng)) is not None for _ in range(count // 2))
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
