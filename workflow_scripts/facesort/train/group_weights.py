"""Weights that let groups of people count alike, however many faces each has."""

from typing import Final

import numpy as np
import pandas as pd

from facesort.common.group_table import NOT_TOLD
from facesort.common.job import InputError

# No face counts more than this many, or a few faces would be learnt by heart.
MOST: Final = 10.0
# A mean of 1 lifts what was capped: both are right after some rounds.
ROUNDS: Final = 100


def group_weights(
    groups: pd.DataFrame, column: str, labels: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """What each face counts in the loss: within each emotion, every group alike.

    So what a group's people are mostly labelled as tells nothing of the next one (reweighing, after
    Kamiran and Calders 2012, https://doi.org/10.1007/s10115-011-0463-8).

    Args:
        groups: a row a face, as ``facesort.faces.groups.match_groups`` gives it.
        column: the groups that count alike.
        labels: int64 (N,), each face's emotion.
        rows: int64 (n,), the faces to learn from; only they are counted.

    Returns:
        float32 (N,): 1 on average over the faces of each emotion, and ``MOST`` at most; 1 for
        faces whose group is not told.

    Raises:
        InputError: if there is no such column, or it tells two groups of none of the faces.
    """
    if column not in groups:
        raise InputError(
            f"no column {column!r} among the groups ({', '.join(groups.columns)}); "
            "config: training.balance_groups"
        )
    learnt = groups[column].to_numpy()[rows]
    told = learnt != NOT_TOLD
    if len(np.unique(learnt[told])) < 2:
        raise InputError(
            f"fewer than two groups of {column!r} have labelled faces to learn from "
            "(config: training.balance_groups, audit.groups)"
        )
    weights = np.ones(len(labels), np.float32)
    faces = pd.DataFrame({"group": learnt[told], "emotion": labels[rows][told]})
    within = faces.groupby("emotion")["group"]
    alike = within.transform("size") / within.transform("nunique")
    each = faces.groupby(["emotion", "group"])["group"].transform("size")
    found = alike / each
    for _ in range(ROUNDS):
        capped = found.clip(upper=MOST)
        found = capped / capped.groupby(faces["emotion"]).transform("mean")
    weights[rows[told]] = found.clip(upper=MOST)
    return weights
