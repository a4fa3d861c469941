"""The figures, drawn with matplotlib's objects: no display, no global state."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from facesort.common.drawing import new_figure
from facesort.pages.colours import UNGROUPED, Group


def plot_embedding(
    places: pd.DataFrame, panels: list[tuple[str, np.ndarray, list[Group]]], title: str
) -> Figure:
    """t-SNE above UMAP, with a panel for each way of colouring them.

    Args:
        places: columns tsne_x, tsne_y, umap_x, umap_y; a row a face.
        panels: heading, bool (n,) of the faces shown in colour, and the groups that they are in,
            whose marks stand amid them; the other faces lie below, small and hollow.
    """
    figure = new_figure(5.2 * len(panels) + 0.3, 12.4)
    figure.suptitle(title)
    grid = figure.subplots(2, len(panels), squeeze=False)
    size = float(np.clip(12_000 / len(places), 1.5, 30))
    for row, (kind, name) in enumerate({"tsne": "t-SNE", "umap": "UMAP"}.items()):
        x, y = places[f"{kind}_x"].to_numpy(), places[f"{kind}_y"].to_numpy()
        for column, (heading, shown, groups) in enumerate(panels):
            axes = grid[row, column]
            axes.scatter(
                x[~shown],
                y[~shown],
                s=size / 2,
                facecolors="none",
                edgecolors=UNGROUPED.light,
                linewidths=0.5,
            )
            colours = np.full((len(places), 3), 0.5)
            for group in groups:
                colour, chosen = group.colour.light, group.chosen & shown
                colours[chosen] = to_rgb(colour)
                axes.scatter([], [], s=40, color=colour, label=group.label, linewidths=0)
                if group.mark and chosen.any():
                    axes.text(
                        np.median(x[chosen]),
                        np.median(y[chosen]),
                        group.mark,
                        ha="center",
                        va="center",
                        fontsize=13,
                        weight="bold",
                        path_effects=[withStroke(linewidth=3, foreground="white")],
                    )
            # In random order: drawn group by group, the last would hide the others.
            order = np.random.default_rng(0).permutation(np.flatnonzero(shown))
            axes.scatter(x[order], y[order], s=size, c=colours[order], linewidths=0)
            axes.set_title(f"{name}: {heading}")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_box_aspect(1)
            axes.spines[:].set_color("#cccccc")
            if row:
                axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, frameon=False)
    return figure


def as_shown(faces: np.ndarray) -> np.ndarray:
    """RGB of uint8 (..., C) with C = 1 or 3."""
    return np.repeat(faces, 3, axis=-1) if faces.shape[-1] == 1 else faces


def montage(faces: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Put uint8 (N, H, W, C) into rows of ``columns`` on white: uint8 (H', W', 3)."""
    faces = as_shown(faces)
    rows = -(-len(faces) // columns)
    height, width = faces.shape[1] + gap, faces.shape[2] + gap
    sheet = np.full((rows * height - gap, columns * width - gap, 3), 255, np.uint8)
    for number, face in enumerate(faces):
        y, x = number // columns * height, number % columns * width
        sheet[y : y + faces.shape[1], x : x + faces.shape[2]] = face
    return sheet


def plot_clusters(
    faces: np.ndarray,
    clusters: np.ndarray,
    names: pd.DataFrame,
    per_cluster: int,
    seed: int,
    title: str,
) -> Figure:
    """A row of faces a cluster, drawn at random by the seed, under the cluster's name.

    Args:
        faces: uint8 (N, H, W, C), may be memory-mapped; only the faces shown are read.
        clusters: int (N,).
        names: columns cluster, emotion, origin.
    """
    generator = np.random.default_rng(seed)
    figure = new_figure(per_cluster + 2.4, 1.08 * len(names) + 0.6)
    figure.suptitle(title)
    for axes, row in zip(
        figure.subplots(len(names), 1, squeeze=False)[:, 0], names.itertuples(), strict=True
    ):
        members = np.flatnonzero(clusters == row.cluster)
        shown = np.sort(generator.permutation(members)[:per_cluster])
        blank = np.full((per_cluster, *faces.shape[1:]), 255, np.uint8)
        blank[: len(shown)] = faces[shown]
        axes.imshow(montage(blank, per_cluster), interpolation="nearest")
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
        # As a tick's label, for which the layout makes room.
        label = f"{row.cluster}: {row.emotion}\n{len(members):,} faces"
        axes.set_yticks([faces.shape[1] / 2], [label], fontsize=11)
        axes.tick_params(length=0)
    return figure


def plot_reconstructions(shown: np.ndarray, labels: list[str], title: str) -> Figure:
    """Originals above what became of them: uint8 (n, k, H, W, C), in rows of eight.

    Args:
        labels: of the k pictures of a face.
    """
    columns = min(8, len(shown))
    rows, (each, height) = -(-len(shown) // columns), shown.shape[1:3]
    # Few faces leave room for the title all the same.
    figure = new_figure(max(columns * 1.3 + 1, 5), rows * (1.35 * each + 0.1) + 0.4)
    figure.suptitle(title)
    for number, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        part = shown[number * columns : (number + 1) * columns]
        # Blank places in the last row keep its faces as large as the others'.
        sheet = np.full((each, columns, *shown.shape[2:]), 255, np.uint8)
        sheet[:, : len(part)] = part.swapaxes(0, 1)
        axes.imshow(montage(sheet.reshape(-1, *shown.shape[2:]), columns), interpolation="nearest")
        axes.set_yticks([height / 2 + row * (height + 2) for row in range(each)], labels)
        axes.tick_params(length=0)
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
    return figure


# A variant's colour, whichever variants a run has.
VARIANTS: Final = {"rgb": "#0072B2", "grayscale": "#777777", "cropped": "#D55E00"}


def plot_history(history: pd.DataFrame) -> Figure:
    """Loss by epoch: a panel a model and phase, a colour a variant, a line a seed.

    Args:
        history: a row an epoch, with columns model, variant, seed, phase, epoch, loss.
    """
    panels = list(dict.fromkeys(zip(history["model"], history["phase"], strict=True)))
    rows = -(-len(panels) // 4)
    columns = -(-len(panels) // rows)
    figure = new_figure(3.3 * columns + 0.4, 2.9 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    # Another phase has another loss.
    for axes in grid[:, 0]:
        axes.set_ylabel("loss")
    for axes, (model, phase) in zip(grid.ravel(), panels, strict=False):
        chosen = history[(history["model"] == model) & (history["phase"] == phase)]
        for (variant, _), line in chosen.groupby(["variant", "seed"], sort=False):
            axes.plot(
                line["epoch"],
                line["loss"],
                marker="o",
                markersize=3,
                lw=1.2,
                color=VARIANTS[variant],
            )
        axes.set_title(f"{model}: {phase}", fontsize=10)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(color="#eeeeee")
        axes.spines[["top", "right"]].set_visible(False)
    shown = [variant for variant in VARIANTS if (history["variant"] == variant).any()]
    figure.legend(
        handles=[
            Line2D([], [], color=VARIANTS[variant], marker="o", markersize=3, label=variant)
            for variant in shown
        ],
        loc="outside upper center",
        ncols=len(shown),
        frameon=False,
    )
    return figure
