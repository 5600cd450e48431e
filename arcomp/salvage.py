"""What is intact of damaged files and archives, and what is not.

Damage stays where it is: a damaged stream costs its tile (and what a transform makes of that tile's samples), a damaged
header its member. A tile is decoded whole or not at all: what a stream says after a wrong byte is not known, and its
checksum does not say where that byte is.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from arcomp import files
from arcomp.claims import check_member, check_seconds
from arcomp.codec import Work, coded_by, decode_leaf, decode_member, model_of_jpegs, models_of, stacks_of
from arcomp.coefficients import Shape
from arcomp.container import MAGIC, Member, Original, Part, samples_checksum
from arcomp.container.archive import read_archive, scan
from arcomp.container.damage import Remains, remains_at
from arcomp.container.layout import INDEX, VERSION, WEIGHTS, weights_length
from arcomp.contract.coefficients import cut_rows
from arcomp.contract.model import USUAL, Execution, Model
from arcomp.contract.tiling import Tiling
from arcomp.damage import Lost, rectangles
from arcomp.errors import FormatError, LimitError, ModelError
from arcomp.form import Jpeg
from arcomp.formats.hollow import metadata_of
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.rebuild import joined, pieces
from arcomp.jpegs import Decoder
from arcomp.regions import alone, narrow
from arcomp.samples import Pixels, Samples, of_bytes
from arcomp.transforms import Kind, Leaf, Mask, Region, joined_around

NO_MEMBER = "its header is damaged, or this is no member"


@dataclass(frozen=True)
class Salvaged:
    """What came of a member.

    Attributes:
        begin, end: its bytes in the file.
        name: of the file that it was made of; "" if that is not known.
        damage: what is damaged, in words; empty if nothing is.
        data: the file that it was made of, bit for bit; None if that cannot be made.
        original: what else is known of that file.
        jpeg: one of the coefficients that are left of its largest JPEG, with gray in place of what is lost; None if it
            holds none, or nothing is known.
        samples: of its pictures, with gray in place of what is lost; None if there are none, or nothing is known.
        metadata: what the file says besides its pixels.
        lost: what is not known of the pictures. lost_pixels: of so many. pixels: that there are.
    """

    begin: int
    end: int
    name: str
    damage: tuple[str, ...]
    data: bytes | None = None
    original: Original | None = None
    jpeg: bytes | None = None
    samples: Samples | None = None
    metadata: Metadata = NONE
    lost: tuple[Lost, ...] = ()
    lost_pixels: int = 0
    pixels: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is lost."""
        return not self.damage


def salvage(data: bytes, model: Model | None = None, how: Execution = USUAL) -> Iterator[Salvaged]:
    """What is intact of a file or an archive, member by member.

    Args:
        data: the file.
        model, how: as of :func:`arcomp.codec.decode_member`.

    Raises:
        FormatError: there is no member in it.
        ArcompError: more memory is needed than this machine has.
    """
    view, weights = memoryview(data), weights_in(data)
    for begin, end, name in places(data):
        try:
            remains = remains_at(view, begin)
        except FormatError:
            yield Salvaged(begin, end, name, (NO_MEMBER,))
            continue
        yield _member(remains, (begin, end), weights, model, how)


def weights_in(data: bytes) -> tuple[memoryview, ...]:
    """The sections of weights in a file that are not damaged."""
    found, view, start = [], memoryview(data), MAGIC + bytes([VERSION, WEIGHTS])
    at = data.find(start)
    while at >= 0:
        with suppress(FormatError):
            found.append(view[at : at + weights_length(view, at)])
        at = data.find(start, at + 1)
    return tuple(found)


def places(data: bytes) -> list[tuple[int, int, str]]:
    """(first byte, the one after the last, name if known) of each member and of what may be one.

    Raises:
        FormatError: there is none.
    """
    damaged: list[tuple[int, int]] = []
    try:
        found = read_archive(data)
        entries, damaged = found.entries, list(found.damaged)
    except FormatError:
        if MAGIC not in data:
            raise
        entries = tuple(scan(io.BytesIO(data), len(data), damaged))
    places = [(entry.offset, entry.end, entry.name) for entry in entries]
    places += [(begin, end, "") for begin, end in damaged if not _is_no_member(data, begin)]
    return sorted(places)


