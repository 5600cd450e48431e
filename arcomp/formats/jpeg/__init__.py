"""JPEG files (ITU-T T.81): their quantised coefficients, and the very same bytes from these again.

Sequential and progressive Huffman coding of 8 bits a sample. `headers` reads marker segments, `scans` says how a scan's
blocks follow each other, `decoding` and `encoding` are the compiled loops over its Huffman codes, `reading` takes a
JPEG apart, `writing` puts it together again.
"""

from arcomp.formats.jpeg.reading import Found, read
from arcomp.formats.jpeg.writing import write

__all__ = ["Found", "read", "write"]
