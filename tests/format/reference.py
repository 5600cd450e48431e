"""A reference decoder: docs/format.md in plain Python integers, with the names of that page.

It shares nothing with the package, uses nothing beyond the standard library, and computes without floats (but for model
photo, where the page does). It is slow; it is there to be read beside the page, and to be compared with. In the page's
order: reference_numbers, reference_container (sections, fields, packed bytes), reference_records, reference_transforms,
reference_rebuild (skeletons), reference_deflate, reference_archive; reference_coders, reference_tables,
reference_weights, reference_models (histogram and context); reference_layers, reference_samples, reference_networks,
reference_dense (bayes_net and made), reference_ladder (the order of all these); reference_mixing, reference_photo,
reference_squares, reference_stage, reference_heads; reference_graphic; reference_bilevel; reference_jpeg,
reference_jpeg_inputs, reference_jpeg_stage, reference_jpeg_tables.

    python -m tests.format.reference FILE.arcomp [WEIGHTS.safetensors ...] > original

writes the file that was compressed.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import NamedTuple

from tests.format import reference_bilevel, reference_graphic, reference_jpeg, reference_ladder, reference_photo
from tests.format.reference_coders import Coder
from tests.format.reference_container import Kind, Member, Part, Shape, read, read_all
from tests.format.reference_jpeg_files import Plane
from tests.format.reference_jpeg_files import Shape as JpegShape
from tests.format.reference_models import Context, Histogram
from tests.format.reference_numbers import Refused, require
from tests.format.reference_rebuild import Jpegs, Picture, rebuilt
from tests.format.reference_records import Record
from tests.format.reference_tiles import Position, Tile, tiles_of
from tests.format.reference_transforms import pixels, restored

sys.setrecursionlimit(20_000)  # features are asked for layer by layer, position by position


OfJpegs = Callable[[bytes, bytes | None, JpegShape, tuple[bytes, ...]], list[Plane]]
"""Decodes coefficients: the model's digest, weights, the shape, the streams."""
OF_JPEGS: dict[str, OfJpegs] = {"jpeg": reference_jpeg.of_file}
"""By the model's name."""


class Stack(NamedTuple):
    """Pictures of one size: their samples by picture, row, column, channel."""

    shape: Shape
    depth: int
    samples: list[int]

    def pictures(self) -> list[Picture]:
        """Rows of pixels of samples."""
        n, h, w, c = self.shape
        rows = [pixels(self.samples[i : i + w * c], c) for i in range(0, len(self.samples), w * c)]
        return [rows[i * h : i * h + h] for i in range(n)]


def decode(data: bytes, *weights: bytes) -> list[Stack]:
    """The samples of a file; ``weights`` are the files of weights that its models need (rules 1 to 10)."""
    member = read(data)
    return stacks_of(member, (*weights, *member.weights))


def restore(data: bytes, *weights: bytes) -> bytes:
    """The file that was compressed (rules 1 to 10)."""
    return original_of(read(data), weights)


def restore_all(data: bytes, *weights: bytes) -> list[bytes]:
    """The files in an archive."""
    return [original_of(member, weights) for member in read_all(data)]


def original_of(member: Member, weights: Sequence[bytes]) -> bytes:
    """The file that a member was made of."""
    weights = (*weights, *member.weights)
    header, stacks = member.header, stacks_of(member, weights)
    require(header.original is not None, "there was no file")
    length, sha256 = header.original or (0, b"")
    if member.segments is None:
        require(len(stacks) == 1 and header.depth == 8, "the skeleton is missing")
        made = bytes(stacks[0].samples)
    else:
        size = sum(len(stack.samples) for stack in stacks) * (1 if header.depth <= 8 else 2)
        made = rebuilt(
            member.segments, [stack.pictures() for stack in stacks], length, size, jpegs=jpegs_of(member, weights)
        )
    require(len(made) == length and hashlib.sha256(made).digest()[: len(sha256)] == sha256, "the original is damaged")
    return made


