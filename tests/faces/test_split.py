"""Parts of the labelled set: stratified, disjoint, copies together."""

import numpy as np
import pandas as pd
import pytest

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.faces.split import groups_of, split_labelled

SPLIT = {"source": "faces", "naming": 3, "test": 0.4, "semi": 0.2, "seed": 0}


NONE = pd.DataFrame({"first": [], "second": []}, dtype="int64")


def index(per_emotion, emotions=EMOTIONS):
    rows = [(e, f"{e}{n:02}") for e in emotions for n in range(per_emotion)]
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


def test_each_emotion_has_equally_many_naming_faces_though_some_have_copies():
    faces = index(20)
    # All but five faces of the first emotion lie in pairs.
    pairs = pd.DataFrame({"first": range(5, 19, 2), "second": range(6, 20, 2)})
    for seed in range(8):
        split = split_labelled(faces, pairs, **SPLIT | {"seed": seed, "test": 0.1})
        counts = pd.crosstab(faces["label"], split["part"])
        assert (counts["naming"] == 3).all()


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


def test_a_set_may_lack_emotions_but_not_all_of_them_but_one():
    faces = index(20, ("happy", "sad"))
    counts = pd.crosstab(faces["label"], split_labelled(faces, NONE, **SPLIT)["part"])
    assert counts.loc["sad"].to_dict() == {"naming": 3, "test": 8, "train": 9}
    with pytest.raises(InputError, match="labelled faces: all are sad; at least two emotions"):
        split_labelled(index(20, ("sad",)), NONE, **SPLIT)


def test_the_semi_supervised_model_has_a_face_of_each_emotion_however_small_its_share():
    faces = index(8)
    split = split_labelled(faces, NONE, **SPLIT | {"naming": 2, "semi": 0.01})
    assert (split["semi"].groupby(faces["label"]).sum() == 1).all()


OWN = SPLIT | {"source": "data", "naming": 2}


def own(per_emotion=20, emotions=EMOTIONS):
    """A set whose own parts are half train, a quarter val and a quarter test."""
    faces = index(per_emotion, emotions)
    quarter = np.arange(len(faces)) % 4
    return faces.assign(part=np.array(["train", "train", "val", "test"])[quarter])


def test_the_sets_own_test_part_is_the_test_and_names_come_of_its_training_part(capsys):
    faces = own()
    split = split_labelled(faces, NONE, **OWN)
    assert (split["part"] == "test").equals(faces["part"] == "test")
    assert (split["part"] == "left_out").equals(faces["part"] == "val")
    counts = pd.crosstab(faces["label"], split["part"])
    assert (counts["naming"] == 2).all() and (counts["train"] == 8).all()
    # A fifth of the 15 that train and test.
    assert (split["semi"].groupby(faces["label"]).sum() == 3).all()
    assert (split.loc[split["semi"], "part"] == "train").all()
    assert "80 faces of train; 40 of test, which are scored; 40 others" in capsys.readouterr().out
    other = split_labelled(faces, NONE, **OWN | {"seed": 1, "test": 0.9})
    assert (other["part"] == "test").equals(split["part"] == "test") and not other.equals(split)


def test_copies_across_the_sets_own_parts_do_not_train(capsys):
    faces = own()
    # A face of train has the digest of one of test; another looks like one of test, and its copy.
    faces.loc[0, "digest"] = faces.loc[3, "digest"]
    pairs = pd.DataFrame({"first": [4, 4], "second": [7, 8]})
    split = split_labelled(faces, pairs, **OWN | {"naming": 1})
    assert list(split["part"][[0, 3, 4, 7, 8]]) == [
        *("left_out", "test", "left_out", "test", "left_out")
    ]
    assert (split["part"] == "test").sum() == 40 and (split["part"] == "left_out").sum() == 43
    assert not split.loc[split["part"] == "left_out", "semi"].any()
    said = capsys.readouterr().out
    assert "3 faces of the labelled set's train part are left out, as copies of 2 of its" in said


def test_copies_within_the_training_part_stay_on_one_side():
    faces = own()
    pairs = pd.DataFrame({"first": [0], "second": [1]})
    for seed in range(8):
        part = split_labelled(faces, pairs, **OWN | {"seed": seed})["part"]
        assert part[0] == part[1] and part[0] in ("naming", "train")


def test_val_is_the_test_where_there_is_no_other(capsys):
    faces = own()
    faces["part"] = faces["part"].where(faces["part"] != "test", None)
    split = split_labelled(faces, NONE, **OWN)
    assert (split["part"] == "test").equals(faces["part"] == "val")
    assert (split["part"] == "left_out").sum() == 40
    assert "warning: the labelled set has no test part; its val part" in capsys.readouterr().out


@pytest.mark.parametrize(
    "parts", [None, [None] * 4, ["train"] * 4, ["test"] * 4, ["val"] * 4, ["val", "test"] * 2]
)
def test_a_set_without_a_split_of_its_own_is_told_by_the_key(parts):
    faces = index(20).drop(columns="part", errors="ignore")
    if parts:
        faces["part"] = parts * (len(faces) // 4)
    with pytest.raises(InputError, match=r"^split\.from: .* no split of its own .* faces in the"):
        split_labelled(faces, NONE, **OWN)


def test_a_part_without_an_emotion(capsys):
    faces = own()
    sad, fear = faces["label"] == "sad", faces["label"] == "fear"
    unscored = faces.assign(part=faces["part"].where(~(sad & (faces["part"] == "test")), "val"))
    split = split_labelled(unscored, NONE, **OWN)
    assert set(split.loc[sad, "part"]) == {"naming", "train", "left_out"}
    assert "warning: the labelled set's own test part has no sad" in capsys.readouterr().out
    untaught = faces.assign(part=faces["part"].where(~(fear & (faces["part"] == "train")), "test"))
    with pytest.raises(InputError, match=r"own train part: fear has 0 different faces.*split\.na"):
        split_labelled(untaught, NONE, **OWN)
    alone = faces.assign(part=np.where(sad, "test", "train"))
    with pytest.raises(InputError, match="own test part: all are sad; at least two emotions"):
        split_labelled(alone, NONE, **OWN)
