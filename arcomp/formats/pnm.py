"""PBM, PGM, PPM and PAM (Netpbm's formats, P1 to P7): pictures in text or raw, one or several in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from arcomp.errors import OutputError, PictureError
from arcomp.form import Layout, Literal, Raster, Skeleton
from arcomp.formats.common import check_size, damaged
from arcomp.formats.embedded import Part, together
from arcomp.formats.layouts import pack, row_bytes, unpack
from arcomp.formats.metadata.fields import NONE, SEVERAL_MAXIMA, Metadata
from arcomp.formats.parsed import Parsed
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, Pixels, Samples

_GAP = rb"(?:[ \t\n\v\f\r]|#[^\r\n]*[\r\n])+"
_NUMBER = _GAP + rb"(\d{1,10})(?!\d)"
_HEADER = re.compile(rb"P(?:([14])%b|([2356])%b)" % (2 * _NUMBER, 3 * _NUMBER))
_PAM_HEADER = re.compile(rb"P7[ \t\r]*\n(.*?\n)[ \t]*ENDHDR[ \t\r]*\n", re.DOTALL)
_BEFORE_RASTER = re.compile(rb"[ \t\n\v\f\r]|(?=#)")
_COMMENT = re.compile(rb"[ \t\n\v\f\r]*#[^\r\n]*[\r\n]")
_SPACE = re.compile(rb"[ \t\n\v\f\r]+")
_ROOM = 1 << 16
"""Most bytes of a header."""
_MOST_PICTURES = 1 << 14
"""Those after them are left as bytes."""


class Header(NamedTuple):
    """What a picture's header says.

    Attributes:
        end: where it ends; of raw pictures the white space before the samples is still to come.
        kind: 1 to 7, the digit after the P.
        width, height: in pixels.
        channels: 1 to 4, opacity included.
        maximum: of the samples, which is white: 1 to 65535.
        alpha: whether the last channel is opacity.
    """

    end: int
    kind: int
    width: int
    height: int
    channels: int
    maximum: int
    alpha: bool

    @property
    def name(self) -> str:
        """Of the format, and of its files' ending."""
        return "pam" if self.kind == 7 else ("pbm", "pgm", "ppm")[(self.kind - 1) % 3]

    @property
    def layout(self) -> Layout:
        """Of raw samples."""
        if self.kind == 4:
            return Layout(1, (0,), inverted=True)
        return Layout(8 if self.maximum < 256 else 16, tuple(range(self.channels)))

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return self.maximum.bit_length()


class Found(NamedTuple):
    """A picture of a file.

    Attributes:
        begin, end: where its header begins, and where white space after its samples ends.
        header: what it says.
        part: where its samples are, and what they are.
    """

    begin: int
    end: int
    header: Header
    part: Part


def parsed(data: bytes) -> Parsed:
    """Take a file of Netpbm's formats apart: pictures one after the other, perhaps with white space between them. Of
    several kinds, those that hold most bytes are taken; what comes after something odd is left as it is.

    Raises:
        PictureError: the first picture is damaged, truncated, too large, or text in no usual shape.
    """
    all_of_them = list(pictures(data))
    found = together(data, [picture.part for picture in all_of_them])
    assert found is not None
    maximum = common_maximum([picture.header for picture in all_of_them], found.samples.depth)
    return found if maximum is None else replace(found, samples=replace(found.samples, maximum=maximum))


def common_maximum(headers: Sequence[Header], depth: int) -> int | None:
    """The sample that is white in all pictures; None if it is the largest of ``depth`` bits, SEVERAL_MAXIMA if it is
    not the same in all of them."""
    maxima = {None if header.maximum + 1 == 1 << depth else header.maximum for header in headers}
    return maxima.pop() if len(maxima) == 1 else SEVERAL_MAXIMA


def maximum_of(skeleton: Skeleton, depth: int) -> int | None:
    """The same of a file's form; None of other formats."""
    headers = []
    for segment in skeleton:
        if isinstance(segment, Literal) and segment.data[:1] == b"P":
            with suppress(PictureError):
                headers.append(_header(bytes(segment.data), 0))
    return common_maximum(headers, depth) if headers else None


