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


def blocks(layers: list[dict[str, Any]], shape: list[int]) -> list[dict[str, Any]]:
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


def plot_architecture(layers: list[dict[str, Any]], shape: list[int], title: str) -> Figure:
    """Blocks from left to right: as tall as the map, as deep as its channels (both by root).

    Args:
        layers: as ``describe`` returns them.
        shape: (height, width, channels) of the input.
    """
    drawn = blocks(layers, shape)
    # A new row for a part that reads what an earlier one made: a classifier upon an encoder.
    rows: list[list[dict[str, Any]]] = [[]]
    for block in drawn:
        if block["part"] == "dense" and any(b["part"] == "decoder" for b in rows[-1]):
            code = [b for b in rows[-1] if b["part"] == "encoder"][-1]
            rows.append([code | {"again": True}])
        rows[-1].append(block)
    longest = max(len(row) for row in rows)
    figure = new_figure(max(6.5, 0.78 * longest + 1), 2.9 * len(rows) + 0.7)
    parameters = sum(layer["parameters"] for layer in layers)
    figure.suptitle(f"{title}: {parameters:,} parameters", fontsize=11)
    for axes, row in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        _draw(axes, row, longest, shape[0])
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


def _draw(axes: Any, row: list[dict[str, Any]], columns: int, side: int) -> None:
    parts: dict[str, list[int]] = {}
    for x, block in enumerate(row):
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
        low, high = min(places) - 0.38, max(places) + 0.38
        axes.plot([low, low, high, high], [0.68, 0.74, 0.74, 0.68], color="#333333", lw=0.8)
        axes.text((low + high) / 2, 0.78, part, ha="center", va="bottom", fontsize=9)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(-1.4, 0.95)


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
