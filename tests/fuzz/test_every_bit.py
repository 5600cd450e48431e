"""Every truncation and every flipped bit of a small member and of a small archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from arcomp import files
from arcomp.container import unpack
from arcomp.container.archive import joined, read_archive
from arcomp.errors import ArcompError, FormatError
from tests.coded import member_of
from tests.fuzz.targets import answers, vectors


def damaged(data: bytes) -> Iterator[bytes]:
    for size in range(len(data)):
        yield data[:size]
    for bit in range(8 * len(data)):
        yield data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@pytest.mark.parametrize("name", ["bytes-deflate", "form-pnm-p1", "form-png-gray-1"])
def test_of_a_member(name: str) -> None:
    """Checksums are over all of it: nothing is taken for right."""
    for data in damaged(vectors()[name]):
        with pytest.raises(ArcompError):
            files.restored(unpack(data))


def test_of_an_archive() -> None:
    """A member is what it was, or refused; those that were not damaged are all found and restored."""
    names = ["bytes-empty", "bytes-stored"]
    members = [vectors()[name] for name in names]
    whole = joined(members)
    for data in damaged(whole):
        found = set()
        with suppress(FormatError):
            for entry in read_archive(data).entries:
                with suppress(ArcompError):
                    found.add(files.restored(member_of(data, entry)))
        at, intact = 0, set()
        for name, member in zip(names, members, strict=True):
            if data[at : at + len(member)] == member:
                intact.add(answers()[name])
            at += len(member)
        assert found == intact
