"""Text and other bytes to train on, in chunks: sequences of samples of 8 bits.

All files are joined one after the other. A chunk starts anywhere and knows nothing of what came before it, like the
tiles that a long text is coded in.

What is held out: with :data:`FILES` files or more, whole files chosen at random, because the rest of a known text is
easier to predict than a new one. With fewer files, the end of each in proportion to its size, because a whole one would
be too much, and unlike the rest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from arcomp.errors import TrainingError
from arcomp.training.data import Data, DataConfig, UInt8, below, digest_of

FILES = 20
"""With so many files or more, whole ones are held out."""


class Chunks(Data):
    """A training set of bytes.

    Args:
        folders: files, and folders all files below which are taken.
        config: see :class:`DataConfig`.
        seed: of the split and of every round.
        without: files that are not taken.

    Raises:
        TrainingError: there are none, or too few.
    """

    unit = "character"

    def __init__(self, folders: list[Path], config: DataConfig, seed: int, without: tuple[Path, ...] = ()) -> None:
        self.config, self.seed = config, seed
        texts = [text for text in map(_read, below(folders, without)) if len(text)]
        total, held = sum(map(len, texts)), config.held_out * config.crop
        if total < held + config.crop + len(texts):
            raise TrainingError(
                f"{total:,} bytes in {', '.join(map(str, folders))}, of which {held:,} would be held out",
                remedy="give more, or hold out less by --held-out",
            )
        self.digest = digest_of(texts)
        apart = _whole_files(texts, held, seed) if len(texts) >= FILES else None
        if apart is not None:
            self.training = np.concatenate([text for text, out in zip(texts, apart, strict=True) if not out])
            self.held_out = np.concatenate([text for text, out in zip(texts, apart, strict=True) if out])
            what = f"{sum(apart)} files"
        else:
            ends = [len(text) - -(-held * len(text) // total) for text in texts]
            self.training = np.concatenate([text[:end] for text, end in zip(texts, ends, strict=True)])
            self.held_out = np.concatenate([text[end:] for text, end in zip(texts, ends, strict=True)])
            what = "the end of each" if len(texts) > 1 else "its end"
        count = f"{len(texts):,} files" if len(texts) > 1 else "a file"
        self.about = f"{count}, {total:,} bytes; {what} held out, {len(self.held_out):,} bytes"

    def round(self, number: int) -> list[UInt8]:
        """The chunks of a round: uint8 [1, L, 1] each."""
        return self._random(np.random.default_rng([self.seed, 1, number]), self.config.crops)

    def uncropped(self, count: int) -> list[UInt8]:
        """Random chunks of the training part."""
        return self._random(np.random.default_rng([self.seed, 3]), count)

    def validation(self) -> list[UInt8]:
        """Chunks of the held-out part, one after the other."""
        starts = range(0, self.config.held_out * self.config.crop, self.config.crop)
        return [_chunk(self.held_out, start, self.config.crop) for start in starts]

    def _random(self, rng: np.random.Generator, count: int) -> list[UInt8]:
        starts = rng.integers(len(self.training) - self.config.crop + 1, size=count)
        return [_chunk(self.training, start, self.config.crop) for start in starts]


def _chunk(text: UInt8, start: int, length: int) -> UInt8:
    return text[start : start + length].reshape(1, length, 1)


def _read(path: Path) -> UInt8:
    try:
        return np.fromfile(path, np.uint8)
    except OSError as error:
        raise TrainingError(f"cannot be read: {error.strerror or error}", path=str(path)) from error


def _whole_files(texts: list[UInt8], held: int, seed: int) -> list[bool] | None:
    """Whether each file is held out: random ones until they are enough; None if that takes more than half of all."""
    apart, got = [False] * len(texts), 0
    for i in np.random.default_rng([seed, 0]).permutation(len(texts)).tolist():
        if got >= held:
            break
        apart[i], got = True, got + len(texts[i])
    return apart if 2 * got <= sum(map(len, texts)) else None
