"""The page of ``arcomp compare --html``: totals, size against speed, and for each input a table and maps of bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from arcomp import __version__
from arcomp.measure import bits, images
from arcomp.measure.compare import Contestant, Measured, ModelContestant
from arcomp.measure.heat_map import colours, folded, row
from arcomp.measure.html import document
from arcomp.measure.inputs import Input
from arcomp.measure.plot import Mark, drawable, scatter
from arcomp.measure.results import TITLE, Result
from arcomp.measure.sheets import sheet
from arcomp.measure.tables import Column, cell

SHOWN = 64
"""Pictures of an array that are drawn, the first ones."""
TOP = 0.995
"""Part of a map's pixels whose bits are within the scale."""
NEAR = 1.5
"""Models of at most so many times the bits of the best one decide where the scale ends: others would darken all."""
STEPS = 16
"""Colours of the scale's picture."""
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Units:
    """What is counted: a sample, a million positions, and so many of them a second."""

    sample: str
    million: str
    rate: str


PIXELS = Units("sub-pixel", "megapixels", "MP/s")
BYTES = Units("byte", "megabytes", "MB/s")


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
        maps: of the models that took it.
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


def show(given: Input, contestants: Sequence[Contestant], measured: Sequence[Measured], progress: Progress) -> Shown:
    """Draw an input and the bits that each model gives its pixels.

    Args:
        contestants, measured: in the same sequence.
    """
    pixels = given.pixels[:SHOWN]
    taken = [
        (c, m.depth) for c, m in zip(contestants, measured, strict=True)
        if isinstance(c, ModelContestant) and m.bytes is not None
    ]  # fmt: skip
    found: list[npt.NDArray[Any]] = []
    means: list[float] = []
    for i, (contestant, depth) in enumerate(taken):
        made = bits.measure(pixels, depth, contestant.model, device=contestant.device, threads=contestant.threads)
        each = made.samples.sum(-1)
        found.append(images.reduced(sheet(_folded(each, given), gap=_gap(pixels))))
        means.append(float(each.mean()))
        progress((i + 1) / len(taken))
    top = _top(found)
    maps = [
        Map(contestant.name, images.uri(colours(a / top)), mean)
        for (contestant, _), a, mean in zip(taken, found, means, strict=True)
    ]
    seen = pixels * np.uint8(255) if given.binary else pixels
    picture = images.reduced(sheet(_folded(_as_colour(seen), given), gap=_gap(pixels), fill=128))
    height, width = picture.shape[:2]
    position = "byte" if given.bytes else "pixel"
    address = images.uri(np.rint(picture).astype(np.uint8))
    return Shown(given.name, _about(given), address, width, height, images.small(picture), top, position, maps)


def _gap(pixels: npt.NDArray[np.uint8]) -> int:
    return 1 if len(pixels) > 1 else 0


def _folded(pixels: npt.NDArray[Any], given: Input) -> npt.NDArray[Any]:
    """Bytes [1, 1, length, ..] in rows; pictures as they are."""
    return folded(pixels[0])[None] if given.bytes else pixels


