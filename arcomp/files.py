"""A whole file, compressed so that the very same file comes back.

bytes -> a form and samples -> a member, and back. The file is rebuilt from what is about to be written and compared.
Where its form does not give it back, or costs more than it saves, the file is kept as bytes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from arcomp.claims import check_member
from arcomp.codec import Encoded, Models, decode_member, encode, if_used, leaves_of, model_of_jpegs, transforms
from arcomp.coefficients import Coefficients
from arcomp.container import DIGEST_BYTES, Member, ModelId, Original, PackedSkeleton, pack, pack_skeleton, unpack
from arcomp.container.packing import guessed
from arcomp.contract.fitting import narrowed, takes_samples
from arcomp.contract.model import USUAL, Execution, Model, Progress
from arcomp.errors import ArcompError, FormatError, VerificationError
from arcomp.form import Jpeg, Literal, Segment, Skeleton
from arcomp.formats.parsing import parse
from arcomp.formats.predicting import predicted
from arcomp.formats.rebuild import Jpegs, Piece, joined, no_jpegs, pieces
from arcomp.jpegs import Decoder, encode_jpegs, for_jpegs
from arcomp.limits import Limits, free_memory
from arcomp.samples import Samples, of_bytes
from arcomp.transforms import Leaf, Node

WORTH_CODING = 0.9
"""A form is given up if it takes more than this part of the file, and without all bytes that it keeps as they are more
than this part of the others: then samples would have to cost next to nothing."""
_NO_SAMPLES = of_bytes(b"\0")
_JPEG = b"\xff\xd8\xff"
"""How a JPEG begins."""
_PART = 1 << 20
"""Bytes that are compared at a time."""


@dataclass(frozen=True)
class Compressed:
    """A compressed file, and figures about it.

    Attributes:
        data: the compressed file.
        member: what it says.
        coded: figures of the samples' coding; None: it is kept as bytes.
        seconds: without start-up and verification.
        verify_seconds: decoding again and comparing.
        model: what coded most of it; None: it is kept as bytes.
    """

    data: bytes
    member: Member
    coded: Encoded | None
    seconds: float
    verify_seconds: float = 0.0
    model: Model | None = None

    @property
    def form_bytes(self) -> int:
        """What the file takes beside the coded samples: header, skeleton, checksums."""
        return len(self.data) - self.member.coded_bytes


@dataclass(frozen=True)
class Settings:
    """How files are compressed.

    Attributes:
        tile, device, threads: see :func:`arcomp.codec.encode`.
        verify: whether the result is decoded again.
        as_bytes: whether to look for no picture in files.
        drawings: whether drawings may be coded by another model than the one that was asked for.
    """

    tile: tuple[int, int] | None = None
    device: str = "cpu"
    threads: int | None = None
    verify: bool = True
    as_bytes: bool = False
    drawings: bool = True


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
        jpegs: coefficients of the JPEGs that the skeleton names. jpeg_model: is to code them.
        trees: the transform of each stack.
        seconds: what finding out took.
    """

    data: bytes
    original: Original
    samples: Samples | None = None
    skeleton: Skeleton | None = None
    packed: PackedSkeleton | None = None
    jpegs: tuple[Coefficients, ...] = ()
    jpeg_model: Model | None = None
    trees: tuple[Node, ...] = ()
    seconds: float = 0.0

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
    found = _found(Examined(data, original), model, settings)
    if found.samples is not None:
        samples = narrowed(found.samples, model)
        found = replace(found, samples=samples, trees=transforms(samples, model, settings.drawings))
    return replace(found, seconds=time.perf_counter() - began)


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
    if made is None or len(made.data) > min(len(found.data), guessed(found.data)):
        plain = _as_bytes(found, began)
        made = plain if made is None or len(plain.data) <= len(made.data) else made
    kept = replace(found)
    found.samples, found.jpegs = None, ()
    if settings.verify:
        kept = found  # let go of samples, before as many are decoded again
    started = time.perf_counter()
    how = Execution(threads=settings.threads, progress=verifying, limits=Limits(memory=free_memory()))
    if made.coded and not _comes_back(made, kept, model, how, settings.verify):
        made = _as_bytes(found, began)
    if settings.verify and not made.coded and not _comes_back(made, found, model, how, True):
        raise VerificationError(
            "decoding did not give back the original; nothing was written", remedy="run `arcomp doctor`"
        )
    return replace(made, verify_seconds=time.perf_counter() - started)


