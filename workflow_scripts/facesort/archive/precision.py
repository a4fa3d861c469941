"""How often a tag is right on these photos, and from which certainty on it is right often enough.

Looks are a random sample within strata (``browse_review``). Each stands for as many faces as its
stratum has by its looks (Hajek's estimator), and intervals are Wilson's, with Kish's effective
number of looks. A threshold that was chosen by looks is judged by others: in five parts of the
photos, each part by the threshold of the other four.

Sources: Hajek 1971 in Foundations of Statistical Inference; Kish 1965, Survey Sampling; Wilson
1927, https://doi.org/10.1080/01621459.1927.10502953
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

# A tag is given where it is right in so many faces.
WANTED: Final = 0.9
# Fewer looks at faces that would have the tag choose no threshold.
FEWEST: Final = 20
PARTS: Final = 5


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval.

    Attributes:
        value, low, high: 0 to 1; NaN without looks.
        looks: how many tell it.
        effective: as how many looks of one weight.
    """

    value: float
    low: float
    high: float
    looks: int
    effective: float

    def looks_to_halve(self) -> int:
        """How many more looks would make the interval half as wide, if the share stays."""
        if not self.looks:
            return FEWEST
        width, more = self.high - self.low, 0
        while _width(self.value, self.effective * (1 + more / self.looks)) > width / 2:
            more += max(1, more // 50)
        return more


def share(right: np.ndarray, weights: np.ndarray) -> Share:
    """The share of right ones.

    Args:
        right: bool (n,).
        weights: float (n,), how many faces each stands for.
    """
    if not len(right):
        return Share(np.nan, np.nan, np.nan, 0, 0.0)
    value = float(np.average(right, weights=weights))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    middle, half = _wilson(value, effective)
    return Share(value, max(0.0, middle - half), min(1.0, middle + half), len(right), effective)


def _wilson(value: float, n: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(0.975)
    middle = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(value * (1 - value) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle, float(half)


def _width(value: float, n: float) -> float:
    middle, half = _wilson(value, n)
    return min(1.0, middle + half) - max(0.0, middle - half)


def weights_of(strata: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How many faces each look stands for: float (n,).

    Args:
        strata: (n,), of each look the name of its stratum.
        faces: float (n,), how many faces that has.
    """
    _, member, counts = np.unique(strata.astype(str), return_inverse=True, return_counts=True)
    found: np.ndarray = np.maximum(faces / counts[member], 1.0)
    return found


def threshold(certainty: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float | None:
    """The least certainty from which on ``WANTED`` of the faces are right.

    Args:
        certainty: float (n,), of each look.
        right: bool (n,); weights: float (n,).

    Returns:
        One of the certainties; None if from none on so many are right, by ``FEWEST`` looks or more.
    """
    order = np.argsort(-certainty, kind="stable")
    total = np.cumsum(weights[order])
    precision = np.cumsum(weights[order] * right[order]) / total
    # A threshold lies between certainties, not among equal ones.
    last = np.append(np.diff(certainty[order]) != 0, True) if len(order) else np.zeros(0, bool)
    enough = last & (precision >= WANTED) & (np.arange(len(order)) + 1 >= FEWEST)
    return float(certainty[order][enough].min()) if enough.any() else None


def judged_by_others(
    certainty: np.ndarray, right: np.ndarray, weights: np.ndarray, parts: np.ndarray
) -> Share:
    """How often a tag is right whose threshold looks have chosen, by looks that have not chosen it.

    Args:
        parts: int (n,), 0 to ``PARTS`` - 1, one for all faces of a photo.
    """
    given = np.zeros(len(right), bool)
    for part in range(PARTS):
        own = parts == part
        least = threshold(certainty[~own], right[~own], weights[~own])
        given |= own & (certainty >= (np.inf if least is None else least))
    return share(right[given], weights[given])
