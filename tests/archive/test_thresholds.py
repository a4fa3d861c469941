"""Thresholds: by rendered faces, then by labelled ones, then by persons' looks at the archive."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.photographed import on_photographs
from facesort.archive.precision import FEWEST
from facesort.archive.review import COLUMNS
from facesort.archive.tables import LOOKS, MOVEMENTS, TAGS
from facesort.archive.tags import built_in
from facesort.archive.thresholds import (
    LABELLED,
    LOOKED,
    MORE,
    by_labels,
    by_looks,
    unknown,
    words,
)
from facesort.common.emotions import EMOTIONS

HAPPY = EMOTIONS.index("happy")


def answers(right, certainty):
    """A model that says "happy" of all faces, and the labels."""
    told = np.full((len(right), len(EMOTIONS)), 0.0)
    told[:, HAPPY] = certainty
    return told, np.where(right, "happy", "sad")


def test_a_model_of_which_nothing_is_known():
    table = unknown(built_in())
    looks = table.loc[list(LOOKS.values())]
    assert (looks["threshold"] == 0.9).all() and looks["right"].isna().all()
    assert (looks["told_by"] == "nobody").all()
    pd.testing.assert_frame_equal(table.drop(looks.index), built_in().drop(looks.index))


def test_labelled_faces_set_the_looks_of_a_model():
    certainty = np.linspace(0.3, 1, 200)
    right = certainty > 0.6
    right[::10] = False
    table = by_labels(unknown(built_in()), *answers(right, certainty))
    row = table.loc["looks happy"]
    assert row["right"] >= 0.9 > right.mean() and row["told_by"] == LABELLED
    has = certainty >= row["threshold"]
    assert row["faces"] == has.sum() and row["found"] == pytest.approx(
        right[has].sum() / right.sum()
    )
    # Looks without faces of their own take the threshold of all.
    assert table["threshold"]["looks sad"] == row["threshold"]
    assert np.isnan(table["right"]["looks sad"])
    # Few that were wrong speak against a look.
    told, labels = answers(certainty > 0.6, certainty)
    told[-6:] = np.eye(8)[EMOTIONS.index("sad")]
    table = by_labels(unknown(built_in()), told, labels)
    assert np.isnan(table["threshold"]["looks sad"])
    assert table["threshold"]["looks happy"] > 0.5
    # A model that is never right in 90 of 100 tags nothing.
    table = by_labels(unknown(built_in()), *answers(right & False, certainty))
    assert table["threshold"][list(LOOKS.values())].isna().all()


@pytest.fixture
def looked():
    """Sixty faces that smile ever more, in four strata; the upper half does smile."""
    count = 60
    faces = pd.DataFrame(0.2, index=range(count), columns=[*MOVEMENTS, *EMOTIONS])
    smiles = np.linspace(0, 2, count)
    for side in ("Left", "Right"):
        faces[f"mouthSmile{side}"] = smiles
    faces["photo"] = [f"{n}.jpg" for n in range(count)]
    reviewed = pd.DataFrame("", index=range(count), columns=list(COLUMNS))
    reviewed["tag"], reviewed["chosen"] = "smiling", "sample"
    reviewed["verdict"] = np.where(smiles > 1, "right", "wrong")
    reviewed["stratum"] = np.arange(count) // 15
    reviewed["stratum_faces"], reviewed["stratum_place"] = 150.0, np.arange(count) % 15
    return faces, reviewed


def test_looks_set_the_threshold_of_their_tag_alone(looked):
    table = by_looks(built_in(), *looked)
    row = table.loc["smiling"]
    assert row["told_by"] == LOOKED and row["right"] >= 0.9 and 0 < row["low"] < row["high"] <= 1
    assert row[MORE] > 0
    others = table.drop(index="smiling", columns=MORE)
    pd.testing.assert_frame_equal(others, built_in().drop(index="smiling"))


def test_a_tag_that_is_wrong_everywhere_is_given_no_more(looked):
    faces, reviewed = looked
    table = by_looks(built_in(), faces, reviewed.assign(verdict="wrong"))
    assert np.isnan(table["threshold"]["smiling"]) and table["told_by"]["smiling"] == LOOKED


def test_few_looks_tell_how_often_it_is_right_and_leave_the_threshold(looked):
    faces, reviewed = looked
    few = slice(60 - FEWEST + 1, 60)
    table = by_looks(built_in(), faces[few], reviewed[few].reset_index(drop=True))
    row = table.loc["smiling"]
    assert row["threshold"] == built_in()["threshold"]["smiling"]
    assert row["right"] == 1 and row["told_by"] == LOOKED and row["faces"] == FEWEST - 1


@pytest.mark.parametrize(
    "change",
    [{"chosen": "hand"}, {"verdict": "skipped"}, {"stratum_faces": np.nan}],
)
def test_faces_that_one_came_across_count_for_nothing(looked, change):
    faces, reviewed = looked
    table = by_looks(built_in(), faces, reviewed.assign(**change))
    pd.testing.assert_frame_equal(table.drop(columns=MORE), built_in())


def test_who_was_come_across_first_and_drawn_later_counts(looked):
    faces, reviewed = looked
    whole = by_looks(built_in(), faces, reviewed)
    early = reviewed["stratum_place"] < 10
    table = by_looks(built_in(), faces, reviewed.assign(chosen=np.where(early, "hand", "sample")))
    pd.testing.assert_frame_equal(table, whole)
    late = by_looks(built_in(), faces, reviewed.assign(chosen=np.where(early, "sample", "hand")))
    kept = early.to_numpy()
    only = by_looks(built_in(), faces[kept], reviewed[kept].reset_index(drop=True))
    pd.testing.assert_frame_equal(late, only)


def test_words(looked):
    text = words(by_looks(on_photographs(built_in()), *looked))
    assert text.count("\n") == len(TAGS) + 4 and text.startswith("Rendered faces set the thresh")
    assert words(built_in().assign(told_by=LOOKED)).count("\n") == len(TAGS) + 2
    assert "| frowning | never | not known |  | nobody |" in text
    assert f"more would halve the interval | {LOOKED} |" in text
    assert "| 90 (between" in text and "nan" not in text


def certain(looked, verdicts):
    """As ``looked``, the surest faces so judged and the others not: right, wrong, or not at all."""
    faces, reviewed = looked
    at = slice(len(faces) - len(verdicts), None)
    return faces[at], reviewed[at].assign(verdict=verdicts).reset_index(drop=True)


def test_looks_that_are_too_few_take_no_tag_away(looked):
    """Fifteen of twenty are right; eight of these have the tag."""
    before = built_in()["threshold"]["smiling"]
    verdicts = np.array(["wrong"] * 5 + ["right"] * 15)
    faces, reviewed = looked
    spread = np.r_[20:32, 52:60]
    few = reviewed.iloc[spread].assign(verdict=verdicts).reset_index(drop=True)
    row = by_looks(built_in(), faces.iloc[spread], few).loc["smiling"]
    assert row["threshold"] == before and row["right"] == 1 and 0 < row["faces"] < FEWEST
    assert row["told_by"] == LOOKED and row[MORE] > 0


def test_a_few_looks_that_speak_against_a_tag_take_it_away(looked):
    row = by_looks(built_in(), *certain(looked, ["wrong"] * 10)).loc["smiling"]
    assert np.isnan(row["threshold"]) and np.isnan(row[MORE])
    one = by_looks(built_in(), *certain(looked, ["wrong"])).loc["smiling"]
    assert one["threshold"] == built_in()["threshold"]["smiling"] and one["right"] == 0


def test_looks_give_a_tag_that_was_not_given(looked):
    never = built_in()
    never.loc["smiling", "threshold"] = np.nan
    assert by_looks(never, *looked)["threshold"]["smiling"] > 0
    few = by_looks(never, *certain(looked, ["right"] * 10))
    pd.testing.assert_frame_equal(few.drop(columns=MORE), never)
