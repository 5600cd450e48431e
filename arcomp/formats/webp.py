"""WebP, by its RIFF chunks: lossless or not, animated or not."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from arcomp.errors import PictureError
from arcomp.formats.common import damaged
from arcomp.formats.kinds import refuse_lossy


def check_webp(data: bytes, *, allow_lossy: bool) -> None:
    """Check that a WebP file holds one picture, and that it is lossless.

    WebP has no checksums: damage that leaves a picture that can be decoded is not found, by any reader.

    Args:
        data: the whole file.
        allow_lossy: take lossy pictures too.

    Raises:
        PictureError: the file is truncated, animated or lossy.
    """
    kinds: set[bytes] = set()
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise damaged("WebP", f"it is truncated, {len(data)} of {end} bytes")
    for kind, _, _ in chunks(data, end):
        if kind in (b"ANIM", b"ANMF"):
            raise PictureError("an animated WebP picture is not supported", remedy="extract its frames first")
        kinds.add(kind)
    if b"VP8 " in kinds and not allow_lossy:
        raise refuse_lossy("a lossy WebP picture")
    if not kinds & {b"VP8 ", b"VP8L"}:
        raise damaged("WebP", "it has no image data")


def chunks(data: bytes, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each chunk up to a place, where its content begins, and its length.

    Raises:
        PictureError: one is truncated.
    """
    at = 12
    while at + 8 <= end:
        kind = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        if at + 8 + length > end:
            raise damaged("WebP", f"its {kind.decode('latin-1').strip()!r} chunk is truncated")
        yield kind, at + 8, length
        at += 8 + length + length % 2
