"""JPEGs for fuzzing: files, and members of their coefficients."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from arcomp import files
from arcomp.container import DIGEST_BYTES, Member, ModelId, pack, unpack
from arcomp.contract import registry
from arcomp.contract.model import Execution, Model
from arcomp.errors import ArcompError
from arcomp.formats.jpeg import read
from arcomp.formats.rebuild import joined, pieces
from arcomp.jpegs import encode_jpegs
from arcomp.samples import of_bytes
from tests.fuzz.members import member_tampered
from tests.fuzz.mutations import Random, cut, number_tampered, tampered
from tests.jpeg_files import at_random, by_libjpeg, jpeg
from tests.standin import standin

EXACT, REFUSED, AS_BYTES = "exact", "refused", "as bytes"


@lru_cache(1)
def originals() -> list[bytes]:
    """Small files, of all kinds of scans."""
    rng = np.random.default_rng(1)
    made = [(at_random if i % 2 else by_libjpeg)(rng) for i in range(60)]
    return [data for data in made if len(data) < 2500]


def jpegs(rng: Random) -> tuple[bytes, str]:
    data = originals()[int(rng.integers(len(originals())))]
    for _ in range(int(rng.integers(1, 3))):
        data = (tampered, number_tampered, cut)[int(rng.choice([0, 0, 1, 2]))](data, rng)
    return data, ""


def try_jpeg(data: bytes, name: str) -> str:
    """It comes back bit for bit, or is no JPEG that is read."""
    found = read(data) if data[:2] == b"\xff\xd8" else None
    if found is None:
        return AS_BYTES
    known = found.coefficients
    made = joined(pieces(found.skeleton, of_bytes(b"\0"), jpegs=lambda number, shape: known[number]))
    assert made == data
    return EXACT


INTACT = 10
"""One member in so many is not tampered with."""


@lru_cache(1)
def coded() -> list[tuple[bytes, bytes, Model | None]]:
    """Members of coefficients, the files that they hold, and the model, if it is not found by its name."""
    made, model = list[tuple[bytes, bytes, Model | None]](), standin()
    shipped, data = registry.load("jpeg-fast"), jpeg(33, 20, quality=70)
    packed = files.compress(files.examine(data, shipped), shipped).data
    assert unpack(packed).jpegs, "kept as bytes"
    made.append((packed, data, None))
    for how in ({"quality": 40}, {"quality": 60, "exif": b"Exif\0\0" + jpeg(8, 8)}, {"restart_marker_blocks": 2}):
        data = jpeg(25, 20, **how)
        found = files.examine(data, model)
        jpegs, _ = encode_jpegs(found.jpegs, model, Execution())
        models = (ModelId(model.name, model.digest[:DIGEST_BYTES]),)
        member = Member(None, models=models, original=found.original, skeleton=found.skeleton, jpegs=jpegs)
        made.append((pack(member), data, model))
    return made


def members(rng: Random) -> tuple[bytes, str]:
    number = int(rng.integers(len(coded())))
    data = coded()[number][0]
    return data if rng.integers(INTACT) == 0 else member_tampered(data, rng), str(number)


def try_member(data: bytes, name: str) -> str:
    """The very file, or a refusal."""
    packed, expected, model = coded()[int(name)]
    try:
        made = files.restored(unpack(data), model)
    except ArcompError:
        assert data != packed, "an intact member is refused"
        return REFUSED
    assert made == expected, "another file"
    return EXACT
