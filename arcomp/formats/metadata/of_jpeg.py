"""What a JPEG says besides its pixels, segment by segment (ITU-T T.81, annex B; JFIF 1.02; Exif 2.32; CIPA DC-007)."""

from __future__ import annotations

import re
import struct

from arcomp.formats.metadata.fields import Gathered, Metadata

INCH = 0.0254
"""Metres of an inch."""
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_JFIF = struct.Struct(">5x2xBHHBB")
_SCAN, _END, _COMMENT, _FIRST_APP, _LAST_APP = 0xDA, 0xD9, 0xFE, 0xE0, 0xEF
_ALONE = (0x01, *range(0xD0, 0xD9))
"""Markers without a segment."""
_NEXT = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""A marker after coded data."""
_APPS = {
    (0xE0, b"JFXX\0"): "JFXX thumbnail",
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0"): "extended XMP",
    (0xE2, b"MPF\0"): "further pictures",
    (0xEB, b"JP"): "content credentials",
    (0xED, b"Photoshop 3.0\0"): "Photoshop data",
    (0xEE, b"Adobe"): "",
}
"""What segments of programs are called, by marker and how they begin; "": it says how the pixels lie there."""


def of_jpeg(data: bytes) -> Metadata:
    """What a JPEG says."""
    found = Gathered()
    profile: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == _END:
            at += 2 * (data[at] == 0xFF)
            break
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker == _COMMENT:
            found.add_text("Comment", body.rstrip(b"\0").decode("latin-1"))
        elif _FIRST_APP <= marker <= _LAST_APP:
            _app(found, profile, marker, body)
        at = end
        if marker == _SCAN:
            following = _NEXT.search(data, at)
            at = following.end() - 2 if following else len(data)
    else:
        at = at + 2 if data[at : at + 2] == bytes([0xFF, _END]) else at
    if profile:
        count = profile[min(profile)][1]
        if sorted(profile) == list(range(1, count + 1)):
            found.keep("icc", b"".join(profile[i][2:] for i in sorted(profile)))
        else:
            found.name("ICC profile (damaged)")
    found.rest(data, [(0, at)])
    return found.metadata()


def _app(found: Gathered, profile: dict[int, bytes], marker: int, body: bytes) -> None:
    """A segment of a program. Of a profile the parts are gathered by their numbers."""
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= _JFIF.size:
        unit, across, down, *thumbnail = _JFIF.unpack_from(body)
        per_metre = {1: 1 / INCH, 2: 100}.get(unit, 1)
        if unit in (1, 2) or across != down:
            found.scale(across * per_metre, down * per_metre, metre=unit in (1, 2))
        found.name_if(all(thumbnail), "thumbnail")
    elif marker == 0xE1 and body.startswith(_EXIF):
        found.keep("exif", body[len(_EXIF) :])
    elif marker == 0xE1 and body.startswith(_XMP):
        found.keep("xmp", body[len(_XMP) :])
    elif marker == 0xE2 and body.startswith(_ICC) and len(body) >= len(_ICC) + 2:
        profile.setdefault(body[len(_ICC)], body[len(_ICC) :])
    else:
        known = [name for (of, start), name in _APPS.items() if of == marker and body.startswith(start)]
        found.name_if(not known, f"APP{marker - _FIRST_APP} segment")
        found.name_if(known and known[0], "".join(known))
