"""A set's median and spread, which one odd face does not move."""

from typing import Final

import numpy as np

# Half of the faces' width between these shares, as a normal distribution's deviation.
LOW, HIGH, DEVIATIONS = 0.05, 0.95, 3.29
# Numbers in spreads end here: a guess of the network's must not outweigh all else.
MOST: Final = 4.0


def median_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the columns of (N, D): two arrays (D,); a spread is 0 where nearly all rows are equal."""
    low, median, high = np.quantile(values, [LOW, 0.5, HIGH], axis=0)
    spread = (high - low) / DEVIATIONS
    return median, np.where(spread > 1e-6, spread, 0)
