"""Small files of every form, and samples for every transform: what vectors are made of."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import arcomp
from arcomp.container.packing import DEFLATE, LZMA2, STORED, Parts, unsqueeze
from arcomp.contract.model import Model
from arcomp.formats.packbits import pack
from arcomp.formats.wav import write_wav
from arcomp.samples import Samples
from arcomp.transforms import (
    Coded,
    Constant,
    Divide,
    Expand,
    Fold,
    Forecast,
    HighLow,
    Index,
    Inset,
    Levels,
    Luma,
    Node,
    Octets,
    Pile,
    Predict,
    Reorder,
    Repeat,
    Scale,
    Transpose,
)
from arcomp.transforms.depth import packed_levels
from tests.contents import pictures

Pixels = npt.NDArray[Any]
CODED = Coded(8)
MEMBERS = {"first.txt": b"The first member.\n", "second.txt": b"And this is the second one, which is longer.\n"}
TEXT = b"A picture is worth a thousand words; a thousand words take some six thousand bytes.\n"


# ---------------------------------------------------------------- PNG


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def packed_rows(pixels: Pixels, depth: int) -> Pixels:
    """Rows of samples in bytes."""
    if depth == 16:
        return pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1)
    bits = np.unpackbits(pixels.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
    return np.packbits(bits.reshape(len(pixels), -1), axis=1)


def filtered(pixels: Pixels, depth: int, interlaced: bool = False) -> bytes:
    """Scanlines with all five filters in turn."""
    passes = ["00 88", "40 88", "04 48", "20 44", "02 24", "10 22", "01 12"] if interlaced else ["00 11"]
    back, made = max(1, pixels.shape[2] * depth // 8), b""
    for p in passes:
        part = pixels[int(p[1]) :: int(p[4]), int(p[0]) :: int(p[3])]
        if not part.size:
            continue
        rows = packed_rows(part, depth).astype(int)
        above = np.zeros_like(rows[0])
        for y, row in enumerate(rows):
            left, corner = (np.concatenate((np.zeros(back, int), r))[: len(r)] for r in (row, above))
            near = left + above - corner
            distances = np.abs([near - left, near - above, near - corner])
            paeth = np.choose(distances.argmin(axis=0), [left, above, corner])
            guess = [0 * row, left, above, (left + above) // 2, paeth][(y + 4) % 5]
            made += bytes([(y + 4) % 5]) + ((row - guess) % 256).astype(np.uint8).tobytes()
            above = row
    return made


def png(
    pixels: Pixels, depth: int, colour: int, *, interlaced: bool = False, more: bytes = b"", level: int = 6,
    cut: Iterable[int] = (), after: bytes = b"", compress: Callable[..., bytes] = zlib.compress,
) -> bytes:  # fmt: skip
    """A PNG; `more` goes before its image data, which is cut at places."""
    height, width, _ = pixels.shape
    ihdr = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    stream = compress(filtered(pixels, depth, interlaced), level)
    places = [0, *cut, len(stream)]
    data = b"".join(chunk(b"IDAT", stream[a:b]) for a, b in pairwise(places))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + more + data + chunk(b"IEND", b"") + after


def apng() -> bytes:
    """An animation of two frames of one size and a smaller one."""
    frames = [picture(6, 8, 3, seed=i) for i in range(2)] + [picture(3, 4, 3, seed=9)]
    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0))
    made += chunk(b"acTL", struct.pack(">II", 3, 0))
    number = 0
    for i, frame in enumerate(frames):
        height, width, _ = frame.shape
        made += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0))
        stream, number = zlib.compress(filtered(frame, 8)), number + 1
        if i == 0:
            made += chunk(b"IDAT", stream)
            continue
        for part in (stream[:9], stream[9:]):
            made += chunk(b"fdAT", struct.pack(">I", number) + part)
            number += 1
    return made + chunk(b"IEND", b"")


def picture(height: int, width: int, channels: int, depth: int = 8, seed: int = 0) -> Pixels:
    return pictures("smooth" if depth >= 8 else "noise", (height, width, channels), depth, seed)


def pngs() -> dict[str, bytes]:
    import imagecodecs  # which are there where vectors are made
    import zopfli.zlib

    colours = np.random.default_rng(4).integers(0, 256, (3, 3), dtype=np.uint8)
    plte, trns = chunk(b"PLTE", colours.tobytes()), chunk(b"tRNS", b"\0\x80")
    odd = png(picture(5, 6, 3), 8, 2, cut=(0, 7, 9, 9), more=chunk(b"tEXt", b"Title\0odd", 5), after=b"after the end")
    at = odd.index(b"IDAT", odd.index(b"IDAT") + 4) - 4
    length = int.from_bytes(odd[at : at + 4], "big")
    odd = odd[: at + 8 + length] + b"\1\2\3\4" + odd[at + 12 + length :]  # a wrong checksum
    adler = png(picture(4, 4, 1), 8, 0)
    end = adler.index(b"IEND") - 8  # of the stream
    start = adler.index(b"IDAT")
    body = adler[start + 4 : end - 4] + b"\0\0\0\0"
    adler = adler[: start - 4] + chunk(b"IDAT", body) + adler[end + 4 :]

    def libdeflate(data: bytes, level: int) -> bytes:
        return bytes(imagecodecs.deflate_encode(data, level))

    return {
        "png-gray-1": png(picture(5, 11, 1, 1), 1, 0),
        "png-gray-2-interlaced": png(picture(6, 7, 1, 2), 2, 0, interlaced=True),
        "png-gray-16": png(picture(5, 6, 1, 16), 16, 0),
        "png-rgb": png(picture(9, 13, 3), 8, 2),
        "png-rgb-best": png(picture(9, 13, 3), 8, 2, level=9),
        "png-libdeflate": png(picture(9, 13, 3), 8, 2, compress=libdeflate),
        "png-libdeflate-12": png(picture(9, 13, 3), 8, 2, level=12, compress=libdeflate),
        "png-zopfli": png(picture(9, 13, 3), 8, 2, compress=lambda data, level: zopfli.zlib.compress(data)),
        "png-kept": png(picture(5, 6, 3), 8, 2),
        "png-rgb-stored": png(picture(4, 5, 3), 8, 2, level=0),
        "png-rgb-16": png(picture(4, 5, 3, 16), 16, 2),
        "png-palette-2": png(np.minimum(picture(5, 7, 1, 2), 2), 2, 3, more=plte + trns),
        "png-gray-alpha": png(picture(5, 6, 2), 8, 4),
        "png-rgba": png(picture(5, 6, 4), 8, 6),
        "png-rgba-16-interlaced": png(picture(5, 3, 4, 16), 16, 6, interlaced=True),
        "png-odd": odd,
        "png-wrong-adler": adler,
        "png-animation": apng(),
    }


# ---------------------------------------------------------------- Others


def saved(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """What Pillow saves."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, format=kind, **options)
    return buffer.getvalue()


