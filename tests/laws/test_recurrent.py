"""Recurrent layers and embeddings: the cell's integers, the gradient through time, float and exact evaluations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from arcomp.errors import ModelError
from arcomp.exact.cell import by_formula, cell
from arcomp.layers.conv import Tap, line, square
from arcomp.layers.embedding import Embedding
from arcomp.layers.float.layer import float_layer
from arcomp.layers.float.rounding import round_through
from arcomp.layers.float.scan import STATE, scan
from arcomp.layers.quantisation import LOGITS, SIGNED8, UNIT8, Quantisation
from arcomp.layers.recurrent import ALONG, DOWN, LSTM, neighbours
from arcomp.layers.samples import carried
from arcomp.models.char_rnn import CharRNN
from arcomp.models.pixelrnn import PixelRNN
from arcomp.network.float.model import Float
from arcomp.network.layered import Layered
from arcomp.training import loop, recipes
from arcomp.training.data import DataConfig
from arcomp.training.finish import finish
from arcomp.training.sources import gather
from tests.coded import decode, encode
from tests.contents import pictures
from tests.layers import linear_of
from tests.specimens import batch_of, layered


def int16s(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.int16]:
    """A third of them extreme, a third small."""
    kind = rng.integers(0, 3, shape)
    ends = rng.choice(np.array([-32768, 32767], np.int16), shape)
    large, small = (rng.integers(-(1 << b), 1 << b, shape) for b in (15, 11))
    return np.choose(kind, [ends, large, small]).astype(np.int16)


def test_kernel_and_tensor_operations_are_one_cell() -> None:
    rng = np.random.default_rng(0)
    arrays = int16s(rng, 400, 44), int16s(rng, 400, 44), int16s(rng, 400, 11)
    for one, other in zip(cell(*arrays), by_formula(*map(torch.from_numpy, arrays)), strict=True):
        assert one.dtype == other.numpy().dtype
        assert np.array_equal(one, other)


def test_cell_is_the_textbook_one() -> None:
    """Graves 2013, equations 7 to 11, in double precision: c within its step of 1/4096 and what gates of 15 bits lose,
    h within half its step of 1/128 and what the table's step of 1/512 loses."""
    rng = np.random.default_rng(1)
    arrays = int16s(rng, 400, 44) // 16, int16s(rng, 400, 44) // 16, int16s(rng, 400, 11)
    c, h = map(torch.from_numpy, cell(*arrays))
    given, recurrent, before = map(torch.from_numpy, arrays)
    i, f, o, g = ((given.double() + recurrent.double()) / 256).chunk(4, 1)
    state = torch.sigmoid(f) * before / 4096 + torch.sigmoid(i) * torch.tanh(g)
    state = state.clamp(STATE.low * STATE.step, STATE.high * STATE.step)
    assert float((c / 4096 - state).abs().max()) < 0.5 / 4096 + 9 * 2**-15
    outputs = (torch.sigmoid(o) * torch.tanh(state)).clamp(-127 / 128, 127 / 128)
    assert float((h / 128 - outputs).abs().max()) < 0.5 / 128 + 1.5 / 1024


def test_a_cell_can_remember_for_ever() -> None:
    """An open forget gate is 1 - 2**-15: rounding to nearest keeps what it would take from a small state."""
    gates = np.array([[-32768, 32767, 0, 0]], np.int16)
    for kept in (1, -300, 4096, 16000):
        c = np.array([[kept]], np.int16)
        for _ in range(1000):
            c, _ = cell(gates, np.zeros_like(gates), c)
        assert c.item() == kept


