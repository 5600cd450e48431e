"""Payloads of models that learn: lengths that are damaged, errors and interrupts in the middle, several at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from arcomp import limits
from arcomp.container import pack, unpack
from arcomp.contract import side_by_side
from arcomp.contract.model import BatchSpec, Execution
from arcomp.contract.side_by_side import processors
from arcomp.contract.tiling import Tiling
from arcomp.errors import FormatError, ModelError
from tests.coded import decode, encode
from tests.raw import Raw

PIXELS = np.arange(12 * 4, dtype=np.uint8).reshape(1, 12, 4, 1)
"""Twelve tiles of one row; each begins with a multiple of 4."""


def test_every_tile_has_a_stream() -> None:
    encoded = encode(PIXELS, 8, Raw())
    (part,) = unpack(encoded.data).parts
    assert [bytes(stream) for stream in part.streams] == [PIXELS.tobytes()[at : at + 4] for at in range(0, 48, 4)]
    assert part.tile == (1, 4)
    assert (encoded.nll_bits, encoded.network_bits) == (8.0 * 48, 9.0 * 48)


@pytest.mark.parametrize("count", [1, 11, 13])
def test_too_few_and_too_many_streams_are_refused(count: int) -> None:
    """With checksums that are right: before anything is decoded."""
    model = Raw()
    member = unpack(encode(PIXELS, 8, model).data)
    streams = (*member.parts[0].streams, b"more")[:count]
    model.begun.clear()
    with pytest.raises(FormatError):
        decode(pack(replace(member, parts=(replace(member.parts[0], streams=streams),))), model=model)
    assert model.begun == []


@pytest.mark.parametrize("threads", [1, 2, 3, None, 100])
def test_as_many_as_asked_for(threads: int | None) -> None:
    model = Raw()
    model.pause = 0.002
    data = encode(PIXELS, 8, model, threads=threads).data
    assert sorted(model.begun) == list(range(0, 48, 4))
    assert 1 <= model.most <= min(12, threads or processors())
    assert np.array_equal(decode(data, model=model, threads=threads)[0], PIXELS)
    assert data == encode(PIXELS, 8, Raw(), threads=1).data


def test_progress_is_all_that_is_done() -> None:
    reported: list[float] = []
    data = encode(PIXELS, 8, Raw(), threads=3, progress=reported.append).data
    assert reported == sorted(reported)
    assert (len(reported), reported[-1]) == (48, 1.0)
    reported.clear()
    decode(data, model=Raw(), threads=1, progress=reported.append)
    assert reported[-1] == 1.0


@pytest.mark.parametrize("at", [0, 4, 20, 44])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_ends_all(at: int, threads: int) -> None:
    """The others stop at their next report and those that wait never begin; its own error is the one that is raised."""
    model = Raw()
    data = encode(PIXELS, 8, model).data
    for call in (lambda: encode(PIXELS, 8, model, threads=threads), lambda: decode(data, model=model, threads=threads)):

        def fail() -> None:
            raise ModelError("enough")

        model.at, model.happens, model.pause = at, fail, 0.005
        model.begun.clear()
        with pytest.raises(ModelError, match="enough"):
            call()
        assert model.together == 0
        assert len(model.begun) <= at // 4 + 2 * threads


def test_an_error_does_not_wait_for_the_tiles_before_it() -> None:
    """The second tile fails while the first would go on for long."""
    model = Raw()

    def fail() -> None:
        raise ModelError("enough")

    model.at, model.happens, model.pause = 4, fail, 0.05
    wide = np.zeros((1, 12, 200, 1), np.uint8)
    wide[0, :, 0, 0] = np.arange(12) * 4
    began = time.perf_counter()
    with pytest.raises(ModelError, match="enough"):
        encode(wide, 8, model, threads=2)
    assert time.perf_counter() - began < 4  # the first alone takes 10
    assert {0, 4} <= set(model.begun) <= {0, 4, 8}  # the thread that failed may have taken up another before all ended


def test_an_interrupt_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised in the thread that waits, as the interpreter does."""
    model = Raw()
    model.pause = 0.01
    began = threading.Event()
    model.at, model.happens = 0, began.set

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        assert began.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(side_by_side, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encode(PIXELS, 8, model, threads=2)
    assert model.together == 0
    assert len(model.begun) <= 4


def test_an_error_in_progress_ends_all() -> None:
    def stop(part: float) -> None:
        if part > 0.2:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        encode(PIXELS, 8, Raw(), threads=2, progress=stop)


def test_memory_is_counted_for_tiles_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from arcomp.errors import ArcompError

    have = 2 * PIXELS.size + 2500.0
    monkeypatch.setattr(limits, "free_memory", lambda: have)
    data = encode(PIXELS, 8, Raw(), threads=2).data
    for call in (lambda n: encode(PIXELS, 8, Raw(), threads=n), lambda n: decode(data, model=Raw(), threads=n)):
        call(2)
        with pytest.raises(ArcompError, match="of memory"):
            call(3)


def test_tiles_of_several_pictures_are_in_their_places() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    data = encode(pixels, 8, Raw(), tile=(2, 3)).data
    assert np.array_equal(decode(data, model=Raw(), threads=3)[0], pixels)
    tiling = Tiling((2, 5, 7), (2, 3))
    spec = BatchSpec(tiling.batch, 3, 8)
    made = Raw().encode(pixels, tiling, spec, Execution(threads=1)).streams
    assert tuple(map(bytes, unpack(data).parts[0].streams)) == made
