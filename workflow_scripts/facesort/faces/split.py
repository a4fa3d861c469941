"""The parts of the labelled set: which faces name clusters, train, and score (4.3, 4.4).

One split serves every model, variant and seed, so all cells of the table are scored on the same
faces. It is stratified by label and seeded, and copies of one face (equal pixels, or
near duplicates) stay together.
"""

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError


def groups_of(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the groups that pairs join: int64 (count,), the lowest of each face's group.

    Args:
        count: number of faces.
        first, second: int (P,), the two faces of each pair.
    """
    group = np.arange(count)
    while True:
        lower = group.copy()
        lowest = np.minimum(group[first], group[second])
        np.minimum.at(lower, first, lowest)
        np.minimum.at(lower, second, lowest)
        if np.array_equal(lower, group):
            return group
        group = lower


def split_labelled(
    index: pd.DataFrame,
    duplicates: pd.DataFrame,
    *,
    naming: int,
    test: float,
    semi: float,
    seed: int,
) -> pd.DataFrame:
    """Give every labelled face its part.

    Args:
        index: a row a labelled face, with columns ``label`` and ``digest`` (of its pixels).
        duplicates: pairs of near duplicates: ``first``, ``second`` (rows of ``index``).
        naming: faces an emotion that name clusters, and do nothing else.
        test: share of each emotion's faces that is scored, in (0, 1).
        semi: share of all labelled faces that the semi-supervised model learns from, taken from
            the training part.
        seed: of the split.

    Returns:
        A frame with ``index``'s rows: ``part`` ("naming", "train" or "test") and ``semi`` (bool;
        true only in "train").

    Raises:
        InputError: if an emotion has too few different faces for its parts.
    """
    generator = np.random.default_rng(seed)
    _, first_row, copies = np.unique(
        index["digest"].to_numpy(str), return_index=True, return_inverse=True
    )
    group = groups_of(
        len(index),
        np.concatenate([np.arange(len(index)), duplicates["first"].to_numpy(np.int64)]),
        np.concatenate([first_row[copies], duplicates["second"].to_numpy(np.int64)]),
    )
    # Known by a digest, so that the split does not depend on the order of the faces.
    name = index.groupby(group)["digest"].transform("min")
    # A face whose copies carry different labels goes with the first of them.
    first_label = index.groupby(name, sort=True)["label"].first()
    part_of: dict[str, str] = {}
    semi_names: set[str] = set()
    for emotion in EMOTIONS:
        names = first_label.index[first_label == emotion].to_numpy()
        generator.shuffle(names)
        scored = round(test * len(names))
        learnt = round(semi * len(names))
        rest = len(names) - naming - scored
        if scored < 1 or rest < max(1, learnt):
            raise InputError(
                f"labelled faces: {emotion} has {len(names)} different faces, too few for "
                f"{naming} to name clusters, {scored} to score and {learnt} to learn from; "
                "add faces or lower split.naming, split.test or split.semi in the config"
            )
        part_of |= dict.fromkeys(names[:scored], "test")
        part_of |= dict.fromkeys(names[scored : scored + naming], "naming")
        train = names[scored + naming :]
        part_of |= dict.fromkeys(train, "train")
        semi_names |= set(train[:learnt])
    return pd.DataFrame({"part": name.map(part_of), "semi": name.isin(semi_names)})
