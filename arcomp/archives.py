"""An archive as a mapping: names of its files to their samples, each decoded when it is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from arcomp import files
from arcomp.container import unpack
from arcomp.container.archive import Entry, read_archive, read_entry
from arcomp.contract.model import Execution
from arcomp.errors import ArcompError, said_of
from arcomp.samples import Samples


class Archive(Mapping[str, Samples]):
    """What is in an archive, without folders. Of files of the same name the last counts; one that has none is called by
    its number in the archive, such as "3".

    Nothing is open or decoded between two calls, so that an archive can be pickled, and read by threads and forks.

    Args:
        source: path of the archive, or its bytes.
        entries: of its files.
    """

    def __init__(self, source: str | bytes, entries: tuple[Entry, ...]) -> None:
        self._source = source
        self._entries = {entry.name or str(i): entry for i, entry in enumerate(entries) if not entry.name.endswith("/")}

    def __getitem__(self, name: str) -> Samples:
        """The samples of a file.

        Raises:
            KeyError: there is none of that name.
            ArcompError: it is damaged, or its model is not here.
        """
        entry = self._entries[name]
        with said_of(self._said(name)):
            return files.samples_in(unpack(self._data(entry)), None, Execution())

    def file(self, name: str) -> bytes:
        """A file, bit for bit.

        Raises:
            KeyError, ArcompError: as of :meth:`__getitem__`; or it was made of an array, which came from no file.
        """
        entry = self._entries[name]
        with said_of(self._said(name)):
            return files.restored(unpack(self._data(entry)), None, Execution())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        source = repr(self._source) if isinstance(self._source, str) else f"{len(self._source)} bytes"
        return f"<Archive of {len(self)} files, {source}>"

    def _said(self, name: str) -> str:
        return f"{self._source}: {name}" if isinstance(self._source, str) else name

    def _data(self, entry: Entry) -> bytes:
        with _opened(self._source) as file:
            return read_entry(file, entry)


def of_file(source: str | bytes) -> Archive | None:
    """The archive that a file is; None for a compressed file, and for what is damaged at its beginning.

    Args:
        source: its path, or its bytes.

    Raises:
        ArcompError: it cannot be read.
    """
    with _opened(source) as file:
        try:
            found = read_archive(file)
        except ArcompError:
            return None
    return None if found.is_one_file else Archive(source, found.entries)


def _opened(source: str | bytes) -> BinaryIO:
    """A file to read parts of.

    Raises:
        ArcompError: it cannot be opened.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return open(source, "rb")
    except OSError as error:
        raise ArcompError(f"cannot be read: {error.strerror or error}", remedy="check the path", path=source) from error
