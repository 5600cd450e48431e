"""The form of a file: how its bytes are made from samples, or from the coefficients of JPEGs.

A form is a sequence of *segments*. Some are literal bytes, some are samples in a known layout, some hold segments
themselves: a deflate stream of samples, or the chunks that a PNG cuts it into. Readers of files
(:mod:`arcomp.formats`) take a file apart into samples and a form; :func:`arcomp.formats.rebuild` puts it together
again, and knows nothing of the formats that there are.

Everything here is data: how it is stored is said in :mod:`arcomp.container`, what it means in docs/format.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How samples lie in the bytes of a row.

    Attributes:
        bits: of a sample in the file, 1 to 16; samples of more than 8 bits that fill two bytes have 16. Samples
            whose bits are not 8 or 16 are packed, the first in the highest bits.
        channels: which channels of a pixel lie there, in the file's sequence: (2, 1, 0) for blue, green, red.
        little: whether the low byte of a sample of 16 bits comes first.
        inverted: whether a sample v lies there as 2**bits - 1 - v.
        low_first: whether packed samples begin in the lowest bits of a byte.
        signed: whether a sample v lies there as v - 2**(bits - 1), in two's complement.
        word: bits of the word that holds a pixel, 16 or 32, where pixels are words; else 0. Its low byte comes first
            if the layout is little.
        fields: of a word, one for each of `channels`: (its lowest bit, how many bits). A field of fewer bits than a
            sample has holds the sample's highest; those below repeat them from the highest on, so that the largest
            value of a field is the largest sample. Bits of no field are 0.
    """

    bits: int
    channels: tuple[int, ...]
    little: bool = False
    inverted: bool = False
    low_first: bool = False
    signed: bool = False
    word: int = 0
    fields: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Literal:
    """Bytes as they are; many may be a view of a file that they were read from."""

    data: bytes | memoryview


@dataclass(frozen=True)
class Raster:
    """A rectangle of a picture, row by row.

    Attributes:
        picture: which, counted through all stacks.
        y, x, height, width: the rectangle, in pixels; it lies within the picture.
        layout: of its samples.
        stride: bytes from one row to the next; 0: rows take no more bytes than they need.
        upward: whether the last row comes first.
        transposed: whether the rows that lie there are the rectangle's columns, as in arrays of Fortran's order. Of
            several pictures, whose rectangle is of as many parts, one below the other, the pixels of one place then lie
            side by side.
        pictures: how many pictures of one stack, one below the other, are taken for one here.
        padding: what lies in the bits and bytes of each row after its samples, row by row in the file's sequence: for
            each row the last byte of its samples with the samples' bits cleared (only if samples do not fill it), then
            the bytes up to the stride. Empty: all of it is 0.
    """

    picture: int
    y: int
    x: int
    height: int
    width: int
    layout: Layout
    stride: int = 0
    upward: bool = False
    padding: bytes = b""
    transposed: bool = False
    pictures: int = 1


@dataclass(frozen=True)
class Scanlines:
    """All of a picture as PNG filters it: each row of each pass has a byte that names its filter, then the
    differences (PNG, third edition, section 9).

    Attributes:
        picture, layout, padding: as of :class:`Raster`; big-endian, row after row.
        filters: the filter bytes, each 0 to 4, in the file's sequence. Empty, where it is not interlaced: for each row
            that of the smallest sum of absolute differences, the first of equal ones; 0 of samples of fewer than 8 bits
            (section 12.7).
        interlaced: whether there are the seven passes of Adam7 (section 8).
    """

    picture: int
    layout: Layout
    filters: bytes
    interlaced: bool = False
    padding: bytes = b""


@dataclass(frozen=True)
class Differences:
    """A raster in which each sample is the difference from the one before it in its row and channel, modulo 2**bits:
    TIFF's predictor 2 (TIFF 6.0, section 14). Only for layouts of 8 and 16 bits."""

    raster: Raster


@dataclass(frozen=True)
class Decimals:
    """All of a picture as decimal numbers, as in plain PNM; nothing follows the last.

    Attributes:
        picture: as of :class:`Raster`.
        channels: which channels, in the file's sequence.
        lines: (numbers of a line, how many such lines) one after the other.
        between: what stands between two numbers of a pixel, perhaps nothing.
        pixel_end: what stands between two pixels of a line.
        line_end: what stands between two lines, such as a line feed.
        inverted: whether a sample v of 1 bit is written as 1 - v.
        width: to which numbers are filled up with spaces from the left; 0: not.
    """

    picture: int
    channels: tuple[int, ...]
    lines: tuple[tuple[int, int], ...]
    between: bytes
    pixel_end: bytes
    line_end: bytes
    inverted: bool = False
    width: int = 0


@dataclass(frozen=True)
class Deflated:
    """A deflate stream (RFC 1951), perhaps in zlib's wrapping (RFC 1950).

    Attributes:
        content: what is deflated.
        coded: if predicted, what :func:`arcomp.deflate.restore` needs beside the content to make the stream; else the
            stream itself, without its wrapping.
        predicted: which of them.
        header: bytes before the stream: zlib's two, or none.
        check: bytes after it; None: zlib's four, the right Adler-32 of the content.
    """

    content: tuple[Segment, ...]
    coded: bytes
    predicted: bool
    header: bytes = b""
    check: bytes | None = b""


