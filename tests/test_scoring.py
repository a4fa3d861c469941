"""Clusters, names, scores and the table, against known truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    adjusted_rand_score,
    balanced_accuracy_score,
    f1_score,
    normalized_mutual_info_score,
)

from facesort.clustering import fit_clusters, load_clustering, save_clustering
from facesort.comparisons import compare
from facesort.emotions import EMOTIONS
from facesort.job import InputError
from facesort.naming import automatic_names, count_votes, name_automatically, read_person_names
from facesort.scoring import score, score_groups
from facesort.tables import make_table, table_markdown

NAMES = np.array(EMOTIONS)


@pytest.fixture(scope="module")
def planted():
    """Eight clear groups: embeddings, the emotion of each face, a clustering of half of them."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 8
    embeddings = (rng.normal(0, 1, (8, 5))[labels] * 10 + rng.normal(0, 0.1, (400, 5))).astype("f4")
    clustering = fit_clusters(embeddings[:200], embeddings, clusters=8, starts=3, seed=0)
    return embeddings, labels, clustering


def test_planted_clusters_are_found_and_named(planted):
    embeddings, labels, clustering = planted
    assert adjusted_rand_score(labels, clustering.labelled) == 1.0
    names = automatic_names(clustering, embeddings, labels, np.arange(400) < 80, "plurality")
    assert (names["emotion"].to_numpy()[clustering.labelled] == NAMES[labels]).all()
    assert set(names["origin"]) == {"automatic"}


def test_clustering_is_repeatable_and_survives_the_disk(planted, tmp_path):
    embeddings, _, clustering = planted
    again = fit_clusters(embeddings[:200], embeddings, clusters=8, starts=3, seed=0)
    save_clustering(again, tmp_path / "clusters.npz")
    back = load_clustering(tmp_path / "clusters.npz")
    assert back.digest == clustering.digest
    assert np.array_equal(back.labelled, clustering.labelled)


def test_too_few_faces_and_bad_embeddings_are_refused():
    few = np.zeros((5, 2), np.float32)
    with pytest.raises(InputError, match=r"clustering\.clusters"):
        fit_clusters(few, few, clusters=8, starts=1, seed=0)
    bad = np.full((9, 2), np.nan, np.float32)
    with pytest.raises(InputError, match="finite"):
        fit_clusters(bad, bad, clusters=8, starts=1, seed=0)


def test_names_may_be_shared_or_not():
    votes = np.zeros((8, 8), int)
    votes[:, 2] = np.arange(8, 0, -1)  # every cluster's favourite is the third emotion
    votes[1, 5] = 6
    shared = name_automatically(votes, np.zeros((8, 8)), "plurality")
    assert set(shared) == {EMOTIONS[2]}
    single = name_automatically(votes, np.zeros((8, 8)), "one_to_one")
    assert sorted(single) == sorted(EMOTIONS)
    assert single[0] == EMOTIONS[2] and single[1] == EMOTIONS[5]


def test_a_cluster_without_votes_takes_the_nearest_emotion():
    distances = np.ones((1, 8))
    distances[0, 6] = 0.1
    assert name_automatically(np.zeros((1, 8), int), distances, "plurality") == [EMOTIONS[6]]


def test_naming_looks_at_naming_faces_alone(planted):
    embeddings, labels, clustering = planted
    naming = np.arange(400) < 80
    scrambled = np.where(naming, labels, (labels + 1) % 8)
    a = automatic_names(clustering, embeddings, labels, naming, "plurality")
    b = automatic_names(clustering, embeddings, scrambled, naming, "plurality")
    assert a.equals(b)


def test_a_persons_names_are_read(planted, tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("cluster,emotion\n" + "".join(f"{c},Happy\n" for c in range(7)) + "7,mixed\n")
    names = read_person_names(path, planted[2])
    assert list(names["emotion"]) == ["happy"] * 7 + ["mixed"]
    assert set(names["origin"]) == {"person"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b\n", "no columns"),
        ("cluster,emotion\n9,happy\n", r"row 2: '9' is no cluster"),
        ("cluster,emotion\n0,happy\n0,sad\n", "row 3: cluster 0 is named twice"),
        ("cluster,emotion\n0,bored\n", r"row 2: 'bored' is not one of"),
        ("cluster,emotion\n0,happy\n", "no name for cluster 1, 2"),
        ("cluster,emotion,clustering\n0,happy,feed\n", "row 2: named for clustering 'feed'"),
    ],
)
def test_a_persons_mistakes_are_named(planted, tmp_path, text, complaint):
    path = tmp_path / "names.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_person_names(path, planted[2])


emotions = st.integers(0, 7)


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


def cell(predicted, faces=(1, 2, 3, 4)):
    labels = ["happy", "sad", "fear", "fear"]
    return pd.DataFrame(
        {"face": faces, "label": labels, "predicted": predicted, "group": [0, 1, 2, 2]}
    )


CELLS = [{"model": "supervised", "variant": "rgb", "seed": seed} for seed in (0, 1)]


def test_table_1_has_its_columns_and_means():
    right, half = cell(["happy", "sad", "fear", "fear"]), cell(["happy", "sad", "anger", "anger"])
    table = make_table(CELLS, [right, half])
    assert ",".join(table.columns) == (
        "model,variant,seeds,n_test,accuracy,accuracy_low,accuracy_high,balanced_accuracy,"
        "macro_f1,oracle_accuracy,paper_accuracy,chance"
    )
    row = table.iloc[0]
    assert (row["seeds"], row["n_test"], row["accuracy"]) == (2, 4, 0.75)
    assert (row["oracle_accuracy"], row["paper_accuracy"], row["chance"]) == (1, 0.5615, 0.125)
    assert row["accuracy_low"] <= 0.75 <= row["accuracy_high"]
    comparisons = compare(CELLS, [right, half], pairs=["models"], resamples=100, seed=0)
    causes = table.assign(lost_in="names", why="they are wrong")
    text = table_markdown(
        table,
        comparisons,
        causes,
        data="made-up faces",
        seeds=[0, 1],
        naming="",
        labels=right["label"],
    )
    assert "made-up faces" in text and "fear would score 0.500" in text
    assert "- supervised, rgb: **names**; they are wrong." in text


def test_cells_scored_on_other_faces_are_refused():
    tables = [cell(["sad"] * 4), cell(["sad"] * 4, faces=(1, 2, 3, 5))]
    with pytest.raises(InputError, match=r"rgb/supervised/seed1 .* other faces"):
        make_table(CELLS, tables)


def test_votes_are_counted():
    votes = count_votes(np.array([0, 0, 1]), np.array([3, 3, 7]), 2)
    assert votes[0, 3] == 2 and votes[1, 7] == 1 and votes.sum() == 3
