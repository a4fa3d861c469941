"""Tags: given where a probability reaches its tag's threshold, and nowhere else; persons win."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.tables import APPARENT, FACES, LOOKS, MOVEMENTS, TAGS
from facesort.archive.tags import NAMES, built_in, measured, probabilities, tag
from facesort.common.emotions import EMOTIONS

# All from one half on, but frowning, which is never given.
TABLE = built_in().assign(threshold=0.5)
TABLE.loc["frowning", "threshold"] = np.nan


def certainties(**told):
    rows = len(next(iter(told.values())))
    return pd.DataFrame({name: [0.0] * rows for name in NAMES} | told)


def said(**told):
    """Of one face what persons said of some tags."""
    found = np.full((1, len(TAGS)), np.nan)
    for name, verdict in told.items():
        found[0, TAGS.index(name.replace("_", " "))] = verdict
    return found


def test_every_tag_has_a_curve_and_says_who_told_it():
    table = built_in()
    assert list(table.index) == list(TAGS) and set(NAMES) < set(FACES.names)
    assert (table["width"] > 0).all() and table["middle"].notna().all()
    told = table["told_by"] == "rendered faces"
    given = table[told & table["threshold"].notna()]
    assert (given["right"] >= 0.9).all() and (given["faces"] >= 20).all()
    assert (given["low"] < given["right"]).all() and (given["right"] < given["high"]).all()
    assert table[~told]["right"].isna().all()


def test_tags_are_given_from_their_threshold_on():
    told = certainties(smiling=[0.5, 0.49, 1.0], happy=[0.5, 0.3, 0.4], frowning=[1.0, 1.0, 1.0])
    found = tag(told, TABLE)
    assert found["tags"].tolist() == ["smiling;looks happy", "", "smiling"]
    assert found["look"].tolist() == ["looks happy", "unsure", "unsure"]


def test_one_look_at_most_is_told():
    told = certainties(happy=[0.62, 0.1], sad=[0.61, 0.9], mouth_open=[1.0, 1.0])
    found = tag(told, TABLE)
    assert found["tags"].tolist() == ["mouth open;looks happy", "mouth open;looks sad"]
    assert set(found["look"]) <= set(LOOKS.values())


def test_without_emotions_what_is_apparent_stays():
    told = certainties(smiling=[1.0, 0.0])
    told[list(LOOKS)] = np.nan
    found = tag(told, TABLE)
    assert found["tags"].tolist() == ["smiling", ""] and found["look"].tolist() == ["", ""]


def test_faces_that_are_not_answered_have_no_tag():
    nothing = pd.DataFrame(np.nan, index=[0], columns=list(NAMES))
    for verdicts in (None, said(smiling=1, looks_sad=1)):
        assert tag(nothing, TABLE, verdicts).iloc[0].tolist() == ["", ""]
    assert len(tag(certainties(smiling=[]), TABLE)) == 0


@pytest.mark.parametrize(
    ("verdicts", "tags", "look"),
    [
        ({}, "smiling;looks happy", "looks happy"),
        ({"smiling": 0}, "looks happy", "looks happy"),
        ({"looks_happy": 0}, "smiling", "unsure"),
        ({"frowning": 1}, "smiling;frowning;looks happy", "looks happy"),
        ({"looks_sad": 1}, "smiling;looks sad", "looks sad"),
        ({"looks_sad": 0}, "smiling;looks happy", "looks happy"),
        ({"looks_sad": 1, "looks_happy": 0}, "smiling;looks sad", "looks sad"),
    ],
)
def test_a_person_has_the_last_word(verdicts, tags, look):
    told = certainties(smiling=[0.9], happy=[0.9], sad=[0.1])
    assert tag(told, TABLE, said(**verdicts)).iloc[0].tolist() == [tags, look]


@pytest.mark.parametrize(
    ("name", "movements"),
    [
        ("smiling", ["mouthSmileLeft", "mouthSmileRight"]),
        ("mouth_open", ["mouthOpening"]),
        ("brows_raised", ["browInnerUp", "browOuterUpLeft", "browOuterUpRight"]),
        ("frowning", ["browDownLeft", "browDownRight"]),
        ("eyes_closed", ["eyeBlinkLeft", "eyeBlinkRight"]),
    ],
)
def test_what_is_apparent_follows_its_movements_alone(name, movements):
    faces = pd.DataFrame(0.0, index=range(3), columns=[*MOVEMENTS, *EMOTIONS])
    row = built_in().loc[name.replace("_", " ")]
    faces.loc[1, movements] = row["middle"]
    faces.loc[2, movements] = row["middle"] + 5 * row["width"]
    told = probabilities(faces, built_in())
    assert told[name].tolist()[1:] == pytest.approx([0.5, 1 / (1 + np.exp(-5))])
    assert told[name][0] < 0.05
    assert (told.drop(columns=name).nunique() == 1).all()
    # One side alone is half of it.
    faces.loc[2, movements[0]] = np.nan
    assert np.isnan(probabilities(faces, built_in())[name][2])


def test_looks_follow_the_log_odds_of_their_answer():
    faces = pd.DataFrame(0.0, index=range(3), columns=[*MOVEMENTS, *EMOTIONS])
    faces["sad"] = [0.5, 0.9, 1.0]
    seen = measured(faces, built_in())["sad"]
    assert seen.tolist()[:2] == pytest.approx([0, np.log(9)]) and np.isfinite(seen[2])
    assert probabilities(faces, built_in())["sad"].is_monotonic_increasing
    assert list(probabilities(faces, built_in())) == [*APPARENT, *LOOKS]
