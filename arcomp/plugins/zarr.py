"""A codec of zarr 3; its entry point makes it known where arcomp is installed.

It makes bytes of arrays, so it goes where zarr has its serializer, and there is nothing left to compress after it:
``zarr.create_array(..., serializer=Arcomp(preset="fast"), compressors=None)``.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import Self
from zarr.abc.codec import ArrayBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer, NDBuffer

from arcomp.contract.registry import with_preset
from arcomp.errors import ArcompError, FormatError
from arcomp.plugins import chunks

NAME = "arcomp.image"
"""What the codec is called in an array's metadata."""


@dataclass(frozen=True)
class Arcomp(ArrayBytesCodec):
    """Lossless compression of chunks of 2 to 5 axes, of bool and integers of 8 and 16 bits.

    Decoding needs the bytes only. Each chunk is an `.arcomp` file.

    Attributes:
        model: the name of a model; None: photo.
        preset: of photo: "turbo", "fast", "balanced" or "max"; None: balanced.

    Raises:
        ArcompError: a preset of another model.
    """

    is_fixed_size = False

    model: str | None = None
    preset: str | None = None

    def __post_init__(self) -> None:
        with_preset(self.model, self.preset)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec of an array's metadata.

        Raises:
            ArcompError: it is of another name, or says what is not known here.
        """
        said = data.get("configuration") or {}
        if data.get("name") != NAME or not isinstance(said, dict) or set(said) - {"model", "preset"}:
            raise ArcompError(f"no configuration of {NAME}: {str(data)[:80]}", remedy="update arcomp")
        return cls(**said)

    def to_dict(self) -> dict[str, Any]:
        """The codec as an array's metadata hold it."""
        said = {key: value for key, value in (("model", self.model), ("preset", self.preset)) if value is not None}
        return {"name": NAME, "configuration": said}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse arrays that cannot be compressed, when they are made.

        Raises:
            ArcompError: see :func:`arcomp.plugins.chunks.check`.
        """
        chunks.check(dtype.to_native_dtype(), tuple(getattr(chunk_grid, "chunk_shape", shape)))

    def evolve_from_array_spec(self, array_spec: ArraySpec) -> Self:
        """The same: each chunk says of what type and shape it is.

        Raises:
            ArcompError: see :func:`arcomp.plugins.chunks.check`.
        """
        chunks.check(array_spec.dtype.to_native_dtype(), array_spec.shape)
        return self

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Not known before a chunk is compressed.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("how large a chunk becomes depends on what is in it")

    def _encode_sync(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        array = chunk_data.as_numpy_array()
        native = array.astype(array.dtype.newbyteorder("<"), copy=False)
        data = chunks.encode(native, with_preset(self.model, self.preset))
        return chunk_spec.prototype.buffer.from_bytes(data)

    def _decode_sync(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        dtype, shape = chunk_spec.dtype.to_native_dtype(), chunk_spec.shape
        found = chunks.decode(chunk_data.to_bytes(), math.prod(shape))
        if found.size != math.prod(shape) or found.dtype.newbyteorder("=") != dtype.newbyteorder("="):
            kind = f"{found.dtype} with {found.size} samples"
            raise FormatError(f"a chunk of {kind} where {dtype} {list(shape)} is expected", remedy="get a fresh copy")
        array = np.ascontiguousarray(found).reshape(shape).astype(dtype, copy=False)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(array)

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        return await asyncio.to_thread(self._encode_sync, chunk_data, chunk_spec)

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await asyncio.to_thread(self._decode_sync, chunk_data, chunk_spec)
