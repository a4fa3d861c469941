"""How often a tag is right: without bias by few looks, with intervals that hold."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.browse_review import proposals
from facesort.archive.precision import (
    FEWEST,
    PARTS,
    WANTED,
    judged_by_others,
    share,
    threshold,
    weights_of,
)

FACES = 20_000


@pytest.fixture(scope="module")
def archive():
    """Paths, certainties, and whether the tag is right: less often than the certainty says."""
    rng = np.random.default_rng(0)
    certainty = rng.beta(0.5, 0.7, FACES)
    photos = pd.Series([f"{i}.jpg" for i in range(FACES)])
    return photos, certainty, rng.random(FACES) < certainty**2


def looks(archive, at, count, name):
    """Looks as the page offers them: certainties, right, weights."""
    photos, certainty, right = archive
    numbers = pd.Series(np.zeros(FACES, int))
    found = proposals(photos, numbers, name, certainty, certainty >= at)[:count]
    rows = found["row"].to_numpy()
    weights = weights_of(found["stratum"].to_numpy(), found["stratum_faces"].to_numpy(float))
    return certainty[rows], right[rows], weights


def test_the_share_is_unbiased_and_its_interval_covers_the_truth(archive):
    _, certainty, right = archive
    truth = right[certainty >= 0.6].mean()
    found = []
    for draw in range(200):
        seen, is_right, weights = looks(archive, 0.6, 150, f"tag {draw}")
        given = seen >= 0.6
        found.append(share(is_right[given], weights[given]))
    assert np.mean([each.value for each in found]) == pytest.approx(truth, abs=0.008)
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.91 <= covered <= 0.995
    # Looks at the surest alone, as a person picks them, would flatter.
    assert right[np.argsort(-certainty)[:100]].mean() > truth + 0.1


def test_a_threshold_chosen_by_looks_keeps_what_it_promises(archive):
    _, certainty, right = archive
    kept, told = [], []
    for draw in range(60):
        seen, is_right, weights = looks(archive, 0.6, 300, f"draw {draw}")
        least = threshold(seen, is_right, weights)
        if least is None:
            continue
        kept.append(right[certainty >= least].mean())
        parts = np.random.default_rng(draw).integers(PARTS, size=len(seen))
        told.append(judged_by_others(seen, is_right, weights, parts).value)
    assert len(kept) > 40
    assert np.mean(kept) == pytest.approx(WANTED, abs=0.03)
    # What the same looks say of the threshold that they chose is WANTED or more by construction.
    assert np.nanmean(told) == pytest.approx(np.mean(kept), abs=0.03)


def test_few_looks_and_wrong_tags_choose_no_threshold():
    sure = np.linspace(0.5, 1, FEWEST)
    every = np.ones(FEWEST, bool)
    assert threshold(sure, every, np.ones(FEWEST)) == 0.5
    assert threshold(sure[1:], every[1:], np.ones(FEWEST - 1)) is None
    assert threshold(sure, ~every, np.ones(FEWEST)) is None
    assert threshold(np.empty(0), np.empty(0, bool), np.empty(0)) is None
    # Equal certainties are on one side.
    tied = np.repeat([0.9, 0.3], [FEWEST, FEWEST])
    right = np.repeat([True, False], [FEWEST, FEWEST])
    right[FEWEST] = True
    assert threshold(tied, right, np.ones(2 * FEWEST)) == 0.9


def test_looks_to_halve_the_interval():
    right = np.repeat([True, False], [40, 10])
    found = share(right, np.ones(50))
    assert (found.value, found.looks, found.effective) == (0.8, 50, 50)
    assert found.low == pytest.approx(0.670, abs=0.001)  # Wilson's for 40 of 50
    assert found.high == pytest.approx(0.888, abs=0.001)
    more = found.looks_to_halve()
    assert 140 <= more <= 160
    wider = share(np.tile(right, 4), np.ones(200))
    assert (wider.high - wider.low) == pytest.approx((found.high - found.low) / 2, rel=0.05)
    none = share(np.empty(0, bool), np.empty(0))
    assert np.isnan(none.value) and none.looks_to_halve() == FEWEST


def test_weights_are_faces_by_looks():
    found = weights_of(np.array(["a", "b", "a"]), np.array([10.0, 3, 10]))
    assert found.tolist() == [5, 3, 5]
