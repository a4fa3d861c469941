"""Parts of the labelled set: stratified, disjoint, copies together."""

import pandas as pd
import pytest

from facesort.emotions import EMOTIONS
from facesort.job import InputError
from facesort.split import split_labelled

SPLIT = {"naming": 3, "test": 0.4, "semi": 0.2, "seed": 0}


def index(per_emotion):
    rows = [(e, f"{e}{n}") for e in EMOTIONS for n in range(per_emotion)]
    return pd.DataFrame(rows, columns=["label", "digest"])


def test_every_emotion_has_its_shares():
    faces = index(20)
    split = split_labelled(faces, **SPLIT)
    counts = pd.crosstab(faces["label"], split["part"])
    assert (counts["test"] == 8).all() and (counts["naming"] == 3).all()
    assert (split["semi"].groupby(faces["label"]).sum() == 4).all()
    assert (split.loc[split["semi"], "part"] == "train").all()


def test_copies_stay_on_one_side_even_under_other_labels():
    faces = pd.concat([index(20), index(20).assign(label="fear")], ignore_index=True)
    split = split_labelled(faces, **SPLIT)
    assert (split["part"].groupby(faces["digest"]).nunique() == 1).all()


def test_the_seed_alone_decides():
    assert split_labelled(index(20), **SPLIT).equals(split_labelled(index(20), **SPLIT))
    other = split_labelled(index(20), **SPLIT | {"seed": 1})
    assert not other.equals(split_labelled(index(20), **SPLIT))


def test_too_few_faces_are_told_by_emotion():
    with pytest.raises(InputError, match=r"anger has 5 .* split\.naming"):
        split_labelled(index(5), **SPLIT | {"naming": 4})
