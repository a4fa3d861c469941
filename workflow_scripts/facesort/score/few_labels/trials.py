"""How accuracy grows with few labels, on one embedding.

A logistic regression is taught by a few faces of the training part, chosen in each of the ways of
``label_first``, and answers for the test faces. No other label plays a part: the strength of its
regularisation is chosen by threefold cross-validation within those few.

Faces of ``equal`` also teach one that sees anatomy beside the embedding (the way ``anatomy``): what
the model ``action_units``, taught by no label, sees of each face, and what it answers.
"""

import warnings
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from facesort.cluster.kmeans import Clustering, check_finite
from facesort.common.emotions import EMOTIONS
from facesort.common.job import Progress
from facesort.score.few_labels.label_first import choices, leading, to_own_centroid
from facesort.score.probes import FOLDS, STRENGTHS, narrowed
from facesort.score.scores import score

NAMES: Final = np.array(EMOTIONS)
# What anatomy holds for less probable counts as much as that.
LEAST: Final = 1e-6
SCORES: Final = ("accuracy", "balanced_accuracy", "macro_f1")


def few_labels(
    embeddings: np.ndarray,
    labels: np.ndarray,
    training: np.ndarray,
    test: np.ndarray,
    clustering: Clustering | None,
    anatomy: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    few: dict[str, Any],
    means: dict[str, Any],
    seed: int,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Teach by few labels, chosen in each way, and score.

    Args:
        embeddings: float32 (M, D) of all labelled faces; may be memory-mapped.
        labels: int (M,), indices of ``EMOTIONS``; those of test faces are only compared with.
        training, test: int, rows.
        clustering: the model's; None where it has none, and K-means of the training part's
            embeddings gives the clusters of ``central``.
        anatomy: of all labelled faces the embeddings, float32 (M, d), and the probabilities,
            float32 (M, 8), of ``action_units``; without them there is no way ``anatomy``.
        few: per_emotion, draws and seed, as in the config.
        means: clusters and starts of that K-means, as in the config.
        seed: the model's; its draws are others than those of the next seed.

    Returns:
        A row a way, budget and draw: way, per_emotion, draw, labels (how many there were), a
        column an emotion (how many of it), strength (the regularisation's C), accuracy,
        balanced_accuracy, macro_f1; and row for row the answers, uint8 (rows, test faces).

    Raises:
        InputError: if an embedding is not finite.
    """
    with threadpool_limits(1):
        check_finite(embeddings, "labelled faces")
        narrow = narrowed(embeddings, training, seed)
        seen = {"anatomy": beside_anatomy(narrow, *anatomy, training, seed)} if anatomy else {}
        faces, emotions = narrow[training], labels[training]
        groups, distances = _clusters(embeddings, training, faces, clustering, means, seed)
        chosen = choices(
            faces,
            emotions,
            groups,
            distances,
            per_emotion=few["per_emotion"],
            draws=few["draws"],
            seeds=(few["seed"], seed),
        )
        total = len(few["per_emotion"]) * ((3 + len(seen)) * few["draws"] + 1)
        progress = Progress(total, "few labels", unit="trials")
        rows, answers = [], []
        for choice in chosen:
            taught = emotions[choice.faces]
            counts = np.bincount(taught, minlength=len(EMOTIONS))
            views = {choice.way: narrow} | (seen if choice.way == "equal" else {})
            for way, every in views.items():
                generator = np.random.default_rng((few["seed"], seed, choice.draw))
                given, strength = answer(
                    every[training[choice.faces]], taught, every[test], generator
                )
                scores = score(NAMES[labels[test]], NAMES[given], given)
                rows.append(
                    {
                        "way": way,
                        "per_emotion": choice.per_emotion,
                        "draw": choice.draw,
                        "labels": len(taught),
                        **dict(zip(EMOTIONS, counts.tolist(), strict=True)),
                        "strength": strength,
                        **{key: scores[key] for key in SCORES},
                    }
                )
                answers.append(given.astype(np.uint8))
                progress.update(1)
        progress.close()
    return pd.DataFrame(rows), np.stack(answers)


def beside_anatomy(
    narrow: np.ndarray,
    movements: np.ndarray,
    probabilities: np.ndarray,
    training: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Embeddings with what anatomy tells beside them: its movements, and its answers' logarithms.

    Each of the three has mean square 1 over the training faces.

    Args:
        narrow: float32 (M, m), as ``narrowed`` gives it.
        movements, probabilities: as ``few_labels`` takes them.

    Raises:
        InputError: if a movement is not finite.
    """
    check_finite(movements, "labelled faces")
    answers = np.log(np.maximum(probabilities, LEAST))
    return np.hstack([narrow, *(narrowed(each, training, seed) for each in (movements, answers))])


def _clusters(
    embeddings: np.ndarray,
    training: np.ndarray,
    faces: np.ndarray,
    clustering: Clustering | None,
    means: dict[str, Any],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each training face and how far it is from its centroid: int and float (n,)."""
    if clustering is not None:
        groups = clustering.labelled
        distances = to_own_centroid(embeddings, groups, clustering.centroids)
        return groups[training], distances[training]
    narrow = leading(faces)
    kmeans = KMeans(min(means["clusters"], len(faces)), n_init=means["starts"], random_state=seed)
    with warnings.catch_warnings():
        # Equal faces make fewer clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        groups = kmeans.fit(narrow).labels_
    return groups, to_own_centroid(narrow, groups, kmeans.cluster_centers_)


def answer(
    taught: np.ndarray, labels: np.ndarray, asked: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Teach a logistic regression by few faces and let it answer.

    Of equally good strengths the one that regularises most is taken. A fold without which one
    emotion alone is left is passed over.

    Args:
        taught: float32 (n, m).
        labels: int (n,); the answer is the only one where there is but one.
        asked: float32 (k, m).

    Returns:
        int (k,), and the strength chosen (NaN where nothing was to be chosen).
    """
    if len(np.unique(labels)) == 1:
        return np.full(len(asked), labels[0]), np.nan
    # Faces of an emotion are dealt to the folds in turn.
    fold = np.empty(len(labels), np.int64)
    fold[np.lexsort((generator.permutation(len(labels)), labels))] = np.arange(len(labels)) % FOLDS
    right = np.zeros(len(STRENGTHS), np.int64)
    with warnings.catch_warnings():
        # A strength at which the solver has not settled yet is judged by its accuracy all the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for held in (fold == number for number in range(min(FOLDS, len(labels)))):
            if len(np.unique(labels[~held])) == 1:
                continue
            # Each strength starts from where the last one ended.
            model = LogisticRegression(max_iter=200, tol=1e-3, warm_start=True)
            for place, strength in enumerate(STRENGTHS):
                model.set_params(C=strength).fit(taught[~held], labels[~held])
                right[place] += (model.predict(taught[held]) == labels[held]).sum()
        best = STRENGTHS[int(right.argmax())]
        model = LogisticRegression(C=best, max_iter=200, tol=1e-3).fit(taught, labels)
    return model.predict(asked), best