@pytest.mark.parametrize(("kernel", "axis", "rounding"), [(1, 2, False), (1, 1, True), (3, 1, False), (5, 1, True)])
def test_gradient_through_time(kernel: int, axis: int, rounding: bool) -> None:
    """That of :func:`scan` is what automatic differentiation gives, step after step."""
    torch.manual_seed(0)
    groups, features = 2, 3

    def kept(x: torch.Tensor, quantisation: Quantisation) -> torch.Tensor:
        x = x.clamp(quantisation.low * quantisation.step, quantisation.high * quantisation.step)
        return round_through(x / quantisation.step) * quantisation.step if rounding else x

    given = torch.randn(2, 6, 5, groups * 4 * features, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(groups * 4 * features, kernel * groups * features, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(groups * 4 * features, dtype=torch.float64, requires_grad=True)
    found = scan(given, weight, bias, features, kernel, axis, rounding)
    h = given.new_zeros(found.select(axis, 0).shape)
    c, outputs = given.new_zeros(h.numel() // features, features), []
    for x in given.unbind(axis):
        z = x + (neighbours(h, kernel) @ weight.t() + bias).reshape(x.shape)
        i, f, o, g = z.reshape(len(c), -1).chunk(4, 1)
        c = kept(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g), STATE)
        h = kept(torch.sigmoid(o) * torch.tanh(c), UNIT8).reshape(h.shape)
        outputs.append(h)
    expected = torch.stack(outputs, axis)
    assert torch.allclose(found, expected)
    into = torch.randn_like(found)
    ours, theirs = (torch.autograd.grad((y * into).sum(), (given, weight, bias)) for y in (found, expected))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other)


def test_gradient_stops_where_the_state_is_clamped() -> None:
    given = torch.full((1, 1, 20, 4), 9.0, requires_grad=True)
    h = scan(given, torch.zeros(4, 1), torch.zeros(4), 1, 1, 2, False)
    (grad,) = torch.autograd.grad(h[0, 0, -1, 0], given)
    assert float(grad[0, 0, :8, 3].abs().max()) == 0  # c has been at 8 since the ninth step
    assert float(grad[0, 0, -1, 2]) > 0


@pytest.mark.parametrize("spec", [LSTM(ALONG, 1, 2, 6), LSTM(DOWN, 3, 2, 6), LSTM(DOWN, 1, 1, 6)])
def test_float_lstm_is_the_exact_one(spec: LSTM) -> None:
    """What is trained, with rounding, is what is frozen, but for the rounding of gates: a few steps."""
    torch.manual_seed(3)
    layer = float_layer(spec)
    torch.nn.init.normal_(linear_of(layer).bias)
    exact = spec.exact_layer(layer.freeze(), "cpu")
    batch = batch_of((8, 13), (8, 13))
    x = torch.round(300 * torch.randn(2, 8, 13, spec.groups * 24)).to(torch.int16)
    with torch.no_grad():
        real = layer(x.float() * LOGITS.step, rounding=True) / UNIT8.step
    found = torch.from_numpy(exact.parallel(batch, x.numpy())).float()
    assert float((real - found).abs().max()) <= 3
    assert float((real - found).abs().mean()) < 0.1
    assert float(found.std()) > 20


@pytest.mark.parametrize(("taps", "depth"), [(((0, -1),), 8), (line(2), 3), (square(3), 1)])
def test_float_embedding_is_the_exact_one(taps: tuple[Tap, ...], depth: int) -> None:
    torch.manual_seed(3)
    spec = Embedding(taps, "A", 2 if len(taps) > 1 else 1, depth, 5, LOGITS)
    layer = float_layer(spec)
    torch.nn.init.normal_(linear_of(layer).bias)
    exact = spec.exact_layer(layer.freeze(), "cpu")
    values = np.random.default_rng(0).integers(0, 1 << depth, (2, 8, 13, spec.groups))
    x = carried(values, depth)
    with torch.no_grad():
        real = layer(torch.from_numpy(x).float() * SIGNED8.step, rounding=True) / LOGITS.step
    assert float(np.abs(real.numpy() - exact.parallel(batch_of((8, 13), (8, 13)), x)).max()) <= 2


def test_an_embedding_tells_symbols_apart() -> None:
    """Each symbol has features of its own, and a picture's first positions, which see none, others again."""
    torch.manual_seed(0)
    spec = Embedding(((0, -1),), "A", 1, 8, 4, LOGITS)
    exact = spec.exact_layer(float_layer(spec).freeze(), "cpu")
    x = carried(np.arange(256), 8).reshape(1, 1, 256, 1)
    found = exact.parallel(batch_of((1, 256)), x)[0, 0]
    assert len(np.unique(found, axis=0)) == 256
    assert not found[0].any()


@pytest.mark.parametrize("levels", [False, True])
def test_an_embedding_of_levels_begins_smoothly(levels: bool) -> None:
    """Columns of neighbours are alike, of distant levels not, and outputs are as large as otherwise."""
    torch.manual_seed(0)
    spec = Embedding(line(2), "A", 3, 8, 12, LOGITS, levels=levels)
    columns = linear_of(float_layer(spec)).weight.data.view(36, 6, 256)
    deviation = float(columns.std()) * 6**0.5
    assert 0.9 < deviation < 1.1
    steps = (columns[..., 1:] - columns[..., :-1]).std() / columns.std()
    assert bool(steps < 0.2) == levels


def linear(arrays: dict[str, np.ndarray], row: int, inputs: list[int]) -> int:
    """docs/format.md, "A linear layer", logit outputs, in Python's integers."""
    total = sum(int(w) * x for w, x in zip(arrays["weight"][row], inputs, strict=True)) + int(arrays["bias"][row])
    shift = int(arrays["shift"][row])
    return max(-32768, min(32767, (total * int(arrays["multiplier"][row]) + (1 << (shift - 1))) >> shift))


@pytest.mark.parametrize("spec", [LSTM(ALONG, 1, 2, 3), LSTM(DOWN, 3, 2, 3)])
def test_cells_are_those_of_the_page(spec: LSTM) -> None:
    """docs/format.md, "Cells", position after position in Python's integers."""
    torch.manual_seed(5)
    layer = float_layer(spec)
    torch.nn.init.normal_(linear_of(layer).weight)
    arrays, rng, h = layer.freeze(), np.random.default_rng(5), spec.features
    given = int16s(rng, 1, 4, 5, 8 * h) // 20
    found = spec.exact_layer(arrays, "cpu").parallel(batch_of((4, 5)), given)[0].tolist()
    logistic = [round(2**24 / (1 + math.exp(-(i - 3072) / 256))) for i in range(6145)]
    outputs: dict[tuple[int, int], list[int]] = {}
    states: dict[tuple[int, int], list[int]] = {}

    def table(v: int) -> int:
        return logistic[max(-3072, min(3072, v)) + 3072]

    for y, x in np.ndindex(4, 5):
        seen = [v for dy, dx in spec.taps for v in outputs.get((y + dy, x + dx), [0] * 2 * h)]
        before = states.get((y + spec.memory[0], x + spec.memory[1]), [0] * 2 * h)
        z = given[0, y, x].tolist()
        outputs[y, x], states[y, x] = [], []
        for cell_of in range(2 * h):
            first = cell_of // h * 4 * h + cell_of % h
            i, f, o, g = (z[r] + linear(arrays, r, seen) for r in range(first, first + 4 * h, h))
            kept = (table(f) >> 9) * before[cell_of] + (((table(i) >> 9) * ((table(2 * g) - 2**23) >> 8)) >> 3)
            c = max(-(2**15), min(2**15 - 1, (kept + 2**14) >> 15))
            y_ = ((table(o) >> 9) * ((table((c + 4) >> 3) - 2**23) >> 8) + 2**22) >> 23
            states[y, x].append(c)
            outputs[y, x].append(max(-127, min(127, y_)))
        assert outputs[y, x] == found[y][x]


def test_embeddings_are_those_of_the_page() -> None:
    """docs/format.md, "Embedding", likewise."""
    torch.manual_seed(5)
    spec = Embedding(line(2), "A", 2, 2, 3, LOGITS)
    layer = float_layer(spec)
    torch.nn.init.normal_(linear_of(layer).bias)
    arrays = layer.freeze()
    values = np.random.default_rng(5).integers(0, 4, (3, 4, 2))
    shown = carried(values[None], 2)
    found = spec.exact_layer(arrays, "cpu").parallel(batch_of((3, 4)), shown)[0].tolist()
    for y, x in np.ndindex(3, 4):
        symbols = [int(v) for at in (x - 1, x) for v in (values[y, at] if at >= 0 else (-1, -1))]
        inputs = [64 * (v == symbol) for symbol in symbols for v in range(4)]
        assert [linear(arrays, row, inputs) for row in range(6)] == found[y][x]


@pytest.mark.parametrize(("memory", "kernel"), [(ALONG, 3), (DOWN, 2), ((0, 1), 1)])
def test_a_recurrence_that_would_not_be_causal(memory: Tap, kernel: int) -> None:
    with pytest.raises(ValueError, match="memory"):
        LSTM(memory, kernel, 1, 4)


@pytest.mark.parametrize("kind", [CharRNN, PixelRNN])
@pytest.mark.parametrize("channels", [1, 3])
def test_state_reaches_the_end(kind: type[Layered], channels: int) -> None:
    """The first sample moves outputs far away, further than convolutions of the same network see."""
    torch.manual_seed(0)
    net = kind.float_model({"channels": channels, "depth": 1, "width": 8, "blocks": 1}).net
    shape = (1, 1, 40, channels) if kind is CharRNN else (1, 20, 5, channels)
    values = torch.randint(0, 2, shape)

    def last(first: int) -> torch.Tensor:
        values[0, 0, 0] = first
        level = torch.from_numpy(carried(values.numpy(), 1)).float() * SIGNED8.step
        outputs: torch.Tensor = net(level)[0, -1, -1].detach()
        return outputs

    assert not torch.equal(last(0), last(1))


SMALL = {
    "char_rnn": {"channels": 1, "depth": 1, "width": 16, "blocks": 1},
    "pixelrnn": {"channels": 1, "depth": 1, "width": 6, "blocks": 1},
}


@pytest.mark.parametrize("model", SMALL)
def test_a_recurrent_network_learns_and_freezes(model: str, tmp_path: Path) -> None:
    """Pictures of two halves side by side, the seam at one of nine places: only the row above says where."""
    seams = np.random.default_rng(0).integers(2, 11, 40)
    halves = (np.arange(12)[None, None, :] < seams[:, None, None]) & np.ones((40, 6, 12), bool)
    np.save(tmp_path / "a.npy", halves.astype(np.uint8))
    recipe = recipes.Recipe(
        model,
        1,
        SMALL[model],
        DataConfig(crop=12, crops=16, held_out=8, resampled=0.0, turned=False),
        recipes.OptimiserPart(batch=16, steps=200, rate=0.02, warmup=5, ema=0.9, rounding_from=0.6),
    )
    data = gather(recipe, [tmp_path])
    state = loop.train(recipe, data, tmp_path / "c", validate_every=50)
    done = finish(state, recipe, data, tmp_path / "w.safetensors")
    guessed = np.log2(9) / 12  # what a seam in every row would cost, a sample
    assert done.float_bits < 0.75 * guessed
    assert done.exact_bits == pytest.approx(done.float_bits, abs=0.003)


@pytest.mark.parametrize("kind", [CharRNN, PixelRNN])
@pytest.mark.parametrize("channels", [1, 3])
def test_float_and_exact_nll_agree(kind: type[Layered], channels: int) -> None:
    torch.manual_seed(7)
    config = {"channels": channels, "depth": 4, "width": 12, "blocks": 2}
    net: Float = kind.float_model(config)
    model = kind(kind.freeze({channels: net}))
    pixels = np.stack([pictures("smooth", (24, 24, channels), 4, seed) for seed in range(2)])
    exact = encode(pixels, 4, model).nll_bits / pixels.size
    with torch.no_grad():
        rounded, plain = (float(net.bits(torch.from_numpy(pixels), r).mean()) for r in (True, False))
    assert rounded == pytest.approx(exact, rel=3e-3)
    assert plain == pytest.approx(exact, rel=1e-2)


def test_bytes_are_a_sequence_of_symbols() -> None:
    """A text as one row of 8-bit samples."""
    text = np.frombuffer(Path(__file__).read_bytes()[:3000], np.uint8).reshape(1, 1, -1, 1)
    model = layered(CharRNN, channels=1, depth=8, width=12, blocks=2)
    encoded = encode(text, 8, model, tile=(1, 700))
    assert np.array_equal(decode(encoded.data, model=model)[0], text)


@pytest.mark.parametrize("layer", ["input.0", "lstm.0"])
def test_hostile_weights_of_recurrent_layers_are_refused(layer: str) -> None:
    good = layered(CharRNN, channels=2, depth=2, width=4, blocks=1).weights
    name = f"2x2.{layer}.weight"
    for wrong in (
        good.arrays[name][:, 1:].copy(),
        good.arrays[name].astype(np.int16),
        np.full_like(good.arrays[name], 64),
    ):
        arrays = {**good.arrays, name: wrong}
        with pytest.raises(ModelError):
            encode(pictures("noise", (4, 4, 2), 2)[None], 2, CharRNN(type(good)(good.model, good.config, arrays)))
