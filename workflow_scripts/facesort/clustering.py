"""K-means on embeddings (4.1), and the nearest cluster of other faces."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from facesort.job import InputError


@dataclass(frozen=True)
class Clustering:
    """A fitted clustering.

    Attributes:
        centroids: float32 (K, D).
        pool: int32 (N,), the cluster of each face of the training pool.
        labelled: int32 (M,), the nearest cluster of each labelled face.
        inertia: sum of squared distances of the pool to its centroids.
    """

    centroids: np.ndarray
    pool: np.ndarray
    labelled: np.ndarray
    inertia: float

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that tell this clustering from any other."""
        return hashlib.sha256(np.ascontiguousarray(self.centroids).tobytes()).hexdigest()[:16]


def fit_clusters(
    pool: np.ndarray, labelled: np.ndarray, *, clusters: int, starts: int, seed: int
) -> Clustering:
    """Fit K-means to the pool and put the labelled faces to their nearest cluster.

    Args:
        pool: float32 (N, D), embeddings of the training pool.
        labelled: float32 (M, D), embeddings of the labelled faces.
        starts: runs from different k-means++ centroids; the one of least inertia is kept.

    Raises:
        InputError: if there are fewer faces than clusters or an embedding is not finite.
    """
    if len(pool) < clusters:
        raise InputError(
            f"{len(pool)} faces cannot make {clusters} clusters; raise faces.sample or lower "
            "clustering.clusters in the config"
        )
    for name, embeddings in (("training pool", pool), ("labelled faces", labelled)):
        _check_finite(embeddings, name)
    # One thread: sums in another order would differ in the last bit from run to run.
    with threadpool_limits(1):
        kmeans = KMeans(clusters, n_init=starts, random_state=seed).fit(pool)
        nearest = kmeans.predict(labelled)
    return Clustering(
        kmeans.cluster_centers_.astype(np.float32),
        kmeans.labels_.astype(np.int32),
        nearest.astype(np.int32),
        float(kmeans.inertia_),
    )


def _check_finite(embeddings: np.ndarray, name: str) -> None:
    # In pieces of some 64 MB: at the paper's size the whole answer would be 2 GB.
    step = max(1, 16_000_000 // max(1, embeddings.shape[1]))
    for start in range(0, len(embeddings), step):
        bad = ~np.isfinite(embeddings[start : start + step]).all(axis=1)
        if bad.any():
            raise InputError(
                f"embeddings of the {name}: row {start + int(bad.argmax())} is not finite; lower "
                "the model's learning_rate in the config"
            )


def save_clustering(clustering: Clustering, path: str | Path) -> None:
    """Write plain arrays as ``.npz``."""
    np.savez(
        path,
        centroids=clustering.centroids,
        pool=clustering.pool,
        labelled=clustering.labelled,
        inertia=np.array(clustering.inertia),
    )


def load_clustering(path: str | Path) -> Clustering:
    """Read a clustering; pickled objects are refused.

    Raises:
        InputError: if the file is no clustering.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Clustering(
                file["centroids"], file["pool"], file["labelled"], float(file["inertia"])
            )
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{path}: no clustering ({error}); delete it and rerun") from None
