"""Figures of few labels: curves over their number, and which faces to label first."""

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from facesort.emotions import EMOTIONS
from facesort.figures import new_figure
from facesort.models import MODELS

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
    "nothing": "learnt without people",
    "comparisons": "learnt from comparisons",
    "labels": "learnt from all labels",
}
DASHES: Final = {"nothing": "-", "comparisons": "-.", "labels": "--"}


def plot_few_labels(table: pd.DataFrame) -> Figure:
    """Accuracy above balanced accuracy against labels an emotion: a panel a variant.

    Args:
        table: as ``make_few_labels_table`` gives it.
    """
    chosen = table[table["way"] == "equal"]
    panels = {
        "accuracy": (chosen, "accuracy", "always_commonest", "always the commonest"),
        "balanced accuracy": (chosen, "balanced_accuracy", "chance", "chance"),
    }
    return _plot(table, panels, "labels an emotion", table["per_emotion"])


def plot_label_first(table: pd.DataFrame) -> Figure:
    """What typical and central faces gain over random ones against labels in all.

    Args:
        table: as ``make_few_labels_table`` gives it.
    """
    panels = {
        f"gain of {way} faces over random\n(balanced accuracy)": (
            table[table["way"] == way].assign(random=0.0),
            "balanced_accuracy_gain",
            "random",
            "random faces",
        )
        for way in ("typical", "central")
    }
    return _plot(table, panels, "labels in all", table["per_emotion"] * len(EMOTIONS))


def _plot(
    table: pd.DataFrame,
    panels: dict[str, tuple[pd.DataFrame, str, str, str]],
    across: str,
    numbers: pd.Series,
) -> Figure:
    """A row of panels a score, a column a variant, a line with a band a model.

    Args:
        panels: by the score's name: the rows drawn, the score's column, the column of a level to
            compare with, and that one's name.
        across: what the number of labels is called.
        numbers: of labels, row for row of ``table``.
    """
    variants = list(dict.fromkeys(table["variant"]))
    models = list(dict.fromkeys(table["model"]))
    figure = new_figure(3.9 * len(variants) + 2.6, 3.4 * len(panels) + 0.3)
    grid = figure.subplots(len(panels), len(variants), squeeze=False, sharex=True, sharey="row")
    ticks = sorted(set(numbers))
    for row, (name, (rows, score, level, named)) in enumerate(panels.items()):
        for column, variant in enumerate(variants):
            axes = grid[row, column]
            shown = rows[rows["variant"] == variant]
            height = shown[level].iloc[0]
            axes.axhline(height, color="#888888", lw=0.9, ls=":", zorder=1)
            axes.annotate(
                named,
                (1, height),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 2),
                textcoords="offset points",
                ha="right",
                fontsize=7,
                color="#666666",
            )
            for number, model in enumerate(models):
                # Beside each other, so that intervals of equal height can be told apart.
                shift = 1.02 ** (number - (len(models) - 1) / 2)
                line = shown[shown["model"] == model]
                _draw(axes, line, score, numbers[line.index] * shift)
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
    signals = dict(zip(table["model"], table["signal"], strict=True))
    handles = []
    for signal, words in LEARNT.items():
        if learners := [model for model in models if signals[model] == signal]:
            handles.append(Line2D([], [], ls="none", label=words))
            handles += [Line2D([], [], label=model, **_look(model, signal)) for model in learners]
    figure.legend(handles=handles, loc="outside right center", frameon=False, fontsize=9)
    return figure


def _draw(axes: Axes, line: pd.DataFrame, score: str, x: pd.Series) -> None:
    look = _look(line["model"].iloc[0], line["signal"].iloc[0])
    low, high = line[f"{score}_low"], line[f"{score}_high"]
    axes.fill_between(x, low, high, color=look["color"], alpha=0.12, lw=0)
    axes.plot(x, line[score], **look)
    axes.vlines(x, low, high, color=look["color"], lw=0.8)


def _look(model: str, signal: str) -> dict[str, Any]:
    number = list(MODELS).index(model)
    return {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number % len(MARKERS)],
        "ls": DASHES[signal],
        "markersize": 4.5,
        "lw": 1.3,
    }
