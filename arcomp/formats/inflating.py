"""Inflating piece by piece, so that what is inflated is never held as a whole."""

from __future__ import annotations

import zlib

_SLICE = 1 << 16
"""Bytes of the stream that are given to zlib at a time: it copies what it does not take at once."""


class Inflater:
    """A raw deflate stream (RFC 1951), read from its start.

    Args:
        stream: begins with it.
    """

    def __init__(self, stream: memoryview) -> None:
        self._inflater = zlib.decompressobj(-15)
        self._stream, self._at = stream, 0
        self._waiting: bytes | memoryview = b""
        self.check = 1
        """Adler-32 of what was taken so far."""

    @property
    def ended(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._inflater.eof

    @property
    def used(self) -> int:
        """Bytes of the stream, once its end was seen."""
        return self._at - len(self._inflater.unused_data)

    def take(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only if there are no more.

        Raises:
            zlib.error: this is no deflate stream.
        """
        parts: list[bytes] = []
        while size and not self.ended:
            part = self._inflater.decompress(self._waiting, size)
            self._waiting = self._inflater.unconsumed_tail
            parts.append(part)
            size -= len(part)
            if not part and not self._waiting and not self.ended:
                if self._at == len(self._stream):
                    break
                self._waiting = self._stream[self._at : self._at + _SLICE]
                self._at += len(self._waiting)
        made = parts[0] if len(parts) == 1 else b"".join(parts)
        self.check = zlib.adler32(made, self.check)
        return made
