"""PNG files taken apart: samples as an independent reader sees them, and every byte back."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arcomp
from arcomp import files
from arcomp.container import unpack
from arcomp.errors import PictureError
from arcomp.form import Chunks, Deflated, Literal
from arcomp.formats.conversion import converted
from arcomp.formats.metadata.reading import read_metadata
from arcomp.formats.parsed import Parsed
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from tests.unit.picture_files import DATA, GRAY, LARGE, RGB, Pixels, chunk, png, saved

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RANDOM = np.random.default_rng(5)
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
KINDS += [(4, 8), (4, 16), (6, 8), (6, 16)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def taken_apart(data: bytes) -> Parsed:
    parsed = parse(data)
    assert parsed is not None
    assert rebuild(parsed.skeleton, parsed.samples) == data
    return parsed


def header(width: int, height: int, depth: int, colour: int, interlaced: bool = False) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def filtered(pixels: Pixels, depth: int, filters: bytes) -> bytes:
    """Rows of PNG, by the specification's own words, one byte after the other."""
    if depth == 16:
        rows = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1)
    else:
        bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(len(pixels), -1), axis=1)
    back = max(1, pixels.shape[2] * depth // 8)
    made, above = b"", bytes(rows.shape[1])
    for kind, row in zip(filters, rows, strict=True):
        here = row.tobytes()
        made += bytes([kind]) + bytes(
            (here[i] - prediction(kind, here, above, i, back)) % 256 for i in range(len(here))
        )
        above = here
    return made


def prediction(kind: int, here: bytes, above: bytes, i: int, back: int) -> int:
    a, b, c = (here[i - back], above[i], above[i - back]) if i >= back else (0, above[i], 0)
    p = a + b - c
    distances = [abs(p - a), abs(p - b), abs(p - c)]
    return (0, a, b, (a + b) // 2, (a, b, c)[distances.index(min(distances))])[kind]


def made(pixels: Pixels, depth: int, colour: int, *, interlaced: bool = False, more: bytes = b"") -> bytes:
    """A PNG with all five filters; `more` goes before its image data."""
    passes = ["00 88", "40 88", "04 48", "20 44", "02 24", "10 22", "01 12"] if interlaced else ["00 11"]
    raw = b""
    for p in passes:
        part = pixels[int(p[1]) :: int(p[4]), int(p[0]) :: int(p[3])]
        if part.size:
            raw += filtered(part, depth, bytes((y + 4) % 5 for y in range(len(part))))
    height, width, _ = pixels.shape
    start = SIGNATURE + header(width, height, depth, colour, interlaced) + more
    return start + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def random_pixels(height: int, width: int, colour: int, depth: int) -> Pixels:
    shape = height, width, CHANNELS[colour]
    return (
        np.random.default_rng(height + width)
        .integers(0, 1 << depth, shape)
        .astype(np.uint16 if depth == 16 else np.uint8)
    )


class TestKinds:
    @pytest.mark.parametrize(("colour", "depth"), KINDS)
    @pytest.mark.parametrize("interlaced", [False, True])
    def test_all(self, colour: int, depth: int, interlaced: bool) -> None:
        for height, width in itertools.product((1, 2, 5, 9, 11), (1, 3, 5, 8, 13)):
            pixels = random_pixels(height, width, colour, depth)
            samples = taken_apart(made(pixels, depth, colour, interlaced=interlaced)).samples
            assert np.array_equal(samples.pixels[0], pixels)
            assert (samples.depth, samples.alpha) == (depth, colour in (4, 6))

    def test_palette(self) -> None:
        pixels = random_pixels(5, 6, 3, 2)
        colours = RANDOM.integers(0, 256, (3, 3), dtype=np.uint8)
        plte = chunk(b"PLTE", colours.tobytes())
        samples = taken_apart(made(pixels, 2, 3, more=plte)).samples  # an index beyond its end is kept
        assert samples.palette is not None
        assert np.array_equal(samples.palette, colours)
        for given_alpha, alpha in ((b"\7", [7, 255, 255]), (b"\7\0\1", [7, 0, 1])):
            samples = taken_apart(made(pixels, 2, 3, more=plte + chunk(b"tRNS", given_alpha))).samples
            assert samples.palette is not None
            assert np.array_equal(samples.palette, np.hstack((colours, np.array(alpha)[:, None])))
            assert not samples.alpha
        assert taken_apart(made(pixels, 2, 3)).samples.palette is None

    def test_transparent_colour_stays_in_the_file(self) -> None:
        for pixels, body in ((GRAY, bytes(2)), (RGB, bytes(6))):
            samples = taken_apart(png(pixels, chunks=[chunk(b"tRNS", body)])).samples
            assert np.array_equal(samples.pixels[0], pixels)
            assert not samples.alpha

    def test_bits_after_a_row(self) -> None:
        for interlaced in (False, True):
            whole = made(random_pixels(5, 13, 0, 1), 1, 0, interlaced=interlaced)
            body = zlib.decompress(whole[41:-16])
            rows = bytes(1 if i and value == 0 else value for i, value in enumerate(body))
            data = whole[:33] + chunk(b"IDAT", zlib.compress(rows)) + whole[-12:]
            taken_apart(data)

    @pytest.mark.parametrize("form", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"])
    def test_what_pillow_writes(self, form: str) -> None:
        data = saved(GRAY if form == "I;16" else LARGE, "PNG", form)
        with Image.open(io.BytesIO(data)) as image:
            expected = np.asarray(image)
        assert np.array_equal(taken_apart(data).samples.pixels[0].squeeze(), expected)


class TestOddFiles:
    """IHDR, image data and IEND, with something between, after or in them."""

    HEADER = header(13, 11, 8, 2)
    RAW = b"".join(b"\0" + row.tobytes() for row in RGB)
    STREAM = zlib.compress(RAW)
    END = chunk(b"IEND", b"")

    def of(self, *parts: bytes) -> bytes:
        return SIGNATURE + self.HEADER + b"".join(parts) + self.END

    def idat(self, *bodies: bytes) -> bytes:
        return b"".join(chunk(b"IDAT", body) for body in bodies)

    def run(self, data: bytes) -> tuple[Chunks, Deflated]:
        parsed = taken_apart(data)
        assert np.array_equal(parsed.samples.pixels[0], RGB)
        (run,) = [segment for segment in parsed.skeleton if isinstance(segment, Chunks)]
        deflated = run.content[0]
        assert isinstance(deflated, Deflated)
        return run, deflated

    def test_lengths(self) -> None:
        s = self.STREAM
        run, _ = self.run(self.of(self.idat(b"", s[:10], s[10:20], s[20:30], s[30:31], b"", s[31:])))
        assert run.lengths == ((0, 1), (10, 3), (1, 1), (0, 1), (len(s) - 31, 1))
        assert run.wrong == ()

    def test_checksums(self) -> None:
        s = self.STREAM
        data = bytearray(self.of(self.idat(s[:50], s[50:100], s[100:])))
        at = data.index(s[50:100]) + 50
        data[at : at + 4] = b"abcd"
        run, _ = self.run(bytes(data))
        assert run.wrong == ((1, int.from_bytes(b"abcd", "big")),)
        data[29:33] = b"abcd"  # of the header
        self.run(bytes(data))

    def test_check_of_the_stream(self) -> None:
        s = self.STREAM
        for stream, check in ((s, None), (s[:-4] + b"abcd", b"abcd"), (s[:-2], s[-4:-2]), (s[:-4], b"")):
            _, deflated = self.run(self.of(self.idat(stream)))
            assert deflated.check == check

    def test_more_in_the_chunks(self) -> None:
        for more in (b"x", b"x" * 1000, self.STREAM):
            run, _ = self.run(self.of(self.idat(self.STREAM + more)))
            assert run.content[1:] == (Literal(more),)

    def test_more_rows(self) -> None:
        _, deflated = self.run(self.of(self.idat(zlib.compress(self.RAW + b"\7" * 50))))
        assert deflated.content[1:] == (Literal(b"\7" * 50),)
        assert deflated.check is None

    def test_more_rows_than_are_believed(self) -> None:
        assert parse(self.of(self.idat(zlib.compress(self.RAW + bytes(1 << 22))))) is None

    def test_other_chunks(self) -> None:
        text, unknown = chunk(b"tEXt", b"a\0b"), chunk(b"ABCD", b"")
        self.run(self.of(text, unknown, self.idat(self.STREAM), text, self.HEADER))
        self.run(self.of(b"\0\0\0\4tEXtabcdnope", self.idat(self.STREAM)))

    def test_data_after_its_end(self) -> None:
        whole = self.of(self.idat(self.STREAM))
        for more in (b"x", bytes(100), whole):
            self.run(whole + more)

    def test_truncated_after_its_pixels(self) -> None:
        whole = self.of(self.idat(self.STREAM))
        for size in range(len(whole) - 12, len(whole)):
            self.run(whole[:size])
        for size in range(len(whole) - 12):
            assert parse(whole[:size]) is None

    def test_image_data_in_separate_places(self) -> None:
        s, text = self.STREAM, chunk(b"tEXt", b"a\0b")
        assert parse(self.of(self.idat(s[:50]), text, self.idat(s[50:]))) is None
        self.run(self.of(self.idat(s), text, self.idat(b"more")))

    def test_no_whole_picture(self) -> None:
        s, end = self.STREAM, self.END
        wrong = [
            self.of(),
            self.of(self.idat(b"")),
            self.of(self.idat(s[:-9])),
            self.of(self.idat(zlib.compress(self.RAW[:-1]))),
            self.of(self.idat(zlib.compress(b"\5" + self.RAW[1:]))),  # no such filter
            self.of(self.idat(b"\x78\xbb" + bytes(4) + s[2:])),  # a preset dictionary
            self.of(self.idat(b"\x77" + s[1:])),
            SIGNATURE + chunk(b"CgBI", bytes(4)) + self.HEADER + self.idat(s) + end,
            SIGNATURE + self.idat(s) + end,
        ]
        for change in ((0, 11, 8, 2, 0), (13, 0, 8, 2, 0), (13, 11, 4, 2, 0), (13, 11, 8, 5, 0), (13, 11, 8, 2, 2)):
            wrong.append(SIGNATURE + header(*change[:4], interlaced=change[4]) + self.idat(s) + end)  # type: ignore[arg-type]
        wrong.append(SIGNATURE + header(1 << 31, 1 << 31, 8, 2) + self.idat(s) + end)
        assert [data for data in wrong if parse(data) is not None] == []


class TestAnimation:
    FRAMES = (RGB[::-1], RGB[2:9, 3:9], RGB[3:10, :6], GRAY.repeat(3, axis=2))

    def chunks(self) -> list[bytes]:
        """Frames after the first picture, each of two chunks."""
        control = chunk(b"acTL", struct.pack(">II", 5, 0))
        made, number = (
            [control, chunk(b"fcTL", struct.pack(">5IHHBB", 0, 13, 11, 0, 0, 1, 10, 0, 0)), png(RGB)[33:-12]],
            1,
        )
        for frame in self.FRAMES:
            height, width, _ = frame.shape
            made.append(chunk(b"fcTL", struct.pack(">5IHHBB", number, width, height, 0, 0, 1, 10, 0, 0)))
            stream = zlib.compress(filtered(frame, 8, bytes(y % 5 for y in range(height))))
            made.append(chunk(b"fdAT", struct.pack(">I", number + 1) + stream[:20]))
            made.append(chunk(b"fdAT", struct.pack(">I", number + 2) + stream[20:]))
            number += 3
        return made

    def of(self, chunks: list[bytes]) -> bytes:
        return SIGNATURE + header(13, 11, 8, 2) + b"".join(chunks) + chunk(b"IEND", b"")

    def test_frames_are_pictures(self) -> None:
        parsed = taken_apart(self.of(self.chunks()))
        pictures = [picture for stack in parsed.samples.stacks for picture in stack]
        assert [len(stack) for stack in parsed.samples.stacks] == [2, 2, 1]
        for picture, expected in zip(pictures, (RGB, *self.FRAMES), strict=True):
            assert np.array_equal(picture, expected)
        runs = [segment for segment in parsed.skeleton if isinstance(segment, Chunks)]
        assert [run.sequence for run in runs] == [None, 2, 5, 8, 11]

    def test_odd_frames_are_literal(self) -> None:
        for at, found in ((4, 4), (3, 5), (6, 3)):  # without a part of its data, or its size
            chunks = self.chunks()
            del chunks[at]
            assert taken_apart(self.of(chunks)).samples.count == found
        chunks = self.chunks()
        chunks[4], chunks[5] = chunks[5], chunks[4]  # numbers that fall
        assert taken_apart(self.of(chunks)).samples.count == 4
        chunks = [part for part in self.chunks() if part[4:8] != b"IDAT"]
        assert parse(self.of(chunks)) is None

    def test_what_pillow_writes(self) -> None:
        frames = [Image.fromarray(np.roll(RGB, i, axis=1)) for i in range(3)]
        data = saved(RGB, "PNG", save_all=True, append_images=frames)
        assert taken_apart(data).samples.count >= 3


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.booleans(), st.data())
def test_any_damage_is_kept_or_given_up(kind: tuple[int, int], interlaced: bool, draw: st.DataObject) -> None:
    colour, depth = kind
    data = bytearray(made(random_pixels(5, 7, colour, depth), depth, colour, interlaced=interlaced))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1))
        how = draw.draw(st.sampled_from(["change", "cut", "insert", "end"]))
        if how == "change":
            data[at] = draw.draw(st.integers(0, 255))
        elif how == "insert":
            data[at:at] = draw.draw(st.binary(max_size=9))
        else:
            del data[at : at + 3 if how == "cut" else len(data)]
        data = data or bytearray(b"x")
    parsed = parse(bytes(data))
    assert parsed is None or rebuild(parsed.skeleton, parsed.samples) == data


