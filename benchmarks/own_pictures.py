"""Pictures of one kind, as somebody has many of, to train on and to hold out: ``python -m benchmarks.own_pictures
FOLDER`` writes ``FOLDER/scans`` and ``FOLDER/maps``, each with ``train`` and ``held-out``.

``scans`` look like slices of a computed tomograph: 12 bits in 16, a body with organs, bones and vessels, noise of
photons that the filter of the reconstruction has coloured, nothing beyond the circle that the machine sees. ``maps``
are screenshots of one program, a viewer of maps: shaded terrain, contour lines, labels, a legend and buttons.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from benchmarks.outputs import say

TRAINED, HELD_OUT = 40, 10
"""Pictures of each kind."""
SIDE = 384
Plane = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Image.Image]


def clouds(height: int, width: int, rng: np.random.Generator, slope: float) -> Plane:
    """Noise whose amplitudes fall with a power of the frequency; mean 0, variance 1."""
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(y, x)
    frequency[0, 0] = np.inf
    made: Plane = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) * frequency**-slope, (height, width))
    made /= made.std()
    return made


def _ellipse(at: tuple[float, float], axes: tuple[float, float], angle: float) -> npt.NDArray[np.bool_]:
    """Pixels of a picture within an ellipse; the picture is two units wide."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    y, x = y - at[0], x - at[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray((along / axes[0]) ** 2 + (across / axes[1]) ** 2 < 1)


def scan(rng: np.random.Generator) -> Image.Image:
    """A slice, 12 bits: 1000 is water, 0 air."""
    wide, high = rng.uniform(0.7, 0.9), rng.uniform(0.5, 0.65)
    levels = np.full((SIDE, SIDE), 5.0)
    levels[_ellipse((0, 0), (wide, high), 0)] = 900  # fat
    inside = _ellipse((0, 0), (wide - 0.06, high - 0.06), 0)
    levels[inside] = 1050
    for _ in range(rng.integers(8, 16)):
        at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.6, 0.6))
        organ = inside & _ellipse(at, (rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.2)), rng.uniform(0, np.pi))
        levels[organ] = rng.choice([150, 930, 1030, 1060, 1080, 1180]) + rng.uniform(-8, 8)
    for angle in np.linspace(0, 2 * np.pi, 14) + rng.uniform(0, 0.4):
        at = ((high - 0.12) * np.sin(angle), (wide - 0.12) * np.cos(angle))
        levels[_ellipse(at, (0.05, 0.025), angle + np.pi / 2)] = rng.uniform(1500, 2300)
    levels[inside] += 6 * clouds(SIDE, SIDE, rng, 1.2)[inside]
    y, x = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    frequency = np.hypot(y, x)
    sharp = np.fft.irfft2(np.fft.rfft2(levels) * np.exp(-((frequency / 0.3) ** 2)), (SIDE, SIDE))
    ramp = frequency * np.exp(-((frequency / 0.28) ** 2))  # of filtered back projection: what its noise looks like
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(SIDE, SIDE))) * ramp, (SIDE, SIDE))
    from_middle = np.hypot(*np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j])
    noise *= rng.uniform(9, 16) / noise.std() * (0.5 + np.exp(-from_middle))
    seen = np.where(_ellipse((0, 0), (0.99, 0.99), 0), np.clip(np.rint(sharp + noise), 0, 4095), 0)
    return Image.fromarray(seen.astype(np.uint16))


TINTS = np.array([(112, 168, 196), (172, 208, 165), (239, 235, 192), (222, 214, 163), (170, 135, 83), (245, 244, 242)])


def _terrain(height: int, width: int, rng: np.random.Generator) -> tuple[Plane, npt.NDArray[Any]]:
    """Heights in -2 .. 2, and their colours [height, width, 3]: tints, lit from the north west."""
    heights = clouds(height, width, rng, rng.uniform(1.7, 2.1))
    down, right = np.gradient(heights * 24)
    light = (1 + 0.7 * (right + down)) / np.sqrt(1 + right**2 + down**2)
    place = np.clip((heights + 2) / 4, 0, 1) * (len(TINTS) - 1)
    tints = np.stack([np.interp(place, np.arange(len(TINTS)), TINTS[:, c]) for c in range(3)], 2)
    return heights, np.clip(tints * np.clip(0.45 + 0.55 * light, 0.2, 1.15)[..., None], 0, 255)


def map_view(rng: np.random.Generator) -> Image.Image:
    """A window of the viewer: 560 x 400 pixels."""
    width, height, panel = 560, 400, 130
    heights, colours = _terrain(height, width - panel, rng)
    steps = np.floor(heights * 5)
    lines = (np.diff(steps, axis=0, prepend=steps[:1]) != 0) | (np.diff(steps, axis=1, prepend=steps[:, :1]) != 0)
    colours[lines] = 0.55 * colours[lines] + 0.45 * np.array([120, 80, 40])
    image = Image.new("RGB", (width, height), (246, 246, 248))
    image.paste(Image.fromarray(np.rint(colours).astype(np.uint8)), (panel, 0))
    draw, font, small = ImageDraw.Draw(image), ImageFont.load_default(14), ImageFont.load_default(11)
    for _ in range(rng.integers(5, 10)):
        name = "".join(rng.choice(list("aeiou" if i % 2 else "bdklmnrst")) for i in range(rng.integers(4, 9))).title()
        at = (int(rng.integers(panel, width - 60)), int(rng.integers(0, height - 20)))
        draw.text(at, name, fill=(30, 30, 40), font=small, stroke_width=1, stroke_fill=(250, 250, 245))
    for row, word in enumerate(("Layers", "Search", "Route", "Measure", "Print")):
        draw.rounded_rectangle((10, 12 + 34 * row, panel - 10, 40 + 34 * row), 6, fill=(66, 110, 180))
        draw.text((22, 17 + 34 * row), word, fill="white", font=font)
    for row, tint in enumerate(TINTS):
        draw.rectangle((12, 200 + 22 * row, 34, 216 + 22 * row), fill=tuple(map(int, tint)), outline=(90, 90, 90))
        draw.text((42, 201 + 22 * row), f"{rng.integers(1, 9) + 400 * row} m", fill=(40, 40, 40), font=small)
    place = f"{rng.uniform(45, 48):.4f} N {rng.uniform(6, 13):.4f} E"
    draw.text((12, height - 22), place, fill=(70, 70, 70), font=small)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_pictures", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    kinds: dict[str, Draw] = {"scans": scan, "maps": map_view}
    folder = parser.parse_args().folder
    for kind, draw in kinds.items():
        for i in range(TRAINED + HELD_OUT):
            into = folder / kind / ("train" if i < TRAINED else "held-out")
            into.mkdir(parents=True, exist_ok=True)
            draw(np.random.default_rng([i, len(kind)])).save(into / f"{i:02}.png")
        say(f"{folder / kind}: {TRAINED} to train on, {HELD_OUT} held out")


if __name__ == "__main__":
    main()
