"""Decodes damaged files, in a process whose compiled code checks every index (NUMBA_BOUNDSCHECK=1).

    python -m tests.laws.bounds PATTERN...

of the vectors in tests/format/vectors that the patterns name: streams are changed, the skeleton's packed bytes too, and
all checksums made right. Whatever comes of it, no index may be outside of its array: that would be an IndexError.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.codec import decode_member
from arcomp.container import Member, unpack
from arcomp.contract import registry
from arcomp.errors import ArcompError
from arcomp.files import restored
from arcomp.form import Segment
from arcomp.formats.rebuild import pieces

VECTORS = Path(__file__).parents[1] / "format" / "vectors"
TIMES = 12


def changed(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes other than they were."""
    made = bytearray(data)
    for at in rng.integers(0, max(1, len(made)), rng.integers(1, 6)) if made else ():
        made[at] = rng.integers(256)
    return bytes(made) if rng.random() < 0.8 else rng.bytes(len(made) + 8)


def odd(segment: Segment, rng: np.random.Generator) -> Segment:
    """A segment with bytes in it changed."""
    made: dict[str, Any] = {}
    for field in fields(segment):
        value = getattr(segment, field.name)
        if field.name == "content":
            made["content"] = tuple(odd(inner, rng) for inner in value)
        elif isinstance(value, bytes) and rng.random() < 0.5:
            made[field.name] = changed(value, rng)
    return replace(segment, **made)


def attack(member: Member, rng: np.random.Generator) -> None:
    """Decode a member of changed streams, and rebuild one of a changed form."""
    model = None
    for one in member.models:
        for path in VECTORS.glob("*.safetensors"):
            found = registry.load(str(path))
            model = found if found.digest.startswith(one.digest) else model
    parts = tuple(replace(part, streams=tuple(changed(bytes(s), rng) for s in part.streams)) for part in member.parts)
    for attempt in (replace(member, parts=parts),) if member.geometry else ():
        with suppress(ArcompError):
            decode_member(attempt, model)
    if member.skeleton and member.original:
        try:
            samples = decode_member(member, model) if member.geometry else None
            form = tuple(odd(segment, rng) for segment in member.skeleton)
            if samples is None:
                restored(replace(member, skeleton=form))
            else:
                list(pieces(form, samples, 2 * member.original.length))
        except IndexError:
            raise
        except (ArcompError, ValueError, OverflowError):
            pass


def main(patterns: list[str]) -> None:
    rng, count = np.random.default_rng(0), 0
    for pattern in patterns:
        for path in sorted(VECTORS.glob(pattern)):
            if path.name.startswith("bad-") or "archive" in path.name:
                continue
            for _ in range(TIMES):
                attack(unpack(path.read_bytes()), rng)
                count += 1
    print(count)


if __name__ == "__main__":
    main(sys.argv[1:])