def jpegs_of(member: Member, weights: Sequence[bytes]) -> Jpegs:
    """What gives the coefficients of a member's JPEGs, each once."""
    header, taken = member.header, set[int]()
    length = header.original[0] if header.original else 0

    def decoded(number: int, shape: JpegShape) -> list[Plane]:
        require(number < len(header.jpegs) and number not in taken, "a JPEG that there is not, or is there twice")
        taken.add(number)
        size = [shape.width, shape.height, len(shape.components)]
        require(size == header.jpegs[number][:3], "a JPEG of another size")
        require(sum(c.rows * c.columns for c in shape.components) <= (1 << 16) + 8 * length, "too many blocks")
        digest, model = header.models[header.jpeg_model]
        require(model in OF_JPEGS, f"unknown model {model}")
        return OF_JPEGS[model](digest, own(model, digest, weights), shape, member.jpegs[number])

    return decoded


def stacks_of(member: Member, weights: Sequence[bytes]) -> list[Stack]:
    """The decoded stacks of a member."""
    header = member.header
    parts, found = iter(zip(header.plans, member.parts, strict=True)), []

    def decoded(leaf: Record, kind: Kind) -> list[int]:
        plan, (side, streams) = next(parts)
        require(not plan.flags & 1 or kind.depth == 1, "decisions of more than one bit")
        digest, model = header.models[leaf.model]
        part = Part(*kind.shape, kind.depth, digest, model, *plan[:2], plan.flags & 1 == 1, side, streams)
        return samples_of(part, weights)

    for size, tree in zip(header.stacks, header.trees, strict=True):
        kind = Kind((*size, header.channels), header.depth)
        found.append(Stack(*kind, restored(tree, kind, member.palette, decoded)))
    crc = 0
    for stack in found:
        crc = zlib.crc32(sample_bytes(stack), crc)
    require(crc == header.samples, "the decoded samples are damaged")
    return found


def samples_of(part: Part, weights: Sequence[bytes]) -> list[int]:
    """The samples of a part."""
    tiles = tiles_of(part)
    samples = [0] * (part.images * part.height * part.width * part.channels)
    for (i, y, x), channel, value in values(part, tiles, own(part.model, part.digest, weights)):
        row = tiles[i].image * part.height + tiles[i].top + y
        samples[(row * part.width + tiles[i].left + x) * part.channels + channel] = value
    return samples


def own(model: str, digest: bytes, weights: Sequence[bytes]) -> bytes | None:
    """The file of weights of a model."""
    for data in weights:
        try:
            entries = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            metadata = entries["__metadata__"]
            if metadata["model"] == model and metadata["digest"][:16] == digest.hex():
                return data
        except (ValueError, LookupError, TypeError) as error:
            raise Refused("not a file of weights") from error
    return None


def values(part: Part, tiles: list[Tile], weights: bytes | None) -> Iterator[tuple[Position, int, int]]:
    """All samples of a part: position, channel as stored, value."""
    apart = {"photo": reference_photo, "graphic": reference_graphic, "bilevel": reference_bilevel}
    apart |= dict.fromkeys(reference_ladder.MODELS, reference_ladder)
    if part.model in apart:
        yield from apart[part.model].values(part, tiles, weights)
        return
    require(part.model in ("histogram", "context"), f"unknown model {part.model}")
    model = Histogram(part, tiles) if part.model == "histogram" else Context(part, tiles, weights)
    coder = Coder(part.streams, part.decisions)
    for front in model.fronts():
        for c, stored in enumerate(model.coding_order):
            symbols = coder.decode(part.depth, [model.distribution(at, c) for at in front])
            for at, value in zip(front, symbols, strict=True):
                model.known(at, c, value)
                yield at, stored, value


def sample_bytes(stack: Stack) -> bytes:
    """The samples as the checksum takes them."""
    return struct.pack(f"<{prod(stack.shape)}{'B' if stack.depth <= 8 else 'H'}", *stack.samples)


if __name__ == "__main__":
    sys.stdout.buffer.write(restore(*(Path(name).read_bytes() for name in sys.argv[1:])))
