"""docs/deflate.md's Rules, for :mod:`tests.format.reference_deflate`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.format.reference_numbers import require

Token = tuple[int, int]
LITERAL = (0, 0)


class Rules:
    """What encoders have in common."""

    floor = 0
    ended = False
    feed = 0

    def __init__(self, data: bytes, size: int, number: int, window: int, memory: int) -> None:
        self.data, self.size, self.number, self.window, self.memory = data, size, number, window, memory
        self.work = min((1 << 26) + (size << 10), 1 << 34)
        self.carried: Token | None = None
        self.heads: dict[int, int] = {}
        self.before: dict[int, int] = {}
        self.chained = 0
        self.set_up()

    def set_up(self) -> None:
        raise NotImplementedError

    def hash(self, q: int) -> int:
        raise NotImplementedError

    def begin_block(self, start: int, end: int) -> None:
        raise NotImplementedError

    def token(self, p: int) -> Token:
        raise NotImplementedError

    def after(self, p: int, token: Token, expected: Token) -> None:
        raise NotImplementedError

    def forget_carried(self) -> None:
        self.carried = None

    def equal(self, q: int, p: int, most: int) -> int:
        return next((i for i in range(most) if self.data[q + i] != self.data[p + i]), most)

    def chain(self, end: int) -> None:
        """All positions before ``end`` that are not chained yet."""
        for q in range(self.chained, end):
            key = self.hash(q)
            self.before[q], self.heads[key] = self.heads.get(key, -1), q
        self.chained = max(self.chained, end)

    def candidates(self, p: int) -> Iterator[int]:
        """The nearest first."""
        q = self.before.get(p, -1)
        while 0 <= q < p:
            yield q
            q = self.before.get(q, -1)


class Zlib(Rules):
    """zlib."""

    hashed = 3

    LEVELS = (
        (0, 0, 0, 0), (4, 4, 8, 4), (4, 5, 16, 8), (4, 6, 32, 32), (4, 4, 16, 16), (8, 16, 32, 32), (8, 16, 128, 128),
        (8, 32, 128, 256), (32, 128, 258, 1024), (32, 258, 258, 4096),
    )  # fmt: skip

    def set_up(self) -> None:
        kind, level = divmod(self.number, 10)
        require(kind < 3 and (kind == 0 or level > 3 or self.number == 10), "there are no such rules")
        self.filtered, self.too_far = kind == 1, 32768 if kind == 2 else 4096
        self.good, self.lazy, self.nice, self.most = self.LEVELS[level]
        self.fast, self.slow, self.runs = 1 <= level <= 3, level > 3, self.number == 10
        self.bits, self.farthest = self.memory + 7, (1 << self.window) - 262

    def hash(self, q: int) -> int:
        s, data = (self.bits + 2) // 3, self.data
        return (data[q] << 2 * s ^ data[q + 1] << s ^ data[q + 2]) & ((1 << self.bits) - 1)

    def begin_block(self, start: int, end: int) -> None:
        self.end, self.left = end, (1 << (self.memory + 6)) - 1
        self.ended = False

    def chain(self, end: int) -> None:
        super().chain(min(end, self.end - self.hashed + 1))

    def match(self, p: int, best: int) -> Token:
        look = min(self.end - p, 258)
        if look < self.hashed or best >= look:
            return LITERAL
        self.chain(p + 1)
        left = self.most // 4 if best >= self.good else self.most
        left = min(left, 4) if self.work < 0 else left
        found, data = LITERAL, self.data
        for i, q in enumerate(self.candidates(p)):
            if left == 0 or q <= self.floor or p - q > self.farthest - (i > 0):
                break
            if all(data[q + k] == data[p + k] for k in (best, best - 1, 0, 1)):
                n = self.equal(q, p, look)
                self.work -= n // 8
                if n > best:
                    best, found = n, (n, p - q)
                    if n >= min(self.nice, look):
                        break
            self.work -= 1
            left -= 1
        return found

    def token(self, p: int) -> Token:
        if self.runs:
            n = self.equal(p - 1, p, min(self.end - p, 258)) if p > self.floor else 0
            return (n, 1) if n >= 3 else LITERAL
        if self.fast:
            return self.match(p, 2)
        if not self.slow:
            return LITERAL
        found, self.carried = self.carried, None
        if found is None:
            found = self.match(p, 2)
            if (found[0] < 6 and self.filtered) or (found[0] == 3 and found[1] > self.too_far):
                return LITERAL
        if found[0] and found[0] < self.lazy:
            later = self.match(p + 1, found[0])
            if later[0] and not (self.filtered and later[0] < 6):
                self.carried = later
                return LITERAL
        return found

    def after(self, p: int, token: Token, expected: Token) -> None:
        length = min(token[0], 258)
        if token != expected:
            self.carried = None
        if self.fast and length:
            self.chain(p + 1)
            if length > self.lazy or self.end - p - length < 3:
                self.chained = max(self.chained, p + length)
            else:
                self.chain(p + length)
        self.left -= 1
        self.ended = self.left == 0


class ZlibNext(Zlib):
    """zlib-ng."""

    hashed = 4
    NEXT = (
        (0, 0, 0, 0), (4, 4, 8, 4), (4, 6, 16, 6), (4, 12, 32, 24), (8, 16, 32, 32), (8, 16, 128, 128),
        (8, 32, 128, 256), (32, 128, 258, 1024),
    )  # fmt: skip

    def set_up(self) -> None:
        require(self.number in (*range(41, 49), *range(53, 57)), "there are no such rules")
        self.all, self.number = self.number > 50, self.number - 10 * (self.number > 50)
        self.good, self.lazy, self.nice, self.most = self.NEXT[self.number - 41]
        self.filtered, self.too_far, self.farthest = False, 32768, (1 << self.window) - 262
        self.fast = self.runs = False
        self.slow, self.until, self.base = self.number > 46, 0, 0

    def hash(self, q: int) -> int:
        return (int.from_bytes(self.data[q : q + 4], "little") * 2654435761 & 0xFFFFFFFF) >> 16

    def begin_block(self, start: int, end: int) -> None:
        super().begin_block(start, end)
        self.left = -1 if self.number == 41 else self.left

    def fresh(self, p: int, again: bool = False) -> Token:
        if (self.chained > p and not again) or self.end - p < 4:
            return LITERAL
        found = self.match(p, 2)
        return found if found[0] >= 4 else LITERAL

    def quick(self, p: int) -> Token:
        if min(self.until, self.end) - p < 262:
            self.get_input(p)
        self.chain(p + 1)
        if self.end - p < 4:
            return LITERAL
        q = next(self.candidates(p), 0)
        n = self.equal(q, p, min(self.end - p, 258)) if q != p and p - q <= self.farthest else 0
        return (n, p - q) if n >= 4 else LITERAL

    def get_input(self, p: int) -> bool:
        self.carried, size, again = None, 1 << self.window, False
        if p and self.until < self.size and self.end - p >= 4:
            if self.chained > p and self.hash(p - 1) == self.hash(p):
                self.before[p - 1], self.before[p], again = -1, p - 1, True
            elif self.chained == p and self.heads.get(self.hash(p - 1)) != p - 1:
                self.chained = p - 1
        while self.until - p < 262 and self.until < self.size:
            if p - self.base >= 2 * size - 262:
                self.base += size
            room = 2 * size - (self.until - self.base)
            room = min(room, self.feed - self.until % self.feed) if self.feed else room
            self.until = min(self.until + max(room, 1), self.size)
        return again

    def moved(self, p: int, length: int, later: Token) -> int:
        data, (n, d), s, a = self.data, later, p + length, self.base
        o, x = s - d, 0
        if length <= 1 or length > 1 + o - a or data[o - length + 1] != data[s - length + 1]:
            return 0
        limit = max(s - self.farthest, a)
        while x < length and data[o - x - 1] == data[s - x - 1] and s - x > limit and n + x < 256 and o - x > a + 1:
            x += 1
        return x if x and length - x <= 1 else 0

    def medium(self, p: int) -> Token:
        while True:
            again = min(self.until, self.end) - p < 262 and self.get_input(p)
            found, self.carried = self.carried, None
            found = self.fresh(p, again) if found is None else found
            length, left = found[0] or 1, min(self.until, self.end) - p
            if length > 16 * self.lazy and not self.all:
                self.chained = max(self.chained, p + length - 1)
            elif length > 1 and left <= length + 4:
                self.chained = max(self.chained, p + length)
            self.chain(p + length)
            if self.number < 45 or left <= 262 or p + length - self.base >= (2 << self.window) - 262:
                return found
            later = self.fresh(p + length)
            x = self.moved(p, length, later) if later[0] else 0
            self.carried = (later[0] + x, later[1])
            if x < length:
                return LITERAL if x else found

    def token(self, p: int) -> Token:
        if self.slow:
            return super().token(p)
        return self.quick(p) if self.number == 41 else self.fresh(p) if self.number == 42 else self.medium(p)

    def after(self, p: int, token: Token, expected: Token) -> None:
        super().after(p, token, expected)
        length = min(token[0], 258)
        if self.number == 41 and length:
            self.chained = max(self.chained, p + length)
        if self.number == 42 and length:
            if length > self.lazy or self.end - p - length < 4:
                self.chained = max(self.chained, p + length - 1)
            self.chain(p + length)


class Libdeflate(Rules):
    """libdeflate."""

    LEVELS = (
        ("greedy", 2, 32), ("greedy", 6, 10), ("greedy", 12, 14), ("greedy", 16, 30), ("lazy", 16, 30),
        ("lazy", 35, 65), ("lazy", 100, 130), ("lazy2", 300, 258), ("lazy2", 600, 258),
    )  # fmt: skip

    def set_up(self) -> None:
        self.kind, self.depth, self.nice = self.LEVELS[self.number - 31]
        self.fastest = self.number == 31
        self.near: dict[int, list[int]] = {}
        self.forced = False

    def value(self, q: int, count: int) -> int:
        return int.from_bytes(self.data[q : q + count], "little") * 0x1E35A7BD & 0xFFFFFFFF if q else 0

    def hash(self, q: int) -> int:
        return self.value(q, 4) >> (17 if self.fastest else 16)

    def chain(self, end: int) -> None:
        end = min(end, self.size - 4)
        for q in range(self.chained, end):
            self.near.setdefault(self.value(q, 3) >> 17, []).append(q)
        super().chain(end)

    def match(self, p: int, best: int, depth: int) -> Token:
        most = min(self.size - p, 258)
        if most < 5:
            return LITERAL
        self.chain(p + 1)
        found, nice, data = LITERAL, min(self.nice, most), self.data
        if best < 4 and not self.fastest:
            near = [q for q in self.near[self.value(p, 3) >> 17][-4:] if q < p][-1:]
            if not near or p - near[0] > 32767:
                return LITERAL
            if best < 3 and self.equal(near[0], p, 3) == 3:
                best, found = 3, (3, p - near[0])
        elif best >= nice:
            return LITERAL
        depth = min(depth, 4) if self.work < 0 else depth
        best = max(best, 3)
        for q in self.candidates(p):
            if depth == 0 or p - q > 32767:
                break
            if data[q + best] == data[p + best] and data[q] == data[p]:
                n = self.equal(q, p, most)
                self.work -= n // 8
                if n > best:
                    best, found = n, (n, p - q)
                    if n >= nice:
                        break
            self.work -= 1
            depth -= 1
        return found

    def least(self, used: int) -> int:
        found = next((n for n, below in ((9, 6), (8, 8), (7, 10), (6, 16), (5, 45), (4, 80)) if used < below), 3)
        limits = ((5, 4), (10, 5), (16, 7))
        return min([found] + [n for below, n in limits if self.depth < below])

    def begin_block(self, start: int, end: int) -> None:
        self.begin, self.forced, self.ended, self.matches = start, False, False, 0
        left, soft = self.size - start, 65535 if self.fastest else 300000
        self.check = start + min(left, 10000)
        if left >= soft + 5000:
            left = soft
        self.limit = start + left
        used = len(set(self.data[start : start + min(left, 4096)]))
        self.minimum = 4 if self.fastest else 3 if left < 512 else self.least(used)
        self.literals = [0] * 256
        self.old, self.new = [0] * 10, [0] * 10

    def token(self, p: int) -> Token:
        if self.forced:
            self.forced = False
            return LITERAL
        found, self.carried = self.carried, None
        if found is None:
            if self.kind != "greedy" and p >= self.check:
                total = sum(self.literals)
                self.minimum = self.least(sum(n > total >> 10 for n in self.literals))
                self.check += min(self.size - self.check, p - self.begin)
            found = self.match(p, self.minimum - 1, self.depth)
            if found[0] == 3 and found[1] > (4096 if self.kind == "greedy" else 8192):
                return LITERAL
        length, distance = found
        if not length or self.kind == "greedy" or length >= min(self.nice, self.size - p):
            return found
        for ahead, gain in ((1, 2), (2, 6))[: 2 if self.kind == "lazy2" else 1]:
            x, y = later = self.match(p + ahead, length - 1, self.depth >> ahead)
            if x >= length and 4 * (x - length) + distance.bit_length() - y.bit_length() > gain:
                self.carried, self.forced = later, ahead == 2
                return LITERAL
        return found

    def after(self, p: int, token: Token, expected: Token) -> None:
        length = min(token[0], 258)
        if token != expected:
            self.carried, self.forced = None, False
        if length:
            self.matches += 1
            self.new[9 if length >= 9 else 8] += 1
        else:
            self.literals[self.data[p]] += 1
            self.new[((self.data[p] >> 5) & 6) + (self.data[p] & 1)] += 1
        p += length or 1
        if self.carried is not None:
            return
        self.ended = p >= self.limit or self.matches >= (8192 if self.fastest else 50000)
        count, total, length = sum(self.new), sum(self.old), p - self.begin
        if self.ended or self.fastest or count < 512 or length < 5000 or self.size - p < 5000:
            return
        apart = sum(abs(new * total - old * count) for old, new in zip(self.old, self.new, strict=True))
        cut = 200 * count // 512 * total
        if length < 10000 and total + count < 8192:
            cut += cut * (8192 - total - count) // 8192
        if total and apart + length // 4096 * total >= cut:
            self.ended = True
            return
        self.old, self.new = [a + b for a, b in zip(self.old, self.new, strict=True)], [0] * 10
