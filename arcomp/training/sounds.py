"""Sounds to train on, in chunks: the high and low bytes of what :mod:`arcomp.transforms.sounds` leaves of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from arcomp.errors import PictureError, TrainingError
from arcomp.formats import wav
from arcomp.training.data import Data, DataConfig, UInt8, below, digest_of
from arcomp.transforms import leaves
from arcomp.transforms.node import Kind
from arcomp.transforms.sounds import expected, in_bytes

Channel = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
ENDING = ".wav"
EIGHT_BITS = 0.2
"""Part of the chunks that are of a sound of 16 bits rounded to 8."""


class Sounds(Data):
    """A training set of sounds; each channel is one of its own.

    Held out are random whole files, or of a single one its end.

    Args:
        folders: WAV files, and folders all of those below which are taken.
        config: see :class:`DataConfig`. seed: of the split and of every round.
        without: files that are not taken.

    Raises:
        TrainingError: there are none, too few, or some that cannot be read.
    """

    unit = "byte"

    def __init__(self, folders: list[Path], config: DataConfig, seed: int, without: tuple[Path, ...] = ()) -> None:
        self.config, self.seed = config, seed
        paths = [path for path in below(folders, without) if path.suffix.lower() == ENDING]
        files = [_channels(path) for path in paths]
        held, total = config.held_out * config.crop, sum(sum(map(len, file)) for file in files)
        self.digest = digest_of(channel.view(np.uint8) for file in files for channel in file)
        training, apart = _parted(files, held, seed)
        self.training = [made for made in map(_in_bytes, training) if len(made) >= config.crop]
        chunks = [c[at : at + config.crop] for c in map(_in_bytes, apart) for at in range(0, len(c), config.crop)]
        self.held_out = [c for c in chunks if len(c) == config.crop][: config.held_out]
        if not self.training or len(self.held_out) < config.held_out:
            raise TrainingError(
                f"{total:,} samples in {len(files)} sounds, of which {held:,} would be held out",
                remedy="give more, or hold out less by --held-out",
            )
        long = [channel for channel in training if len(channel) >= config.crop]
        self.eight = [_in_bytes(c if c.dtype == np.uint8 else (c >> 8).astype(np.uint8)) for c in long]
        self.about = (
            f"{len(files):,} sound{'s' if len(files) > 1 else ''}, {total:,} samples; {sum(map(len, apart)):,} held out"
        )

    def round(self, number: int) -> list[UInt8]:
        """The chunks of a round: uint8 [1, L, 2] each."""
        return self._random(np.random.default_rng([self.seed, 1, number]), self.config.crops)

    def uncropped(self, count: int) -> list[UInt8]:
        """Random chunks of the training part."""
        return self._random(np.random.default_rng([self.seed, 3]), count)

    def validation(self) -> list[UInt8]:
        """Chunks of the held-out part."""
        return [np.ascontiguousarray(chunk[None]) for chunk in self.held_out]

    def _random(self, rng: np.random.Generator, count: int) -> list[UInt8]:
        made, lengths = [], np.array([float(len(c)) for c in self.training])
        for i in rng.choice(len(self.training), count, p=lengths / lengths.sum()):
            own = self.eight[i] if rng.random() < EIGHT_BITS else self.training[i]
            start = rng.integers(len(own) - self.config.crop + 1)
            made.append(np.ascontiguousarray(own[None, start : start + self.config.crop]))
        return made


def _parted(files: list[list[Channel]], held: int, seed: int) -> tuple[list[Channel], list[Channel]]:
    """What is trained on, and what is held out, at least so many samples if there are as many."""
    if len(files) == 1:
        cuts = [max(0, len(c) - -(-held // len(files[0]))) for c in files[0]]
        return [c[:at] for c, at in zip(files[0], cuts, strict=True)], [
            c[at:] for c, at in zip(files[0], cuts, strict=True)
        ]
    out, count = set[int](), 0
    for i in np.random.default_rng([seed, 0]).permutation(len(files)).tolist():
        if count < held:
            out.add(i)
            count += sum(map(len, files[i]))
    own = ([c for i, file in enumerate(files) if (i in out) == apart for c in file] for apart in (False, True))
    training, apart = own
    return training, apart


def _channels(path: Path) -> list[Channel]:
    """The channels of a file: uint8 or uint16 [L] each."""
    try:
        return [np.ascontiguousarray(row[0, :, 0]) for row in wav.parsed(path.read_bytes()).samples.pixels]
    except PictureError as error:
        raise TrainingError(f"cannot train on it: {error.cause}", path=str(path), remedy="move it away") from error
    except OSError as error:
        raise TrainingError(f"cannot be read: {error.strerror or error}", path=str(path)) from error


def _in_bytes(samples: Channel) -> UInt8:
    """What is coded of a sound: uint8 [L, 2]."""
    if not samples.size:
        return np.zeros((0, 2), np.uint8)
    stack, depth = np.ascontiguousarray(samples)[None, None, :, None], 8 * samples.dtype.itemsize
    tree = expected(stack, Kind((1, 1, len(samples), 1), depth), in_bytes)
    return np.ascontiguousarray(leaves(tree, stack, depth)[0][0, 0])
