"""How kernels are compiled sooner than Numba does it by itself.

Inner kernels, which only kernels call: Numba makes machine code of every function it compiles, though that of one that
is only called from others is never run: its intermediate code is linked into theirs and optimised and translated again,
at each level of calls. Here it is only linked; the outermost kernel is optimised with all that it calls.

Outer kernels: Numba optimises each function, then all of them together, and then once more, so as to see which counts
of references cancel out. Kernels that count none are optimised once.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.targetconfig import ConfigStack
from numba.core.typed_passes import (
    AnnotateTypes,
    InlineOverloads,
    NativeLowering,
    NopythonRewrites,
    NopythonTypeInference,
)
from numba.core.untyped_passes import (
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    WithLifting,
)


class Inner(CPUDispatcher):
    """A kernel that only kernels can call: there is nothing to be called from Python, where it would crash."""

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.__name__} is for kernels alone")

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """With constants as numbers like others: or each constant would have a version of its own compiled."""
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    def add_overload(self, compiled: Any) -> None:
        """For callers that are compiled, not for calls from Python."""
        self.overloads[tuple(compiled.signature.args)] = compiled


class Plain(Inner):
    """An inner kernel that Python may call: it runs as the Python function that it is written as."""

    def __call__(self, *args: Any) -> Any:
        return self.py_func(*args)


class _OuterLibrary(JITCodeLibrary):
    """Machine code that is optimised once, as a whole."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class _InnerLibrary(_OuterLibrary):
    """Intermediate code to be linked into another library."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _OuterLowering(NativeLowering):
    """Lowering to a library of the first kind."""

    _name = "outer_lowering"

    def run_pass(self, state: Any) -> bool:
        """As any pass."""
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.enable_object_caching()
        state.library.__class__ = _OuterLibrary
        with _SIGNATURES:
            changed: bool = super().run_pass(state)
        return changed


@register_pass(mutates_CFG=True, analysis_only=False)
class _InnerLowering(NativeLowering):
    """Lowering to a library of the second kind."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        """As any pass."""
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.__class__ = _InnerLibrary
        state.flags.no_compile = True
        with _SIGNATURES:
            super().run_pass(state)
        name = object()  # what callers' types know this function by, in place of a pointer
        state.targetctx.insert_user_function(name, state.cr.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = state.cr._replace(cfunc=name)
        return True


class _Signatures:
    """What built-in functions give for arguments of given types, remembered, as a context around a pass.

    Numba asks each of the dozens of meanings that an operator has (of strings, of sets, of dates) each time that the
    operator is met, in inference and again in lowering: a quarter of all the time of compiling.
    """

    def __init__(self) -> None:
        self._flags: Any = None
        self._own: dict[Any, Any] = {}
        self._seen: dict[str, dict[Any, Any]] = {}
        self._depth = 0
        self._numba: Any = None

    def __enter__(self) -> None:
        """Numba's lock of the compiler is held."""
        if self._depth == 0:
            self._numba = types.Function.get_call_type
            types.Function.get_call_type = lambda function, *given: self._look_up(function, *given)
        self._depth += 1

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            del types.Function.get_call_type  # that of its base is found again

    def _look_up(self, function: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return self._numba(function, context, args, kws)
        flags = ConfigStack.top_or_none()  # what is called is compiled with these
        if flags is not self._flags:
            self._flags, self._own = flags, self._seen.setdefault(repr(flags), {})
        key = (id(function), id(context), tuple(args))
        found = self._own.get(key)
        if found is None:
            own = self._own  # others may be current after the call
            found = own[key] = self._numba(function, context, args, kws), function, context
        return found[0]


_SIGNATURES = _Signatures()


@register_pass(mutates_CFG=True, analysis_only=False)
class _Inference(NopythonTypeInference):
    """Type inference that remembers."""

    _name = "remembering_type_inference"

    def run_pass(self, state: Any) -> bool:
        """As any pass."""
        with _SIGNATURES:
            changed: bool = super().run_pass(state)
        return changed


_LEFT_OUT = (
    AnnotateTypes,
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    InlineOverloads,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    NopythonRewrites,
    WithLifting,
)
"""Passes for what kernels do not have (inner functions, ``with``, literals as types, sums of whole arrays), and those
that inline: LLVM does that sooner. They also remove what they take for dead, such as writing to an array of a record
that was reached by way of a tuple."""


class _Compiler(CompilerBase):
    """Numba's passes with another lowering, without some."""

    lowering: Any

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        kept = [pair for pair in passes.passes if pair[0] not in _LEFT_OUT]
        own = {NativeLowering: self.lowering, NopythonTypeInference: _Inference}
        passes.passes = [(own.get(one, one), why) for one, why in kept]
        passes._finalized = False
        passes.finalize()
        return [passes]


class InnerCompiler(_Compiler):
    """Of inner kernels."""

    lowering = _InnerLowering


class OuterCompiler(_Compiler):
    """Of outer kernels that count no references."""

    lowering = _OuterLowering
