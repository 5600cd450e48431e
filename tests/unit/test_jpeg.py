"""JPEG files: coefficients and form, and the same bytes from them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.coefficients import Coefficients
from arcomp.form import Jpeg, Literal, Skeleton
from arcomp.formats.jpeg import read, write


def picture(width: int, height: int, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Smooth, with some noise."""
    rng = np.random.default_rng(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    coarse = rng.integers(0, 256, (3, 3, channels), np.uint8)
    fine = np.stack([np.asarray(Image.fromarray(c).resize((width, height))) for c in coarse.transpose(2, 0, 1)], -1)
    noisy = np.clip(fine + rng.normal(0, 6, fine.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(noisy[:, :, 0] if channels == 1 else noisy, mode)


def jpeg(width: int = 37, height: int = 29, mode: str = "RGB", **how: Any) -> bytes:
    """A JPEG by libjpeg-turbo."""
    out = io.BytesIO()
    picture(width, height, mode).save(out, "JPEG", **how)
    return out.getvalue()


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
    data = jpeg(mode=mode, **how)
    found = read(data)
    assert found is not None
    assert made(found.skeleton, found.coefficients, len(data)) == data
    assert [type(segment) for segment in found.skeleton] == [Jpeg]


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
