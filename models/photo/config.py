"""The configuration of one network of ``photo``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from arcomp.contract.settings import choice, records, setting
from arcomp.errors import ModelError
from arcomp.models.photo import plain
from arcomp.models.photo.inputs import extras, input_names, inputs
from arcomp.models.photo.stage import DIRECT, STAGES
from arcomp.models.photo.windows import Window

CODING_ORDER = {1: (0,), 3: (1, 0, 2)}
"""Green first: it is the best predictor of the other two. By number of channels."""


@dataclass(frozen=True)
class PhotoConfig:
    """Shape of one network and the least squares it stands on.

    Attributes:
        channels: 1 or 3.
        windows: of the least squares; see :class:`arcomp.models.photo.windows.Window`. None: a plain predictor in their
            place (:mod:`arcomp.models.photo.plain`).
        trunk: widths of the layers that all channels share.
        head: width of each channel's own hidden layer.
        mixture: components K of each channel's mixture.
        stage: name of the mixing stage's settings (:mod:`arcomp.models.photo.stage`); "direct", for a plain predictor
            only: values are coded straight from the mixture (:mod:`arcomp.models.photo.direct`).
        online: whether heads go on learning from the picture (:mod:`arcomp.models.photo.adaptation`).
        rate, group: of heads that go on learning: of their weights, and pixels of a step, at least.
        inner_rate, inner_group: the same of all other layers (:mod:`arcomp.models.photo.descent`); a rate of 0: they do
            not go on learning.
    """

    channels: int = choice(*CODING_ORDER)
    windows: tuple[Window, ...] = records(Window, 4, least=0)
    trunk: tuple[int, ...] = setting(1, 1024, count=4)
    head: int = setting(1, 1024)
    mixture: int = setting(1, 8)
    stage: str = choice(*STAGES, DIRECT)
    online: bool = choice(False, True, default=False)
    rate: float = setting(1e-6, 1.0, default=0.016)
    group: int = setting(1, 1 << 20, default=512)
    inner_rate: float = setting(0.0, 1.0, default=0.0)
    inner_group: int = setting(1, 1 << 20, default=128)

    def __post_init__(self) -> None:
        if self.inner_rate and not self.online:
            raise ModelError("layers below the heads learn only with the heads: `inner_rate` needs `online`")
        if self.plain != (self.stage == DIRECT) or (self.plain and self.online):
            raise ModelError(
                'a configuration without windows has the stage "direct", no other has it; nor is it `online`'
            )

    @property
    def plain(self) -> bool:
        """Whether there are no least squares."""
        return not self.windows

    @property
    def inputs(self) -> int:
        """Length of the trunk's input."""
        return plain.inputs(self.channels) if self.plain else inputs(self.channels, len(self.windows))

    @property
    def input_names(self) -> list[str]:
        """What each of these is: so that a network of more windows can take over another's weights."""
        return plain.input_names(self.channels) if self.plain else input_names(self.channels, len(self.windows))

    def extras(self, channel: int) -> int:
        """How many inputs a head has besides the trunk's output."""
        return int(plain.extras(channel) if self.plain else extras(channel, len(self.windows)))

    @property
    def gates(self) -> int:
        """Residuals of which a head may add a part to the means: of the windows, unless the base is the only one's
        prediction; of the channels before, where there are no windows."""
        if self.plain:
            return self.channels - 1
        return len(self.windows) if len(self.windows) > 1 else 0

    @property
    def residuals(self) -> int:
        """Residuals that are kept of a front."""
        return self.channels - 1 if self.plain else len(self.windows)

    @property
    def outputs(self) -> int:
        """Length of a head's output: K logits, K offsets, K log scales, gates."""
        return 3 * self.mixture + self.gates

    @property
    def ring(self) -> int:
        """Fronts that are kept: a power of two."""
        longest = max([40, *(w.reach() for w in self.windows)])
        return 1 << (longest + 16).bit_length()

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as weights and recipes have them."""
        plain = asdict(self)
        return {**plain, "trunk": list(self.trunk), "windows": [asdict(w) for w in self.windows]}
