"""The figure of other sets: each row's balanced accuracy there, and on the main scored faces."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from facesort.common.drawing import new_figure

# After Okabe and Ito, as other figures; sets also differ in their marker.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#882255", "#56B4E9", "#CC9A00")
MARKERS: Final = "osD^vP"


def plot_elsewhere(table: pd.DataFrame) -> Figure:
    """A panel a variant: of each model a ring for the main set, a marker a set, a line between.

    Args:
        table: as ``make_elsewhere_table`` gives it.
    """
    variants, models, sets = (list(dict.fromkeys(table[k])) for k in ("variant", "model", "set"))
    height = 0.3 + 0.22 * len(sets)
    # The legend has a column a panel, as sets may have long names.
    lines = -(-(len(sets) + 1) // len(variants))
    figure = new_figure(3.6 * len(variants) + 2, height * len(models) + 1 + 0.25 * lines)
    grid = figure.subplots(1, len(variants), squeeze=False, sharex=True, sharey=True)[0]
    # Below each other, so that intervals can be told apart.
    shifts = (np.arange(len(sets)) - (len(sets) - 1) / 2) * 0.8 / max(len(sets), 2)
    for axes, variant in zip(grid, variants, strict=True):
        for number, name in enumerate(sets):
            rows = table[(table["variant"] == variant) & (table["set"] == name)]
            colour = COLOURS[number % len(COLOURS)]
            y = rows["model"].map(models.index).to_numpy() + shifts[number]
            there, main = rows["balanced_accuracy"], rows["main_balanced_accuracy"]
            ends = there - rows["balanced_accuracy_low"], rows["balanced_accuracy_high"] - there
            axes.hlines(y, there, main, color=colour, lw=1, ls=":")
            axes.errorbar(
                there, y, xerr=np.stack(ends), color=colour, label=name,
                fmt=MARKERS[number % len(MARKERS)], ms=5, lw=1.5,
            )  # fmt: skip
            axes.axvline(rows["chance"].iloc[0], color=colour, lw=0.8, ls="--", alpha=0.6)
            label = "main scored faces" if number == 0 else None
            axes.plot(main, y, "o", mfc="white", mec="#222222", ms=6, label=label)
        axes.set_title(variant, fontsize=10)
        axes.set_xlabel("balanced accuracy")
        axes.locator_params(axis="x", nbins=5)
        axes.grid(axis="x", color="#eeeeee")
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].set_yticks(range(len(models)), models)
    grid[0].set_ylim(len(models) - 0.4, -0.6)
    entries = grid[0].get_legend_handles_labels()
    figure.legend(*entries, loc="outside lower center", ncols=len(variants), frameon=False)
    return figure
