"""docs/format.md's inputs of model ``jpeg``'s networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.format.reference_jpeg_tables import ZIGZAG, log, signed_size, size
from tests.format.reference_numbers import clamp

if TYPE_CHECKING:
    from tests.format.reference_jpeg import Means, Plane, Work

OWN = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (-1, 1), (1, -1), (-1, 2), (2, -1), (2, 1), (1, 2), (2, 2))
PLACE = {n: z for z, n in enumerate(ZIGZAG)}


def c8(v: int) -> int:
    return clamp(v, -128, 127)


def in_steps(plane: Plane, n: int, value: int) -> int:
    """In sixteenths of a step."""
    return (value * plane.inverse[n]) >> 20


class Seen(NamedTuple):
    """Of a coefficient, what contexts need, and the inputs."""

    inputs: list[int]
    p: list[int]
    anchor: int
    around: int
    sums: int
    energy: int
    so_far: int
    own: list[int]
    two_right: int
    two_below: int
    luma: int
    chroma: int


class Inputs:
    """Of a block."""

    def __init__(self, work: Work, means: Means) -> None:
        self.work, self.means, self.plane = work, means, work.plane

    def end(self) -> list[int]:
        """The 48 of the network of ends."""
        work, plane, near = self.work, self.plane, self.work.near
        made = [b.end for b in near] + [32 * b.known for b in near] + [c8(log(b.energy) >> 1) for b in near]
        made += work.other_end + [c8(log(e) >> 1) for e in work.other_energy]
        made += [32 * plane.kind, 32 * plane.second]
        made += [c8(v) for v in (plane.mean_log, plane.logs[8], plane.logs[63], plane.logs[27])]
        made += [c8((log(v) * 13) >> 4) for b in near[:2] for v in b.bands]
        for begin, end in ((1, 6), (6, 15), (15, 36)) if plane.kind else ():
            total = sum((abs(work.block.luma[n]) * plane.inverse[n]) >> 22 for n in ZIGZAG[begin:end])
            made.append(c8((log(total >> 4) * 13) >> 4))
        made += [] if plane.kind else [0] * 3
        for first in (1, 4):
            for edge in (near[1].edges[1], near[0].edges[3]):
                made.append(c8(log(sum(map(abs, edge[first:])) >> 4) >> 1))
        return made + [0] * (48 - len(made))

    def predictions(self, n: int) -> tuple[list[int], int]:
        """p and the anchor."""
        work, plane, (v, u) = self.work, self.plane, divmod(n, 8)
        known = [work.near[1].known] * 2 + [work.near[0].known] * 2
        p = [(work.rest[i][u if i < 2 else v] * plane.gains[i][n]) >> 16 if known[i] else 0 for i in range(4)]
        anchor = 0
        if n == 0 and any(known):
            anchor = clamp(((sum(p) >> (2 if all(known) else 1)) + 32) >> 6, -2047, 2047)
        p = [clamp(pi - (anchor << 6 if ki else 0), -19200, 19200) for pi, ki in zip(p, known, strict=True)]
        return p, anchor

    def coefficient(self, z: int) -> Seen:
        """The 96 of the network of coefficients."""
        work, plane, n = self.work, self.plane, ZIGZAG[z]
        near, block, (v, u) = work.near, work.block, divmod(n, 8)
        p, anchor = self.predictions(n)
        luma = (block.luma[n] * plane.inverse[n]) >> 22 if plane.kind and z else 0
        chroma = in_steps(plane, n, work.first.f(work.cb, n)) if work.first and z else 0
        p += [clamp((a * s) >> 6, -19200, 19200) for a, s in zip((luma, chroma), work.slope, strict=True)]

        q = [b.q[n] - anchor if b.known else 0 for b in near]
        s = [signed_size(16 * qi) for qi in q]
        around = sum(w * abs(qi) for w, qi in zip((4, 4, 2, 2, 1, 1), q, strict=True))
        sums = [in_steps(plane, n, b.sums[n]) for b in near[:4]]
        distance = block.end - z
        x = s + list(map(abs, s)) + [size(8 * around)] + [size(e) for e in sums]
        x += [c8(log(in_steps(plane, n, b.energy) >> 4) >> 1) for b in near[:4]]
        x += [32 * near[i].known for i in (0, 1, 3)]
        x += [near[0].end, near[1].end, block.end, distance, 32 // (1 + distance)]

        def f(dv: int, du: int) -> int:
            """An own coefficient that is known, in sixteenths of the step here; 0 without one."""
            at = 8 * (v + dv) + u + du
            inside = 0 <= v + dv < 8 and 0 <= u + du < 8
            return plane.f(block, at) if inside and PLACE[at] > z else 0

        own = [in_steps(plane, n, abs(f(*at))) for at in OWN]
        two = [in_steps(plane, n, f(*at)) for at in ((0, 2), (2, 0), (0, 1), (1, 0))]
        so_far = in_steps(plane, n, work.so_far)
        x += [size(e) for e in own] + [signed_size(e) for e in two]
        x += [size(so_far), min(127, 2 * work.count), size(16 * abs(work.last)), size(16 * abs(work.before))]
        x += [min(127, 64 * work.count // (2 * distance + 1))]

        top, left = p[0] + p[1], p[2] + p[3]
        x += [signed_size(pi >> 2) for pi in p[:4]]
        x += [signed_size(top >> 3), signed_size(left >> 3), signed_size((top + left) >> 4)]
        x += [size(abs(a - b) >> 2) for a, b in ((p[0], p[1]), (p[2], p[3]), (p[0], p[2]))]
        x += [c8(plane.logs[n]), c8(plane.mean_log), c8(plane.logs[8])]
        x += [32 * plane.kind, 32 * plane.second, 0 if distance else 32]
        for other, prediction, slope in ((luma, p[4], work.slope[0]), (chroma, p[5], work.slope[1])):
            x += [signed_size(other), size(abs(other)), signed_size(prediction >> 2), c8(slope >> 3)]
        x += [work.other_end[1], work.other_end[0], signed_size(16 * (q[0] + q[1] - q[2]))]
        x += [self.beside(b.q, v, u, dv, du) for b in near[:4] for dv, du in ((0, 1), (1, 0), (0, -1), (-1, 0))]
        place = 64 * plane.kind + z
        x += [size(self.means.magnitude[place] >> 11), self.means.zero[place] >> 11]
        x += [self.means.zero_near[place][min(7, distance)] >> 11]
        energy = in_steps(plane, n, near[0].energy + near[1].energy)
        weighted = 2 * sums[0] + 2 * sums[1] + sums[2] + sums[3]
        return Seen(x, p, anchor, around, weighted, energy, so_far, own, two[0], two[1], luma, chroma)

    def beside(self, q: list[int], v: int, u: int, dv: int, du: int) -> int:
        """The magnitude of a neighbour's frequency beside this one."""
        if not (0 <= v + dv < 8 and 0 <= u + du < 8) or (v + dv, u + du) == (0, 0):
            return 0
        at = 8 * (v + dv) + u + du
        return size((abs(q[at]) * ((self.plane.steps[at] << 8) // self.plane.steps[8 * v + u])) >> 4)
