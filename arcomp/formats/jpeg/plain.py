"""A JPEG of coefficients as anybody would write it: what is left of a damaged one."""

from __future__ import annotations

from collections.abc import Iterator

from arcomp.coefficients import Coefficients
from arcomp.form import Jpeg
from arcomp.formats.jpeg.scans import ZIGZAG
from arcomp.formats.jpeg.writing import scans_of, write

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_SOF1, _DHT, _SOS, _DQT = 0xC1, 0xC4, 0xDA, 0xDB
_TABLES_OMITTED = b"\x80\x90"
"""One of DC and one of AC that are made of what the scan needs; see docs/format.md."""


def plain(jpeg: Jpeg, content: bytes, coefficients: Coefficients) -> bytes:
    """A sequential JPEG of coefficients, a scan for each component, with tables of its own.

    Args:
        jpeg, content: the form of another of the same components, whose profiles, Exif and comments are kept.

    Raises:
        ValueError: there is no such JPEG.
    """
    frame = [headers.frame for headers, *_ in scans_of(jpeg, content)][-1]
    if frame is None:
        raise ValueError("a JPEG without a frame")
    made, size = _SOI + b"".join(_said(content)), [coefficients.height, coefficients.width]
    said = b"\x08" + b"".join(side.to_bytes(2, "big") for side in size) + bytes([len(frame.components)])
    for i, (one, component) in enumerate(zip(frame.components, coefficients.components, strict=True)):
        steps = component.quantisation[ZIGZAG].astype(">u2").tobytes()
        made += _segment(_DQT, bytes([0x10 | i]) + steps)
        said += bytes([one.name, one.sampling[0] << 4 | one.sampling[1], i])
    made += _segment(_SOF1, said)
    for one in frame.components:
        made += _segment(_DHT, _TABLES_OMITTED[:1]) + _segment(_DHT, _TABLES_OMITTED[1:])
        made += _segment(_SOS, bytes([1, one.name, 0, 0, 63, 0]))
    form = Jpeg((), 0, len(frame.components), padded=jpeg.padded)
    return b"".join(write(form, made + _EOI, coefficients, 1 << 40))


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def _said(content: bytes) -> Iterator[bytes]:
    """Segments before the frame that applications wrote, and comments."""
    at = len(_SOI)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, end = content[at + 1], at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            yield content[at:end]
        elif marker not in (_DHT, _DQT):
            break
        at = end
