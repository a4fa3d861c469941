"""Names from anatomy: which emotion a cluster's mean movements fit. No label is used.

A face's fit to an emotion is how far its action units lie from the mean face's in the direction in
which the literature's prototype of that emotion lies from the mean of all eight. A cluster takes
the emotion that its faces fit best on average, against all other faces of the pool.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from facesort.common.arrays import open_array, read_index
from facesort.common.emotions import EMOTIONS, MIXED
from facesort.faces import facs
from facesort.faces.units import both_sides, expected_units, shown_units

# Means of clusters that differ by fewer deviations are alike (Cohen 1988: a small effect).
SLIGHT: Final = 0.2
# How often a group of faces drawn at random may fit some emotion well enough for its name.
BY_CHANCE: Final = 0.05


@dataclass(frozen=True)
class Anatomy:
    """What the faces of a pool do.

    Attributes:
        movements: float32 (N, columns), as of ``movements.standardised``.
        seen: bool (N,), the faces in which landmarks were found; no other counts.
    """

    movements: np.ndarray
    seen: np.ndarray

    @cached_property
    def fits(self) -> np.ndarray:
        """How well each face fits each emotion, in deviations of the pool: float64 (N, 8)."""
        if not self.seen.any():
            return np.zeros((len(self.seen), len(EMOTIONS)))
        expected = expected_units()
        fits = shown_units(self.movements, self.seen) @ (expected - expected.mean(0)).T
        mean, deviations = fits[self.seen].mean(0), fits[self.seen].std(0)
        return np.asarray((fits - mean) / np.where(deviations > 0, deviations, 1))


def read_anatomy(movements: str | Path, presence: str | Path) -> Anatomy:
    """Read what rules ``measure_movements`` and ``find_landmarks`` wrote of a pool."""
    measured = open_array(movements)
    sure = read_index(presence, len(measured))["presence"].to_numpy()
    return Anatomy(measured, sure > facs.PRESENT)


def against_others(
    values: np.ndarray, groups: np.ndarray, seen: np.ndarray, clusters: int
) -> np.ndarray:
    """How far the mean of each cluster's faces lies from that of all other faces.

    Args:
        values: float (N, D).
        groups: int (N,), the cluster of each face.
        seen: bool (N,), the faces that count.

    Returns:
        float64 (K, D); 0 where a cluster, or all but it, has no face that counts.
    """
    groups = groups[seen]
    counts = np.bincount(groups, minlength=clusters)[:, None]
    sums = np.stack([np.bincount(groups, v, clusters) for v in values[seen].T], 1)
    others = counts.sum() - counts
    means = sums / np.maximum(counts, 1)
    rest = (sums.sum(0) - sums) / np.maximum(others, 1)
    return np.where((counts > 0) & (others > 0), means - rest, 0)


def name_by_fits(
    fits: np.ndarray, groups: np.ndarray, seen: np.ndarray, clusters: int
) -> list[str]:
    """Name each cluster by the emotion that its faces fit best; "mixed" where they fit none.

    They fit none if the best fit is below ``SLIGHT``, or so small that a group of as many faces
    drawn at random has one by chance (the normal distribution's quantile for ``BY_CHANCE``, shared
    between the eight emotions after Bonferroni).

    Args:
        fits: float (N, 8), as of ``Anatomy``.
        groups, seen: as of ``against_others``.

    Returns:
        K names.
    """
    found = against_others(fits, groups, seen, clusters)
    counts = np.bincount(groups[seen], minlength=clusters)
    error = np.sqrt(1 / np.maximum(counts, 1) + 1 / np.maximum(seen.sum() - counts, 1))
    least = np.maximum(SLIGHT, norm.isf(BY_CHANCE / len(EMOTIONS)) * error)
    best = np.array(EMOTIONS)[found.argmax(1)]
    names: list[str] = np.where(found.max(1) >= least, best, MIXED).tolist()
    return names


def cluster_movements(anatomy: Anatomy, groups: np.ndarray, clusters: int) -> pd.DataFrame:
    """What each cluster's faces do against all others', in deviations of the pool.

    Args:
        groups: int (N,), the cluster of each face.

    Returns:
        K rows, a column a movement that is found well, the mean of both sides.
    """
    means = both_sides(anatomy.movements)
    told = against_others(means.to_numpy(), groups, anatomy.seen, clusters)
    return pd.DataFrame(told, columns=means.columns)
