"""What an embedding holds of the emotions, whatever clusters or names make of it.

Linear probes and nearest neighbours are taught by labelled faces that are not scored, and answer
for those that are. Source of linear probes: Alain and Bengio 2016, https://arxiv.org/abs/1610.01644
"""

import warnings
from typing import Any, Final

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from threadpoolctl import threadpool_limits

from facesort.cluster.reduction import NARROW, principal_directions, project

# Wider embeddings are probed along so many principal directions of the faces that teach.
DIRECTIONS: Final = 256
STRENGTHS: Final = (0.01, 0.1, 1.0, 10.0)
NEIGHBOURS: Final = (1, 5, 15, 45)
FOLDS: Final = 3
PROBES: Final = ("linear_probe", "balanced_probe", "knn")
SILHOUETTE_FACES: Final = 2000


def narrowed(embeddings: np.ndarray, teaching: np.ndarray, seed: int) -> np.ndarray:
    """Embeddings made narrow enough to probe, by what the teaching faces alone show.

    Args:
        embeddings: float32 (M, D) of all labelled faces; may be memory-mapped.
        teaching: int (n,), the rows that teach.

    Returns:
        float32 (M, m), of mean square 1 over the teaching faces.
    """
    with threadpool_limits(1):
        if embeddings.shape[1] > NARROW:
            size = min(4 * DIRECTIONS, len(teaching))
            chosen = np.random.default_rng(seed).choice(teaching, size, replace=False)
            directions = principal_directions(embeddings, np.sort(chosen), DIRECTIONS)
            narrow = project(embeddings, directions)
        else:
            narrow = np.array(embeddings, np.float32)
        narrow -= narrow[teaching].mean(0)
        narrow /= np.sqrt((narrow[teaching] ** 2).mean()) + 1e-12
    return narrow


def answer_by_probes(
    narrow: np.ndarray, labels: np.ndarray, teaching: np.ndarray, scored: np.ndarray, seed: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Teach the probes and let them answer.

    The strength of regularisation and the number of neighbours are those of the best mean accuracy
    in a threefold cross-validation within the teaching faces. ``balanced_probe`` is a linear probe
    to which all emotions weigh alike, chosen by its balanced accuracy.

    Args:
        narrow: float32 (M, m).
        labels: int or str (M,); those of ``scored`` rows are not looked at.
        teaching, scored: int, rows.

    Returns:
        The answers for the scored faces, by the names of ``PROBES``, and the settings chosen.
    """
    x, y = narrow[teaching], labels[teaching]
    folds = min(FOLDS, int(np.unique(y, return_counts=True)[1].min()))
    most = len(x) - -(-len(x) // max(folds, 1))
    linear = {"max_iter": 200, "tol": 1e-3}
    models = (
        (LogisticRegression(**linear), "C", STRENGTHS, "accuracy"),
        (
            LogisticRegression(**linear, class_weight="balanced"),
            "C",
            STRENGTHS,
            "balanced_accuracy",
        ),
        (
            KNeighborsClassifier(),
            "n_neighbors",
            [k for k in NEIGHBOURS if k <= most],
            "accuracy",
        ),
    )
    answers, chosen = {}, {}
    with threadpool_limits(1), warnings.catch_warnings():
        # A strength at which the solver has not settled yet is judged by its accuracy all the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name, (model, setting, grid, scoring) in zip(PROBES, models, strict=True):
            if folds < 2:
                # A class with one teaching face allows no choice.
                model.set_params(**{setting: 1}).fit(x, y)
            else:
                split = StratifiedKFold(folds, shuffle=True, random_state=seed)
                model = GridSearchCV(model, {setting: list(grid)}, scoring=scoring, cv=split)
                model = model.fit(x, y).best_estimator_
            answers[name] = model.predict(narrow[scored])
            chosen[f"{name}_{setting}"] = model.get_params()[setting]
    return answers, chosen


def neighbours_votes(
    embeddings: np.ndarray, labels: np.ndarray, teaching: np.ndarray, kinds: int
) -> tuple[np.ndarray, int]:
    """What the nearest teaching faces say of every face; none votes for itself.

    The number of neighbours is that with which most teaching faces are told right by the others.
    Of emotions with equally many votes, the one whose faces are nearer leads by a little.

    Args:
        embeddings: float32 (M, D) of all labelled faces.
        labels: int (M,), in [0, kinds); only those of ``teaching`` rows are looked at.
        teaching: int (n,), rows that vote; at least two.

    Returns:
        float32 (M, kinds), shares of the votes, and the number of neighbours.
    """
    most = min(max(NEIGHBOURS), len(teaching) - 1)
    with threadpool_limits(1):
        search = NearestNeighbors(n_neighbors=most + 1).fit(embeddings[teaching])
        apart, found = search.kneighbors(embeddings)
    found = teaching[found]
    # A face itself, which need not come first among its copies, is put last, and that is cut off.
    order = np.argsort(found == np.arange(len(found))[:, np.newaxis], axis=1, kind="stable")
    found, apart = (np.take_along_axis(a, order, 1)[:, :most] for a in (found, apart))
    votes = {k: _votes(labels[found[:, :k]], apart[:, :k], kinds) for k in NEIGHBOURS if k <= most}
    right = {k: (v[teaching].argmax(1) == labels[teaching]).mean() for k, v in votes.items()}
    best = max(right, key=lambda k: right[k])
    return votes[best], best


def _votes(labels: np.ndarray, apart: np.ndarray, kinds: int) -> np.ndarray:
    """Shares of votes, float32 (M, kinds), of neighbours' labels and distances, both (M, k)."""
    weights = 1 + 1e-3 * (1 - apart / np.maximum(apart.max(1, keepdims=True), 1e-12))
    votes = np.stack([(weights * (labels == kind)).sum(1) for kind in range(kinds)], 1)
    return (votes / votes.sum(1, keepdims=True)).astype(np.float32)


def silhouette(narrow: np.ndarray, groups: np.ndarray, seed: int) -> float | None:
    """Mean silhouette of a seeded sample: -1 to 1; None where there is but one group.

    Args:
        narrow: float32 (n, m).
        groups: (n,), the group of each face.
    """
    chosen = np.random.default_rng(seed).permutation(len(groups))[:SILHOUETTE_FACES]
    kinds = len(np.unique(groups[chosen]))
    if not 1 < kinds < len(chosen):
        return None
    with threadpool_limits(1):
        return float(silhouette_score(narrow[chosen], groups[chosen]))
