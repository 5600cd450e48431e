"""What a GIF says besides its pixels, block by block (GIF89a specification)."""

from __future__ import annotations

from arcomp.formats.metadata.fields import Gathered, Metadata

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_CONTROL, _COMMENT, _TEXT, _PROGRAM = 0xF9, 0xFE, 0x01, 0xFF
_XMP, _ICC = b"XMP DataXMP", b"ICCRGBG1012"
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_TRAILER_OF_XMP = bytes([1, *range(255, -1, -1), 0])
"""Stands after XMP that is in no blocks, and leads a reader of blocks to their end (XMP specification, part 3)."""


def of_gif(data: bytes) -> Metadata:
    """What a GIF says."""
    found = Gathered()
    pictures, local = 0, False
    common, at = _table(data, 10, 13)
    if len(data) > 12 and data[12]:
        found.scale(64, data[12] + 15, metre=False)
    found.name_if(common and data[11], "background")
    while at < len(data):
        kind = data[at]
        if kind == _EXTENSION:
            begin, at = at, _after_blocks(data, at + 2)
            _extension(found, data[begin + 1 : at])
        elif kind == _PICTURE:
            own, table_end = _table(data, at + 9, at + 10)
            local |= own
            pictures += 1
            at = _after_blocks(data, table_end + 1)
        else:
            at += kind == _END
            break
    found.name_if(common and local, "a second palette")
    found.rest(data, [(0, at)])
    return found.metadata(pictures=max(1, pictures))


def _table(data: bytes, flags: int, begin: int) -> tuple[bool, int]:
    """Whether there is a table of colours, and where it ends; `flags` is where it is said, `begin` where it begins."""
    said = data[flags] if flags < len(data) else 0
    return bool(said & 128), begin + (3 * (2 << (said & 7)) if said & 128 else 0)


def _after_blocks(data: bytes, at: int) -> int:
    """Where blocks end that begin at a place, the one of no bytes too."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))


def _joined(blocks: bytes) -> bytes:
    made, at = bytearray(), 0
    while at < len(blocks) and blocks[at]:
        made += blocks[at + 1 : at + 1 + blocks[at]]
        at += 1 + blocks[at]
    return bytes(made)


def _extension(found: Gathered, body: bytes) -> None:
    """An extension, from its kind to its last block."""
    kind, first = body[0] if body else -1, body[2 : 2 + body[1]] if len(body) > 1 else b""
    rest = body[2 + len(first) :]
    if kind == _CONTROL:
        found.name_if(len(first) >= 3 and (first[0] & 2 or any(first[1:3])), "delay")
    elif kind == _COMMENT:
        found.add_text("Comment", _joined(body[1:]).decode("latin-1"))
    elif kind == _PROGRAM and first == _XMP:
        raw = rest.endswith(_TRAILER_OF_XMP)
        found.keep("xmp", rest[: -len(_TRAILER_OF_XMP)] if raw else _joined(rest))
    elif kind == _PROGRAM and first == _ICC:
        found.keep("icc", _joined(rest))
    elif kind == _PROGRAM:
        name = first[:8].decode("latin-1").strip()
        found.name("number of loops" if first in _LOOPS else f"{name} extension")
    else:
        found.name("plain text" if kind == _TEXT else f"extension {kind}")
