"""Frozen weights in a file: safetensors with integer arrays, the model's configuration and digests of its layers.

Nothing in it is executed; types, shapes and bounds are checked where the arrays are used.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from arcomp.container.atomic import write_atomically
from arcomp.container.embedded import MAX_WEIGHTS_BYTES
from arcomp.container.tensors import in_order
from arcomp.errors import ModelError
from arcomp.exact.digest import weights_digest

HEADER_LIMIT = 1 << 20
"""Bytes of a header; those of the largest networks have 2**16."""
REMEDY = "install the model's weights again"
KINDS = {"int8", "int16", "int32"}
T = TypeVar("T")


def canonical(config: Mapping[str, Any]) -> str:
    """A configuration as JSON that is the same text everywhere."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True)
class Weights:
    """A model's frozen weights.

    Attributes:
        model: its name in the registry.
        config: its configuration, plain types.
        arrays: integers by name.
        layers: digest (hex) of each layer's output on the fixed input of ``arcomp doctor``.
        path: of the file they were read from.
    """

    model: str
    config: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[Any]]
    layers: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)

    @cached_property
    def digest(self) -> bytes:
        """32 bytes; see :func:`arcomp.exact.digest.weights_digest`."""
        return weights_digest(self.model, canonical(self.config), self.arrays)

    @property
    def count(self) -> int:
        """Number of weights and biases, without the numbers that re-scale sums."""
        return sum(int(a.size) for name, a in self.arrays.items() if name.rpartition(".")[2] in ("weight", "bias"))

    @contextmanager
    def with_path(self) -> Iterator[None]:
        """Context in which a model is made of the weights: a ModelError raised in it names their file.

        Raises:
            ModelError: the one raised, with the path.
        """
        try:
            yield
        except ModelError as error:
            if self.path is not None:
                error.at(str(self.path))
            raise

    def save(self, path: Path, *, overwrite: bool = True) -> None:
        """Write the file; the old one stays until the new one is whole.

        Raises:
            OutputError: it cannot be written.
        """
        write_atomically(path, self.to_bytes(), overwrite=overwrite)

    def to_bytes(self) -> bytes:
        """The file, the same for the same weights."""
        from safetensors.numpy import save

        about = {
            "arcomp": "1",
            "model": self.model,
            "config": canonical(self.config),
            "digest": self.digest.hex(),
            "layers": json.dumps(self.layers),
        }
        arrays = {k: np.ascontiguousarray(v) for k, v in self.arrays.items()}
        return in_order(save(arrays, about))

    @classmethod
    def load(cls, path: Path) -> Weights:
        """Read a file and check its digest.

        Raises:
            ModelError: missing, damaged, or not arcomp's weights.
        """
        try:
            _check_size(path)
            data = path.read_bytes()
        except FileNotFoundError:
            raise ModelError("no such weights", path=str(path), remedy="name a model, or a file that exists") from None
        except OSError as error:
            raise ModelError(
                f"weights cannot be read: {error.strerror or error}", path=str(path), remedy=REMEDY
            ) from error
        return cls.from_bytes(data, path)

    @classmethod
    def from_bytes(cls, data: bytes, path: Path | None = None) -> Weights:
        """Parse what a file holds, and check its digest.

        Args:
            path: of the file, if it was one.

        Raises:
            ModelError: damaged, or not arcomp's weights.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        where = None if path is None else str(path)
        try:
            size = int.from_bytes(data[:8], "little")
            about = json.loads(data[8 : 8 + min(size, HEADER_LIMIT)]).get("__metadata__", {})
            arrays = {name: array.copy() for name, array in load(data).items()}  # views of the data cannot be written
            if about.get("arcomp") != "1" or any(a.dtype.name not in KINDS for a in arrays.values()):
                raise ModelError("not weights of arcomp, or of a newer one", path=where, remedy=REMEDY)
            weights = cls(about["model"], json.loads(about["config"]), arrays, json.loads(about["layers"]), path)
            right = weights.digest.hex() == about.get("digest")
        except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError("weights are damaged", path=where, remedy=REMEDY) from error
        if not right:
            raise ModelError("weights are damaged: their digest is wrong", path=where, remedy=REMEDY)
        return weights


def _check_size(path: Path) -> None:
    """Refuse what is not worth reading, or would never end.

    Raises:
        ModelError: no regular file, or larger than weights are, or of a larger header.
        OSError: it cannot be read.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ModelError("weights that are no regular file", path=str(path), remedy="name a file")
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if about.st_size > MAX_WEIGHTS_BYTES or (header > HEADER_LIMIT and header < about.st_size):
        raise ModelError("weights of this size are not arcomp's", path=str(path), remedy=REMEDY)


def network_name(channels: int, depth: int) -> str:
    """The name, within a file of weights, of the network for a kind of pictures: "3" for three channels of 8 bits,
    "1x1" for one channel of 1 bit."""
    return str(channels) if depth == 8 else f"{channels}x{depth}"


def channels_and_depth(name: str) -> tuple[int, int]:
    """(channels, depth) of a network's name: the inverse of :func:`network_name`."""
    channels, _, depth = name.partition("x")
    return int(channels), int(depth or 8)


def networks(weights: Weights, check: Callable[[Any], T]) -> dict[str, T]:
    """The configurations of a model's networks, one for each kind of pictures, by name.

    Args:
        check: makes a configuration from plain types, or raises ModelError. It has an attribute ``channels``, and
            perhaps ``depth``.

    Raises:
        ModelError: there is no network, or a network's name does not fit its configuration.
    """
    found = weights.config.get("networks") if isinstance(weights.config, dict) else None
    if not isinstance(found, dict) or not found:
        raise ModelError(f"the weights' configuration is not one of model {weights.model}")
    made = {}
    for name, config in found.items():
        own: Any = check(config)
        if name != network_name(own.channels, getattr(own, "depth", 8)):
            raise ModelError(f"the weights' configuration is not one of model {weights.model}")
        made[name] = own
    return made


def by_channels(weights: Weights, check: Callable[[Any], T]) -> dict[int, T]:
    """As :func:`networks`, by number of channels, for models that take 8 bits only."""
    return {channels_and_depth(name)[0]: config for name, config in networks(weights, check).items()}
