"""What the mixing stage counts: contexts of a coefficient and of the end of a block.

Contexts of a coefficient, each with its place in the order, by importance: the network's own opinion; the same with the
neighbours' magnitudes and the distance to the end of the block; neighbours' magnitudes and what is around them; the
prediction from above; three own neighbours; the distance to the end; neighbours, own neighbours and distance; how many
coefficients so far, and the last two; the own magnitudes so far and what is around; the neighbours' energy and the own;
the coefficients two to the right and two below; luma and the first chroma here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arcomp.exact.compiled import kernel
from arcomp.exact.lanes import all_words, load_words, prefetch, word
from arcomp.models.jpeg.inputs import (
    AROUND,
    CHROMA,
    ENERGY,
    LUMA,
    OWN_DIAGONAL,
    OWN_FAR,
    OWN_NEAR,
    SO_FAR,
    SUMS,
    TWO_BELOW,
    TWO_RIGHT,
    in_steps,
)
from arcomp.models.jpeg.tables import MAGNITUDES

OPINIONS = 2
"""The first contexts, whose address the network's opinion of a decision is added to."""
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)


@kernel(inline="always")
def class_of(tables: Any, sixteenths: Any) -> Any:
    """0 .. 12 of a magnitude."""
    return np.int64(tables.classes[min(MAGNITUDES - 1, abs(sixteenths))])


@kernel(inline="always")
def signed_class(tables: Any, sixteenths: Any) -> Any:
    """0 .. 25."""
    own = np.int64(tables.classes[min(MAGNITUDES - 1, abs(sixteenths))])
    return 13 + own if sixteenths < 0 else own


@kernel(inner=True)
def _hash(stage: Any, slot: int, table: int, place: int, context: Any) -> None:
    """Write one context of a slot, if so many are counted."""
    if table >= stage.mixer.tables:
        return
    h = (np.uint64(context) * np.uint64(4096) + np.uint64(table * 256 + place + 1)) * _FIRST
    h = (h ^ (h >> np.uint64(29))) * _SECOND
    h ^= h >> np.uint64(32)
    stage.contexts[2 * slot, table] = np.int64(h & np.uint64(0xFFFFFFF))
    stage.contexts[2 * slot + 1, table] = np.int32((h >> np.uint64(40)) & np.uint64(255)) << np.int32(6)


@kernel(inner=True)
def hash_coefficient(tables: Any, stage: Any, plane: Any, front: Any, z: int, m: int) -> Any:
    """Contexts of the coefficient of an active block, into slot m & 1; their counters are fetched from memory. Returns
    classes that choose rows of weights: neighbours', what is around, prediction's."""
    slot, k = m & 1, front.active[m]
    about, seen = front.about[m], front.seen[k]
    distance = front.end[k] - z
    place = 64 * plane.kind + z
    own, far, diagonal = about[OWN_NEAR], about[OWN_FAR], about[OWN_DIAGONAL]
    around = class_of(tables, about[AROUND] * 8 // 3)
    sums, beside = class_of(tables, about[SUMS] >> 3), class_of(tables, own + far)
    top, left = about[0] + about[1], about[2] + about[3]
    known = 1 if plane.known[front.near[k, 0]] and plane.known[front.near[k, 1]] else 0
    middle = signed_class(tables, (top + left) >> (3 + known))
    so_far = class_of(tables, about[SO_FAR] >> 1)
    _hash(stage, slot, 0, place, 0)
    _hash(stage, slot, 1, 128 + plane.kind, around * 8 + min(7, distance))
    _hash(stage, slot, 2, place, around * 16 + sums)
    _hash(stage, slot, 3, place, signed_class(tables, top >> 3) * 16 + class_of(tables, about[AROUND] << 1))
    _hash(stage, slot, 4, place, (class_of(tables, own) * 16 + class_of(tables, far)) * 16 + class_of(tables, diagonal))
    if stage.mixer.tables > 5:
        _hash(stage, slot, 5, place, distance)
        _hash(stage, slot, 6, place, (around * 16 + class_of(tables, own + far + diagonal)) * 16 + min(15, distance))
        last, before = class_of(tables, seen[2] << 4), class_of(tables, seen[3] << 4)
        _hash(stage, slot, 7, place, (seen[0] * 16 + last) * 8 + min(7, before))
        _hash(stage, slot, 8, place, (so_far * 16 + sums) * 16 + beside)
        _hash(stage, slot, 9, place, class_of(tables, about[ENERGY] >> 3) * 16 + so_far)
        _hash(
            stage, slot, 10, place, signed_class(tables, about[TWO_RIGHT]) * 32 + signed_class(tables, about[TWO_BELOW])
        )
        _hash(stage, slot, 11, place, signed_class(tables, about[LUMA]) * 32 + signed_class(tables, about[CHROMA]))
    _fetch(stage.mixer, load_words(stage.contexts, 2 * slot, 0))
    return around, sums, middle


@kernel(inline="always")
def _fetch(mixer: Any, contexts: Any) -> None:
    """Counters whose address does not depend on the network's opinion, of a first decision."""
    at = contexts & all_words(np.int32(mixer.counters.shape[1] - 1))
    for j in range(OPINIONS, mixer.tables):
        prefetch(mixer.counters, j, word(at, j))


@kernel(inner=True)
def hash_end(tables: Any, stage: Any, plane: Any, front: Any, k: int) -> Any:
    """Contexts of the end of a block; returns the neighbours' mean."""
    near, place = front.near[k], 132 + 2 * plane.kind
    left, above = np.int64(plane.ends[near[0]]), np.int64(plane.ends[near[1]])
    corner, right = np.int64(plane.ends[near[2]]), np.int64(plane.ends[near[3]])
    mean = (2 * left + 2 * above + corner + right) // 6
    luma, first = front.other_end[k, 0], front.other_end[k, 1]
    energy = class_of(tables, in_steps(plane, 8, np.int64(plane.energy[near[0]])) >> 1) * 16
    energy += class_of(tables, in_steps(plane, 8, np.int64(plane.energy[near[1]])) >> 1)
    _hash(stage, 0, 0, place, 0)
    _hash(stage, 0, 1, place, mean)
    _hash(stage, 0, 2, place, (left >> 2) * 64 + (above >> 2))
    _hash(stage, 0, 3, place, luma * 32 + (mean >> 1))
    _hash(stage, 0, 4, place, first * 32 + (mean >> 1))
    if stage.mixer.tables > 5:
        _hash(stage, 0, 5, place, left)
        _hash(stage, 0, 6, place, above)
        _hash(stage, 0, 7, place, energy)
        _hash(stage, 0, 8, place, (((left >> 3) * 8 + (above >> 3)) * 8 + (corner >> 3)) * 8 + (right >> 3))
        _hash(stage, 0, 9, place, luma * 64 + first)
        _hash(stage, 0, 10, place, class_of(tables, in_steps(plane, 8, front.other_energy[k, 0]) >> 1) * 64 + mean)
        _hash(stage, 0, 11, place, plane.second)
    return mean
