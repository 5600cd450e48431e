"""The file: an `.arcomp` container and how it reaches the disk. docs/format.md is its specification."""

from arcomp.container.atomic import check_target, write_atomically, written_atomically
from arcomp.container.content import check_content
from arcomp.container.header import Extent, Header
from arcomp.container.layout import MAGIC, MAX_HEADER_BYTES, VERSION, pack, read_form, read_header, unpack
from arcomp.container.member import (
    DIGEST_BYTES,
    MAX_SIDE_BYTES,
    CodedJpeg,
    Geometry,
    Member,
    ModelId,
    Original,
    Part,
    samples_checksum,
)
from arcomp.container.skeleton import PackedSkeleton, pack_skeleton

__all__ = [
    "DIGEST_BYTES",
    "MAGIC",
    "MAX_HEADER_BYTES",
    "MAX_SIDE_BYTES",
    "VERSION",
    "CodedJpeg",
    "Extent",
    "Geometry",
    "Header",
    "Member",
    "ModelId",
    "Original",
    "PackedSkeleton",
    "Part",
    "check_content",
    "check_target",
    "pack",
    "pack_skeleton",
    "read_form",
    "read_header",
    "samples_checksum",
    "unpack",
    "write_atomically",
    "written_atomically",
]
