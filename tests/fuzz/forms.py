"""Members whose forms are drawn at random, segments in segments, and members of every kind of model; all right unless
they are tampered with."""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache

import numpy as np

from arcomp import files
from arcomp.container import Member, Original, pack, unpack
from arcomp.contract import registry
from arcomp.contract.model import Model
from arcomp.errors import ArcompError
from arcomp.form import BitsReversed, Chunks, Deflated, Differences, Layout, Literal, Lzw, PackBits, Raster, Segment
from arcomp.formats.rebuild import rebuild
from arcomp.samples import Samples
from tests.coded import encode
from tests.contents import pictures
from tests.fuzz.mutations import Random

DEEPEST = 4
"""How deep segments may nest."""
REFUSED, EXACT = "refused", "exact"


@lru_cache(1)
def held() -> tuple[Samples, Member]:
    """A small picture, and a member of it."""
    samples = Samples.of(pictures("noise", (5, 7, 1), 8)[None])
    return samples, encode(samples.pixels, 8, registry.load("histogram")).member


def segment(rng: Random, deeper: int) -> Segment:
    """Any that fits :func:`held`, at most so deep."""
    kind = int(rng.integers(7)) if deeper > 1 else int(rng.integers(2))
    top, left = int(rng.integers(5)), int(rng.integers(7))
    raster = Raster(0, top, left, int(rng.integers(1, 6 - top)), int(rng.integers(1, 8 - left)), Layout(8, (0,)))
    if kind == 0:
        return Literal(rng.bytes(int(rng.integers(1, 9))))
    if kind == 1:
        return raster
    if kind == 2:
        return Differences(raster)
    content = tuple(segment(rng, deeper - 1) for _ in range(int(rng.integers(1, 3))))
    if kind == 3:
        return PackBits(content, int(rng.integers(1, 9)))
    if kind == 4:
        return Lzw(content)
    if kind == 5:
        return BitsReversed(content)
    size = len(rebuild(content, held()[0]))
    if rng.integers(2):
        return Chunks(content, b"IDAT", ((1, size),))
    return Deflated(content, rng.bytes(5), False, b"x\x9c", None)


def depth(one: Segment) -> int:
    """How deep segments nest in one, itself counted."""
    inner = (one.raster,) if isinstance(one, Differences) else getattr(one, "content", ())
    return 1 + max(map(depth, inner), default=0)


def forms(rng: Random) -> tuple[bytes, str]:
    """A member of such a form; the name says how deep it is, and the file that it makes."""
    samples, member = held()
    skeleton = tuple(segment(rng, int(rng.integers(1, 7))) for _ in range(int(rng.integers(1, 4))))
    made = rebuild(skeleton, samples)
    original = Original(len(made), hashlib.sha256(made).digest())
    data = pack(Member(member.geometry, member.trees, member.parts, member.models, member.form, member.samples_crc,
                       original, skeleton))  # fmt: skip
    return data, f"{max(map(depth, skeleton))} {made.hex()}"


def try_form(data: bytes, name: str) -> str:
    """The very file if it is as deep as formats make, else a refusal."""
    deep, made = name.split(" ")
    try:
        found = files.restored(unpack(data))
    except ArcompError:
        assert int(deep) > DEEPEST, "a form that is right is refused"
        return REFUSED
    assert int(deep) <= DEEPEST, "a form that is too deep"
    assert found == bytes.fromhex(made), "another file"
    return EXACT


@lru_cache(1)
def coded() -> dict[str, tuple[Model, bytes]]:
    """Small members that models with weights coded, and the models."""
    from arcomp.models.pixelcnn import PixelCNN
    from tests.specimens import LEARNERS, MODELS, layered

    learners = ("photo gray", "photo three windows gray", "photo online gray", "graphic gray")
    makers = {name: LEARNERS[name][0] for name in learners}
    made: dict[str, Model] = {name: make() for name, make in makers.items()}
    made["context gray"] = MODELS["context gray"][0]()
    made["pixelcnn"] = layered(PixelCNN, channels=1, depth=8, width=3, blocks=1, kernel=3)
    found = {}
    for name, model in made.items():
        member = encode(pictures("noise", (6, 5, 1), 8)[None], 8, model, tile=(4, 4)).member
        found[f"coded {name}"] = model, pack(member)
    return found


def checksum(samples: Samples) -> int:
    """CRC-32 of samples, computed apart from the product."""
    stacks = (np.asarray(stack, "u1" if samples.depth <= 8 else "<u2") for stack in samples.stacks)
    return zlib.crc32(b"".join(stack.tobytes() for stack in stacks))
