"""The curse of dimensionality: a histogram over all states of a few binary pixels, on what it counted and on new ones.

A histogram over d binary pixels has 2**d cells. With few pixels it knows all there is to know; with many, most cells
were never met, and what it says of new pictures is worse than independent pixels would be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arcomp.errors import ArcompError
from arcomp.samples import Samples
from arcomp.show.drawing import COLOURS, Picture, panels, titled

SHAPES = ((1, 1), (1, 2), (2, 2), (3, 3), (4, 4), (5, 5))
"""Rows and columns of the pixels, from the middle of each picture."""
UNIFORM = 0.01
"""What part of the distribution is the same for all states."""
LEAST = 20
"""Pictures."""
States = npt.NDArray[np.int64]


def states(pictures: npt.NDArray[np.uint8], rows: int, columns: int) -> States:
    """The pixels in the middle as a number each: uint8 [N, H, W] -> int64 [N]."""
    top, left = (pictures.shape[1] - rows) // 2, (pictures.shape[2] - columns) // 2
    bits = pictures[:, top : top + rows, left : left + columns].reshape(len(pictures), -1).astype(np.int64)
    return np.asarray(bits @ (1 << np.arange(bits.shape[1])))


def nll(counted: States, measured: States, pixels: int) -> float:
    """Bits a pixel under the histogram: the counted frequencies, and :data:`UNIFORM` of all cells alike, so that none
    is impossible."""
    cells, counts = np.unique(counted, return_counts=True)
    at = np.minimum(np.searchsorted(cells, measured), len(cells) - 1)
    found = np.where(cells[at] == measured, counts[at], 0) / len(counted)
    return float(-np.log2((1 - UNIFORM) * found + UNIFORM * 2.0**-pixels).mean() / pixels)


def draw(samples: Samples) -> Picture:
    """Of binary pictures, the first half is counted, the second one is new.

    Raises:
        ArcompError: they are not binary, too small, or too few.
    """
    pictures = samples.pixels[..., 0]
    if pictures.max() > 1 or min(pictures.shape[1:]) < SHAPES[-1][0] or len(pictures) < LEAST:
        raise ArcompError(
            f"takes {LEAST} binary pictures of {SHAPES[-1][0]} x {SHAPES[-1][0]} or more",
            remedy="give an array of 0 and 1, such as `arcomp sample` draws (-o digits.npy)",
        )
    half = len(pictures) // 2
    sizes, found = [], []
    with panels(1, (6.0, 2.9)) as (picture, (axes,)):
        for rows, columns in SHAPES:
            pixels = rows * columns
            own = states(pictures, rows, columns)
            trained, new = nll(own[:half], own[:half], pixels), nll(own[:half], own[half:], pixels)
            met = len(np.unique(own[:half]))
            sizes.append(pixels)
            found.append((trained, new))
            picture.say(
                f"{pixels:2d} pixels, {2**pixels:,} cells, {met:,} of them met: {trained:.3f} bits a pixel on what was "
                f"counted, {new:.3f} on new pictures",
                pixels=pixels, cells=2**pixels, met=met, counted=trained, new=new,
            )  # fmt: skip
        for j, (name, style) in enumerate((("on what was counted", "o-"), ("on new pictures", "s-"))):
            axes.plot(sizes, [each[j] for each in found], style, color=COLOURS[j], ms=4, label=name)
        axes.axhline(1, color="#8b949e", lw=0.8, ls=":")
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, map(str, sizes))
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("pixels, of which all states are counted")
        axes.grid(lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        titled(axes, f"bits a pixel, {half:,} pictures counted")
    return picture
