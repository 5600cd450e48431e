"""JPEGs made at random, of what encoders do and of what they could do."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from arcomp.coefficients import Coefficients, Component, blocks_of
from arcomp.form import Jpeg
from arcomp.formats.jpeg import write
from arcomp.jpeg_tables import HUFFMAN, ZIGZAG, quantisation

Rng = np.random.Generator


def picture(width: int, height: int, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Smooth, with some noise."""
    rng = np.random.default_rng(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    coarse = rng.integers(0, 256, (3, 3, channels), np.uint8)
    fine = np.stack([np.asarray(Image.fromarray(c).resize((width, height))) for c in coarse.transpose(2, 0, 1)], -1)
    noisy = np.clip(fine + rng.normal(0, 6, fine.shape), 0, 255).astype(np.uint8)
    return Image.fromarray(noisy[:, :, 0] if channels == 1 else noisy, mode)


def jpeg(width: int = 37, height: int = 29, mode: str = "RGB", seed: int = 1, **how: Any) -> bytes:
    """A JPEG by libjpeg-turbo."""
    out = io.BytesIO()
    picture(width, height, mode, seed).save(out, "JPEG", **how)
    return out.getvalue()


def by_libjpeg(rng: Rng, sides: Sequence[int] = (9, 40, 120)) -> bytes:
    """A JPEG with settings at random.

    Args:
        sides: in pixels; one of them is the limit of both.
    """
    mode = str(rng.choice(["L", "RGB", "RGB", "RGB", "CMYK"]))
    how: dict[str, Any] = {"quality": int(rng.integers(1, 101)), "optimize": bool(rng.integers(2))}
    how |= {"progressive": True} if rng.integers(2) else {}
    how |= {"subsampling": int(rng.integers(3))} if mode == "RGB" else {}
    how |= {"restart_marker_blocks": int(rng.integers(1, 9))} if rng.integers(4) == 0 else {}
    how |= {"restart_marker_rows": 1} if rng.integers(8) == 0 else {}
    how |= {"comment": bytes(rng.integers(0, 256, int(rng.integers(40)), np.uint8))} if rng.integers(4) == 0 else {}
    how |= {"exif": b"Exif\0\0" + jpeg(8, 8)} if rng.integers(8) == 0 else {}
    side = int(rng.choice(sides))
    width, height = (int(v) for v in rng.integers(1, side, 2))
    data = jpeg(width, height, mode, int(rng.integers(1 << 30)), **how)
    return data + (jpeg(8, 8) if rng.integers(16) == 0 else bytes(rng.integers(0, 256, int(rng.integers(4)), np.uint8)))


def at_random(rng: Rng, sides: Sequence[int] = (9, 70)) -> bytes:
    """A JPEG of coefficients, scans and oddities at random; sides as of :func:`by_libjpeg`."""
    form, content, coefficients = _parts(rng, sides)
    for _ in range(int(rng.choice([0, 40]))):
        odd = replace(form, zeros=_pairs(rng), breaks=tuple(int(v) for v in rng.integers(0, 9, int(rng.integers(3)))))
        try:
            return b"".join(write(odd, content, coefficients, 1 << 24))
        except ValueError:  # zeros or breaks where there cannot be any
            continue
    return b"".join(write(form, content, coefficients, 1 << 24))


def _pairs(rng: Rng) -> tuple[tuple[int, int], ...]:
    return tuple((int(rng.integers(0, 9)), int(rng.integers(1, 3))) for _ in range(int(rng.integers(3))))


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _parts(rng: Rng, sides: Sequence[int]) -> tuple[Jpeg, bytes, Coefficients]:
    count = int(rng.choice([1, 1, 2, 3, 3, 3, 4]))
    while True:
        sampling = [(int(rng.integers(1, 5)), int(rng.integers(1, 5))) for _ in range(count)]
        if count == 1 or sum(h * v for h, v in sampling) <= 10:
            break
    width, height = (int(v) for v in rng.integers(1, int(rng.choice(sides)), 2))
    progressive, padded = bool(rng.integers(3)), int(rng.integers(1 << count))
    steps = np.empty(64, np.uint16)
    steps[list(ZIGZAG)] = list(quantisation(int(rng.integers(1, 101)))[0])
    wide, tall = (max(pair[axis] for pair in sampling) for axis in (0, 1))
    components = []
    for c, (h, v) in enumerate(sampling):
        rows, columns = (blocks_of(s, f, m)[padded >> c & 1] for s, f, m in ((height, v, tall), (width, h, wide)))
        components.append(Component(_blocks(rng, rows, columns), steps, (h, v)))
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + bytes([count])
    frame += b"".join(bytes([c + 1, h << 4 | v, 0]) for c, (h, v) in enumerate(sampling))
    interval = int(rng.integers(1, 12)) if rng.integers(3) == 0 else 0
    pieces = [b"\xff\xd8", _segment(0xDB, b"\0" + bytes(steps[list(ZIGZAG)].tolist())), b"\xff" * int(rng.integers(2))]
    pieces += [_segment(0xC2 if progressive else 0xC0, frame), _segment(0xDD, interval.to_bytes(2, "big"))]
    scans = _progressive(rng, count) if progressive else _sequential(rng, count)
    standard = not progressive and not rng.integers(3)
    if standard:
        pieces += [_segment(0xC4, bytes([kind << 4 | n]) + table) for (kind, n), table in HUFFMAN.items()]
    for chosen, first, last, bits in scans:
        if not standard:
            pieces.append(_segment(0xC4, bytes(([0x80] if not first and bits < 16 else []) + ([0x90] if last else []))))
            pieces[-1] = pieces[-1] if len(pieces[-1]) > 4 else b""
        names = b"".join(bytes([c + 1, 0]) for c in chosen)
        pieces.append(_segment(0xDA, bytes([len(chosen)]) + names + bytes([first, last, bits])))
        pieces.append(b"\xff\xd0" if rng.integers(16) == 0 else b"")
    pieces.append(b"\xff\xd9" if rng.integers(8) else b"")
    form = Jpeg(
        (), 0, len(scans), None, padded,
        restarts=((0, int(rng.integers(3))),) if interval and rng.integers(3) == 0 else (),
        pads=bytes(rng.integers(0, 256, int(rng.integers(3)), np.uint8)),
    )  # fmt: skip
    return form, b"".join(pieces), Coefficients(tuple(components), width, height)


def _blocks(rng: Rng, rows: int, columns: int) -> Any:
    """Few coefficients that are not 0, or many."""
    scale = rng.choice([0.3, 1, 4, 60])
    values = rng.laplace(0, scale / (1 + np.arange(64)) ** rng.choice([0, 0.5, 1]), (rows, columns, 64))
    blocks = np.zeros((rows, columns, 64), np.int16)
    blocks[..., list(ZIGZAG)] = np.clip(np.round(values), -1023, 1023)
    return blocks


Plan = list[tuple[list[int], int, int, int]]
"""Scans: components, first and last coefficient, Ah and Al in a byte."""


def _sequential(rng: Rng, count: int) -> Plan:
    if rng.integers(2):
        return [(list(range(count)), 0, 63, 0)]
    return [([c], 0, 63, 0) for c in rng.permutation(count).tolist()]


def _progressive(rng: Rng, count: int) -> Plan:
    """DC, then bands of AC, each with some of the bits and then more of them, some of them never."""
    low = int(rng.integers(3))
    groups = [list(range(count))] if rng.integers(2) else [[c] for c in range(count)]
    plan: Plan = [(group, 0, 0, low) for group in groups]
    rest: Plan = [(group, 0, 0, bit << 4 | bit - 1) for bit in range(low, 0, -1) for group in groups]
    for c in range(count):
        edges = [1, *sorted(rng.choice(np.arange(2, 64), int(rng.integers(3)), replace=False).tolist()), 64]
        low = int(rng.integers(4))
        for begin, end in pairwise(edges):
            plan.append(([c], begin, end - 1, low))
            rest += [([c], begin, end - 1, bit << 4 | bit - 1) for bit in range(low, int(rng.integers(2)), -1)]
    return plan + rest
