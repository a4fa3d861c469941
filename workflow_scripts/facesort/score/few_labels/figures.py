"""Figures of few labels: curves over their number, and which faces to label first."""

from typing import Any, Final, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facesort.common.drawing import new_figure
from facesort.common.emotions import EMOTIONS
from facesort.train.models import MODELS

# After Okabe and Ito, with figures.py's darker purple and stronger yellow. Models that share a
# colour differ in their marker, and in whether they learnt from labels (dashed).
PALETTE: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#882255",
    "#56B4E9",
    "#222222",
    "#CC9A00",
    "#999999",
)
MARKERS: Final = "osD^vPX<>*h"
LEARNT: Final = {
    "none": "learnt from faces alone",
    "comparisons": "learnt from comparisons",
    "labels": "learnt from labels",
}
LEVEL: Final[dict[str, Any]] = {"color": "#666666", "lw": 1, "ls": ":"}
DASHES: Final = {"none": "-", "comparisons": "-.", "labels": "--"}


def plot_few_labels(table: pd.DataFrame) -> Figure:
    """Accuracy above balanced accuracy against labels an emotion: a panel a variant.

    Below them, where it was tried, what anatomy adds to balanced accuracy.

    Args:
        table: as ``make_few_labels_table`` gives it.
    """
    chosen, anatomy = (table[table["way"] == way] for way in ("equal", "anatomy"))
    panels = {
        "accuracy": (chosen, "accuracy", chosen["always_commonest"].iloc[0]),
        "balanced accuracy": (chosen, "balanced_accuracy", chosen["chance"].iloc[0]),
    }
    if len(anatomy):
        name = "gain of anatomy over labels alone\n(balanced accuracy)"
        panels[name] = anatomy, "balanced_accuracy_gain", 0.0
    return _plot(panels, 1, "labels an emotion", "always the\ncommonest emotion", bands=True)


def plot_label_first(table: pd.DataFrame, emotions: int = len(EMOTIONS)) -> Figure:
    """What typical and central faces gain over random ones against labels in all.

    Args:
        table: as ``make_few_labels_table`` gives it.
        emotions: how many the training part has.
    """
    panels = {
        f"gain of {way} faces over random\n(balanced accuracy)": (
            table[table["way"] == way],
            "balanced_accuracy_gain",
            0.0,
        )
        for way in ("typical", "central")
    }
    # Many bands about one level would hide each other. The gains of both ways compare by eye.
    return _plot(panels, emotions, "labels in all", "random faces", bands=False, sharey=True)


def _plot(
    panels: dict[str, tuple[pd.DataFrame, str, float]],
    times: int,
    across: str,
    level: str,
    *,
    bands: bool,
    sharey: Literal["row"] | bool = "row",
) -> Figure:
    """A row of panels a score, a column a variant, a line with intervals a model.

    Args:
        panels: by the score's name: the rows drawn, the score's column, and a level to compare
            with.
        times: labels for each label an emotion.
        across: what the number of labels is called.
        level: what the level is called.
        bands: whether intervals are bands too.
        sharey: panels of one scale: those of a score, or all (True).
    """
    first = next(iter(panels.values()))[0]
    variants = list(dict.fromkeys(first["variant"]))
    of_model = dict(zip(first["model"], first["supervision"], strict=True))
    ticks = sorted({times * budget for budget in first["per_emotion"]})
    figure = new_figure(3.9 * len(variants) + 2.6, 3.4 * len(panels) + 0.3)
    grid = figure.subplots(len(panels), len(variants), squeeze=False, sharex=True, sharey=sharey)
    for row, (name, (rows, score, height)) in enumerate(panels.items()):
        for column, variant in enumerate(variants):
            axes = grid[row, column]
            axes.axhline(height, **LEVEL)
            for number, model in enumerate(of_model):
                # Beside each other, so that intervals can be told apart.
                shift = 1.025 ** (number - (len(of_model) - 1) / 2)
                line = rows[(rows["variant"] == variant) & (rows["model"] == model)]
                look = _look(model, of_model[model])
                _draw(axes, line["per_emotion"] * times * shift, line, score, look, bands)
            axes.set_xscale("log")
            axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axes.set_xticks([], minor=True)
            axes.grid(color="#eeeeee")
            axes.spines[["top", "right"]].set_visible(False)
            if row == 0:
                axes.set_title(variant, fontsize=10)
            if row == len(panels) - 1:
                axes.set_xlabel(across)
        grid[row, 0].set_ylabel(name)
    handles = []
    for supervision, words in LEARNT.items():
        if models := [model for model in of_model if of_model[model] == supervision]:
            handles.append(Line2D([], [], ls="none", label=words))
            handles += [
                Line2D([], [], label=model, **_look(model, supervision)) for model in models
            ]
    handles.append(Line2D([], [], label=level, **LEVEL))
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)
    return figure


def _draw(
    axes: Axes, x: pd.Series, line: pd.DataFrame, score: str, look: dict[str, Any], bands: bool
) -> None:
    low, high = line[f"{score}_low"], line[f"{score}_high"]
    if bands:
        axes.fill_between(x, low, high, color=look["color"], alpha=0.12, lw=0)
    axes.vlines(x, low, high, color=look["color"], lw=0.8)
    axes.plot(x, line[score], **look)


def _look(model: str, supervision: str) -> dict[str, Any]:
    number = list(MODELS).index(model)
    return {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number % len(MARKERS)],
        "ls": DASHES[supervision],
        "markersize": 4.5,
        "lw": 1.3,
    }
