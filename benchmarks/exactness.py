"""The exactness matrix: every combination writes the same files, and reads all of them to the same pixels.

``python -m benchmarks.exactness [PATH...] [--models context] [--full] [--csv F] [--json F]``
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from arcomp.errors import ArcompError, PictureError
from arcomp.measure import tables
from arcomp.measure.codecs import Pixels
from arcomp.measure.inputs import read
from arcomp.measure.tables import Column
from benchmarks import children, inputs, outputs
from benchmarks.choice import MODELS_HELP, all_models, model_names
from benchmarks.outputs import say
from benchmarks.specimens import SEPARATOR, Specimen, built_in

REFERENCE = children.ROOT / "tests" / "format" / "reference.py"
UNKNOWN = "unknown model"
"""What that decoder says of a model that it has not."""
CAPABILITIES = ("default", "avx2", "avx512")
"""What processors' vectors can, each including those before it; values of ATEN_CPU_CAPABILITY."""
ISAS = ("AVX2", "AVX512_CORE")
BACKENDS = ("int8", "float32", "float64")
CODERS = ("own", "constriction")
_AVX2 = "+avx2,+fma,+avx,+sse4.2,+ssse3,+popcnt"
PROCESSORS = {
    "generic": "",
    "nehalem": "+sse4.2,+ssse3,+popcnt",
    "haswell": _AVX2,
    "skylake-avx512": f"{_AVX2},+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd",
}
"""Values of NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, from products by shifts and multiplications alone to vectors of 64
bytes."""
_NEEDS = {"haswell": "avx2", "skylake-avx512": "avx512"}
SMALL_CHUNK, LARGE_CHUNK = 1, 1 << 20
Row = dict[str, Any]


@dataclass(frozen=True)
class Combination:
    """One way to compute the same thing; None leaves a setting as it is.

    Attributes:
        threads: for all libraries.
        aten: ATEN_CPU_CAPABILITY, torch's instruction set; nothing but the device torch looks at it.
        onednn: ONEDNN_MAX_CPU_ISA, that of its integer products.
        numba: NUMBA_CPU_NAME, the processor that kernels are compiled for, with its NUMBA_CPU_FEATURES.
        backend: ARCOMP_BACKEND, how integer matrices are multiplied.
        coder: ARCOMP_CODER, whose range coder codes distributions.
        chunk: CHUNK of arcomp.contract.distributions and arcomp.models.photo.strip: positions evaluated at a time.
        decoder: "fronts" or "naive".
        device: where pictures are encoded: "cpu" (NumPy and compiled loops), "torch" (torch on the processor), "cuda".
    """

    threads: int = 1
    aten: str | None = None
    onednn: str | None = None
    numba: str | None = None
    backend: str | None = None
    coder: str | None = None
    chunk: int | None = None
    decoder: str = "fronts"
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What differs from the first combination, in one line."""
        usual = Combination()
        parts = {k: v for k, v in vars(self).items() if v != getattr(usual, k)}
        return " ".join(f"{k}={v}" for k, v in parts.items()) or "as installed, threads=1"

    def environment(self, numba_cache: str) -> dict[str, str | None]:
        """Variables of its process; compiled code is cached apart from other programs', and by processor."""
        return {
            **children.limit_threads(self.threads),
            "ATEN_CPU_CAPABILITY": self.aten,
            "ONEDNN_MAX_CPU_ISA": self.onednn,
            "NUMBA_CPU_NAME": self.numba,
            "NUMBA_CPU_FEATURES": PROCESSORS.get(self.numba or ""),
            "ARCOMP_BACKEND": self.backend,
            "ARCOMP_CODER": self.coder,
            "NUMBA_CACHE_DIR": f"{numba_cache}-{self.numba or 'here'}",
            "OMP_WAIT_POLICY": "passive",  # threads that spin make small products slow on a busy machine
        }


def combinations(full: bool) -> Iterator[Combination]:
    """The first is what others are compared with; then one setting at a time and some corners, or all."""
    first = Combination()
    yield first
    axes: dict[str, tuple[Any, ...]] = {
        "threads": (1, 2),
        "numba": (None, *PROCESSORS),
        "backend": (None, *BACKENDS),
        "coder": (None, *CODERS),
        "chunk": (SMALL_CHUNK, LARGE_CHUNK) if full else (None, SMALL_CHUNK, LARGE_CHUNK),
    }
    if full:
        for values in itertools.product(*axes.values()):
            yield Combination(**dict(zip(axes, values, strict=True)))
    else:
        for name, values in axes.items():
            # without a backend `photo` is coded by kernels alone, which a chunk's size does not touch
            usual = replace(first, backend="int8") if name == "chunk" else first
            yield from (replace(usual, **{name: v}) for v in values if v != getattr(first, name))
        for backend in BACKENDS:
            yield Combination(2, numba="generic", backend=backend, coder="own", chunk=SMALL_CHUNK)
    yield from on_torch(full)
    yield replace(first, decoder="naive")
    yield replace(first, decoder="naive", backend="float64")


