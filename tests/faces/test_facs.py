"""The table of movements, their action units, and how well each is found."""

import numpy as np

from facesort.demo.action_units import NAMES
from facesort.faces.facs import FOUND, columns, reliable, table


def test_the_table_marks_what_is_not_found_and_what_nothing_shows():
    told = table()
    tested = told["tested_by"].notna()
    answers = np.where(told["all"] >= FOUND, "yes", "no")
    assert (told["found"] == np.where(tested, answers, "untested")).all()
    # Against a unit that is drawn, where it is.
    drawn = told.index[told["unit"].isin(NAMES)]
    assert [movement for movement in drawn if not tested[movement]] == ["mouthClose"]


def test_later_stages_get_what_is_found_alone():
    found = reliable()
    assert {"mouthSmile", "headYaw"} < set(found.index)
    assert not {"noseSneer", "mouthFunnel"} & set(found.index)


def test_a_movement_of_both_sides_has_a_column_each():
    told = table().loc[["browDown", "jawLeft", "jawOpen"]]
    assert columns(told) == ["browDownRight", "browDownLeft", "jawLeft", "jawOpen"]
    assert len(set(columns(table()))) == len(columns(table()))
