"""What is taken for what: the matrices of all cells, as a figure and for a page.

A page shows them by the macro ``matrices`` of ``confusion.html``, with ``confusion.css``.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from facesort.common.drawing import new_figure
from facesort.common.emotions import EMOTIONS, MIXED, UNNAMED
from facesort.score.cells import gather

# Small matrices side by side in the figure.
COLUMNS: Final = 6


@dataclass(frozen=True)
class Matrix:
    """Of a model and variant, mean over seeds.

    Attributes:
        accuracy: that of Table 1.
        shares: float (emotions, answers): of each emotion's faces, those that got each answer.
    """

    model: str
    variant: str
    accuracy: float
    shares: np.ndarray


@dataclass(frozen=True)
class Confusions:
    """The matrices of all cells, of the same rows and columns.

    Attributes:
        emotions: the rows: those of the scored faces.
        faces: how many scored faces each emotion has.
        answers: the columns: these emotions, and whatever else was answered anywhere.
        best: of the highest accuracy; of equal ones the first in Table 1.
        others: by model, in Table 1's order.
    """

    emotions: list[str]
    faces: list[int]
    answers: list[str]
    best: Matrix
    others: dict[str, list[Matrix]]

    @property
    def right(self) -> list[int]:
        """The column of each emotion's right answer."""
        return [self.answers.index(emotion) for emotion in self.emotions]

    def commonest(self, matrix: Matrix) -> tuple[str, float]:
        """The answer that most faces got, and the share of all faces that got it."""
        shares = np.average(matrix.shares, axis=0, weights=self.faces)
        return self.answers[shares.argmax()], float(shares.max())


def confusions(cells: list[dict[str, Any]], predictions: list[pd.DataFrame]) -> Confusions:
    """Count what was answered for the faces of each emotion.

    Args:
        cells: of each prediction table its ``model``, ``variant`` and ``seed``.
        predictions: columns face, label, predicted; a row a scored face.

    Raises:
        InputError: if two cells were not scored on the same faces.
    """
    faces = predictions[0]["label"].value_counts()
    given = set().union(faces.index, *(table["predicted"].unique() for table in predictions))
    emotions = [name for name in EMOTIONS if name in faces.index]
    known = (*EMOTIONS, MIXED, UNNAMED)
    answers = [*(name for name in known if name in given), *sorted(given.difference(known))]
    matrices = []
    for (model, variant), numbers in gather(cells, predictions).items():
        tables = [predictions[number] for number in numbers]
        shares = [
            pd.crosstab(
                table["label"].astype(str), table["predicted"].astype(str), normalize="index"
            )
            .reindex(index=emotions, columns=answers, fill_value=0.0)
            .to_numpy()
            for table in tables
        ]
        right = [(table["label"] == table["predicted"]).to_numpy() for table in tables]
        matrices.append(Matrix(model, variant, float(np.mean(right)), np.mean(shares, axis=0)))
    best = max(matrices, key=lambda matrix: matrix.accuracy)
    others: dict[str, list[Matrix]] = {}
    for matrix in matrices:
        if matrix is not best:
            others.setdefault(matrix.model, []).append(matrix)
    return Confusions(emotions, [int(faces[name]) for name in emotions], answers, best, others)


def plot_confusions(cells: list[dict[str, Any]], predictions: list[pd.DataFrame]) -> Figure:
    """The best cell's matrix with its numbers, above the others' small ones.

    Args:
        cells, predictions: as ``confusions`` takes them.
    """
    found = confusions(cells, predictions)
    small = [matrix for matrices in found.others.values() for matrix in matrices]
    columns = min(COLUMNS, len(small))
    # In inches. Layouts of matplotlib lose labels where matrices of two sizes share a figure.
    shape = np.array([len(found.answers), len(found.emotions)])
    large, little = 0.55 * shape, 0.16 * shape
    across, down = max(little[0], 1) + 0.25, little[1] + 0.45
    below = large[1] + 1.7
    width = max(columns * across + 0.9, large[0] + 2, 6)
    figure = new_figure(width, below + (-(-len(small) // columns) * down + 0.2 if small else -0.2))
    figure.set_layout_engine("none")
    axes = _draw(figure, found, found.best, ((width - large[0]) / 2, 0.4), large, fontsize=9)
    model, variant, right = found.best.model, found.best.variant, found.best.accuracy
    axes.set_title(f"{model}, {variant}: {right:.1%} right, the best", fontsize=11)
    for y, x in np.argwhere(found.best.shares >= 0.005):
        share = found.best.shares[y, x]
        colour = "white" if share > 0.55 else "#222222"
        axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=9)
    axes.set_ylabel("true emotion")
    axes.set_xlabel("answer (% of the true emotion's faces)")
    for number, matrix in enumerate(small):
        corner = 0.75 + number % columns * across, below + number // columns * down
        axes = _draw(figure, found, matrix, corner, little, fontsize=6)
        axes.set_title(f"{matrix.model}\n{matrix.variant} {matrix.accuracy:.1%}", fontsize=7.5)
        if number % columns:
            axes.set_yticks([])
        if number + columns < len(small):
            axes.set_xticks([])
    return figure


def _draw(
    figure: Figure,
    found: Confusions,
    matrix: Matrix,
    corner: tuple[float, float],
    size: np.ndarray,
    fontsize: float,
) -> Axes:
    """A matrix at so many inches from the left and the top, so many wide and high."""
    width, height = figure.get_size_inches()
    low = height - corner[1] - size[1]
    axes = figure.add_axes((corner[0] / width, low / height, size[0] / width, size[1] / height))
    axes.imshow(matrix.shares, vmin=0, vmax=1, cmap="Blues")
    for y, x in enumerate(found.right):
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, ec="#222222", lw=0.8))
    axes.set_xticks(range(len(found.answers)), found.answers, rotation=90, fontsize=fontsize)
    axes.set_yticks(range(len(found.emotions)), found.emotions, fontsize=fontsize)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_color("#aaaaaa")
    return axes