def _coded(found: Examined, model: Model, settings: Settings, progress: Progress, began: float) -> Compressed | None:
    """A file whose samples are coded by models; None if there are none, or more pictures or tiles than a file holds.

    Raises:
        LimitError: more memory is needed than is free.
    """
    if found.samples is None and not found.jpegs:
        return None
    try:
        if found.samples is None:
            coded = _coded_jpegs(found, settings, progress)
        else:
            coded = encode(
                found.samples, model, trees=found.trees, tile=settings.tile, device=settings.device,
                threads=settings.threads, progress=progress,
            )  # fmt: skip
        member = replace(coded.member, original=found.original, skeleton=found.skeleton)
        own = found.jpeg_model if found.samples is None else model
        return Compressed(pack(member, found.packed), member, coded, time.perf_counter() - began, model=own)
    except VerificationError:
        raise
    except FormatError:
        return None


def _coded_jpegs(found: Examined, settings: Settings, progress: Progress) -> Encoded:
    """A file's JPEGs, coded.

    Raises:
        LimitError: more memory is needed than is free.
    """
    began, model = time.perf_counter(), found.jpeg_model
    assert model is not None
    jpegs, bits = encode_jpegs(found.jpegs, model, Execution(threads=settings.threads, progress=progress))
    models = (ModelId(model.name, model.digest[:DIGEST_BYTES]),)
    member = Member(None, models=models, original=found.original, skeleton=found.skeleton, jpegs=jpegs)
    return Encoded(member, bits, sum(one.shape.coefficients for one in found.jpegs), time.perf_counter() - began)


def _comes_back(made: Compressed, found: Examined, model: Model, how: Execution, verify: bool) -> bool:
    """Whether a file can be made of what it was compressed to.

    Args:
        found: in the file; samples and coefficients are of use only if they are not decoded again.
        verify: whether all is read from the compressed bytes; else only the form is tried.

    Raises:
        VerificationError: samples or coefficients decoded are not those that were encoded.
    """
    member, samples = made.member, found.samples
    jpegs: Jpegs = lambda number, shape: found.jpegs[number]  # noqa: E731
    if verify:
        try:
            member = replace(unpack(made.data), stored=None)  # of a few bytes, but not from others
        except FormatError:
            return False
        samples = None if member.geometry is None else decode_member(member, if_used(model, member), how)
        jpegs = Decoder(member, found.jpeg_model, how) if found.jpeg_model and member.jpegs else no_jpegs
    try:
        same = _equal(_rebuilt(member.skeleton, samples, len(found.data), how.limits.available, jpegs), found.data)
    except FormatError:
        return False
    if member.jpegs and not same:  # whose form was tried when they were read
        raise VerificationError(
            "decoding did not give back the coefficients that were encoded; nothing was written",
            remedy="run `arcomp doctor`",
        )
    return same


def _found(file: Examined, model: Model, settings: Settings) -> Examined:
    """What is in a file and how it is made of that, packed too; the file alone if it is better kept as bytes."""
    data = file.data
    of_jpegs = for_jpegs(model) if data.startswith(_JPEG) and not settings.as_bytes else None
    if of_jpegs is not None:
        from arcomp.formats import jpeg  # Numba takes a second to import

        jpegs = jpeg.read(data)
        return _packed(file, jpegs.skeleton, jpegs=jpegs.coefficients, jpeg_model=of_jpegs) if jpegs else file
    parsed = None if settings.as_bytes or not data else parse(data)
    if model.takes_bytes and data and (parsed is None or not takes_samples(model, parsed.samples)):
        return replace(file, samples=of_bytes(data))
    if parsed is None:
        return file
    return _packed(file, predicted(parsed.skeleton, parsed.samples), samples=parsed.samples)