def _is_no_member(data: bytes, at: int) -> bool:
    """Whether what begins at a byte, and is damaged, was an index, without which members are found too, or weights."""
    kind = at + len(MAGIC) + 1
    return data[at : at + len(MAGIC)] == MAGIC and data[kind : kind + 1] in (bytes([INDEX]), bytes([WEIGHTS]))


def _member(
    remains: Remains, place: tuple[int, int], weights: tuple[memoryview, ...], model: Model | None, how: Execution
) -> Salvaged:
    """What is left of a member; ``weights``: sections of those that are in the file."""
    original = remains.header.original
    made = Salvaged(*place, original.name if original else "", tuple(_words(remains)), original=original)
    if remains.damaged and remains.header.geometry is None and (remains.form_lost or not remains.header.jpegs.each):
        return made
    try:
        member = replace(remains.member(how.limits), weights=weights)
        if not remains.damaged:
            if original is not None:
                return replace(made, data=files.restored(member, model, how))
            return replace(made, samples=decode_member(member, model, how))
        if member.jpegs:
            return _jpeg(made, member, remains, model, how)
        return _pictures(made, member, remains, model, how)
    except (FormatError, ModelError) as error:
        return replace(made, damage=(*made.damage, error.cause))
    except LimitError as error:  # other members may be within the limits
        return replace(made, damage=(*made.damage, str(error)))


def _jpeg(made: Salvaged, member: Member, remains: Remains, model: Model | None, how: Execution) -> Salvaged:
    """The largest JPEG of a member with damaged streams: its strips that are intact.

    Raises:
        FormatError: nothing of it is known.
    """
    from arcomp.formats.jpeg.plain import plain  # Numba takes a second to import
    from arcomp.formats.jpeg.writing import shape_of

    check_member(member, how.limits)
    most = member.original.length if member.original else 0
    own = max((s for s in member.skeleton or () if isinstance(s, Jpeg)), key=lambda s: _pixels(member, s), default=None)
    if own is None or own.picture >= len(member.jpegs):
        return made
    lost = remains.lost_of_jpegs
    made = replace(made, pixels=_pixels(member, own), lost_pixels=_pixels(member, own))
    if all(lost[own.picture]):
        return made
    decoder = Decoder(member, model_of_jpegs(member, model), how, lost)
    try:
        content = joined(pieces(own.content, of_bytes(b"\0"), most, how.limits.available, decoder))
        shape = shape_of(own, content)
        coefficients = decoder(own.picture, shape)
        found = plain(own, content, coefficients)
    except ValueError as error:
        raise FormatError("its JPEG cannot be made any more", remedy="get it again") from error
    unknown = list(_lost_rows(shape, lost[own.picture]))
    return replace(made, jpeg=found, lost=tuple(unknown), lost_pixels=sum(one.width * one.height for one in unknown))


def _pixels(member: Member, jpeg: Jpeg) -> int:
    """Of a JPEG of a member; none if it is not there."""
    one = member.jpegs[jpeg.picture] if jpeg.picture < len(member.jpegs) else None
    return one.width * one.height if one else 0