def bmp(rows: bytes, width: int, height: int, bits: int, extra: bytes = b"", compression: int = 0) -> bytes:
    """A BMP of rows as they lie there."""
    start = 54 + len(extra)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + extra + rows


def bmps() -> dict[str, bytes]:
    words = np.random.default_rng(3).integers(0, 1 << 16, (4, 6)).astype("<u2")
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    palette = np.random.default_rng(2).integers(0, 256, (16, 4), dtype=np.uint8)
    palette[:, 3] = 0
    indices = packed_rows(picture(3, 5, 1, 4), 4)
    rows = np.pad(indices, ((0, 0), (0, 1)), constant_values=0xEE)  # padding that is not 0
    return {
        "bmp-rgb": saved(picture(5, 7, 3), "BMP"),
        "bmp-565": bmp(words.tobytes(), 6, -4, 16, masks, 3),
        "bmp-palette-4": bmp(rows.tobytes(), 5, 3, 4, palette.tobytes()),
    }


def numbers(pixels: Pixels, width: int, per_line: int, end: bytes = b"\n") -> bytes:
    values = [str(v).rjust(width).encode() for v in pixels.ravel().tolist()]
    return b"\n".join(b" ".join(values[i : i + per_line]) for i in range(0, len(values), per_line)) + end


def pnms() -> dict[str, bytes]:
    bits = picture(5, 11, 1, 1)
    gray = picture(4, 5, 1, 12)
    return {
        "pnm-p6": b"P6\n# a comment\n7 5\n255\n" + picture(5, 7, 3).tobytes(),
        "pnm-p5-12": b"P5 5 4 4095\n" + gray.astype(">u2").tobytes(),
        "pnm-p4": b"P4\n11 5\n" + packed_rows(bits, 1).tobytes() + b"after",
        "pnm-p3": b"P3\n3 4\n255\n" + numbers(picture(4, 3, 3), 0, 9),
        "pnm-p2": b"P2\n5 4\n4095\n" + numbers(gray, 4, 7, b""),
        "pnm-p1": b"P1\n11 5\n" + b"\n".join(b"".join(b"%d" % v for v in row) for row in bits[..., 0]) + b"\n",
        "pam": b"P7\nWIDTH 3\nHEIGHT 4\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + picture(4, 3, 4).tobytes(),
    }


