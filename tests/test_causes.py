"""Probes and causes on embeddings whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.neighbors import KNeighborsClassifier

from facesort.causes import causes_markdown, make_causes, where_lost
from facesort.emotions import EMOTIONS
from facesort.probes import answer_by_probes, narrowed, silhouette
from facesort.reduction import NARROW

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
        assert set(settings) == {"linear_probe_C", "knn_n_neighbors"}


def test_probes_are_the_librarys_with_the_settings_chosen():
    narrow = narrowed(embeddings(0.6), TEACHING, 0)
    answers, settings = answer_by_probes(narrow, LABELS, TEACHING, SCORED, 0)
    x, y = narrow[TEACHING], LABELS[TEACHING]
    linear = LogisticRegression(C=settings["linear_probe_C"], max_iter=1000).fit(x, y)
    assert (answers["linear_probe"] == linear.predict(narrow[SCORED])).mean() > 0.97
    nearest = KNeighborsClassifier(settings["knn_n_neighbors"]).fit(x, y)
    assert np.array_equal(answers["knn"], nearest.predict(narrow[SCORED]))


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
    assert settings == {"linear_probe_C": 1, "knn_n_neighbors": 1}
    assert (answers["knn"] == LABELS[SCORED]).mean() > 0.8


def test_the_silhouette_is_the_librarys():
    narrow = embeddings(1)
    assert silhouette(narrow, LABELS, 0) == pytest.approx(silhouette_score(narrow, LABELS))
    assert silhouette(narrow, np.zeros(400), 0) is None


ROW = {
    "naming": "automatic",
    "accuracy": 0.6,
    "linear_probe_accuracy": 0.6,
    "linear_probe_accuracy_low": 0.55,
    "peeking_majority_accuracy": 0.61,
    "peeking_by_chance": 0.2,
    "learnt_accuracy": np.nan,
    "always_majority_accuracy": 0.2,
}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, "nothing"),
        ({"linear_probe_accuracy": 0.22, "linear_probe_accuracy_low": 0.19}, "embedding"),
        ({"accuracy": 0.2, "peeking_majority_accuracy": 0.25}, "clusters"),
        ({"accuracy": 0.2, "peeking_majority_accuracy": 0.55}, "names"),
        ({"naming": "none", "learnt_accuracy": 0.95}, "generalisation"),
        ({"naming": "none", "learnt_accuracy": 0.62, "accuracy": 0.53}, "last layers"),
        ({"naming": "none", "learnt_accuracy": 0.62}, "nothing"),
    ],
)
def test_losses_are_found_where_they_were_planted(change, where):
    found, why = where_lost(ROW | change)
    assert found == where and "nan" not in why


def test_causes_gather_seeds_and_read_well():
    truth = ["happy", "sad", "fear", "fear"]
    table = pd.DataFrame(
        {
            "face": range(4),
            "label": truth,
            "predicted": ["happy", "sad", "sad", "sad"],
            "linear_probe": truth,
            "knn": ["happy"] * 4,
        }
    )
    metrics = {
        "naming": "automatic",
        "oracle_accuracy": 0.75,
        "oracle_one_to_one_accuracy": 0.5,
        "oracle_by_chance": 0.4,
        "nmi": 0.3,
        "ari": 0.2,
        "silhouette_groups": None,
        "silhouette_emotions": 0.1,
    }
    cells = [{"model": "stacked", "variant": "rgb", "seed": seed} for seed in (1, 0)]
    causes = make_causes(cells, [table, table], [metrics, metrics | {"naming": "person"}])
    row = causes.iloc[0]
    assert (row["seeds"], row["naming"], row["n_test"]) == (2, "automatic+person", 4)
    assert (row["accuracy"], row["linear_probe_accuracy"], row["knn_accuracy"]) == (0.5, 1, 0.25)
    assert row["always_majority_accuracy"] == 0.5 and np.isnan(row["silhouette_groups"])
    text = causes_markdown(causes, data="made-up faces")
    assert "made-up faces" in text and "nan" not in text
