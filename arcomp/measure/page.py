"""The page of ``arcomp compare --html``: totals, size against speed, and for each input a table and maps of bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp import __version__
from arcomp.measure import bits, images, plot
from arcomp.measure.codecs import INSTALL_PEERS
from arcomp.measure.compare import ModelContestant
from arcomp.measure.contestants import Contestant, seen
from arcomp.measure.heat_map import colours, folded, row
from arcomp.measure.inputs import least_depth
from arcomp.measure.record import Measurement
from arcomp.measure.results import MODEL, TITLE, Result
from arcomp.measure.sheets import sheet
from arcomp.measure.speeds import Rate, rate
from arcomp.measure.tables import THREE_DIGITS, Column, cell
from arcomp.samples import Bytes, Samples, kind_of_channels

SHOWN = 64
"""Pictures of an array that are drawn, the first ones."""
TOP = 0.995
"""Part of a map's pixels whose bits are within the scale."""
NEAR = 1.5
"""Models of at most so many times the bits of the best one decide where the scale ends: others would darken all."""
LONGEST = 4
"""Of the smallest one's bar, that others are at most: one that is far off would leave nothing of it."""
STEPS = 16
"""Colours of the scale's picture."""
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Units:
    """What is counted: a sample, and so many positions a second."""

    sample: str
    rate: Rate


@dataclass(frozen=True)
class Map:
    """Bits of each pixel under a model.

    Attributes:
        uri: the picture.
        mean: bits of a pixel.
    """

    codec: str
    uri: str
    mean: float


@dataclass(frozen=True)
class Shown:
    """An input as it is drawn.

    Attributes:
        about: its size in words.
        picture: its own address. width, height: of the picture and the maps, pixels.
        small: pixels are squares.
        top: bits of a pixel at the end of the scale, the same for all maps.
        position: what a pixel is called.
        maps: of the models that took it, in the sequence of their files' sizes.
    """

    name: str
    about: str
    picture: str
    width: int
    height: int
    small: bool
    top: float
    position: str
    maps: Sequence[Map]


def show(
    name: str, samples: Samples, contestants: Sequence[Contestant], measured: Sequence[Measurement], progress: Progress
) -> Shown:
    """Draw an input and the bits that each model gives its pixels.

    Args:
        name, samples: the input.
        contestants, measured: in the same sequence.
    """
    some = replace(samples, stacks=(samples.stacks[0][:SHOWN],))
    pixels = some.pixels
    taken = [
        (m.bytes, c) for c, m in zip(contestants, measured, strict=True)
        if isinstance(c, ModelContestant) and m.bytes is not None
    ]  # fmt: skip
    taken.sort(key=lambda one: one[0])
    found: list[npt.NDArray[Any]] = []
    means: list[float] = []
    for i, (_, contestant) in enumerate(taken):
        plan = bits.as_coded(some, contestant.model)
        (made,) = bits.measure(plan, contestant.model, device=contestant.device, threads=contestant.threads)
        each = made.samples.sum(-1)
        found.append(images.reduced(sheet(_folded(each, samples), gap=_gap(pixels))))
        means.append(float(each.mean()))
        progress((i + 1) / len(taken))
    top = _top(found)
    maps = [
        Map(contestant.name, images.uri(colours(a / top)), mean)
        for (_, contestant), a, mean in zip(taken, found, means, strict=True)
    ]
    own = replace(some, depth=least_depth(some))
    colour = (seen(own) >> max(0, own.depth - 8)).astype(np.uint8)
    picture = images.reduced(sheet(_folded(_as_colour(colour), samples), gap=_gap(pixels), fill=128))
    height, width = picture.shape[:2]
    position = "byte" if isinstance(samples.form, Bytes) else "pixel"
    address = images.uri(np.rint(picture).astype(np.uint8))
    return Shown(name, _about(samples), address, width, height, images.small(picture), top, position, maps)


def _gap(pixels: npt.NDArray[np.uint8]) -> int:
    return 1 if len(pixels) > 1 else 0


