"""What a training set is, whatever it is made of: crops, round after round, and a part that is held out."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from arcomp.errors import TrainingError
from arcomp.formats import files_below

UInt8 = npt.NDArray[np.uint8]
OWN = {".arcomp", ".safetensors", ".checkpoint"}
"""Endings of what arcomp writes, which is no data."""


@dataclass(frozen=True)
class DataConfig:
    """How training examples are cut.

    Attributes:
        crop: side of a square crop, in pixels; smaller pictures are taken whole, or left out where all crops must be of
            one size and larger pictures are there. Of bytes and sounds: length of a chunk.
        crops: number of crops in a round, shuffled together.
        held_out: number of pictures (of bytes and sounds: of chunks) kept for validation, besides others of the
            same photographs.
        resampled: part of the crops whose chroma is subsampled or whose colour mosaic is interpolated, as
            cameras and earlier codecs do.
        scaled: part of the crops that are of a picture made smaller, by a factor of up to three: the same photographs
            with finer detail.
        photograph: a regular expression; files whose names begin with the same match are of one photograph, and held
            out together. "": each is its own.
        turned: whether crops are transposed and mirrored at random; not transposed where all must be of one size, that
            is not square.
        deep: whether pictures of more than 8 bits are taken, for networks that do not mind how large a level is: crops
            are what 256 levels show of them.
        kind: pictures (files of them, or arrays); or text and any other bytes, or sounds, of which nothing is
            resampled, scaled or turned.
    """

    crop: Annotated[int, Meta(ge=8, le=2**14)] = 256
    crops: Annotated[int, Meta(ge=1, le=2**14)] = 40
    held_out: Annotated[int, Meta(ge=1, le=2**20)] = 12
    resampled: Annotated[float, Meta(ge=0, le=1)] = 0.3
    scaled: Annotated[float, Meta(ge=0, le=1)] = 0.0
    photograph: str = ""
    turned: bool = True
    deep: bool = False
    kind: Literal["pictures", "bytes", "sounds"] = "pictures"


class Data(ABC):
    """A training set held in memory, and its held-out part.

    Attributes:
        about: what is there and what is held out, in a few words.
        digest: of all of it, hex: data of the same digest are cut and held out in the same way.
        unit: name of a sample in messages, as in "bits per dimension".
    """

    about: str
    digest: str
    unit: str = "dimension"

    @abstractmethod
    def round(self, number: int) -> list[UInt8]:
        """The crops of a round: uint8 [h, w, channels] each; the same ones whenever it is asked for."""

    @abstractmethod
    def uncropped(self, count: int) -> list[UInt8]:
        """So many training pictures (or all there are), not cropped, degraded as in training."""

    @abstractmethod
    def validation(self) -> list[UInt8]:
        """Crops of the held-out part."""


def digest_of(parts: Iterable[UInt8]) -> str:
    """Of arrays in turn, their shapes and their samples; hex."""
    found = hashlib.sha256()
    for part in parts:
        found.update(repr(part.shape).encode())
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()


def below(folders: list[Path], without: tuple[Path, ...] = ()) -> list[Path]:
    """All files below the folders (or the files themselves), sorted; hidden ones are left out.

    Args:
        without: files of the run itself, left out as well; in folders, so is whatever arcomp wrote (:data:`OWN`).

    Raises:
        TrainingError: a path does not exist.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.exists():
            raise TrainingError("no such file or folder", path=str(folder), remedy="name a folder of data")
        inside = files_below(folder, pictures=False) if folder.is_dir() else []
        found += [p for p in inside if p.suffix.lower() not in OWN] if folder.is_dir() else [folder]
    own = {path.resolve() for path in without}
    return sorted(path for path in found if path.resolve() not in own)
