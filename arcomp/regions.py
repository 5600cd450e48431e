"""A rectangle of a picture, decoded from no more tiles than it needs.

A model that learns has a stream for each tile, so that a tile is decoded alone. Of others all tiles are decoded, and so
are files that are kept as bytes. Every node of a transform says which region of its children a region of its own needs
(:mod:`arcomp.transforms.partial`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from arcomp import files
from arcomp.codec import Work, decode_leaf, models_of, stacks_of
from arcomp.container import Member, Part
from arcomp.contract.model import USUAL, Execution, Model
from arcomp.contract.tiling import Tiling
from arcomp.errors import ArcompError, PictureError
from arcomp.formats import read
from arcomp.formats.hollow import metadata_of, says_what_samples_mean
from arcomp.formats.metadata.fields import NONE, Metadata
from arcomp.formats.metadata.reading import read_metadata
from arcomp.samples import Array, Bytes, Form, Samples
from arcomp.transforms import Leaf, Region, joined_region, leaf_regions

Area = tuple[int, int, int, int]
"""(x, y, width, height) of a rectangle, in pixels from the upper left corner."""


@dataclass(frozen=True)
class Cropped:
    """A rectangle of a picture.

    Attributes:
        samples: as one picture.
        metadata: what the picture's file says besides its pixels.
        decoded: how many tiles were decoded for it. tiles: how many the picture has, 0 for a file kept as bytes.
    """

    samples: Samples
    metadata: Metadata
    decoded: int
    tiles: int


def crop(
    member: Member, area: Area, picture: int | None = None, model: Model | None = None, how: Execution = USUAL
) -> Cropped:
    """A rectangle of a picture of a compressed file: the same samples as in the whole.

    Args:
        member: the file.
        area: the rectangle, within the picture.
        picture: which, from 0; None: the only one.
        model, how: as of :func:`arcomp.codec.decode_member`.

    Raises:
        ArcompError: the rectangle is not within the picture; there is no such picture, or several and none is named.
        FormatError, ModelError: as of :func:`arcomp.codec.decode`; the checksum of all samples is not compared.
    """
    geometry, original = member.geometry, member.original
    if geometry is None:
        return _of_bytes(files.restored(member, model, how), area, picture)
    if isinstance(member.form, Bytes):
        raise ArcompError("holds bytes, no picture", remedy="decompress all of it")
    said = geometry.alpha, geometry.palette is not None
    if original and member.skeleton and says_what_samples_mean(member.skeleton, original.length, *said):
        return _of_bytes(files.restored(member, model, how), area, picture)
    stack, n = _place(geometry.stacks, picture)
    region = _region(area, n, geometry.stacks[stack])
    tree, kind, parts = stacks_of(member)[stack]
    models = models_of(member, model)
    wanted = [
        narrow(part, leaf, needed, models[leaf.model])
        for (part, leaf), needed in zip(parts, leaf_regions(tree, kind, region), strict=True)
    ]
    work = Work(how.progress, sum(w.size for w in wanted))
    made = (
        w.region.of(decode_leaf(w.part, w.leaf, models[w.leaf.model], replace(how, progress=work.part(w.size))))
        for w in wanted
    )
    pixels = joined_region(tree, made, kind, region)
    about = metadata_of(member.skeleton, original.length) if original and member.skeleton else NONE
    samples = Samples((pixels,), geometry.depth, _form(member.form), geometry.alpha, geometry.palette, about.maximum)
    return Cropped(samples, about, sum(w.decoded for w in wanted), sum(w.tiles for w in wanted))


@dataclass(frozen=True)
class Wanted:
    """What is decoded of a leaf for a region of it.

    Attributes:
        part: with the streams of some tiles. leaf: of their size. region: within them.
        decoded: how many tiles. tiles: how many the leaf has.
    """

    part: Part
    leaf: Leaf
    region: Region
    decoded: int
    tiles: int

    @property
    def size(self) -> int:
        """Samples that are decoded."""
        return self.leaf.size


def narrow(part: Part, leaf: Leaf, region: Region, model: Model) -> Wanted:
    """What is decoded of a leaf for a region of it: the tiles that it touches, if they are decoded alone."""
    tiling = Tiling(leaf.shape[:3], part.tile)
    tiles = len(tiling.corners)
    if not alone(part, tiling, model):
        return Wanted(part, leaf, region, tiles, tiles)
    chosen, box = tiling.covering(region)
    part = replace(part, streams=tuple(part.streams[i] for i in chosen))
    leaf = replace(leaf, shape=(1, box.height, box.width, leaf.shape[3]))
    return Wanted(part, leaf, region.within(box), len(chosen), tiles)


def alone(part: Part, tiling: Tiling, model: Model) -> bool:
    """Whether each tile of a leaf has a stream of its own and is decoded without the others."""
    return model.tile_streams and len(part.streams) == len(tiling.corners)


def _place(stacks: Sequence[tuple[int, int, int]], picture: int | None) -> tuple[int, int]:
    """Which stack a picture is in, and where in it.

    Raises:
        ArcompError: there is no such picture, or several and none is named.
    """
    total = sum(stack[0] for stack in stacks)
    if picture is None and total > 1:
        raise ArcompError(f"holds {total} pictures", remedy=f"choose one, 0 to {total - 1}, with --picture or picture=")
    index = picture or 0
    if not 0 <= index < total:
        raise ArcompError(f"has no picture {index}", remedy=f"choose one from 0 to {total - 1}")
    for i, (count, _, _) in enumerate(stacks):
        if index < count:
            return i, index
        index -= count
    raise AssertionError("a picture that was counted")


def _region(area: Area, n: int, stack: tuple[int, int, int]) -> Region:
    """A rectangle as a region of a stack.

    Raises:
        ArcompError: it is not within the picture.
    """
    x, y, width, height = area
    _, rows, columns = stack
    if min(x, y) < 0 or min(width, height) < 1 or x + width > columns or y + height > rows:
        raise ArcompError(
            f"a crop of {width} x {height} at {x},{y} is not within the picture of {columns} x {rows}",
            remedy="choose X,Y,W,H within it",
        )
    return Region(n, y, x, height, width)


def _form(form: Form) -> Form:
    """The form of one picture of those; of an array still one of its type."""
    return replace(form, images=False, name="") if isinstance(form, Array) else form


def _of_bytes(data: bytes, area: Area, picture: int | None) -> Cropped:
    """A rectangle of a picture that was kept as bytes, such as a JPEG.

    Raises:
        ArcompError: it is no picture; or as of :func:`crop`.
    """
    try:
        samples = read(data, allow_lossy=True)
    except PictureError as error:
        raise PictureError(f"no picture that can be cut: {error.cause}", remedy="decompress all of it") from error
    stack, n = _place([stack.shape[:3] for stack in samples.stacks], picture)
    pixels = samples.stacks[stack]
    region = _region(area, n, (len(pixels), *pixels.shape[1:3]))
    found = replace(samples, stacks=(region.of(pixels),), form=_form(samples.form))
    return Cropped(found, read_metadata(data), 0, 0)