def _folded(pixels: npt.NDArray[Any], samples: Samples) -> npt.NDArray[Any]:
    """Bytes [1, 1, length, ..] in rows; pictures as they are."""
    return folded(pixels[0])[None] if isinstance(samples.form, Bytes) else pixels


def _as_colour(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The first one or three channels: what can be seen of others."""
    return pixels[..., :3] if pixels.shape[3] >= 3 else pixels[..., :1]


def _top(maps: Sequence[npt.NDArray[Any]]) -> float:
    """Where the scale ends, a round number: what is above it in the maps of the better models is rare."""
    least = min((float(a.mean()) for a in maps), default=0.0)
    top = max((float(np.quantile(a, TOP)) for a in maps if a.mean() <= NEAR * least), default=1.0)
    return next((t for t in (0.1, 0.2, 0.5, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48) if t >= top), top)


def _about(samples: Samples) -> str:
    count, (_, height, width, channels) = samples.count, samples.stacks[0].shape
    if isinstance(samples.form, Bytes):
        return f"{width:,} bytes, drawn in rows of {row(width)}"
    kind = "palette" if samples.palette is not None else kind_of_channels(channels - samples.alpha)
    kind += " with alpha" if samples.alpha else ""
    bits = samples.depth if samples.depth > 8 else 8
    depth = "1 bit" if least_depth(samples) == 1 else f"{bits} bits"
    several = f"{count:,} pictures of " if count > 1 else ""
    shown = f"; the first {SHOWN} are drawn" if count > SHOWN else ""
    return f"{several}{width} x {height}, {kind}, {depth} a sample{shown}"


def page(found: Sequence[Result], shown: Sequence[Shown], of_bytes: bool = False) -> str:
    """The whole page, which needs nothing else: no network, no script; light or dark as the reader's system is.

    Args:
        found: results over all inputs.
        shown: the inputs, in the sequence they were measured.
        of_bytes: all inputs are.
    """
    from jinja2 import Environment, PackageLoader

    templates = Environment(
        loader=PackageLoader("arcomp.measure"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    units = Units("byte" if of_bytes else "sub-pixel", rate(found, of_bytes))
    many = max(len(r.each) for r in found)
    plots, remarks = _plots(found, units)
    return templates.get_template("page.html").render(
        title=TITLE,
        style=files("arcomp.measure").joinpath("templates/page.css").read_text(encoding="utf-8"),
        version=__version__,
        units=units,
        what=f"{many} inputs" if many > 1 else shown[0].name if shown else "1 input",
        samples=sum(m.samples for m in found[0].each),
        plots=plots,
        peers=any(r.kind == "codec" and r.done for r in found),
        remarks=remarks,
        totals=_rows(found, TOTALS, units),
        left_out=_left_out(found),
        columns=_titled(TOTALS, units),
        notes=_notes(found, units),
        inputs=[(one, *_of_input(found, i, units, several=many > 1)) for i, one in enumerate(shown)],
        each=_titled(EACH, units),
        stops=", ".join(f"rgb({r} {g} {b})" for r, g, b in colours(np.linspace(0, 1, STEPS)).tolist()),
    )


def _of_input(found: Sequence[Result], i: int, units: Units, several: bool) -> tuple[list[Any], list[Any]]:
    """The rows of an input's table, and who did not take it; none where it is the only one."""
    own = [_only(r, i) for r in found] if several else []
    return _rows(own, EACH, units), _left_out(own)


def _only(result: Result, i: int) -> Result:
    """A result over one input alone."""
    return replace(result, each=[result.each[i]])


def _plots(found: Sequence[Result], units: Units) -> tuple[list[str], list[str]]:
    """Size against both speeds, of those that took all inputs; and what is to be said of the plots."""
    if not plot.available():
        return [], [f"Plots need matplotlib: {INSTALL_PEERS}"]
    most = max(len(r.done) for r in found)
    made, left_out = [], dict[str, str]()
    for action in ("decode", "encode"):
        marks = []
        for r in found:
            speed, size = units.rate.of(r.mps(f"{action}_seconds")), r.bits_per_subpixel
            if len(r.done) == most and speed and size is not None:
                marks.append(plot.Mark(r.model, speed, size, r.kind == "model"))
        drawn = plot.drawable(marks)
        if drawn:
            drawing = plot.figure(
                drawn, f"{action[:-1]}ing, {units.rate.words}", f"bits per {units.sample}, smaller is lower"
            )
            said = f"Bits per {units.sample} against the speed of {action[:-1]}ing; the numbers are in the table"
            made.append(plot.svg(drawing, said))
        left_out |= {m.name: f"{m.name} ({m.size:.2f})" for m in marks if m not in drawn}
    return made, [f"Larger, and not drawn: {', '.join(left_out.values())}."] if made and left_out else []


SIZES = (
    Column("bits_per_subpixel", "bits/sub-pixel", ".4f"),
    Column("bytes", "bytes", ",d"),
    Column("float", "NLL float", ".4f"),
    Column("exact", "NLL exact", ".4f"),
    Column("overhead_percent", "overhead %", "+.3f"),
)
ROUND_TRIP = Column("round_trip", "round trip")
TOTALS = (
    *SIZES,
    Column("parameters", "parameters", ",d"),
    Column("encode_mps", "MP/s enc", THREE_DIGITS),
    Column("decode_mps", "MP/s dec", THREE_DIGITS),
    Column("startup_seconds", "start-up, s", ".2f"),
    ROUND_TRIP,
)
EACH = (
    *SIZES,
    Column("encode_seconds", "encoding, s", THREE_DIGITS),
    Column("decode_seconds", "decoding, s", THREE_DIGITS),
    ROUND_TRIP,
)


def _titled(columns: Sequence[Column], units: Units) -> list[Column]:
    return [
        replace(c, title=c.title.replace("sub-pixel", units.sample).replace("MP/s", units.rate.short)) for c in columns
    ]


def _left_out(found: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """Of those that took nothing: reasons, each with the names."""
    names: dict[str, list[str]] = {}
    for r in found:
        if not r.done and not r.failed:
            names.setdefault(MODEL.sub("", r.skipped), []).append(r.model)
    return list(names.items())


def _rows(found: Sequence[Result], columns: Sequence[Column], units: Units) -> list[dict[str, Any]]:
    """A table's rows as the template takes them, the smallest first; of those that took nothing, the ones that failed
    come last."""
    sizes = [r.bits_per_subpixel or 0.0 for r in found if r.done]
    most = min(max(sizes, default=0.0), LONGEST * min(sizes, default=0.0)) or 1.0
    rows: list[dict[str, Any]] = []
    for r in sorted(found, key=lambda r: (-len(r.done), r.bits_per_subpixel or 0.0)):
        several = f" ({len(r.done)} of {len(r.each)})" if 0 < len(r.done) < len(r.each) else ""
        row = {"name": r.model + several, "failed": r.failed, "kind": "peer" if r.kind == "codec" else "ours"}
        if not r.done:
            rows += [{**row, "why": r.skipped}] if r.failed else []
            continue
        exact, in_float = r.per_subpixel("nll_bits_exact"), r.per_subpixel("nll_bits_float")
        values = {**r.row(), "float": in_float, "exact": exact}
        values |= {key: units.rate.of(values[key]) for key in ("encode_mps", "decode_mps")}
        cells = [
            {"key": c.key, "text": cell(values[c.key], c.spec), "star": c.key == "float" and r.learns and in_float}
            for c in columns
        ]
        rows.append({**row, "cells": cells, "part": min(100.0, 100 * (r.bits_per_subpixel or 0.0) / most)})
    return rows


def _notes(found: Sequence[Result], units: Units) -> list[str]:
    lines = [
        f"NLL: what the samples cost under the model, in bits a {units.sample}: in float, with the real numbers its "
        "integer weights stand for; and exact, in integers, as the file was coded. Overhead: how much larger the file "
        "is than the exact NLL."
    ]
    if any(r.learns and r.per_subpixel("nll_bits_float") for r in found if r.done):
        lines.append("* of the network alone, without what the model learns from the picture as it codes.")
    return lines + [f"{r.model}: skipped: {r.skipped}." for r in found if r.done and r.skipped]