def pictures(data: bytes) -> Iterator[Found]:
    """The pictures of a file, one after the other, up to something odd.

    Raises:
        PictureError: as of :func:`parsed`.
    """
    at = 0
    for count in range(_MOST_PICTURES):
        try:
            header = _header(data, at)
            part = _picture(data, header)
        except PictureError:
            if not count:
                raise
            return
        between = _SPACE.match(data, part[1])
        end = between.end() if between else part[1]
        yield Found(at, end, header, part)
        at = end


def _header(data: bytes, at: int) -> Header:
    """The header of the picture that begins at `at`.

    Raises:
        PictureError: there is none, or it is not understood.
    """
    if data[at : at + 2] == b"P7":
        return _pam_header(data, at)
    found = _HEADER.match(data, at, at + _ROOM)
    if found is None:
        raise damaged("PNM", "its header is not understood")
    numbers = [int(group) for group in found.groups() if group is not None]
    kind, width, height, maximum = numbers if len(numbers) == 4 else [*numbers, 1]
    return _checked(Header(found.end(), kind, width, height, 3 if kind in (3, 6) else 1, maximum, False))


def _pam_header(data: bytes, at: int) -> Header:
    found = _PAM_HEADER.match(data, at, at + _ROOM)
    if found is None:
        raise damaged("PAM", "its header is not understood")
    fields: dict[bytes, bytes] = {}
    for line in found.group(1).splitlines():
        key, _, value = line.strip().partition(b" ")
        if key and not key.startswith(b"#"):
            fields[key] = value.strip()
    try:
        width, height, channels, maximum = (int(fields[key][:10]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    except (KeyError, ValueError):
        raise damaged("PAM", "its header is not understood") from None
    if not 1 <= channels <= MAX_CHANNELS:
        raise PictureError(f"a PAM picture of {channels} channels is not supported")
    alpha = channels in (2, 4) and fields.get(b"TUPLTYPE", b"").endswith(b"_ALPHA")
    return _checked(Header(found.end(), 7, width, height, channels, maximum, alpha))


def _checked(header: Header) -> Header:
    check_size(header.width, header.height)
    if not 1 <= header.maximum < 1 << MAX_DEPTH:
        raise damaged(header.name.upper(), f"its maximum value is {header.maximum}")
    return header


def _picture(data: bytes, header: Header) -> Part:
    """Where the samples of a picture, whose header has been read, lie, and what they are.

    Raises:
        PictureError: it is truncated, or text in no usual shape.
    """
    try:
        return _plain(data, header) if header.kind <= 3 else _raw(data, header)
    except PictureError as error:
        if error.remedy:
            raise PictureError(f"a {header.name.upper()} picture: {error.cause}", remedy=error.remedy) from None
        raise damaged(header.name.upper(), error.cause) from None


def _plain(data: bytes, header: Header) -> Part:
    from arcomp.formats.decimals import read  # Numba takes a second to import: only where it is needed

    *_, begin = header.end, *_after_comments(data, header.end)
    shape = header.height, header.width, header.channels
    numbers = read(data, begin, shape, single=header.kind == 1)
    largest = int(numbers.values.max())
    if largest > header.maximum:
        raise PictureError(f"a sample is {largest}, above its maximum of {header.maximum}")
    bits = header.kind == 1
    values = numbers.values if header.maximum > 255 else numbers.values.astype(np.uint8)
    pixels = values.reshape(1, *shape) ^ values.dtype.type(bits)
    form = replace(numbers.form, inverted=bits)
    return numbers.begin, numbers.end, Parsed(Samples((pixels,), header.depth), (form,))


def _raw(data: bytes, header: Header) -> Part:
    layout = header.layout
    size = header.height * row_bytes(layout, header.width)
    begin = header.end if header.kind == 7 else _raster_at(data, header.end, size)
    if len(data) - begin < size:
        raise PictureError(f"it is truncated, {len(data) - begin} of {size} bytes of samples")
    kind = np.uint8 if layout.bits <= 8 else np.uint16
    pixels = np.empty((1, header.height, header.width, header.channels), kind)
    padding = unpack(memoryview(data)[begin : begin + size], pixels[0], layout)
    form = Raster(0, 0, 0, header.height, header.width, layout, padding=padding)
    # Samples may be larger than the maximum: what their bits can hold is kept.
    largest = int(pixels.max()) if header.depth < layout.bits else 0
    samples = Samples((pixels,), max(header.depth, largest.bit_length()), alpha=header.alpha)
    return begin, begin + size, Parsed(samples, (form,))


def _raster_at(data: bytes, end: int, size: int) -> int:
    """Where the samples begin: after one character of white space, by the specification. Where the file then has bytes
    left, but none if they begin after a line end of two characters or after comments, they begin there.

    Raises:
        PictureError: there is no white space, nor a comment.
    """
    found = _BEFORE_RASTER.match(data, end)
    if found is None:
        raise PictureError("its header is not understood")
    places = [found.end()]
    if data[end : end + 2] == b"\r\n":
        places.append(end + 2)
    exact = [place for place in (*places, *_after_comments(data, end)) if place + size == len(data)]
    return (exact or places)[0]


def _after_comments(data: bytes, at: int) -> Iterator[int]:
    """Where each of the comments ends that follow each other from `at` on."""
    end = at + _ROOM
    while found := _COMMENT.match(data, at, end):
        at = found.end()
        yield at


def write_pnm(samples: Samples, ending: str, metadata: Metadata = NONE) -> bytes:
    """A raw file of pictures, one after the other: PBM of 1 bit, PGM of other gray, PPM of RGB, and PAM.

    Args:
        samples: their pixels.
        ending: "pnm", "ppm", "pgm", "pbm" or "pam". Gray samples become PGM in a file that ends in .ppm too, and RGB
            PPM in one that ends in .pgm: whoever reads them goes by what is in the file.
        metadata: says the maximum value, if it is not what the depth of samples can hold; comments go into the header.

    Raises:
        OutputError: they are indices into a palette; have opacity or unknown channels, and it is not PAM; or are not
            of 1 bit, and it is PBM.
    """
    depth, channels = samples.depth, samples.channels
    if samples.palette is not None:
        raise OutputError(f"{ending} cannot hold a palette", remedy="choose png")
    if ending != "pam" and (samples.alpha or channels not in (1, 3)):
        what = "transparency" if samples.alpha else f"{channels} channels"
        raise OutputError(f"{ending} cannot hold {what}", remedy="choose pam or png")
    if ending == "pbm" and (depth, channels) != (1, 1):
        raise OutputError("pbm cannot hold samples but gray of 1 bit", remedy="choose pgm or ppm")
    if metadata.maximum == SEVERAL_MAXIMA:
        raise OutputError("holds pictures of different maximum values", remedy="choose npz")
    maximum = metadata.maximum or (1 << depth) - 1
    layout = Layout(8 if maximum < 256 else 16, tuple(range(channels)))
    if (depth, channels) == (1, 1) and ending not in ("pgm", "pam"):
        layout = Layout(1, (0,), inverted=True)
    parts, comments = [], b"".join(_comments(metadata))
    for picture in (picture for stack in samples.stacks for picture in stack):
        header = _written_header(samples, picture, ending, maximum)
        parts += [header[:3], comments, header[3:], pack(picture, layout).tobytes()]
        comments = b""
    return b"".join(parts)


def _comments(metadata: Metadata) -> Iterator[bytes]:
    """Lines of a header for comments that fit into one."""
    for keyword, text in metadata.text:
        line = text.encode("latin-1", "ignore")
        if keyword == "Comment" and line.decode("latin-1") == text and not set(text) & set("\r\n"):
            yield b"# " + line + b"\n"


def _written_header(samples: Samples, picture: Pixels, ending: str, maximum: int) -> bytes:
    """The header of a picture [H, W, C]."""
    height, width, channels = picture.shape
    if ending == "pam":
        names = {1: "BLACKANDWHITE" if maximum == 1 else "GRAYSCALE", 3: "RGB"}
        name = names.get(channels - samples.alpha, "UNKNOWN") + ("_ALPHA" if samples.alpha else "")
        fields = {"WIDTH": width, "HEIGHT": height, "DEPTH": channels, "MAXVAL": maximum, "TUPLTYPE": name}
        return ("P7\n" + "".join(f"{key} {value}\n" for key, value in fields.items()) + "ENDHDR\n").encode()
    if (samples.depth, channels) == (1, 1) and ending != "pgm":
        return b"P4\n%d %d\n" % (width, height)
    return b"P%d\n%d %d\n%d\n" % (5 if channels == 1 else 6, width, height, maximum)
