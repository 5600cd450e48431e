"""What models take for a file of a few bytes that claims much: little, as the file ends soon; or it is refused."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arcomp.codec import decode
from arcomp.container import Geometry, pack, unpack
from arcomp.contract import registry
from arcomp.contract.model import Execution
from arcomp.errors import ArcompError, FormatError, LimitError
from arcomp.limits import Limits
from tests.coded import encode
from tests.contents import pictures

SMALL = (2, 8, 8)
CLAIMS = [(1, 2280, 2280), (1, 1300000, 4), (1, 4, 1300000), (1 << 20, 1, 1), (6000, 28, 28)]
"""As many pixels as a member of 100 bytes may claim of a model: in a square, thin, or in small pictures."""


def claim(name: str, stack: tuple[int, int, int]) -> bytes:
    """A file of some 100 bytes of noise in colours, or of 1 bit, that claims other pictures."""
    model = registry.load(name)
    channels, depth = (1, 1) if name.endswith("digits") else (3, 8)
    pixels = np.stack([pictures("noise", (8, 8, channels), depth, seed) for seed in range(SMALL[0])])
    member = unpack(encode(pixels, depth, model, tile=(0, 0)).data)
    parts = tuple(replace(part, streams=tuple(bytes(s)[:48] for s in part.streams)) for part in member.parts)
    return pack(replace(member, geometry=Geometry((stack,), channels, depth), parts=parts))


def peak() -> int:
    """Bytes of memory that this process took at most, since :func:`forget_peak`."""
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
@pytest.mark.parametrize("name", ["context", "photo-fast", pytest.param("wavenet-digits", marks=pytest.mark.slow)])
@pytest.mark.parametrize("stack", CLAIMS, ids=str)
def test_claims_take_little(name: str, stack: tuple[int, int, int]) -> None:
    with suppress(ArcompError):  # kernels are compiled, networks made
        decode(claim(name, SMALL))
    data = claim(name, stack)
    forget_peak()
    before, began = peak(), time.process_time()
    with pytest.raises(ArcompError):
        decode(data)
    assert time.process_time() - began < 3
    assert peak() - before < 300_000_000


def test_tiles_that_no_model_would_choose_need_leave() -> None:
    """A strip of photo is a few hundred rows; one of a million takes gigabytes."""
    data = claim("photo-fast", (1, 1300000, 4))
    with pytest.raises(LimitError, match=r"its tiles need .* --max-memory \d+M decodes it all the same"):
        decode(data)
    with pytest.raises(LimitError, match=r"needs .* of memory, 1.0 GiB are allowed"):
        decode(data, how=Execution(limits=Limits(memory=2.0**30)))


def test_drawings_of_a_few_bytes_may_take_a_second_or_so() -> None:
    """A screen of 4096 x 2160 may be nearly empty; larger drawings of as few bytes need leave."""
    with pytest.raises(LimitError, match=r"1\.60 s of work where 1\.5\d s are allowed; --max-pixels 9600000 decodes"):
        decode(claim("graphic", (1, 3000, 3200)))
    with pytest.raises(FormatError):  # its stream ends
        decode(claim("graphic", (1, 2160, 4096)))
