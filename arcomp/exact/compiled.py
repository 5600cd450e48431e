"""How loops are compiled: Numba, so that they keep to the order and the arithmetic that is written.

No fastmath, no parallel reductions: what is computed is the same on every machine. The interpreter's lock is released,
and compiled code is kept beside the source or in the user's cache folder.
"""

from __future__ import annotations

import gc
import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import numba
from numba.core.event import Event, Listener, register, unregister

from arcomp.exact.inner import Inner, InnerCompiler, OuterCompiler, Plain

F = TypeVar("F", bound=Callable[..., Any])


def kernel(
    allocates: bool = False, inner: bool = False, inline: str = "never", apart: bool = False
) -> Callable[[F], F]:
    """Compile a function of arrays, records and numbers when it is first called.

    Args:
        allocates: whether it makes arrays. If not, nothing is counted: passing twenty arrays on to a function that is
            called for each sample costs more in counted references than all the rest of a decision.
        inner: whether it is for kernels alone: not to be called from Python, and sooner compiled.
        inline: ``always`` for a small function of numbers, which kernels take in and Python runs as it is written.
        apart: whether kernels call it by its address (:mod:`arcomp.exact.apart`). Nothing is returned then.
    """
    fixed = {"nogil": True, "boundscheck": False, "error_model": "numpy", "_nrt": allocates}
    inner = inner or inline == "always"
    fixed |= {"no_cfunc_wrapper": not apart, "no_cpython_wrapper": inner, "forceinline": inline == "always"}

    def compiled(function: F) -> F:
        if inner:
            alone: F = numba.njit(pipeline_class=InnerCompiler, **fixed)(function)
            alone.__class__ = Plain if inline == "always" else Inner
            return alone
        if not allocates:
            fixed["pipeline_class"] = OuterCompiler
        try:
            made: F = numba.njit(cache=True, **fixed)(function)
        except RuntimeError:  # no folder to keep it in: a read-only installation and no home
            made = numba.njit(**fixed)(function)
        _mind_the_cache(made)
        return made

    return compiled


def _mind_the_cache(function: Any) -> None:
    """Use compiled code only with the sources it was made of.

    Numba looks at the file of the function alone, not at those of the functions it calls: after an update of some files
    it would go on with constants and formulas of before. And compiled code whose types have moved since cannot be read:
    it is forgotten.
    """
    cache = getattr(function, "_cache", None)
    load, save = getattr(cache, "load_overload", None), getattr(cache, "save_overload", None)
    index = getattr(cache, "_cache_file", None)
    if cache is None or load is None or save is None or index is None or not hasattr(index, "_source_stamp"):
        return
    own = Path(function.py_func.__code__.co_filename)
    ours = any(folder in own.parents for folder in _folders())
    index._source_stamp = _sources(), None if ours else index._source_stamp  # others' files by their times

    def load_or_forget(*args: Any) -> Any:
        try:
            return load(*args)
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            cache.flush()
            return None

    def save_under_its_own_name(key: Any, data: Any) -> None:
        """The code first, then the entry that leads to it.

        Numba numbers the files. Of two processes that compile a function for other types at once, the index of one
        would lead to the code of the other.
        """
        number = int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:6], "big")
        index._save_data(index._data_name(number), data)
        index._save_index({**index._load_index(), key: index._data_name(number)})

    def save_or_do_without(*args: Any) -> None:
        with suppress(OSError):  # a full disk, a quota: it is compiled again next time
            save(*args)

    index.save = save_under_its_own_name
    cache.load_overload = load_or_forget
    cache.save_overload = save_or_do_without


class Compiling(Listener):
    """Tells, as a context, of compiling that takes long; and Python collects no garbage in the meantime.

    Args:
        seconds: after the first kernel began to be compiled that was not kept from before.
        tell: called then with whether that one will be.
    """

    def __init__(self, seconds: float, tell: Callable[[bool], object]) -> None:
        self._seconds, self._tell = seconds, tell
        self._notice: Timer | None = None
        self._depth, self._collects = 0, False

    def __enter__(self) -> Compiling:
        register("numba:compile", self)
        return self

    def __exit__(self, *exc: object) -> None:
        unregister("numba:compile", self)
        if self._notice is not None:
            self._notice.cancel()

    def on_start(self, event: Event) -> None:
        self._depth += 1
        if self._depth == 1 and gc.isenabled():
            self._collects = True
            gc.disable()  # a tenth of the time would go into looking for what to free in all that a compiler keeps
        if self._notice is None:
            kept = hasattr(getattr(event.data["dispatcher"], "_cache", None), "_cache_file")
            self._notice = Timer(self._seconds, self._tell, [kept])
            self._notice.start()

    def on_end(self, event: Event) -> None:
        self._depth -= 1
        if self._depth == 0 and self._collects:
            self._collects = False
            gc.enable()


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
