"""A set's median and spread, which one odd face does not move, and movements set against them."""

from typing import Final

import numpy as np
import pandas as pd

from facesort.faces.facs import PRESENT

# Half of the faces' width between these shares, as a normal distribution's deviation.
LOW, HIGH, DEVIATIONS = 0.05, 0.95, 3.29
# Numbers in spreads end here: a guess of the network's must not outweigh all else.
MOST: Final = 4.0


def median_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the columns of (N, D): two arrays (D,); a spread is 0 where nearly all rows are equal."""
    low, median, high = np.quantile(values, [LOW, 0.5, HIGH], axis=0)
    spread = (high - low) / DEVIATIONS
    return median, np.where(spread > 1e-6, spread, 0)


class Spread:
    """What is usual in a set of faces: movements' medians and spreads, the heads' turn taken out.

    What a turned head still changes in a strength (a regression on yaw, pitch and roll and their
    products over the faces of the set) is subtracted. No label is used.

    Args:
        strengths: as of ``movements``, or some of its columns, the head's among them.
        presence: float (N,), as of ``FaceMesh.find``. Faces without presence have strengths too,
            but say nothing of medians and spreads.
    """

    def __init__(self, strengths: pd.DataFrame, presence: np.ndarray) -> None:
        values = strengths.to_numpy(np.float64)[presence > PRESENT]
        self.head = np.flatnonzero(strengths.columns.isin(["headYaw", "headPitch", "headRoll"]))
        self.moved = np.setdiff1d(np.arange(values.shape[1]), self.head)
        self.seen = len(values) > 0
        if not self.seen:
            return
        terms = self._terms(values)
        self.middle = terms.mean(0)
        terms -= self.middle
        # A little ridge: few faces may not tell nine terms apart.
        gram = terms.T @ terms + 1e-3 * np.eye(terms.shape[1])
        apart = values[:, self.moved] - values[:, self.moved].mean(0)
        self.slopes = np.linalg.solve(gram, terms.T @ apart)
        self.median, self.spread = median_and_spread(self._level(values))

    def __call__(self, strengths: pd.DataFrame) -> np.ndarray:
        """Strengths of faces, the same columns, set against what is usual.

        Returns:
            float32 (N, columns), from -4 to 4; a column that is the same for nearly all faces of
            the set is 0.
        """
        values = strengths.to_numpy(np.float64)
        if not self.seen:
            return np.zeros(values.shape, np.float32)
        moves = self.spread > 0
        apart = self._level(values) - self.median
        found = np.where(moves, apart, 0) / np.where(moves, self.spread, 1)
        return np.clip(found, -MOST, MOST).astype(np.float32)

    def _terms(self, values: np.ndarray) -> np.ndarray:
        sines = np.sin(np.radians(values[:, self.head]))
        products = [sines[:, i] * sines[:, j] for i in range(3) for j in range(i, 3)]
        return np.column_stack([sines, *products])

    def _level(self, values: np.ndarray) -> np.ndarray:
        """Strengths, as they would be if no head were turned more than others."""
        level = values.copy()
        level[:, self.moved] -= (self._terms(values) - self.middle) @ self.slopes
        return level


def standardised(strengths: pd.DataFrame, presence: np.ndarray) -> np.ndarray:
    """Movements set against what is usual in their own set; as ``Spread`` takes and gives them."""
    return Spread(strengths, presence)(strengths)
