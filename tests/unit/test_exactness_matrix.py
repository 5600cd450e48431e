"""The exactness matrix: it varies every setting, and sees a difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arcomp.exact import threads
from benchmarks import children, exactness, exactness_child
from benchmarks.specimens import SEPARATOR, Specimen, built_in


def test_combinations_vary_every_setting() -> None:
    few, full = list(exactness.combinations(False)), list(exactness.combinations(True))
    assert few[0] == full[0] == exactness.Combination()
    assert len(few) < 30 < len(full)
    for name in vars(few[0]).keys() - {"device"}:
        assert len({getattr(c, name) for c in few}) > 1
    features = {c.numba: c.environment("cache")["NUMBA_CPU_FEATURES"] for c in few}
    assert features.pop(None) is None
    assert features == exactness.PROCESSORS


def test_specimens_are_fixed_and_told_apart() -> None:
    made = built_in()
    assert len({s.name for s in made}) == len(made)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(made, built_in(), strict=True))
    assert {s.pixels.shape[3] for s in made if s.tiny} == {1, 2, 3}
    assert {s.depth for s in made} == {1, 4, 8, 12, 16}


def test_exactness_sees_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((1, 2, 2, 1), np.uint8)
    name, good = f"m{SEPARATOR}p", exactness.pixels_digest(pixels)
    same = {"capability": "AVX2", "backend": "int8", "devices": ["cpu"], "errors": {}}
    answers: list[dict[str, Any]] = [
        {**same, "files": {name: "1"}, "pixels": {name: good}},
        {**same, "files": {name: "1"}, "pixels": {name: good}},
        {**same, "files": {name: "2"}, "pixels": {name: good}},
        {**same, "files": {name: "1"}, "pixels": {name: ""}, "errors": {name: "damaged"}},
        {**same, "files": {}, "pixels": {}},
        {"error": "ExactnessError: wrong sums", "kind": "ExactnessError"},
        {"error": "ended with status -9"},
    ]
    monkeypatch.setattr(children, "ask", lambda *_: answers.pop(0))
    matrix = exactness.Matrix([Specimen("p", pixels)], ["m"], tmp_path)
    usual, int8 = exactness.Combination(), exactness.Combination(backend="int8")
    rows = [matrix.compare(c) for c in (usual, usual, usual, usual, usual, int8, usual)]
    assert [row["bad"] for row in rows] == [False, False, True, True, True, False, True]
    assert "damaged" in rows[3]["said"]
    assert matrix.compare(exactness.Combination(aten="avx512"))["said"].startswith("skipped")
    assert matrix.compare(exactness.Combination(numba="skylake-avx512"))["said"].startswith("skipped")
    assert matrix.compare(exactness.Combination(device="cuda"))["said"].startswith("skipped")
    assert matrix.compare(exactness.Combination(device="torch"))["said"].startswith("skipped")


def test_exactness_without_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = exactness.Matrix([Specimen("p", np.zeros((1, 2, 2, 1), np.uint8))], ["new", "old"], tmp_path)
    matrix.files = {f"{model}{SEPARATOR}p": "" for model in ("new", "old")}
    said = {"new": "Refused: unknown model new", "old": "Refused: damaged"}
    monkeypatch.setattr(exactness, "read_by_reference", lambda file, model: ("", said[model]))
    new, old = matrix.reference()
    assert (new["bad"], new["said"].split(":")[0]) == (False, "skipped")
    assert old["bad"]


def test_exactness_sets_the_chunks_that_models_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arcomp.contract import distributions
    from arcomp.models.photo import strip

    for module in (distributions, strip):
        monkeypatch.setattr(module, "CHUNK", module.CHUNK)
    (tmp_path / "specimens.json").write_text("[]")
    request = {"folder": str(tmp_path), "models": [], "first": True, "chunk": 7, "decoder": "fronts", "device": "cpu"}
    exactness_child.evaluate(request | {"threads": threads.threads()})
    assert (distributions.CHUNK, strip.CHUNK) == (7, 7)
