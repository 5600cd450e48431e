"""docs/deflate.md's Builders, for :mod:`tests.format.reference_deflate`."""

from __future__ import annotations

from typing import NamedTuple

LENGTH_EXTRA = [0] * 4 + [i // 4 for i in range(24)] + [0]
LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
Symbols = list[tuple[int, int]]


class Head(NamedTuple):
    """Code lengths as told, the symbols that tell them, their code lengths, and how many of these are told."""

    literals: list[int]
    distances: list[int]
    symbols: Symbols
    order: list[int]
    told: int

    def with_symbols(self, symbols: Symbols, builder: str) -> Head:
        """With other symbols, and the code that the builder makes for them."""
        counts = [sum(symbol == i for symbol, _ in symbols) for i in range(19)]
        order = build(counts, 7, builder)
        told = max([4] + [k + 1 for k, i in enumerate(LENGTH_ORDER) if order[i]])
        return self._replace(symbols=symbols, order=order, told=told)


def length_symbol(length: int) -> tuple[int, int]:
    """The symbol of a length, and the first length that it stands for."""
    if length >= 258:
        return (285, 258) if length == 258 else (284, 227)
    base, symbol = 3, 257
    while base + (1 << LENGTH_EXTRA[symbol - 257]) <= length:
        base += 1 << LENGTH_EXTRA[symbol - 257]
        symbol += 1
    return symbol, base


def distance_symbol(distance: int) -> tuple[int, int]:
    """The symbol of a distance, and how many extra bits it has."""
    extra = 0 if distance < 3 else (distance - 1).bit_length() - 2
    return (distance - 1 if distance < 3 else 2 * extra + ((distance - 1) >> extra)), extra


def zlib_lengths(counts: list[int], greatest: int) -> list[int]:
    weight = dict(enumerate(counts))
    depth = dict.fromkeys(range(len(counts)), 0)
    parent: dict[int, int] = {}
    heap = [-1] + [i for i, n in enumerate(counts) if n]
    m = heap[-1]
    while len(heap) < 3:
        i, m = (m + 1, m + 1) if m < 2 else (0, m)
        heap.append(i)
        weight[i] = 1

    def before(a: int, b: int) -> bool:
        return weight[a] < weight[b] or (weight[a] == weight[b] and depth[a] <= depth[b])

    def down(k: int) -> None:
        v, j, n = heap[k], 2 * k, len(heap) - 1
        while j <= n:
            if j < n and before(heap[j + 1], heap[j]):
                j += 1
            if before(v, heap[j]):
                break
            heap[k] = heap[j]
            k, j = j, 2 * j
        heap[k] = v

    for k in range((len(heap) - 1) // 2, 0, -1):
        down(k)
    node, listed = len(counts), list[int]()
    while len(heap) > 2:
        a, moved = heap[1], heap.pop()
        heap[1] = moved
        down(1)
        b = heap[1]
        listed += [a, b]
        weight[node], depth[node] = weight[a] + weight[b], max(depth[a], depth[b]) + 1
        parent[a] = parent[b] = heap[1] = node
        down(1)
        node += 1
    length, over, c = {node - 1: 0}, 0, [0] * (greatest + 2)
    for i in reversed(listed):
        length[i] = length[parent[i]] + 1
        if length[i] > greatest:
            length[i], over = greatest, over + 1
        if i < len(counts):
            c[length[i]] += 1
    if over:
        while over > 0:
            bits = greatest - 1
            while not c[bits]:
                bits -= 1
            c[bits] -= 1
            c[bits + 1] += 2
            c[greatest] -= 1
            over -= 2
        leaves = iter([i for i in listed if i < len(counts)])
        for bits in range(greatest, 0, -1):
            for _ in range(c[bits]):
                length[next(leaves)] = bits
    return [length.get(i, 0) for i in range(len(counts))]


def libdeflate_lengths(counts: list[int], greatest: int) -> list[int]:
    leaves = sorted((i for i, n in enumerate(counts) if n), key=lambda i: (counts[i], i))
    found = [0] * len(counts)
    if len(leaves) < 2:
        found[0] = found[max(leaves[0] if leaves else 0, 1)] = 1
        return found
    nodes, parent, leaf, first = list[int](), dict[int, int](), 0, 0
    while len(nodes) < len(leaves) - 1:
        total = 0
        for _ in range(2):
            no_node = first == len(nodes)
            if leaf < len(leaves) and (no_node or counts[leaves[leaf]] <= nodes[first]):
                total += counts[leaves[leaf]]
                leaf += 1
            else:
                total += nodes[first]
                parent[first] = len(nodes)
                first += 1
        nodes.append(total)
    c, depth = [0] * (greatest + 2), {len(nodes) - 1: 0}
    c[1] = 2
    for i in range(len(nodes) - 2, -1, -1):
        x = depth[i] = depth[parent[i]] + 1
        if x >= greatest:
            x = greatest - 1
            while not c[x]:
                x -= 1
        c[x] -= 1
        c[x + 1] += 2
    rarest = iter(leaves)
    for bits in range(greatest, 0, -1):
        for _ in range(c[bits]):
            found[next(rarest)] = bits
    return found


def build(counts: list[int], greatest: int, builder: str) -> list[int]:
    return zlib_lengths(counts, greatest) if builder == "zlib" else libdeflate_lengths(counts, greatest)


def runs(lengths: list[int]) -> Symbols:
    found: Symbols = []
    i = 0
    while i < len(lengths):
        v, left = lengths[i], 1
        while i + left < len(lengths) and lengths[i + left] == v:
            left += 1
        i += left
        if v:
            found.append((v, 0))
            left -= 1
        while left >= 3:
            part = min(left, 6 if v else 138)
            found.append((16, part - 3) if v else (18, part - 11) if part > 10 else (17, part - 3))
            left -= part
        found += [(v, 0)] * left
    return found


def symbols_of(literals: list[int], distances: list[int], builder: str) -> Head:
    """A head with these code lengths."""
    symbols = runs(literals) + runs(distances) if builder == "zlib" else runs(literals + distances)
    return Head(literals, distances, [], [], 0).with_symbols(symbols, builder)


def expected_head(content: bytes, p: int, tokens: Symbols, builder: str) -> tuple[Head, int]:
    """The head that is expected of a block that begins at p, and whether fixed codes are."""
    counts, far, extra = [0] * 286, [0] * 30, 0
    counts[256] = 1
    for length, distance in tokens:
        if length:
            symbol, _ = length_symbol(length)
            counts[symbol] += 1
            extra += LENGTH_EXTRA[symbol - 257]
            symbol, bits = distance_symbol(distance)
            far[symbol] += 1
            extra += bits
        else:
            counts[content[p]] += 1
        p += min(length, 258) or 1
    literals = build(counts, 15 if builder == "zlib" else 14, builder)
    distances = build(far, 15, builder)
    literals = literals[: max([257] + [i + 1 for i, n in enumerate(literals) if n])]
    distances = distances[: max([1] + [i + 1 for i, n in enumerate(distances) if n])]
    head = symbols_of(literals, distances, builder)
    own = 14 + 3 * head.told + extra
    own += sum(head.order[symbol] + {16: 2, 17: 3, 18: 7}.get(symbol, 0) for symbol, _ in head.symbols)
    own += sum(n * b for n, b in zip(counts, literals, strict=False))
    own += sum(n * b for n, b in zip(far, distances, strict=False))
    fixed = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 6
    common = extra + sum(n * b for n, b in zip(counts, fixed, strict=True)) + 5 * sum(far)
    return head, int((common + 10) >> 3 <= (own + 10) >> 3 if builder == "zlib" else common <= own)
