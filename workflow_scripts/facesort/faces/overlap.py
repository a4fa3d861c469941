"""Overlap of a set that is only scored on with the faces that a run learns from, names by, scores.

What a model or a name has seen of another set, it must not be scored on.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.faces.duplicates import find_pairs

# Parts that models learn from or that name clusters, in the order in which a face counts.
SEEN: Final = ("pool", "train", "naming")


def find_overlap(
    faces: np.ndarray, pool: np.ndarray, kept: np.ndarray, labelled: np.ndarray, parts: np.ndarray
) -> pd.DataFrame:
    """Near duplicates of a set's faces in the pool and among the labelled faces.

    Args:
        faces, pool, labelled: uint8 (N, S, S, 3), RGB; may be memory-mapped.
        kept: int (K,), the rows of ``pool`` that train.
        parts: str (labelled faces,), the part of each.

    Returns:
        A row a pair: face (row of ``faces``), part (pool, or of the labelled face: train, naming,
        test, left_out), of (row of ``pool`` or ``labelled``), similarity, mirrored.
    """
    fetched, named = find_pairs(faces, pool), find_pairs(faces, labelled)
    fetched = fetched[fetched["second"].isin(kept)].assign(part="pool")
    named = named.assign(part=parts[named["second"].to_numpy(int)])
    pairs = pd.concat([fetched, named], ignore_index=True)
    pairs = pairs.rename(columns={"first": "face", "second": "of"}).astype({"part": "str"})
    return pairs[["face", "part", "of", "similarity", "mirrored"]]


def is_seen(overlap: pd.DataFrame, faces: int) -> np.ndarray:
    """Whether each of so many faces is one that models learnt from or that named: bool (faces,)."""
    return np.isin(np.arange(faces), overlap.loc[overlap["part"].isin(SEEN), "face"])


def counts_of(overlap: pd.DataFrame) -> dict[str, int]:
    """Faces by the part that they are near duplicates of, each under the first of its parts alone.

    Returns:
        Counts for the parts of ``SEEN``, then for test.
    """
    order = (*SEEN, "test")
    place = overlap["part"].map({part: number for number, part in enumerate(order)}).dropna()
    first = place.groupby(overlap["face"]).min().value_counts()
    return {part: int(first.get(number, 0)) for number, part in enumerate(order)}
