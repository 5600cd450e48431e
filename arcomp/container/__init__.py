"""The file: an `.arcomp` container and how it reaches the disk. FORMAT.md is its specification."""

from arcomp.container.atomic import check_target, write_atomically
from arcomp.container.content import Array, Bytes, Content
from arcomp.container.fields import (
    DIGEST_BYTES,
    MAX_HEADER_BYTES,
    MAX_PIXELS,
    MAX_SIDE_BYTES,
    Header,
    pixels_checksum,
)
from arcomp.container.layout import MAGIC, VERSION, pack, read_header, unpack

__all__ = [
    "DIGEST_BYTES",
    "MAGIC",
    "MAX_HEADER_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE_BYTES",
    "VERSION",
    "Array",
    "Bytes",
    "Content",
    "Header",
    "check_target",
    "pack",
    "pixels_checksum",
    "read_header",
    "unpack",
    "write_atomically",
]
