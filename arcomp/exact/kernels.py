"""How loops are compiled: Numba, so that they keep to the order and the arithmetic that is written.

No fastmath, no parallel reductions: what is computed is the same on every machine. The interpreter's lock is released,
and compiled code is kept beside the source or in the user's cache folder.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(**options: Any) -> Callable[[F], F]:
    """Compile a function of arrays and integers when it is first called.

    Args:
        options: further options of ``numba.njit``, such as ``inline``.
    """
    fixed = {"nogil": True, "boundscheck": False, "error_model": "numpy", **options}

    def compiled(function: F) -> F:
        try:
            made: F = numba.njit(cache=True, **fixed)(function)
        except RuntimeError:  # no folder to keep it in: a read-only installation and no home
            made = numba.njit(**fixed)(function)
        _forget_stale(made)
        return made

    return compiled


def _forget_stale(function: Any) -> None:
    """Let compiled code that cannot be read (another release's, whose types have moved) be compiled again."""
    cache = getattr(function, "_cache", None)
    load = getattr(cache, "load_overload", None)
    if cache is None or load is None:
        return

    def load_or_forget(*args: Any) -> Any:
        try:
            return load(*args)
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            cache.flush()
            return None

    cache.load_overload = load_or_forget