def npys() -> dict[str, bytes]:
    def npy(array: Pixels) -> bytes:
        buffer = io.BytesIO()
        np.save(buffer, array)
        return buffer.getvalue()

    buffer = io.BytesIO()
    np.savez_compressed(buffer, pictures=picture(6, 7, 3)[None].repeat(2, axis=0))
    return {
        "npy": npy(np.stack([picture(5, 6, 1, seed=i)[..., 0] for i in range(3)])),
        "npy-fortran": npy(np.asfortranarray(picture(5, 6, 1)[..., 0])),
        "npy-fortran-stack": npy(np.asfortranarray(np.stack([picture(3, 4, 2, seed=i) for i in range(3)]))),
        "npy-int16": npy(picture(4, 5, 1, 16)[..., 0].astype("<i2") - 99),
        "npy-bool": npy(picture(4, 5, 1, 1)[..., 0].astype(bool)),
        "npz": buffer.getvalue(),
    }


def tiff(pixels: Pixels, strip: bytes, depth: int, *, more: tuple[tuple[int, int], ...] = ()) -> bytes:
    """A TIFF of one strip, little-endian."""
    height, width, channels = pixels.shape
    tags = {256: width, 257: height, 258: depth, 259: 1, 262: 1 if channels == 1 else 2, 273: 0, 277: channels,
            278: height, 279: len(strip), **dict(more)}  # fmt: skip
    size = 8 + 2 + 12 * len(tags) + 4
    tags[273] = size + (6 if channels == 3 else 0)
    made = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    for tag, value in sorted(tags.items()):
        if tag == 258 and channels == 3:
            made += struct.pack("<HHII", tag, 3, 3, size)
        else:
            made += struct.pack("<HHII", tag, 4 if tag in (256, 257, 273, 278, 279) else 3, 1, value)
    return made + bytes(4) + (struct.pack("<HHH", depth, depth, depth) if channels == 3 else b"") + strip


def tiffs() -> dict[str, bytes]:
    rgb, bits = picture(9, 11, 3), picture(6, 13, 1, 1)
    rows = packed_rows(bits, 1).tobytes()
    reverse = bytes(int(f"{v:08b}"[::-1], 2) for v in range(256))
    plain = rgb.tobytes()
    packets = pack(plain, len(plain), bytes([99, 99, 96]))  # cut as no usual packer does
    flat = np.repeat(picture(4, 6, 3), 4, axis=1)
    wide = picture(20, 40, 3)
    return {
        "tiff": saved(rgb, "TIFF"),
        "tiff-deflate": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "tiff-predictor": saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
        "tiff-lzw": saved(wide, "TIFF", compression="tiff_lzw"),
        "tiff-packbits": saved(flat, "TIFF", compression="packbits"),
        "tiff-packets": tiff(rgb, packets, 8, more=((259, 32773),)),
        "tiff-white-is-zero": tiff(bits, rows, 1, more=((262, 0),)),
        "tiff-fill-order": tiff(bits, rows.translate(reverse), 1, more=((266, 2),)),
    }


def files() -> dict[str, bytes]:
    """By name."""
    return {**pngs(), **bmps(), **pnms(), **npys(), **tiffs(), **wavs()}


def wavs() -> dict[str, bytes]:
    """Of one and two channels, the second with another chunk and an odd byte after the samples."""
    mono, stereo = np.arange(30, dtype=np.uint8), np.arange(0, 60000, 1500, dtype=np.uint16)
    whole = write_wav(Samples.of(stereo.reshape(2, 1, 20, 1), 16), 44100)
    return {
        "wav": write_wav(Samples.of(mono.reshape(1, 1, 30, 1))),
        "wav-stereo": whole[:12] + b"LIST\3\0\0\0abc\0" + whole[12:] + b"\7",
    }


def texts() -> dict[str, tuple[bytes, int]]:
    """Files that are kept as bytes, and the method that packs them."""
    return {
        "empty": (b"", STORED),
        "stored": (np.random.default_rng(1).bytes(40), STORED),
        "deflate": (TEXT, DEFLATE),
        "lzma": (TEXT * 9 + TEXT[::-1] * 9, LZMA2),
    }


