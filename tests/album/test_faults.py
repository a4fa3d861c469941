"""What is wrong with faces, in numbers and in words."""

import numpy as np
import pandas as pd
import pytest
from made_album import face

from facesort.album.faults import TOLD, counted, ordinal, whose


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("closed", {"eyeBlinkLeft": 0.7, "eyeBlinkRight": 0.6}),
        ("away", {"yaw": -25.0}),
        ("away", {"pitch": 25.0}),
        ("away", {"gazeAcrossLeft": 0.18, "gazeAcrossRight": 0.18}),
        ("away", {"state": "turned", "yaw": 50.0, "eyeBlinkLeft": np.nan}),
        ("covered", {"state": "covered", "eyeBlinkLeft": np.nan, "smiling": np.nan}),
        ("blurred", {"state": "blurred", "sharpness": 0.03}),
        ("blurred", {"sharpness": 0.08}),
    ],
)
def test_each_fault_is_seen_and_no_other(fault, how):
    good, bad = counted(pd.DataFrame([face("a.jpg"), face("b.jpg", **how)])).to_dict("records")
    names = ["closed", "away", "covered", "blurred"]
    assert all(good[name] < 0.3 for name in names) and good["good"] > 0.6
    assert [name for name in names if bad[name] >= TOLD] == [fault]
    assert bad["good"] < good["good"] * 0.6


def test_a_smile_decides_between_faces_that_are_good_otherwise():
    smiling, plain, shut = counted(
        pd.DataFrame(
            [
                face("a.jpg", smiling=0.9),
                face("b.jpg", smiling=0.1),
                face("c.jpg", smiling=1.0, eyeBlinkLeft=0.5, eyeBlinkRight=0.5),
            ]
        )
    )["good"]
    assert smiling > plain > shut


def test_small_faces_behind_others_do_not_count_and_places_are_from_the_left():
    rows = [
        face("a.jpg", 0, left=300, size=100),
        face("a.jpg", 1, left=20, size=90),
        face("a.jpg", 2, left=200, size=30),
        face("a.jpg", 3, left=400, size=35, state="small"),
    ]
    found = counted(pd.DataFrame(rows))
    assert found[["face", "place", "of"]].to_numpy().tolist() == [[1, 0, 2], [0, 1, 2]]
    assert len(counted(pd.DataFrame(rows[:0], columns=list(rows[0])))) == 0


def test_places_are_said_in_words():
    assert whose(0, 1) == "the face"
    assert whose(1, 3) == "the second face from the left"
    assert [ordinal(n) for n in (7, 11, 21, 22, 113)] == ["7th", "11th", "21st", "22nd", "113th"]
