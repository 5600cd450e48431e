"""docs/format.md's networks of layers, as that page lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.format.reference_layers import (
    CORNER,
    HERE,
    LOGIT,
    RECTIFIED,
    SIGNED,
    Features,
    InSequence,
    Parameters,
    Taps,
    above,
    around,
    before,
    cells,
    convolution,
    depth_to_space,
    elu,
    embedding,
    full,
    gate,
    line,
    mingru,
    point,
    position_embedding,
    requantize,
    sigmoid_gate,
    square,
    strided,
    total,
)
from tests.format.reference_samples import Known

Config = dict[str, Any]
Network = Callable[[Parameters, Config, Known, InSequence], Features]


def past(known: Known) -> Taps:
    return line(2) if known.channels > 1 else [(0, -1)]


def char_rnn(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    h = config["width"]
    x = embedding(p, "input.0", known.symbols(), past(known), 4 * h, known.n)
    for b in range(config["blocks"]):
        x = point(p, f"input.{b}", x, 4 * h, LOGIT) if b else x
        x = cells(p, f"lstm.{b}", x, h, (0, -1), [(0, -1)])
    return point(p, "logits", x, known.n, LOGIT)


def temporal_conv(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    x = embedding(p, "first", known.symbols(), past(known), config["width"], known.n)
    for b in range(config["blocks"]):
        rectified = requantize(x, RECTIFIED)
        x = total(x, convolution(p, f"layer.{b}", rectified, line(config["kernel"]), config["width"], LOGIT))
    return point(p, "logits", requantize(x, RECTIFIED), known.n, LOGIT)


def wavenet(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    width = config["width"]
    x = embedding(p, "first", known.symbols(), past(known), width, known.n)
    skips = []
    for b in range(config["blocks"]):
        kept, taps = requantize(x, SIGNED), line(2, 1 << b % config["cycle"])
        both = [convolution(p, f"{s}.{b}", kept, taps, width, LOGIT) for s in ("tanh", "sigmoid")]
        gated = gate(*both)
        x = total(x, point(p, f"out.{b}", gated, width, LOGIT))
        skips.append(point(p, f"skip.{b}", gated, 2 * width, LOGIT))
    last = point(p, "last", requantize(total(*skips), RECTIFIED), 2 * width, RECTIFIED)
    return point(p, "logits", last, known.n, LOGIT)


def beginning(p: Parameters, config: Config, known: Known, size: int) -> Features:
    """``first``, and ``symbols`` if there."""
    x = convolution(p, "first", known.features(), square(7), size, LOGIT, mask="A")
    if config.get("symbols"):
        x = total(x, embedding(p, "symbols", known.symbols(), nearest(known), size, known.n))
    return x


def nearest(known: Known) -> Taps:
    return [(-1, 0), (0, -1)] + ([(0, 0)] if known.channels > 1 else [])


def ending(p: Parameters, x: Features, size: int, known: Known) -> Features:
    """``rectified``, ``last`` and ``logits``."""
    return point(p, "logits", point(p, "last", requantize(x, RECTIFIED), size, RECTIFIED), known.n, LOGIT)


def pixelcnn(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    h = config["width"]
    x = beginning(p, config, known, 2 * h)
    for b in range(config["blocks"]):
        down = point(p, f"down.{b}", requantize(x, RECTIFIED), h, RECTIFIED)
        inner = convolution(p, f"inner.{b}", down, square(config["kernel"]), h, RECTIFIED)
        x = total(x, point(p, f"up.{b}", inner, 2 * h, LOGIT))
    return ending(p, x, 2 * h, known)


def pixelrnn(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    h = config["width"]
    x = beginning(p, config, known, 2 * h)
    for b in range(config["blocks"]):
        z = convolution(p, f"input.{b}", requantize(x, SIGNED), line(2), 4 * h, LOGIT)
        y = cells(p, f"lstm.{b}", z, h, (-1, 0), [(-1, -1), (-1, 0), (-1, 1)])
        x = total(x, point(p, f"up.{b}", y, 2 * h, LOGIT))
    return ending(p, x, 2 * h, known)


def mingru_network(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    h = config["width"]
    x = beginning(p, {}, known, 2 * h)
    for b in range(config["blocks"]):
        given = convolution(p, f"given.{b}", requantize(x, SIGNED), square(3), 2 * h, LOGIT)
        y = mingru(given, h, (0, -1) if b % 2 else (-1, 0))
        x = total(x, point(p, f"branch.{b}", y, 2 * h, LOGIT))
    return ending(p, x, 2 * h, known)


def gated_pixelcnn(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    width, k, wide = config["width"], config["kernel"], known.channels * config["width"]
    samples = known.features()
    begun = []
    if config.get("direct"):
        begun.append(convolution(p, "direct", samples, square(7), width, LOGIT, mask="A"))
    if config.get("symbols"):
        begun.append(embedding(p, "symbols", known.symbols(), nearest(known), width, known.n))
    vertical, kept, x = samples, samples, samples
    for b in range(config["blocks"] + 1):
        taps, beside, mask = (above(7), line(4), "A") if b == 0 else (around(k), line(k // 2 + 1), "B")
        up = [convolution(p, f"vertical.{s}.{b}", vertical, taps, wide, LOGIT, groups=1) for s in ("tanh", "sigmoid")]
        vertical = gate(*up)
        ahead = dict(zip(("tanh", "sigmoid"), [requantize(x, SIGNED) for x in up], strict=True))
        both = []
        for s in ("tanh", "sigmoid"):
            if config.get("before_gate"):
                down = [point(p, f"down.{s}.{t}.{b}", x, wide, LOGIT) for t, x in ahead.items()]
            else:
                down = [point(p, f"down.{s}.{b}", vertical, wide, LOGIT)]
            both.append(total(convolution(p, f"horizontal.{s}.{b}", kept, beside, width, LOGIT, mask=mask), *down))
        out = point(p, f"out.{b}", gate(*both), width, LOGIT)
        x = total(out, *(begun if b == 0 else [x]))
        kept = requantize(x, SIGNED)
    return ending(p, x, 2 * width, known)


# ---------------------------------------------------------------- Blocks and the linear skip


def block(p: Parameters, name: str, x: Features, taps: Taps, skips: tuple[Features, ...] = ()) -> Features:
    size = x.size
    y = convolution(p, f"{name}.conv.1", elu(requantize(x, SIGNED)), taps, size, LOGIT)
    if skips:
        shorts = [point(p, f"{name}.short.{i}", elu(requantize(g, SIGNED)), size, LOGIT) for i, g in enumerate(skips)]
        y = total(y, *shorts)
    inner = elu(requantize(y, SIGNED))
    a, b = (convolution(p, f"{name}.conv.{which}", inner, taps, size, LOGIT) for which in "ab")
    return total(x, sigmoid_gate(a, b))


def skipped(p: Parameters, config: Config, outputs: Features, x: Features, taps: Taps) -> Features:
    """The outputs and ``near``, if they are a mixture's."""
    if not config.get("mixture"):
        return outputs
    return total(outputs, convolution(p, "near", x, taps, outputs.size, LOGIT))


