"""docs/format.md's networks and decisions of model ``jpeg``."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, NamedTuple

from tests.format.reference_coders import BinaryDecoder
from tests.format.reference_heads import Heads, logistic
from tests.format.reference_jpeg_inputs import Inputs, Seen, in_steps
from tests.format.reference_jpeg_tables import class_of, signed_class
from tests.format.reference_mixing import CONFIDENCE, LOGISTIC, RATE, SQUASH, STRETCH, WRAP, signed
from tests.format.reference_numbers import clamp
from tests.format.reference_stage import ln
from tests.format.reference_tables import EXP, SCALE
from tests.format.reference_weights import LOGIT, RECTIFIED, Linear, read_weights, values_of

SETS = ((4096, 128), (1024, 2048), (2048, 128), (2048, 128), (1024, 128))  # rows: of coefficients, of ends
MAPS = ((1024, 128), (2048, 2048))


class Layer(Linear):
    """A linear layer that may have biases for places."""

    def at(self, x: list[int], place: int, places: list[int]) -> list[int]:
        m = len(self.rows)
        kept = self.rows
        if places:
            self.rows = [(w, b + places[place * m + j], a, s) for j, (w, b, a, s) in enumerate(kept)]
        made = self(x)
        self.rows = kept
        return made


class Networks:
    """All networks, and the settings."""

    def __init__(self, weights: bytes, digest: bytes) -> None:
        config, arrays = read_weights(weights, "jpeg", digest)
        settings: dict[str, Any] = config["networks"]["3"]
        self.tables, self.bits = settings["tables"], settings["bits"]
        self.online, self.rate, self.group = (
            settings.get(name, usual) for name, usual in (("online", False), ("rate", 0.001), ("group", 64))
        )
        self.experts = ["coefficient", "second"] if settings.get("second") else ["coefficient"]
        self.layers, self.places = {}, {}
        for name in (*self.experts, "end"):
            for i in range(3):
                key = f"3.{name}.{i}"
                self.layers[name, i] = Layer(arrays, key, LOGIT if i == 2 else RECTIFIED)
                self.places[name, i] = values_of(arrays, f"{key}.places") if f"{key}.places" in arrays else []

    def evaluate(self, name: str, x: list[int], place: int = 0, layers: int = 3) -> list[int]:
        for i in range(layers):
            x = self.layers[name, i].at(x, place, self.places[name, i])
        return x


class Opinion(NamedTuple):
    """What a network says of a coefficient."""

    seen: Seen
    units: list[int]
    z: list[int]
    last: bool
    anchor: int
    zero: int
    w: list[int]
    m: list[int]
    v: list[int]

    def mass(self, e: int, sign: int) -> int:
        """Below e, of the mixture whose means have that sign."""
        z = ((((256 * e - 128 - sign * m) * v) >> 16) + 3072 for m, v in zip(self.m, self.v, strict=True))
        return sum(w * LOGISTIC[clamp(zk, 0, 6144)] for w, zk in zip(self.w, z, strict=True)) >> 16


def opinion_of(z: list[int], units: list[int], seen: Seen, last: bool) -> Opinion:
    """The mixture and the mass at zero."""
    logits = z[:3] + ([] if last else [z[15]])
    e = [EXP[min(4095, max(logits) - a)] for a in logits]
    zero = 0 if last else (e[3] << 16) // sum(e)
    w = [(ek << 16) // sum(e) for ek in e[:2]]
    w.append((1 << 16) - zero - sum(w))
    centre = sum(g * p for g, p in zip(z[9:15], seen.p, strict=True)) >> 6
    means = [clamp(centre + a, -(6144 << 8), 6144 << 8) for a in z[6:9]]
    scales = [clamp(a, -768, 1536) for a in z[3:6]]
    v = [SCALE[min(1024, a) + 1536] for a in scales]
    v = [(b * EXP[a - 1024]) >> 16 if a > 1024 else b for a, b in zip(scales, v, strict=True)]
    return Opinion(seen, units, z, last, seen.anchor, zero, w, means, [b >> 1 for b in v])


class Learning:
    """Heads of a network that go on learning: of luma, of chroma."""

    def __init__(self, networks: Networks, name: str) -> None:
        self.networks, self.name = networks, name
        rows, places = networks.layers[name, 2].rows, networks.places[name, 2]
        self.places = [
            [((b - 128 * sum(w) + places[16 * p + j]) * a + (1 << (s - 1))) >> s for j, (w, b, a, s) in enumerate(rows)]
            for p in range(128)
        ]
        unbiased = Linear.__new__(Linear)
        unbiased.rows = [(w, 128 * sum(w), a, s) for w, _, a, s in rows]
        self.heads = Heads([unbiased, unbiased], {"rate": networks.rate, "group": networks.group})

    def outputs(self, x: list[int], place: int) -> tuple[list[int], list[int]]:
        """f, and the hidden units."""
        units = [v + 128 for v in self.networks.evaluate(self.name, x, place, 2)]
        z = self.heads.forward(place // 64, units)
        return [clamp(a + b, -32768, 32767) for a, b in zip(z, self.places[place], strict=True)], units


def parts_of(opinion: Opinion, value: int) -> list[tuple[float, float, float]]:
    """Of each logistic: a value's mass, its derivatives by the mean and by the logarithm of the scale."""
    made = []
    for zk, wk, mk, vk in zip(opinion.z[3:6], opinion.w, opinion.m, opinion.v, strict=True):
        low, high = (((256 * edge - 128 - mk) * vk) >> 16 for edge in (value, value + 1))
        a, b, w = logistic(low), logistic(high), float(wk) / 65536.0
        da, db = (s * (1.0 - s) if abs(e) < 3072 else 0.0 for s, e in ((a, low), (b, high)))
        by_mean = (w * (db - da)) * (float(vk) / 65536.0)
        by_scale = (w * (db * float(high) - da * float(low))) / 256.0 if -768 < zk < 1536 else 0.0
        made.append((w * (b - a), by_mean, by_scale))
    return made


