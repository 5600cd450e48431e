"""What a TIFF says besides its pixels, tag by tag (TIFF 6.0; Exif 2.32, section 4.6; TIFF/EP)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from arcomp.formats import tiff_pages
from arcomp.formats.metadata.exif import FRACTIONS, ORIENTATION, Entries, exif_with, numbers_of, read_directory
from arcomp.formats.metadata.fields import Gathered, Metadata
from arcomp.formats.metadata.of_jpeg import INCH
from arcomp.formats.tiff_tags import DIRECTORIES, Directory, Entry, OddTiffError, directories

TEXTS = {"Description": 270, "Software": 305, "Author": 315, "Copyright": 33432}
"""Tags that are texts, by what PNG calls them."""
ACROSS, DOWN, UNIT, XMP, ICC = 282, 283, 296, 700, 34675
STRUCTURE = frozenset(
    {
        256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 338, 339, 347,
        *range(512, 522), 530, 32997,
    }
)  # fmt: skip
"""Tags that say how the pixels lie in the file."""
_FIELDS = frozenset({ACROSS, DOWN, UNIT, XMP, ICC, *TEXTS.values()})
_SUBFILE, _SUB_DIRECTORIES = 254, 330
_NAMED = {
    255: "SubfileType", 263: "Threshholding", 264: "CellWidth", 265: "CellLength", 280: "MinSampleValue",
    281: "MaxSampleValue", 288: "FreeOffsets", 289: "FreeByteCounts", 290: "GrayResponseUnit",
    291: "GrayResponseCurve", 297: "PageNumber", 332: "InkSet", 333: "InkNames", 334: "NumberOfInks", 336: "DotRange",
    337: "TargetPrinter", 340: "SMinSampleValue", 341: "SMaxSampleValue", 529: "YCbCrCoefficients",
    531: "YCbCrPositioning", 532: "ReferenceBlackWhite", 34377: "Photoshop data",
}  # fmt: skip
"""Tags that speak of this file's samples or pages, so that they mean nothing in another; what they are called. All
that are named nowhere here are taken for Exif's, which may have any."""
OF_THE_FILE = STRUCTURE | {_SUBFILE, _SUB_DIRECTORIES, *_NAMED}
"""Tags that are put into no other file."""
_SMALLEST, _LARGEST = 280, 281
_USUAL: Mapping[int, Sequence[list[int]]] = MappingProxyType(
    {255: ([1],), 263: ([1],), 297: ([0, 0], [0, 1]), 332: ([1],), 531: ([1],)}
)
"""Values of named tags that hold without them, too."""
_THUMBNAIL, _FREE = (513, 514), (288, 289)
"""Tags that say where bytes are, and how many."""
_INCH, _CENTIMETRE = 2, 3
_SHORT = 3
_ONE_OF_SEVERAL = 2
"""The kind of picture that a page is; others are smaller copies and masks."""
_MOST = 1 << 16
"""Directories that are looked through."""


def of_tiff(data: bytes) -> Metadata:
    """What a TIFF says of its first picture, and names of what is said of others."""
    found = Gathered()
    try:
        main, below = directories(data)
    except OddTiffError:
        return found.metadata()
    first = next((directory for directory in main if not _number(directory, _SUBFILE) & 1), main[0] if main else None)
    if first is None:
        return found.metadata()
    entries = read_directory(first)
    for keyword, tag in TEXTS.items():
        if (tag,) in entries:
            found.add_text(keyword, _decoded(entries[(tag,)].body.rstrip(b"\0")))
    if (XMP,) in entries:
        found.keep("xmp", entries[(XMP,)].body)
    if (ICC,) in entries:
        found.keep("icc", entries[(ICC,)].body)
    _resolution(found, entries)
    for tag, name in _NAMED.items():
        found.name_if(tag in first.entries and not _is_usual(first, tag), name)
    found.name_if(_number(first, _SUBFILE) & ~_ONE_OF_SEVERAL, "NewSubfileType")
    found.name_if(_number(first, tiff_pages.PHOTOMETRIC) == tiff_pages.SEPARATED, "CMYK colour")
    found.name_if(_has_fine_palette(first), "low bytes of its palette")
    known = _said(entries)
    if exif := exif_with({path: entry for path, entry in known.items() if path[0] not in _FIELDS}):
        found.keep("exif", exif)
    readable = {path[0] for path in entries} | STRUCTURE
    for tag in first.entries:
        found.name_if(tag not in readable, f"TIFF tag {tag} (damaged)")
    others = (_said(read_directory(directory)) for directory in main + below if directory is not first)
    found.name_if(any(not other.items() <= known.items() for other in others), "metadata of further pages")
    found.rest(data, _spans(main + below, data))
    pictures = sum(_number(directory, tiff_pages.WIDTH) > 0 for directory in main + below)
    return found.metadata(pictures=max(1, pictures))


