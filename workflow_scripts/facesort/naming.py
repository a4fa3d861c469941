"""Names for clusters: a person's, or automatic ones from a few labelled faces."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from facesort.clustering import Clustering
from facesort.emotions import EMOTIONS
from facesort.job import InputError

MIXED = "mixed"


def count_votes(groups: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Labelled faces by cluster and emotion: int64 (K, 8).

    Args:
        groups: int (n,), cluster of each face.
        labels: int (n,), emotion of each face, as an index of ``EMOTIONS``.
    """
    votes = np.zeros((clusters, len(EMOTIONS)), np.int64)
    np.add.at(votes, (groups, labels), 1)
    return votes


def name_automatically(votes: np.ndarray, distances: np.ndarray, method: str) -> list[str]:
    """Name each cluster from the naming faces, of which every emotion has equally many.

    Args:
        votes: int (K, 8), naming faces by cluster and emotion.
        distances: float (K, 8), from each centroid to the mean of each emotion's naming faces. It
            decides ties and clusters without a vote.
        method: "plurality" takes each cluster's most frequent emotion, the maximum-likelihood
            choice from its own votes, so that several clusters may share a name; "one_to_one"
            maximises the votes agreed with over assignments that use no name twice (the
            Hungarian method), and names clusters beyond the eighth by plurality.

    Returns:
        K emotions.
    """
    # Below 1 for any pair, so that distance only breaks ties between votes.
    score = votes - distances / (distances.max() + 1e-12) / 2
    names = score.argmax(1)
    if method == "one_to_one":
        rows, columns = linear_sum_assignment(score, maximize=True)
        names[rows] = columns
    return [EMOTIONS[name] for name in names]


def automatic_names(
    clustering: Clustering,
    embeddings: np.ndarray,
    labels: np.ndarray,
    naming: np.ndarray,
    method: str,
) -> pd.DataFrame:
    """Name a clustering from the naming faces alone.

    Args:
        embeddings: float32 (M, D) of all labelled faces.
        labels: int (M,), indices of ``EMOTIONS``.
        naming: bool (M,), the faces that may be looked at.

    Returns:
        Columns cluster, emotion, origin ("automatic"), votes (of the chosen emotion), clustering.
    """
    clusters = len(clustering.centroids)
    votes = count_votes(clustering.labelled[naming], labels[naming], clusters)
    seen = np.asarray(embeddings[np.flatnonzero(naming)], np.float64)
    means = np.stack([seen[labels[naming] == e].mean(0) for e in range(len(EMOTIONS))])
    distances = np.linalg.norm(clustering.centroids[:, None] - means[None], axis=2)
    names = name_automatically(votes, distances, method)
    return pd.DataFrame(
        {
            "cluster": range(clusters),
            "emotion": names,
            "origin": "automatic",
            "votes": [int(votes[c, EMOTIONS.index(name)]) for c, name in enumerate(names)],
            "clustering": clustering.digest,
        }
    )


def read_person_names(path: str | Path, clustering: Clustering) -> pd.DataFrame:
    """Read the names that a person gave: columns cluster, emotion and, if kept, clustering.

    Raises:
        InputError: naming the row, if a cluster is missing, unknown or named twice, an emotion is
            unknown, or the names belong to another clustering.
    """
    clusters = len(clustering.centroids)
    names: dict[int, str] = {}
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"cluster", "emotion"} <= set(reader.fieldnames or ()):
            raise InputError(f"{path}: no columns cluster and emotion in its first row")
        for row in reader:
            where = f"{path}, row {reader.line_num}"
            cluster, emotion = (
                (row["cluster"] or "").strip(),
                (row["emotion"] or "").strip().lower(),
            )
            if not cluster.isdecimal() or int(cluster) >= clusters:
                raise InputError(f"{where}: {cluster!r} is no cluster of 0 to {clusters - 1}")
            if int(cluster) in names:
                raise InputError(f"{where}: cluster {cluster} is named twice; keep one row")
            if emotion not in (*EMOTIONS, MIXED):
                raise InputError(
                    f"{where}: {emotion!r} is not one of {', '.join(EMOTIONS)} or {MIXED}"
                )
            if (digest := (row.get("clustering") or "").strip()) not in ("", clustering.digest):
                raise InputError(
                    f"{where}: named for clustering {digest}, but this is "
                    f"{clustering.digest}; look at figures/clusters.png and name again, or "
                    "remove the file for automatic names"
                )
            names[int(cluster)] = emotion
    if missing := sorted(set(range(clusters)) - set(names)):
        raise InputError(f"{path}: no name for cluster {', '.join(map(str, missing))}")
    return pd.DataFrame(
        {
            "cluster": range(clusters),
            "emotion": [names[cluster] for cluster in range(clusters)],
            "origin": "person",
            "votes": 0,
            "clustering": clustering.digest,
        }
    )
