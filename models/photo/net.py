"""``photo``: local least squares, a network that judges them, and (in coding) a stage that learns from the picture.

Papers: least squares on a causal window after Wu, Barthel and Zhang 1998 ("Piecewise 2D autoregression for predictive
image coding"), blended as in Seemann and Tischer 1997; the network is a multilayer perceptron on the neighbourhood
as in :mod:`arcomp.models.context.net`, its output PixelCNN++'s mixture of discretised logistics (Salimans et al. 2017,
section 2.1); the mixing stage is that of Mahoney's PAQ (2005, "Adaptive weighing of context models for lossless data
compression") on top of the mixture, :mod:`arcomp.coding.mixing`.

What it adds to ``context``: predictors fitted to each pixel's own surroundings (:mod:`least_squares`), whose errors
tell the network how much to trust them (:mod:`inputs`), and statistics of exact values, which find what no
neighbourhood of a few pixels shows: palettes, lattices of a colour space, stretched histograms.

Train it with ``arcomp train --recipe photo-balanced DATA`` (``-fast``, ``-max``; ``-gray`` after each).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from arcomp.exact.records import record
from arcomp.layers.float.linear import Linear
from arcomp.layers.float.mixture import mixture_bits
from arcomp.layers.mixture import LOG_SCALE_RANGE
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8
from arcomp.models.photo import chunks
from arcomp.models.photo.config import CODING_ORDER, PhotoConfig
from arcomp.models.photo.planes import blank, front_count
from arcomp.models.photo.windows import layout, mean_covariance
from arcomp.models.photo.workspace import new_squares, new_workspace

UInt8 = npt.NDArray[np.uint8]


class Photo(nn.Module):
    """The float evaluation."""

    prior: torch.Tensor

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.inputs, *config.trunk)
        channels = range(config.channels)
        self.trunk = nn.ModuleList(Linear(a, b, RECTIFIED8) for a, b in pairwise(widths))
        self.hidden = nn.ModuleList(Linear(widths[-1] + config.extras(c), config.head, RECTIFIED8) for c in channels)
        self.heads = nn.ModuleList(Linear(config.head, config.outputs, LOGITS) for _ in channels)
        self.register_buffer("prior", torch.zeros(layout(config.windows, config.channels)[3], dtype=torch.int32))
        k = config.mixture
        with torch.no_grad():
            for head in self.heads:
                assert isinstance(head, Linear)
                head.weight *= 0.3
                head.bias[k : 2 * k] = torch.linspace(-0.2, 0.2, k)
                head.bias[2 * k : 3 * k] = torch.linspace(-1.5, 1.0, k)

    def prepare(self, crops: list[UInt8]) -> None:
        """Take the least squares' prior from training pictures."""
        coded = [crop[..., list(CODING_ORDER[self.config.channels])] for crop in crops]
        parts = [mean_covariance(coded, window) for window in self.config.windows]
        if parts:
            self.prior.copy_(torch.from_numpy(np.concatenate(parts)))

    @torch.no_grad()
    def adopt(self, other: Photo) -> None:
        """Take over a smaller network's function: its windows must be the first of this one's, its layers no wider.

        Units that the other has not begin at random and are not listened to yet.

        Raises:
            ValueError: the other is not smaller, or of another kind.
        """
        mine, theirs = self.config, other.config
        count = len(theirs.windows)
        if (
            mine.windows[:count] != theirs.windows
            or (mine.channels, mine.mixture, len(mine.trunk)) != (theirs.channels, theirs.mixture, len(theirs.trunk))
            or any(a < b for a, b in zip((*mine.trunk, mine.head), (*theirs.trunk, theirs.head), strict=True))
        ):
            raise ValueError("only a smaller network of the same kind can be started from")
        at = [mine.input_names.index(name) for name in theirs.input_names]
        for own, layer in zip(self.trunk, other.trunk, strict=True):
            assert isinstance(layer, Linear)
            rows = list(range(layer.out_features))
            _adopt_layer(own, layer, at, rows)
            at = rows
        for c in range(mine.channels):
            further = [mine.trunk[-1] + i for i in range(theirs.extras(c))]  # windows come last
            _adopt_layer(self.hidden[c], other.hidden[c], at + further, list(range(theirs.head)))
            rows = list(range(theirs.outputs))
            head = self.heads[c]
            assert isinstance(head, Linear)
            head.weight[len(rows) :] = 0
            head.bias[len(rows) :] = 0
            _adopt_layer(head, other.heads[c], list(range(theirs.head)), rows)
        self.prior[: len(other.prior)] = other.prior

    def bits(
        self,
        inputs: torch.Tensor,
        extras: torch.Tensor,
        values: torch.Tensor,
        base: torch.Tensor,
        scale: torch.Tensor,
        residuals: torch.Tensor,
        rounding: bool = False,
    ) -> torch.Tensor:
        """Bits of each channel of n pixels.

        Args:
            inputs: int8 [n, inputs]. extras: int8 [n, all channels' extras]. values: [n, C], levels.
            base: int [n, C] in Q6. scale: int [n, C] in Q8.
            residuals: int [n, C, residuals] in Q6, as :class:`arcomp.models.photo.chunks.Seen` has them.
            rounding: evaluate as frozen (weights and activations quantised).

        Returns:
            float [n, C].
        """
        config = self.config
        h = inputs.float() * SIGNED8.step
        for layer in self.trunk:
            h = layer(h, rounding)
        e = extras.float() * SIGNED8.step
        outputs, at, k = [], 0, config.mixture
        for c in range(config.channels):
            more = config.extras(c)
            outputs.append(self.heads[c](self.hidden[c](torch.cat([h, e[:, at : at + more]], 1), rounding), rounding))
            at += more
        z = torch.stack(outputs, 1).flatten(0, 1)  # [n C, outputs]: mixtures of all channels at once
        b, s = (a.float().reshape(-1, 1) for a in (base / 64, scale / 256))
        means = b + s * z[:, k : 2 * k]
        if config.gates:
            means = means + (z[:, 3 * k :] * (residuals.flatten(0, 1).float() / 64)).sum(1, keepdim=True)
        scales = 0.5 * s * torch.exp(z[:, 2 * k : 3 * k].clamp(*LOG_SCALE_RANGE))
        return mixture_bits(values.float().flatten(), z[:, :k], means, scales).reshape(values.shape)

    def examples(self, pixels: UInt8) -> dict[str, npt.NDArray[Any]]:
        """All positions of a picture (uint8 [H, W, C]), front by front, as arguments of :meth:`bits`."""
        config = self.config
        coded = np.ascontiguousarray(pixels[..., list(CODING_ORDER[config.channels])])
        height, width, channels = coded.shape
        planes = blank(height, width, channels, len(config.windows), config.ring)
        squares = new_squares(config.windows, channels, self.prior.cpu().numpy())
        workspace = new_workspace(config.windows, channels, planes.values.shape[2], height)
        seen = chunks.unwritten(config, height * width)
        end = front_count(height, width)
        known = record(planes), record(squares), record(workspace), coded, 0, end, record(seen)
        if config.plain:
            chunks.extract_plain_features(*known)
        else:
            chunks.extract_features(*known, None)
        return {
            "inputs": np.ascontiguousarray(seen.inputs.T),
            "extras": np.ascontiguousarray(seen.extras.T),
            "values": seen.values.T.astype(np.uint8),
            "base": np.ascontiguousarray(seen.base.T.astype(np.int16)),
            "scale": np.ascontiguousarray(seen.scale.T),
            "residuals": np.ascontiguousarray(seen.residuals.transpose(2, 0, 1).astype(np.int16)),
        }


def _adopt_layer(own: Any, other: Any, columns: list[int], rows: list[int]) -> None:
    """Rows of another layer, on the columns its inputs are at here; those rows do not see the other columns."""
    wider = torch.zeros(len(rows), own.in_features, device=other.weight.device)
    wider[:, columns] = other.weight
    own.weight[rows] = wider
    own.bias[rows] = other.bias
