"""Sounds to train and measure on, of 16 kHz and 16 bits, one channel: ``python -m benchmarks.sounds FOLDER ..``.

Speech is spoken by espeak-ng (a formant synthesiser; its command must be here) from parts of a text, by several voices
at several pitches and speeds. Music is synthesised: plucked strings (Karplus and Strong 1983), struck bars and organ
pipes (sums of partials), and drums (noise), as random chords and melodies with echoes. Both have quiet noise, as
recordings do, without which they would be easier than any recording.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

RATE = 16000
"""Samples a second."""
VOICES = ("en-gb", "en-us", "en-gb-scotland", "de", "fr", "it")
VARIANTS = ("", "+f2", "+f4", "+m3", "+m7", "+croak")
NOISE = 3.0
"""Standard deviation of the noise, in steps of 16 bits."""
Sound = npt.NDArray[np.float64]


def speech(text: str, rng: np.random.Generator) -> Sound:
    """A text as espeak-ng says it, by a random voice; about -1 to 1."""
    voice = str(rng.choice(VOICES)) + str(rng.choice(VARIANTS))
    said = ["-v", voice, "-p", str(rng.integers(30, 70)), "-s", str(rng.integers(130, 200))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["espeak-ng", *said, "-w", str(path), "--", text], check=True)
        with wave.open(str(path)) as file:
            rate, data = file.getframerate(), file.readframes(file.getnframes())
    return resampled(np.frombuffer(data, "<i2").astype(np.float64) / 32768, rate)


def resampled(sound: Sound, rate: int) -> Sound:
    """A sound of another rate at :data:`RATE`, by its spectrum."""
    count = len(sound) * RATE // rate
    return np.fft.irfft(np.fft.rfft(sound)[: count // 2 + 1], count) * count / len(sound)


def plucked(pitch: float, seconds: float, rng: np.random.Generator) -> Sound:
    """A string: noise that goes round a delay line and loses its high partials."""
    period, count = int(RATE / pitch), int(RATE * seconds)
    line, rows = rng.uniform(-1, 1, period), []
    for _ in range(-(-count // period)):
        rows.append(line)
        line = 0.996 * 0.5 * (line + np.roll(line, 1))
    return np.concatenate(rows)[:count]


def partials(pitch: float, seconds: float, rng: np.random.Generator, struck: bool) -> Sound:
    """A bar that is struck, whose partials die away, or a pipe, whose partials stay."""
    t = np.arange(int(RATE * seconds)) / RATE
    ratios = (1, 2.76, 5.4, 8.93) if struck else (1, 2, 3, 4, 6, 8)
    made: Sound = np.zeros(len(t))
    for n, ratio in enumerate(ratios):
        if pitch * ratio < 0.45 * RATE:
            fade = np.exp(-t * (3 + 3 * n)) if struck else np.minimum(1, t / 0.05) * np.minimum(1, t[::-1] / 0.05)
            made += fade * rng.uniform(0.3, 1) / (n + 1) * np.sin(2 * np.pi * (pitch * ratio * t + rng.random()))
    return made


def drum(seconds: float, rng: np.random.Generator) -> Sound:
    """Noise that dies away over a low tone."""
    t = np.arange(int(RATE * seconds)) / RATE
    made: Sound = rng.normal(0, 0.4, len(t)) * np.exp(-t * 25) + np.sin(2 * np.pi * 80 * t) * np.exp(-t * 12)
    return made


def music(seconds: float, rng: np.random.Generator) -> Sound:
    """A piece of a random scale, tempo and instruments; about -1 to 1."""
    made = np.zeros(int(RATE * (seconds + 4)))
    scale, root = (
        rng.choice([(0, 2, 4, 7, 9), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11)][rng.integers(3)], 40),
        110,
    )
    beat, instruments = rng.uniform(0.2, 0.5), rng.integers(0, 3, 3)
    for n, start in enumerate(np.arange(0, seconds, beat)):
        for voice, kind in enumerate(instruments):
            if rng.random() < (0.9, 0.5, 0.3)[voice]:
                pitch = root * 2.0 ** (voice + scale[(n * (voice + 1)) % 40] / 12) * 2.0 ** rng.integers(0, 2)
                long = beat * rng.integers(1, 5)
                own = plucked(pitch, long, rng) if kind == 0 else partials(pitch, long, rng, kind == 1)
                at = int(start * RATE)
                made[at : at + len(own)] += own * rng.uniform(0.1, 0.5)
        if n % 2 == 0:
            own = drum(0.3, rng)
            at = int(start * RATE)
            made[at : at + len(own)] += own * 0.3
    for late in (0.031, 0.047, 0.113):  # echoes
        made[int(late * RATE) :] += 0.3 * made[: -int(late * RATE)]
    return made[: int(seconds * RATE)]


def finished(sound: Sound, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """At a random loudness, with noise."""
    scaled = sound / max(1e-9, float(np.abs(sound).max())) * rng.uniform(4000, 20000) + rng.normal(0, NOISE, len(sound))
    return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)


def save(path: Path, samples: npt.NDArray[Any]) -> None:
    """Write a WAV file of 16 bits, or 8 bits for uint8: [length] or [length, channels]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(samples.dtype.itemsize)
        file.setframerate(RATE)
        file.writeframes(samples.astype(samples.dtype.newbyteorder("<")).tobytes())


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--text", type=click.Path(path_type=Path, exists=True), required=True, help="What is spoken.")
@click.option("--pieces", type=click.IntRange(1), default=48, help="Files of each kind to train on.")
@click.option("--test", type=click.IntRange(1), default=8, help="Files of each kind to measure on.")
@click.option("--seed", type=click.IntRange(0), default=0)
def main(folder: Path, text: Path, pieces: int, test: int, seed: int) -> None:
    """Write FOLDER/train and FOLDER/test: about 10 seconds a file."""
    words = text.read_text(encoding="utf-8", errors="replace").split()
    for number in range(pieces + test):
        own = folder / ("train" if number < pieces else "test")
        own.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng([seed, number])
        part = " ".join(words[100 + 30 * number : 130 + 30 * number])
        save(own / f"speech-{number:02}.wav", finished(speech(part, rng), rng))
        save(own / f"music-{number:02}.wav", finished(music(10.0, rng), rng))


if __name__ == "__main__":
    main()
