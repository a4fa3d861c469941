"""The emotion that a cell of the run tells of faces of another set: nothing is learnt or named."""

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from facesort.cluster.kmeans import Clustering, check_finite, nearest_clusters
from facesort.common.emotions import EMOTIONS
from facesort.score.probes import neighbours_votes


def column(cell: dict[str, Any]) -> str:
    """What a cell is called among the columns of answers."""
    return "{variant}/{model}/seed{seed}".format(**cell)


def answers_by_cluster(
    embeddings: np.ndarray, clustering: Clustering, names: pd.DataFrame
) -> np.ndarray:
    """The name of each face's nearest cluster: str (n,).

    Args:
        embeddings: float32 (n, D); may be memory-mapped.
        names: columns cluster and emotion, as ``automatic_names`` gives them.

    Raises:
        InputError: if an embedding is not finite.
    """
    check_finite(embeddings, "faces of another set")
    with threadpool_limits(1):
        nearest = nearest_clusters(embeddings, clustering.centroids)
    return names.set_index("cluster")["emotion"].loc[nearest].to_numpy(str)


def answers_by_neighbours(
    embeddings: np.ndarray, labelled: np.ndarray, labels: np.ndarray, teaching: np.ndarray
) -> np.ndarray:
    """The emotion for which most of the nearest teaching faces vote: str (n,); see below."""
    return most_probable(votes_of_neighbours(embeddings, labelled, labels, teaching))


def votes_of_neighbours(
    embeddings: np.ndarray, labelled: np.ndarray, labels: np.ndarray, teaching: np.ndarray
) -> np.ndarray:
    """The nearest teaching faces' shares of votes for each emotion: float (n, 8).

    As many vote as for the labelled faces, since the teaching faces alone decide that.

    Args:
        embeddings, labelled: float32 (n, D) and (M, D).
        labels: int (M,), indices of ``EMOTIONS``; only those of ``teaching`` rows are looked at.
        teaching: int, rows of ``labelled``.
    """
    both = np.concatenate([labelled, embeddings]).astype(np.float32)
    labels = np.pad(labels, (0, len(embeddings)))
    votes, _ = neighbours_votes(both, labels, teaching, len(EMOTIONS))
    found: np.ndarray = votes[len(labelled) :]
    return found


def most_probable(probabilities: np.ndarray) -> np.ndarray:
    """The most probable emotion of each face, float (n, 8): str (n,)."""
    return np.array(EMOTIONS)[probabilities.argmax(1)]
