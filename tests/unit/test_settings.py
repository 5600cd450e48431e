"""Settings say which values they take; one check for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from arcomp.contract import library, registry
from arcomp.contract.settings import checked, choice, records, setting
from arcomp.errors import ModelError
from tests.specimens import SIZES


@dataclass(frozen=True)
class Inner:
    taps: int = setting(3, 5)


@dataclass(frozen=True)
class Outer:
    width: int = setting(1, 8)
    parts: tuple[Inner, ...] = records(Inner, 2)
    trunk: tuple[int, ...] = setting(1, 9, count=2, default=(4,))
    rate: float = setting(0.0, 1.0, default=0.5)
    stage: str = choice("a", "b", default="a")
    online: bool = choice(False, True, default=False)


RIGHT: dict[str, Any] = {"width": 8, "parts": [{"taps": 3}, {"taps": 5}], "trunk": [1, 9], "rate": 1.0, "stage": "b"}


def test_plain_types_become_a_configuration() -> None:
    assert checked(Outer, RIGHT) == Outer(8, (Inner(3), Inner(5)), (1, 9), 1.0, "b")
    assert checked(Outer, {"width": 1, "parts": [Inner(4)]}) == Outer(1, (Inner(4),))


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0}, {"width": 9}, {"width": 1.0}, {"width": True}, {"width": None}, {"width": [1]},
        {"parts": []}, {"parts": [{"taps": 3}] * 3}, {"parts": [{"taps": 2}]}, {"parts": [3]}, {"parts": None},
        {"parts": [None]}, {"parts": {"taps": 3}}, {"trunk": []}, {"trunk": [1, 2, 3]}, {"trunk": [10]},
        {"trunk": "ab"}, {"trunk": 4}, {"rate": 1}, {"rate": 1.5}, {"rate": float("nan")}, {"stage": "c"},
        {"stage": ["a"]}, {"online": 1}, {"more": 1},
    ],
)  # fmt: skip
def test_other_values_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="configuration"):
        checked(Outer, {**RIGHT, **change})


@pytest.mark.parametrize("plain", [None, [], "width", {"width": 1}, {"parts": [{"taps": 3}]}])
def test_what_is_not_complete_is_refused(plain: Any) -> None:
    with pytest.raises(ModelError, match="not one of Outer"):
        checked(Outer, plain)


@pytest.mark.parametrize("name", library.modules())
def test_every_model_registers_itself_under_its_name(name: str) -> None:
    model = registry.find(name)
    assert model.name == name
    assert model.__module__ in (f"arcomp.models.{name}", f"arcomp.models.{name}.model")
    trainer = model.trainer()
    assert (trainer is None) == model.weightless
    assert name in SIZES or name in ("histogram", "bilevel", "context", "photo", "graphic", "jpeg"), "no specimen"
    if trainer is not None and name in SIZES:
        for sizes in SIZES[name].values():
            trainer.check(sizes)


@pytest.mark.parametrize("name", ["", "weights", "__init__", "..codec", "photo.model", "photo-fast", "nothing"])
def test_there_is_no_such_model(name: str) -> None:
    with pytest.raises(ModelError, match="no model"):
        registry.find(name)
