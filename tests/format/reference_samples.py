"""What is known of a tile's samples, as inputs of networks."""

from __future__ import annotations

from collections.abc import Callable

from tests.format.reference_layers import SIGNED, Features


class Known:
    """Samples of a picture that are known so far.

    ``place`` says where in the tile a position of the picture lies: (y, x) itself, or of a lattice.
    """

    def __init__(self, shape: tuple[int, int], channels: int, depth: int) -> None:
        self.shape, self.channels, self.depth, self.n = shape, channels, depth, 1 << depth
        self.values: dict[tuple[int, int, int], int] = {}
        self.place: Callable[[int, int], tuple[int, int]] = lambda y, x: (y, x)

    def lattice(self, step: int, a: int, b: int) -> Known:
        """Those of a lattice, as a picture."""
        shape = -(-(self.shape[0] - a) // step), -(-(self.shape[1] - b) // step)
        made = Known(shape, self.channels, self.depth)
        made.values, made.place = self.values, lambda y, x: (a + step * y, b + step * x)
        return made

    def feature(self, y: int, x: int, c: int) -> int:
        """A sample as a feature."""
        v, most = self.values[(*self.place(y, x), c)], self.n - 1
        return (510 * v + most) // (2 * most) - 128

    def features(self, *, grouped: bool = True) -> Features:
        """All samples as features: one in each of C groups, or all in one."""
        if grouped:
            return Features(self.shape, self.channels, 1, SIGNED, lambda y, x, g: [self.feature(y, x, g)])
        return Features(
            self.shape, 1, self.channels, SIGNED, lambda y, x, g: [self.feature(y, x, c) for c in range(self.channels)]
        )

    def symbols(self) -> Features:
        """The samples themselves."""
        return Features(self.shape, self.channels, 1, SIGNED, lambda y, x, g: [self.values[(*self.place(y, x), g)]])
