"""Finds models and their weights by name and digest, without importing or loading them.

Shipped weights lie in the package, the newest under the model's name. Weights that earlier releases shipped stay beside
them as ``NAME.DIGEST8.safetensors``, so that old files can always be decoded. A model's presets are weights of their
own, ``MODEL-PRESET.safetensors``. Two more places are searched: the folders that the environment variable
ARCOMP_MODELS lists (separated as in PATH), and the user's own, ``models`` in the folder that the system keeps for data
of arcomp (``~/.local/share/arcomp`` on Linux, ``~/Library/Application Support/arcomp`` on macOS,
``%LOCALAPPDATA%\\arcomp`` on Windows).
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from platformdirs import user_data_path

from arcomp.exact.digest import weights_digest

MODELS = "arcomp.models"
"""The package of models."""
SHIPPED = Path(str(files("arcomp.models.weights")))
ENDING = ".safetensors"
_HEADER_LIMIT = 1 << 20


def folders() -> list[Path]:
    """The folders in which weights are looked for, in this sequence."""
    extra = [Path(p) for p in os.environ.get("ARCOMP_MODELS", "").split(os.pathsep) if p]
    return [*extra, SHIPPED, user_data_path("arcomp", appauthor=False) / "models"]


def candidates(name: str, where: tuple[Path, ...], digest: bytes = b"") -> Iterator[Path]:
    """Files of weights of a name, the newest of each folder first. With a digest (or its first bytes): the files of the
    whole family (:func:`family`) that claim it."""
    known = glob.escape(name)
    for folder in where:
        newest = folder / (name + ENDING)
        others = {*folder.glob(f"{known}.*{ENDING}"), *(folder.glob(f"{known}-*{ENDING}") if digest else ())}
        for path in (*([newest] if newest.is_file() else []), *sorted(others)):
            if not digest or digest_of(path).startswith(digest.hex()):
                yield path


def family(name: str, where: tuple[Path, ...]) -> list[str]:
    """Names of weights that are called after a model: "wavenet-digits" and "wavenet-text" for "wavenet"; none for a
    path."""
    if os.path.basename(name) != name:
        return []
    return sorted(
        {path.name.split(".")[0] for folder in where for path in folder.glob(f"{glob.escape(name)}-*{ENDING}")}
    )


def digest_of(path: Path) -> str:
    """The digest (hex) a weights file claims; "" if it cannot be read. Loading checks the claim."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return ""
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            about = json.loads(file.read(min(size, _HEADER_LIMIT)))
        return str(about["__metadata__"]["digest"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def find(name: str, digest: bytes) -> Path | None:
    """The weights with a digest, whole or its first bytes."""
    return next(candidates(name, tuple(folders()), digest), None)


@lru_cache(maxsize=1)
def modules() -> dict[str, str]:
    """The module of each model, by the model's name; none is imported."""
    package, found = find_spec(MODELS), {}
    for module in iter_modules(package.submodule_search_locations if package else ()):
        inner = f"{MODELS}.{module.name}.model"
        if not module.ispkg:
            found[module.name] = f"{MODELS}.{module.name}"
        elif find_spec(inner):
            found[module.name] = inner
    return found


def built_in(name: str, digest: bytes) -> bool:
    """Whether a model has no weights, and this digest, or these first bytes of it."""
    return name in modules() and weights_digest(name, "{}", {}).startswith(digest)
