"""What the cells of a row answer for faces, and what can be told of each face from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS


@dataclass(frozen=True)
class Answers:
    """Of n faces, with each seed.

    Attributes:
        told: str (seeds, n), the emotion; another word of a cluster without one.
        sure: float (seeds, n), the probability of that emotion; None of clusters.
    """

    told: np.ndarray
    sure: np.ndarray | None


def by_probabilities(probabilities: np.ndarray) -> Answers:
    """Answers of one classifier: float (n, 8), in the order of ``EMOTIONS``."""
    told = np.array(EMOTIONS)[probabilities.argmax(1)]
    return Answers(told[np.newaxis], probabilities.max(1).astype(np.float64)[np.newaxis])


def by_clusters(clusters: np.ndarray, names: pd.DataFrame) -> Answers:
    """Answers of one clustering.

    Args:
        clusters: int (n,).
        names: columns cluster and emotion.
    """
    return Answers(
        names.set_index("cluster")["emotion"].loc[clusters].to_numpy(str)[np.newaxis], None
    )


def of_clustering(
    clustering: Clustering, names: pd.DataFrame, test: np.ndarray
) -> dict[str, Answers]:
    """Answers for the pool, and for those labelled faces that are scored."""
    return {
        "pool": by_clusters(clustering.pool, names),
        "test": by_clusters(clustering.labelled[test], names),
    }


def joined(seeds: list[Answers]) -> Answers:
    """The answers of one row: those of all its seeds."""
    sure = [one.sure for one in seeds if one.sure is not None]
    return Answers(
        np.concatenate([one.told for one in seeds]), np.concatenate(sure) if sure else None
    )


def measures(
    answers: Answers, found: np.ndarray | None, labels: np.ndarray | None
) -> dict[str, np.ndarray]:
    """What is compared between groups, of each face: float (seeds, n) in [-1, 1].

    Args:
        found: bool (n,), whether the face's landmarks were found; None if the row sees none.
        labels: str (n,); None where there are none.

    Returns:
        ``answered`` (the cluster has an emotion's name, and what the row sees was found); with
        labels ``accuracy``, and ``overconfidence`` (how much surer than right) of rows that have
        probabilities; else their ``confidence``; then of each emotion the share of faces told so.
    """
    answered = np.isin(answers.told, EMOTIONS)
    given = {"answered": answered if found is None else answered & found}
    if labels is not None:
        given["accuracy"] = answers.told == labels
    values = {name: value.astype(np.float64) for name, value in given.items()}
    if answers.sure is not None:
        right = values.get("accuracy", 0.0)
        values["confidence" if labels is None else "overconfidence"] = answers.sure - right
    return values | {e: (answers.told == e).astype(np.float64) for e in EMOTIONS}
