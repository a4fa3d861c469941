"""Ensembles of members whose errors are known."""

import re

import numpy as np
import pytest

from facesort.cluster.anatomy import Anatomy
from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS
from facesort.faces import facs
from facesort.faces.units import expected_units, gathered, to_features, used_movements
from facesort.score.ensembles import (
    COLUMNS,
    Member,
    ensembles_markdown,
    make_ensembles,
    name_scores,
)

NAMES = np.array(EMOTIONS)
LABELS = np.arange(800) % 8
NAMING = np.arange(800) < 160
TEST = np.arange(160, 800)
HOW = {"clustering": {"clusters": 8, "starts": 5}, "method": "plurality"}


def classifier(model, variant, seed, wrong):
    """Right but for a random share of the test faces."""
    rng = np.random.default_rng([wrong > 0.5, seed, len(variant), len(model)])
    given = np.where(rng.random(640) < wrong, rng.integers(0, 8, 640), LABELS[TEST])
    return Member(model, variant, seed, NAMES[given], 0.5 * np.eye(8)[given] + 0.0625)


def clusterer(variant, seed, wrong):
    rng = np.random.default_rng([seed, len(variant)])
    labelled = np.where(rng.random(800) < wrong, rng.integers(0, 8, 800), LABELS)
    pool = np.arange(200, dtype=np.int32) % 8
    pool = np.where(rng.random(200) < wrong, rng.integers(0, 8, 200), pool)
    clustering = Clustering(np.zeros((8, 2), "f4"), pool, labelled, 0.0)
    predicted = NAMES[labelled[TEST]]
    scores = name_scores(clustering, predicted, LABELS, NAMING, TEST)
    return Member("stacked", variant, seed, predicted, scores, clustering)


def test_members_that_err_apart_gain_together():
    members = [
        classifier("supervised", variant, seed, 0.5)
        for variant in ("rgb", "grayscale", "cropped")
        for seed in range(4)
    ]
    members += [
        clusterer(variant, seed, 0.4)
        for variant in ("rgb", "grayscale", "cropped")
        for seed in range(4)
    ]
    table = make_ensembles(members, LABELS, NAMING, TEST, **HOW)
    assert list(table.columns) == COLUMNS
    assert set(zip(table["kind"], table["how"], table["over"], strict=True)) == {
        ("classifiers", "mean of probabilities", "supervised, all variants"),
        ("classifiers", "mean of probabilities", "supervised, all variants and seeds"),
        ("clusterings", "vote of names", "stacked, all variants"),
        ("clusterings", "vote of names", "stacked, all variants and seeds"),
        ("clusterings", "co-association", "stacked, all variants"),
    }
    assert (table["gain"] > 0.05).all() and (table["gain_low"] > 0).all()
    assert table["gain"].to_numpy() == pytest.approx(
        (table["accuracy"] - table["best_member_accuracy"]).to_numpy()
    )
    assert list(table["members"]) == [3, 12, 3, 12, 3]
    text = ensembles_markdown(table, data="made-up faces")
    assert text.startswith("Ensembles found better than their best member: 5 of 5. The largest")
    assert re.search(r"\| +\+\d+\.\d \[\+", text)


def test_equal_members_gain_nothing():
    members = [classifier("supervised", "rgb", 0, 0.5)]
    members.append(Member("supervised", "cropped", 0, members[0].predicted, members[0].scores))
    row = make_ensembles(members, LABELS, NAMING, TEST, **HOW).iloc[0]
    assert (row["gain"], row["gain_low"], row["gain_high"]) == (0, 0, 0)


def test_the_mean_of_probabilities_by_hand():
    scores = np.zeros((2, 640, 8))
    scores[0, :, 3], scores[0, :, 1] = 0.6, 0.4
    scores[1, :, 1], scores[1, :, 2] = 0.5, 0.5
    members = [
        Member("supervised", variant, 0, NAMES[s.argmax(1)], s)
        for variant, s in zip(("rgb", "cropped"), scores, strict=True)
    ]
    row = make_ensembles(members, LABELS, NAMING, TEST, **HOW).iloc[0]
    assert row["accuracy"] == (LABELS[TEST] == 1).mean() == 1 / 8


