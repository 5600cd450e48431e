"""Makes the set one-bit: ten scans, faxes and dithers, as PNG of one bit.

``python -m benchmarks.one_bit FOLDER --photos PHOTOGRAPHS --text FILE [--seed 1]``

The same bytes of pictures for the same seed, photographs, text and version of Pillow. Two seeds share no picture but by
chance: one to choose settings by, another to measure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Gray = npt.NDArray[np.float64]
"""[H, W], 0 black, 1 white."""
Bits = npt.NDArray[np.uint8]
"""[H, W], 0 and 1."""
FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf")
PAGE = (1754, 1240)
"""Rows and columns of a page at 150 dots an inch."""
BAYER = ((0, 2), (3, 1))
FLOYD = ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1))
"""Rows down, columns to the right, sixteenths."""
ATKINSON = ((0, 1, 2), (0, 2, 2), (1, -1, 2), (1, 0, 2), (1, 1, 2), (2, 0, 2))


class Maker:
    """Draws from one seed.

    Args:
        photos: files of photographs. text: what is printed.
    """

    def __init__(self, seed: int, photos: Sequence[Path], text: str) -> None:
        self.rng = np.random.default_rng(seed)
        self.photos, self.words = photos, text.split()

    def pictures(self) -> dict[str, Callable[[], Bits]]:
        """What is in the set, by name."""
        return {
            "scan": lambda: self.scanned(self.page(26, 1), 0.8, 0.09),
            "scan-columns": lambda: self.scanned(self.page(17, 2), 0.4, 0.06),
            "scan-book": lambda: self.scanned(self.page(30, 1), 1.5, 0.14),
            "fax": self.fax,
            "print": lambda: (self.page(24, 1) > 0.5).astype(np.uint8),
            "lines": lambda: (self.drawing() > 0.5).astype(np.uint8),
            "floyd-steinberg": lambda: diffused(self.photo(), FLOYD),
            "atkinson": lambda: diffused(self.photo(), ATKINSON),
            "ordered": lambda: ordered(self.photo()),
            "newspaper": self.newspaper,
        }

    def photo(self) -> Gray:
        """A photograph in gray."""
        with Image.open(self.photos[int(self.rng.integers(len(self.photos)))]) as image:
            return np.asarray(image.convert("L"), np.float64) / 255

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(FONTS[int(self.rng.integers(len(FONTS)))], size)

    def page(self, size: int, columns: int) -> Gray:
        """A page of text; ``size``: of letters, in pixels."""
        height, width = PAGE
        image = Image.new("L", (width, height), 255)
        draw, font, title = ImageDraw.Draw(image), self.font(size), self.font(2 * size)
        begin = int(self.rng.integers(max(1, len(self.words) - 4000)))
        words = iter(self.words[begin : begin + 4000])
        draw.text((100, 80), " ".join(next(words) for _ in range(4)), 0, font=title)
        room = (width - 200 - 40 * (columns - 1)) // columns
        for column in range(columns):
            y, line = 100 + 3 * size, ""
            for word in words:
                longer = f"{line} {word}".strip()
                if draw.textlength(longer, font=font) > room:
                    draw.text((100 + column * (room + 40), y), line, 0, font=font)
                    y, longer = y + int(1.4 * size), word
                    y += size if self.rng.random() < 0.1 else 0
                    if y > height - 150:
                        break
                line = longer
        return np.asarray(image, np.float64) / 255

    def drawing(self) -> Gray:
        """Lines, circles, hatching and labels."""
        image = Image.new("L", (1600, 1200), 255)
        draw = ImageDraw.Draw(image)
        for _ in range(60):
            x, y, right, down = (int(v) for v in self.rng.integers((60, 60, -500, -400), (1540, 1140, 500, 400)))
            wide = int(self.rng.integers(1, 5))
            box = (min(x, x + right), min(y, y + down), max(x, x + right), max(y, y + down))
            what = int(self.rng.integers(5))
            if what == 0:
                draw.ellipse(box, outline=0, width=wide)
            elif what == 1:
                draw.rectangle(box, outline=0, width=wide)
            elif what == 2:
                draw.text((x, y), " ".join(self.words[x : x + 3]), 0, font=self.font(18))
            elif what == 3:
                for k in range(0, 120, int(self.rng.integers(5, 9))):
                    draw.line((x + k, y, x + k - 60, y + 80), 0, 1)
            else:
                draw.line((x, y, x + right, y + down), 0, wide)
        return np.asarray(image, np.float64) / 255

    def scanned(self, page: Gray, angle: float, noise: float) -> Bits:
        """A page as a scanner sees it: turned, blurred, unevenly lit and noisy; then black or white."""
        turned = Image.fromarray((page * 255).astype(np.uint8)).rotate(
            float(self.rng.uniform(0.5, 1) * angle * self.rng.choice((-1, 1))), Image.Resampling.BICUBIC, fillcolor=255
        )
        soft = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.8)), np.float64) / 255
        across = np.linspace(0, 1, page.shape[1], dtype=np.float64)
        lit = soft * (1 - 0.12 * across) + noise * self.rng.standard_normal(page.shape)
        specks = self.rng.random(page.shape)
        seen = np.where(specks < 2e-5, 0, lit)
        return (seen > 0.52).astype(np.uint8)

    def fax(self) -> Bits:
        """A page at 204 x 98 dots an inch, with faults of single rows."""
        page = Image.fromarray((self.page(22, 1) * 255).astype(np.uint8)).resize((1728, 1143), Image.Resampling.BOX)
        bits = self.scanned(np.asarray(page, np.float64) / 255, 0.3, 0.05)
        for y in self.rng.integers(1, len(bits), 12):
            x, run = int(self.rng.integers(1400)), int(self.rng.integers(40, 300))
            bits[y, x : x + run] = bits[y - 1, x : x + run][::-1]
        return bits

    def newspaper(self) -> Bits:
        """A page of text with a photograph in a screen of 45 degrees."""
        page = (self.page(22, 2) > 0.5).astype(np.uint8)
        photo = halftone(self.photo())
        height, width = min(len(photo), 700), min(photo.shape[1], 900)
        page[300 : 300 + height, 150 : 150 + width] = photo[:height, :width]
        return page


def diffused(gray: Gray, kernel: Sequence[tuple[int, int, int]]) -> Bits:
    """Errors of each pixel go to those after it."""
    height, width = gray.shape
    rows = np.pad(gray, ((0, 2), (2, 2))).tolist()
    found = np.zeros(gray.shape, np.uint8)
    for y in range(height):
        for x in range(2, width + 2):
            value = rows[y][x]
            bit = value >= 0.5
            found[y, x - 2] = bit
            for down, right, part in kernel:
                rows[y + down][x + right] += (value - bit) * part / 16
    return found


def ordered(gray: Gray) -> Bits:
    """Bayer's matrix of 8 x 8."""
    pattern = np.zeros((1, 1), int)
    for _ in range(3):
        pattern = np.block([[4 * pattern + offset for offset in row] for row in BAYER])
    height, width = gray.shape
    tiled = np.tile((pattern + 0.5) / 64, (height // 8 + 1, width // 8 + 1))[:height, :width]
    return (gray > tiled).astype(np.uint8)


def halftone(gray: Gray) -> Bits:
    """Dots of a screen at 45 degrees, 6.5 pixels apart."""
    y, x = np.mgrid[: gray.shape[0], : gray.shape[1]] * (np.pi / 6.5 * np.sqrt(0.5))
    dots: Bits = (gray > 0.5 + 0.25 * (np.cos(2 * (x + y)) + np.cos(2 * (x - y)))).astype(np.uint8)
    return dots


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ten pictures into the folder."""
    parser = argparse.ArgumentParser("python -m benchmarks.one_bit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--text", type=Path, required=True, help="what is printed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    photos = sorted(p for p in options.photos.iterdir() if p.suffix.lower() in (".png", ".jpg", ".webp"))
    maker = Maker(options.seed, photos, options.text.read_text(encoding="utf-8", errors="replace"))
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, make in maker.pictures().items():
        Image.fromarray(make() * np.uint8(255)).convert("1").save(options.folder / f"{name}.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
