"""Which faces to look at, so that few looks tell how often a tag is right on these photos.

Faces are drawn at random within strata of certainty. A stratum's edges lie so that each holds the
same sum of deviations, sqrt(p (1 - p)): then as many looks in each is Neyman's allocation, the best
for a given number of looks. Strata of faces that have the tag get two looks for each one below its
threshold, which tell whether the threshold could be lower.

A face's draw is a fixed number between 0 and 1, told from photo, face and tag, and a stratum is
looked at from the lowest draw upwards. So the looked-at are a simple random sample of each stratum
wherever one stops, and remain one when photos are added. With ``n`` looks and ``right`` of them in
a stratum of ``stratum_faces``, the share of right ones among all is the mean of ``right / n``
weighted by ``stratum_faces``.

Sources: Neyman 1934, https://doi.org/10.2307/2342192; Dalenius & Hodges 1959,
https://doi.org/10.1080/01621459.1959.10501501 (edges); Ohlsson 1995, in Business Survey Methods,
https://doi.org/10.1002/9781118150504.ch9 (fixed random numbers)
"""

from typing import Final

import numpy as np
import pandas as pd

STRATA: Final = 4
# Looks that a page offers in each stratum; half as many below the threshold.
MOST: Final = 60
# Nobody is surer than this that a face needs no look.
SUREST: Final = 0.98


def proposals(
    photos: pd.Series, faces: pd.Series, tag: str, certainty: np.ndarray, given: np.ndarray
) -> pd.DataFrame:
    """The faces to look at for one tag, in this order.

    Args:
        photos, faces: path and number of each face, (N,).
        certainty: float (N,), probability of the tag; NaN if the face was not answered.
        given: bool (N,), whether the face has the tag.

    Returns:
        Columns row (of N), given (whether the stratum is of faces that have the tag), stratum (its
        name: which of how many, and its least and greatest certainty), stratum_faces (how many
        there are), and stratum_place (from 0, by draw). No more than ``MOST`` a stratum.
    """
    draw = draws(photos, faces, tag)
    parts = []
    for has in (True, False):
        rows = np.flatnonzero(~np.isnan(certainty) & (given == has))
        number = strata(certainty[rows])
        for stratum in range(number.max(initial=-1) + 1):
            inside = rows[number == stratum]
            low, high = certainty[inside].min(), certainty[inside].max()
            called = f"{'with' if has else 'without'} {stratum + 1}: {low:.3f} to {high:.3f}"
            chosen = inside[np.argsort(draw[inside], kind="stable")][: MOST // (2 - has)]
            part = pd.DataFrame({"row": chosen, "given": has, "stratum": called})
            part["stratum_faces"] = len(inside)
            part["stratum_place"] = np.arange(len(chosen))
            parts.append(part.assign(round=part["stratum_place"] * (2 - has), draw=draw[chosen]))
    if not parts:
        names = ["row", "given", "stratum", "stratum_faces", "stratum_place"]
        return pd.DataFrame(columns=names)
    found = pd.concat(parts).sort_values(["round", "draw"], kind="stable", ignore_index=True)
    return found.drop(columns=["round", "draw"])


def strata(certainty: np.ndarray) -> np.ndarray:
    """Numbers of strata from the least certainty upwards, int (n,): none is empty.

    Faces as certain as each other are in one stratum.
    """
    order = np.argsort(certainty, kind="stable")
    sure = np.clip(certainty[order], 1 - SUREST, SUREST)
    total = np.cumsum(np.sqrt(sure * (1 - sure)))
    number = np.minimum((STRATA * total / total[-1:]).astype(int), STRATA - 1)
    first = np.searchsorted(certainty[order], certainty[order])
    found = np.empty(len(certainty), int)
    found[order] = np.unique(number[first], return_inverse=True)[1]
    return found


def draws(photos: pd.Series, faces: pd.Series, tag: str) -> np.ndarray:
    """A fixed random number from 0 to 1 of each face for a tag: float (N,)."""
    # Each path is looked at once, however many faces its photo has.
    mixed = pd.util.hash_array(photos.astype("category").array)
    for value in (faces.to_numpy(np.uint64), pd.util.hash_array(np.array([tag], object))):
        # One round of SplitMix64 for each.
        mixed = (mixed ^ value) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)) / 2.0**53
