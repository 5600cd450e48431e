"""What is compared: it encodes and decodes. Codecs of others are here; models in compare.py take longer to import."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from arcomp.errors import ArcompError, ModelError
from arcomp.measure.codecs import INSTALL_PEERS, NOT_INSTALLED, Codec, identical, of_bytes, of_pictures
from arcomp.measure.inputs import least_depth
from arcomp.measure.jpegs import Jpeg, Transcoder, of_jpegs
from arcomp.measure.record import Measurement
from arcomp.measure.sheets import sheet
from arcomp.samples import Pixels, Samples, in_colours

Progress = Callable[[float], None]
"""Called with the part done, 0 to 1."""


class NotTakenError(ModelError):
    """A model or codec does not take an input; this is no failure."""


@dataclass(frozen=True)
class Coded:
    """A file.

    Attributes:
        data: all of it.
        nll_bits: the exact model's negative log-likelihood; None for codecs.
        network_bits: the same before what a model learns is mixed in; None for others.
    """

    data: bytes
    nll_bits: float | None = None
    network_bits: float | None = None


class Contestant:
    """What is compared. One that takes samples says how by the methods from :meth:`fitted` to :meth:`float_bits`, one
    that takes JPEGs by those after them; the first method of each refuses what is not taken.

    Attributes:
        name: as tables show it; no two have the same.
        digest: of the weights, hex; "" where there is no model.
        parameters: see :class:`arcomp.contract.model.Model`; None where there is no model.
        startup_seconds: loading, compiling and a few pixels to warm up, so far.
        takes_bytes: whether it is a model of text.
        learns: whether it learns from the picture, which its float evaluation does not.
    """

    name: str
    digest: str = ""
    parameters: int | None = None
    startup_seconds: float = 0.0
    takes_bytes: bool = False
    learns: bool = False

    def measure(
        self,
        name: str,
        samples: Samples,
        progress: Progress = lambda part: None,
        *,
        in_float: bool = True,
        of: str = "",
    ) -> Measurement:
        """Code an input of some name and decode it again; what goes wrong is a result too, and others go on.

        Args:
            progress: called with the part done.
            in_float: whether to evaluate the model in float as well.
            of: the set that the input belongs to.
        """
        none = Measurement(self.name, name, samples.size, samples.positions, samples.depth, set=of)

        def work() -> Measurement:
            own = self.fitted(samples)
            self.warm_up(own)
            made, decoded = _timed(none, progress, partial(self.encode, own), self.decode)
            same, nll = self.identical(own, decoded), self.float_bits(own) if in_float else None
            return replace(made, depth=own.depth, nll_bits_float=nll, round_trip=same, failed=not same)

        return _outcome(none, work)

    def measure_jpeg(
        self, name: str, jpeg: Jpeg, progress: Progress = lambda part: None, *, of: str = ""
    ) -> Measurement:  # fmt: skip
        """Code a JPEG file and restore it; as :meth:`measure`."""
        none = Measurement(self.name, name, jpeg.samples, jpeg.positions, 8, set=of)

        def work() -> Measurement:
            self.warm_up_jpeg(jpeg)
            made, decoded = _timed(none, progress, partial(self.encode_jpeg, jpeg), self.decode_jpeg)
            return replace(made, round_trip=decoded == jpeg.data, failed=decoded != jpeg.data)

        return _outcome(none, work)

    def fitted(self, samples: Samples) -> Samples:
        """The same samples, of the depth that they are coded with; what follows is of the last that were fitted.

        Raises:
            NotTakenError: they are not taken.
        """
        raise NotTakenError("takes JPEGs only")

    def warm_up(self, samples: Samples) -> None:
        """Load and compile what such samples need, before time is taken."""
        raise NotImplementedError

    def encode(self, samples: Samples, progress: Progress = lambda part: None) -> Coded:
        """Samples that are fitted, as one file."""
        raise NotImplementedError

    def decode(self, data: bytes, progress: Progress = lambda part: None) -> tuple[Pixels, ...]:
        """The pictures of a file: stacks of those of one size, or all as one."""
        raise NotImplementedError

    def identical(self, samples: Samples, decoded: tuple[Pixels, ...]) -> bool:
        """Whether the input came back."""
        raise NotImplementedError

    def float_bits(self, samples: Samples) -> float | None:
        """The model's float NLL of fitted samples; None where there is none."""
        return None

    def warm_up_jpeg(self, jpeg: Jpeg) -> None:
        """Load and compile what such a JPEG needs, before time is taken.

        Raises:
            NotTakenError: JPEGs are not taken.
        """
        raise NotTakenError("codes no JPEGs")

    def encode_jpeg(self, jpeg: Jpeg, progress: Progress = lambda part: None) -> Coded:
        """A JPEG as one file."""
        raise NotImplementedError

    def decode_jpeg(self, data: bytes, progress: Progress = lambda part: None) -> bytes:
        """The JPEG of a file."""
        raise NotImplementedError


T = TypeVar("T")


