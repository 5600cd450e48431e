"""TIFF files written here, by the specification (TIFF 6.0; BigTIFF's design), of any samples, strips and tiles."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Tags = Mapping[int, Any]
"""A tag's values: numbers of a type of TIFF as (type, values), text as bytes, or whole numbers."""

LETTERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 18: "Q"}
SHORT, LONG, LONG8 = 3, 4, 16


class Page(NamedTuple):
    """A directory, and the strips or tiles that it names."""

    tags: Tags
    blocks: Sequence[bytes]
    below: Sequence[Page] = ()


class _Writer:
    def __init__(self, order: str, big: bool) -> None:
        self.order, self.big, self.word = order, big, 8 if big else 4
        start = b"II" if order == "<" else b"MM"
        self.file = bytearray(start + self.packed("HHHQ", 43, 8, 0, 0) if big else start + self.packed("HI", 42, 0))

    def packed(self, letters: str, *values: int) -> bytes:
        return struct.pack(self.order + letters, *values)

    def offset(self, value: int) -> bytes:
        return self.packed("Q" if self.big else "I", value)

    def add(self, data: bytes) -> int:
        self.file += bytes(len(self.file) % 2)
        self.file += data
        return len(self.file) - len(data)

    def link(self, place: int, target: int) -> None:
        self.file[place : place + self.word] = self.offset(target)

    def page(self, page: Page, link: int) -> int:
        """Add a page, and at `link` where its directory is; where it is said where the next one is."""
        tags = dict(page.tags)
        tiled = 322 in tags
        places = [self.add(block) for block in page.blocks]
        tags.setdefault(324 if tiled else 273, places)
        tags.setdefault(325 if tiled else 279, [len(block) for block in page.blocks])
        if page.below:
            places = []
            for inner in page.below:
                self.page(inner, place := self.add(bytes(self.word)))
                places.append(int.from_bytes(self.file[place : place + self.word], self.byteorder))
            tags[330] = places
        entries = b""
        for tag, value in sorted((tag, value) for tag, value in tags.items() if value is not None):
            kind, count, body = self.value(value)
            body = body.ljust(self.word, b"\0") if len(body) <= self.word else self.offset(self.add(body))
            entries += self.packed("HHQ" if self.big else "HHI", tag, kind, count) + body
        count = len(entries) // (20 if self.big else 12)
        directory = self.packed("Q" if self.big else "H", count) + entries + bytes(self.word)
        self.link(link, self.add(directory))
        return len(self.file) - self.word

    @property
    def byteorder(self) -> Any:
        return "little" if self.order == "<" else "big"

    def value(self, value: Any) -> tuple[int, int, bytes]:
        if isinstance(value, bytes):
            return 2, len(value), value
        if isinstance(value, int):
            value = [value]
        if isinstance(value, list):
            value = (LONG if max(value) >> 16 else SHORT, value)
        kind, values = value
        return kind, len(values), self.packed(f"{len(values)}{LETTERS[kind]}", *values)


def tiff_of(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """A file of pages, one directory after the other."""
    writer = _Writer(order, big)
    link = 8 if big else 4
    for page in pages:
        link = writer.page(page, link)
    return bytes(writer.file)


def bits_of(samples: Array, bits: int, order: str = ">") -> bytes:
    """Samples [R, W, C] of up to 16 bits as rows."""
    if bits == 16:
        return samples.astype(f"{order}u2").tobytes()
    single = (samples.astype(np.int64)[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(single.reshape(len(samples), -1).astype(np.uint8), axis=1).tobytes()


def differences(samples: Array) -> Array:
    """Of each sample to the one before it in its row."""
    return np.concatenate([samples[:, :1], samples[:, 1:] - samples[:, :-1]], axis=1)


PACKERS: dict[int, Callable[[bytes], bytes]] = {1: bytes, 8: zlib.compress, 32946: lambda data: zlib.compress(data, 1)}


def page_of(
    samples: Array,
    bits: int = 8,
    *,
    order: str = "<",
    rows: int = 0,
    tile: tuple[int, int] | None = None,
    planar: bool = False,
    compression: int = 1,
    predictor: int = 1,
    **changes: Any,
) -> Page:
    """A picture [H, W, C] as a page.

    Args:
        samples: uint8 or uint16.
        bits: of a sample.
        order: of bytes, of the file.
        rows: of a strip; 0: all.
        tile: height and width of tiles; beyond the picture they hold 1.
        planar: whether each channel is apart.
        compression, predictor: 1, 8 or 32946; 1 or 2.
        **changes: tags to add, or with None to leave out, such as t262=0.
    """
    height, width, channels = samples.shape
    down, across = tile or (rows or height, width)
    blocks = []
    for plane in np.split(samples, channels, axis=2) if planar else [samples]:
        for y in range(0, height, down):
            for x in range(0, width, across):
                part = plane[y : y + down, x : x + across]
                if tile:
                    whole = np.ones((*tile, part.shape[2]), part.dtype)
                    whole[: part.shape[0], : part.shape[1]] = part
                    part = whole
                part = differences(part) if predictor == 2 else part
                blocks.append(PACKERS[compression](bits_of(part, bits, order)))
    tags: dict[int, Any] = {
        256: width,
        257: height,
        258: [bits] * channels,
        259: compression,
        262: 1 if channels < 3 else 2 if channels == 3 else 5,
        277: channels,
        284: 2 if planar else 1,
    }
    tags |= {322: across, 323: down} if tile else {278: down}
    tags |= {317: predictor} if predictor != 1 else {}
    tags |= {int(name[1:]): value for name, value in changes.items()}
    return Page(tags, blocks)
