"""Kernels for kernels alone: compiled to intermediate code that goes into their callers, where it is optimised.

Numba makes machine code of every function it compiles, though that of one that is only called from others is never
run: its intermediate code is linked into theirs and optimised and translated again, at each level of calls. Leaving
that out for all but the outermost makes the first use a third sooner.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering


class Inner(CPUDispatcher):  # type: ignore[misc]
    """A kernel that only kernels can call: there is nothing to be called from Python, where it would crash."""

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.__name__} is for kernels alone")

    def add_overload(self, compiled: Any) -> None:
        """For callers that are compiled, not for calls from Python."""
        self.overloads[tuple(compiled.signature.args)] = compiled


class _Library(JITCodeLibrary):  # type: ignore[misc]
    """Intermediate code to be linked into another library."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _Lowering(NativeLowering):  # type: ignore[misc]
    """Lowering to a library of that kind."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        """As any pass."""
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.__class__ = _Library
        state.flags.no_compile = True
        super().run_pass(state)
        name = object()  # what callers' types know this function by, in place of a pointer
        state.targetctx.insert_user_function(name, state.cr.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = state.cr._replace(cfunc=name)
        return True


class InnerCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's passes with that lowering."""

    def define_pipelines(self) -> list[Any]:
        """See :class:`numba.core.compiler.CompilerBase`."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_Lowering if one is NativeLowering else one, why) for one, why in passes.passes]
        passes._finalized = False
        passes.finalize()
        return [passes]
