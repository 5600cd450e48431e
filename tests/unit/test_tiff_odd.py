"""Odd and damaged TIFF files: what is simple is taken apart, nothing raises, and what is taken apart comes back."""

from __future__ import annotations

import io
import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcomp.formats import read, tiff
from arcomp.formats.parsing import parse
from arcomp.formats.rebuild import rebuild
from tests.unit.picture_files import GRAY, LARGE, RGB, refusal, saved
from tests.unit.test_tiff import pictures, same, taken_apart
from tests.unit.tiff_files import LONG, Page, page_of, tiff_of

CASES = Path(__file__).parents[3] / "shared" / "cases" / "files"
STRIPS, LENGTHS = 273, 279


def changed(page: Page, **tags: Any) -> Page:
    return page._replace(tags={**page.tags, **{int(name[1:]): value for name, value in tags.items()}})


class TestOdd:
    def test_tags_that_are_missing_have_their_usual_values(self) -> None:
        pixels = pictures(1, 1)
        for tag in ("t258", "t259", "t277", "t278", "t284", "t262", "t279"):
            same(tiff_of(changed(page_of(pixels, 1), **{tag: None})), pixels, 1)
        same(tiff_of(page_of(RGB, t262=None, t279=None, rows=4)), RGB)

    @pytest.mark.parametrize("kind", [1, 3, 4, 6, 8, 9])
    def test_numbers_of_every_type(self, kind: int) -> None:
        same(tiff_of(page_of(RGB, t256=(kind, [13]), t257=(kind, [11]), t258=(kind, [8] * 3))), RGB)

    def test_strips_that_claim_more_bytes_than_samples_need(self) -> None:
        same(tiff_of(page_of(RGB, t279=1 << 20)), RGB)
        same(tiff_of(page_of(RGB, rows=6, t279=[400, 195])), RGB)

    def test_more_values_than_there_must_be(self) -> None:
        same(tiff_of(page_of(RGB, t273=(LONG, [8, 70000]), t279=(LONG, [429, 70000]), t256=[13, 99])), RGB)

    def test_tiles_that_are_not_there_are_zero(self) -> None:
        pixels = pictures(1, 8, 32, 32)
        pixels[:16, 16:] = 0
        for compression in (1, 8):
            page = page_of(pixels, tile=(16, 16), compression=compression)
            there = [page.blocks[n] for n in (0, 2, 3)]
            lengths = [len(block) + len(block) % 2 for block in there]
            first, second, third = 8, 8 + lengths[0], 8 + lengths[0] + lengths[1]
            page = changed(page, t324=[first, 0, second, third], t325=[lengths[0], 0, *lengths[1:]])
            same(tiff_of(page._replace(blocks=there)), pixels)

    @pytest.mark.parametrize(
        ("tags", "missing"),
        [
            ({}, 0),
            ({"t42113": b"77\0"}, 77),
            ({"t42113": b"-9999\0"}, 0),
            ({"t42113": b"1e9\0"}, 255),
            ({"t42113": b"nan\0"}, 0),
            ({"t42113": b"none\0"}, 0),
            ({"t262": 0}, 255),
            ({"t262": 0, "t42113": b"255\0"}, 0),
            ({"t339": 2, "t42113": b"-3\0"}, 125),
        ],
    )
    def test_strips_that_are_not_there_are_of_the_value_for_that(self, tags: dict[str, Any], missing: int) -> None:
        """GDAL's, as it is stored: where 0 is white, or samples are signed, the sample is another."""
        page = page_of(GRAY, rows=6, t273=[8, 0], t279=[78, 0], **tags)
        data = tiff_of(page._replace(blocks=page.blocks[:1]))
        samples = taken_apart(data).samples
        assert (samples.pixels[0, 6:] == missing).all()
        assert not (samples.pixels[0, :6] == missing).all()

    def test_indices_without_a_palette_are_no_grays(self) -> None:
        assert "without a palette" in refusal(tiff_of(page_of(GRAY, t262=3)))

    def test_tiles_that_share_their_bytes(self) -> None:
        pixels = np.tile(pictures(1, 8, 16, 16), (2, 3, 1))
        page = changed(page_of(pixels, tile=(16, 16)), t324=[8] * 6, t325=[256] * 6)
        same(tiff_of(page._replace(blocks=page.blocks[:1])), pixels)

    def test_tiles_under_the_tags_of_strips(self) -> None:
        """As libtiff's own quad-tile.tif has them."""
        for shape in ((32, 48), (16, 10)):
            pixels = pictures(1, 8, *shape)
            page = page_of(pixels, tile=(16, 16))
            places = [8 + 256 * n for n in range(len(page.blocks))]
            same(tiff_of(changed(page, t324=None, t325=None, t273=places, t279=[256] * len(places))), pixels)

    def test_strips_in_another_sequence(self) -> None:
        pixels = pictures(1, 8, 30, 10)
        page = changed(page_of(pixels, rows=10), t273=[208, 8, 108], t279=[100] * 3)
        first, second, third = page.blocks
        same(tiff_of(page._replace(blocks=[second, third, first])), pixels)

    def test_a_page_that_is_not_taken_is_left_as_it_is(self) -> None:
        jpeg = page_of(pictures(1, 8, 8, 8), t259=7)
        same(tiff_of(jpeg, page_of(RGB), page_of(RGB, t279=5)), RGB)
        other = page_of(RGB, t273=8, t279=429)  # its bytes are those of the first
        same(tiff_of(page_of(RGB), other), RGB)

    def test_a_thumbnail_is_not_the_picture(self) -> None:
        data = tiff_of(page_of(pictures(3, 8, 4, 4)), page_of(RGB, t259=7))
        taken_apart(data)
        assert "pixels exactly" in refusal(data)

    def test_pages_of_different_kinds(self) -> None:
        data = tiff_of(page_of(GRAY), page_of(RGB))
        same(data, RGB)
        assert "different kinds" in refusal(data)
        assert read(tiff_of(page_of(GRAY, t254=1), page_of(RGB))).count == 1

    @pytest.mark.parametrize(
        ("channels", "tags", "word"),
        [
            (1, {"t339": 2}, "signed"),
            (3, {"t262": 8}, "Lab"),
            (3, {"t262": 6, "t530": [1, 1]}, "YCbCr"),
            (3, {"t262": 1, "t338": [0, 0]}, "extra"),
            (2, {"t262": 0, "t338": 2}, "extra"),
            (4, {"t262": 2, "t338": 0}, "extra"),
            (1, {"t262": 32803}, "sensor"),
            (1, {"t262": 9999}, "unknown"),
        ],
    )
    def test_samples_that_only_come_back_in_their_file(self, channels: int, tags: dict[str, Any], word: str) -> None:
        data = tiff_of(page_of(pictures(channels, 8), **tags))
        taken_apart(data)
        assert word in refusal(data)


