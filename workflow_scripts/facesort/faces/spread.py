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


def standardised(strengths: pd.DataFrame, presence: np.ndarray) -> np.ndarray:
    """Movements set against their own set's median and spread, its faces' turn taken out.

    What a turned head still changes in a strength (a regression on yaw, pitch and roll and their
    products over the faces of the set) is subtracted. No label is used.

    Args:
        strengths: as of ``movements``, or some of its columns, the head's among them.
        presence: float (N,), as of ``FaceMesh.find``. Faces without presence have strengths too,
            but say nothing of medians and spreads.

    Returns:
        float32 (N, columns), from -4 to 4; a column that is the same for nearly all faces is 0.
    """
    values = strengths.to_numpy(np.float64, copy=True)
    seen = presence > PRESENT
    if not seen.any():
        return np.zeros(values.shape, np.float32)
    head = np.flatnonzero(strengths.columns.isin(["headYaw", "headPitch", "headRoll"]))
    sines = np.sin(np.radians(values[:, head]))
    products = [sines[:, i] * sines[:, j] for i in range(3) for j in range(i, 3)]
    terms = np.column_stack([sines, *products])
    terms -= terms[seen].mean(0)
    # A little ridge: few faces may not tell nine terms apart.
    gram = terms[seen].T @ terms[seen] + 1e-3 * np.eye(terms.shape[1])
    moved = np.setdiff1d(np.arange(values.shape[1]), head)
    apart = values[seen][:, moved] - values[seen][:, moved].mean(0)
    values[:, moved] -= terms @ np.linalg.solve(gram, terms[seen].T @ apart)
    median, spread = median_and_spread(values[seen])
    moves = spread > 0
    found = np.where(moves, values - median, 0) / np.where(moves, spread, 1)
    return np.clip(found, -MOST, MOST).astype(np.float32)