def on_torch(full: bool) -> Iterator[Combination]:
    """Those that encode by torch on the processor."""
    first = Combination(device="torch", backend="int8")
    yield first
    yield from (replace(first, aten=capability) for capability in CAPABILITIES)
    yield from (replace(first, onednn=isa) for isa in ISAS)
    for backend in BACKENDS if full else BACKENDS[1:]:
        yield replace(first, backend=backend, threads=2, aten="default", onednn="AVX2", chunk=SMALL_CHUNK)


def on_cuda(present: bool) -> Iterator[Combination]:
    """Those that encode on a CUDA device; a single one, to be skipped, where there is none."""
    yield Combination(device="cuda")
    if not present:
        return
    for backend in BACKENDS:
        yield Combination(device="cuda", backend=backend)
    yield Combination(device="cuda", chunk=SMALL_CHUNK)


class Matrix:
    """The comparison.

    Args:
        specimens: pictures.
        models: names.
        folder: for files, removed by whoever made it.
    """

    def __init__(self, specimens: Sequence[Specimen], models: Sequence[str], folder: Path) -> None:
        self.folder, self.models = folder, models
        self.rows: list[Row] = []
        self.files: dict[str, str] = {}
        self.capability, self.devices = "", ["cpu"]
        self.right = {
            s.name: hashlib.sha256(s.file).hexdigest() if s.file else pixels_digest(s.pixels) for s in specimens
        }
        self.tiny = {s.name for s in specimens if s.tiny}
        (folder / "files").mkdir()
        for specimen in specimens:
            np.save(folder / f"{specimen.name}.npy", specimen.pixels)
        (folder / "specimens.json").write_text(json.dumps([s.about() for s in specimens]), encoding="utf-8")

    def compare(self, combination: Combination) -> Row:
        """Run one combination and compare it with the first."""
        row: Row = {"combination": combination.name, **vars(combination)}
        began = time.perf_counter()
        if why := self._missing(combination):
            return self._keep(row | {"said": f"skipped: {why}"}, began)
        request = {"folder": str(self.folder), "models": list(self.models), "first": not self.files}
        request |= {k: getattr(combination, k) for k in ("threads", "chunk", "decoder", "device")}
        environment = combination.environment(str(self.folder / "numba"))
        found = children.ask("benchmarks.exactness_child", request, environment)
        if "error" in found:
            # A backend that fails its self-test writes nothing; if none was asked for, that must not happen.
            refused = found.get("kind") == "ExactnessError" and combination.backend
            said = f"{'refused' if refused else 'failed'}: {found['error']}"
            return self._keep(row | {"said": said, "bad": not refused}, began)
        if not self.files:
            self.files, self.capability, self.devices = found["files"], found["capability"], found["devices"]
        return self._keep(row | self._judge(found), began)

    def _judge(self, found: Mapping[str, Any]) -> Row:
        """What a combination wrote and read, beside what is right."""
        files, pixels = found["files"], found["pixels"]
        row: Row = {"capability": found["capability"], "chosen": found["backend"], "pixels": short(pixels)}
        right = {name: self.right[name.split(SEPARATOR, 1)[1]] for name in pixels}
        errors = {n: f" ({error})" for n, error in found["errors"].items() if error}
        wrong = [f"pixels of {n}{errors.get(n, '')}" for n in pixels if pixels[n] != right[n]]
        row["pixels_same"] = pixels == right and bool(pixels)
        if files is not None:
            row |= {"files": short(files), "files_same": files == self.files}
            names = sorted(files.keys() | self.files.keys())
            wrong = [f"file {n}" for n in names if files.get(n) != self.files.get(n)] + wrong
        row |= {"read": len(pixels), "bad": bool(wrong) or not pixels}
        return row | ({"said": "DIFFERENT: " + ", ".join(wrong)} if wrong else {})

    def _missing(self, combination: Combination) -> str:
        """Why a combination cannot be run on this machine."""
        known = [c.upper() for c in CAPABILITIES]
        here = known.index(self.capability) if self.capability in known else 0
        if combination.aten and known.index(combination.aten.upper()) > here:
            return f"this processor has no {combination.aten.upper()}"
        need = _NEEDS.get(combination.numba or "", "default").upper()
        if here < known.index(need):
            return f"this processor has no {need}"
        if combination.device not in self.devices:
            return f"there is no device {combination.device} here"
        if combination.coder == "constriction" and find_spec("constriction") is None:
            return "constriction is not installed"
        return ""

    def reference(self) -> list[Row]:
        """Files of tiny pictures, read by the decoder in plain Python that knows the specification alone."""
        row: Row = {"combination": "decoder=reference", "decoder": "reference"}
        if not REFERENCE.is_file():
            where = REFERENCE.relative_to(children.ROOT)
            return [self._keep(row | {"said": f"skipped: there is no {where}"}, time.perf_counter())]
        rows = []
        for model in self.models:
            began, pixels, errors = time.perf_counter(), {}, {}
            parts = {n: n.split(SEPARATOR, 1) for n in self.files}
            names = [n for n, (m, p) in parts.items() if m == Path(model).stem and p in self.tiny]
            for name in names:
                pixels[name], errors[name] = read_by_reference(self.folder / "files" / name, model)
            own = {**row, "combination": f"decoder=reference {model}"}
            if not names:
                rows.append(self._keep(own | {"said": "skipped: it takes no tiny picture"}, began))
                continue
            if all(UNKNOWN in errors[name] for name in names):
                rows.append(self._keep(own | {"said": "skipped: the reference decoder has not this model"}, began))
                continue
            found = {"files": None, "pixels": pixels, "capability": "", "backend": "", "errors": errors}
            rows.append(self._keep(own | self._judge(found), began))
        return rows

    def _keep(self, row: Row, began: float) -> Row:
        row = {"bad": False, "said": "", **row, "seconds": time.perf_counter() - began}
        self.rows.append(row)
        say(f"{row['combination']}: {row['said'] or 'same'} ({row['seconds']:.1f} s)")
        return row