@dataclass(frozen=True)
class PackBits:
    """Bytes in PackBits (TIFF 6.0, section 9).

    Attributes:
        content: what is packed.
        row: bytes that are cut into packets by themselves, one row after the other.
        headers: of all packets, if they are not cut as libtiff does: equal bytes are a run from 2 on; but a run of 2
            between bytes that are no run joins them, as long as all are at most 128.
    """

    content: tuple[Segment, ...]
    row: int
    headers: bytes = b""


@dataclass(frozen=True)
class Lzw:
    """Bytes in TIFF's LZW (TIFF 6.0, section 13): a Clear, then codes, each for the longest string that is known, the
    highest bit first. After k codes since the last Clear, the next one has as many bits as 258 + k needs, 9 to 12.

    Attributes:
        content: what is packed.
        clears: codes that stand between two Clears, as (codes, how many times in sequence); what is after the last
            Clear does not count.
        end: the bits after the last code of the content, below a highest bit of 1; None: the code that ends a stream,
            and zeros up to a whole byte.
    """

    content: tuple[Segment, ...]
    clears: tuple[tuple[int, int], ...] = ()
    end: int | None = None


@dataclass(frozen=True)
class BitsReversed:
    """Bytes in which the lowest bit comes first: TIFF's FillOrder 2.

    Attributes:
        content: the bytes with the highest bit first.
    """

    content: tuple[Segment, ...]


@dataclass(frozen=True)
class Chunks:
    """Chunks of a PNG that together hold one run of bytes (IDAT; or fdAT of an APNG, with sequence numbers).

    Attributes:
        content: what they hold, without sequence numbers.
        kind: four bytes, b"IDAT" or b"fdAT".
        lengths: bytes of the content in each chunk, as (length, how many such chunks) one after the other. Empty: all
            of it is in one.
        sequence: the first chunk's sequence number, the others' follow; None: they have none.
        wrong: (which chunk, its checksum), in ascending order, where a checksum is not the right CRC-32.
    """

    content: tuple[Segment, ...]
    kind: bytes
    lengths: tuple[tuple[int, int], ...]
    sequence: int | None = None
    wrong: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Jpeg:
    """A JPEG of Huffman codes (T.81), sequential or progressive, made of quantised coefficients.

    Scans are coded as libjpeg codes them, with the tables that the JPEG has for them, but for what is said here. Blocks
    are counted through all scans. A block beyond those that cover its component has no AC, and the DC of the one that
    was coded before it in its unit, unless it is among the coefficients.

    Attributes:
        content: its bytes, without those of its scans: each scan follows the segment that begins it.
        picture: which of the file's coefficients.
        scans: how many there are; what follows the last is content, whatever it is.
        units: units of blocks (T.81's MCU) that the last scan has; None: all.
        padded: sum of 2**c for all components c whose blocks are all among the coefficients, also those that only fill
            interleaved units.
        restarts: (scan, how many restart markers it has) where they are fewer than its interval asks for.
        zeros: (blocks since the last such one, how many) for runs of 16 zeros between the last coefficient of a band
            and its end.
        breaks: of blocks, each counted from the last such one, in which a run of blocks without new coefficients ends
            where libjpeg would go on with it, or goes on where libjpeg would end it.
        pads: bits that fill bytes up before markers, the first in the highest bit, as often as they are needed one
            after the other; empty: ones.
    """

    content: tuple[Segment, ...]
    picture: int
    scans: int
    units: int | None = None
    padded: int = 0
    restarts: tuple[tuple[int, int], ...] = ()
    zeros: tuple[tuple[int, int], ...] = ()
    breaks: tuple[int, ...] = ()
    pads: bytes = b""


@dataclass(frozen=True)
class PngStart:
    """What a PNG begins with: its signature, and its header (IHDR), whose compression and filtering are 0. Only in
    files: where forms are worked with, it is a :class:`Literal`.

    Attributes:
        width, height, depth, colour, interlaced: as of the header (PNG, third edition, section 11.2.1).
    """

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool


Segment = (
    Literal | Raster | Scanlines | Differences | Decimals | Deflated | PackBits | Lzw | Chunks | BitsReversed | Jpeg
)
SEGMENTS = (
    Literal, Raster, Scanlines, Differences, Decimals, Deflated, PackBits, Lzw, Chunks, BitsReversed, Jpeg, PngStart,
)  # fmt: skip
"""The kinds of segments, in the sequence of their numbers in a file."""
Skeleton = tuple[Segment, ...]
"""A whole file, one segment after the other."""


def kinds_of(skeleton: Skeleton) -> list[str]:
    """What a skeleton is made of, in words, each kind once: "literal", "chunks", "deflated (predicted)"."""
    found: list[str] = []
    for segment in skeleton:
        name = type(segment).__name__.lower()
        if isinstance(segment, Deflated):
            name += " (predicted)" if segment.predicted else " (kept)"
        inner = getattr(segment, "content", ())
        found += [name, *kinds_of(inner)]
    return list(dict.fromkeys(found))
