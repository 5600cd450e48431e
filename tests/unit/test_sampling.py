"""Samples follow the distribution, and are a function of their seed."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from arcomp.coding import FrequencyTable, sample
from arcomp.coding.table import cumulate
from arcomp.contract import registry
from arcomp.contract.model import Model
from arcomp.errors import ModelError
from arcomp.models.made import MADE
from arcomp.models.pixelcnn import PixelCNN
from arcomp.models.wavenet import WaveNet
from arcomp.network.float import likelihoods
from arcomp.samples import Samples
from arcomp.sampling import GAP, grid
from tests.coded import draw, measure
from tests.contents import pictures
from tests.specimens import MODELS, layered, photo

HIDDEN = {"width": 20, "blocks": 1, "masks": 2, "degrees": 0, "direct": 1, "order": 0}
BINARY = layered(PixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3)
TEXTUAL = layered(WaveNet, channels=1, depth=8, width=4, blocks=2, cycle=2)


class TestSampling:
    def test_draws_follow_the_distribution(self) -> None:
        counts = np.array([[1, 5, 0, 2]], np.int64)
        table = FrequencyTable(cumulate(counts, 2), np.zeros(40000, np.int32), 2)
        for temperature, power in ((1.0, 1.0), (0.5, 2.0), (2.0, 0.5)):
            found = np.bincount(sample(table, np.random.default_rng(0), temperature), minlength=4) / 40000
            expected = counts[0] ** power / (counts[0] ** power).sum()
            assert found == pytest.approx(expected, abs=0.02)
        assert set(sample(table, np.random.default_rng(0), 0).tolist()) == {1}

    def test_digits_of_a_symbol_at_another_temperature(self) -> None:
        """A temperature of one, the long way, is that of the short one; the likeliest symbol of 8 bits is found."""
        counts = np.random.default_rng(1).integers(1, 50, (1, 256))
        counts[0, 77] = 200
        table = FrequencyTable(cumulate(counts, 8), np.zeros(60000, np.int32), 8)
        assert set(sample(table, np.random.default_rng(0), 0).tolist()) == {77}
        found = np.bincount(sample(table, np.random.default_rng(0), 0.99999), minlength=256) / 60000
        assert found == pytest.approx(counts[0] / counts.sum(), abs=0.003)

    @pytest.mark.parametrize("temperature", [1.0, 0.5])
    def test_a_draw_is_a_function_of_its_seed(self, temperature: float) -> None:
        shape = (3, 8, 9, 1)
        first = draw(BINARY, shape, 1, seed=1, temperature=temperature)
        assert first.dtype == np.uint8
        assert first.max() == 1
        assert np.array_equal(first, draw(BINARY, shape, 1, seed=1, temperature=temperature))
        assert not np.array_equal(first, draw(BINARY, shape, 1, seed=2, temperature=temperature))
        assert not np.array_equal(first[0], first[1])

    def test_draws_are_typical(self) -> None:
        """A model finds its own draws as unsurprising as it expects itself to: their bits are near its entropy."""
        with patch.object(likelihoods, "init"):  # else it finds all about alike
            model = layered(PixelCNN, channels=1, depth=1, width=4, blocks=1, kernel=3)
        drawn = draw(model, (40, 8, 9, 1), 1, seed=3)
        noise = pictures("noise", (40 * 8, 9, 1), 1).reshape(40, 8, 9, 1)
        assert measure(drawn, 1, model).total < 0.8 * measure(noise, 1, model).total

    @pytest.mark.parametrize(
        "model", [BINARY, TEXTUAL, layered(MADE, channels=1, depth=1, rows=8, columns=9, **HIDDEN)]
    )
    def test_what_is_given_stays(self, model: Model) -> None:
        depth = 8 if model is TEXTUAL else 1
        given = pictures("noise", (2 * 8, 9, 1), depth).reshape(2, 8, 9, 1)
        found = draw(model, given.shape, depth, given=given, kept=40, seed=5)
        kept = np.arange(72).reshape(8, 9) < 40
        assert np.array_equal(found[:, kept], given[:, kept])
        assert not np.array_equal(found[:, ~kept], given[:, ~kept])

    @pytest.mark.parametrize("name", ["made shuffled", "image_transformer zigzag"])
    def test_only_what_goes_row_by_row_is_completed(self, name: str) -> None:
        """Elsewhere rows that are known would depend on what is drawn before them."""
        make, channels, depth = MODELS[name]
        given = pictures("noise", (4, 5, channels), depth)[None]
        with pytest.raises(ModelError, match="does not go row by row"):
            draw(make(), given.shape, depth, given=given, kept=10)
        assert draw(make(), given.shape, depth).shape == given.shape

    def test_a_model_that_learns_decodes_random_bytes(self) -> None:
        model = photo()
        first = draw(model, (2, 10, 12, 3), 8, seed=1)
        assert np.array_equal(first, draw(model, (2, 10, 12, 3), 8, seed=1))
        assert not np.array_equal(first[0], first[1])
        with pytest.raises(ModelError, match="another temperature"):
            draw(model, (1, 4, 4, 3), 8, temperature=0.5)
        with pytest.raises(ModelError, match="complete"):
            draw(model, (1, 4, 4, 3), 8, given=first[:1, :4, :4], kept=8)

    def test_a_histogram_needs_a_picture(self) -> None:
        model = registry.load("histogram")
        with pytest.raises(ModelError, match="give one to complete"):
            draw(model, (1, 4, 4, 1), 8)
        given = np.full((1, 9, 9, 1), 7, np.uint8)
        given[0, 5:] = 200
        found = draw(model, given.shape, 8, given=given, kept=45, temperature=0.2)
        assert (found == 7).all()

    def test_grids(self) -> None:
        pixels = pictures("noise", (6 * 4, 5, 1), 1).reshape(6, 4, 5, 1)
        made = grid(Samples.of(pixels, 1)).pixels[0]
        assert made.shape == (3 * (4 + GAP) - GAP, 2 * (5 + GAP) - GAP, 1)
        assert np.array_equal(made[:4, :5], 255 * pixels[0])
        assert np.array_equal(made[-4:, -5:], 255 * pixels[5])
        assert np.array_equal(grid(Samples.of(pixels[:1], 1)).pixels[0], 255 * pixels[0])