@pytest.mark.parametrize("folder", ["data/pngsuite", "data/dev/depths", "cases/files"])
def test_files_of_others(folder: str) -> None:
    if not (DATA.parent / folder).is_dir():
        pytest.skip("the pictures are not here")
    paths = sorted((DATA.parent / folder).glob("*.png"))
    broken = {path for path in paths if parse(path.read_bytes()) is None}
    for path in set(paths) - broken:
        taken_apart(path.read_bytes())
    if folder == "data/pngsuite":
        assert all(path.name.startswith("x") for path in broken)


@pytest.mark.parametrize("kind", [b"PLTE", b"tRNS"])
def test_colours_whose_checksum_is_wrong_are_no_colours(kind: bytes) -> None:
    """libpng refuses such a palette, and shows a picture without such transparency: neither was meant."""
    chunks = [chunk(b"PLTE", bytes(range(12))), chunk(b"tRNS", b"\1\2")]
    data = bytearray(png(GRAY % 4, colour=3, chunks=chunks))
    assert arcomp.open(bytes(data)).palette is not None
    at = data.index(kind) + 4
    data[at] ^= 1
    with pytest.raises(PictureError, match="checksum of its pixels, palette or transparency"):
        arcomp.open(bytes(data))
    assert files.restored(unpack(arcomp.compress(bytes(data), "histogram"))) == data


