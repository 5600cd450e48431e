"""docs/format.md's Records: segments and nodes from bytes.

A record is a kind's name and its fields by their names; what they hold is listed here, in the page's sequence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.format.reference_numbers import Reader, require

LAYOUT = (
    "number bits, list channels, flag little, flag inverted, flag low_first, flag signed, number word, pairs fields"
)
NODES = [
    ("coded", "number depth, number model"),
    ("constant", "list values"),
    ("divide", "number at, node first, node second"),
    ("high and low", "number bits, node high, node low"),
    ("reorder", "bytes order, node child"),
    ("expand", "node child"),
    ("index", "bytes colours, node child"),
    ("levels", "bytes used, node child"),
    ("scale", "number factor, number depth, node child"),
    ("repeat", "node child"),
    ("transpose", "node child"),
    ("fold", "number pieces, node child"),
    ("pile", "node child"),
    ("luma", "node child"),
    ("predict", "number weight, number centre, node child"),
    ("forecast", "number taps, number rate, node child"),
    ("octets", "node child"),
    ("inset", "number y, number x, number height, number width, node inside, node around"),
]
SEGMENTS = [
    ("literal", "bytes data"),
    ("raster", "number picture, number y, number x, number height, number width, layout layout, number stride, "
               "flag upward, bytes padding, flag transposed, number pictures"),
    ("scanlines", "number picture, layout layout, bytes filters, flag interlaced, bytes padding"),
    ("differences", "raster raster"),
    ("decimals", "number picture, list channels, pairs lines, bytes between, bytes pixel_end, bytes line_end, "
                 "flag inverted, number width"),
    ("deflated", "content content, bytes coded, flag predicted, bytes header, bytes? check"),
    ("packbits", "content content, number row, bytes headers"),
    ("lzw", "content content, pairs clears, number? end"),
    ("chunks", "content content, bytes kind, pairs lengths, number? sequence, pairs wrong"),
    ("bits reversed", "content content"),
    ("jpeg", "content content, number picture, number scans, number? units, number padded, pairs restarts, "
             "pairs zeros, list breaks, bytes pads"),
    ("png start", "number width, number height, number depth, number colour, flag interlaced"),
]  # fmt: skip
Kinds = list[tuple[str, str]]


class Record(NamedTuple):
    """A segment, a node, or a layout."""

    kind: str
    named: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.named[name]


def read_record(reader: Reader, kinds: Kinds, deeper: int = 16) -> Record:
    """The record that is next."""
    reader.items -= 1
    require(reader.items >= 0, "more records than there may be")
    require(deeper > 0, "records are nested too deep")
    tag = reader.bytes(1)[0]
    require(tag < len(kinds), f"unknown record {tag}: a newer arcomp is needed")
    return read_fields(reader, kinds, kinds[tag], deeper - 1)


def read_fields(reader: Reader, kinds: Kinds, kind: tuple[str, str], deeper: int) -> Record:
    found = {}
    for field in kind[1].split(", "):
        what, name = field.split(" ")
        found[name] = read_value(reader, kinds, what, deeper)
    return Record(kind[0], found)


def read_value(reader: Reader, kinds: Kinds, what: str, deeper: int) -> Any:
    """A field's value."""
    if what.endswith("?"):
        return read_value(reader, kinds, what[:-1], deeper) if reader.number(0, 1) else None
    if what == "number":
        return reader.number()
    if what == "flag":
        return bool(reader.number(0, 1))
    if what == "bytes":
        return reader.bytes(reader.number())
    if what == "list":
        return [reader.number() for _ in range(counted(reader))]
    if what == "pairs":
        return [(reader.number(), reader.number()) for _ in range(counted(reader))]
    if what == "content":
        return [read_record(reader, kinds, deeper) for _ in range(reader.number(0, len(reader.data) - reader.at))]
    if what == "layout":
        return read_fields(reader, kinds, ("layout", LAYOUT), deeper)
    record = read_record(reader, kinds, deeper)
    require(what == "node" or record.kind == what, f"a {record.kind} in place of a {what}")
    return record


def counted(reader: Reader) -> int:
    """How many items a list has."""
    count = reader.number(0, len(reader.data) - reader.at)
    reader.items -= count
    return count


def coded_leaves(tree: Record) -> list[Record]:
    """In their order."""
    if tree.kind == "coded":
        return [tree]
    return [leaf for child in children(tree) for leaf in coded_leaves(child)]


def children(node: Record) -> list[Record]:
    return [value for value in node.named.values() if isinstance(value, Record)]
