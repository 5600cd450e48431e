"""Compiled code that is kept from one process to the next: only with the sources it was made of, and only undamaged.

A file of it begins with a digest of the rest. One flipped bit in machine code would crash, or compute what is wrong and
agree with itself, for coding and verifying run the same code. What cannot be read, or is not what was written, is
compiled anew and written again.
"""

from __future__ import annotations

import hashlib
import pickle
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, IndexDataCacheFile

DIGEST = 32
"""Bytes of a digest."""
_caches: list[Any] = []


def mind(function: Any) -> None:
    """Have a kernel's compiled code kept in this way.

    Numba looks at the file of the function alone, not at those of the functions it calls: after an update of some files
    it would go on with constants and formulas of before.

    Args:
        function: a dispatcher of Numba's; without a cache nothing happens.
    """
    cache = getattr(function, "_cache", None)
    load, save = getattr(cache, "load_overload", None), getattr(cache, "save_overload", None)
    index = getattr(cache, "_cache_file", None)
    if cache is None or load is None or save is None or not isinstance(index, IndexDataCacheFile):
        return
    own = Path(function.py_func.__code__.co_filename)
    ours = any(folder in own.parents for folder in _folders())
    index._source_stamp = _sources(), None if ours else index._source_stamp  # others' files by their times
    index.__class__ = _Checked
    _caches.append(cache)

    def load_or_forget(*args: Any) -> Any:
        try:
            return load(*args)
        except Exception:  # whatever unpickling and linking make of code whose types have moved since
            with suppress(OSError):
                cache.flush()
            return None

    def save_or_do_without(*args: Any) -> None:
        forget_answers()
        with suppress(OSError):  # a full disk, a quota: it is compiled again next time
            save(*args)

    cache.load_overload = load_or_forget
    cache.save_overload = save_or_do_without


class _Checked(IndexDataCacheFile):  # type: ignore[misc]
    """Files that begin with a digest of what follows it."""

    def save(self, key: Any, data: Any) -> None:
        """The code first, then the entry that leads to it.

        Numba numbers the files. Of two processes that compile a function for other types at once, the index of one
        would lead to the code of the other.
        """
        number = int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:6], "big")
        self._save_data(self._data_name(number), data)
        self._save_index({**self._load_index(), key: self._data_name(number)})

    def _load_index(self) -> dict[Any, str]:
        try:
            version, stamp, overloads = pickle.loads(_read(self._index_path))
        except Exception:
            return {}
        found: dict[Any, str] = overloads if (version, stamp) == (self._version, self._source_stamp) else {}
        return found

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _load_data(self, name: str) -> Any:
        return pickle.loads(_read(self._data_path(name)))

    def _save_data(self, name: str, data: Any) -> None:
        self._write(self._data_path(name), self._dump(data))

    def _write(self, path: str, data: bytes) -> None:
        with self._open_for_write(path) as file:
            file.write(_digest(data) + data)


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.sha256(data).digest()


def _read(path: str) -> memoryview:
    """What was written to a file.

    Raises:
        OSError: it is not there, or is damaged: for Numba the same.
    """
    data = memoryview(Path(path).read_bytes())
    if _digest(data[DIGEST:]) != data[:DIGEST]:
        raise OSError("damaged")
    return data[DIGEST:]


def answered(question: str) -> bool:
    """Whether kernels gave a known answer since one was last compiled; false where nothing is kept."""
    folder = _folder()
    return folder is not None and (folder / _mark(question)).exists()


def remember_answer(question: str) -> None:
    """Remember that they did."""
    folder = _folder()
    with suppress(OSError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _mark(question)).touch()


def forget_answers() -> None:
    """Ask again, as something was compiled anew."""
    folder = _folder()
    for path in folder.glob(_mark("*")) if folder else ():
        with suppress(OSError):
            path.unlink()


def forget_all() -> None:
    """Have the next process compile all kernels anew that this one knows of."""
    forget_answers()
    for cache in _caches:
        with suppress(OSError):
            cache.flush()


def _mark(question: str) -> str:
    """The name of an empty file that says that a question was answered rightly; "*" for all questions."""
    named = "*" if question == "*" else hashlib.sha256(f"{_sources()} {question}".encode()).hexdigest()[:16]
    return f"arcomp-{named}.known"


@lru_cache(maxsize=1)
def _folder() -> Path | None:
    """Where compiled code of this file would be kept."""
    try:
        return Path(CompileResultCacheImpl(_digest).locator.get_cache_path())
    except RuntimeError:  # no folder can be written to
        return None


@lru_cache(maxsize=1)
def _folders() -> list[Path]:
    """Where source files are that kernels may be in."""
    models = find_spec("arcomp.models")
    return [Path(__file__).parents[1], *map(Path, (models.submodule_search_locations if models else None) or [])]


@lru_cache(maxsize=1)
def _sources() -> str:
    """A digest of names and contents of all these files: a fresh checkout of the same files, or one that was touched,
    goes on with what was compiled before."""
    seen = hashlib.sha256()
    for folder in _folders():
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            seen.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return seen.hexdigest()