def slopes_of(opinion: Opinion, value: int) -> list[float]:
    """Derivatives of a value's code length by f."""
    parts, zero = parts_of(opinion, value), float(opinion.zero) / 65536.0
    total = (parts[0][0] + parts[1][0]) + parts[2][0]
    total = total + zero if value == 0 else total
    by, share = 1.0 / (total + 1e-6), [float(wk) / 65536.0 for wk in opinion.w]
    weights = [(w * total - mass) * by for w, (mass, _, _) in zip(share, parts, strict=True)]
    means, scales = [mean * by for _, mean, _ in parts], [scale * by for _, _, scale in parts]
    at_zero = (zero * total - (zero if value == 0 else 0.0)) * by
    if opinion.last:
        parts = parts_of(opinion, 0)
        none = (parts[0][0] + parts[1][0]) + parts[2][0]
        by = 1.0 / max(0.001, 1.0 - none)
        weights = [d - (mass - w * none) * by for d, w, (mass, _, _) in zip(weights, share, parts, strict=True)]
        means = [d - mean * by for d, (_, mean, _) in zip(means, parts, strict=True)]
        scales = [d - scale * by for d, (_, _, scale) in zip(scales, parts, strict=True)]
    centre = (means[0] + means[1]) + means[2]
    return weights + scales + means + [centre * (float(p) / 64.0) for p in opinion.seen.p] + [at_zero]


def hashed(context: int, table: int, place: int) -> tuple[int, int]:
    """Address and check."""
    h = ((4096 * context + 256 * table + place + 1) * 0x9E3779B97F4A7C15) & WRAP
    h = ((h ^ (h >> 29)) * 0xD6E8FEB86659FD93) & WRAP
    h ^= h >> 32
    return h % (1 << 28), (h >> 40) % 256


