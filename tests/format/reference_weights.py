"""docs/format.md's Weights and linear layers: from a file of weights to rows of numbers."""

from __future__ import annotations

import hashlib
import json
import struct
from copy import copy
from operator import mul
from typing import Any

from tests.format.reference_numbers import Refused, clamp, require

Array = tuple[str, list[int], bytes]  # type, shape, bytes


TYPES = {"I8": "int8", "I16": "int16", "I32": "int32"}


CODES = {"int8": "<b", "int16": "<h", "int32": "<i"}


def digest_of(model: str, config: Any, arrays: dict[str, Array]) -> bytes:
    """The SHA-256 of all that decides what a model computes."""
    items = [model.encode(), json.dumps(config, sort_keys=True, separators=(",", ":")).encode()]
    for name, (kind, shape, data) in sorted(arrays.items()):
        items += [name.encode(), kind.encode(), ",".join(map(str, shape)).encode(), data]
    return hashlib.sha256(b"".join(len(item).to_bytes(8, "little") + item for item in items)).digest()


def read_weights(data: bytes, model: str, digest: bytes) -> tuple[Any, dict[str, Array]]:
    """Configuration and arrays of a file of weights (rule 9)."""
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        entries = json.loads(data[8:start])
        metadata = entries.pop("__metadata__")
        config = json.loads(metadata["config"])
        arrays = {
            name: (TYPES[e["dtype"]], e["shape"], data[start:][slice(*e["data_offsets"])])
            for name, e in entries.items()
        }
        require((metadata["arcomp"], metadata["model"]) == ("1", model), "these are other weights")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Refused(f"not a file of weights for {model}") from error
    require(digest_of(model, config, arrays)[:8] == digest, "the file needs other weights")
    return config, arrays


Row = tuple[list[int], int, int, int]  # weights of an output, bias, multiplier, shift


def values_of(arrays: dict[str, Array], name: str) -> list[int]:
    """An array's values."""
    kind, _, data = arrays[name]
    return [v for (v,) in struct.iter_unpack(CODES[kind], data)]


def rows_of(arrays: dict[str, Array], name: str) -> list[Row]:
    """A linear layer's rows."""
    _, (m, k), _ = arrays[f"{name}.weight"]
    weight, *others = (values_of(arrays, f"{name}.{part}") for part in ("weight", "bias", "multiplier", "shift"))
    rows = [weight[j * k : (j + 1) * k] for j in range(m)]
    return list(zip(rows, *others, strict=True))


class Linear:
    """A linear layer."""

    def __init__(self, arrays: dict[str, Array], name: str, limits: tuple[int, int, int]) -> None:
        self.rows, self.limits = rows_of(arrays, name), limits

    def copy(self) -> Linear:
        """One whose rows can be replaced."""
        made = copy(self)
        made.rows = list(self.rows)
        return made

    def __call__(self, x: list[int]) -> list[int]:
        """y."""
        zero, low, high = self.limits
        y = []
        for row, bias, multiplier, shift in self.rows:
            total = (sum(map(mul, row, x)) + bias) * multiplier
            y.append(clamp(((total + (1 << (shift - 1))) >> shift) + zero, low, high))
        return y


RECTIFIED, LOGIT = (-128, -128, 127), (0, -32768, 32767)  # zero, low, high