def packer(method: int) -> Callable[[Parts], tuple[int, Parts]]:
    """Packs by one method only."""

    def pack_so(parts: Parts) -> tuple[int, Parts]:
        import lzma

        from arcomp.container import packing

        made = data = b"".join(parts)
        if method == DEFLATE:
            deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=packing.DICTIONARY)
            made = deflater.compress(data) + deflater.flush()
        elif method == LZMA2:
            made = lzma.compress(data, lzma.FORMAT_RAW, filters=packing._filters(len(data)))
        assert unsqueeze(method, made, len(data)) == data
        return method, [made]

    return pack_so


def several_sizes() -> Samples:
    return Samples((np.stack([picture(3, 4, 1, seed=i) for i in range(2)]), picture(5, 2, 1)[None]), 8)


def transformed() -> dict[str, tuple[Samples, Node, Model]]:
    """Samples, the transform, and the model of its leaves, by the name of a node."""
    histogram = arcomp.load("histogram")
    rgba, gray16 = picture(5, 6, 4)[None], picture(5, 6, 1, 16)[None] & 0xFFF0
    palette = np.random.default_rng(6).integers(0, 256, (9, 3), dtype=np.uint8)
    indices = pictures("noise", (5, 6, 1), 3)[None] % 8
    few = palette[indices[..., 0]]
    sound = (32768 + 9000 * np.sin(np.arange(40) ** 1.3)).astype(np.uint16).reshape(2, 1, 20, 1)
    used = np.zeros((1, 1 << 16), bool)
    used[0, np.unique(gray16)] = True
    wide = picture(3, 10, 3)[None]
    stack = np.stack([picture(3, 5, 1, seed=i) for i in range(3)])
    colours = np.unique(few.reshape(-1, 3), axis=0)
    colours16 = np.unique(gray16.reshape(-1, 1), axis=0)
    assert len(colours16) <= 256
    of = Samples.of
    made: dict[str, tuple[Samples, Node]] = {
        "constant": (of(np.broadcast_to(rgba[:, :1, :1], (1, 70, 60, 4))), Constant(tuple(map(int, rgba[0, 0, 0])))),
        "divide": (of(rgba), Divide(3, CODED, CODED)),
        "high-low": (of(gray16, 16), HighLow(8, CODED, CODED)),
        "high-low-4": (of(gray16, 16), HighLow(4, Coded(12), Constant((0,)))),
        "reorder": (of(indices, 3), Reorder(bytes([6, 0, 3, 1, 2, 7, 5, 4]), Coded(3))),
        "expand": (Samples((indices,), 4, palette=palette), Expand(CODED)),
        "index": (of(few), Index(colours.astype(np.uint8).tobytes(), Coded(4))),
        "index-16": (of(gray16, 16), Index(colours16.astype(">u2").tobytes(), CODED)),
        "levels": (of(gray16, 16), Levels(packed_levels(used), Coded(8))),
        "scale": (of(indices, 4), Scale(17, 8, CODED)),
        "repeat": (of(np.repeat(wide[..., :1], 3, axis=3)), Repeat(CODED)),
        "transpose": (of(wide), Transpose(CODED)),
        "luma": (Samples((indices,), 4, palette=palette), Luma(Coded(4))),
        "predict": (of(gray16, 16), Predict(4, 128, HighLow(8, CODED, CODED))),
        "predict-12": (of(gray16 >> 4, 12), Predict(3, 2048, Coded(12))),
        "forecast": (of(sound, 16), Forecast(3, 40, Forecast(2, 256, Octets(CODED)))),
        "forecast-8": (of(sound.astype(np.uint8)), Forecast(4, 8, Scale(1, 16, Octets(CODED)))),
        "fold": (of(wide), Fold(4, CODED)),
        "pile": (of(stack), Pile(CODED)),
        "inset": (of(stack), Inset(1, 2, 2, 3, CODED, Inset(0, 0, 1, 1, CODED, CODED))),
        "deeper": (of(gray16, 9 + 7), HighLow(8, Transpose(Fold(2, CODED)), Coded(8))),
    }
    found: dict[str, tuple[Samples, Node, Model]] = {
        name: (samples, tree, histogram) for name, (samples, tree) in made.items()
    }
    found["two-models"] = (of(rgba), Divide(3, Coded(8, 0), Coded(8, 1)), histogram)
    return found
