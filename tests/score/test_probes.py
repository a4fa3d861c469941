"""Probes of embeddings whose truth is known, and votes of the nearest faces."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from facesort.cluster.reduction import NARROW
from facesort.common.emotions import EMOTIONS
from facesort.score.probes import (
    NEIGHBOURS,
    answer_by_probes,
    narrowed,
    neighbours_votes,
    silhouette,
)

NAMES = np.array(EMOTIONS)
LABELS = NAMES[np.arange(400) % 8]
TEACHING, SCORED = np.arange(200), np.arange(200, 400)


def embeddings(strength, width=20, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, strength, (8, width))
    return (centres[np.arange(400) % 8] + rng.normal(0, 1, (400, width))).astype(np.float32)


def test_probes_find_what_is_there_and_nothing_else():
    for strength, least, most in ((3, 0.95, 1), (0, 0, 0.25)):
        narrow = narrowed(embeddings(strength), TEACHING, 0)
        answers, settings = answer_by_probes(narrow, LABELS, TEACHING, SCORED, 0)
        for given in answers.values():
            assert least <= (given == LABELS[SCORED]).mean() <= most
        assert set(settings) == {"linear_probe_C", "balanced_probe_C", "knn_n_neighbors"}


def test_probes_are_the_librarys_with_the_settings_chosen():
    narrow = narrowed(embeddings(0.6), TEACHING, 0)
    answers, settings = answer_by_probes(narrow, LABELS, TEACHING, SCORED, 0)
    x, y = narrow[TEACHING], LABELS[TEACHING]
    linear = LogisticRegression(C=settings["linear_probe_C"], max_iter=1000).fit(x, y)
    assert (answers["linear_probe"] == linear.predict(narrow[SCORED])).mean() > 0.97
    nearest = KNeighborsClassifier(settings["knn_n_neighbors"]).fit(x, y)
    assert np.array_equal(answers["knn"], nearest.predict(narrow[SCORED]))


def test_a_balanced_probe_finds_what_is_rare():
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(400) < 0.1, "fear", "happy")
    faces = rng.normal(0, 1, (400, 20)) + 0.5 * (labels == "fear")[:, np.newaxis]
    answers, _ = answer_by_probes(faces.astype(np.float32), labels, TEACHING, SCORED, 0)
    rare = SCORED[labels[SCORED] == "fear"] - 200
    plain, balanced = (
        (answers[name][rare] == "fear").mean() for name in ("linear_probe", "balanced_probe")
    )
    assert balanced > plain + 0.1


def test_probes_never_look_at_the_scored_labels():
    narrow = narrowed(embeddings(1), TEACHING, 0)
    hidden = np.where(np.arange(400) < 200, LABELS, "happy")
    first, second = (
        answer_by_probes(narrow, labels, TEACHING, SCORED, 0)[0] for labels in (LABELS, hidden)
    )
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_wide_embeddings_keep_what_tells_emotions_apart():
    wide = embeddings(0.5, width=NARROW + 400)
    narrow = narrowed(wide, TEACHING, 0)
    assert narrow.shape[1] <= 256
    answers, _ = answer_by_probes(narrow, LABELS, TEACHING, SCORED, 0)
    assert (answers["linear_probe"] == LABELS[SCORED]).mean() > 0.95
    # Scored faces play no part in the directions.
    other = wide.copy()
    other[SCORED[1:]] = 1e3
    assert narrowed(other, TEACHING, 0)[:201] == pytest.approx(narrow[:201], abs=1e-4)


def test_a_class_with_one_teaching_face_is_no_trouble():
    answers, settings = answer_by_probes(
        narrowed(embeddings(3), np.arange(8), 0), LABELS, np.arange(8), SCORED, 0
    )
    assert settings == {"linear_probe_C": 1, "balanced_probe_C": 1, "knn_n_neighbors": 1}
    assert (answers["knn"] == LABELS[SCORED]).mean() > 0.8


def test_the_silhouette_is_the_librarys():
    narrow = embeddings(1)
    assert silhouette(narrow, LABELS, 0) == pytest.approx(silhouette_score(narrow, LABELS))
    assert silhouette(narrow, np.zeros(400), 0) is None


def test_a_face_does_not_vote_for_itself():
    # Two far groups of two; in each the other face has another label.
    embeddings = np.array([[0, 0], [0.1, 0], [9, 9], [9.1, 9]], np.float32)
    labels = np.array([0, 1, 2, 3])
    votes, neighbours = neighbours_votes(embeddings, labels, np.arange(4), 8)
    assert neighbours == 1 and votes.shape == (4, 8) and votes.dtype == np.float32
    assert votes.argmax(1).tolist() == [1, 0, 3, 2]
    # Nor where copies of it come first.
    copies = np.zeros((60, 2), np.float32)
    labels = np.arange(60) % 8
    votes, _ = neighbours_votes(copies, labels, np.arange(60), 8)
    assert np.isfinite(votes).all()


def test_votes_are_shares_and_ties_go_to_the_nearer():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 8
    embeddings = (rng.normal(0, 1, (8, 16))[labels] + rng.normal(0, 1, (400, 16))).astype("f4")
    teaching = np.arange(200)
    votes, k = neighbours_votes(embeddings, labels, teaching, 8)
    apart = np.linalg.norm(embeddings[200:, None] - embeddings[None, :200], axis=2)
    nearest = np.argsort(apart, axis=1)[:, :k]
    shares = np.stack([(labels[nearest] == kind).mean(1) for kind in range(8)], 1)
    assert k in NEIGHBOURS and k > 1
    assert votes[200:] == pytest.approx(shares, abs=2e-3)
    assert votes.sum(1) == pytest.approx(np.ones(400), abs=1e-6)
    best = shares.max(1)
    for row in np.flatnonzero((shares == best[:, None]).sum(1) > 1):
        tied = np.flatnonzero(shares[row] == best[row])
        far = [apart[row, nearest[row][labels[nearest[row]] == kind]].sum() for kind in tied]
        assert votes[200 + row].argmax() == tied[np.argmin(far)]


def test_votes_never_look_at_other_labels():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 8
    embeddings = rng.normal(0, 1, (200, 16)).astype("f4")
    hidden = np.where(np.arange(200) < 100, labels, 0)
    first, second = (
        neighbours_votes(embeddings, given, np.arange(100), 8)[0] for given in (labels, hidden)
    )
    assert np.array_equal(first, second)
