"""Recipes: short TOML files that say what to train, on what, for how long. One recipe, one set of weights."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from arcomp.errors import ModelError, TrainingError, said_of
from arcomp.training.data import KINDS as DATA
from arcomp.training.data import DataConfig
from arcomp.training.trainable import trained, trainer_of

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


@dataclass(frozen=True)
class OptimiserPart:
    """The recipe's ``[optimiser]``.

    Attributes:
        batch: positions a step; crops, for models that are trained on whole ones. Of all processes together.
        steps: length of the run.
        rate: highest learning rate. warmup: steps until it is reached.
        ema: decay of the average of the weights, the one that is kept.
        rounding_from: part of the run after which weights and activations are rounded in the loop.
        weight_decay: of AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2), for
            weights but not for biases; without it, it is Adam.
        bf16: whether products are computed in bfloat16 in training; all else, and what is measured, is in float32.
        minutes: length of the run by the clock, in place of steps.
        passes: how often a round's examples are gone through, in another order each time: where they take longer to
            make than to learn from.
    """

    batch: int = 2048
    steps: int = 1000
    rate: float = 2e-3
    warmup: int = 100
    ema: float = 0.999
    rounding_from: float = 0.6
    weight_decay: float = 0.0
    bf16: bool = False
    minutes: float | None = None
    passes: int = 1


@dataclass(frozen=True)
class Recipe:
    """A training run, fully specified but for the data."""

    model: str
    seed: int
    config: dict[str, Any]
    data: DataConfig
    optimiser: OptimiserPart

    @property
    def channels(self) -> int:
        """Samples of a position."""
        return int(self.config["channels"])

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return int(self.config.get("depth", 8))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as :meth:`from_dict` takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Recipe:
        """From plain types.

        Raises:
            TrainingError: a part is missing or unknown.
        """
        try:
            for part, kind in (("data", DataConfig), ("optimiser", OptimiserPart)):
                unknown = set(d.get(part, {})) - {f.name for f in fields(kind)}
                if unknown:
                    raise TrainingError(f"the recipe's [{part}] has unknown settings: {', '.join(sorted(unknown))}")
            config = {k: tuple(v) if isinstance(v, list) else v for k, v in d["config"].items()}
            recipe = cls(d["model"], d["seed"], config, DataConfig(**d["data"]), OptimiserPart(**d["optimiser"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrainingError(f"the recipe is not complete: {error}") from error
        recipe.check()
        return recipe

    def check(self) -> None:
        """Refuse what could not be trained.

        Raises:
            TrainingError: a model that cannot be trained, or a value out of its range.
        """
        trainer = trainer_of(str(self.model))
        try:
            trainer.check(self.config)
        except ModelError as error:
            raise TrainingError(f"the recipe's [config]: {error.cause}") from error
        o, minutes = self.optimiser, self.optimiser.minutes
        for part, value, least, most in (
            ("seed", self.seed, 0, 2**32),
            ("crop", self.data.crop, 8, 2**14),
            ("crops", self.data.crops, 1, 2**14),
            ("held_out", self.data.held_out, 1, 2**20),
            ("resampled", self.data.resampled, 0.0, 1.0),
            ("batch", o.batch, 1, 2**24),
            ("steps", o.steps, 1, 2**40),
            ("passes", o.passes, 1, 1000),
            ("rate", o.rate, 0.0, 1.0),
            ("warmup", o.warmup, 0, 2**40),
            ("ema", o.ema, 0.0, 1.0),
            ("rounding_from", o.rounding_from, 0.0, 1.0),
            ("weight_decay", o.weight_decay, 0.0, 100.0),
            ("minutes", 1.0 if minutes is None else minutes, 0.001, 1e6),
        ):
            kinds = (int,) if isinstance(least, int) else (int, float)
            if type(value) not in kinds or not least <= value <= most:
                raise TrainingError(f"the recipe's {part} is {value!r}, not within {least} .. {most}")
        for part, flag in (("turned", self.data.turned), ("bf16", o.bf16)):
            if type(flag) is not bool:
                raise TrainingError(f"the recipe's {part} is {flag!r}, neither true nor false")
        self._check_kind()

    def _check_kind(self) -> None:
        """Refuse a kind of data that is not there, and bytes where the model takes pictures alone."""
        if self.data.kind not in DATA:
            raise TrainingError(f"the recipe's kind of data is {self.data.kind!r}, not {' or '.join(DATA)}")
        if self.data.kind == "bytes" and not (
            trainer_of(self.model).sequences and self.channels == 1 and self.depth == 8
        ):
            able = ", ".join(name for name, trainer in trained().items() if trainer.sequences)
            raise TrainingError(
                f"model {self.model} with {self.channels} channels of {self.depth} bits does not take bytes",
                remedy=f"choose one of {able}, with 1 channel of 8 bits",
            )


def names() -> list[str]:
    """The recipes in the package."""
    return sorted(f.name[:-5] for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))


def find(name: str) -> Recipe:
    """A recipe by its name in the package, or by the path of a TOML file.

    Raises:
        TrainingError: unknown, or not a recipe.
    """
    try:
        if name.endswith(".toml"):
            text = Path(name).read_text(encoding="utf-8")
        else:
            text = resources.files(__package__).joinpath(name + ".toml").read_text(encoding="utf-8")
        with said_of(name):
            return Recipe.from_dict(tomllib.loads(text))
    except (FileNotFoundError, IsADirectoryError):
        alike = get_close_matches(name, names())
        remedy = f"there is {' and '.join(alike)}" if alike else "`arcomp train --list` names those that there are"
        raise TrainingError(f"no recipe {name!r}", remedy=f"{remedy}; or give a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise TrainingError(f"the recipe {name} cannot be read: {error}") from error
