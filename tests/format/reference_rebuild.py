"""docs/format.md's Skeletons: a file from its segments and samples."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from tests.format.reference_jpeg_files import Plane, Shape, jpeg
from tests.format.reference_numbers import require
from tests.format.reference_records import Record

Picture = list[list[list[int]]]  # rows of pixels of samples
Jpegs = Callable[[int, Shape], list[Plane]]  # the coefficients of a JPEG of that number and shape
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


class Left:
    """Bytes that packed contents may still have, and chunks that may still be made."""

    def __init__(self, skeleton: list[Record], samples: int, original: int) -> None:
        self.bytes = (1 << 24) + literal_bytes(skeleton) + 2 * samples
        self.chunks = (1 << 16) + original // 1024

    def counted(self, content: bytes) -> bytes:
        self.bytes -= len(content)
        require(self.bytes >= 0, "more packed content than there may be")
        return content

    def chunk(self) -> None:
        self.chunks -= 1
        require(self.chunks >= 0, "more chunks than there may be")


def literal_bytes(skeleton: list[Record]) -> int:
    """Bytes of all literal segments."""
    return sum(len(s.data) if s.kind == "literal" else literal_bytes(s.named.get("content", [])) for s in skeleton)


def no_jpegs(number: int, shape: Shape) -> list[Plane]:
    """For files without JPEGs."""
    require(False, "a JPEG that there is not")
    return []


def rebuilt(
    skeleton: list[Record],
    pictures: list[list[Picture]],
    most: int = 1 << 34,
    samples: int = 0,
    left: Left | None = None,
    jpegs: Jpegs | None = None,
) -> bytes:
    """The file of segments and stacks of pictures, whose samples take so many bytes; more bytes than the original has
    are refused."""
    left = left or Left(skeleton, samples, most)
    inner = partial(rebuilt, pictures=pictures, most=most, left=left, jpegs=jpegs)

    def packed(s: Record) -> bytes:
        return left.counted(inner(s.content))

    parts: dict[str, Callable[[Record], bytes]] = {
        "literal": lambda s: bytes(s.data),
        "raster": lambda s: raster(s, pictures),
        "scanlines": lambda s: scanlines(s, pictures),
        "differences": lambda s: raster(s.raster, pictures, differences=True),
        "decimals": lambda s: decimals(s, pictures),
        "deflated": lambda s: deflated(s, packed),
        "packbits": lambda s: packbits(packed(s), s.row, s.headers),
        "lzw": lambda s: lzw(packed(s), s.clears, s.end),
        "chunks": lambda s: chunks(s, inner(s.content), most, left),
        "jpeg": lambda s: jpeg(s, packed(s), jpegs or no_jpegs, most),
        "png start": png_start,
        "bits reversed": lambda s: bytes(int(f"{v:08b}"[::-1], 2) for v in inner(s.content)),
    }
    return b"".join(parts[segment.kind](segment) for segment in skeleton)


def taken(pictures: list[list[Picture]], index: int, count: int = 1) -> Picture:
    """A picture counted through all stacks, or several of one stack below each other."""
    for stack in pictures:
        if index < len(stack):
            require(0 < count <= len(stack) - index, "pictures of several stacks")
            return [row for picture in stack[index : index + count] for row in picture]
        index -= len(stack)
    require(False, "a picture that there is not")
    return []


# ---------------------------------------------------------------- Rows


def stored(v: int, layout: Record) -> int:
    """A sample as it lies in the file."""
    require(v < 1 << layout.bits, "a sample of too many bits")
    return int(v ^ ((1 << layout.bits) - 1) * layout.inverted ^ (1 << (layout.bits - 1)) * layout.signed)


def row_of(row: list[list[int]], layout: Record) -> tuple[bytes, int]:
    """The bytes of a row, and how many bits of them are samples."""
    require(1 <= layout.bits <= 16 and 1 <= len(layout.channels) <= 4, "a layout of nothing")
    require(max(layout.channels) < len(row[0]), "channels that the picture does not have")
    pixels = [[stored(pixel[c], layout) for c in layout.channels] for pixel in row]
    order: Any = "little" if layout.little else "big"
    if layout.word:
        require(layout.word in (16, 32) and len(layout.fields) == len(layout.channels), "fields of other channels")
        places = [place + i for place, n in layout.fields for i in range(n)]
        require(len(set(places)) == len(places) and max(places) < layout.word, "bits of two channels, or of none")
        require(all(1 <= n <= layout.bits for _, n in layout.fields), "fields of too few or too many bits")
        words = [
            sum(v >> (layout.bits - n) << place for v, (place, n) in zip(pixel, layout.fields, strict=True))
            for pixel in pixels
        ]
        return b"".join(word.to_bytes(layout.word // 8, order) for word in words), len(words) * layout.word
    require(not layout.fields, "fields without a word")
    values = [v for pixel in pixels for v in pixel]
    if layout.bits in (8, 16):
        return b"".join(v.to_bytes(layout.bits // 8, order) for v in values), len(values) * layout.bits
    bits = "".join(f"{v:0{layout.bits}b}"[:: -1 if layout.low_first else 1] for v in values)
    filled = bits + "0" * (-len(bits) % 8)
    whole = [filled[i : i + 8][:: -1 if layout.low_first else 1] for i in range(0, len(filled), 8)]
    return bytes(int(byte, 2) for byte in whole), len(bits)


def used(bits: int, low_first: bool) -> int:
    """The bits of a byte that are samples."""
    return (1 << bits) - 1 if low_first else 0xFF << (8 - bits) & 0xFF


def padded(rows: list[tuple[bytes, int]], stride: int, padding: bytes, low_first: bool) -> tuple[list[bytes], bytes]:
    """Rows with padding, and what is left of it."""
    require(stride <= 1 << 30, "an enormous stride")
    made, given = [], len(padding) > 0
    for row, bits in rows:
        size = stride or len(row)
        require(size >= len(row), "a stride that is too short")
        row += bytes(size - len(row))
        whole = bits // 8
        if given:
            tail, padding = padding[: size - whole], padding[size - whole :]
            require(len(tail) == size - whole, "padding is missing")
            require(bits % 8 == 0 or not tail[0] & used(bits % 8, low_first), "padding where samples are")
            row = row[:whole] + bytes(a | b for a, b in zip(row[whole:], tail, strict=True))
        made.append(row)
    return made, padding


def raster(s: Record, pictures: list[list[Picture]], differences: bool = False) -> bytes:
    """A rectangle of a picture."""
    whole = taken(pictures, s.picture, s.pictures)
    inside = 0 < s.height <= len(whole) - s.y and 0 < s.width <= len(whole[0]) - s.x
    require(inside, "a rectangle that is not within its picture")
    rows = [row[s.x : s.x + s.width] for row in whole[s.y : s.y + s.height]]
    if s.transposed:
        require(len(rows) % s.pictures == 0, "columns of pictures of several heights")
        part = len(rows) // s.pictures
        mixed = [row for y in range(part) for row in rows[y::part]]
        rows = [list(column) for column in zip(*mixed, strict=True)]
    rows = rows[::-1] if s.upward else rows
    if differences:
        require(not s.transposed, "differences of columns")
        rows = [differences_of(row, s.layout) for row in rows]
        layout = Record("layout", {**s.layout.named, "inverted": False, "signed": False})
    else:
        layout = s.layout
    made, rest = padded([row_of(row, layout) for row in rows], s.stride, s.padding, layout.low_first)
    require(not rest, "too much padding")
    return b"".join(made)


def differences_of(row: list[list[int]], layout: Record) -> list[list[int]]:
    require(layout.bits in (8, 16) and not layout.word, "differences of packed samples")
    values = [[stored(v, layout) for v in pixel] for pixel in row]
    later = ([(b - a) % (1 << layout.bits) for a, b in zip(*pair, strict=True)] for pair in pairwise(values))
    return [values[0], *later]


def scanlines(s: Record, pictures: list[list[Picture]]) -> bytes:
    """Filtered rows, pass after pass."""
    picture, filters, padding, made = taken(pictures, s.picture), iter(s.filters), s.padding, b""
    chosen = not s.filters and not s.interlaced
    back = max(1, len(s.layout.channels) * s.layout.bits // 8)
    for x, y, across, down in ADAM7 if s.interlaced else [(0, 0, 1, 1)]:
        rows = [row[x::across] for row in picture[y::down] if row[x::across]]
        lines, padding = padded([row_of(row, s.layout) for row in rows], 0, padding, s.layout.low_first)
        for above, line in pairwise([bytes(len(lines[0])), *lines] if lines else []):
            kind = cheapest(above, line, back, s.layout.bits) if chosen else next(filters, 5)
            require(kind < 5, "a filter that is none, or missing")
            made += bytes([kind]) + filtered(kind, above, line, back)
    require(next(filters, None) is None and not (s.padding and padding), "more filters or padding than rows")
    return made


def cheapest(above: bytes, line: bytes, back: int, bits: int) -> int:
    """The filter with the smallest sum of absolute differences."""
    if bits < 8:
        return 0
    costs = [sum(min(v, 256 - v) for v in filtered(kind, above, line, back)) for kind in range(5)]
    return costs.index(min(costs))


def filtered(kind: int, above: bytes, line: bytes, back: int) -> bytes:
    """A row with a filter of PNG."""
    made = []
    for i, v in enumerate(line):
        a, c = (line[i - back], above[i - back]) if i >= back else (0, 0)
        b = above[i]
        near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        made.append((v - (0, a, b, (a + b) // 2, near)[kind]) % 256)
    return bytes(made)


def decimals(s: Record, pictures: list[list[Picture]]) -> bytes:
    """Numbers in text."""
    rows = taken(pictures, s.picture)
    require(1 <= len(s.channels) <= 4 and max(s.channels) < len(rows[0][0]), "channels that the picture does not have")
    require(max(s.width, len(s.between), len(s.pixel_end), len(s.line_end)) <= 64, "numbers too far apart")
    values = [pixel[c] for row in rows for pixel in row for c in s.channels]
    require(not s.inverted or max(values) < 2, "more than a bit, inverted")
    values = [v ^ s.inverted for v in values]
    require(all(a > 0 and b > 0 for a, b in s.lines), "a line of no numbers")
    require(sum(a * b for a, b in s.lines) == len(values), "lines of other numbers")
    ends, at = set(), 0
    for count, times in s.lines:
        for _ in range(times):
            at += count
            ends.add(at)
    made = b""
    for i, v in enumerate(values, 1):
        made += str(v).rjust(s.width).encode()
        if i < len(values):
            made += s.line_end if i in ends else s.between if i % len(s.channels) else s.pixel_end
    return made


# ---------------------------------------------------------------- Streams


def deflated(s: Record, packed: Callable[[Record], bytes]) -> bytes:
    """A deflate stream."""
    stream = s.coded
    content = packed(s) if s.predicted or s.check is None else b""
    if s.predicted:
        from tests.format.reference_deflate import restore

        stream = restore(content, s.coded)
    check = zlib.adler32(content).to_bytes(4, "big") if s.check is None else s.check
    return bytes(s.header + stream + check)


def packbits(data: bytes, row: int, headers: bytes) -> bytes:
    """Packets as told, or row by row."""
    made, at = b"", 0
    if headers:
        for h in headers:
            size = 0 if h == 128 else 257 - h if h > 128 else h + 1
            require(at + size <= len(data), "headers of more bytes")
            made += bytes([h]) + (data[at : at + 1] if h > 128 else data[at : at + size])
            at += size
        require(at == len(data), "headers of fewer bytes")
        return made
    require(row > 0, "rows of no bytes")
    for begin in range(0, len(data), row):
        for packet in packets_of(data[begin : begin + row]):
            if isinstance(packet, bytearray):
                made += bytes([len(packet) - 1]) + packet
            else:
                made += bytes([257 - packet[0], packet[1]])
    return made


def packets_of(row: bytes) -> list[bytearray | tuple[int, int]]:
    """Literal bytes, or a run: (how long, of which byte)."""
    packets: list[Any] = []
    for size, byte in runs_of(row):
        if size > 1:
            packets.append((size, byte))
            continue
        if len(packets) > 1 and packets[-1][0] == 2 and isinstance(packets[-1], tuple):
            before = packets[-2]
            if isinstance(before, bytearray) and len(before) <= 126:
                before += bytes([packets.pop()[1]] * 2)
        if not packets or isinstance(packets[-1], tuple) or len(packets[-1]) == 128:
            packets.append(bytearray())
        packets[-1].append(byte)
    return packets


def runs_of(row: bytes) -> Iterator[tuple[int, int]]:
    """Equal bytes, at most 128 at a time."""
    at = 0
    while at < len(row):
        size = 1
        while size < 128 and row[at : at + size + 1] == row[at : at + 1] * (size + 1):
            size += 1
        yield size, row[at]
        at += size


def lzw(data: bytes, clears: list[tuple[int, int]], end: int | None) -> bytes:
    """Codes of the longest strings."""
    single = {bytes([v]): v for v in range(256)}
    require(sum(count for _, count in clears) <= len(data), "more Clears than codes")
    require(end is None or 0 < end < 1 << 64, "an end without its highest bit")
    times = [codes for codes, count in clears for _ in range(count)]
    table, bits, k, at = dict(single), f"{256:09b}", 0, 0

    def width() -> int:
        return 9 + (k >= 254) + (k >= 766) + (k >= 1790)

    while at < len(data):
        size = 1
        while at + size < len(data) and data[at : at + size + 1] in table:
            size += 1
        bits += f"{table[data[at : at + size]]:0{width()}b}"
        if len(table) < 4094 and at + size < len(data):
            table[data[at : at + size + 1]] = 258 + k
        at, k = at + size, k + 1
        if times and times[0] == k:
            bits += f"{256:0{width()}b}"
            table, k = dict(single), 0
            times.pop(0)
    require(not times, "more Clears than codes")
    bits += f"{257:0{width()}b}" if end is None else f"{end:b}"[1:]
    bits += "0" * (-len(bits) % 8) if end is None else ""
    require(len(bits) % 8 == 0, "an end within a byte")
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def chunks(s: Record, content: bytes, most: int, left: Left) -> bytes:
    """Chunks of PNG."""
    made, size, at, which = [], 0, 0, 0
    wrong = dict(s.wrong)
    lengths = s.lengths or [(len(content), 1)]
    places, count = [place for place, _ in s.wrong], sum(count for _, count in lengths)
    require(all(a < b for a, b in pairwise([-1, *places, count])), "wrong chunks that are not there, or out of order")
    require(all(check < 1 << 32 for _, check in s.wrong), "a checksum of more than 32 bits")
    require(len(s.named["kind"]) == 4 and (s.sequence or 0) < 1 << 32, "chunks of no kind")
    for length, count in lengths:
        for _ in range(count):
            left.chunk()
            require(at + length <= len(content) and size <= most, "chunks of more bytes")
            start: bytes = s.named["kind"]  # the chunks', not the segment's
            if s.sequence is not None:
                start += ((s.sequence + which) % (1 << 32)).to_bytes(4, "big")
            body = start + content[at : at + length]
            check = wrong.get(which, zlib.crc32(body))
            made.append((len(body) - 4).to_bytes(4, "big") + body + check.to_bytes(4, "big"))
            size, at, which = size + 8 + len(body), at + length, which + 1
    require(at == len(content), "chunks of fewer bytes")
    return b"".join(made)


def png_start(s: Record) -> bytes:
    """The signature of a PNG and its header."""
    require(s.width < 1 << 32 and s.height < 1 << 32 and s.depth < 256 and s.colour < 256, "a header that no PNG has")
    body = b"IHDR" + s.width.to_bytes(4, "big") + s.height.to_bytes(4, "big") + bytes([s.depth, s.colour, 0, 0])
    body += bytes([s.interlaced])
    start: bytes = b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + zlib.crc32(body).to_bytes(4, "big")
    return start
