"""What a file may claim: all that a header or a skeleton says is checked here before memory or time is taken for it.

A file of a few bytes may claim pictures of a billion pixels, or a skeleton that makes bytes for ever. So sizes are
computed before anything of them is made; what makes bytes piece by piece takes them from a :class:`Budget`; and nothing
may need more memory than :class:`Limits` allows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arcomp.errors import LimitError

CODED_FREELY = 1 << 22
"""Samples that any file may claim."""
CODED_PER_BYTE = 1 << 20
"""Samples that each byte of coded streams may stand for. No model gives a sample a larger probability than 1 - 2**-17,
which is 1.1e-5 bits, 727,000 samples a byte."""
MADE_FREELY, MADE_PER_BYTE = 1 << 25, 1 << 16
"""Bytes that the samples of a file may take, and that its original may have: so many, and so many for each byte that
they are stored in. A picture of one colour alone is larger than that in less."""
ORIGINAL_PER_SAMPLE = 8
"""Bytes that an original may have beyond that, for each byte of samples that were allowed: numbers may be decimal."""
PACKED_PER_BYTE = 1 << 12
"""Bytes of skeleton for each byte of the original. Deflate makes at most 1032 of one, LZW with 12 bits 2560."""
CONTENT_FREELY, CONTENT_PER_BYTE = 1 << 24, 2
"""Bytes that contents which are packed may have, those of all levels together and beside the literal ones: so many, and
so many for each byte of samples. A row may be one sample and the number of its filter; a tile of a TIFF may reach
beyond its picture."""
SECONDS_FREELY, SECONDS_PER_BYTE = 1.5, 1 / 2048
"""Seconds of a processor that models may take for samples that cost next to nothing: so many, and so many for each byte
that they are coded in. A screen of 4096 x 2160 pixels takes as long, where next to nothing is drawn on it."""
WORKING_FREELY, WORKING_PER_BYTE = 1 << 27, 1 << 16
"""Bytes of memory that a model may take for tiles that are larger than it would choose them: so many, and so many for
each byte that they are coded in."""
CHUNKS_FREELY, BYTES_PER_CHUNK = 1 << 16, 1 << 10
"""Chunks that a skeleton makes of contents: so many, and one for so many bytes of the original."""
ITEMS_FREELY, ITEMS_PER_BYTE = 1 << 16, 16
"""Segments, and items of their lists, that a skeleton may have: so many, and so many for each of its packed bytes."""


BLOCKS_FREELY, BLOCKS_PER_BYTE = 1 << 16, 8
"""Blocks that the JPEGs of a file may have: so many, and so many for each of its bytes, as each takes a bit in one of
the scans."""
VISITS_PER_BLOCK, VISITS_PER_BYTE = 24, 64
"""How often the scans of a file's JPEGs may go over a block: so many times for each block that there may be, and so
many more for each byte. Encoders visit a block six times; scans of nothing but zeros are a few bytes each."""
COEFFICIENTS_PER_BYTE = 1 << 22
"""Coefficients that each byte of coded streams may stand for. A block of zeros is some eight decisions of a probability
of at most 1 - 2**-16: 1.8e-4 bits, 45,000 blocks a byte."""


class Budget:
    """How many bytes, or other things, may still be made.

    Args:
        left: so many.
        error: makes what is raised where there would be more. why: it is.
    """

    def __init__(
        self, left: int, error: Callable[[str], Exception] = ValueError, why: str = "more bytes than there may be"
    ) -> None:
        self.left, self._error, self._why = left, error, why

    def take(self, count: int) -> None:
        """Before so many are made.

        Raises:
            ValueError: (or what was given) there would be more than there may be.
        """
        if count > self.left:
            raise self._error(self._why)
        self.left -= count


class JpegBudget:
    """What the JPEGs of a file may have, all together.

    Args:
        length: of the file, bytes.
    """

    def __init__(self, length: int) -> None:
        most = BLOCKS_FREELY + BLOCKS_PER_BYTE * length
        self.blocks = Budget(most, why="JPEGs of more blocks than their file can have")
        self.visits = Budget(VISITS_PER_BLOCK * most + VISITS_PER_BYTE * length, why="JPEGs of too many scans")


@dataclass(frozen=True)
class Limits:
    """How much decoding a file may take.

    Attributes:
        pixels: most pixels of all its pictures; None: so many that their samples take `MADE_FREELY` bytes, and more in
            a file of more than a kilobyte; and of those that models code not more than a file of its length can
            honestly hold.
        memory: most bytes of memory for samples, models and the original; None: what is free, and of the original not
            much more than of samples.
    """

    pixels: int | None = None
    memory: float | None = None

    @property
    def available(self) -> float:
        """Bytes of memory that may be taken."""
        return _lately_free() if self.memory is None else self.memory

    def check_pixels(self, pixels: int, coded: int, stream_bytes: int) -> None:
        """Refuse more pixels than are allowed.

        Args:
            pixels: of all pictures. coded: samples that models code. stream_bytes: that these are coded in.

        Raises:
            LimitError: there are more.
        """
        if self.pixels is not None and pixels > self.pixels:
            said = f"{pixels} pixels, the limit is {self.pixels}"
            raise LimitError(said, limit="pixels", least=pixels, remedy="{} allows it")
        most = CODED_FREELY + CODED_PER_BYTE * stream_bytes
        if self.pixels is None and coded > most:
            raise LimitError(
                f"claims {coded} samples in {stream_bytes} coded bytes, more than an honest file has ({most})",
                limit="pixels",
                least=pixels,
                remedy=ALL_THE_SAME,
            )

    def check_coefficients(self, coefficients: int, pixels: int, stream_bytes: int) -> None:
        """Refuse more coefficients of a JPEG than an honest file has.

        Args:
            pixels: of the JPEG. stream_bytes: that the coefficients are coded in.

        Raises:
            LimitError: there are more.
        """
        most = CODED_FREELY + COEFFICIENTS_PER_BYTE * stream_bytes
        if self.pixels is None and coefficients > most:
            raise LimitError(
                f"claims {coefficients} coefficients in {stream_bytes} coded bytes, more than an honest file has "
                f"({most})",
                limit="pixels",
                least=pixels,
                remedy=ALL_THE_SAME,
            )

    def check_made(self, pixels: int, samples: int, length: int, stored: int) -> None:
        """Refuse more than a file of a few bytes may claim without leave.

        Args:
            pixels: of all pictures. samples: bytes that theirs take. length: of the original.
            stored: bytes that all this is stored in.

        Raises:
            LimitError: it is more.
        """
        most = MADE_FREELY + MADE_PER_BYTE * stored
        if self.pixels is None and samples > most:
            raise LimitError(
                f"claims {pixels} pixels in {stored} coded bytes, samples of {_more(samples, most)} are allowed",
                limit="pixels",
                least=pixels,
                remedy=ALL_THE_SAME,
            )
        most += ORIGINAL_PER_SAMPLE * samples if self.pixels is not None else 0
        if self.memory is None and length > most:
            raise LimitError(
                f"claims an original of {_more(length, most)} are allowed for {stored} coded bytes",
                limit="memory",
                least=2 * (samples + length),
                remedy=ALL_THE_SAME,
            )

    def check_seconds(self, pixels: int, seconds: float, coded_bytes: int) -> None:
        """Refuse what takes longer than a file of a few bytes may without leave.

        Args:
            pixels: of all pictures. seconds: that their models take at least. coded_bytes: that they are coded in.

        Raises:
            LimitError: it does.
        """
        most = SECONDS_FREELY + SECONDS_PER_BYTE * coded_bytes
        if self.pixels is None and seconds > most:
            raise LimitError(
                f"claims {pixels} pixels in {coded_bytes} coded bytes, {seconds:.2f} s of work where {most:.2f} s are "
                "allowed",
                limit="pixels",
                least=pixels,
                remedy=ALL_THE_SAME,
            )

    def check_working(self, need: int, usual: int, stored: int) -> None:
        """Refuse tiles for which a model takes much more memory than for those that it would choose.

        Args:
            need: bytes that it takes. usual: for its own tiles. stored: that they are coded in.

        Raises:
            LimitError: it is more than a file of that length may claim without leave.
        """
        most = max(usual, WORKING_FREELY) + WORKING_PER_BYTE * stored
        if self.memory is None and need > most:
            raise LimitError(
                f"its tiles need {size(need)} of memory where {size(most)} are allowed for {stored} bytes",
                limit="memory",
                least=need + (1 << 20),
                remedy=ALL_THE_SAME,
            )

    def check_memory(self, need: float) -> None:
        """Refuse what does not fit, before any of it is taken.

        Raises:
            LimitError: more bytes are needed than are allowed, or free.
        """
        have = self.available
        if need <= have:
            return
        what = "are free" if self.memory is None else "are allowed"
        raise LimitError(
            f"needs {size(need)} of memory, {size(have)} {what}",
            limit="memory",
            remedy="use a machine with more, or allow it with {}" if self.memory is None else "raise {}",
        )


class AnyMemory(Limits):
    """What a file may take without options on a machine of any size."""

    @property
    def available(self) -> float:
        """As much as is asked for."""
        return float("inf")


ALL_THE_SAME = "{} decodes it all the same"
"""Remedy for claims of more than an honest file has."""
USUAL_LIMITS = Limits()


def size(count: float) -> str:
    """In words."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _more(claimed: int, most: int) -> str:
    """In words that do not come out the same."""
    same = size(claimed) == size(most)
    return f"{claimed} bytes where {most}" if same else f"{size(claimed)} where {size(most)}"


