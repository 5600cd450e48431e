"""Compiled kernels as other processors would run them: ``python -m tests.everywhere.machine_code [--all]``.

LLVM, as Numba brings it along, can emit code for processors that are not here. A fused multiply-add rounds once where
two operations round twice: a compiler that makes one of a product and a sum would change files. It may where an
operation carries a fast-math flag, or where fusing is asked for by name; and what it then did shows in the code.

Exit status 1 if anything is found, or if the check does not find what it must (an operation fused on purpose).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Before Numba is imported: vectors of the least that there is, and no code from earlier.
os.environ.update(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")

import llvmlite.binding as llvm
import numpy as np
from numba.core.codegen import CPUCodeLibrary

from arcomp.exact.inner import _OuterLibrary

FLAGS = re.compile(r"= f(?:add|sub|mul|div|neg|cmp)\s+(?:fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b")
ASKED = re.compile(r"@llvm\.(?:fma|fmuladd|experimental\.constrained\.fma)\b")

ARM = r"fn?m(?:add|sub)|fml[as]\w*|fcmla|bfml\w*|fn?ml[as]|fn?m[as][db]"
X86 = r"vfn?m(?:add|sub|addsub|subadd)(?:132|213|231)[sp][sdh]"
POWER = r"fn?m(?:add|sub)s?|x[sv]n?m(?:add|sub)[am][ds]p|vn?m(?:add|sub)fp"
Z = r"m[as][ed]br?|[vw]fn?m[as](?:[sd]b)?"
RISCV = r"fn?m(?:add|sub)\.[sdh]|vfn?m(?:acc|sac|add|sub)\.v[vf]"
CALLED = r"(?:bl|call\w*|jal|brasl)\s+(?:%\w+,\s*)?\*?fmaf?\b"


@dataclass(frozen=True)
class Target:
    """A processor to emit code for, and how its fused operations are called."""

    triple: str
    cpu: str
    fused: str
    features: str = ""
    model: str = "default"

    def machine(self) -> llvm.TargetMachine:
        found = llvm.Target.from_triple(self.triple)
        return found.create_target_machine(cpu=self.cpu, features=self.features, opt=3, jit=True, codemodel=self.model)


TARGETS = (
    Target("aarch64-linux-gnu", "generic", ARM, "+neon"),
    Target("aarch64-linux-gnu", "neoverse-v1", ARM),
    Target("arm64-apple-macosx", "apple-m1", ARM),
    Target("powerpc64le-linux-gnu", "pwr9", POWER),
    Target("s390x-linux-gnu", "z14", Z, model="small"),
    Target("riscv64-linux-gnu", "generic-rv64", RISCV, "+m,+a,+f,+d,+v"),
    Target("x86_64-linux-gnu", "haswell", X86),
    Target("x86_64-linux-gnu", "skylake-avx512", X86),
)

CONTROL = """
declare float @llvm.fma.f32(float, float, float)
declare double @llvm.fma.f64(double, double, double)
declare <4 x double> @llvm.fma.v4f64(<4 x double>, <4 x double>, <4 x double>)
define double @alone(double %a, double %b, double %c) {
  %r = call double @llvm.fma.f64(double %a, double %b, double %c)
  ret double %r
}
define float @single(float %a, float %b, float %c) {
  %r = call float @llvm.fma.f32(float %a, float %b, float %c)
  ret float %r
}
define void @many(ptr %p) {
  %a = load <4 x double>, ptr %p
  %r = call <4 x double> @llvm.fma.v4f64(<4 x double> %a, <4 x double> %a, <4 x double> %a)
  store <4 x double> %r, ptr %p
  ret void
}
"""
"""Operations fused on purpose: all must be seen."""
ALLOWED = """
define double @sum(double %a, double %b, double %c) {
  %m = fmul contract double %a, %b
  %r = fadd contract double %m, %c
  ret double %r
}
"""
"""A product and a sum that may be fused: seen by its flag, and by what each target makes of it."""


def emit(code: str, target: Target, machine: llvm.TargetMachine) -> str:
    """Assembly of LLVM's language, whatever processor it was written for."""
    code = re.sub(r'^target (triple|datalayout) = ".*"$', "", code, flags=re.M)
    code = re.sub(r'"(?:target-cpu|target-features|tune-cpu)"="[^"]*"', "", code)
    module = llvm.parse_assembly(
        f'target triple = "{target.triple}"\ntarget datalayout = "{machine.target_data}"\n{code}'
    )
    return str(machine.emit_assembly(module))


