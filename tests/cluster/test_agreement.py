"""Agreement of persons: kappa against hand-computed values."""

import math

import numpy as np
import pytest

from facesort.cluster.agreement import agreement, agreement_words, person


def test_kappa_by_hand():
    # Three of four agree; chance agrees on (2*1 + 1*2 + 1*1)/16 = 5/16.
    names = {"main": ["sad", "sad", "fear", "happy"], "anna": ["sad", "fear", "fear", "happy"]}
    (row,) = agreement(names, np.array([1, 1, 1, 1]), dict.fromkeys(names, 0)).to_dict("records")
    assert (row["first"], row["second"], row["clusters"], row["agreed"]) == ("main", "anna", 4, 3)
    assert row["kappa"] == row["kappa_by_faces"] == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))
    # With 7 faces in the cluster on which they differ: 3 of 10 agree.
    (row,) = agreement(names, np.array([1, 7, 1, 1]), dict.fromkeys(names, 0)).to_dict("records")
    chance = (8 * 1 + 1 * 8 + 1 * 1) / 100
    assert row["agreed_by_faces"] == pytest.approx(0.3)
    assert row["kappa_by_faces"] == pytest.approx((0.3 - chance) / (1 - chance))


def test_one_name_for_all_has_no_kappa_and_every_two_persons_are_compared():
    table = agreement(
        {name: ["sad"] * 3 for name in "abc"}, np.ones(3, int), dict.fromkeys("abc", 0)
    )
    assert len(table) == 3 and all(math.isnan(kappa) for kappa in table["kappa"])


def test_words_name_the_cell_and_are_empty_without_persons():
    names = {"main": ["sad", "fear"], "anna": ["sad", "fear"]}
    cell = {"variant": "rgb", "model": "stacked", "seed": 0}
    table = agreement(names, np.array([3, 4]), {"main": 0, "anna": 0})
    words = agreement_words(table.assign(**cell))
    assert "uggestion" not in words
    assert "rgb/stacked/seed0: main and anna agree on 2 of 2 clusters, kappa 1.00" in words
    assert agreement_words(table.iloc[:0]) == ""
    table = agreement(names, np.array([3, 4]), {"main": 0, "anna": 1})
    assert agreement_words(table.assign(**cell)).endswith(
        "Suggestions that they had opened: rgb/stacked/seed0: anna, 1 of 2."
    )


@pytest.mark.parametrize(
    ("path", "who"),
    [("x/seed0.csv", "main"), ("seed0.anna.csv", "anna"), ("seed0.Zoë M..csv", "Zoë M.")],
)
def test_the_file_tells_the_person(path, who):
    assert person(path) == who