def _timed(
    none: Measurement,
    progress: Progress,
    encode: Callable[[Progress], Coded],
    decode: Callable[[bytes, Progress], T],
) -> tuple[Measurement, T]:
    """Encode and decode; the record of that, and what came back."""
    began = time.perf_counter()
    coded = encode(lambda part: progress(part / 2))
    between = time.perf_counter()
    decoded = decode(coded.data, lambda part: progress((1 + part) / 2))
    ended = time.perf_counter()
    return replace(
        none, bytes=len(coded.data), nll_bits_exact=coded.nll_bits, nll_bits_network=coded.network_bits,
        encode_seconds=between - began, decode_seconds=ended - between,
    ), decoded  # fmt: skip


def _outcome(none: Measurement, work: Callable[[], Measurement]) -> Measurement:
    """What came of it, failures too."""
    try:
        return work()
    except NotTakenError as error:
        return replace(none, skipped=error.cause)
    except (ArcompError, MemoryError) as error:
        said = error.cause if isinstance(error, ArcompError) else "not enough memory"
        return replace(none, skipped=f"failed: {said}", failed=True)


class CodecContestant(Contestant):
    """A codec of others. Many small pictures are one sheet to it: a file each would be all headers."""

    def __init__(self, made: Codec) -> None:
        self.name, self.codec = made.name, made
        self._last: tuple[Samples, Pixels] | None = None

    def fitted(self, samples: Samples) -> Samples:
        missing = self.codec.available()
        if missing == NOT_INSTALLED:
            missing = f"{NOT_INSTALLED}: {INSTALL_PEERS}"
        if self.codec.of_bytes != (samples.form.kind == "bytes"):
            missing = "takes bytes only" if self.codec.of_bytes else "takes pictures only"
        if len(samples.stacks) > 1:
            missing = missing or "pictures of several sizes"
        if samples.colour == "unknown":
            missing = missing or f"{samples.channels} channels of no known meaning"
        own = replace(samples, depth=least_depth(samples))
        missing = missing or self.codec.takes(self._sheet(own))
        if missing:
            raise NotTakenError(missing)
        return own

    def warm_up(self, samples: Samples) -> None:
        if not self.startup_seconds:
            began = time.perf_counter()
            with _said():
                self.codec.decode(self.codec.encode(np.ascontiguousarray(self._sheet(samples)[:8, :8])))
            self.startup_seconds = time.perf_counter() - began

    def encode(self, samples: Samples, progress: Progress = lambda part: None) -> Coded:
        with _said():
            data = self.codec.encode(self._sheet(samples))
        progress(1.0)
        return Coded(data)

    def decode(self, data: bytes, progress: Progress = lambda part: None) -> tuple[Pixels, ...]:
        with _said():
            return (self.codec.decode(data),)

    def identical(self, samples: Samples, decoded: tuple[Pixels, ...]) -> bool:
        return identical(self._sheet(samples), decoded[0])

    def _sheet(self, samples: Samples) -> Pixels:
        """What codecs of single pictures are given: uint8 or uint16 [H, W, C], bits as black and white, and the colours
        of a palette in place of indices. The last one is kept."""
        if self._last is None or self._last[0] is not samples:
            self._last = samples, sheet(seen(samples))
        return self._last[1]


class JpegContestant(Contestant):
    """A codec of others for JPEGs."""

    def __init__(self, made: Transcoder) -> None:
        self.name, self.codec = made.name, made

    def warm_up_jpeg(self, jpeg: Jpeg) -> None:
        missing = self.codec.available()
        if missing:
            raise NotTakenError(f"{missing}: {INSTALL_PEERS}" if missing == NOT_INSTALLED else missing)

    def encode_jpeg(self, jpeg: Jpeg, progress: Progress = lambda part: None) -> Coded:
        try:
            with _said():
                return Coded(self.codec.encode(jpeg.data))
        except ArcompError as error:  # many JPEGs are odd, and few codecs take all of them
            raise NotTakenError(f"refused: {error.cause}") from error

    def decode_jpeg(self, data: bytes, progress: Progress = lambda part: None) -> bytes:
        with _said():
            return self.codec.decode(data)


def seen(samples: Samples) -> Pixels:
    """Pictures of one size as they are seen, [N, H, W, C]: bits are black and white, indices are their colours."""
    own = in_colours(samples)
    return own.pixels * np.uint8(255) if own.depth == 1 else own.pixels


@contextmanager
def _said() -> Iterator[None]:
    """What another's codec raises, as an error of ours."""
    try:
        yield
    except (ArcompError, MemoryError):
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise ArcompError(f"{type(error).__name__}: {first}") from error


def classical(threads: int | None = None) -> list[Contestant]:
    """Codecs of pictures."""
    return [CodecContestant(made) for made in of_pictures(threads)]


def classical_of_jpegs() -> list[Contestant]:
    """Codecs of JPEG files."""
    return [JpegContestant(made) for made in of_jpegs()]


def classical_of_bytes() -> list[Contestant]:
    """Codecs of bytes."""
    return [CodecContestant(made) for made in of_bytes()]
