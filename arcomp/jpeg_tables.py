"""Tables of JPEG (ITU-T T.81) that files have without change: annex K's, and libjpeg's from them."""

from __future__ import annotations

ZIGZAG = tuple(
    8 * v + u
    for total in range(15)
    for v, u in sorted(((t, total - t) for t in range(max(0, total - 7), min(total, 7) + 1)), reverse=total % 2 == 0)
)
"""Place in a block (8 v + u, for vertical frequency v) of each coefficient in zigzag order."""

_LUMA = (
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
)  # fmt: skip
_CHROMA = (17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *(99,) * 50)


def quantisation(quality: int) -> tuple[bytes, bytes]:
    """The steps that libjpeg takes at a quality of 1 to 100, for luma and for chroma, in zigzag order: those of annex
    K.1, scaled."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (bytes(min(255, max(1, (v * scale + 50) // 100)) for v in steps) for steps in (_LUMA, _CHROMA))
    return luma, chroma


HUFFMAN = {
    (0, 0): bytes.fromhex("00010501010101010100000000000000") + bytes(range(12)),
    (0, 1): bytes.fromhex("00030101010101010101010000000000") + bytes(range(12)),
    (1, 0): bytes.fromhex(
        "0002010303020403050504040000017d"
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738"
        "393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5"
        "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    ),
    (1, 1): bytes.fromhex(
        "00020102040403040705040400010277"
        "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a353637"
        "38393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3"
        "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
    ),
}
"""By (0 of DC or 1 of AC, number): how many codes of 1 to 16 bits, and what they stand for, as in annex K.3.3."""