class TestRefused:
    @pytest.mark.parametrize(
        "tags",
        [
            {"t259": 7},
            {"t259": 4},
            {"t259": 34925},
            {"t339": 3},
            {"t258": [8, 8, 16]},
            {"t258": [32, 32, 32]},
            {"t258": (11, [8.0])},
            {"t256": 0},
            {"t256": 1 << 20},
            {"t257": None},
            {"t278": 0},
            {"t277": 0},
            {"t277": 5},
            {"t279": 0},
            {"t279": 428},
            {"t273": 0},
            {"t273": (LONG, [1 << 31])},
            {"t273": [8, 9]} | {"t278": 6, "t279": [234, 195]},
            {"t278": 6},
            {"t262": 6},
            {"t317": 2, "t259": 5},
            {"t317": 3, "t259": 8},
            {"t322": 0, "t323": 16},
            {"t32997": 2},
        ],
    )
    def test_pictures(self, tags: dict[str, Any]) -> None:
        data = tiff_of(page_of(RGB, **tags))
        assert parse(data) is None
        assert "; " in refusal(data)

    def test_streams(self) -> None:
        page = page_of(RGB, compression=8)
        (stream,) = page.blocks
        short = page_of(RGB[:5], compression=8).blocks[0]
        for wrong in (stream[:-9], b"\x79" + stream[1:], stream[:1], short, bytes(200)):
            assert parse(tiff_of(page._replace(blocks=[wrong]))) is None
        for compression in ("tiff_lzw", "packbits"):
            data = saved(RGB, "TIFF", compression=compression)
            samples = taken_apart(data).samples
            np.testing.assert_array_equal(samples.pixels[0], RGB)

    @pytest.mark.parametrize(
        "start",
        [b"", b"II", b"II*\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0", b"II+\0\4\0\0\0" + bytes(50)],
    )
    def test_beginnings_alone(self, start: bytes) -> None:
        assert parse(start) is None
        assert tiff.parse(start) is None
        if start[2:]:
            assert "; " in refusal(start)

    def test_much_of_nothing_takes_no_time(self) -> None:
        assert parse(tiff_of(page_of(pictures(1, 8, 1, 53), t257=(LONG, [1 << 22]), t278=1))) is None
        entry = struct.pack("<HHII", 330, 4, 1 << 28, 8)
        loops = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 5000) + 5000 * entry
        assert parse(loops) is None

    def test_lossy_pictures_by_their_pixels(self) -> None:
        data = saved(LARGE, "TIFF", compression="jpeg", tiffinfo={274: 6})
        assert "pixels exactly" in refusal(data)
        assert read(data, allow_lossy=True).pixels.shape == (1, *LARGE.shape)


def files() -> list[bytes]:
    found = [saved(pixels, "TIFF", compression=how) for pixels in (RGB, GRAY) for how in ("tiff_lzw", "packbits", None)]
    found += [tiff_of(page_of(RGB, compression=8, predictor=2, tile=(16, 16)), page_of(GRAY), order=">")]
    found += [tiff_of(page_of(pictures(3, 16), 16, rows=4, planar=True), big=True)]
    found += [tiff_of(page_of(GRAY, t270=b"ImageJ=1\nimages=2\n\0")) + bytes(143)]
    return found


