"""The figure of gaps: how far each group lies from the others, by each measure."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from facesort.audit.gap_table import FACES, FEW, GAP, MEASURES
from facesort.audit.report import HEADS, SETS
from facesort.common.drawing import new_figure
from facesort.common.emotions import EMOTIONS

# Differences end here in the colours, in points.
MOST: Final = 20
ABREAST: Final = 2


def plot_audit(table: pd.DataFrame) -> Figure:
    """A panel a row and set: groups below each other, measures beside each other.

    Args:
        table: as of ``gap_table.make_audit``.
    """
    rows = table[table["model"] != FACES]
    panels = list(rows.groupby(["set", "model", "variant"], sort=False))
    if not panels:
        figure = new_figure(6, 1)
        figure.text(0.5, 0.5, "No column has two groups to compare.", ha="center", va="center")
        return figure
    groups = max(len(part[["column", "group"]].drop_duplicates()) for _, part in panels)
    abreast = min(ABREAST, len(panels))
    lines = -(-len(panels) // abreast)
    figure = new_figure(6.6 * abreast + 0.6, lines * (0.27 * groups + 1.3))
    grid = figure.subplots(lines, abreast, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, ((name, model, variant), part) in zip(grid, panels, strict=False):
        found = table[(table["model"] == FACES) & (table["set"] == name)]
        part = pd.concat([found[found["variant"] == variant], part])
        measures = [m for m in (*MEASURES, *EMOTIONS) if m in set(part["measure"])]
        keys = list(part[["column", "group"]].drop_duplicates().itertuples(index=False, name=None))
        points = np.full((len(keys), len(measures)), np.nan)
        for row in part.to_dict("records"):
            at = keys.index((row["column"], row["group"])), measures.index(row["measure"])
            points[at] = np.nan if row["verdict"] == FEW else 100 * row["difference"]
            if row["verdict"] == GAP:
                strong = abs(points[at]) > 0.65 * MOST
                axes.text(
                    at[1], at[0], f"{points[at]:+.0f}", ha="center", va="center", fontsize=7.5,
                    fontweight="bold", color="white" if strong else "#222222",
                )  # fmt: skip
        axes.set_facecolor("#d8d8d8")
        image = axes.imshow(points, cmap="PuOr_r", vmin=-MOST, vmax=MOST, aspect="auto")
        # "$" would begin a formula.
        words = [f"{column}: {group}".replace("$", r"\$") for column, group in keys]
        axes.set_yticks(range(len(keys)), words, fontsize=8)
        heads = [HEADS.get(measure, measure) for measure in measures]
        axes.set_xticks(range(len(measures)), heads, fontsize=8, rotation=40, ha="right")
        axes.set_title(f"{model}, {variant}: {SETS[str(name)]}", fontsize=10)
        for number in range(1, len(keys)):
            if keys[number][0] != keys[number - 1][0]:
                axes.axhline(number - 0.5, color="#222222", lw=0.8)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.colorbar(
        image, ax=grid, location="top", aspect=60, shrink=0.5, extend="both",
        label="points above or below the others; a number is beyond chance, grey: too rare to tell",
    )  # fmt: skip
    return figure
