"""A whole file, compressed so that the very same file comes back.

bytes -> a form and samples -> a member, and back. The file is rebuilt from what is about to be written and compared.
Where its form does not give it back, or costs more than it saves, the file is kept as bytes.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass, replace

from arcomp.claims import check_member
from arcomp.codec import Encoded, Models, decode_member, encode, leaves_of, transforms
from arcomp.container import Member, Original, PackedSkeleton, pack, pack_skeleton, unpack
from arcomp.contract.fitting import narrowed, takes_samples
from arcomp.contract.model import USUAL, Execution, Model, Progress
from arcomp.errors import ArcompError, FormatError, VerificationError
from arcomp.form import Literal, Skeleton
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import joined, pieces, predicted
from arcomp.limits import Limits, free_memory
from arcomp.samples import Samples, of_bytes
from arcomp.transforms import Leaf, Node

WORTH_CODING = 0.9
"""A form is given up if beside its samples it takes more than this part of the file."""
_NO_SAMPLES = of_bytes(b"\0")
_PLACE = 1 << 15
"""Bytes of each place that is looked at to guess how small a file becomes as bytes."""
_BETTER = 0.4
"""What LZMA makes, at best, of what deflate at its fastest makes."""


@dataclass(frozen=True)
class Compressed:
    """A compressed file, and figures about it.

    Attributes:
        data: the compressed file.
        member: what it says.
        coded: figures of the samples' coding; None: it is kept as bytes.
        seconds: without start-up and verification.
        verify_seconds: decoding again and comparing.
    """

    data: bytes
    member: Member
    coded: Encoded | None
    seconds: float
    verify_seconds: float = 0.0

    @property
    def form_bytes(self) -> int:
        """What the file takes beside the coded samples: header, skeleton, checksums."""
        return len(self.data) - sum(len(s) for part in self.member.parts for s in (part.side, *part.streams))


@dataclass(frozen=True)
class Settings:
    """How files are compressed.

    Attributes:
        tile, device, threads: see :func:`arcomp.codec.encode`.
        verify: whether the result is decoded again.
        as_bytes: whether to look for no picture in files.
    """

    tile: tuple[int, int] | None = None
    device: str = "cpu"
    threads: int | None = None
    verify: bool = True
    as_bytes: bool = False


@dataclass(frozen=True)
class About:
    """What is kept of a file besides its bytes; see :class:`arcomp.container.Original`."""

    name: str = ""
    modified: int | None = None
    mode: int | None = None


@dataclass
class Examined:
    """What was found in a file, before a sample is coded. It can be compressed once.

    Attributes:
        data: the file. original: what is kept about it.
        samples: of its pictures; None: it is kept as bytes.
        skeleton: how it is made of them; None: they are the file, one byte each.
        packed: the skeleton and the palette, as the compressed file will hold them; None: there is no skeleton.
        trees: the transform of each stack.
        seconds: what finding out took.
    """

    data: bytes
    original: Original
    samples: Samples | None
    skeleton: Skeleton | None
    packed: PackedSkeleton | None
    trees: tuple[Node, ...]
    seconds: float

    def coded_by(self, model: Model) -> list[tuple[Model, Leaf]]:
        """Which model will code which leaf; `model` is the one that was asked for."""
        leaves = leaves_of(self.samples, self.trees) if self.samples else []
        return [(Models(model)[leaf.model], leaf) for leaf in leaves]


def examine(data: bytes, model: Model, about: About = About(), settings: Settings = Settings()) -> Examined:
    """Find pictures in a file, and how it is made of them.

    Args:
        data: its bytes.
        model: is to code the samples. A model of bytes takes any file that is no picture, too.
        about: what else is kept of it.
        settings: how.

    Raises:
        ModelError: the model does not take its pictures.
    """
    began = time.perf_counter()
    original = Original(len(data), hashlib.sha256(data).digest(), about.name, about.modified, about.mode)
    samples, skeleton, packed = _found(data, model, settings)
    samples = narrowed(samples, model) if samples else None
    trees = transforms(samples, model) if samples else ()
    return Examined(data, original, samples, skeleton, packed, trees, time.perf_counter() - began)


def compress(
    found: Examined,
    model: Model,
    settings: Settings = Settings(),
    *,
    progress: Progress = lambda part: None,
    verifying: Progress = lambda part: None,
) -> Compressed:
    """Compress a file.

    Args:
        found: in it.
        model: codes the samples.
        settings: as :func:`examine` had them.
        progress, verifying: callbacks that are given the part done, 0 to 1, of coding and of verifying.

    Raises:
        VerificationError: decoding does not give back what was coded: this machine computes wrongly.
        LimitError: more memory is needed than is free.
    """
    began = time.perf_counter() - found.seconds
    made = _coded(found, model, settings, progress, began)
    if made is None or len(made.data) > min(len(found.data), _guessed_as_bytes(found.data)):
        plain = _as_bytes(found, began)
        made = plain if made is None or len(plain.data) <= len(made.data) else made
    samples, found.samples = found.samples, None
    if settings.verify:
        samples = None  # let go, before as many are decoded again
    started = time.perf_counter()
    how = Execution(threads=settings.threads, progress=verifying, limits=Limits(memory=free_memory()))
    if made.coded and not _comes_back(made, found.data, samples, model, how, settings.verify):
        made = _as_bytes(found, began)
    if settings.verify and not made.coded and not _comes_back(made, found.data, None, model, how, True):
        raise VerificationError(
            "decoding did not give back the original; nothing was written", remedy="run `arcomp doctor`"
        )
    return replace(made, verify_seconds=time.perf_counter() - started)


def _coded(found: Examined, model: Model, settings: Settings, progress: Progress, began: float) -> Compressed | None:
    """A file whose samples are coded by models; None if there are none, or more pictures or tiles than a file holds.

    Raises:
        LimitError: more memory is needed than is free.
    """
    if found.samples is None:
        return None
    try:
        coded = encode(
            found.samples, model, trees=found.trees, tile=settings.tile, device=settings.device,
            threads=settings.threads, progress=progress,
        )  # fmt: skip
        member = replace(coded.member, original=found.original, skeleton=found.skeleton)
        return Compressed(pack(member, found.packed), member, coded, time.perf_counter() - began)
    except VerificationError:
        raise
    except FormatError:
        return None


def _comes_back(
    made: Compressed, data: bytes, samples: Samples | None, model: Model, how: Execution, verify: bool
) -> bool:
    """Whether a file can be made of what it was compressed to.

    Args:
        samples: of the file, if they are not decoded again.
        verify: whether all is read from the compressed bytes; else only the form is tried.

    Raises:
        VerificationError: the samples decoded are not those that were encoded.
    """
    member = made.member
    if verify:
        try:
            member = replace(unpack(made.data), stored=None)  # of a few bytes, but not from others
        except FormatError:
            return False
        samples = None if member.geometry is None else decode_member(member, model, how)
    try:
        return _rebuilt(member.skeleton, samples, len(data), how.limits.available) == data
    except FormatError:
        return False


def _found(
    data: bytes, model: Model, settings: Settings
) -> tuple[Samples | None, Skeleton | None, PackedSkeleton | None]:
    """The samples in a file and how it is made of them, packed too; no samples if it is better kept as bytes."""
    parsed = None if settings.as_bytes or not data else parse(data)
    if model.takes_bytes and data and (parsed is None or not takes_samples(model, parsed.samples)):
        return of_bytes(data), None, None
    if parsed is None:
        return None, None, None
    skeleton = predicted(parsed.skeleton, parsed.samples)
    try:
        packed = pack_skeleton(skeleton, parsed.samples.palette)
    except FormatError:  # of more parts than a file may have
        return None, None, None
    if packed and len(packed[1]) > WORTH_CODING * len(data) + 256:
        return None, None, None
    return parsed.samples, skeleton, packed


def _as_bytes(found: Examined, began: float) -> Compressed:
    """A file that is kept as bytes."""
    member = Member(None, original=found.original, skeleton=(Literal(found.data),) if found.data else ())
    return Compressed(pack(member), member, None, time.perf_counter() - began)


def _guessed_as_bytes(data: bytes) -> float:
    """How small a file could become as bytes, guessed from a few places; 0 if it is small enough to try."""
    if len(data) <= 16 * _PLACE:
        return 0
    step = (len(data) - _PLACE) // 15
    looked = [data[at : at + _PLACE] for at in range(0, len(data) - _PLACE + 1, step)]
    return _BETTER * len(data) * sum(len(zlib.compress(part, 1)) for part in looked) / sum(map(len, looked))


def _rebuilt(skeleton: Skeleton | None, samples: Samples | None, length: int, memory: float) -> bytes:
    """The file that a form makes of samples.

    Args:
        skeleton: None: the samples are the file, a byte each.
        samples: None: the form holds all of it.
        length: of the file.
        memory: bytes that may be taken.

    Raises:
        FormatError: the form does not fit the samples, or makes a longer file.
        LimitError: it takes more memory.
    """
    if skeleton is None:
        if samples is None or samples.depth != 8:
            raise FormatError("the form of its file is missing", remedy="get a fresh copy")
        return samples.pixels.tobytes()
    try:
        return joined(pieces(skeleton, samples if samples is not None else _NO_SAMPLES, length, memory))
    except (ValueError, IndexError, OverflowError) as error:
        raise FormatError("the form of its file does not fit its samples", remedy="get a fresh copy") from error


def restored(member: Member, model: Model | None = None, how: Execution = USUAL) -> bytes:
    """The file that a member was made of, bit for bit.

    Args:
        member: the compressed file.
        model, how: see :func:`arcomp.codec.decode`.

    Raises:
        VerificationError: what was decoded is not what was encoded.
        ModelError: a model is not here.
        LimitError: it has more pixels, or needs more memory, than is allowed.
        ArcompError: it was made of samples that came from no file.
    """
    original = member.original
    if original is None:
        raise ArcompError("holds samples that came from no file", remedy="arcomp.decompress gives the samples")
    check_member(member, how.limits)
    samples = None if member.geometry is None else decode_member(member, model, how)
    made = _rebuilt(member.skeleton, samples, original.length, how.limits.available)
    if len(made) != original.length or hashlib.sha256(made).digest() != original.sha256:
        raise VerificationError(
            "the file decoded is not the one that was compressed",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    return made
