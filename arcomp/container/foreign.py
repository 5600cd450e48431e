"""What a file is that is not an arcomp file, in words a user can act on."""

from __future__ import annotations

from arcomp.errors import FormatError

_KINDS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
)
_PACKED = {"gzip data", "a zip archive", "xz data", "zstd data"}

_MANGLED = (
    (b"\x89ARC\n\x1a\n", "its line endings were changed"),
    (b"\x89ARC\r\r\n", "its line endings were changed"),
    (b"\x89ARC\r\n\x1a\r", "its line endings were changed"),
    (b"\x89ARC\n\n\x1a\n", "its line endings were changed"),
    (b"\x89ARC\r\r\x1a\r", "its line endings were changed"),
    (b"\x09ARC\r\n\x1a\n", "the high bit of its bytes was lost"),
    (b"\xc2\x89ARC", "it was stored as text (UTF-8)"),
    (b"\xef\xbf\xbdARC", "it was stored as text (UTF-8)"),
    (b"?ARC\r\n\x1a\n", "it was stored as text"),
)


def explain(start: bytes) -> FormatError:
    """The error for a file that does not begin with the magic.

    Args:
        start: the file's first bytes, up to 16.

    Returns:
        The error to raise: the file is empty, of a known other kind, mangled by a transfer, or unknown.
    """
    if not start:
        return FormatError("the file is empty", remedy="it was perhaps never written to its end")
    for magic, why in _MANGLED:
        if start.startswith(magic):
            return FormatError(
                f"an arcomp file damaged by a transfer in text mode: {why}",
                remedy="transfer it again as binary",
            )
    kind = "a WebP picture" if start[:4] == b"RIFF" and start[8:12] == b"WEBP" else ""
    kind = kind or next((name for magic, name in _KINDS if start.startswith(magic)), "")
    if kind in _PACKED:
        return FormatError(f"not an arcomp file but {kind}", remedy="unpack it first")
    if kind:
        return FormatError(f"not an arcomp file but {kind}", remedy="compress it first")
    return FormatError("not an arcomp file", remedy="compress it first, or check its name")
