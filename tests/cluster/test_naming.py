"""Naming: ties, and files of names that are not what they seem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from facesort.cluster.kmeans import Clustering
from facesort.cluster.naming import (
    automatic_names,
    count_votes,
    name_automatically,
    names_by_draws,
    read_person_names,
    unvoted_names,
)
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError

CLUSTERING = Clustering(np.eye(8, 3, dtype="f4"), np.zeros(9, "i4"), np.zeros(9, "i4"), 1.0)
PAGE = "results/rgb/stacked/seed0/naming.html"
HEAD = "cluster,emotion,clustering\n"
ROWS = "".join(f"{cluster},happy,{CLUSTERING.digest}\n" for cluster in range(8))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distance_decides_among_equals_alone(seed):
    rng = np.random.default_rng(seed)
    votes = rng.multinomial(10, np.full(8, 1 / 8), size=8).T
    distances = rng.random((8, 8))
    for cluster, name in enumerate(name_automatically(votes, distances, "plurality")):
        best = np.flatnonzero(votes[cluster] == votes[cluster].max())
        assert name == EMOTIONS[best[distances[cluster, best].argmin()]]
    single = name_automatically(votes, distances, "one_to_one")
    agreed = sum(votes[cluster, EMOTIONS.index(name)] for cluster, name in enumerate(single))
    assert agreed == votes[linear_sum_assignment(votes, maximize=True)].sum()


def test_one_to_one_loses_no_vote_to_distance():
    # Eight distances together must not outweigh the one vote that the farther names have more.
    votes = np.roll(np.eye(8, dtype=int), 1, axis=1) * 5 + np.eye(8, dtype=int) * 5
    votes[0, 1] += 1
    distances = np.ones((8, 8)) - np.eye(8)
    names = name_automatically(votes, distances, "one_to_one")
    assert names == [EMOTIONS[(cluster + 1) % 8] for cluster in range(8)]


@pytest.mark.parametrize(
    "text",
    [
        (HEAD + ROWS).replace(",", ";"),
        "\ufeffCluster, Emotion, Clustering\n" + ROWS,
        "cluster,emotion,origin,votes,clustering\n"
        + "".join(f"{c},happy,automatic,3,{CLUSTERING.digest}\n" for c in range(8)),
    ],
)
def test_what_spreadsheets_and_the_workflow_write_is_read(tmp_path, text):
    path = tmp_path / "names.csv"
    path.write_text(text, encoding="utf-8")
    assert list(read_person_names(path, CLUSTERING, PAGE)["emotion"]) == ["happy"] * 8


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"cluster,emotion\n0,\xe9\n", "UTF-8"),
        ((HEAD + ROWS).encode("utf-16"), "UTF-8"),
        (f"{HEAD}{'9' * 5000},happy,{CLUSTERING.digest}\n".encode(), "row 2: '9+' is no cluster"),
        (b"cluster,emotion\n0," + b"x" * 200_000 + b"\n", "too long"),
        (HEAD.encode() + b"0,ha\0ppy\n", "row 2"),
        (HEAD.encode() + b"0,happy,\x1b[31mred\n", "row 2: named for clustering"),
        (HEAD.encode() + b"0,happy,\n", f"row 2: named for .* end the command with -- {PAGE} and"),
        (b"cluster,emotion\n0,happy\n", f"no column clustering .* {PAGE}"),
        (b"", "no column cluster and emotion and clustering"),
    ],
)
def test_hostile_files_get_one_clear_line(tmp_path, raw, complaint):
    path = tmp_path / "names.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=complaint) as error:
        read_person_names(path, CLUSTERING, PAGE)
    message = str(error.value)
    assert message.startswith(str(path)) and len(message) < len(str(path)) + 250
    assert message.isprintable()


def test_a_folder_instead_of_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_person_names(tmp_path, CLUSTERING, PAGE)


def test_planted_clusters_are_found_and_named(planted):
    embeddings, labels, clustering = planted
    assert adjusted_rand_score(labels, clustering.labelled) == 1.0
    names = automatic_names(clustering, embeddings, labels, np.arange(400) < 80, "plurality")
    assert (names["emotion"].to_numpy()[clustering.labelled] == np.array(EMOTIONS)[labels]).all()
    assert set(names["origin"]) == {"automatic"}


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


def test_other_draws_never_look_at_scored_faces_and_differ_where_clusters_do_not_tell(planted):
    embeddings, labels, clustering = planted
    naming, others = np.arange(400) < 80, np.arange(400) >= 320
    scored = ~(naming | others)
    scrambled = np.where(scored, (labels + 1) % 8, labels)
    rest = (naming, others, "plurality", 0)
    a = names_by_draws(clustering, embeddings, labels, *rest)
    b = names_by_draws(clustering, embeddings, scrambled, *rest)
    assert (a == b).all()
    # Clear clusters have the same names by any faces; labels at random give other names each time.
    assert (a[:, clustering.labelled] == np.array(EMOTIONS)[labels]).all()
    dealt = np.random.default_rng(0).permutation(labels)
    few = np.zeros(400, bool)
    few[[np.flatnonzero(naming & (dealt == e))[:3] for e in range(8)]] = True
    luck = names_by_draws(clustering, embeddings, dealt, few, others, "plurality", 0)
    assert len(np.unique(luck, axis=0)) > 50


@pytest.mark.parametrize("method", ["plurality", "one_to_one"])
def test_an_emotion_that_the_labelled_set_lacks_is_no_name(planted, method):
    embeddings, labels, clustering = planted
    has = ~np.isin(labels, [0, 1])
    named, others = has & (np.arange(400) < 80), has & (np.arange(400) >= 320)
    names = automatic_names(clustering, embeddings, labels, named, method)
    assert set(names["emotion"]) <= set(EMOTIONS[2:]) and names["votes"].sum() == named.sum()
    # Clusters of the emotions that are there have their names.
    assert (names["emotion"].to_numpy()[clustering.labelled] == np.array(EMOTIONS)[labels])[
        has
    ].all()
    draws = names_by_draws(clustering, embeddings, labels, named, others, method, 0)
    assert set(np.unique(draws)) <= set(EMOTIONS[2:])


def test_without_labelled_faces_clusters_have_no_names_but_those_of_anatomy():
    given = unvoted_names(CLUSTERING, "facs", ["sad"] * 7 + ["mixed"])
    assert list(given["emotion"]) == ["sad"] * 7 + ["mixed"] and set(given["origin"]) == {"facs"}
    names = unvoted_names(CLUSTERING, "none")
    assert set(names["emotion"]) == {"unnamed"} and set(names["origin"]) == {"none"}
    assert list(names["cluster"]) == list(range(8))
    automatic = ["cluster", "emotion", "origin", "votes", "clustering"]
    assert list(names.columns) == automatic and set(names["clustering"]) == {CLUSTERING.digest}


def test_votes_are_counted():
    votes = count_votes(np.array([0, 0, 1]), np.array([3, 3, 7]), 2)
    assert votes[0, 3] == 2 and votes[1, 7] == 1 and votes.sum() == 3


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("9,happy,{0}", "row 2: '9' is no cluster"),
        ("0,happy,{0}\n0,sad,{0}", "row 3: cluster 0 is named twice"),
        ("0,bored,{0}", "row 2: 'bored' is not one of"),
        ("0,happy,{0}", "no name for cluster 1, 2"),
        ("0,happy,feed", "row 2: named for clustering 'feed'"),
    ],
)
def test_a_persons_mistakes_are_named(tmp_path, rows, complaint):
    path = tmp_path / "names.csv"
    path.write_text(HEAD + rows.format(CLUSTERING.digest) + "\n")
    with pytest.raises(InputError, match=complaint):
        read_person_names(path, CLUSTERING, PAGE)


def test_a_person_may_say_mixed(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text(HEAD + ROWS.replace("7,happy", "7,Mixed"))
    names = read_person_names(path, CLUSTERING, PAGE)
    assert list(names["emotion"]) == ["happy"] * 7 + ["mixed"]
    assert set(names["origin"]) == {"person"} and not names["opened"].any()


def test_the_file_tells_which_suggestions_were_opened(tmp_path):
    lines = (HEAD + ROWS).splitlines()
    noted = [f"{line},{'opened' if line[0] in '25' else ''}" for line in lines[1:]]
    path = tmp_path / "names.csv"
    path.write_text("\n".join([f"{lines[0]},suggestion", *noted]) + "\n")
    names = read_person_names(path, CLUSTERING, PAGE)
    assert list(names.index[names["opened"]]) == [2, 5]