def test_ties_of_votes_go_by_the_naming_faces_and_mixed_votes_for_none():
    clustering = Clustering(np.zeros((2, 1), "f4"), np.zeros(1, "i4"), np.array([0, 0, 0, 1]), 0.0)
    labels, naming = np.array([4, 4, 5, 4]), np.array([True, True, True, False])
    scores = name_scores(clustering, np.array(["mixed", "sad"]), labels, naming, np.array([2, 3]))
    assert scores[0].argmax() == 4 and scores[0].max() < 0.001
    assert scores[1].argmax() == EMOTIONS.index("sad")
    assert scores[1].max() >= 1


def test_scored_labels_decide_no_answer():
    members = [clusterer(variant, 0, 0.4) for variant in ("rgb", "grayscale", "cropped")]
    shuffled = LABELS.copy()
    shuffled[TEST] = (LABELS[TEST] + 1) % 8
    first, second = (
        make_ensembles(members, labels, NAMING, TEST, **HOW) for labels in (LABELS, shuffled)
    )
    # What is right for the labels is wrong for those moved on by one.
    assert (second["accuracy"] < 0.2).all() and (first["accuracy"] > 0.7).all()


@pytest.fixture(scope="module")
def anatomies():
    """The pool's emotions, which clusterers' pools have by turns, shown as the prototypes say."""
    units, columns = gathered(used_movements())[1], len(facs.columns(facs.table()))
    shown = (expected_units() @ np.linalg.pinv(units))[np.arange(200) % 8]
    noise = np.random.default_rng(0).normal(0, 0.1, (200, columns))
    movements = shown @ np.linalg.pinv(to_features(used_movements())) + noise
    return dict.fromkeys(("rgb", "grayscale", "cropped"), Anatomy(movements, np.ones(200, bool)))


def test_where_anatomy_names_no_labelled_face_is_looked_at(anatomies):
    def clusterings(labels):
        """Members that name no face, so that ties decide all."""
        for variant in anatomies:
            made = clusterer(variant, 0, 0.1).clustering
            mixed = np.full(len(TEST), "mixed")
            given = name_scores(made, mixed, labels, NAMING, TEST, anatomies[variant])
            yield Member("stacked", variant, 0, mixed, given, made)

    nothing = np.where(np.isin(np.arange(800), TEST), LABELS, 0)
    first, second = (
        make_ensembles(
            list(clusterings(labels)),
            labels,
            NAMING,
            TEST,
            **HOW | {"method": "facs"},
            anatomies=anatomies,
        )
        for labels in (LABELS, nothing)
    )
    assert first.equals(second)
    assert set(first["how"]) == {"vote of names", "co-association"}
    assert (first["accuracy"] > 0.5).all()


def test_a_single_cell_makes_no_ensemble():
    table = make_ensembles([clusterer("rgb", 0, 0.2)], LABELS, NAMING, TEST, **HOW)
    assert table.empty and list(table.columns) == COLUMNS
    assert ensembles_markdown(table, data="made-up faces")


def test_an_emotion_that_the_set_lacks_breaks_no_tie():
    # No member names the face, and its cluster has no naming face.
    clustering = Clustering(np.zeros((8, 2), "f4"), np.arange(8), LABELS, 0.0)
    naming = NAMING & ~np.isin(LABELS, [0, 3])
    mixed = np.full(len(TEST), "mixed")
    scores = name_scores(clustering, mixed, LABELS, naming, TEST)
    assert (scores[:, [0, 3]] == 0).all() and (scores[:, [1, 2, 4, 5, 6, 7]] > 0).all()
