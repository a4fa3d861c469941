"""Overlap of a set that is only scored on with the faces that a run learns from, names by, scores.

What a model or a name has seen of another set, it must not be scored on.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.faces.duplicates import Prepared, find_pairs

# A face counts under the first of these in which it has a near duplicate. All but test are seen:
# models learn from them, or clusters are named by them.
PARTS: Final = ("pool", "train", "naming", "test")


def find_overlap(
    faces: Prepared, pool: Prepared, kept: np.ndarray, labelled: Prepared, parts: np.ndarray
) -> pd.DataFrame:
    """Faces of a set that have near duplicates in the pool or among the labelled faces.

    Args:
        faces, pool, labelled: the sets, as ``duplicates.prepare`` makes them.
        kept: int (K,), the rows of ``pool`` that train.
        parts: str (labelled faces,), the part of each.

    Returns:
        A row a face that has one: face (row of ``faces``, ascending), part (the first of
        ``PARTS``), of (row of ``pool`` or ``labelled``, of those of that part the most alike),
        similarity, mirrored.
    """
    fetched, named = find_pairs(faces, pool), find_pairs(faces, labelled)
    fetched = fetched[fetched["second"].isin(kept)].assign(part="pool")
    named = named.assign(part=parts[named["second"].to_numpy(int)])
    pairs = pd.concat([fetched, named], ignore_index=True)
    pairs = pairs.rename(columns={"first": "face", "second": "of"}).astype({"part": "str"})
    pairs = pairs[pairs["part"].isin(PARTS)]
    order = pairs["part"].map({part: place for place, part in enumerate(PARTS)})
    pairs = pairs.assign(order=order).sort_values(
        ["face", "order", "similarity"], ascending=[True, True, False], kind="stable"
    )
    pairs = pairs.drop_duplicates("face").reset_index(drop=True)
    return pairs[["face", "part", "of", "similarity", "mirrored"]]
