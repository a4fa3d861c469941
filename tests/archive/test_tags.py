"""Tags: given where a probability reaches its tag's threshold, and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.tables import APPARENT, FACES, LOOKS, MOVEMENTS, TAGS
from facesort.archive.tags import apparent, table, tag
from facesort.common.emotions import EMOTIONS


def probabilities(**told):
    rows = len(next(iter(told.values())))
    every = {name: [0.0] * rows for name in (*APPARENT, *EMOTIONS)} | told
    return pd.DataFrame(every)


def test_every_tag_has_a_threshold():
    assert list(table().index) == list(TAGS)
    assert table()["threshold"].between(0, 1).all()
    assert set(APPARENT) | set(EMOTIONS) < set(FACES.names)


def test_tags_are_given_from_their_threshold_on():
    limit = table()["threshold"]
    least = [limit["smiling"], limit["smiling"] - 1e-6, 1.0]
    told = tag(probabilities(smiling=least, happy=[limit["looks happy"], 0.3, 0.5]), True)
    assert told["tags"].tolist() == ["smiling;looks happy", "", "smiling"]
    assert told["look"].tolist() == ["looks happy", "unsure", "unsure"]


def test_one_look_at_most_is_told():
    told = tag(probabilities(happy=[0.62, 0.1], sad=[0.61, 0.9], mouth_open=[1.0, 1.0]), True)
    assert told["tags"].tolist() == ["mouth open;looks happy", "mouth open;looks sad"]
    assert set(told["look"]) <= set(LOOKS.values())


def test_without_emotions_what_is_apparent_stays():
    told = tag(probabilities(smiling=[1.0, 0.0], happy=[1.0, 1.0]), False)
    assert told["tags"].tolist() == ["smiling", ""] and told["look"].tolist() == ["", ""]


def test_faces_that_are_not_answered_have_no_tag():
    told = tag(probabilities(smiling=[np.nan], happy=[np.nan]), True)
    assert told.iloc[0].tolist() == ["", ""]
    assert len(tag(probabilities(smiling=[]), True)) == 0


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
    strengths = pd.DataFrame(0.0, index=range(3), columns=list(MOVEMENTS))
    strengths.loc[1, movements] = table()["middle"][name.replace("_", " ")]
    strengths.loc[2, movements] = 1.0
    told = apparent(strengths)
    assert told[name].tolist() == pytest.approx([0, 0.5, 1], abs=0.02)
    assert (told.drop(columns=name).nunique() == 1).all()
    # One side alone is half of it.
    strengths.loc[2, movements[0]] = np.nan
    assert np.isnan(apparent(strengths)[name][2])
