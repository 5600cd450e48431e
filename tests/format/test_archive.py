"""Archives: members one after another, with an index and without, whole and damaged."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcomp.container import Member, Original, pack, unpack
from arcomp.container.archive import (
    Archive,
    ArchiveWriter,
    Entry,
    folder,
    index_of,
    joined,
    read_archive,
    read_index,
)
from arcomp.errors import FormatError
from arcomp.form import Literal
from tests.coded import member_of
from tests.format.fields import FILE, MEMBER, build, extents, number, numbers


def member(name: str, length: int) -> bytes:
    return pack(Member(None, original=Original(length, bytes(32), name), skeleton=(Literal(bytes(length)),)))


ONE, TWO, THREE = member("one", 5), member("two", 0), FILE
BOTH = joined([ONE, TWO])
INDEX = BOTH[len(ONE + TWO) :]


class Watched(io.BytesIO):
    """Remembers what is read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.seen: set[int] = set()

    def read(self, size: int | None = -1) -> bytes:
        begin = self.tell()
        data = super().read(size)
        self.seen |= set(range(begin, begin + len(data)))
        return data


def names(data: bytes) -> list[str]:
    found = read_archive(data)
    assert found.damaged == ()
    for entry in found.entries:
        assert unpack(data[entry.offset : entry.end]) == member_of(data, entry)
    return [entry.name for entry in found.entries]


class TestReading:
    def test_by_an_index(self) -> None:
        first = Entry(0, len(ONE), "one", 5)
        assert read_archive(BOTH) == Archive((first, Entry(len(ONE), len(TWO), "two", 0)))
        assert read_archive(joined([THREE])).entries == (Entry(0, len(FILE), "x.png", 300),)
        assert read_archive(joined([pack(replace(MEMBER, original=None, skeleton=None))])).entries[0].original is None

    def test_without_one(self) -> None:
        for data in (ONE, ONE + TWO, THREE + ONE + TWO):
            assert names(data) == [{ONE: "one", TWO: "two", THREE: "x.png"}[part] for part in parts(data)]

    def test_archives_one_after_another(self) -> None:
        assert names(BOTH + BOTH) == ["one", "two"] * 2
        assert names(BOTH + joined([THREE]) + BOTH) == ["one", "two", "x.png", "one", "two"]
        assert names(THREE + BOTH) == ["x.png", "one", "two"]
        assert names(BOTH + THREE) == ["one", "two", "x.png"]

    def test_only_what_is_needed_is_read(self) -> None:
        large = member("large", 100000)
        packed = pack(replace(unpack(large), skeleton=(Literal(bytes(range(256)) * 400),)))
        file = Watched(joined([ONE, packed, packed, TWO]))
        entry = read_archive(file).entries[3]
        assert member_of(file, entry) == unpack(TWO)
        assert len(file.seen) < len(ONE + TWO + INDEX) + 200
        assert entry.name == "two"
        file = Watched(ONE + packed + TWO)
        assert [entry.name for entry in read_archive(file).entries] == ["one", "large", "two"]
        assert len(file.seen) < len(ONE + TWO) + 300

    def test_an_index_of_nothing(self) -> None:
        alone = index_of([], 0)
        with pytest.raises(FormatError, match="no whole member"):
            read_archive(alone)
        assert names(ONE + index_of([], len(ONE))) == ["one"]

    @pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", FILE[:40]])
    def test_what_is_no_archive(self, data: bytes) -> None:
        with pytest.raises(FormatError):
            read_archive(data)


def parts(data: bytes) -> list[bytes]:
    found = []
    while data:
        part = next(part for part in (ONE, TWO, THREE) if data.startswith(part))
        found.append(part)
        data = data[len(part) :]
    return found


class TestWriting:
    def test_member_by_member(self) -> None:
        file = io.BytesIO()
        writer = ArchiveWriter(file)
        writer.add(folder("a/", 7, 0o755))
        writer.add(member("a/b", 5))
        assert writer.finish() == len(file.getvalue())
        found = read_archive(file)
        assert [entry.name for entry in found.entries] == ["a/", "a/b"]
        assert found.indexed
        assert member_of(file, found.entries[0]).original == Original(0, hashlib.sha256().digest(), "a/", 7, 0o755)

    def test_one_file_and_archives_of_one(self) -> None:
        assert read_archive(ONE).is_one_file
        assert read_archive(ONE + b"x").is_one_file
        assert not any(read_archive(data).is_one_file for data in (joined([ONE]), member("a/b", 1), ONE + TWO))

    def test_a_folder_holds_nothing(self) -> None:
        with pytest.raises(FormatError):
            Original(5, bytes(32), "a/")
        with pytest.raises(FormatError):
            replace(MEMBER, original=Original(0, bytes(32), "a/"))
        with pytest.raises(FormatError):
            folder("//")