def outputs_of(config: Config, known: Known) -> int:
    """C O."""
    mixture = config.get("mixture")
    return known.channels * (3 * mixture + known.channels - 1 if mixture else known.n)


def pixelcnnpp(p: Parameters, config: Config, known: Known, _: InSequence) -> Features:
    width, blocks, samples = config["width"], config["blocks"], known.features(grouped=False)
    taps: dict[str, Taps] = {"down": around(3), "right": [(-1, -1), (-1, 0), (0, -1), (0, 0)]}
    stacks = {
        "down": [convolution(p, "down.first", samples, [(dy, dx) for dy in (-2, -1) for dx in (-1, 0, 1)],
                             width, LOGIT)],
        "right": [convolution(p, "right.first", samples, CORNER, width, LOGIT)],
    }  # fmt: skip
    down, right = stacks["down"], stacks["right"]
    for s in (1, 2, 4):
        for b in range(blocks):
            down.append(block(p, f"down.in.{s}.{b}", down[-1], taps["down"]))
            right.append(block(p, f"right.in.{s}.{b}", right[-1], taps["right"], (down[-1],)))
        for t, stack in stacks.items() if s < 4 else ():
            stack.append(strided(p, f"{t}.in.{s}", requantize(stack[-1], SIGNED), taps[t], width))
    u, v = down.pop(), right.pop()
    for s in (4, 2, 1):
        if s < 4:
            shape = down[-1].shape
            u, v = (
                depth_to_space(point(p, f"{t}.out.{s}.all", requantize(x, SIGNED), 4 * width, LOGIT), shape)
                for t, x in (("down", u), ("right", v))
            )
        for b in range(blocks if s == 4 else blocks + 1):
            u = block(p, f"down.out.{s}.{b}", u, taps["down"], (down.pop(),))
            v = block(p, f"right.out.{s}.{b}", v, taps["right"], (u, right.pop()))
    outputs = point(p, "outputs", elu(requantize(v, SIGNED)), outputs_of(config, known), LOGIT)
    return skipped(p, config, outputs, samples, before(5))