def _said(entries: Entries) -> Entries:
    """Those that Exif may have too."""
    usual = Entry(_SHORT, 1, b"\1\0")
    return {
        path: entry
        for path, entry in entries.items()
        if path[0] not in OF_THE_FILE and not (path == (ORIENTATION,) and entry == usual)
    }


def _has_fine_palette(directory: Directory) -> bool:
    """Whether colours of a palette, of 16 bits, are not of 8 bits: in the high bytes, the low ones all 0 or the same;
    or in the low bytes alone."""
    try:
        colours = directory.numbers(tiff_pages.COLOUR_MAP)
    except OddTiffError:
        return False
    high, low = colours >> 8, colours & 255
    return bool(high.any() and low.any() and (low != high).any())


def _number(directory: Directory, tag: int) -> int:
    """A tag's value; 0 if it is not there, or odd."""
    try:
        return directory.number(tag, 0)
    except OddTiffError:
        return 0


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _is_usual(directory: Directory, tag: int) -> bool:
    """Whether a tag says what holds without it."""
    try:
        values = directory.numbers(tag).tolist()
    except OddTiffError:
        return False
    if tag == _LARGEST:
        return bool(values == [(1 << bits) - 1 for bits in directory.numbers(tiff_pages.BITS).tolist()])
    return values in _USUAL.get(tag, ()) or (tag == _SMALLEST and not any(values))


def _resolution(found: Gathered, entries: Entries) -> None:
    if (ACROSS,) not in entries and (DOWN,) not in entries:
        return
    across, down, said = (_fraction(entries.get((tag,))) for tag in (ACROSS, DOWN, UNIT))
    unit = _INCH if said is None else int(said)
    if not across or not down:
        found.name("resolution")
    elif unit in (_INCH, _CENTIMETRE):
        per_metre = 1 / INCH if unit == _INCH else 100
        found.scale(float(across) * per_metre, float(down) * per_metre, metre=True)
    else:
        found.scale(*(across / down).limit_denominator(1 << 16).as_integer_ratio(), metre=False)


def _fraction(entry: Entry | None) -> Fraction | None:
    """An entry's number, of whatever type; None if there is none, or none that can be."""
    try:
        numbers = [] if entry is None else numbers_of(entry).tolist()
        return Fraction(*numbers[: 1 + (entry is not None and entry.kind in FRACTIONS)]) if numbers else None
    except (ArithmeticError, ValueError):
        return None


def _spans(found: Iterable[Directory], data: bytes) -> Iterator[tuple[int, int]]:
    """Where directories, their values and pictures lie in a file."""
    yield 0, 16 if data[2:3] == b"+" or data[3:4] == b"+" else 8
    waiting = list(found)
    for directory in waiting:
        try:
            yield from directory.spans()
            waiting += [directory.below(tag) for tag in DIRECTORIES if tag in directory.entries][: _MOST - len(waiting)]
            page = tiff_pages.page_of(directory, len(data), alone=True)
            yield from ((block.offset, block.offset + block.length) for block in page.blocks)
        except OddTiffError:
            pass
        for offsets, lengths in (tiff_pages.STRIPS, tiff_pages.TILES, _THUMBNAIL, _FREE):
            try:
                places = zip(directory.numbers(offsets).tolist(), directory.numbers(lengths).tolist(), strict=False)
                yield from ((offset, offset + length) for offset, length in places)
            except OddTiffError:
                continue