def _packed(
    file: Examined,
    skeleton: Skeleton,
    samples: Samples | None = None,
    jpegs: tuple[Coefficients, ...] = (),
    jpeg_model: Model | None = None,
) -> Examined:
    """A file with its form, if that is worth it."""
    palette, length = samples.palette if samples else None, len(file.data)
    try:
        packed = pack_skeleton(skeleton, palette)
    except FormatError:  # of more parts than a file may have
        return file
    if packed and packed.size > WORTH_CODING * length + 256:
        bare, kept = _without_literals(skeleton)
        needed = pack_skeleton(bare, palette)
        if needed and needed.size > WORTH_CODING * (length - kept) + 256:
            return file
    return replace(file, samples=samples, skeleton=skeleton, packed=packed, jpegs=jpegs, jpeg_model=jpeg_model)


def _without_literals(skeleton: Skeleton) -> tuple[Skeleton, int]:
    """What restores the pictures of a file, and how many of the file's bytes are beside them, kept as they are."""
    made: list[Segment] = []
    kept = 0
    for segment in skeleton:
        if isinstance(segment, Literal):
            kept += len(segment.data)
        elif isinstance(segment, Jpeg):
            inside, more = _without_literals(segment.content)
            made.append(replace(segment, content=inside))
            kept += more
        else:
            made.append(segment)
    return tuple(made), kept


def _as_bytes(found: Examined, began: float) -> Compressed:
    """A file that is kept as bytes."""
    member = Member(None, original=found.original, skeleton=(Literal(found.data),) if found.data else ())
    return Compressed(pack(member), member, None, time.perf_counter() - began)


def _rebuilt(
    skeleton: Skeleton | None, samples: Samples | None, length: int, memory: float, jpegs: Jpegs
) -> Iterator[Piece]:
    """The file that a form makes of samples and of coefficients, some bytes after the other.

    Args:
        skeleton: None: the samples are the file, a byte each.
        samples: None: the form holds all of it.
        length: of the file.
        memory: bytes that may be taken.
        jpegs: gives coefficients.

    Raises:
        FormatError: the form does not fit the samples, or makes a longer file.
        LimitError: it takes more memory.
    """
    if skeleton is None:
        if samples is None or samples.depth != 8:
            raise FormatError("the form of its file is missing", remedy="get a fresh copy")
        yield samples.pixels.tobytes()
        return
    try:
        yield from pieces(skeleton, samples if samples is not None else _NO_SAMPLES, length, memory, jpegs)
    except (ValueError, IndexError, OverflowError) as error:
        raise FormatError("the form of its file does not fit its samples", remedy="get a fresh copy") from error


def _equal(made: Iterable[Piece], data: bytes) -> bool:
    """Whether pieces are a file. None is copied as a whole: it may be all of the file."""
    at = 0
    for piece in made:
        for begin in range(0, len(piece), _PART):
            part = bytes(piece[begin : begin + _PART])
            if data[at : at + len(part)] != part:
                return False
            at += len(part)
    return at == len(data)


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
    jpegs = Decoder(member, model_of_jpegs(member, model), how) if member.jpegs else no_jpegs
    made = joined(_rebuilt(member.skeleton, samples, original.length, how.limits.available, jpegs))
    if len(made) != original.length or hashlib.sha256(made).digest()[: len(original.sha256)] != original.sha256:
        raise VerificationError(
            "the file decoded is not the one that was compressed",
            remedy="run `arcomp doctor`, or get a fresh copy of the file",
        )
    return made


def samples_in(member: Member, model: Model | None = None, how: Execution = USUAL) -> Samples:
    """The samples of a member: those that a model coded, or of a file that is kept otherwise those that could have been
    coded; else its bytes.

    Args:
        member, model, how: as of :func:`restored`.

    Raises:
        ArcompError: as of :func:`restored`; or it is of an empty file.
    """
    if member.geometry is not None:
        return decode_member(member, model, how)
    data = restored(member, model, how)
    if not data:
        raise ArcompError("an empty file, in which there are no samples", remedy="arcomp.restore gives the file")
    found = parse(data)
    return of_bytes(data) if found is None else found.samples
