"""``arcomp models``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from arcomp.cli.console import Console
from arcomp.cli.options import examples, talkative
from arcomp.errors import ArcompError, ModelError

if TYPE_CHECKING:
    from arcomp.contract.model import Model
    from arcomp.contract.weights_file import Weights

KINDS = {(1, 1): "1 bit", (1, 8): "gray", (3, 8): "RGB", (4, 8): "RGBA"}
"""What channels and depths are called."""
FRONT = re.compile(r"\A---\n.*?^---\n+", re.M | re.S)
"""What a card begins with for hubs of models: licence, data, metrics, in YAML."""
WIDEST = len("1 bit, gray, RGB, RGBA")


def found() -> list[dict[str, Any]]:
    """All models here, as JSON says them; damaged weights with an "error"."""
    from arcomp.contract import library, registry

    rows: list[dict[str, Any]] = []
    for name in registry.names():
        if not any(library.candidates(name, tuple(library.folders()))):  # it has none
            model = registry.load(name)
            rows.append(_row(name, model.digest.hex(), model.parameters, "built in", name == registry.DEFAULT))
            continue
        for path in library.candidates(name, tuple(library.folders())):
            first = name == registry.DEFAULT and not any(row["name"] == name for row in rows)
            rows.append(_of_weights(name, path, first))
    return rows


def _of_weights(name: str, path: Path, default: bool) -> dict[str, Any]:
    from arcomp.contract import registry
    from arcomp.contract.weights_file import Weights

    try:
        weights = Weights.load(path)
        made = registry.from_weights(weights)
    except ArcompError as error:
        return {**_row(name, "", 0, str(path), default), "error": error.cause}
    row = _row(name, made.digest.hex(), made.parameters, str(path), default)
    return {**row, "model": made.name, "takes": _takes(weights, made)}


def _row(name: str, digest: str, parameters: int, where: str, default: bool) -> dict[str, Any]:
    return {"name": name, "digest": digest, "parameters": parameters, "where": where, "default": default}


def card(name: str) -> str | None:
    """A model's card, without what is for hubs: the Markdown beside its weights (one for all presets), in the first
    folder that has one.

    Raises:
        ModelError: it is there and cannot be read.
    """
    from arcomp.contract import library

    for folder in library.folders():
        for path in (Path(folder) / f"{name}.md", Path(folder) / f"{name.split('-')[0]}.md"):
            if path.is_file():
                try:
                    return FRONT.sub("", path.read_text(encoding="utf-8"))
                except (OSError, UnicodeDecodeError) as error:
                    raise ModelError("the card cannot be read", path=str(path)) from error
    return None


def _takes(weights: Weights, model: Model) -> list[str]:
    """Kinds of samples, such as "RGB"."""
    from arcomp.contract.fitting import takes
    from arcomp.contract.weights_file import channels_and_depth

    if model.takes_coefficients:
        return ["JPEG"]
    named = {channels_and_depth(name) for name in weights.config["networks"]}
    kinds = sorted(named | {k for k in KINDS if takes(model, *k)})
    own = [KINDS.get(kind, f"{kind[0]} channels of {kind[1]} bits") for kind in kinds]
    return ["bytes", *own] if model.takes_bytes else own


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    """Of weights that are shipped the file's name, of others where they lie."""
    from arcomp.contract import library

    longest = max(len(row["name"]) for row in rows)
    lines = []
    for row in rows:
        mark, path = "*" if row["default"] else " ", Path(row["where"])
        what = row.get("error") or f"{row['digest'][:16]}  {row['parameters']:>9,} parameters"
        kinds = ", ".join(row.get("takes", ()))
        where = path.name if path.parent == library.SHIPPED else row["where"]
        lines.append(f"{mark} {row['name']:<{longest}}  {what}  {kinds:<{WIDEST}}  {where}")
    return lines


EXAMPLES = examples(
    "arcomp models",
    "arcomp models NAME",
)


@click.command("models", short_help="List models.", epilog=EXAMPLES)
@click.argument("name", required=False)
@talkative
def command(console: Console, name: str | None) -> int:
    """List the models here; * marks the default. With a NAME or a file of weights, show the model's card."""
    rows = found()
    if name is None:
        for line in map(json.dumps, rows) if console.as_json else _lines(rows):
            console.print(line)
        return 0
    own = [row for row in rows if row["name"] == name or row["name"].startswith(f"{name}-")]
    if Path(name).is_file():
        own = [_of_weights(Path(name).stem, Path(name), False)]
        name = str(own[0].get("model", name))
    if not own:
        raise ModelError(f"no model {name!r} here", remedy=f"there are {', '.join(sorted({r['name'] for r in rows}))}")
    text = card(name)
    if console.as_json:
        print(json.dumps({**own[0], "card": text}))
        return 0
    for line in _lines(own):
        console.print(line)
    print()
    print(text.rstrip() if text else f"{name} has no card.")
    return 0