def _as_colour(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The first one or three channels: what can be seen of others."""
    return pixels[..., :3] if pixels.shape[3] >= 3 else pixels[..., :1]


def _top(maps: Sequence[npt.NDArray[Any]]) -> float:
    """Where the scale ends, a round number: what is above it in the maps of the better models is rare."""
    least = min((float(a.mean()) for a in maps), default=0.0)
    top = max((float(np.quantile(a, TOP)) for a in maps if a.mean() <= NEAR * least), default=1.0)
    return next((t for t in (0.1, 0.2, 0.5, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48) if t >= top), top)


def _about(given: Input) -> str:
    count, height, width, channels = given.pixels.shape
    if given.bytes:
        return f"{width:,} bytes, drawn in rows of {row(width)}"
    kind = {1: "gray", 3: "RGB"}.get(channels, f"{channels} channels")
    depth = "1 bit" if given.binary else "8 bits"
    several = f"{count:,} pictures of " if count > 1 else ""
    shown = f"; the first {SHOWN} are drawn" if count > SHOWN else ""
    return f"{several}{width} x {height}, {kind}, {depth} a sample{shown}"


def page(found: Sequence[Result], shown: Sequence[Shown], of_bytes: bool = False) -> str:
    """The whole page.

    Args:
        found: results over all inputs.
        shown: the inputs, in the sequence they were measured.
        of_bytes: all inputs are.
    """
    units = BYTES if of_bytes else PIXELS
    inputs = max(len(r.each) for r in found)
    samples = sum(m.samples for m in found[0].each)
    what = f"{inputs} inputs" if inputs > 1 else escape(shown[0].name) if shown else "1 input"
    parts = [
        f"<p>{what}, {samples:,} {units.sample}s. Sizes are of whole files, each decoded again and compared; times are "
        f"without start-up. arcomp {__version__}.</p>",
        _plots(found, units),
        _table(found, _titled(TOTALS, units), many=inputs > 1),
        _notes(found, units),
    ]
    for i, one in enumerate(shown):
        parts.append(_input(one, [_only(r, i) for r in found] if inputs > 1 else [], units))
    return document(TITLE, "\n".join(parts))


def _only(result: Result, i: int) -> Result:
    """A result over one input alone."""
    return replace(result, each=[result.each[i]])


def _plots(found: Sequence[Result], units: Units) -> str:
    """Size against both speeds, of those that took all inputs."""
    most = max(len(r.done) for r in found)
    parts, left_out = [], dict[str, str]()
    for action in ("decode", "encode"):
        marks = []
        for r in found:
            speed, size = r.mps(f"{action}_seconds"), r.bits_per_subpixel
            if len(r.done) == most and speed and size is not None:
                marks.append(Mark(r.model, speed, size, r.kind == "model"))
        drawn = drawable(marks)
        if drawn:
            x = f"{action[:-1]}ing, {units.million} a second (logarithmic) →"
            said = f"Bits per {units.sample} against the speed of {action[:-1]}ing; the numbers are in the table"
            parts.append(scatter(drawn, x, f"bits per {units.sample}, smaller is lower", said))
        left_out |= {m.name: f"{m.name} ({m.size:.2f})" for m in marks if m not in drawn}
    peers = "<span>other codecs</span>" if any(r.kind == "codec" and r.done for r in found) else ""
    key = f'<span class="ours">arcomp</span>{peers}<span class="front">none is smaller and faster</span>'
    beyond = f"<p>Larger, and not drawn: {escape(', '.join(left_out.values()))}.</p>" if left_out else ""
    return f'<div class="plots">{"".join(parts)}</div>\n<p class="key">{key}</p>\n{beyond}' if parts else ""


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
    Column("encode_mps", "MP/s enc", ".3g"),
    Column("decode_mps", "MP/s dec", ".3g"),
    Column("startup_seconds", "start-up, s", ".2f"),
    ROUND_TRIP,
)
EACH = (
    *SIZES,
    Column("encode_seconds", "encoding, s", ".3g"),
    Column("decode_seconds", "decoding, s", ".3g"),
    ROUND_TRIP,
)


def _titled(columns: Sequence[Column], units: Units) -> list[Column]:
    return [replace(c, title=c.title.replace("sub-pixel", units.sample).replace("MP/s", units.rate)) for c in columns]


def _values(result: Result) -> dict[str, Any]:
    return {
        **result.row(),
        "float": result.per_subpixel("nll_bits_float"),
        "exact": result.per_subpixel("nll_bits_exact"),
    }


def _table(found: Sequence[Result], columns: Sequence[Column], many: bool = False) -> str:
    ordered = sorted(found, key=lambda r: (-len(r.done), r.bits_per_subpixel or 0.0))
    most = max((r.bits_per_subpixel or 0.0 for r in found), default=0.0)
    head = "".join(f'<th scope="col"{_bar(c)}>{escape(c.title)}</th>' for c in columns)
    rows = []
    for r in ordered:
        name = escape(r.model) + (
            f" ({len(r.done)} of {len(r.each)})" if many and 0 < len(r.done) < len(r.each) else ""
        )
        first = f'<th scope="row">{name}</th>'
        if not r.done:
            bad = " bad" if r.failed else ""
            rows.append(
                f'<tr>{first}<td class="why{bad}" colspan="{len(columns)}">skipped: {escape(r.skipped)}</td></tr>'
            )
            continue
        values = _values(r)
        cells = "".join(_cell(c, values[c.key], most, r) for c in columns)
        rows.append(f'<tr class="{"peer" if r.kind == "codec" else "ours"}">{first}{cells}</tr>')
    return (
        f'<div class="wide"><table>\n<thead><tr><th scope="col">model</th>{head}</tr></thead>\n<tbody>'
        + "\n".join(rows)
        + "</tbody>\n</table></div>"
    )


def _bar(column: Column) -> str:
    return ' class="bar"' if column.key == "bits_per_subpixel" else ""


def _cell(column: Column, value: Any, most: float, result: Result) -> str:
    said = escape(cell(value, column.spec))
    if _bar(column):
        part = 100 * value / most if most else 0
        return f'<td{_bar(column)}><div>{said}<i style="--part:{part:.1f}%"></i></div></td>'
    if column.key == "round_trip":
        return f'<td class="{"bad" if result.failed else "good"}">{"FAILED" if result.failed else "exact"}</td>'
    if column.key == "float" and result.learns and value is not None:
        return f'<td>{said}<span class="star">*</span></td>'
    return f"<td>{said}</td>"


def _notes(found: Sequence[Result], units: Units) -> str:
    lines = [
        f"NLL: what the samples cost under the model, in bits a {units.sample}: in float, with the real numbers its "
        "integer weights stand for; and exact, in integers, as the file was coded. Overhead: how much larger the file "
        "is than the exact NLL."
    ]
    if any(r.learns and r.done for r in found):
        lines.append("* of the network alone, without what the model learns from the picture as it codes.")
    lines += [f"{r.model}: skipped: {r.skipped}." for r in found if r.done and r.skipped]
    return "\n".join(f"<p>{escape(line)}</p>" for line in lines)


def _input(one: Shown, found: Sequence[Result], units: Units) -> str:
    squares = ' class="pixels"' if one.small else ""
    size = f'width="{one.width}" height="{one.height}"'
    figures = [
        f'<figure><img{squares} {size} src="{one.picture}" alt="The picture itself">'
        f"<figcaption><b>{escape(one.name.replace(chr(92), '/').rpartition('/')[2])}</b></figcaption></figure>"
    ]
    for m in one.maps:
        mean = f"{m.mean:.2f} bits a {one.position}"
        figures.append(
            f'<figure><img{squares} {size} src="{m.uri}" alt="Bits of each pixel under {escape(m.codec)}">'
            f"<figcaption><b>{escape(m.codec)}</b> <span>{mean}</span></figcaption></figure>"
        )
    table = _table(found, _titled(EACH, units)) if found else ""
    return (
        f"<section>\n<h2>{escape(one.name)}</h2>\n<p>{one.about}</p>\n{table}\n"
        f'<div class="maps">{"".join(figures)}</div>\n{_scale(one) if one.maps else ""}\n</section>'
    )


def _scale(one: Shown) -> str:
    """What the colours stand for."""
    stops = ", ".join(f"rgb({r} {g} {b})" for r, g, b in colours(np.linspace(0, 1, STEPS)).tolist())
    return (
        f'<p class="scale"><span>0 bits a {one.position}</span>'
        f'<i style="background: linear-gradient(90deg, {stops})"></i>'
        f"<span>{one.top:g} and more</span></p>"
    )