def _lost_rows(shape: Shape, lost: tuple[bool, ...]) -> Iterator[Lost]:
    """What damaged strips hold, in pixels."""
    tall, vertical = max(one.sampling[1] for one in shape.components), shape.components[0].sampling[1]
    for rows, gone in zip(cut_rows(shape, len(lost)), lost, strict=True):
        begin, end = (min(shape.height, row // vertical * 8 * tall) for row in rows[0])
        end = shape.height if rows[0][1] == shape.components[0].rows else end
        if gone:
            yield Lost(0, 0, begin, shape.width, end - begin)


def _words(remains: Remains) -> Iterator[str]:
    """What is damaged."""
    count = len(remains.streams)
    if remains.cut:
        yield f"the last {remains.cut} bytes are cut off"
    if remains.form_lost:
        yield "the form of its file is damaged"
    broken = [i + 1 for i in remains.damaged if i or not remains.form_lost]
    if broken:
        shown = ", ".join(map(str, broken[:5])) + (f" and {len(broken) - 5} more" if len(broken) > 5 else "")
        yield f"stream{'s' if len(broken) > 1 else ''} {shown} of {count} {'are' if len(broken) > 1 else 'is'} damaged"


def _pictures(made: Salvaged, member: Member, remains: Remains, model: Model | None, how: Execution) -> Salvaged:
    """The pictures of a member with damaged streams.

    Raises:
        FormatError: nothing of them is known.
    """
    geometry = member.geometry
    assert geometry is not None
    check_member(member, how.limits)
    check_seconds(member, coded_by(member, model), how.limits)
    pixels = sum(math.prod(stack) for stack in geometry.stacks)
    made = replace(made, pixels=pixels, lost_pixels=pixels)
    how.limits.check_memory(8 * pixels * geometry.channels)
    models, damage = models_of(member, model), iter(remains.lost)
    work = Work(how.progress, pixels * geometry.channels)
    stacks, lost, lost_pixels, picture = [], [], 0, 0
    try:
        for tree, kind, parts in stacks_of(member):
            leaves = (
                _leaf(part, leaf, models[leaf.model], next(damage), replace(how, progress=work.part(leaf.size)))
                for part, leaf in parts
            )
            stack, unknown = joined_around(tree, leaves, kind)
            stacks.append(_filled(stack, unknown, kind, geometry.alpha))
            for n, channels in enumerate([*unknown]):
                mask = channels.any(axis=2)
                lost_pixels += int(mask.sum())
                lost += [Lost(picture + n, x, y, width, height) for y, x, height, width in rectangles(mask)]
            picture += kind.shape[0]
    except FormatError as error:
        return replace(made, damage=(*made.damage, error.cause))
    if lost_pixels == pixels:
        return made
    if not lost and samples_checksum(tuple(stacks), geometry.depth) != member.samples_crc:
        made = replace(made, damage=(*made.damage, "its samples are not those that were encoded"))
    skeleton, original = member.skeleton, member.original
    about = metadata_of(skeleton, original.length) if skeleton and original else NONE
    samples = Samples(tuple(stacks), geometry.depth, member.form, geometry.alpha, geometry.palette, about.maximum)
    return replace(made, samples=samples, metadata=about, lost=tuple(lost), lost_pixels=lost_pixels)


def _leaf(part: Part, leaf: Leaf, model: Model, lost: tuple[bool, ...], how: Execution) -> tuple[Pixels, Mask]:
    """A leaf of which some streams are damaged, and which of its samples are not known."""
    pixels: Pixels = np.zeros(leaf.shape, np.uint8 if leaf.depth <= 8 else np.uint16)
    unknown = np.ones(leaf.shape, np.bool_)
    found = [(region, narrow(part, leaf, region, model)) for region in _intact(part, leaf, model, lost)]
    work = Work(how.progress, sum(some.size for _, some in found))
    for region, some in found:
        try:
            decoded = decode_leaf(some.part, some.leaf, model, replace(how, progress=work.part(some.size)))
        except FormatError:  # a stream with the right checksum, of a model that never wrote it
            continue
        region.of(pixels)[...] = some.region.of(decoded)
        region.of(unknown)[...] = False
    return pixels, unknown


def _intact(part: Part, leaf: Leaf, model: Model, lost: tuple[bool, ...]) -> Iterator[Region]:
    """Rectangles of a leaf whose tiles can all be decoded."""
    tiling = Tiling(leaf.shape[:3], part.tile)
    images, height, width, _ = leaf.shape
    if not alone(part, tiling, model):
        if not any(lost):
            yield from (Region(n, 0, 0, height, width) for n in range(images))
        return
    th, tw = tiling.tile if tiling.tile != (0, 0) else (height, width)
    grid = ~np.array(lost).reshape(images, -(-height // th), -(-width // tw))
    for n in range(images):
        for y, x, rows, columns in rectangles(grid[n]):
            top, left = y * th, x * tw
            yield Region(n, top, left, min(height, top + rows * th) - top, min(width, left + columns * tw) - left)


def _filled(stack: Pixels, unknown: Mask, kind: Kind, alpha: bool) -> Pixels:
    """A stack with gray, opaque, where samples are not known; of a palette with its entry that is nearest to gray."""
    fill = np.full(kind.channels, 1 << kind.depth - 1, kind.dtype)
    if alpha:
        fill[-1] = (1 << kind.depth) - 1
    if kind.palette is not None:
        gray = np.array([128, 128, 128, 255][: kind.palette.shape[1]])
        fill[:] = np.abs(kind.palette[: 1 << kind.depth].astype(int) - gray).sum(axis=1).argmin()
    return np.where(unknown, fill, stack)
