"""Scores against the library's, and against what is counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    adjusted_rand_score,
    balanced_accuracy_score,
    f1_score,
    normalized_mutual_info_score,
)

from facesort.common.emotions import EMOTIONS
from facesort.score.scores import score, score_draws, score_groups

NAMES = np.array(EMOTIONS)


emotions = st.integers(0, 7)


@settings(deadline=None)
@given(st.lists(st.tuples(emotions, emotions), min_size=1, max_size=60))
def test_scores_equal_the_librarys_and_the_oracle_is_no_worse(pairs):
    labels, groups = np.array(pairs).T
    scores = score(NAMES[labels], NAMES[groups], groups)
    assert scores["accuracy"] == pytest.approx((labels == groups).mean())
    recalls = [(groups[labels == e] == e).mean() for e in np.unique(labels)]
    assert scores["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    if set(groups) <= set(labels):
        assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, groups))
        assert scores["macro_f1"] == pytest.approx(f1_score(labels, groups, average="macro"))
    assert scores["oracle_accuracy"] >= scores["accuracy"] - 1e-12


def test_the_oracle_is_the_majority_by_hand():
    labels = np.array(["happy", "happy", "sad", "fear", "fear"])
    scores = score(labels, np.array(["mixed"] * 5), np.array([0, 0, 0, 1, 1]))
    assert scores["accuracy"] == 0
    assert scores["oracle_accuracy"] == pytest.approx(4 / 5)


@settings(deadline=None)
@given(st.lists(st.tuples(emotions, emotions), min_size=1, max_size=60), st.integers(0, 99))
def test_groups_are_scored_whatever_their_numbers(pairs, shift):
    labels, groups = np.array(pairs).T
    scores = score_groups(NAMES[labels], groups * 3 + shift, seed=0)
    best = max(
        np.mean([names.get(g) == label for g, label in zip(groups, labels, strict=True)])
        for names in [dict(enumerate(np.roll(np.arange(8), n))) for n in range(8)]
    )
    oracle = score(NAMES[labels], NAMES[groups], groups)["oracle_accuracy"]
    assert best - 1e-12 <= scores["oracle_one_to_one_accuracy"] <= oracle + 1e-12
    assert scores["oracle_by_chance"] >= np.bincount(labels).max() / len(labels) - 1e-12
    assert scores["nmi"] == pytest.approx(normalized_mutual_info_score(labels, groups))
    assert scores["ari"] == pytest.approx(adjusted_rand_score(labels, groups))


def test_one_to_one_by_hand():
    labels = np.array(["happy"] * 3 + ["sad"] * 2 + ["happy"] * 2)
    groups = np.array([0, 0, 0, 0, 1, 1, 1])
    # Both clusters are mostly happy; one must take sad: 3 + 1 of 7, against 5 of 7 if shared.
    assert score_groups(labels, groups, 0)["oracle_one_to_one_accuracy"] == pytest.approx(4 / 7)
    assert score(labels, labels, groups)["oracle_accuracy"] == pytest.approx(5 / 7)


def test_groups_that_know_nothing_score_as_by_chance():
    rng = np.random.default_rng(0)
    labels, groups = NAMES[rng.integers(0, 8, 400)], rng.integers(0, 8, 400)
    scores = score_groups(labels, groups, 0)
    oracle = score(labels, labels, groups)["oracle_accuracy"]
    assert oracle == pytest.approx(scores["oracle_by_chance"], abs=0.03)
    assert scores["oracle_by_chance"] > 0.16  # and not 1/8: the best of names fits noise


def test_draws_of_names_are_scored_as_single_names_are():
    rng = np.random.default_rng(0)
    labels = rng.choice(EMOTIONS[:5], 300, p=[0.5, 0.3, 0.1, 0.05, 0.05])
    groups = rng.integers(0, 6, 300)
    names = rng.choice(EMOTIONS, (40, 7))  # no face is in the seventh group
    told = score_draws(labels, names, groups)
    each = [score(labels, row[groups], groups) for row in names]
    for kind in ("accuracy", "balanced_accuracy"):
        draws = [one[kind] for one in each]
        assert told[f"renamed_{kind}"] == pytest.approx(np.mean(draws))
        ends = [told[f"renamed_{kind}_{end}"] for end in ("low", "high")]
        assert ends == pytest.approx(np.quantile(draws, [0.025, 0.975]))
