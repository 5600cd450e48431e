"""Sounds in WAV files: taken apart, put together again, and written."""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

import numpy as np
import pytest

import arcomp
from arcomp.container import unpack
from arcomp.errors import OutputError, PictureError
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from arcomp.formats.wav import EXTENSIBLE, SUBTYPE, header, parsed, write_wav
from arcomp.samples import Samples
from arcomp.transforms import Forecast, Node
from arcomp.transforms.sounds import is_sound


def sound(frames: int = 400, channels: int = 1, bits: int = 16) -> Any:
    """Tones with a little noise: [frames, channels]."""
    t = np.arange(frames)[:, None] + 7 * np.arange(channels)
    rng = np.random.default_rng(0)
    made = 0.4 * np.sin(t / 9) + 0.3 * np.sin(t / 3.1) + rng.normal(0, 0.01, t.shape)
    return (made * 32767).astype(np.int16) if bits == 16 else (128 + made * 127).astype(np.uint8)


def wav(values: Any, rate: int = 16000) -> bytes:
    """A file by the standard library."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(values.shape[1])
        file.setsampwidth(values.dtype.itemsize)
        file.setframerate(rate)
        file.writeframes(values.tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_files_come_back(channels: int, bits: int) -> None:
    values = sound(301, channels, bits)
    data = wav(values)
    found = parse(data)
    assert found is not None
    assert b"".join(map(bytes, [rebuild(found.skeleton, found.samples)])) == data
    assert np.array_equal(arcomp.open(data).array.reshape(channels, -1).T, values)
    assert arcomp.restore(arcomp.compress(data, "histogram")) == data
    if channels * values.itemsize % 2 == 0:
        assert write_wav(found.samples) == data


def odd() -> dict[str, bytes]:
    """Files that other programs write."""
    data = wav(sound(50))
    fields = data[20:36]
    longer = struct.pack("<H", EXTENSIBLE) + fields[2:] + struct.pack("<HHIH", 22, 16, 4, 1) + SUBTYPE
    extensible = data[:12] + b"fmt " + struct.pack("<I", len(longer)) + longer + data[36:]
    return {
        "streamed": data[:40] + b"\xff\xff\xff\x7f" + data[44:],  # of no known length, as pipes have it
        "cut": data[:-3],
        "chunks": data[:12] + b"LIST\2\0\0\0ab" + data[12:] + b"id3 \1\0\0\0x\0rest",
        "extensible": extensible,
    }


@pytest.mark.parametrize("name", odd())
def test_odd_files_come_back(name: str) -> None:
    data = odd()[name]
    found = parsed(data)
    assert found.samples.pixels.shape[2] >= 48
    assert arcomp.restore(arcomp.compress(data, "histogram")) == data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d[:20] + struct.pack("<H", 3) + d[22:], "kind 3, 1 channels of 16 bits"),
        (lambda d: d[:34] + struct.pack("<H", 24) + d[36:], "24 bits"),
        (lambda d: d[:30], "truncated"),
        (lambda d: d[:36], "no samples"),
        (lambda d: d[:44], "0"),
    ],
)
def test_others_are_kept_as_bytes(change: Any, said: str) -> None:
    data = change(wav(sound(50)))
    with pytest.raises(PictureError, match=said):
        parsed(data)
    assert arcomp.restore(arcomp.compress(data)) == data


def test_what_a_file_says_of_its_sound() -> None:
    found = header(wav(sound(50, 2), 44100))
    assert (found.channels, found.bits, found.rate, found.frames, found.names) == (2, 16, 44100, 50, ())


def test_no_sound_can_be_written() -> None:
    with pytest.raises(OutputError, match="rows of samples"):
        write_wav(Samples.of(np.zeros((1, 2, 9, 1), np.uint8)))


def kinds(node: Node) -> list[str]:
    return [type(node).__name__, *(name for child in node.children() for name in kinds(child))]


def test_only_sounds_are_forecast() -> None:
    from arcomp.planning import plan

    stack = (sound(4000).view(np.uint16) ^ 0x8000).reshape(1, 1, -1, 1)
    assert is_sound(stack, 16)
    assert not is_sound(np.arange(4000, dtype=np.uint16).reshape(1, 1, -1, 1), 16)
    assert kinds(plan(stack, 16, False, None, arcomp.load("photo-fast")))[:2] == ["Forecast", "Forecast"]


def test_forecasts_are_undone_at_the_ends_of_the_range() -> None:
    """Where weights and forecasts reach their limits."""
    from arcomp.transforms import Coded
    from arcomp.transforms.node import Kind

    rng = np.random.default_rng(2)
    for depth, taps, rate in ((16, 64, 256), (16, 1, 256), (9, 5, 3), (2, 64, 256)):
        ends = np.where(rng.random((2, 1, 900, 1)) < 0.5, 0, (1 << depth) - 1)
        ends[0, 0, 300:600, 0] = np.arange(300) % 2 * ((1 << depth) - 1)
        stack = ends.astype(np.uint16 if depth > 8 else np.uint8)
        node, kind = Forecast(taps, rate, Coded(depth)), Kind((2, 1, 900, 1), depth)
        (coded,) = node.split(stack, kind)
        assert int(coded.max()) >> depth == 0
        assert np.array_equal(node.join([coded.copy()], kind), stack)


def test_sounds_are_drawn() -> None:
    from arcomp.sampling import as_sound, draw

    drawn = as_sound(draw(arcomp.load("wavenet-audio"), (2, 1, 40, 2), 8, seed=1))
    assert drawn.pixels.shape == (2, 1, 40, 1)
    with wave.open(io.BytesIO(write_wav(drawn))) as file:
        assert (file.getnchannels(), file.getnframes(), file.getframerate()) == (2, 40, 16000)


def test_a_model_of_sounds_codes_them_by_their_bytes() -> None:
    model = arcomp.load("wavenet-audio")
    for bits in (8, 16):
        data = wav(sound(3000, 2, bits))
        made = arcomp.compress(data, model)
        assert arcomp.restore(made, model=model) == data
        assert [model.name for model in unpack(made).models] == ["wavenet"]
