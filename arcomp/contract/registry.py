"""Models by name, weights by name and digest (where they lie: :mod:`arcomp.contract.library`).

A model is a module of :mod:`arcomp.models`, ``NAME.py`` or ``NAME/model.py``, with a class that is marked by
:func:`register`. It is imported when its name, or its weights, are asked for. Models are found by their modules, not
listed; only :data:`DEFAULT` names one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from arcomp.container.embedded import digest_of, weights_of
from arcomp.contract import hub
from arcomp.contract.library import ENDING, candidates, family, folders, modules
from arcomp.contract.model import Model
from arcomp.contract.weights_file import Weights
from arcomp.errors import ModelError

log = logging.getLogger(__name__)
PRESETS = ("turbo", "fast", "balanced", "max")
"""The default model's presets, the fastest first."""
DEFAULT = "photo-balanced"
"""The weights that are used where none are named."""
M = TypeVar("M", bound=type[Model])
_registered: dict[str, type[Model]] = {}
_embedded: dict[bytes, Model] = {}
"""The model that was last made of weights in a file, by its digest."""


def register(model: M) -> M:
    """Decorator of a model's class: makes it known by its name, which is also its module's."""
    _registered[model.name] = model
    return model


def find(name: str) -> type[Model]:
    """The class of a model, by the model's own name ("photo", not "photo-fast").

    Raises:
        ModelError: there is none.
    """
    if name not in _registered and name in modules():
        import_module(modules()[name])
    if name not in _registered:
        raise ModelError(f"no model {name!r}", remedy=_others(name))
    return _registered[name]


def names() -> list[str]:
    """All models that can be loaded by name here."""
    weights = {f.name.split(".")[0] for folder in folders() for f in folder.glob("*" + ENDING)}
    found = {name for name in weights if _model_of(name) in modules()}
    without = set(modules()) - {_model_of(name) for name in found}
    return sorted(found | {name for name in without if find(name).weightless})


def _near(name: str) -> str:
    """The name that was perhaps meant, in words; "" if none is like it."""
    near = get_close_matches(name, [*modules(), *names()], 1)
    return f"did you mean {near[0]}? " if near else ""


def _others(name: str) -> str:
    """What to use in place of a name that is none."""
    return f"{_near(name)}`arcomp models` lists all; or update arcomp"


def _model_of(name: str) -> str:
    """The model's part of a name of weights: "photo" for "photo-fast"."""
    return name.split("-")[0]


def with_preset(model: object = None, preset: object = None) -> str:
    """The name of a model, or of one of the default model's presets.

    Args:
        model: its name; None: the default. preset: such as "fast"; None: the default's.

    Raises:
        ModelError: a preset of another model, or what is no name.
    """
    own, _, usual = DEFAULT.partition("-")
    for name in (model, preset):
        if name is not None and not isinstance(name, str):
            raise ModelError(f"{str(name)[:40]!r} is no name of a model or preset", remedy="give a name")
    if model in (None, own):
        return f"{own}-{preset or usual}"
    if preset is not None:
        raise ModelError(f"preset= works with model {own} only, not with {model}", remedy="leave one of them out")
    return str(model)


def slower(preset: str) -> tuple[str, ...]:
    """A preset and all that are slower; itself alone if it is not one of arcomp's."""
    return PRESETS[PRESETS.index(preset) :] if preset in PRESETS else (preset,)


def load(name: str, digest: bytes | None = None) -> Model:
    """A model by its name, or by the path of its weights.

    Args:
        name: "context", "photo" (its default preset) or "photo-fast", or a path that ends in .safetensors, or an
            address of a hub (:mod:`arcomp.contract.hub`). A model's name is also enough if it has just one set of
            weights, whatever comes after the name in theirs.
        digest: digest, whole or its first bytes, of the weights that a file was written with; without it the newest
            are taken.

    Raises:
        ModelError: unknown, not found, damaged, or not with this digest.
    """
    if hub.is_address(name):
        return _fits(from_weights(Weights.load(hub.fetched(name))), digest)
    if name.endswith(ENDING):
        return from_weights(Weights.load(Path(name)))
    if _model_of(name) not in modules():
        raise ModelError(f"no model {name!r}", remedy=_others(name))
    model = find(_model_of(name))
    if name == model.name and model.weightless:
        return _fits(model(Weights(name, {}, {})), digest)
    if name == model.name and model.preset and digest is None:
        name = f"{name}-{model.preset}"
    return _load(name, digest, tuple(folders()))


@lru_cache(maxsize=8)
def _load(name: str, digest: bytes | None, where: tuple[Path, ...]) -> Model:
    damaged: ModelError | None = None
    for path in candidates(name, where, digest or b""):
        try:
            found = from_weights(Weights.load(path))
            log.debug("model %s: %s, digest %s", name, path, found.digest.hex()[:16])
            return found
        except ModelError as error:  # there may be a good copy elsewhere
            damaged = damaged or error
    if damaged is not None:
        raise damaged
    others = [] if digest else family(name, where)
    if len(others) == 1:
        return _load(others[0], None, where)
    if others:
        raise ModelError(f"there are several weights of model {name}", remedy=f"name one of {', '.join(others)}")
    searched = ", ".join(str(w) for w in where)
    wanted = f"model {name}" + (f" with digest {digest.hex()[:16]}" if digest else "")
    others = [] if digest else family(_model_of(name), where)
    here = _near(name) + (f"there are {', '.join(others)}; or " if others else "")
    raise ModelError(
        f"{wanted} is not in {searched}",
        remedy=f"{here}put its weights there as {name}{ENDING}, or name their file as the model, or update arcomp",
    )


def load_for(name: str, digest: bytes, sections: Sequence[bytes | memoryview] = ()) -> Model:
    """The model that a file was written with.

    Args:
        name, digest: as of :func:`load`.
        sections: of weights in that file (:mod:`arcomp.container.embedded`).

    Raises:
        ModelError: it is neither here nor in the file.
        FormatError: the weights in it are damaged.
    """
    try:
        return load(name, digest)
    except ModelError:
        for section in sections:
            claimed = digest_of(section)
            if claimed.startswith(digest):
                if claimed not in _embedded:
                    found = from_weights(Weights.from_bytes(weights_of(section)))
                    if found.digest != claimed:
                        raise ModelError("the weights in the file are others than it says") from None
                    _embedded.clear()  # one at a time: a file may hold many megabytes of them
                    _embedded[claimed] = found
                return _embedded[claimed]
        raise


def from_weights(weights: Weights) -> Model:
    """The model of some weights.

    Raises:
        ModelError: the model is unknown, or the weights do not fit it.
    """
    with weights.with_path():
        if weights.model not in modules():
            raise ModelError(f"weights of an unknown model {weights.model!r}", remedy="update arcomp")
        model = find(weights.model)
        if model.weightless:
            raise ModelError(f"weights of model {weights.model}, which has none", remedy="name the model, not a file")
        made = model(weights)
        made.answers = weights.layers
        return made


def _fits(model: Model, digest: bytes | None) -> Model:
    if digest is not None and not model.digest.startswith(digest):
        raise ModelError(
            f"model {model.name} here has digest {model.digest.hex()[:16]}, the file needs {digest.hex()[:16]}",
            remedy="update arcomp, or use the one the file was written with",
        )
    return model
