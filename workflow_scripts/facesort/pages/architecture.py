"""A model's layers drawn as blocks, from what ``models/description.py`` read off the model."""

import math
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from facesort.common.drawing import new_figure

# Kinds of layers that are drawn, with their colours; an activation belongs to the layer before it.
KINDS: Final = {
    "input": ("input", "#BBBBBB"),
    "Conv2d": ("convolution", "#56B4E9"),
    "MaxPool2d": ("max-pooling", "#D55E00"),
    "ConvTranspose2d": ("transposed convolution", "#009E73"),
    "Linear": ("dense", "#F0C800"),
    "MultiheadAttention": ("attention", "#CC79A7"),
}
ACTIVATIONS: Final = ("SELU", "ReLU", "GELU", "Sigmoid", "Softmax")
# Blocks side by side; longer models go on below.
MOST: Final = 16
# What is equal in blocks that look alike.
LOOK: Final = ("part", "layer", "detail", "shape", "activation")

Block = dict[str, Any]


def blocks(layers: list[Block], shape: list[int]) -> list[Block]:
    """Join activations to their layers, and put the input in front.

    Args:
        layers: as ``describe`` returns them.
        shape: (height, width, channels) of the input.
    """
    height, width, channels = shape
    drawn = [{"layer": "input", "part": "input", "detail": "", "shape": [channels, height, width]}]
    for layer in layers:
        if layer["layer"] in ACTIVATIONS:
            drawn[-1] = drawn[-1] | {"activation": layer["layer"]}
        elif layer["layer"] in KINDS:
            drawn.append(layer)
    return drawn


def fold(drawn: list[Block]) -> list[list[Block]]:
    """Sequences of blocks that follow each other unchanged, each drawn once.

    A sequence has one block (seven equal convolutions) or several (four equal transformer blocks).

    Returns:
        The sequences; each of a sequence's blocks says how many ``times`` it comes.
    """
    looks = [tuple(map(str, (block.get(key) for key in LOOK))) for block in drawn]
    folded, at = [], 0
    while at < len(drawn):
        best = (0, 1, 1)
        for length in range(1, (len(drawn) - at) // 2 + 1):
            times = 1
            while looks[at : at + length] == looks[at + times * length :][:length]:
                times += 1
            # The shorter of two sequences that save as much.
            best = max(best, ((times - 1) * length, length, times), key=lambda each: each[0])
        _, length, times = best
        folded.append([block | {"times": times} for block in drawn[at : at + length]])
        at += length * times
    return folded


def in_rows(folded: list[list[Block]]) -> list[list[list[Block]]]:
    """Sequences in rows of at most ``MOST`` blocks.

    A row that goes on begins with the block that it reads, marked ``again``. A part that reads what
    an earlier one made (a classifier upon an encoder) has a new row as well.
    """
    rows: list[list[list[Block]]] = [[]]
    for sequence in folded:
        row = [block for each in rows[-1] for block in each]
        reads = row[-1] if row else {}
        if sequence[0]["part"] == "dense" and any(b["part"] == "decoder" for b in row):
            reads = [block for block in row if block["part"] == "encoder"][-1]
        if row and (reads is not row[-1] or len(row) + len(sequence) > MOST):
            rows.append([[reads | {"again": True, "times": 1}]])
        rows[-1].append(sequence)
    return rows


def plot_architecture(layers: list[Block], shape: list[int], title: str) -> Figure:
    """Blocks from left to right: as tall as the map, as deep as its channels (both by root).

    Args:
        layers: as ``describe`` returns them.
        shape: (height, width, channels) of the input.
    """
    drawn = blocks(layers, shape)
    rows = in_rows(fold(drawn))
    longest = max(sum(map(len, row)) for row in rows)
    # A model may see faces enlarged.
    side = max(block["shape"][1] for block in drawn if len(block["shape"]) == 3)
    figure = new_figure(max(6.5, 0.78 * longest + 1), 3.1 * len(rows) + 0.7)
    parameters = sum(layer["parameters"] for layer in layers)
    figure.suptitle(f"{title}: {parameters:,} parameters", fontsize=11)
    for axes, row in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        _draw(axes, row, longest, side)
        axes.set_axis_off()
    names = {block["layer"] for block in drawn}
    figure.legend(
        handles=[
            Polygon([(0, 0)], facecolor=colour, edgecolor="#333333", label=label)
            for kind, (label, colour) in KINDS.items()
            if kind in names
        ],
        loc="outside lower center",
        ncols=len(names),
        frameon=False,
        fontsize=8,
    )
    return figure


def _draw(axes: Any, row: list[list[Block]], columns: int, side: int) -> None:
    parts: dict[str, list[int]] = {}
    x = 0
    for sequence in row:
        if (times := sequence[0]["times"]) > 1:
            _bracket(axes, x, x + len(sequence) - 1, 0.64, f"x{times}", weight="bold")
        x += len(sequence)
    for x, block in enumerate(block for sequence in row for block in sequence):
        size = block["shape"]
        if len(size) == 3:
            height = 0.25 + 0.75 * size[1] / side
            depth = 0.05 + 0.018 * math.sqrt(size[0])
            words = f"{size[1]}x{size[2]}\n{size[0]}"
        else:
            # Tokens are as many vectors.
            height, depth = 0.12 + 0.88 * min(1.0, math.log10(size[-1]) / 5), 0.04
            words = "\n".join(f"{number:,}" for number in size)
        _block(axes, x, height, depth, KINDS[block["layer"]][1], faded="again" in block)
        axes.text(x, -0.62, words, ha="center", va="top", fontsize=7.5)
        notes = [block["detail"].replace(", ", "\n"), block.get("activation", "")]
        axes.text(
            x,
            -0.98,
            "\n".join(note for note in notes if note),
            ha="center",
            va="top",
            fontsize=6.5,
            color="#666666",
        )
        if x:
            axes.annotate(
                "",
                (x - 0.2, 0),
                (x - 0.8 + 0.04, 0),
                arrowprops={"arrowstyle": "-|>", "color": "#888888", "lw": 0.6, "shrinkB": 0},
                zorder=0,
            )
        if block["part"] != "input" and "again" not in block:
            parts.setdefault(block["part"], []).append(x)
    for part, places in parts.items():
        _bracket(axes, min(places), max(places), 0.92, part)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-1.4, 1.2)


def _bracket(axes: Any, first: int, last: int, y: float, words: str, **font: Any) -> None:
    """A bracket over the blocks from the first to the last, with words above it."""
    low, high = first - 0.38, last + 0.38
    axes.plot([low, low, high, high], [y, y + 0.06, y + 0.06, y], color="#333333", lw=0.8)
    axes.text((low + high) / 2, y + 0.09, words, ha="center", va="bottom", fontsize=9, **font)


def _block(axes: Any, x: float, height: float, depth: float, colour: str, faded: bool) -> None:
    """A box seen a little from the right and above."""
    w, d = max(depth, 0.06), 0.07
    left, right, low, high = x - w / 2, x + w / 2, -height / 2, height / 2
    faces = (
        ([(left, low), (right, low), (right, high), (left, high)], 1.0),
        ([(left, high), (right, high), (right + d, high + d), (left + d, high + d)], 0.75),
        ([(right, low), (right + d, low + d), (right + d, high + d), (right, high)], 0.5),
    )
    for corners, strength in faces:
        axes.add_patch(Polygon(corners, facecolor="white", edgecolor="none"))
        axes.add_patch(
            Polygon(
                corners,
                facecolor=colour,
                edgecolor="#333333",
                lw=0.5,
                alpha=strength * (0.4 if faded else 1),
            )
        )
