"""Files elsewhere: whatever fsspec, where it is installed, opens by a URL (s3://, http://, memory:// and many more)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from arcomp.batch.trees import FILE, Seen
from arcomp.errors import ArcompError, ExistsError, OutputError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(name: str | None) -> bool:
    """Whether a name is a URL, and not that of a file which is here."""
    return name is not None and _URL.match(name) is not None and not os.path.lexists(name)


def listed(url: str, within: str) -> Iterator[Seen]:
    """A file, or all files below a folder, by names.

    Args:
        within: what paths of what is in the folder begin with, "" or a path; the file's own path.

    Raises:
        ArcompError: it cannot be looked at.
    """
    with _said_of(url):
        system, path = _opened(url)
        if not system.isdir(path):
            yield Seen(url, within, FILE, int(system.size(path) or 0))
            return
        protocol = url.partition("://")[0]
        for found, about in sorted(system.find(path, detail=True).items()):
            inner = found[len(path) :].lstrip("/")
            name = f"{protocol}://{found.lstrip('/') if protocol == 'memory' else found}"
            yield Seen(name, f"{within}/{inner}" if within else inner, FILE, int(about.get("size") or 0))


def read(url: str) -> bytes:
    """All bytes of a file.

    Raises:
        ArcompError: it cannot be read.
    """
    with _said_of(url):
        system, path = _opened(url)
        data = system.cat_file(path)
        return bytes(data)


def check_writable(url: str, overwrite: bool) -> None:
    """Refuse to replace a file that is there.

    Raises:
        ExistsError: it is there and is not to be replaced.
        ArcompError: it cannot be looked for.
    """
    with _said_of(url):
        system, path = _opened(url)
        if not overwrite and system.exists(path):
            raise ExistsError("exists already", remedy="-f overwrites it, -o names another", path=url)


def write(url: str, data: bytes, overwrite: bool) -> None:
    """Write a file, all at once; stores of objects show it when it is whole.

    Raises:
        ExistsError, ArcompError: as of :func:`check_writable`; or it cannot be written.
    """
    check_writable(url, overwrite)
    with _said_of(url):
        system, path = _opened(url)
        parent = path.rpartition("/")[0]
        if parent:
            system.makedirs(parent, exist_ok=True)
        system.pipe_file(path, data)


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise ArcompError("URLs need fsspec", remedy="install it with pip install fsspec") from error
    system, path = url_to_fs(url)
    return system, str(path)


@contextmanager
def _said_of(url: str) -> Iterator[None]:
    """Whatever a file system raises, in one line that names the URL.

    Raises:
        ArcompError: for that.
    """
    try:
        yield
    except ArcompError as error:
        error.at(url)
        raise
    except FileNotFoundError as error:
        raise ArcompError("does not exist", remedy="check the URL", path=url) from error
    except Exception as error:  # a file system may raise anything
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise OutputError(f"cannot be reached: {said}", remedy="check the URL", path=url) from error
