"""Kernels that are compiled apart from those that call them: each kept by itself, some by a second process.

A kernel that calls others is compiled together with them, and nothing of it can begin before all of them are there. One
that is called once for a front, and not for each sample, may as well be called by its address: what calls it is then
compiled in a moment, and the parts are compiled side by side while nothing is kept from before.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from arcomp.exact.threads import threads

LONGEST = 300.0
"""Seconds after which a process that compiles is not waited for."""
Wanted = tuple[Any, tuple[Any, ...]]
"""A kernel made with ``apart``, and arguments like those that it will get."""
_lock = Lock()
_begun: dict[tuple[Any, tuple[Any, ...]], subprocess.Popen[bytes]] = {}


def _forget_others() -> None:
    """In a fork: another thread may have held the lock, and the processes are its parent's."""
    global _lock
    _lock = Lock()
    _begun.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_others)


@intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call, inside a kernel, the one at an address (:func:`address`) with a tuple of records and numbers."""
    kinds = [types.int64 if isinstance(kind, types.Integer) else kind for kind in map(types.unliteral, arguments)]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        values = [builder.extract_value(args[1], i) for i in range(len(kinds))]
        nothing = context.get_value_type(types.none)
        function = ir.FunctionType(nothing, [context.get_value_type(kind) for kind in kinds])
        builder.call(builder.inttoptr(args[0], function.as_pointer()), values)
        return context.get_dummy_value()

    return types.none(types.int64, types.Tuple(kinds)), generate


def address(kernel: Any, arguments: tuple[Any, ...]) -> int:
    """Where a kernel's machine code is, for arguments of these types; it is compiled if it has to be."""
    kinds = _types(arguments)
    with _lock:
        process = _begun.get((kernel, kinds))
    if process is not None and kinds not in kernel.overloads:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LONGEST)
    kernel.compile(kinds)  # or found where the process has kept it
    made = kernel.overloads[kinds]
    found: int = made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)
    return found


def settle() -> None:
    """Wait for what second processes compile, so that nobody compiles the same kernels once more."""
    with _lock:
        processes = set(_begun.values())
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LONGEST)


def begin(wanted: Sequence[Wanted]) -> bool:
    """Have kernels compiled by a second process, if they are not kept from before and there is a processor for it.
    :func:`address` waits for it. Without one nothing happens: they are compiled when they are asked for.

    Returns:
        whether there is one.
    """
    missing = [(kernel, _types(arguments)) for kernel, arguments in wanted]
    with _lock:
        missing = [one for one in missing if one not in _begun and not _is_kept(*one)]
        if not missing or not _can_begin():
            return False
        named = [(kernel.py_func.__module__, kernel.py_func.__qualname__, kinds) for kernel, kinds in missing]
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        with suppress(OSError):
            process = subprocess.Popen(
                [sys.executable, "-c", "from arcomp.exact import apart; apart.main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": paths},
            )
            assert process.stdin is not None
            with process.stdin as pipe:
                pipe.write(pickle.dumps(named))
            _begun.update(dict.fromkeys(missing, process))
            return True
    return False


def main() -> None:
    """What that process does: compile, and keep, the kernels that standard input names."""
    import gc

    gc.disable()
    for module, name, kinds in pickle.load(sys.stdin.buffer):
        getattr(import_module(module), name).compile(kinds)


def _types(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(types.unliteral(numba.typeof(argument)) for argument in arguments)


def _can_begin() -> bool:
    """Whether a second thread is wanted, and the Python to be started is none other than this one."""
    python = Path(sys.executable or "").name.startswith("python") and not getattr(sys, "frozen", False)
    return python and threads() > 1


def _is_kept(kernel: Any, kinds: tuple[Any, ...]) -> bool:
    """Whether a kernel is compiled, or kept, or cannot be kept: then no other process can help."""
    cache = kernel._cache
    index = getattr(cache, "_cache_file", None)
    if kinds in kernel.overloads or index is None:
        return True
    try:
        return cache._index_key(kinds, kernel.targetctx.codegen()) in index._load_index()
    except (OSError, AttributeError, ImportError, EOFError, pickle.UnpicklingError):
        return False
