"""The configuration of one network of ``photo``: plain numbers, checked where they come from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from arcomp.errors import ModelError
from arcomp.models.photo.inputs import extras, inputs
from arcomp.models.photo.planes import LEFT, MARGIN, NEIGHBOURS, RIGHT
from arcomp.models.photo.windows import FULL_WEIGHT, LOW_ORDER, Window

CODING_ORDER = {1: (0,), 3: (1, 0, 2)}
"""Green first: it is the best predictor of the other two. By number of channels."""
LIMITS = {"width": 1024, "trunk": 4, "mixture": 8, "windows": 4}


@dataclass(frozen=True)
class PhotoConfig:
    """Shape of one network and the least squares it stands on.

    Attributes:
        channels: 1 or 3.
        windows: of the least squares; see :class:`arcomp.models.photo.windows.Window`.
        trunk: widths of the layers that all channels share.
        head: width of each channel's own hidden layer.
        mixture: components K of each channel's mixture.
        stage: name of the mixing stage's settings (:mod:`arcomp.coding.mixing`).
        online: whether heads go on learning from the picture (:mod:`arcomp.models.photo.adaptation`).
        tails: whether the mixture's mass beyond the alphabet is that of 0 and 255, as in training; if not, it is left
            out, as by weights that do not say.
        rate, group: of heads that go on learning: of their weights, and pixels of a step, at least.
    """

    channels: int
    windows: tuple[Window, ...]
    trunk: tuple[int, ...]
    head: int
    mixture: int
    stage: str
    online: bool = False
    tails: bool = True
    rate: float = 0.016
    group: int = 512

    @property
    def inputs(self) -> int:
        """Length of the trunk's input."""
        return inputs(self.channels, len(self.windows))

    def extras(self, channel: int) -> int:
        """Length of what a head is told besides the trunk's output."""
        return int(extras(channel, len(self.windows)))

    @property
    def gates(self) -> int:
        """Windows whose residuals a head may add to the means; none where the base is the only window's prediction."""
        return len(self.windows) if len(self.windows) > 1 else 0

    @property
    def outputs(self) -> int:
        """Length of a head's output: K logits, K offsets, K log scales, gates."""
        return 3 * self.mixture + self.gates

    @property
    def ring(self) -> int:
        """Fronts that are kept: a power of two."""
        longest = max(40, *(w.reach() for w in self.windows))
        return 1 << (longest + 16).bit_length()

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as :func:`checked` takes them."""
        plain = asdict(self)
        return {**plain, "trunk": list(self.trunk), "windows": [asdict(w) for w in self.windows]}


def _within(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _right_window(w: Window) -> bool:
    full = FULL_WEIGHT if w.weighted or w.similar else 1
    sums = w.samples() * full * 255**2 if _within(w.rows, 1, 32) and _within(w.left, 1, 32) else 0
    return (
        _within(w.step, 1, 2)
        and 0 < sums < 2**31
        and _within(w.right, 0, RIGHT // w.step)
        and _within(w.taps, LOW_ORDER + 1, len(NEIGHBOURS))
        and type(w.weighted) is bool
        and type(w.beta) is float
        and 0 <= w.beta <= 1
        and type(w.ridge) is float
        and 1 <= w.ridge <= 1000
        and type(w.similar) is float
        and type(w.fade) is float
        and 0.5 <= w.fade <= 1
        and (w.similar == 0 or (w.step == 1 and not w.weighted and 0.1 <= w.similar <= 1000))
        and w.step * w.rows + 4 <= MARGIN
        and w.step * (w.left + 1) + 4 <= LEFT
    )


def checked(plain: Mapping[str, Any]) -> PhotoConfig:
    """A configuration from plain types.

    Raises:
        ModelError: unknown settings, or values beyond what the arithmetic allows.
    """
    from arcomp.coding.mixing import STAGES

    try:
        windows = tuple(w if isinstance(w, Window) else Window(**w) for w in plain["windows"])
        made = PhotoConfig(**{**plain, "trunk": tuple(plain["trunk"]), "windows": windows})
        right = (
            _within(made.channels, 1, 3)
            and made.channels in CODING_ORDER
            and 1 <= len(windows) <= LIMITS["windows"]
            and all(_right_window(w) for w in windows)
            and 1 <= len(made.trunk) <= LIMITS["trunk"]
            and all(_within(n, 1, LIMITS["width"]) for n in (*made.trunk, made.head))
            and _within(made.mixture, 1, LIMITS["mixture"])
            and made.stage in STAGES
            and type(made.online) is bool
            and type(made.tails) is bool
            and type(made.rate) is float
            and 0 < made.rate <= 1
            and _within(made.group, 1, 1 << 20)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        right = False
    if not right:
        raise ModelError(f"this configuration is not one of model photo: {str(plain)[:80]}")
    return made