class TestOneMember:
    def test_an_index_may_follow(self) -> None:
        assert unpack(joined([ONE])) == unpack(ONE)

    def test_another_member_may_not(self) -> None:
        for data in (ONE + TWO, BOTH, joined([ONE]) + TWO):
            with pytest.raises(FormatError) as caught:
                unpack(data)
            assert "several files" in str(caught.value) or "after its end" in str(caught.value)

    def test_nor_half_an_index(self) -> None:
        whole = joined([ONE])
        for end in range(len(ONE) + 1, len(whole)):
            with pytest.raises(FormatError):
                unpack(whole[:end])
        for at in range(len(ONE), len(whole)):
            for bit in (1, 128):
                with pytest.raises(FormatError):
                    unpack(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])


class TestDamage:
    def test_every_truncation_of_the_index(self) -> None:
        for end in range(len(ONE + TWO), len(BOTH)):
            found = read_archive(BOTH[:end])
            assert [entry.name for entry in found.entries] == ["one", "two"]
            assert found.damaged == (((len(ONE + TWO), end),) if end > len(ONE + TWO) else ())

    def test_every_byte_of_the_index(self) -> None:
        for at in range(len(ONE + TWO), len(BOTH)):
            for bit in (1, 128, 255):
                changed = BOTH[:at] + bytes([BOTH[at] ^ bit]) + BOTH[at + 1 :]
                found = read_archive(changed)
                assert [(entry.offset, entry.name) for entry in found.entries] == [(0, "one"), (len(ONE), "two")]

    def test_every_byte_of_a_member(self) -> None:
        """With the index, every member is found, also the one that is damaged; without, all others."""
        for at in range(len(ONE)):
            changed = BOTH[:at] + bytes([BOTH[at] ^ 1]) + BOTH[at + 1 :]
            for data in (changed, changed[: -len(INDEX)]):
                found = read_archive(data)
                assert member_of(data, found.entries[-1]) == unpack(TWO)
                damaged = [entry for entry in found.entries if entry.name == "one"]
                for entry in damaged:
                    with pytest.raises(FormatError):
                        member_of(data, entry)

    def test_bytes_between_members(self) -> None:
        found = read_archive(b"noise" + ONE + b"more" + TWO + b"at the end")
        assert [entry.name for entry in found.entries] == ["one", "two"]
        at = 5 + len(ONE)
        end = at + 4 + len(TWO)
        assert found.damaged == ((0, 5), (at, at + 4), (end, end + 10))

    def test_an_index_of_other_members(self) -> None:
        for data in (TWO + INDEX, THREE + INDEX, ONE + b"x" + TWO + INDEX, INDEX + ONE):
            assert read_index(io.BytesIO(data), len(data)) is None
            found = [entry.name for entry in read_archive(data).entries]
            assert found == [{ONE: "one", TWO: "two", THREE: "x.png"}[p] for p in (ONE, TWO, THREE) if p in data]

    @given(st.binary(max_size=60), st.integers(0, 300))
    def test_noise(self, noise: bytes, at: int) -> None:
        data = BOTH[:at] + noise + BOTH[at:]
        for entry in read_archive(data).entries:
            assert 0 <= entry.offset < entry.end <= len(data)

    @pytest.mark.parametrize(
        "entries",
        [
            b"",
            numbers(0),  # entries are missing
            numbers(0, 3, 0, 0),
            numbers(0, 1 << 60, 0, 0, 0),  # more than there is
            numbers(0, 0, 0, 0, 0),  # of no bytes
            numbers(0, 3, 0, 9) + b"short",
            numbers(0, 3, 0, 1025) + bytes(1025) + number(0),
            numbers(0, 3, 0, 0, 0) + b"more",
        ],
    )
    def test_entries_that_cannot_be(self, entries: bytes) -> None:
        fields = [(1, numbers(0, len(entries), 1)), (5, extents(entries))]
        made = build(fields, streams=entries, kind=1)
        data = ONE + made + (len(made) + 16).to_bytes(8, "little") + b"\x89ARCEND\n"
        assert read_index(io.BytesIO(data), len(data)) is None
        assert [entry.name for entry in read_archive(data).entries] == ["one"]


@given(st.lists(st.tuples(st.text("ab/ä", max_size=9), st.none() | st.integers(0, 1 << 62)), max_size=20), st.data())
def test_entries_come_back(about: list[tuple[str, int | None]], data: st.DataObject) -> None:
    """With gaps between members, too."""
    blob, entries = b"", []
    for name, original in about:
        blob += bytes(data.draw(st.integers(0, 3)))
        entries.append(Entry(len(blob), len(ONE), name, original))
        blob += ONE
    blob += bytes(data.draw(st.integers(0, 3)))
    blob += index_of(entries, len(blob))
    found = read_index(io.BytesIO(blob), len(blob))
    assert found is not None
    assert found[0] == entries


def test_entries_must_be_in_sequence() -> None:
    first, second = Entry(0, 5), Entry(5, 5)
    index_of([first, second], 10)
    for entries, at in (([second, first], 10), ([first, first], 10), ([first, second], 9), ([Entry(0, 0)], 9)):
        with pytest.raises(FormatError):
            index_of(entries, at)
    assert all(a.end <= b.offset for a, b in pairwise([first, second]))