def fused(assembly: str, target: Target) -> list[str]:
    """Names of fused operations, and calls of the C library's."""
    return re.findall(rf"^\s+((?:{target.fused})(?=[\s.])|{CALLED})", assembly, re.M)


@dataclass
class Seen:
    """Optimised code of every library that Numba finishes, by name.

    Numba says nothing of those it compiles for other kernels alone, so its own step is watched.
    """

    code: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Seen:
        self._real = [(kind, kind._optimize_final_module) for kind in (CPUCodeLibrary, _OuterLibrary)]

        def watch(kind: Any, real: Any) -> None:
            def watched(library: CPUCodeLibrary) -> object:
                told = real(library)
                self.code[library.name] = str(library._final_module)
                return told

            kind._optimize_final_module = watched

        for kind, real in self._real:
            watch(kind, real)
        return self

    def __exit__(self, *exc: object) -> None:
        for kind, real in self._real:
            kind._optimize_final_module = real  # type: ignore[method-assign]


def compile_kernels(everything: bool) -> dict[str, str]:
    """What the codec compiles for a picture of a model of each kind, or of every model of the laws."""
    from tests.coded import decode, encode
    from tests.contents import pictures
    from tests.specimens import LEARNERS, MODELS

    os.environ["ARCOMP_CODER"] = "own"
    few = {"photo similarity rgb", "photo three windows gray", "photo online rgb"}
    learners = {n: (make(), channels, 8) for n, (make, channels) in LEARNERS.items() if everything or n in few}
    kinds: dict[type, str] = {}
    for name, (make, _, _) in MODELS.items():
        kinds.setdefault(type(make()), name)
    others = {n: (make(), c, depth) for n, (make, c, depth) in MODELS.items() if everything or n in kinds.values()}
    with Seen() as seen:
        for model, channels, depth in [*learners.values(), *others.values()]:
            pixels = pictures("smooth", (5, 6, channels), depth)[None]
            for naive in (False, True):
                assert np.array_equal(
                    decode(encode(pixels, depth, model, threads=1).data, model=model, naive=naive)[0], pixels
                )
    return seen.code


def flagged(code: dict[str, str]) -> Iterator[str]:
    """Libraries whose code allows fusing."""
    for name, text in code.items():
        for found in (*FLAGS.findall(text)[:1], *ASKED.findall(text)[:1]):
            yield f"{name}: {found}"


def check(code: dict[str, str], targets: Iterable[Target] = TARGETS) -> list[str]:
    """What is wrong with the code of kernels, and a line of what was seen for each target."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    wrong = list(flagged(code))
    if not list(flagged({"control": CONTROL})) or not list(flagged({"allowed": ALLOWED})):
        wrong.append("the check of flags finds nothing")
    for target in targets:
        machine = target.machine()
        controls = [fused(emit(text, target, machine), target) for text in (CONTROL, ALLOWED)]
        if len(controls[0]) < 3 or not controls[1]:
            wrong.append(f"{target.cpu}: fused operations are not seen: {controls}")
        hits: Counter[str] = Counter()
        lines = skipped = 0
        for name, text in code.items():
            if "@llvm.x86." in text:
                skipped += 1
                continue
            assembly = emit(text, target, machine)
            lines += assembly.count("\n")
            found = fused(assembly, target)
            hits.update(found)
            wrong += [f"{target.triple} {target.cpu}: {name}: {found[0]}"] if found else []
        print(f"{target.triple} {target.cpu}: {len(code) - skipped} libraries, {lines} lines, "
              f"{sum(hits.values())} fused {dict(hits) or ''}; {skipped} left out", flush=True)  # fmt: skip
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every model of the laws, not one of each kind")
    code = compile_kernels(parser.parse_args().all)
    floats = sum(len(re.findall(r"= f(?:add|sub|mul|div)\b", text)) for text in code.values())
    print(f"{len(code)} libraries, {floats} operations in floating point")
    wrong = check(code)
    if not floats or len(code) < 20:
        wrong.append("too little was compiled: kernels came from a cache")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