def test_unknown_critical_chunks_are_refused() -> None:
    data = png(RGB, chunks=[chunk(b"CgBI", bytes(4))])
    with pytest.raises(PictureError, match="CgBI"):
        arcomp.open(data)
    assert files.restored(unpack(arcomp.compress(data, "histogram"))) == data


PLTE, OTHER = (chunk(b"PLTE", bytes(range(at, at + 12))) for at in (0, 100))
OPACITY = chunk(b"tRNS", b"\1\2")


@pytest.mark.parametrize(
    ("before", "after", "opaque", "named"),
    [
        ([PLTE], [], True, ()),
        ([PLTE, OTHER], [], True, ("palette (ignored)",)),
        ([PLTE], [OTHER], True, ("palette (ignored)",)),
        ([PLTE, OPACITY], [OPACITY], False, ("transparency (ignored)",)),
        ([PLTE], [OPACITY], True, ("transparency (ignored)",)),
        ([OPACITY, PLTE], [], True, ("transparency (ignored)",)),
        ([PLTE, chunk(b"tRNS", bytes(5))], [], True, ("transparency (ignored)",)),
    ],
)
def test_colours_that_count(before: list[bytes], after: list[bytes], opaque: bool, named: tuple[str, ...]) -> None:
    """As libpng: the first palette, and transparency between it and the pixels; what else there is is named."""
    data = png(GRAY % 4, colour=3, chunks=before).removesuffix(chunk(b"IEND", b"")) + b"".join(after)
    data += chunk(b"IEND", b"")
    palette = taken_apart(data).samples.palette
    assert palette is not None
    assert palette[:, :3].tobytes() == bytes(range(12))
    assert palette.shape[1] == (3 if opaque else 4)
    assert read_metadata(data).others == named
    assert set(named) <= set(converted(data, "bmp").lost)


def test_a_transparent_colour_after_the_pixels_is_none() -> None:
    data = png(GRAY).replace(chunk(b"IEND", b""), chunk(b"tRNS", bytes(2)) + chunk(b"IEND", b""))
    assert converted(data, "bmp").lost == ("transparent colour (ignored)",)


def test_indices_without_a_palette_are_no_grays() -> None:
    data = png(GRAY % 4, colour=3) + PLTE
    with pytest.raises(PictureError, match="palette is missing"):
        arcomp.open(data)
    packed = arcomp.compress(data, "histogram")
    with pytest.raises(PictureError, match="palette is missing"):
        arcomp.decompress(packed, crop=(0, 0, 1, 1))
    assert files.restored(unpack(packed)) == data
