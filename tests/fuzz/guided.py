"""Fuzzing guided by coverage, by atheris, where that is installed; the targets are those of tests/fuzz/targets.py.

    python -m tests.fuzz.guided pictures -max_total_time=600 -timeout=10 CORPUS

Options are libFuzzer's. The folder CORPUS is optional; files that tell new branches apart are added to it. It begins
with small specimens.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


def functions(module: ModuleType) -> list[FunctionType]:
    """Functions and methods of a module; kernels are none."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    inside = [one for value in own if isinstance(value, type) for one in vars(value).values()]
    return [value for value in own + inside if isinstance(value, FunctionType)]


def main() -> None:
    """Fuzz the target that is named first until something goes wrong."""
    import atheris

    from tests.fuzz.targets import case, outcome

    for name, module in [*sys.modules.items()]:
        if name.startswith(("arcomp.container", "arcomp.formats", "arcomp.form")):
            for function in functions(module):
                atheris.instrument_func(function)
    target = sys.argv[1]
    names: dict[bytes, str] = {}
    corpus = Path(tempfile.mkdtemp())
    for number in range(200):
        data, name = case(target, 0, number)
        names[data] = name
        (corpus / str(number)).write_bytes(data)

    def one(data: bytes) -> None:
        outcome(target, data, names.get(data, next(iter(names.values()))))

    def mutate(data: bytes, most: int, seed: int) -> Any:
        """Every other time by what knows the layout."""
        if seed % 2:
            return atheris.Mutate(data, most)
        made, _ = case(target, seed, len(data))
        return made[:most]

    arguments = [sys.argv[0], *sys.argv[2:], str(corpus)]
    atheris.Setup(arguments, one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