class Stage:
    """What is learnt in a strip."""

    def __init__(self, networks: Networks, blocks: int, stream: bytes) -> None:
        self.networks, self.coder = networks, BinaryDecoder(stream)
        self.bits = max(8, min(networks.bits, (64 * blocks).bit_length() - 1))
        self.counters: dict[tuple[int, int], tuple[int, int, int]] = {}  # q, check, n
        self.maps: dict[tuple[int, int], list[int]] = {}
        self.weights: dict[tuple[int, int], list[int]] = {}
        self.done = 0
        self.learning = [Learning(networks, name) for name in networks.experts] if networks.online else []

    def opinions(self, inputs: Inputs, z: int) -> list[Opinion]:
        """Of each network of coefficients."""
        seen, made = inputs.coefficient(z), []
        place, last = 64 * inputs.plane.kind + z, inputs.work.block.end == z > 0
        for i, name in enumerate(self.networks.experts):
            if self.learning:
                out, units = self.learning[i].outputs(seen.inputs, place)
            else:
                out, units = self.networks.evaluate(name, seen.inputs, place), []
            made.append(opinion_of(out, units, seen, last))
        return made

    def learn(self, kind: int, opinions: list[list[Opinion]], values: list[int]) -> None:
        """Values of the coefficients at a place of a front are known, less their anchors."""
        for i, learning in enumerate(self.learning):
            for own, value in zip(opinions, values, strict=True):
                learning.heads.learn(kind, own[i].units, slopes_of(own[i], value))
            learning.heads.step(len(values))

    # ---------------------------------------------------------------- Ends

    def end(self, inputs: Inputs) -> int:
        """The end of a block."""
        out = self.networks.evaluate("end", inputs.end())
        below = list(accumulate((EXP[min(4095, max(out) - z)] for z in out), initial=0))
        near, work, plane = [b.end for b in inputs.work.near], inputs.work, inputs.plane
        mean = (2 * near[0] + 2 * near[1] + near[2] + near[3]) // 6
        luma, first = work.other_end
        energies = [class_of(in_steps(plane, 8, e) >> 1) for e in
                    (work.near[0].energy, work.near[1].energy, work.other_energy[0])]  # fmt: skip
        eighths = [e >> 3 for e in near]
        contexts = [
            0, mean, (near[0] >> 2) * 64 + (near[1] >> 2), luma * 32 + (mean >> 1), first * 32 + (mean >> 1), near[0],
            near[1], 16 * energies[0] + energies[1],
            512 * eighths[0] + 64 * eighths[1] + 8 * eighths[2] + eighths[3], luma * 64 + first,
            energies[2] * 64 + mean, plane.second,
        ]  # fmt: skip
        at = [hashed(c, j, 132 + 2 * plane.kind) for j, c in enumerate(contexts[: self.networks.tables])]
        low, high, node = 0, 64, 1
        while high - low > 1:
            middle, row = (low + high) >> 1, 64 * plane.kind + node
            experts = [logit(below[high] - below[middle], below[middle] - below[low])] * len(self.networks.experts)
            wide = row * 16 + (mean >> 2)
            bit = self.decide(experts, at, node, [row, wide, row, row, row], [row, wide], ends=True)
            low, high, node = (middle, high, 2 * node + 1) if bit else (low, middle, 2 * node)
        self.done += 1
        return low

    # ---------------------------------------------------------------- Coefficients

    def coefficient(self, inputs: Inputs, opinions: list[Opinion], z: int) -> int:
        """A coefficient less its anchor."""
        work, plane, seen = inputs.work, inputs.plane, opinions[0].seen
        place, distance = 64 * plane.kind + z, work.block.end - z
        around, sums = class_of(seen.around * 8 // 3), class_of(seen.sums >> 3)
        top, left = seen.p[0] + seen.p[1], seen.p[2] + seen.p[3]
        both = work.near[0].known and work.near[1].known
        middle, so_far = signed_class((top + left) >> (4 if both else 3)), class_of(seen.so_far >> 1)
        right, down, corner = seen.own[:3]
        last, before = class_of(16 * work.last), class_of(16 * work.before)
        contexts = [
            0, around * 8 + min(7, distance), around * 16 + sums,
            signed_class(top >> 3) * 16 + class_of(seen.around << 1),
            (class_of(right) * 16 + class_of(down)) * 16 + class_of(corner), distance,
            (around * 16 + class_of(right + down + corner)) * 16 + min(15, distance),
            (work.count * 16 + last) * 8 + min(7, before), (so_far * 16 + sums) * 16 + class_of(right + down),
            class_of(seen.energy >> 3) * 16 + so_far,
            signed_class(seen.two_right) * 32 + signed_class(seen.two_below),
            signed_class(seen.luma) * 32 + signed_class(seen.chroma),
        ]  # fmt: skip
        at = [
            hashed(c, j, 128 + plane.kind if j == 1 else place) for j, c in enumerate(contexts[: self.networks.tables])
        ]
        classes = (around, min(7, distance), min(7, sums), middle, min(15, work.count))
        decided = self.decisions(opinions, at, place, plane.kind, classes, bool(z) and distance == 0)
        self.done += 1
        return decided

    def decisions(
        self,
        opinions: list[Opinion],
        at: list[tuple[int, int]],
        place: int,
        kind: int,
        classes: tuple[int, ...],
        last: bool,
    ) -> int:
        """Is it 0, is it positive, how far from 0."""

        def decide(masses: list[tuple[int, int]], node: int, offset: int) -> int:
            around, distance, sums, middle, count = classes
            row, near = 32 * kind + node, min(15, node)
            rows = [node * 128 + place, row * 16 + around, ((near * 2 + kind) * 8 + distance) * 8 + sums,
                    row * 32 + middle, row * 16 + count]  # fmt: skip
            maps = [place * 8 + min(7, node), (near * 16 + around) * 8 + distance]
            return self.decide([logit(a, b) for a, b in masses], at, offset, rows, maps, ends=False)

        if not last:
            zeros = [(own.zero << 8) + own.mass(1, 1) - own.mass(0, 1) for own in opinions]
            if decide([(zero, (1 << 24) - zero) for zero in zeros], 0, 0):
                return 0
        signs = [(own.mass(0, -1), own.mass(0, 1)) for own in opinions]
        positive = decide(signs, 1, 1)
        sign, near, far = -1 if positive else 1, [own[1 - positive] for own in signs], [0] * len(opinions)
        low, high, step, node, outwards = 1, 4096, 1, 2, True
        while outwards or high - low > 1:
            middle = low + step if outwards else (low + high) >> 1
            masses = [own.mass(1 - middle, sign) for own in opinions]
            here = [max(f, min(n, own)) for own, f, n in zip(masses, far, near, strict=True)]
            both = [(h - f, n - h) for h, f, n in zip(here, far, near, strict=True)]
            bit = decide(both, node, node + 32 * positive)
            if bit:
                low, near = middle, here
            else:
                high, far = middle, here
            if outwards and bit:
                node, step = min(19, node + 1), step * (2 if low > 6 else 1)
                outwards, node = (True, node) if low + step < 4096 else (False, 20)
            elif outwards:
                outwards, node = False, 20
            else:
                node = min(31, node + 1)
        return low if positive else -low

    # ---------------------------------------------------------------- Mixer, counters, maps

    def decide(
        self, experts: list[int], at: list[tuple[int, int]], offset: int, rows: list[int], maps: list[int], ends: bool
    ) -> int:
        """Decide, and learn from it."""
        opinion, found, places = ((experts[0] + 2048) * 3) >> 8, [], []
        for j, (address, check) in enumerate(at):
            place = j, (address + (64 * opinion if j < 2 else 0) + offset) % (1 << self.bits)
            counter = self.counters.get(place, (1 << 17, check, 0))
            found.append(counter if counter[1] == check else (1 << 17, check, 0))
            places.append(place)
        x = [*experts] + [(STRETCH[p >> 6] * CONFIDENCE[n]) >> 8 for p, _, n in found] + [77]
        keys = [(s, row + (SETS[s][0] if ends else 0)) for s, row in enumerate(rows)]
        mean = 65536 // len(experts)
        fresh = [mean if i < len(experts) else 0 for i in range(len(x))], [0] * len(x)
        kept = [self.weights.get(key, fresh[key[0] > 0]) for key in keys]
        total = sum(xi * sum(row[i] for row in kept) for i, xi in enumerate(x))
        s = clamp(signed(total) >> 16, -3071, 3071)
        mixed = SQUASH[s + 3072]
        i, f = divmod(clamp(s, -2048, 2047) + 2048, 128)
        own = [self.map(k, row + (MAPS[k][0] if ends else 0)) for k, row in enumerate(maps)]
        m0, m1 = ((m[i] * (128 - f) + m[i + 1] * f) >> 7 for m in own)
        p = clamp((2 * (mixed + 1) + m0 + m1) >> 2, 1, 65535)

        bit = self.coder.cut((self.coder.range >> 16) * p)

        for m in own:
            m[i] += ((65535 * bit - m[i]) * (128 - f) + 4096) >> 13
            m[i + 1] += ((65535 * bit - m[i + 1]) * f + 4096) >> 13
        g = ((65536 * bit - mixed) * (20 + 78 * 2000 // (2000 + self.done))) >> 10
        for key, row in zip(keys, kept, strict=True):
            self.weights[key] = [signed(w + ((g * xi + 8192) >> 14)) for w, xi in zip(row, x, strict=True)]
        for place, (q, check, n) in zip(places, found, strict=True):
            q += ((262143 * bit - q) * RATE[n]) >> 16
            self.counters[place] = q, check, min(60, n + 1)
        return bit

    def map(self, which: int, row: int) -> list[int]:
        """A row of one of the two maps."""
        start = [SQUASH[clamp(128 * (i - 16) + 3072, 0, 6144)] for i in range(33)]
        return self.maps.setdefault((which, row), start)


def logit(a: int, b: int) -> int:
    """What masses say of 1 against 0."""
    return clamp(ln(a + 23) - ln(b + 23), -2047, 2047)
