"""The float evaluation of layers: what is written for speed equals what it stands for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from arcomp.layers.conv import Tap, above, around, line, square
from arcomp.layers.float.layer import float_layer
from arcomp.layers.float.rounding import carry, round_through
from arcomp.layers.quantisation import LOGITS, RECTIFIED8, SIGNED8, UNIT8, Quantisation
from arcomp.layers.spec import Conv
from tests.layers import linear_of


@pytest.mark.parametrize("quantisation", [SIGNED8, RECTIFIED8, UNIT8, LOGITS])
@pytest.mark.parametrize("rounding", [False, True])
def test_carrying_is_clamping_and_rounding_straight_through(quantisation: Quantisation, rounding: bool) -> None:
    """Bit for bit, values and gradients, at the ends of the range too."""
    torch.manual_seed(0)
    step = quantisation.step
    low, high = (quantisation.low - quantisation.zero) * step, (quantisation.high - quantisation.zero) * step
    x = torch.cat([torch.randn(4096) * 5, torch.arange(-600, 600) * step / 2, torch.tensor([low, high, 0.0])])
    gradient = torch.randn_like(x)
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    clamped = one.clamp(low, high)
    expected = round_through(clamped / quantisation.step) * quantisation.step if rounding else clamped
    found = carry(other, quantisation, rounding)
    expected.backward(gradient)
    found.backward(gradient)
    assert torch.equal(found, expected)
    assert one.grad is not None
    assert other.grad is not None
    assert torch.equal(other.grad, one.grad)
    assert int((one.grad == 0).sum()) > 0 or quantisation is LOGITS


def test_products_in_bfloat16_are_carried_in_float32() -> None:
    x = torch.tensor([1.0, 3.0], dtype=torch.bfloat16, requires_grad=True)
    carried = carry(x / 3, LOGITS, True)
    assert carried.dtype == torch.float32
    carried.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("taps", "groups"),
    [(square(5), 3), (above(3), 1), (around(3), 1), (line(3, 4), 2), (((0, 0),), 2), (((-2, 1), (-1, -1), (0, 0)), 1)],
)
def test_a_convolution_is_a_sum_over_its_taps(taps: tuple[Tap, ...], groups: int) -> None:
    torch.manual_seed(0)
    inputs, outputs = 3, 4
    layer = float_layer(Conv(taps, "B", groups, inputs, outputs, SIGNED8, LOGITS))
    x = torch.randn(2, 6, 7, groups * inputs)
    linear, free = linear_of(layer), layer.free
    assert isinstance(free, torch.Tensor)
    weight = (linear.weight * free).detach().reshape(groups * outputs, len(taps), groups * inputs)
    expected = np.zeros((2, 6, 7, groups * outputs), np.float32) + linear.bias.detach().numpy()
    for n, y0, x0 in np.ndindex(2, 6, 7):
        for t, (dy, dx) in enumerate(taps):
            if y0 + dy >= 0 and 0 <= x0 + dx < 7:
                expected[n, y0, x0] += (weight[:, t] @ x[n, y0 + dy, x0 + dx]).numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    assert "places" not in layer.state_dict()  # checkpoints of before stay readable
