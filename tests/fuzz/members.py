"""Members and archives that were tampered with: checksums are right, so that what is behind them is reached."""

from __future__ import annotations

from arcomp.container import unpack
from arcomp.container.archive import Entry, index_of, joined, read_archive
from arcomp.container.fields import CRC
from arcomp.container.layout import TRAILER, TRAILER_MAGIC
from arcomp.container.skeleton import SEGMENT_RECORDS
from arcomp.errors import FormatError
from tests.format.fields import SKELETON, STREAMS, build, changed, extents, fields_of, number_at, numbers, streams_of
from tests.fuzz.mutations import ODD, Random, cut, tampered


def header_tampered(data: bytes, rng: Random) -> bytes:
    """One field changed, its length and all checksums right."""
    fields = fields_of(data)
    which = int(rng.integers(len(fields)))
    tag, value = fields[which]
    fields[which] = tag, tampered(value, rng)
    return build(fields, streams=streams_of(data))


def skeleton_tampered(data: bytes, rng: Random) -> bytes:
    """The records of the segments changed, all checksums right."""
    member, fields = unpack(data), dict(fields_of(data))
    _, at = number_at(fields[SKELETON], 0)
    _, at = number_at(fields[SKELETON], at)
    records = tampered(b"".join(map(SEGMENT_RECORDS.encode, member.skeleton or ())), rng)
    streams = [records]
    for part in member.parts:
        streams += [bytes(s) for s in (part.side, *part.streams) if s is not part.side or len(s)]
    values = {SKELETON: numbers(0, len(records)) + fields[SKELETON][at:], STREAMS: extents(*streams)}
    return changed(data, dict(values), streams=b"".join(streams))


def streams_tampered(data: bytes, rng: Random) -> bytes:
    """One stream changed, its length and all checksums right."""
    fields, streams, at, found = dict(fields_of(data)), streams_of(data), 0, []
    extents_field = fields.get(STREAMS, b"")
    place = 0
    while place < len(extents_field):
        length, place = number_at(extents_field, place)
        place += CRC.size
        found.append(streams[at : at + length])
        at += length
    if not found:
        return header_tampered(data, rng)
    which = int(rng.integers(len(found)))
    found[which] = tampered(found[which], rng)
    return changed(data, {STREAMS: extents(*found)}, streams=b"".join(found))


def numbers_tampered(data: bytes, rng: Random) -> bytes:
    """One number of one field becomes one at which programs go wrong; all checksums right."""
    fields = fields_of(data)
    which = int(rng.integers(len(fields)))
    tag, value = fields[which]
    at, places = 0, []
    while at < len(value):
        try:
            _, end = number_at(value, at)
        except IndexError:
            break
        places.append((at, end))
        at = end
    if not places:
        return header_tampered(data, rng)
    begin, end = places[int(rng.integers(len(places)))]
    odd = int(rng.choice(ODD)) << int(rng.choice([0, 0, 20, 31]))
    fields[which] = tag, value[:begin] + numbers(odd) + value[end:]
    return build(fields, streams=streams_of(data))


def member_tampered(data: bytes, rng: Random) -> bytes:
    """In any of these ways, or with checksums that are wrong then."""
    ways = (header_tampered, numbers_tampered, streams_tampered, skeleton_tampered, tampered)
    way = ways[int(rng.choice(5, p=[0.3, 0.3, 0.2, 0.15, 0.05]))]
    if way is skeleton_tampered and SKELETON not in dict(fields_of(data)):
        way = numbers_tampered
    return way(data, rng)


def archive_tampered(members: list[bytes], rng: Random) -> bytes:
    """An archive of some members, some of them tampered with, and an index that may say what is not so."""
    chosen = [members[int(rng.integers(len(members)))] for _ in range(int(rng.integers(1, 4)))]
    whole = joined(chosen)
    what = int(rng.integers(6))
    if what == 0:
        return cut(whole, rng)
    if what == 1:
        return tampered(whole, rng)
    if what == 2:  # one member is another by now
        which = int(rng.integers(len(chosen)))
        index = whole[sum(map(len, chosen)) :]
        chosen[which] = member_tampered(chosen[which], rng)
        return b"".join(chosen) + index
    if what == 3:  # what lies between members
        return b"".join(one + rng.bytes(int(rng.integers(4))) for one in chosen) + whole[sum(map(len, chosen)) :]
    if what == 4:  # another index
        count = len(read_archive(whole).entries)
        places = sorted(int(v) for v in rng.integers(0, 300, count))
        entries = [Entry(at, int(rng.integers(1, 300)), "x", int(rng.integers(99))) for at in places]  # fmt: skip
        try:
            return b"".join(chosen) + index_of(entries, len(b"".join(chosen)))
        except FormatError:
            return whole[::-1]
    length = int(rng.choice([0, 1, 15, 16, 17, len(whole), len(whole) + 1, 1 << 40]))
    return whole[: -TRAILER.size] + TRAILER.pack(length, TRAILER_MAGIC)
