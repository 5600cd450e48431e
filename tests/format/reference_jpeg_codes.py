"""docs/format.md's JPEGs: blocks to Huffman codes, and the best tables of codes."""

from __future__ import annotations

from typing import NamedTuple

from tests.format.reference_numbers import require
from tests.format.reference_records import Record

ZIGZAG = sorted(range(64), key=lambda k: (k // 8 + k % 8, (k % 8 if (k // 8 + k % 8) % 2 == 0 else k // 8)))
Tables = dict[tuple[int, int], tuple[bytes, bytes] | None]  # by (0 of DC or 1 of AC, number): counts, values
Symbol = tuple[int, int, int, int]  # 0 of DC or 1 of AC, value, bits that follow it, how many


class Scan(NamedTuple):
    """A scan: which components, with which tables; coefficients, bits; units between restarts."""

    components: list[int]
    tables: list[tuple[int, int]]
    first: int
    last: int
    before: int
    low: int
    interval: int


class Logs:
    """Blocks with surplus zeros, and blocks in which runs end otherwise; how many blocks were coded."""

    def __init__(self, s: Record) -> None:
        self.block = 0
        self.zeros, self.breaks, at = dict[int, int](), set[int](), 0
        for gap, count in s.zeros:
            at += gap
            self.zeros[at] = count
        at = 0
        for gap in s.breaks:
            at += gap
            self.breaks.add(at)
        require(len(self.zeros) == len(s.zeros) and len(self.breaks) == len(s.breaks), "a block twice")


class Coder:
    """Blocks to symbols: (place of the component, symbol); a value below 0 is bits alone."""

    def __init__(self, writer: Logs, scan: Scan, longest: int | None) -> None:
        self.writer, self.scan, self.longest = writer, scan, 32767 if longest is None else longest
        self.used = longest is not None
        self.made: list[list[tuple[int, Symbol]]] = [[]]
        self.predicted, self.run, self.kept = dict[int, int](), 0, 0
        self.held: list[int] = []

    def restart(self) -> None:
        self.flush()
        self.predicted = {}
        self.made.append([])

    def put(self, place: int, kind: int, value: int, rest: int = 0, count: int = 0) -> None:
        self.made[-1].append((place, (kind, value, rest, count)))

    def code(self, place: int, block: list[int]) -> None:
        """What the scan has of a block."""
        scan = self.scan
        if scan.first == 0:
            dc = block[0] >> scan.low
            if scan.before:
                self.put(place, 0, -1, dc, 1)
                return
            difference = dc - self.predicted.get(place, 0)
            self.predicted[place] = dc
            count = abs(difference).bit_length()
            self.put(place, 0, count, difference if difference >= 0 else difference - 1, count)
        if scan.last:
            band = [block[k] for k in ZIGZAG[max(1, scan.first) : scan.last + 1]]
            surplus = self.writer.zeros.get(self.writer.block, 0)
            if self.used:
                self.writer.zeros.pop(self.writer.block, None)
            sizes = [abs(v) >> scan.low for v in band]
            (self.more if scan.before else self.band)(place, band, sizes, surplus)

    def band(self, place: int, band: list[int], sizes: list[int], surplus: int) -> None:
        """AC for the first time."""
        done = 0
        for k, size in enumerate(sizes):
            if size:
                self.flush()
                for _ in range((k - done) // 16):
                    self.put(place, 1, 0xF0)
                count = size.bit_length()
                require(count < 16, "a coefficient that is too large")
                self.put(place, 1, (k - done) % 16 << 4 | count, size if band[k] > 0 else ~size, count)
                done = k + 1
        for _ in range(surplus):
            require(done < len(sizes), "too many zeros")
            self.flush()
            self.put(place, 1, 0xF0)
            done += 16
        if done < len(sizes):
            if self.scan.first:
                self.empty([])
            else:
                self.put(place, 1, 0)

    def more(self, place: int, band: list[int], sizes: list[int], surplus: int) -> None:
        """One more bit of AC."""
        newest = max((k for k, size in enumerate(sizes) if size == 1), default=-1)
        zeros, own, done = 0, list[int](), 0
        for k, size in enumerate(sizes):
            if size > 1:
                own.append(size & 1)
                continue
            zeros += size == 0
            full = zeros == 16 and size == 0 and (k < newest or surplus > 0)
            if size == 1 or full:
                self.flush()
                self.put(place, 1, 0xF0 if full else zeros << 4 | 1, int(band[k] > 0), int(not full))
                for bit in own:
                    self.put(place, 1, -1, bit, 1)
                surplus -= full and k > newest
                zeros, own, done = 0, [], k + 1
        require(surplus == 0, "too many zeros")
        if done < len(sizes):
            self.empty(own)

    def empty(self, own: list[int]) -> None:
        """The block goes on, or begins, a run."""
        self.run += 1
        self.kept += len(own)
        self.held += own
        ends = self.run == self.longest or self.kept > 937
        other = self.writer.block in self.writer.breaks
        if other and self.used:
            self.writer.breaks.discard(self.writer.block)
        if ends != other:
            self.flush()
        elif other:
            self.kept = 0

    def flush(self) -> None:
        """End the run."""
        if self.run:
            count = self.run.bit_length() - 1
            require(count < 15, "a run that is too long")
            self.put(0, 1, count << 4, self.run, count)
            for bit in self.held:
                self.put(0, 1, -1, bit, 1)
        self.run, self.kept, self.held = 0, 0, []


# ---------------------------------------------------------------- Huffman tables


def codes(table: tuple[bytes, bytes] | None) -> dict[int, str]:
    """Codes by their values."""
    made: dict[int, str] = {}
    code, values = 0, iter(table[1] if table else b"")
    for length, count in enumerate(table[0] if table else b"", 1):
        for _ in range(count):
            made[next(values)] = f"{code:0{length}b}"
            code += 1
        require(code <= 1 << length, "a table of too many codes")
        code *= 2
    return made


def best(counts: dict[int, int]) -> tuple[bytes, bytes]:
    """The best table for values of those counts."""
    trees = {v: (n, [v]) for v, n in [*counts.items(), (256, 1)]}
    sizes = dict.fromkeys(trees, 0)
    while len(trees) > 1:
        first, second = sorted(trees, key=lambda name: (trees[name][0], -name))[:2]
        (a, values), (b, others) = trees[first], trees.pop(second)
        trees[first] = a + b, values + others
        for v in values + others:
            sizes[v] += 1
    lengths = [0] * 300
    for size in sizes.values():
        lengths[size] += 1
    for i in range(299, 16, -1):
        while lengths[i]:
            j = next(j for j in range(i - 2, 0, -1) if lengths[j])
            lengths[i] -= 2
            lengths[i - 1] += 1
            lengths[j + 1] += 2
            lengths[j] -= 1
    lengths[next(i for i in range(16, 0, -1) if lengths[i])] -= 1
    ranked = sorted((sizes[v], v) for v in counts)
    return bytes(lengths[1:17]), bytes(v for _, v in ranked)