def read_by_reference(file: Path, model: str) -> tuple[str, str]:
    """The digest that tests/format/reference.py prints for a file's pixels, and what it says if there is none."""
    from arcomp.contract import library

    shipped = [Path(model), *(folder / (model + library.ENDING) for folder in library.folders())]
    weights = [str(path) for path in shipped if path.is_file()][:1]
    command = [sys.executable, "-m", "tests.format.reference", str(file), *weights]
    done = subprocess.run(command, capture_output=True, text=True, cwd=children.ROOT)
    lines = done.stdout.split()
    if done.returncode or not lines:
        return "", (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return lines[-1], ""


def pixels_digest(pixels: Pixels) -> str:
    """SHA-256 of samples in the order they lie in."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def short(digests: Mapping[str, str]) -> str:
    """One short digest of many."""
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()[:12]


COLUMNS = [
    Column("combination", "combination"),
    Column("capability", "vectors"),
    Column("chosen", "backend"),
    Column("files", "files"),
    Column("files_same", "same"),
    Column("pixels", "pixels"),
    Column("pixels_same", "same"),
    Column("read", "read", "d"),
    Column("seconds", "s", ".1f"),
    Column("said", "remarks"),
]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line's options."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser("python -m benchmarks.exactness", description=about)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="small pictures besides those built in")
    parser.add_argument("--models", type=model_names, help=MODELS_HELP)
    parser.add_argument("--full", action="store_true", help="the whole product of all settings; takes long")
    parser.add_argument("--only", default="", metavar="TEXT", help="the first and those with this in their name")
    parser.add_argument("--csv", type=Path, help="write all rows here")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args(arguments)
    try:
        sources = inputs.find(options.paths) if options.paths else []
        outputs.claim(options.csv)
        outputs.claim(options.json)
    except (OSError, ArcompError) as error:
        parser.error(str(error))
    options.specimens = built_in()
    for i, source in enumerate(sources):
        try:
            options.specimens.append(Specimen(f"given{i}-{source.path.stem}", read(source.path).pixels))
        except PictureError as error:
            say(f"skipped {error}")
    return options


def run(specimens: Sequence[Specimen], models: Sequence[str], full: bool, only: str = "") -> list[Row]:
    """All rows of the matrix, or the first and those with something in their names."""
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(specimens, models, Path(folder))
        first, *others = combinations(full)
        matrix.compare(first)
        if not matrix.files:
            return matrix.rows
        try:
            for combination in (*others, *on_cuda("cuda" in matrix.devices)):
                if only in combination.name:
                    matrix.compare(combination)
            if only in "decoder=reference":
                matrix.reference()
        except KeyboardInterrupt:
            matrix.rows.append({"combination": "(interrupted)", "said": "failed: not all was compared", "bad": True})
        return matrix.rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if anything differs or fails."""
    options = parse(arguments)
    models = all_models() if options.models is None else list(options.models)
    rows = run(options.specimens, models, options.full, options.only)
    print(tables.text(rows, COLUMNS))
    outputs.write_csv(options.csv, rows)
    bad = sum(row["bad"] for row in rows)
    not_run = sum(row["said"].startswith(("skipped", "refused")) for row in rows)
    outputs.write_json(options.json, {"benchmark": "exactness", "models": models, "different": bad, "rows": rows})
    print(f"\n{len(rows) - bad - not_run} the same, {bad} different or failed, {not_run} not run here")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
