"""How loops are compiled: Numba, so that they keep to the order and the arithmetic that is written.

No fastmath, no parallel reductions: what is computed is the same on every machine. The interpreter's lock is released,
and compiled code is kept beside the source or in the user's cache folder (:mod:`arcomp.exact.kept`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from threading import Timer
from typing import Any, TypeVar

import numba
from numba.core.event import Event, Listener, register, unregister

from arcomp.exact import kept
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
        kept.mind(made)
        return made

    return compiled


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
