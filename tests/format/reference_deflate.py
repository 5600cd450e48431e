"""A reader of docs/deflate.md, written from that page: streams from their content and corrections. Slow and simple."""

from __future__ import annotations

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_deflate_rules import Libdeflate, Rules, Zlib, ZlibNext
from tests.format.reference_deflate_trees import LENGTH_EXTRA, Head, expected_head, length_symbol, symbols_of
from tests.format.reference_numbers import require

STORED, EXPLICIT, AGAIN, DIRTY, LAST, FIXED, PADDING, FORGETS = 0, 4, 8, 12, 16, 20, 24, 28
TREES, SIZES, SYMBOLS, ORDER, KIND, SAME_LENGTH, OTHER_LENGTH = 32, 33, 34, 35, 36, 64, 128
WRONG, LITERAL, EQUAL, SHORTER, SAME_DISTANCE, FAR = 640, 720, 736, 752, 768, 784
BLOCK_LENGTH, LENGTHS, HOPS, CONTEXTS = 800, 928, 1312, 1824
LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


class Decisions:
    """The range-coded part."""

    def __init__(self, coded: bytes) -> None:
        self.coder, self.contexts = BinaryDecoder(coded), [(1 << 21, 0)] * CONTEXTS

    def bit(self, context: int) -> int:
        p, n = self.contexts[context]
        bit = self.coder.cut((self.coder.range >> 16) * max(p >> 6, 1))
        a = 131072 // (2 * n + 3)
        p = p + ((((1 << 22) - p) * a) >> 16) if bit else p - ((p * a) >> 16)
        self.contexts[context] = p, min(n + 1, 255)
        return bit

    def even(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = 2 * value + self.coder.cut((self.coder.range >> 16) * (1 << 15))
        return value

    def number(self, context: int) -> int:
        bits = 0
        while bits < 40 and self.bit(context + bits):
            bits += 1
        value = node = 1
        for i in range(bits):
            bit = self.bit(context + 40 + 8 * min(bits, 10) + node) if i < 3 else self.even(1)
            node = 2 * node + bit if i < 3 else node
            value = 2 * value + bit
        return value - 1


class Out:
    """Bits that are written, the lowest of a number first."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def put(self, value: int, count: int) -> None:
        self.bits += [value >> i & 1 for i in range(count)]

    def data(self) -> bytes:
        return bytes(
            sum(bit << i for i, bit in enumerate(self.bits[at : at + 8])) for at in range(0, len(self.bits), 8)
        )


def words(lengths: list[int]) -> list[int]:
    """The codes of RFC 1951, 3.2.2, the first bit lowest."""
    require(sum(1 << (15 - n) for n in lengths if n) <= 1 << 15, "too many codes")
    found, code = [0] * len(lengths), 0
    for bits in range(1, 16):
        for i, n in enumerate(lengths):
            if n == bits:
                found[i] = int(f"{code:0{bits}b}"[::-1], 2)
                code += 1
        code <<= 1
    return found


def kind_of_length(length: int) -> int:
    return sum(length > top for top in (0, 3, 4, 6, 10, 20, 64, 257))


class Reader:
    """The blocks of a stream."""

    def __init__(self, content: bytes, coded: bytes) -> None:
        require(len(coded) >= 2, "there are no rules")
        number, window, memory = coded[0], (coded[1] & 7) + 8, coded[1] >> 3
        require(window >= 9 and 1 <= memory <= 9, "there are no such rules")
        self.size, self.content = len(content), content + bytes(300)
        libdeflate, begin = 31 <= number <= 39, 2
        make: type[Rules] = Libdeflate if libdeflate else ZlibNext if number > 40 else Zlib
        self.rules = make(self.content, self.size, number, window, memory)
        if number > 40 and number % 10 in (1, 3, 4, 5, 6):
            self.rules.feed, begin = int.from_bytes(coded[2:6], "little"), 6
        self.builder = "libdeflate" if libdeflate else "zlib"
        self.coder, self.out = Decisions(coded[begin:]), Out()
        self.position, self.kind, self.was_explicit, self.length, self.was_dirty, self.history = 0, 3, 0, 0, 0, 0
        self.walked = (1 << 24) + 64 * len(content)
        self.keys: dict[int, list[int]] = {}
        self.keyed = 0

    def read(self) -> bytes:
        while not self.block():
            pass
        return self.out.data()

    def block(self) -> int:
        """One block; whether it is the last one."""
        bit, start = self.coder.bit, self.position
        stored = bit(STORED + self.kind)
        explicit = self.was_explicit = bit(EXPLICIT + 2 * stored + self.was_explicit)
        end, dirty, tokens = self.size, 0, list[tuple[int, int]]()
        if explicit:
            if not bit(AGAIN + stored):
                self.length = self.coder.number(BLOCK_LENGTH)
            end = start + self.length
            require(end <= self.size and not (stored and self.length > 65535), "a block is too long")
        if not stored:
            dirty = self.was_dirty = bit(DIRTY + self.was_dirty)
        if stored and explicit:
            self.position = end
        else:
            tokens = self.tokens(end, explicit, dirty)
        if explicit:
            self.rules.forget_carried()
        if stored:
            self.kind = 0
            last = bit(LAST + (self.position == self.size))
            self.stored(start, last)
        else:
            head = self.head(start, tokens)
            self.kind = 1 if head is None else 2
            last = bit(LAST + (self.position == self.size))
            self.write(start, tokens, head, last)
        if last:
            require(self.position == self.size, "the content goes on")
            self.out.put(self.coder.even(7) if bit(PADDING + 1) else 0, -len(self.out.bits) % 8)
        return last

    def tokens(self, end: int, explicit: int, dirty: int) -> list[tuple[int, int]]:
        """A block's tokens: (length, distance), or (0, 0)."""
        found: list[tuple[int, int]] = []
        self.rules.begin_block(self.position, end)
        while self.position < end and (explicit or not self.rules.ended):
            expected = token = self.rules.token(self.position)
            if dirty:
                k = kind_of_length(expected[0])
                wrong = self.coder.bit(WRONG + 8 * k + self.history)
                self.history = (2 * self.history + wrong) & 7
                if wrong:
                    token = self.other_token(expected, k, end)
            self.rules.after(self.position, token, expected)
            found.append(token)
            self.position += min(token[0], 258) or 1
        require(self.position <= end, "a token goes on after its block")
        return found

    def other_token(self, expected: tuple[int, int], k: int, end: int) -> tuple[int, int]:
        bit, (length, distance) = self.coder.bit, expected
        if length and bit(LITERAL + k):
            return 0, 0
        context, other = 3, 0
        if not length:
            length = 3 + self.coder.number(LENGTHS + 256)
        elif bit(EQUAL + k):
            context, other = 0, distance
        elif bit(SHORTER + k):
            length -= self.coder.number(LENGTHS + 128) + 1
            context, other = 1, distance
        else:
            length += self.coder.number(LENGTHS) + 1
            context = 2
        span = min(length, 258)
        require(3 <= length <= 259 and span <= end - self.position, "a match has a wrong length")
        if context == 1 and bit(SAME_DISTANCE + k):
            return length, distance
        return length, self.distance(context, span, other)

    def distance(self, context: int, span: int, other: int) -> int:
        p, data = self.position, self.content
        there = data[p : p + span]
        if self.coder.bit(FAR + context):
            distance = self.coder.even(15) + 1
            require(distance <= p and all(data[p - distance + i] == there[i] for i in range(span)), "it is no match")
            return distance
        hops = self.coder.number(HOPS + 128 * context)
        for q in range(self.keyed, p):
            self.keys.setdefault(self.key(q), []).append(q)
        self.keyed = p
        for q in self.keys.get(self.key(p), [])[: -2048 - 1 : -1]:
            require(p - q <= 32768 and self.walked > 0, "a distance is not found")
            if p - q != other and data[q + span - 1] == data[p + span - 1]:
                same = next((i for i in range(span) if data[q + i] != data[p + i]), span)
                self.walked -= same
                if same == span:
                    if hops == 0:
                        return p - q
                    hops -= 1
            self.walked -= 1
        require(False, "a distance is not found")
        return 0

    def key(self, q: int) -> int:
        return ((int.from_bytes(self.content[q : q + 3], "little") * 0x9E3779B1) & 0xFFFFFFFF) >> 16

    def stored(self, start: int, last: int) -> None:
        length = self.position - start
        require(length <= 65535, "a stored block is too long")
        padding = self.coder.even(7) if self.coder.bit(PADDING) else 0
        if length == 0 and self.coder.bit(FORGETS):
            self.rules.floor = start
        self.out.put(last, 3)
        self.out.put(padding, -len(self.out.bits) % 8)
        self.out.put(length, 16)
        self.out.put(length ^ 65535, 16)
        for byte in self.content[start : self.position]:
            self.out.put(byte, 8)

    def head(self, start: int, tokens: list[tuple[int, int]]) -> Head | None:
        """The code lengths of a block; None for fixed codes."""
        bit, even = self.coder.bit, self.coder.even
        expected, likely = expected_head(self.content, start, tokens, self.builder)
        if bit(FIXED + likely):
            return None
        if bit(TREES):
            return expected
        sizes = (len(expected.literals), len(expected.distances))
        if not bit(SIZES):
            sizes = even(5) + 257, even(5) + 1
        told: list[list[int]] = [[], []]
        for far, own in enumerate((expected.literals, expected.distances)):
            for i in range(sizes[far]):
                e = own[i] if i < len(own) else 0
                node = 1
                if bit(SAME_LENGTH + e + 16 * far):
                    node = e + 16
                else:
                    for _ in range(4):
                        node = 2 * node + bit(OTHER_LENGTH + 16 * (e + 16 * far) + node)
                told[far].append(node - 16)
        head = symbols_of(told[0], told[1], self.builder)
        if not bit(SYMBOLS):
            head = head.with_symbols(self.symbols(told[0] + told[1]), self.builder)
        if not bit(ORDER):
            count = even(4) + 4
            lengths = [0] * 19
            for i in LENGTH_ORDER[:count]:
                lengths[i] = even(3)
            head = head._replace(order=lengths, told=count)
        return head

    def symbols(self, lengths: list[int]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        i = 0
        while i < len(lengths):
            kind = self.coder.bit(KIND)
            kind = 2 * kind + self.coder.bit(KIND + 1 + kind)
            if kind == 0:
                found.append((lengths[i], 0))
                i += 1
                continue
            extra = self.coder.even((2, 3, 7)[kind - 1])
            times = extra + (3, 3, 11)[kind - 1]
            value = lengths[i - 1] if kind == 1 and i else -1 if kind == 1 else 0
            require(i + times <= len(lengths) and set(lengths[i : i + times]) == {value}, "symbols tell other lengths")
            found.append((15 + kind, extra))
            i += times
        return found

    def write(self, start: int, tokens: list[tuple[int, int]], head: Head | None, last: int) -> None:
        put, p = self.out.put, start
        put(last, 1)
        put(1 if head is None else 2, 2)
        literals = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
        distances = [5] * 32
        if head is not None:
            literals, distances = head.literals, head.distances
            put(len(literals) - 257, 5)
            put(len(distances) - 1, 5)
            put(head.told - 4, 4)
            for i in LENGTH_ORDER[: head.told]:
                put(head.order[i], 3)
            codes = words(head.order)
            for symbol, extra in head.symbols:
                require(head.order[symbol] > 0, "a symbol has no code")
                put(codes[symbol], head.order[symbol])
                put(extra, {16: 2, 17: 3, 18: 7}.get(symbol, 0))
        codes, far_codes = words(literals), words(distances)

        def symbol_out(symbol: int, lengths: list[int], codes: list[int]) -> None:
            require(symbol < len(lengths) and lengths[symbol] > 0, "a symbol has no code")
            put(codes[symbol], lengths[symbol])

        for length, distance in tokens:
            if not length:
                symbol_out(self.content[p], literals, codes)
                p += 1
                continue
            symbol, base = length_symbol(length)
            symbol_out(symbol, literals, codes)
            put(min(length, 258) - base, LENGTH_EXTRA[symbol - 257])
            p += min(length, 258)
            far = 0 if distance < 3 else (distance - 1).bit_length() - 2
            symbol = distance - 1 if distance < 3 else 2 * far + ((distance - 1) >> far)
            symbol_out(symbol, distances, far_codes)
            put((distance - 1) & ((1 << far) - 1), far)
        symbol_out(256, literals, codes)


def restore(content: bytes, coded: bytes) -> bytes:
    """The stream."""
    return Reader(content, coded).read()
