"""The figures, drawn without a display and without global state; the same input, the same file."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from facesort.emotions import EMOTIONS
from facesort.tables import MODELS, TITLES, VARIANTS

COLORS: Final = {
    "anger": "#D55E00",
    "contempt": "#882255",
    "disgust": "#009E73",
    "fear": "#222222",
    "happy": "#F0C800",
    "neutral": "#BBBBBB",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "mixed": "#EEDDCC",
}
"""After Okabe and Ito (https://jfly.uni-koeln.de/color/) and Paul Tol (https://sronpersonalpages.nl/~pault/);
the eight emotions stay apart under red-green and blue blindness."""

_INK = "#333333"
_DPI = 150


def figure_title(model: str, variant: str, seed: int | str) -> str:
    """What a figure of one training shows, such as "Supervised, rgb, seed 0"."""
    return f"{TITLES[model]}, {variant}, seed {seed}"


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a PNG; it takes its name only once it is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    # The version of matplotlib, its only metadata, would make equal pictures differ.
    FigureCanvasAgg(figure).print_png(part, metadata={"Software": None})
    part.replace(path)


def plot_embedding(
    points: np.ndarray, groups: np.ndarray, names: Mapping[int, str], labels: np.ndarray, title: str
) -> Figure:
    """Draw the same layout twice: coloured by the model's groups and by true emotion.

    Groups have the colour of the emotion that they are named after; groups of one name have shades
    of it. If groups are clusters, their numbers stand at their medians.

    Args:
        points: float (N, 2).
        groups: int (N,), clusters or predicted classes.
        names: name of each group that occurs.
        labels: true emotions, N.
        title: from ``figure_title``.
    """
    clusters = any(
        EMOTIONS.index(name) != g if name in EMOTIONS else True for g, name in names.items()
    )
    figure = _figure(11, 6.4, title)
    left, right = figure.subplots(1, 2)
    colors = _group_colors(names)
    _scatter(left, points, [colors[int(group)] for group in groups])
    _scatter(right, points, [COLORS[label] for label in labels])
    left.set_title("by cluster and its name" if clusters else "by predicted emotion")
    right.set_title("by true emotion")
    order = sorted(names, key=lambda g: (list(COLORS).index(names[g]), g))
    _legend(left, [(f"{g}: {names[g]}" if clusters else names[g], colors[g]) for g in order])
    _legend(right, [(e, COLORS[e]) for e in EMOTIONS if (labels == e).any()])
    if clusters:
        for group in order:
            x, y = np.median(points[groups == group], axis=0)
            text = left.text(x, y, str(group), ha="center", va="center", weight="bold", color=_INK)
            text.set_path_effects([withStroke(linewidth=3, foreground="white")])
    return figure


def plot_clusters(
    faces: Sequence[np.ndarray], names: Sequence[str], sizes: Sequence[int], title: str
) -> Figure:
    """Draw a row of faces for each cluster, beside its number, name and size.

    Args:
        faces: for each cluster uint8 (n, H, W, C), C 3 or 1, at most as many as fit beside each
            other; may be empty.
        names: of the clusters.
        sizes: faces of the pool in each.
        title: from ``figure_title``.
    """
    columns = max(1, max(len(row) for row in faces))
    figure = _figure(1.9 + 0.8 * columns, 0.7 + 0.86 * len(faces), title)
    for number, axes in enumerate(np.atleast_1d(figure.subplots(len(faces), 1))):
        row = faces[number]
        _strip(axes, row, columns)
        axes.text(
            -0.02,
            0.5,
            f"{number}: {names[number]}\n{sizes[number]:,} faces",
            transform=axes.transAxes,
            ha="right",
            va="center",
            color=_INK,
            fontsize=9,
            linespacing=1.4,
        )
    return figure


def sample_clusters(
    clusters: np.ndarray, count: int, per_cluster: int, seed: int
) -> list[np.ndarray]:
    """Choose seeded random members of each cluster, in ascending order.

    Args:
        clusters: int (N,), the cluster of each face.
        count: number of clusters.
        per_cluster: how many of each; all where there are fewer.
        seed: of the choice; a cluster's does not depend on the other clusters.

    Returns:
        For each cluster int (n,), rows of ``clusters``.
    """
    chosen = []
    for cluster in range(count):
        members = np.flatnonzero(clusters == cluster)
        generator = np.random.default_rng([seed, cluster])
        chosen.append(
            np.sort(generator.choice(members, min(per_cluster, len(members)), replace=False))
        )
    return chosen


def plot_reconstructions(pairs: np.ndarray, title: str) -> Figure:
    """Draw originals above what the autoencoder makes of them, eight pairs a row.

    Args:
        pairs: uint8 (k, 2, H, W, C), C 3 or 1.
        title: from ``figure_title``.
    """
    columns = min(8, len(pairs))
    bands = -(-len(pairs) // columns)
    figure = _figure(1.3 + 1.05 * columns, 0.6 + 2.25 * bands, title)
    for band, axes in enumerate(np.atleast_1d(figure.subplots(bands, 1))):
        row = pairs[band * columns : (band + 1) * columns]
        _strip(axes, np.concatenate([row[:, 0], row[:, 1]], axis=1), columns)
        for y, word in ((0.75, "original"), (0.25, "reconstruction")):
            axes.text(
                -0.01,
                y,
                word,
                transform=axes.transAxes,
                ha="right",
                va="center",
                rotation=90,
                color=_INK,
                fontsize=9,
            )
    return figure


def plot_confusion(counts: Mapping[tuple[str, str], np.ndarray]) -> Figure:
    """Draw the confusion matrices of all cells, models in rows and variants in columns.

    Args:
        counts: by (model, variant): float (8, 9), from ``scoring.confusion``, summed over seeds;
            rows are true emotions. The column "mixed" is drawn where a cell uses it.
    """
    models = [model for model in MODELS if any(model == m for m, _ in counts)]
    variants = [variant for variant in VARIANTS if any(variant == v for _, v in counts)]
    mixed = any(matrix[:, -1].any() for matrix in counts.values())
    columns = [*EMOTIONS, "mixed"] if mixed else list(EMOTIONS)
    figure = _figure(
        1.6 + 3.4 * len(variants),
        1.4 + 3.2 * len(models),
        "Predicted emotion (columns) for each true emotion (rows), % of the row",
    )
    grid = figure.subplots(len(models), len(variants), squeeze=False)
    for i, model in enumerate(models):
        for j, variant in enumerate(variants):
            axes = grid[i, j]
            if (model, variant) not in counts:
                axes.set_axis_off()
                continue
            matrix = counts[model, variant][:, : len(columns)]
            shares = 100 * matrix / np.maximum(counts[model, variant].sum(1, keepdims=True), 1)
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
            for y, x in np.ndindex(shares.shape):
                axes.text(
                    x,
                    y,
                    f"{shares[y, x]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if shares[y, x] > 55 else _INK,
                )
            axes.set_title(f"{TITLES[model]}, {variant}", fontsize=9, color=_INK)
            bottom, first = i == len(models) - 1, j == 0
            axes.set_xticks(range(len(columns)), columns if bottom else [], rotation=90, fontsize=8)
            axes.set_yticks(range(len(EMOTIONS)), EMOTIONS if first else [], fontsize=8)
            axes.tick_params(length=0, colors=_INK)
            axes.spines[:].set_visible(False)
    return figure


def _figure(width: float, height: float, title: str) -> Figure:
    """A figure of so many inches, laid out to fit, its title at the top left."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=_INK)
    return figure


def _scatter(axes: Axes, points: np.ndarray, colors: Sequence[object]) -> None:
    size = float(np.clip(9000 / max(1, len(points)), 4, 30))
    # In seeded order, so that no group is drawn over all others.
    order = np.random.default_rng(0).permutation(len(points))
    axes.scatter(*points[order].T, s=size, c=[colors[i] for i in order], alpha=0.85, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#DDDDDD")


def _legend(axes: Axes, entries: Iterable[tuple[str, object]]) -> None:
    for text, color in entries:
        axes.scatter([], [], s=40, color=[color], label=text, linewidths=0)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=4,
        frameon=False,
        fontsize=9,
        handletextpad=0.2,
        columnspacing=1.2,
        labelcolor=_INK,
    )


def _group_colors(names: Mapping[int, str]) -> dict[int, tuple[float, ...]]:
    """The named emotion's colour; further groups of that name are lighter and darker in turn."""
    steps = (0.0, 0.45, -0.4, 0.7, -0.65)
    colors: dict[int, tuple[float, ...]] = {}
    seen: dict[str, int] = {}
    for group in sorted(names):
        name = names[group]
        step = steps[seen.get(name, 0) % len(steps)]
        seen[name] = seen.get(name, 0) + 1
        base, towards = np.array(to_rgb(COLORS[name])), float(step > 0)
        colors[group] = tuple(base + abs(step) * (towards - base))
    return colors


def _strip(axes: Axes, faces: np.ndarray, columns: int) -> None:
    """Draw faces beside each other, one narrow gap between them, with room for ``columns``."""
    axes.set_axis_off()
    if not len(faces):
        axes.text(0, 0.5, "no faces", transform=axes.transAxes, va="center", color=_INK)
        return
    count, height, width, channels = faces.shape
    gap = max(1, width // 24)
    canvas = np.full((height, columns * (width + gap) - gap, 3), 255, np.uint8)
    for number, face in enumerate(faces):
        start = number * (width + gap)
        canvas[:, start : start + width] = face
    axes.imshow(canvas, interpolation="nearest" if height < 150 else "antialiased", aspect="equal")
    axes.set_anchor("W")
