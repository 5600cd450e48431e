"""Orders: which positions are decoded together, numbered by their front."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from arcomp.orders import Batch, Hilbert, Multiscale, Order, Raster, Shuffled, Subscale, Wavefront, Zigzag
from arcomp.show.drawing import Picture, bare, panels, titled

ORDERS: Mapping[str, Order] = {
    "raster": Raster(),
    "zigzag": Zigzag(),
    "Hilbert's curve": Hilbert(),
    "random": Shuffled(1),
    "wavefront (skew 2)": Wavefront(2),
    "coarse to fine": Multiscale(2),
    "interleaved slices": Subscale(2),
}


def fronts(order: Order, side: int) -> npt.NDArray[np.int64]:
    """The front of each position of a square picture: int64 [side, side], from 0."""
    found = np.zeros((side, side), np.int64)
    for t, front in enumerate(order.fronts(Batch(np.array([side], np.int32), np.array([side], np.int32)))):
        found[front.y, front.x] = t
    return found


def draw(side: int = 8) -> Picture:
    """All orders on a square picture of that side."""
    with panels(len(ORDERS), (1.75, 2.1), 4) as (picture, axes):
        for (name, order), own in zip(ORDERS.items(), axes, strict=True):
            numbers = fronts(order, side)
            count = int(numbers.max()) + 1
            own.imshow(numbers, cmap="viridis")
            for (y, x), front in np.ndenumerate(numbers):
                light = front > 0.6 * count
                own.text(
                    x, y, str(front + 1), ha="center", va="center", fontsize=5, color="black" if light else "white"
                )
            bare(own)
            titled(own, f"{name}\n{count} fronts")
            picture.say(f"{name}: {count} fronts for {side * side} positions", order=name, fronts=count)
    return picture
