"""Which codecs are compared, and the options by which they are chosen."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from arcomp.measure.codecs import Codec, JpegXl, Png, WebP
from benchmarks import external
from benchmarks.codecs import Model
from benchmarks.external import External

EFFORT = 9
"""Effort of JPEG XL that sizes are relative to."""
MODELS_HELP = "arcomp's models, separated by commas (default: all that are installed, with all presets)"
JXL = JpegXl(EFFORT).name


@dataclass(frozen=True)
class Choice:
    """Codecs by what they are made from; goes to other processes.

    Attributes:
        models: names; None for all that are installed.
        efforts: of JPEG XL; none to leave it out.
        externals: see :class:`benchmarks.external.External`.
        threads: for those that can use more than one; -1 for one a core.
    """

    models: tuple[str, ...] | None = None
    efforts: tuple[int, ...] = (EFFORT,)
    externals: tuple[str, ...] = ()
    threads: int = -1

    def peers(self) -> list[Codec]:
        """The codecs of others, external ones last."""
        first: list[Codec] = [Png(), WebP()]
        first += (JpegXl(effort, self.threads) for effort in self.efforts)
        return first + [External(spec) for spec in self.externals]

    def codecs(self) -> list[Codec]:
        """Peers, then models."""
        names = all_models() if self.models is None else self.models
        return [*self.peers(), *(Model(name, self.threads) for name in names)]

    def named(self, name: str) -> Codec:
        """The one of a name; for a peer without importing what models need."""
        return next((peer for peer in self.peers() if peer.name == name), None) or Model(name, self.threads)


def all_models() -> list[str]:
    """Names of the models that are installed."""
    from arcomp.contract import registry

    return list(registry.names())


def warm_up(codec: Codec) -> None:
    """Have it load and compile what it needs; if it fails, it will do so again where that is reported."""
    for channels in (1, 3):
        small = np.arange(64 * channels, dtype=np.uint8).reshape(8, 8, channels)
        with suppress(Exception):
            if not (codec.available() or codec.takes(small)):
                codec.decode(codec.encode(small))


def model_names(listed: str) -> tuple[str, ...]:
    """Names separated by commas, for a command line.

    Raises:
        argparse.ArgumentTypeError: one of them is no model here.
    """
    names = tuple(filter(None, listed.split(",")))
    for name in names:
        why = Model(name).available()
        if why:
            raise argparse.ArgumentTypeError(why)
    return names


def efforts(listed: str) -> tuple[int, ...]:
    """Efforts of JPEG XL separated by commas, for a command line.

    Raises:
        argparse.ArgumentTypeError: one of them is not.
    """
    try:
        found = tuple(dict.fromkeys(int(part) for part in listed.split(",")))
    except ValueError:
        found = (0,)
    if not all(1 <= effort <= 10 for effort in found):
        raise argparse.ArgumentTypeError(f"{listed!r} is not efforts from 1 to 10, separated by commas")
    return found


def add_options(parser: argparse.ArgumentParser, usual: Sequence[int]) -> None:
    """Options that :func:`chosen` reads; ``usual`` are the efforts of JPEG XL without any."""
    said = ",".join(map(str, usual))
    parser.add_argument("--models", type=model_names, help=MODELS_HELP)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--jxl", type=efforts, default=tuple(usual), metavar="EFFORTS",
        help=f"efforts of JPEG XL, such as 7,9,10 (default {said}; 10 takes long)",
    )  # fmt: skip
    group.add_argument("--no-jxl", action="store_const", const=(), dest="jxl", help="leave out JPEG XL")
    parser.add_argument(
        "--external", type=External, action="append", default=[], metavar="NAME=COMMANDS", help=external.HELP
    )


def chosen(parser: argparse.ArgumentParser, options: argparse.Namespace, threads: int) -> Choice:
    """What the options say."""
    choice = Choice(options.models, options.jxl, tuple(e.spec for e in options.external), threads)
    names = [codec.name for codec in choice.codecs()]
    for name in names:
        if names.count(name) > 1:
            parser.error(f"there are two codecs named {name}")
    return choice
