"""Groups of people count alike in training, whatever their faces' number."""

import numpy as np
import pandas as pd
import pytest

from facesort.common.group_table import NOT_TOLD
from facesort.common.job import InputError
from facesort.train.group_weights import MOST, group_weights

HAPPY, SAD = 4, 6


def made(*counts):
    """Faces and emotions of (group, emotion, faces)."""
    groups = [group for group, _, faces in counts for _ in range(faces)]
    labels = [emotion for _, emotion, faces in counts for _ in range(faces)]
    return pd.DataFrame({"tone": groups}), np.array(labels)


def test_within_each_emotion_groups_count_alike():
    groups, labels = made(
        ("dark", HAPPY, 10), ("light", HAPPY, 40), ("dark", SAD, 6), ("light", SAD, 2)
    )
    weights = group_weights(groups, "tone", labels, np.arange(len(labels)))
    sums = pd.Series(weights).groupby([groups["tone"], labels]).sum()
    assert sums["dark", HAPPY] == pytest.approx(sums["light", HAPPY])
    assert sums["dark", SAD] == pytest.approx(sums["light", SAD])
    # Emotions count as before.
    assert weights[labels == HAPPY].mean() == pytest.approx(1)
    assert weights[labels == SAD].mean() == pytest.approx(1)


def test_faces_of_no_told_group_count_as_before_and_others_are_not_counted():
    groups, labels = made(("dark", HAPPY, 5), ("light", HAPPY, 15), (NOT_TOLD, HAPPY, 7))
    rows = np.arange(5, len(labels))[::-1]
    rows = np.concatenate([rows, [0]])  # one dark face alone is learnt from
    weights = group_weights(groups, "tone", labels, rows)
    assert (weights[20:] == 1).all() and (weights[1:5] == 1).all()
    assert weights[0] == pytest.approx(15 * weights[5])


def test_a_rare_group_does_not_count_without_end():
    groups, labels = made(("dark", HAPPY, 1), ("light", HAPPY, 999))
    weights = group_weights(groups, "tone", labels, np.arange(1000))
    assert weights[0] == MOST == weights.max()
    assert weights.mean() == pytest.approx(1, abs=1e-3)
    groups, labels = made(*((f"{n}", HAPPY, faces) for n, faces in enumerate((1, 2, 3, 994))))
    weights = group_weights(groups, "tone", labels, np.arange(1000))
    assert weights.max() == MOST and weights.min() > 0.9


def test_what_cannot_be_balanced_is_told():
    groups, labels = made(("dark", HAPPY, 3), (NOT_TOLD, SAD, 3))
    with pytest.raises(InputError, match=r"no column 'age' among the groups \(tone\)"):
        group_weights(groups, "age", labels, np.arange(6))
    with pytest.raises(InputError, match="fewer than two groups of 'tone'"):
        group_weights(groups, "tone", labels, np.arange(6))