class TestDamage:
    @settings(deadline=None, max_examples=300)
    @given(st.sampled_from(files()), st.data())
    def test_nothing_raises_and_all_comes_back(self, file: bytes, draw: st.DataObject) -> None:
        data = bytearray(file)
        for _ in range(draw.draw(st.integers(1, 4))):
            at = draw.draw(st.integers(0, max(0, len(data) - 1)))
            how = draw.draw(st.sampled_from(["flip", "flip", "flip", "cut", "add"]))
            if how == "flip" and data:
                data[at] = draw.draw(st.sampled_from([0, 1, 2, 127, 128, 255]) | st.integers(0, 255))
            elif how == "cut":
                del data[at : at + draw.draw(st.integers(1, 20))]
            else:
                data[at:at] = draw.draw(st.binary(max_size=5))
        parsed = tiff.parse(bytes(data))
        assert min(tiff.size(bytes(data))) >= 1
        assert tiff.refusal(bytes(data), parsed) or parsed
        assert tiff.is_lossy(bytes(data)) in (False, True)
        assert len(tiff.not_turned(bytes(data))) == len(data)
        if parsed is not None:
            assert rebuild(parsed.skeleton, parsed.samples) == data

    def test_every_end(self) -> None:
        for file in files():
            for end in range(0, len(file), 7):
                parsed = tiff.parse(file[:end])
                assert parsed is None or rebuild(parsed.skeleton, parsed.samples) == file[:end]


TAKEN = {
    **dict.fromkeys(("xmp_orient6", "tag1_xmp6", "xmp_orient1", "xmp_orient_in_text"), (1, 12, 20, 3)),
    **{f"tag_orient{kind}": (1, 12, 20, 3) for kind in (0, 3, 5, 7, "_long", "_float", "_double")},
    **dict.fromkeys(("exif_ifd_orient", "bigtiff_be", "fillorder2_raw", "fillorder2_deflate"), (1, 12, 20, 3)),
    **dict.fromkeys(("two_strips_uneven", "ifd_loop", "next_ifd_outside", "gap_inside"), (1, 12, 20, 3)),
    **dict.fromkeys(("res_300", "res_72", "res_aspect", "res_only_ratio", "icc", "white_point"), (1, 12, 20, 3)),
    **dict.fromkeys(("subfile_mask_flag", "bad_adler"), (1, 12, 20, 3)),
    **dict.fromkeys(("big_endian", "planar_strips_lzw", "planar_tiles_deflate", "packbits", "bigtiff"), (1, 37, 53, 3)),
    **dict.fromkeys(("tiles_gray_be", "white_is_zero_lzw", "int8", "bilevel", "min_max_sample"), (1, 37, 53, 1)),
    "xmp_orient2_gray": (1, 12, 20, 1),
    "xmp_orient5_1xn": (1, 1, 53, 3),
    "gray12": (1, 37, 53, 1),
    "gray_extra": (1, 37, 53, 2),
    "rgb16": (1, 37, 53, 3),
    "pages2": (2, 37, 53, 3),
    "imagej_one_ifd": (3, 37, 53, 1),
    "imagej_channels_one_ifd": (2, 12, 20, 1),
}
"""Shapes of the pictures in the files that are taken apart."""
LEFT = ("strip_count_short_then_long", "lzma", "jpeg_inside", "counts_zero", "truncated", "short_deflate")
DEPTHS = {"gray12": 12, "rgb16": 16, "bilevel": 1}


@pytest.mark.skipif(not CASES.exists(), reason="the files are not here")
class TestCases:
    """Files after public bug reports of other programs."""

    @pytest.mark.parametrize("name", TAKEN)
    def test_taken_apart(self, name: str) -> None:
        data = (CASES / f"{name}.tif").read_bytes()
        parsed = taken_apart(data)
        assert parsed.samples.pixels.shape == TAKEN[name]
        assert parsed.samples.depth == DEPTHS.get(name, 8)
        tifffile = pytest.importorskip("tifffile")
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        if name == "bad_adler":
            return
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            stored = page.asarray().astype(np.int64)
        stored = np.moveaxis(stored, 0, -1) if name.startswith("planar") else stored
        stored = {"int8": stored + 128, "white_is_zero_lzw": 255 - stored}.get(name, stored)
        np.testing.assert_array_equal(parsed.samples.pixels[0].reshape(stored.shape), stored)

    @pytest.mark.parametrize("name", LEFT)
    def test_left_as_they_are(self, name: str) -> None:
        data = (CASES / f"{name}.tif").read_bytes()
        assert parse(data) is None
        assert "; " in refusal(data)

    def test_no_file_is_left_out(self) -> None:
        names = {path.stem for path in CASES.glob("*.tif")}
        assert names <= {*TAKEN, *LEFT, "bmp_named"}
