"""The figures, drawn with matplotlib's objects: no display, no global state."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure

from facesort.emotions import EMOTIONS

# Okabe and Ito's palette, told apart by colour-blind readers too: https://jfly.uni-koeln.de/color/
PALETTE: Final = (
    "#D55E00",
    "#CC79A7",
    "#009E73",
    "#56B4E9",
    "#E69F00",
    "#999999",
    "#0072B2",
    "#F0E442",
)
COLOURS: Final = dict(zip(EMOTIONS, PALETTE, strict=True)) | {"mixed": "#000000"}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # Without the version in its metadata, equal figures are equal files.
    figure.savefig(path, metadata={"Software": None})


def tsne(embeddings: np.ndarray, seed: int) -> np.ndarray:
    """t-SNE of float32 (N, D), by way of 50 principal components: float64 (N, 2).

    Source: van der Maaten and Hinton 2008; openTSNE, https://opentsne.readthedocs.io
    """
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    parts = min(50, *embeddings.shape)
    reduced = PCA(parts, random_state=seed).fit_transform(np.asarray(embeddings, np.float32))
    perplexity = min(30.0, max(2.0, (len(reduced) - 1) / 3))
    placed = TSNE(perplexity=perplexity, random_state=seed, n_jobs=1).fit(reduced)
    return np.asarray(placed)


def plot_embedding(
    places: np.ndarray, groups: list[tuple[str, str, np.ndarray]], truth: np.ndarray, title: str
) -> Figure:
    """Two maps side by side: by group and by true emotion.

    Args:
        places: float (n, 2).
        groups: label, colour and bool (n,) of each group on the left map.
        truth: str (n,), true emotions.
    """
    figure = new_figure(13, 6)
    left, right = figure.subplots(1, 2)
    emotions = [(emotion, COLOURS[emotion], truth == emotion) for emotion in EMOTIONS]
    for axes, name, shown in ((left, title, groups), (right, "true emotion", emotions)):
        for label, colour, chosen in shown:
            x, y = places[chosen].T
            axes.scatter(x, y, s=12, color=colour, label=label, linewidths=0, alpha=0.85)
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_box_aspect(1)
        axes.spines[:].set_color("#cccccc")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=2)
    return figure


def embedding_groups(
    predictions: pd.DataFrame, clustered: bool
) -> list[tuple[str, str, np.ndarray]]:
    """Groups for ``plot_embedding``: clusters with their names, or predicted emotions."""
    if not clustered:
        predicted = predictions["predicted"].to_numpy(str)
        return [(emotion, COLOURS[emotion], predicted == emotion) for emotion in EMOTIONS]
    from matplotlib import colormaps

    names = predictions.groupby("group")["predicted"].first()
    cycle: Colormap = colormaps["tab20"] if len(names) > 8 else ListedColormap(PALETTE)
    groups = predictions["group"].to_numpy()
    return [
        (f"{group}: {name}", cycle(number % cycle.N), groups == group)  # type: ignore[misc]
        for number, (group, name) in enumerate(names.items())
    ]


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
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(
            f"{row.cluster}: {row.emotion}\n{len(members):,} faces",
            rotation=0,
            ha="right",
            va="center",
        )
    return figure


def plot_reconstructions(pairs: np.ndarray, title: str) -> Figure:
    """Originals above reconstructions: uint8 (n, 2, H, W, C), in rows of eight."""
    columns = min(8, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_figure(columns * 1.3 + 1, rows * 2.7 + 0.5)
    figure.suptitle(title)
    for number, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        part = pairs[number * columns : (number + 1) * columns]
        shown = np.concatenate([part[:, 0], part[:, 1]])
        axes.imshow(montage(shown, len(part)), interpolation="nearest")
        height = pairs.shape[2]
        axes.set_yticks([height / 2, 1.5 * height + 2], ["original", "model's"])
        axes.tick_params(length=0)
        axes.set_xticks([])
        axes.spines[:].set_visible(False)
    return figure


def confusion(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Share of each true emotion's faces (row) predicted as each emotion (column): (8, 8).

    Rows of emotions that do not occur are NaN; a row sums to less than 1 where "mixed" was said.
    """
    matrix = np.array(
        [[np.sum((labels == t) & (predicted == p)) for p in EMOTIONS] for t in EMOTIONS]
    )
    counts = np.array([[np.sum(labels == t)] for t in EMOTIONS])
    with np.errstate(invalid="ignore"):
        return matrix / counts


def plot_confusions(cells: list[dict[str, Any]], predictions: list[pd.DataFrame]) -> Figure:
    """All cells' confusion matrices, models down and variants across, mean over seeds."""
    models = list(dict.fromkeys(cell["model"] for cell in cells))
    variants = list(dict.fromkeys(cell["variant"] for cell in cells))
    figure = new_figure(3.9 * len(variants) + 1.2, 3.7 * len(models) + 0.4)
    grid = figure.subplots(len(models), len(variants), squeeze=False)
    image = None
    for row, model in enumerate(models):
        for column, variant in enumerate(variants):
            axes = grid[row, column]
            matrix = np.mean(
                [
                    confusion(table["label"].to_numpy(str), table["predicted"].to_numpy(str))
                    for cell, table in zip(cells, predictions, strict=True)
                    if (cell["model"], cell["variant"]) == (model, variant)
                ],
                axis=0,
            )
            image = axes.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
            for y, x in np.argwhere(matrix >= 0.005):
                shade = "white" if matrix[y, x] > 0.55 else "#333333"
                axes.text(
                    x,
                    y,
                    f"{100 * matrix[y, x]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color=shade,
                )
            axes.set_title(f"{model}, {variant}", fontsize=10)
            axes.set_xticks(range(8), EMOTIONS, rotation=60, ha="right", fontsize=7)
            axes.set_yticks(range(8), EMOTIONS if column == 0 else [""] * 8, fontsize=7)
            axes.tick_params(length=0)
    figure.supylabel("true emotion")
    figure.supxlabel("predicted emotion (% of the true emotion's faces)")
    assert image is not None
    return figure
