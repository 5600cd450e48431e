"""What files of Netpbm's formats, icons, sounds and NumPy's arrays say besides their samples."""

from __future__ import annotations

import re

from arcomp.errors import ArcompError
from arcomp.formats import ico, npy, pnm, wav
from arcomp.formats.metadata.fields import Gathered, Metadata

_COMMENT = re.compile(rb"#[ \t]?([^\r\n]*)")
_KIND = re.compile(rb"\nTUPLTYPE[ \t]+(\S+)")
_KINDS = {kind + alpha for kind in (b"BLACKANDWHITE", b"GRAYSCALE", b"RGB") for alpha in (b"", b"_ALPHA")}
"""Types of PAM's pictures that say no more than their channels."""
_TABLES = (b"TOC ", b"icnV")
"""Elements of .icns files that say how these are made."""


def of_pnm(data: bytes) -> Metadata:
    """Comments in headers, and which sample is white if that is not the largest of its bits."""
    found = Gathered()
    spans: list[tuple[int, int]] = []
    pictures: list[pnm.Found] = []
    try:
        for picture in pnm.pictures(data):
            header = data[picture.begin : picture.part[0]]
            for comment in _COMMENT.findall(header):
                found.add_text("Comment", comment.decode("latin-1"))
            kind = _KIND.search(header)
            found.name_if(picture.header.kind == 7 and kind and kind[1] not in _KINDS, "type of tuples")
            spans.append((picture.begin, picture.end))
            pictures.append(picture)
    except ArcompError:
        return found.metadata()
    found.rest(data, spans)
    depth = max(picture.part[2].samples.depth for picture in pictures)
    return found.metadata(pnm.common_maximum([p.header for p in pictures], depth), pictures=len(spans))


def of_icon(data: bytes) -> Metadata:
    """Hotspots of cursors, and masks that opacity does not agree with."""
    found = Gathered()
    spans = ico.spans(data)
    pictures = len(spans) - 1
    if data.startswith(ico.CURSOR):
        found.name_if(any(any(entry[4:8]) for entry in ico.entries(data)), "hotspot")
    for kind, begin, end in ico.elements(data):
        spans.append((begin - 8, end))
        found.name_if(kind not in _TABLES and not ico.is_png(data, begin), f"{kind.decode('latin-1')!r} element")
    found.name_if(any(picture.contradicts_mask for picture in ico.pictures(data)), "mask")
    found.rest(data, spans)
    return found.metadata(pictures=max(1, pictures))


def of_wav(data: bytes) -> Metadata:
    """How many samples a second have, and what other chunks there are."""
    found = Gathered()
    try:
        sound = wav.header(data)
    except ArcompError:
        return found.metadata()
    found.name(f"{sound.rate} samples a second")
    for name in dict.fromkeys(sound.names):
        found.name(f"chunk {name!r}")
    return found.metadata(pictures=sound.channels)


def of_arrays(data: bytes) -> Metadata:
    """The name of an array, and what else is in its archive."""
    found = Gathered()
    try:
        if not data.startswith(npy.ZIP):
            header = npy.header(data)
            found.rest(data, [(0, header.size + header.bytes)])
            return found.metadata()
        members, arrays = npy.contents(data)
    except ArcompError:
        return found.metadata()
    found.name_if(members > len(arrays), "what is no array of pictures")
    found.name_if([name for name, _ in arrays] not in ([], [npy.ARR_0]), "names of arrays")
    return found.metadata(pictures=max(1, sum(count for _, count in arrays)))
