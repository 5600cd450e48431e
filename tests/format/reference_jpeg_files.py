"""docs/format.md's JPEGs: the bytes of a JPEG from its content and coefficients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.format.reference_jpeg_codes import ZIGZAG, Coder, Logs, Scan, Symbol, Tables, best, codes
from tests.format.reference_numbers import require
from tests.format.reference_records import Record

Plane = list[list[list[int]]]  # rows of blocks of 64 coefficients, 8 v + u


class Component(NamedTuple):
    """A component: sampling, blocks that cover it, blocks that fill units, its quantisation table."""

    name: int
    h: int
    v: int
    rows: int
    columns: int
    all_rows: int
    all_columns: int
    steps: list[int]


class Shape(NamedTuple):
    """What is known of a JPEG before its coefficients: size, and components with their rows and columns of blocks."""

    width: int
    height: int
    components: list[Component]


class Part(NamedTuple):
    """Content up to a scan: bytes, and segments with missing tables; its tables; those that hold at the scan."""

    content: list[bytes | list[tuple[int, bytes | None]]]
    stored: list[tuple[tuple[int, int], bytes | None]]
    scan: Scan
    huffman: Tables


def ceil(a: int, b: int) -> int:
    return -(-a // b)


def standard() -> Tables:
    """Huffman tables of annex K.3.3, out of the preset dictionary."""
    from tests.format.reference_dictionary import JPEG

    found: Tables = {}
    for key, begins in (((0, 0), "001f00"), ((1, 0), "00b510"), ((0, 1), "001f01"), ((1, 1), "00b511")):
        at = JPEG.rindex(b"\xff\xc4" + bytes.fromhex(begins)) + 5
        counts = JPEG[at : at + 16]
        found[key] = counts, JPEG[at + 16 : at + 16 + sum(counts)]
    return found


# ---------------------------------------------------------------- Headers


class Headers:
    """Reads the content of a JPEG up to its last scan."""

    def __init__(self, s: Record, content: bytes) -> None:
        self.s, self.content, self.at, self.interval = s, content, 0, 0
        self.frame: tuple[int, int, bool, list[tuple[int, int, int, int]]] | None = None
        self.huffman, self.steps = standard(), dict[int, list[int]]()
        self.of_components, self.known = dict[int, list[int]](), dict[tuple[int, int], int]()
        self.parts = [self.part() for _ in range(s.scans)]

    def part(self) -> Part:
        """Content up to the next scan."""
        begin, made, stored = self.at, list[Any](), list[tuple[tuple[int, int], bytes | None]]()
        while True:
            marker = self.marker()
            require(marker != 0xD9, "fewer scans than there should be")
            if marker in (0xD8, 0x01):
                continue
            length = int.from_bytes(self.content[self.at : self.at + 2], "big")
            require(length >= 2 and self.at + length <= len(self.content), "a segment is cut off")
            body, start = self.content[self.at + 2 : self.at + length], self.at - 2
            self.at += length
            if marker == 0xDA:
                scan = self.scan(body)
                return Part([*made, self.content[begin : self.at]], stored, scan, dict(self.huffman))
            if marker == 0xC4:
                tables = self.tables(body)
                stored += [((key >> 4, key & 15), table) for key, table in tables]
                if any(table is None for _, table in tables):
                    made += [self.content[begin:start], tables]
                    begin = self.at
            elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
                self.read_frame(marker, body)
            elif marker == 0xDB:
                self.quantisation(body)
            elif marker == 0xDD:
                require(len(body) >= 2, "a restart interval that is cut off")
                self.interval = int.from_bytes(body[:2], "big")

    def marker(self) -> int:
        """The next marker."""
        while self.at + 1 < len(self.content):
            byte, after = self.content[self.at : self.at + 2]
            self.at += 1
            if byte == 0xFF and after not in (0x00, 0xFF, *range(0xD0, 0xD8)):
                self.at += 1
                return after
        return 0xD9

    def tables(self, body: bytes) -> list[tuple[int, bytes | None]]:
        """(class and number, counts and values or None) of a DHT segment."""
        found, at = list[tuple[int, bytes | None]](), 0
        while at < len(body):
            key, missing = body[at] & 127, body[at] >= 128
            counts = b"" if missing else body[at + 1 : at + 17]
            values = body[at + 17 : at + 17 + sum(counts)]
            require(missing or (len(counts) == 16 and len(values) == sum(counts) <= 256), "a table is cut off")
            require(key >> 4 < 2 and key & 15 < 4, "a table that cannot be")
            found.append((key, None if missing else counts + values))
            self.huffman[key >> 4, key & 15] = None if missing else (counts, values)
            at += 1 + len(counts) + len(values) if not missing else 1
        return found

    def quantisation(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            wide, number = body[at] >> 4, body[at] & 15
            size = 1 + wide
            require(wide < 2 and number < 4 and at + 1 + 64 * size <= len(body), "a quantisation table that cannot be")
            steps = [0] * 64
            for i, k in enumerate(ZIGZAG):
                steps[k] = int.from_bytes(body[at + 1 + i * size : at + 1 + i * size + size], "big")
            self.steps[number] = steps
            at += 1 + 64 * size

    def read_frame(self, marker: int, body: bytes) -> None:
        require(marker < 0xC3 and self.frame is None and len(body) >= 6 and body[0] == 8, "a frame of another kind")
        height, width, count = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big"), body[5]
        require(min(height, width) > 0 and 1 <= count <= 4 and len(body) >= 6 + 3 * count, "a frame of nothing")
        said = [(*divmod(body[7 + 3 * i], 16), body[6 + 3 * i], body[8 + 3 * i]) for i in range(count)]
        require(all(1 <= f <= 4 for h, v, _, _ in said for f in (h, v)), "impossible sampling")
        require(len({name for _, _, name, _ in said}) == count, "two components of one name")
        self.frame = width, height, marker == 0xC2, said

    def scan(self, body: bytes) -> Scan:
        require(self.frame is not None and len(body) >= 1 and len(body) >= 4 + 2 * body[0], "a scan that cannot be")
        assert self.frame is not None
        _, _, progressive, said = self.frame
        count, names = body[0], [name for _, _, name, _ in said]
        chosen = list(body[1 : 1 + 2 * count : 2])
        require(1 <= count <= 4 and len(set(chosen)) == count and set(chosen) <= set(names), "a scan of no components")
        numbers = [names.index(name) for name in chosen]
        require(count == 1 or sum(said[c][0] * said[c][1] for c in numbers) <= 10, "units that are too large")
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        before, low = divmod(bits, 16)
        if not progressive:
            first, last, before, low = 0, 63, 0, 0
        require(first <= last <= 63 and not (progressive and first == 0 < last), "impossible coefficients")
        require(not (first and count > 1) and low <= 13 and before in (0, low + 1), "impossible bits")
        for key in ((c, k) for c in numbers for k in range(first, last + 1)):
            require(self.known.get(key, 0) == before and (key in self.known) == (before > 0), "bits that are known")
            self.known[key] = low
        for c in numbers:
            self.of_components.setdefault(c, self.steps.get(said[c][3], [1] * 64))
        tables = [divmod(pair, 16) for pair in body[2 : 2 + 2 * count : 2]]
        return Scan(numbers, tables, first, last, before, low, self.interval)

    def shape(self) -> Shape:
        """The frame as far as there are coefficients, and units of a row and in a column."""
        require(self.frame is not None and len(self.parts) > 0, "a JPEG without scans")
        assert self.frame is not None
        width, height, _, said = self.frame
        wide, tall = max(h for h, _, _, _ in said), max(v for _, v, _, _ in said)
        across = ceil(width, 8 * wide)
        if self.s.scans == 1 and self.s.units is not None and len(self.parts[0].scan.components) == len(said):
            alone = len(said) == 1
            of_a_row = ceil(width, 8) if alone else across
            height = min(height, 8 * (1 if alone else tall) * max(1, ceil(self.s.units, of_a_row)))
        down, components = ceil(height, 8 * tall), []
        for c, (h, v, name, _) in enumerate(said):
            rows, columns = ceil(ceil(height * v, tall), 8), ceil(ceil(width * h, wide), 8)
            steps = self.of_components.get(c, [1] * 64)
            components.append(Component(name, h, v, rows, columns, down * v, across * h, steps))
        return Shape(width, height, components)


# ---------------------------------------------------------------- Writing


def jpeg(s: Record, content: bytes, coefficients: Callable[[int, Shape], list[Plane]], most: int) -> bytes:
    """A JPEG."""
    headers = Headers(s, content)
    whole = headers.shape()
    sizes = [
        (c.all_rows, c.all_columns) if s.padded >> i & 1 else (c.rows, c.columns)
        for i, c in enumerate(whole.components)
    ]
    told = [c._replace(rows=rows, columns=columns) for c, (rows, columns) in zip(whole.components, sizes, strict=True)]
    planes = coefficients(s.picture, Shape(whole.width, whole.height, told))
    for c, plane in zip(whole.components, planes, strict=True):
        fill(c, plane)
    return Writer(s, headers, whole, planes).all()


def fill(c: Component, plane: Plane) -> None:
    """Blocks beyond those that cover a component, where they are not there yet."""
    if len(plane) == c.rows and len(plane[0]) == c.columns:
        for row in plane:
            row += [[row[-1][0]] + [0] * 63 for _ in range(c.all_columns - c.columns)]
        for _ in range(c.all_rows - c.rows):
            last = [plane[-1][x // c.h * c.h + c.h - 1][0] for x in range(c.all_columns)]
            plane.append([[dc] + [0] * 63 for dc in last])


class Writer(Logs):
    """Writes content and scans in turn."""

    def __init__(self, s: Record, headers: Headers, shape: Shape, planes: list[Plane]) -> None:
        super().__init__(s)
        self.s, self.headers, self.shape, self.planes, self.pad = s, headers, shape, planes, 0
        self.made: Tables = {}  # tables that were missing
        self.restarts = dict(s.restarts)
        require(all(number < s.scans for number in self.restarts), "restarts of no scan")
        self.pads = "".join(f"{byte:08b}" for byte in s.pads) or "1"

    def all(self) -> bytes:
        """All bytes."""
        made = b""
        for number, part in enumerate(self.headers.parts):
            huffman, begin = dict(part.huffman), self.block
            missing = [key for key, table in part.stored if table is None]
            keys = [key for key, _ in part.stored]
            require(not missing or len(set(keys)) == len(keys), "two tables of one number, and one is missing")
            huffman |= {key: table for key, table in self.made.items() if huffman[key] is None and key not in missing}
            if missing:
                counts: dict[tuple[int, int], dict[int, int]] = {key: {} for key in missing}
                for symbols in self.intervals(part.scan, number, None):
                    for c, (kind, value, _, _) in symbols:
                        key = (kind, part.scan.tables[c][kind])
                        if key in counts and value >= 0:
                            counts[key][value] = counts[key].get(value, 0) + 1
                self.block = begin
                require(all(counts.values()), "a missing table that is not used")
                self.made |= {key: best(counts[key]) for key in missing}
                huffman |= {key: self.made[key] for key in missing}
            for piece in part.content:
                made += piece if isinstance(piece, bytes) else segment(piece, huffman)
            tables = [[codes(huffman.get((kind, pair[kind]))) for kind in (0, 1)] for pair in part.scan.tables]
            runs = [v >> 4 for v in tables[0][1] if v & 15 == 0 and v < 0xF0]
            longest = min(32767, 2 ** (max(runs) + 1) - 1) if runs else 0
            pieces = [self.stuffed(symbols, tables) for symbols in self.intervals(part.scan, number, longest)]
            made += pieces[0] + b"".join(bytes([0xFF, 0xD0 + i % 8]) + piece for i, piece in enumerate(pieces[1:]))
            require(self.block <= begin + self.blocks(part.scan), "blocks that there are not")
            self.block = begin + self.blocks(part.scan)
        require(not self.zeros and not self.breaks, "runs or breaks of blocks that there are not")
        return made + self.headers.content[self.headers.at :]

    def units(self, scan: Scan) -> tuple[int, int]:
        """Units of a row, and rows of them."""
        alone = self.shape.components[scan.components[0]]
        if len(scan.components) == 1:
            return alone.columns, alone.rows
        return alone.all_columns // alone.h, alone.all_rows // alone.v

    def blocks(self, scan: Scan) -> int:
        """How many blocks a scan has."""
        across, down = self.units(scan)
        each = [self.shape.components[c] for c in scan.components]
        return across * down * (1 if len(each) == 1 else sum(c.h * c.v for c in each))

    def order(self, scan: Scan, unit: int) -> Iterator[tuple[int, list[int]]]:
        """The blocks of a unit: place of the component in the scan, block."""
        across, _ = self.units(scan)
        y, x = divmod(unit, across)
        for place, c in enumerate(scan.components):
            one = self.shape.components[c]
            h, v = (1, 1) if len(scan.components) == 1 else (one.h, one.v)
            for down in range(v):
                for right in range(h):
                    yield place, self.planes[c][y * v + down][x * h + right]

    def intervals(self, scan: Scan, number: int, longest: int | None) -> list[list[tuple[int, Symbol]]]:
        """The symbols of each interval between restarts; without `longest` zeros and breaks are not used up."""
        across, down = self.units(scan)
        units = across * down
        if number == self.s.scans - 1 and self.s.units is not None:
            require(self.s.units <= units, "more units than there are")
            units = self.s.units
        coder, left = Coder(self, scan, longest), self.restarts.get(number, units)
        for unit in range(units):
            if scan.interval and unit and unit % scan.interval == 0 and len(coder.made) <= left:
                coder.restart()
            for place, block in self.order(scan, unit):
                coder.code(place, block)
                self.block += 1
        coder.flush()
        return coder.made

    def stuffed(self, symbols: list[tuple[int, Symbol]], tables: list[list[dict[int, str]]]) -> bytes:
        """The bytes of an interval."""
        bits = ""
        for c, (kind, value, rest, count) in symbols:
            if value >= 0:
                require(value in tables[c][kind], "a value that has no code")
                bits += tables[c][kind][value]
            bits += f"{rest & (1 << count) - 1:0{count}b}" if count else ""
        while len(bits) % 8:
            bits += self.pads[self.pad % len(self.pads)]
            self.pad += 1
        made = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        return made.replace(b"\xff", b"\xff\0")


def segment(
    tables: list[tuple[int, bytes | None]], huffman: dict[tuple[int, int], tuple[bytes, bytes] | None]
) -> bytes:
    """A DHT segment with all of its tables."""
    body = b""
    for key, stored in tables:
        known = huffman[key >> 4, key & 15]
        assert known is not None
        body += bytes([key]) + (b"".join(known) if stored is None else stored)
    return b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body
