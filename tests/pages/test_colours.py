"""Colours: told apart by all readers, on light ground and on dark."""

from itertools import combinations

import numpy as np
import pytest
from coloraide import Color

from facesort.common.emotions import EMOTIONS
from facesort.pages.colours import (
    BY_EMOTION,
    UNGROUPED,
    Colour,
    cluster_colour,
    cluster_groups,
    emotion_groups,
)
from facesort.pages.page import PAGES

# What points lie on: paper and the cards of pages.
GROUNDS = Colour("#ffffff", "#1d2026")
# The least contrast of marks that mean something: https://www.w3.org/TR/WCAG22/#non-text-contrast
LEAST = 3
# Differences by CIEDE2000 from which colours are told apart at a glance.
APART = 9
KINDS = ("emotions", "clusters")


def colours(kind, ground):
    """The colours of all emotions and of mixed, or of the default eight clusters."""
    found = BY_EMOTION.values() if kind == "emotions" else map(cluster_colour, range(8))
    return [Color(getattr(colour, ground)) for colour in found]


def seen(colour, sight):
    """As the colour-blind see it, by Viénot, Brettel and Mollon, and for tritanopes by Brettel."""
    return colour if sight == "all" else colour.filter(sight)


def test_the_grounds_are_those_of_the_pages():
    style = (PAGES / "page.css").read_text(encoding="utf-8")
    assert all(f"--card: {ground}" in style for ground in GROUNDS)


@pytest.mark.parametrize("ground", Colour._fields)
@pytest.mark.parametrize("kind", KINDS)
def test_colours_stand_out_from_their_ground(kind, ground):
    behind = getattr(GROUNDS, ground)
    assert min(colour.contrast(behind) for colour in colours(kind, ground)) >= LEAST


@pytest.mark.parametrize("ground", Colour._fields)
@pytest.mark.parametrize("sight", ["all", "protan", "deutan", "tritan"])
@pytest.mark.parametrize("kind", KINDS)
def test_colours_stay_apart_from_each_other_and_from_points_of_no_group(kind, sight, ground):
    every = [*colours(kind, ground), Color(getattr(UNGROUPED, ground))]
    every = [seen(colour, sight) for colour in every]
    assert min(a.delta_e(b, method="2000") for a, b in combinations(every, 2)) >= APART


def test_many_clusters_have_a_colour_each_that_stands_out():
    many = [cluster_colour(number) for number in range(64)]
    for ground in Colour._fields:
        found = [getattr(colour, ground) for colour in many]
        assert len(set(found)) == 64
        assert min(Color(colour).contrast(getattr(GROUNDS, ground)) for colour in found) >= LEAST


def test_clusters_of_one_name_have_colours_and_numbers_of_their_own():
    groups = cluster_groups(np.arange(80) % 4, ["happy", "happy", "sad", "unnamed"])
    assert [group.label for group in groups] == ["0: happy", "1: happy", "2: sad", "3: unnamed"]
    assert [group.mark for group in groups] == ["0", "1", "2", "3"]
    assert len({group.colour for group in groups}) == 4
    assert (np.sum([group.chosen for group in groups], axis=0) == 1).all()


def test_emotions_have_groups_and_mixed_only_where_it_occurs():
    groups = emotion_groups(np.array(["sad", "mixed", "", "sad"], object))
    assert {group.label: group.chosen.sum() for group in groups if group.chosen.any()} == {
        "sad": 2,
        "mixed": 1,
    }
    assert not any(group.mark for group in groups)
    assert len(emotion_groups(np.array(["sad"], object))) == len(EMOTIONS)


def test_a_set_that_lacks_emotions_has_groups_of_its_own():
    groups = emotion_groups(np.array(["sad", "fear", ""], object), ["happy", "sad"])
    assert [group.label for group in groups] == ["fear", "happy", "sad"]
