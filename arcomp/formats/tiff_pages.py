"""What a directory of a TIFF says of its picture: size, samples, and where its strips or tiles are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

import numpy as np

from arcomp.form import Layout
from arcomp.formats.layouts import row_bytes, turned_bits
from arcomp.formats.tiff_tags import Directory, OddTiffError
from arcomp.samples import MAX_CHANNELS, MAX_DEPTH, MAX_PIXELS

SUBFILE_TYPE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, DESCRIPTION = (
    254,
    256,
    257,
    258,
    259,
    262,
    266,
    270,
)
CHANNELS, ROWS_PER_STRIP, PLANAR, PREDICTOR, COLOUR_MAP = 277, 278, 284, 317, 320
TILE_WIDTH, TILE_HEIGHT, EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING, DEPTH = 322, 323, 338, 339, 530, 32997
STRIPS, TILES = (273, 279), (324, 325)
_NODATA = 42113
"""GDAL's: the sample that stands for what is not known, a number as text."""

NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
_CHANNELS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, SEPARATED: 4}
_COLOURS = {YCBCR: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab", 32803: "raw sensor", 34892: "raw sensor"}
_COMPRESSIONS = {NONE: NONE, LZW: LZW, DEFLATE: DEFLATE, 32946: DEFLATE, PACKBITS: PACKBITS}
TAKEN_APART = frozenset(_COMPRESSIONS)
LOSSY = frozenset((6, 7))
"""Compressions of which Pillow reads what is left: JPEG, old and new."""
NAMES = {
    2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "JPEG", 7: "JPEG", 33003: "JPEG 2000", 33005: "JPEG 2000",
    34712: "JPEG 2000", 34887: "LERC", 34892: "JPEG", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR",
    50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL",
}  # fmt: skip
"""What compressions are called that are not taken apart."""
_UNSIGNED, _SIGNED, _UNKNOWN = 1, 2, 4
"""Formats of samples; signed ones are in two's complement."""


_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Kinds of opacity: that colours were multiplied by, or not."""


class PageFormat(NamedTuple):
    """What pictures must have in common to be samples of one file."""

    channels: int
    depth: int
    alpha: bool
    palette: bytes
    """RGB, three bytes an index; empty if there is none."""


class Block(NamedTuple):
    """A strip or tile, or several strips that are not compressed and follow each other.

    Attributes:
        offset, length: where it is in the file; a length of 0: nowhere, its samples are those that the page says.
        picture: which, of those behind the directory.
        y, x, height, width: the rectangle of the picture that it holds, in pixels.
        channels: of the picture, that it holds.
    """

    offset: int
    length: int
    picture: int
    y: int
    x: int
    height: int
    width: int
    channels: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """The pictures behind a directory: one, or several of one size.

    Attributes:
        kind: of the pictures.
        width, height: of a picture, in pixels.
        count: of pictures.
        layout: of samples; each block has channels of its own.
        compression: NONE, LZW, DEFLATE or PACKBITS.
        differences: whether samples stand as differences.
        reversed_bits: whether each byte's lowest bit comes first.
        row, rows: pixels of a block's row, and rows of a whole block, also those beyond the picture.
        blocks: in the sequence of the directory.
        missing: the sample of blocks that are nowhere in the file.
    """

    kind: PageFormat
    width: int
    height: int
    count: int
    layout: Layout
    compression: int
    differences: bool
    reversed_bits: bool
    row: int
    rows: int
    blocks: tuple[Block, ...]
    missing: int = 0

    @property
    def pixels(self) -> int:
        """Of all its pictures."""
        return self.width * self.height * self.count

    @property
    def stride(self) -> int:
        """Bytes of a block's row."""
        return row_bytes(self.layout, self.row)


class _Meaning(NamedTuple):
    """What a directory says of samples.

    Attributes:
        kind: of its pictures.
        inverted: whether 0 is white.
        signed: whether samples are.
        planes: how many planes are stored apart; 1 if the samples of a pixel stand together.
    """

    kind: PageFormat
    inverted: bool
    signed: bool
    planes: int


def page_of(directory: Directory, size: int, *, alone: bool) -> Page:
    """The pictures behind a directory.

    Args:
        directory: of the file.
        size: bytes of the file.
        alone: whether it is the only one of the file: then pictures that it does not count may follow the first.

    Raises:
        OddTiffError: they are not of a kind that is taken apart, or contradict themselves or the file.
    """
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    if min(width, height) < 1 or width * height > MAX_PIXELS or directory.number(DEPTH, 1) != 1:
        raise OddTiffError("a size that is not taken")
    compression = _COMPRESSIONS.get(directory.number(COMPRESSION, NONE), 0)
    kind, inverted, signed, planes = _meaning(directory)
    predictor = directory.number(PREDICTOR, 1) if compression in (LZW, DEFLATE) else 1
    if not compression or predictor not in (1, 2) or (predictor == 2 and kind.depth not in (8, 16)):
        raise OddTiffError("a compression that is not taken apart")
    channels = tuple(range(kind.channels)) if planes == 1 else (0,)
    layout = Layout(kind.depth, channels, kind.depth == 16 and directory.file.order == "<", inverted, signed=signed)
    row, rows, blocks = _blocks(directory, kind, planes, layout)
    reversed_bits = directory.number(FILL_ORDER, 1) == 2
    count = planes // kind.channels if planes > 1 else 1
    known = kind, width, height, count, layout, compression, predictor == 2, reversed_bits
    page = Page(*known, row, rows, blocks, _missing(directory, layout))
    if compression == NONE:
        page = replace(page, blocks=_plain(page))
        page = _stack(page, directory, size) if alone else page
    for block in page.blocks:
        if block.length and (block.offset < 8 or block.offset + block.length > size):
            raise OddTiffError("a strip or tile that is not in the file")
    return page


def _meaning(directory: Directory) -> _Meaning:
    """
    Raises:
        OddTiffError: samples are of a kind that is not taken apart.
    """
    channels = directory.number(CHANNELS, 1)
    bits = set(directory.numbers(BITS).tolist()) or {1}
    formats = set(directory.numbers(SAMPLE_FORMAT).tolist()) or {_UNSIGNED}
    integers = len(formats) == 1 and formats <= {_UNSIGNED, _SIGNED, _UNKNOWN}
    if channels < 1 or len(bits) > 1 or not 1 <= min(bits) <= MAX_DEPTH or not integers:
        raise OddTiffError("samples that are not taken")
    depth, signed = min(bits), formats == {_SIGNED}
    photometric = directory.number(PHOTOMETRIC, RGB if channels == 3 else BLACK_IS_ZERO)
    if photometric == YCBCR and directory.numbers(SUBSAMPLING).tolist() != [1, 1]:
        raise OddTiffError("colour of fewer samples than pixels")
    planes = channels if directory.number(PLANAR, 1) == 2 else 1
    if channels > MAX_CHANNELS:
        if planes == 1:
            raise OddTiffError("more channels than a picture may have")
        return _Meaning(PageFormat(1, depth, False, b""), False, signed, planes)
    extra = directory.numbers(EXTRA_SAMPLES).tolist()
    alpha = extra in ([_ASSOCIATED], [_UNASSOCIATED]) and (photometric, channels) in ((BLACK_IS_ZERO, 2), (RGB, 4))
    palette = _palette(directory, depth) if photometric == PALETTE and channels == 1 else b""
    inverted = photometric == WHITE_IS_ZERO and channels == 1
    return _Meaning(PageFormat(channels, depth, alpha, palette), inverted, signed, planes)


def peculiarity(directory: Directory) -> str:
    """What samples are that who reads them by their channels alone would take for something else, in words; "" if they
    are gray, perhaps with something else, of a palette, red, green and blue, or cyan, magenta, yellow and black.

    Raises:
        OddTiffError: they are of a kind that is not taken apart.
    """
    found = _meaning(directory)
    photometric = directory.number(PHOTOMETRIC, RGB if found.kind.channels == 3 else BLACK_IS_ZERO)
    if found.signed:
        return "signed samples"
    if directory.numbers(EXTRA_SAMPLES).tolist() == [_ASSOCIATED]:
        return "colours that are multiplied by opacity"
    if photometric not in _CHANNELS:
        return f"{_COLOURS.get(photometric, 'unknown')} colour"
    if photometric == PALETTE and found.kind.channels == 1 and not found.kind.palette:
        return "indices without a palette of 8 or fewer bits"
    plain = found.kind.channels - found.kind.alpha == _CHANNELS[photometric]
    return "" if plain or (photometric, found.kind.channels) == (BLACK_IS_ZERO, 2) else "extra channels"


def _palette(directory: Directory, depth: int) -> bytes:
    """The colours, of 16 bits in the file, by their high bytes; those of files that mean 8 bits, as they are."""
    colours = directory.numbers(COLOUR_MAP)
    if depth > 8 or len(colours) != 3 << depth:
        return b""
    shift = 8 if int(colours.max()) > 255 else 0
    return (colours >> shift).astype(np.uint8).reshape(3, -1).T.tobytes()


def _blocks(directory: Directory, kind: PageFormat, planes: int, layout: Layout) -> tuple[int, int, tuple[Block, ...]]:
    """Pixels of a row of a strip or tile, rows of a whole one, and all strips or tiles."""
    width, height = directory.number(WIDTH, 0), directory.number(HEIGHT, 0)
    tiled = TILES[0] in directory.entries or TILE_WIDTH in directory.entries
    if tiled:
        down, across = directory.number(TILE_HEIGHT, 0), directory.number(TILE_WIDTH, 0)
    else:
        down, across = min(directory.number(ROWS_PER_STRIP, height), height), width
    if min(down, across) < 1 or max(down, across) > MAX_PIXELS:
        raise OddTiffError("strips or tiles of no size")
    offset_tag, length_tag = TILES if TILES[0] in directory.entries else STRIPS  # some put tiles there, too
    offsets, lengths = directory.numbers(offset_tag).tolist(), directory.numbers(length_tag).tolist()
    wanted = -(-height // down) * -(-width // across) * planes
    unknown = not lengths and directory.number(COMPRESSION, NONE) == NONE
    if len(offsets) < wanted or (len(lengths) < wanted and not unknown):
        raise OddTiffError("fewer strips or tiles than there must be")
    corners = [(y, x) for y in range(0, height, down) for x in range(0, width, across)]
    if unknown:
        rows = [down if tiled else min(down, height - y) for y, _ in corners] * planes
        lengths = [row_bytes(layout, across) * many for many in rows]
    blocks = []
    for index, (offset, length) in enumerate(zip(offsets[:wanted], lengths, strict=False)):
        if length < 1 and offset:
            raise OddTiffError("a strip or tile of no bytes")
        plane, place = divmod(index, len(corners))
        picture, channel = divmod(plane, kind.channels)
        y, x = corners[place]
        channels = layout.channels if planes == 1 else (channel,)
        size = min(down, height - y), min(across, width - x)
        blocks.append(Block(offset, length, picture, y, x, *size, channels))
    return across, down, tuple(blocks)


def _plain(page: Page) -> tuple[Block, ...]:
    """Strips and tiles that are not compressed, those that follow each other as one, none longer than its samples."""
    found: list[Block] = []
    for block in page.blocks:
        need = page.stride * block.height
        if block.length and block.length < need:
            raise OddTiffError("a strip or tile that has fewer bytes than samples")
        if page.row != page.width or not block.length:
            found.append(block)
            continue
        block = block._replace(length=need)
        last = found[-1] if found else None
        if (
            last is not None
            and last.length
            and last.offset + last.length == block.offset
            and (last.picture, last.channels, last.y + last.height) == (block.picture, block.channels, block.y)
        ):
            found[-1] = last._replace(length=last.length + need, height=last.height + block.height)
        else:
            found.append(block)
    return tuple(found)


def _missing(directory: Directory, layout: Layout) -> int:
    """The sample of strips and tiles that are nowhere: GDAL, which writes such files, takes the value for what is not
    known, in the range of samples, and stores 0 where no value is given."""
    try:
        said = float(directory.text(_NODATA).rstrip(b"\0"))
    except (OddTiffError, ValueError):
        said = 0.0
    least = -(1 << layout.bits - 1) * layout.signed
    most = least + (1 << layout.bits) - 1
    stored = 0 if said != said else round(min(max(said, least), most))
    return (stored & (1 << layout.bits) - 1) ^ turned_bits(layout)


def _stack(page: Page, directory: Directory, size: int) -> Page:
    """The same, with all pictures that its description counts and that follow the first without a directory: as ImageJ
    writes stacks, and tifffile those that it is told to."""
    first = page.blocks[0]
    if len(page.blocks) > 1 or page.count > 1 or not first.length or page.row != page.width:
        return page
    text = directory.text(DESCRIPTION)
    count = 1
    if text.startswith(b"ImageJ=") and (found := re.search(rb"\nimages=(\d{1,9})\s", text + b"\n")):
        count = int(found[1])
    elif found := re.match(rb'\{"shape": \[([\d, ]{1,200})\]', text):
        samples = prod(int(n) for n in found[1].split(b",") if n.strip().isdigit())
        each = page.width * page.height * page.kind.channels
        count = samples // each if samples % each == 0 else 1
    count = min(count, (size - first.offset) // first.length)
    if count < 2:
        return page
    blocks = tuple(first._replace(offset=first.offset + n * first.length, picture=n) for n in range(count))
    return replace(page, count=count, blocks=blocks)