def pixelsnail(p: Parameters, config: Config, known: Known, sequence: InSequence) -> Features:
    width, heads, samples = config["width"], config["heads"], known.features(grouped=False)
    first: Taps = CORNER
    taps: Taps = [(-1, -1), (-1, 0), (0, -1), (0, 0)]
    if config.get("kernel") == 3:
        first, taps = before(5), square(3)
    x = convolution(p, "first", samples, first, width, LOGIT)
    earlier, place = sequence.shift(samples), position_embedding(p, "place", known.shape, width // 2)
    earlier_place = sequence.shift(place)
    for b in range(config["blocks"]):
        for i in range(config["resnets"]):
            x = block(p, f"resnet.{b}.{i}", x, taps)
        kept = requantize(x, SIGNED)
        from_past = (("past", sequence.shift(kept)), ("samples", earlier), ("place", earlier_place))
        key, value, query = (
            requantize(total(*(point(p, f"{t}.{b}.{of}", y, 16 * heads, LOGIT) for of, y in inputs)), SIGNED)
            for t, inputs in (("key", from_past), ("value", from_past), ("query", (("here", kept), ("place", place))))
        )
        found = point(p, f"found.{b}", sequence.attention(query, key, value, heads), width, LOGIT)
        x = block(p, f"both.{b}", x, HERE, (found,))
    outputs = point(p, "outputs", elu(requantize(x, SIGNED)), outputs_of(config, known), LOGIT)
    return skipped(p, config, outputs, samples, before(5))


def image_transformer(p: Parameters, config: Config, known: Known, sequence: InSequence) -> Features:
    width, heads = config["width"], config["heads"]
    place = point(p, "place.in", position_embedding(p, "place", known.shape, width), width, LOGIT)
    earlier = [sequence.shift(known.features(grouped=False))]
    earlier += [sequence.shift(earlier[0])]
    earlier += [sequence.shift(earlier[1])]
    x = total(place, *(point(p, f"in.{i}", y, width, LOGIT) for i, y in enumerate(earlier)))
    for b in range(config["blocks"]):
        kept = requantize(x, SIGNED)
        query, key, value = (point(p, f"{t}.{b}", kept, 16 * heads, SIGNED) for t in ("query", "key", "value"))
        x = total(x, point(p, f"found.{b}", sequence.attention(query, key, value, heads), width, LOGIT))
        inner = point(p, f"inner.{b}", requantize(x, SIGNED), 2 * width, RECTIFIED)
        x = total(x, point(p, f"outer.{b}", inner, width, LOGIT))
    last = point(p, "last", requantize(x, SIGNED), 2 * width, RECTIFIED)
    return skipped(p, config, point(p, "outputs", last, outputs_of(config, known), LOGIT), earlier[0], HERE)


# ---------------------------------------------------------------- Stacks


def stack_around(p: Parameters, config: Config, x: Features, size: int, distributions: bool) -> Features:
    """Of an input; whether the first of its outputs stand for distributions."""
    y = convolution(p, "first", x, full(5), config["width"], LOGIT)
    for b in range(config["blocks"]):
        y = block(p, f"block.{b}", y, full(3))
    outputs = point(p, "outputs", elu(requantize(y, SIGNED)), size, LOGIT)
    return skipped(p, config, outputs, x, full(3)) if distributions else outputs


def stack_causal(p: Parameters, config: Config, samples: Features, size: int, *given: Features) -> Features:
    """Of samples, perhaps conditioned."""
    x = convolution(p, "first", samples, before(5), config["width"], LOGIT)
    for b in range(config["blocks"]):
        x = block(p, f"block.{b}", x, square(3), given)
    outputs = point(p, "outputs", elu(requantize(x, SIGNED)), size, LOGIT)
    return skipped(p, config, outputs, samples, before(5))


NETWORKS: dict[str, Network] = {
    "char_rnn": char_rnn, "temporal_conv": temporal_conv, "wavenet": wavenet, "pixelcnn": pixelcnn,
    "pixelrnn": pixelrnn, "mingru": mingru_network, "gated_pixelcnn": gated_pixelcnn, "pixelcnnpp": pixelcnnpp,
    "pixelsnail": pixelsnail, "image_transformer": image_transformer,
}  # fmt: skip
