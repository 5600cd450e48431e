"""The file: an `.arcomp` container and how it reaches the disk. FORMAT.md is its specification."""

from arcomp.container.atomic import check_target, write_atomically
from arcomp.container.content import check_content
from arcomp.container.fields import (
    DIGEST_BYTES,
    MAX_HEADER_BYTES,
    MAX_SIDE_BYTES,
    Header,
    pixels_checksum,
    possible_source,
)
from arcomp.container.layout import MAGIC, VERSION, pack, read_header, unpack

__all__ = [
    "DIGEST_BYTES",
    "MAGIC",
    "MAX_HEADER_BYTES",
    "MAX_SIDE_BYTES",
    "VERSION",
    "Header",
    "check_content",
    "check_target",
    "pack",
    "pixels_checksum",
    "possible_source",
    "read_header",
    "unpack",
    "write_atomically",
]
