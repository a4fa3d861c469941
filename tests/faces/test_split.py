"""Parts of the labelled set: stratified, disjoint, copies together."""

import numpy as np
import pandas as pd
import pytest

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.split import groups_of, split_labelled

SPLIT = {"naming": 3, "test": 0.4, "semi": 0.2, "seed": 0}


NONE = pd.DataFrame({"first": [], "second": []}, dtype="int64")


def index(per_emotion):
    rows = [(e, f"{e}{n}") for e in EMOTIONS for n in range(per_emotion)]
    return pd.DataFrame(rows, columns=["label", "digest"])


def test_every_emotion_has_its_shares():
    faces = index(20)
    split = split_labelled(faces, NONE, **SPLIT)
    counts = pd.crosstab(faces["label"], split["part"])
    assert (counts["test"] == 8).all() and (counts["naming"] == 3).all()
    assert (split["semi"].groupby(faces["label"]).sum() == 4).all()
    assert (split.loc[split["semi"], "part"] == "train").all()


def test_copies_stay_on_one_side_even_under_other_labels():
    faces = pd.concat([index(20), index(20).assign(label="fear")], ignore_index=True)
    split = split_labelled(faces, NONE, **SPLIT)
    assert (split["part"].groupby(faces["digest"]).nunique() == 1).all()


def test_near_duplicates_stay_on_one_side():
    faces = index(20)
    pairs = pd.DataFrame({"first": [0, 1, 30], "second": [1, 150, 31]})
    for seed in range(8):
        split = split_labelled(faces, pairs, **SPLIT | {"seed": seed})
        assert split["part"].iloc[[0, 1, 150]].nunique() == 1
        assert split["part"].iloc[[30, 31]].nunique() == 1


def test_groups_join_chains():
    joined = groups_of(7, np.array([5, 4, 1, 2]), np.array([6, 5, 3, 2]))
    assert joined.tolist() == [0, 1, 2, 1, 4, 4, 4]


def test_the_seed_alone_decides():
    assert split_labelled(index(20), NONE, **SPLIT).equals(split_labelled(index(20), NONE, **SPLIT))
    other = split_labelled(index(20), NONE, **SPLIT | {"seed": 1})
    assert not other.equals(split_labelled(index(20), NONE, **SPLIT))


def test_too_few_faces_are_told_by_emotion():
    with pytest.raises(InputError, match=r"anger has 5 .* split\.naming"):
        split_labelled(index(5), NONE, **SPLIT | {"naming": 4})
