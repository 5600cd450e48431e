"""Recipes: short TOML files that say what to train, on what, for how long. One recipe, one set of weights."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from arcomp.errors import ModelError, TrainingError, said_of
from arcomp.training.data import DataConfig
from arcomp.training.trainable import trained, trainer_of

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


Steps = Annotated[int, Meta(ge=0, le=2**40)]
Part = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True)
class OptimiserPart:
    """The recipe's ``[optimiser]``.

    Attributes:
        batch: positions a step; crops, for models that are trained on whole ones. Of all processes together.
        steps: length of the run.
        rate: highest learning rate.
        warmup: steps until it is reached.
        ema: decay of the average of the weights, the one that is kept.
        rounding_from: part of the run after which weights and activations are rounded in the loop.
        weight_decay: of AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2), for
            weights but not for biases; without it, it is Adam.
        bf16: whether products are computed in bfloat16 in training; all else, and what is measured, is in float32.
        minutes: length of the run by the clock, in place of steps.
        passes: how often a round's examples are gone through, in another order each time: where they take longer to
            make than to learn from.
    """

    batch: Annotated[int, Meta(ge=1, le=2**24)] = 2048
    steps: Annotated[int, Meta(ge=1, le=2**40)] = 1000
    rate: Part = 2e-3
    warmup: Steps = 100
    ema: Part = 0.999
    rounding_from: Part = 0.6
    weight_decay: Annotated[float, Meta(ge=0, le=100)] = 0.0
    bf16: bool = False
    minutes: Annotated[float, Meta(ge=0.001, le=1e6)] | None = None
    passes: Annotated[int, Meta(ge=1, le=1000)] = 1


@dataclass(frozen=True)
class Recipe:
    """A training run, fully specified but for the data. The model checks ``config``."""

    model: str
    seed: Annotated[int, Meta(ge=0, le=2**32)]
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
            TrainingError: a setting is missing, unknown, or out of its range.
        """
        recipe = _converted(d)
        for part, known in (("data", DataConfig), ("optimiser", OptimiserPart)):
            unknown = set(d[part]) - {f.name for f in fields(known)}
            if unknown:
                raise TrainingError(
                    f"the recipe's [{part}] has unknown settings: {', '.join(sorted(unknown))}",
                    remedy=f"leave them out; there are {', '.join(f.name for f in fields(known))}",
                )
        config = {k: tuple(v) if isinstance(v, list) else v for k, v in recipe.config.items()}
        recipe = replace(recipe, config=config)
        recipe.check()
        return recipe

    def check(self) -> None:
        """Refuse what could not be trained.

        Raises:
            TrainingError: a model that cannot be trained, or a value out of its range.
        """
        _converted(msgspec.to_builtins(self))
        trainer = trainer_of(self.model)
        try:
            trainer.check(self.config)
        except ModelError as error:
            raise TrainingError(f"the recipe's [config]: {error.cause}", remedy=error.remedy) from error
        if self.data.kind == "sounds" and not (trainer.sequences and self.channels == 2 and self.depth == 8):
            raise TrainingError(
                f"model {self.model} with {self.channels} channels of {self.depth} bits does not take sounds",
                remedy="choose a model of sequences, with 2 channels of 8 bits",
            )
        if self.data.kind == "bytes" and not (trainer.sequences and self.channels == 1 and self.depth == 8):
            able = ", ".join(name for name, trainer in trained().items() if trainer.sequences)
            raise TrainingError(
                f"model {self.model} with {self.channels} channels of {self.depth} bits does not take bytes",
                remedy=f"choose one of {able}, with 1 channel of 8 bits",
            )


def _converted(d: Any) -> Recipe:
    """Plain types as a recipe, each setting of its type and within its range.

    Raises:
        TrainingError: one is not, or is missing.
    """
    try:
        return msgspec.convert(d, Recipe)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `$.")
        which = f"the recipe's {where.rstrip('`')}" if where else "the recipe"
        raise TrainingError(
            f"{which}: {said[:1].lower()}{said[1:]}".replace("`", ""), remedy="change that setting"
        ) from error


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
        close = get_close_matches(name, names())
        remedy = f"there is {' and '.join(close)}" if close else "`arcomp train --list` names those that there are"
        raise TrainingError(f"no recipe {name!r}", remedy=f"{remedy}; or give a .toml file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise TrainingError(f"the recipe {name} cannot be read: {error}") from error