_LATELY = 0.02
"""Seconds for which what was free is taken to be so: of small files one asks more often than it changes, and it takes a
millisecond to find out."""


class _Lately:
    """What was free when it was last looked, and by which function."""

    when = -1.0
    found = 0.0
    by: Callable[[], float] | None = None


def _lately_free() -> float:
    now = time.monotonic()
    if now - _Lately.when > _LATELY or _Lately.by is not free_memory:
        _Lately.when, _Lately.found, _Lately.by = now, free_memory(), free_memory
    return _Lately.found


def free_memory() -> float:
    """Bytes of memory that can be taken now: what the system has free, and what is left to this process and to its
    container (control groups, version 1 or 2); infinite where the system does not say."""
    return min([_system_memory(), _address_space(), *_group_memory(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def _address_space() -> float:
    """What is left of this process's address space, where `ulimit -v` bounds it."""
    try:
        import resource  # not on Windows

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most == resource.RLIM_INFINITY:
            return float("inf")
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, AttributeError, OSError, ValueError):
        return float("inf")
    return max(0.0, float(most - used))


def _system_memory() -> float:
    """What is free, caches of files included; where that is not said, all that there is."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _group_memory(groups: Path, root: Path) -> list[float]:
    """What is left to this process's control group and to each of those above it.

    Args:
        groups: the file that names them. root: where they are mounted.
    """
    try:
        lines = groups.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        number, kinds, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not kinds:
            base, most, used, key = root, "memory.max", "memory.current", "inactive_file"
        elif "memory" in kinds.split(","):
            base, most, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            key = "total_inactive_file"
        else:
            continue
        here = base / path.lstrip("/")
        for folder in (here, *here.parents):
            left = _left_in(folder, most, used, key)
            found += [] if left is None else [left]
            if folder == base:
                break
    return found


def _left_in(folder: Path, most: str, used: str, key: str) -> float | None:
    """What a group may still take, its caches of files given back; None if it has no limit."""
    try:
        limit = int((folder / most).read_text())
        current = int((folder / used).read_text())
        about = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # `max`, or not here
        return None
    return max(0.0, float(limit - current + int(about.get(key, 0))))
