"""Which codecs are compared, and the options by which they are chosen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

from arcomp.errors import ArcompError
from arcomp.measure.codecs import Codec, JpegXl, Png, WebP, of_deep_pictures
from arcomp.measure.contestants import CodecContestant, Contestant, JpegContestant
from arcomp.measure.external import HELP, External, ExternalOfJpegs, described
from arcomp.measure.jpegs import Transcoder, of_jpegs
from benchmarks.jbig2 import Jbig2

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
        externals: see :class:`arcomp.measure.external.External`.
        threads: for those that can use more than one; -1 for one a core.
        pictures, jpegs: whether there are any; codecs of others that take none of them are left out.
        deep: with those of pictures of more than 8 bits. two_colours: with that of black and white.
    """

    models: tuple[str, ...] | None = None
    efforts: tuple[int, ...] = (EFFORT,)
    externals: tuple[str, ...] = ()
    threads: int = -1
    pictures: bool = True
    jpegs: bool = False
    deep: bool = False
    two_colours: bool = False

    def peers(self) -> list[Codec | Transcoder]:
        """The codecs of others, external ones last."""
        found: list[Codec | Transcoder] = []
        if self.pictures:
            found += [Png(), WebP(), *(JpegXl(effort, self.threads) for effort in self.efforts)]
        found += of_deep_pictures() if self.deep else []
        found += [Jbig2()] if self.two_colours else []
        if self.jpegs:
            found += of_jpegs()
        for made in map(described, self.externals):
            found += [made] if (self.jpegs if isinstance(made, ExternalOfJpegs) else self.pictures) else []
        return found

    def names(self) -> list[str]:
        """Of peers, then of models."""
        return [*(peer.name for peer in self.peers()), *(all_models() if self.models is None else self.models)]

    def named(self, name: str) -> Contestant:
        """The one of a name; a peer without importing what models need, which would count as its memory."""
        peer = next((peer for peer in self.peers() if peer.name == name), None)
        if peer is not None:
            return JpegContestant(peer) if isinstance(peer, Transcoder) else CodecContestant(peer)
        from arcomp.measure.compare import ModelContestant

        return ModelContestant(name, threads=None if self.threads < 0 else self.threads)

    def contestants(self) -> list[Contestant]:
        """All of them."""
        return [self.named(name) for name in self.names()]


def all_models() -> list[str]:
    """Names of the models that are installed."""
    from arcomp.contract import registry

    return list(registry.names())


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def model_names(listed: str) -> tuple[str, ...]:
    """Names separated by commas, for a command line.

    Raises:
        argparse.ArgumentTypeError: one of them is no model here.
    """
    from arcomp.contract import registry

    names = tuple(filter(None, listed.split(",")))
    try:
        for name in names:
            registry.load(name)
    except ArcompError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return names


def external(spec: str) -> External | ExternalOfJpegs:
    """An external codec, for a command line.

    Raises:
        argparse.ArgumentTypeError: it is not described as it must be.
    """
    try:
        return described(spec)
    except ArcompError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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
    parser.add_argument("--deep", action="store_true", help="with JPEG-LS and JPEG 2000, of more than 8 bits")
    parser.add_argument("--two-colours", action="store_true", help="with JBIG2, of black and white")
    group.add_argument("--no-jxl", action="store_const", const=(), dest="jxl", help="leave out JPEG XL")
    parser.add_argument("--external", type=external, action="append", default=[], metavar="NAME=COMMANDS", help=HELP)


def chosen(parser: argparse.ArgumentParser, options: argparse.Namespace, threads: int) -> Choice:
    """What the options say."""
    externals = tuple(e.spec for e in options.external)
    choice = Choice(options.models, options.jxl, externals, threads, deep=options.deep, two_colours=options.two_colours)
    names = choice.names()
    for name in names:
        if names.count(name) > 1:
            parser.error(f"there are two codecs named {name}")
    return choice
