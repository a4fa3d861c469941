"""K-means on embeddings (4.1): clusters of the training faces, and every face's nearest one."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from facesort.job import InputError

_CHUNK_BYTES = 64_000_000


@dataclass(frozen=True)
class Clustering:
    """Centroids, and the number of the nearest one for every face.

    Clusters are numbered by size in the pool, the largest first.
    """

    centroids: np.ndarray
    """float32 (clusters, width)."""
    pool: np.ndarray
    """int32 (faces of the pool,)."""
    labelled: np.ndarray
    """int32 (labelled faces,)."""
    inertia: float
    """Sum of squared distances of the pool's faces to their centroids."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of the centroids, by which names belong to this clustering."""
        return hashlib.sha256(np.ascontiguousarray(self.centroids).tobytes()).hexdigest()[:16]


def cluster(
    pool: np.ndarray, labelled: np.ndarray, *, clusters: int, starts: int, seed: int
) -> Clustering:
    """Cluster the pool with K-means++ and Lloyd's iterations; put labelled faces to centroids.

    Runs on one thread: scikit-learn adds up the threads' shares in the order in which they finish,
    so that two runs on several threads differ in the last bits.

    Args:
        pool: finite float32 (N, D), at least ``clusters`` rows.
        labelled: finite float32 (M, D).
        clusters: number of clusters.
        starts: seeded starts, of which the one with the least inertia is kept.
        seed: of the starts.
    """
    with threadpool_limits(1):
        kmeans = KMeans(clusters, n_init=starts, random_state=seed, algorithm="lloyd").fit(pool)
    centroids = kmeans.cluster_centers_.astype(np.float32)
    sizes = np.bincount(nearest_centroids(pool, centroids), minlength=clusters)
    centroids = np.ascontiguousarray(centroids[np.argsort(-sizes, kind="stable")])
    return Clustering(
        centroids,
        nearest_centroids(pool, centroids),
        nearest_centroids(labelled, centroids),
        float(kmeans.inertia_),
    )


def nearest_centroids(embeddings: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Number of the nearest centroid (Euclidean; the first of equals) for each embedding.

    Args:
        embeddings: float32 (N, D), may be mapped from disk; read in pieces.
        centroids: float32 (K, D).

    Returns:
        int32 (N,).
    """
    nearest = np.empty(len(embeddings), np.int32)
    with threadpool_limits(1):
        for rows in _pieces(embeddings):
            nearest[rows] = pairwise_distances_argmin(embeddings[rows], centroids)
    return nearest


def check_embeddings(embeddings: np.ndarray, path: str | Path, at_least: int = 1) -> None:
    """Refuse embeddings that cannot be clustered.

    Args:
        embeddings: float32 (N, D), may be mapped from disk; read in pieces.
        path: their file, for the message.
        at_least: how many rows there must be.

    Raises:
        InputError: if they are no matrix, too few, or one is not finite.
    """
    if embeddings.ndim != 2:
        raise InputError(f"{path}: shape {embeddings.shape}, not (faces, width); delete and rerun")
    if len(embeddings) < at_least:
        raise InputError(
            f"{path}: {len(embeddings)} faces are too few for {at_least} clusters; "
            "use more faces (config: faces.sample) or fewer clusters (config: clustering.clusters)"
        )
    for rows in _pieces(embeddings):
        bad = ~np.isfinite(embeddings[rows]).all(axis=1)
        if bad.any():
            raise InputError(
                f"{path}: the embedding of row {rows.start + int(bad.argmax())} is not finite, so "
                "the model's training diverged; lower its learning_rate (config: models)"
            )


def _pieces(embeddings: np.ndarray) -> list[slice]:
    """Slices of rows of a bounded size in memory."""
    step = max(1, _CHUNK_BYTES // max(1, embeddings.shape[1] * embeddings.itemsize))
    return [slice(start, start + step) for start in range(0, len(embeddings), step)]


def save_clustering(clustering: Clustering, path: str | Path) -> None:
    """Write an ``.npz`` of plain arrays; it takes its name only once it is whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(
            file,
            centroids=clustering.centroids,
            pool=clustering.pool,
            labelled=clustering.labelled,
            inertia=np.float64(clustering.inertia),
            digest=np.array(clustering.digest),
        )
    part.replace(path)


def load_clustering(path: str | Path) -> Clustering:
    """Read what ``save_clustering`` wrote. Pickled objects are refused.

    Raises:
        InputError: if the file is missing, damaged, or not a clustering.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            clustering = Clustering(
                file["centroids"], file["pool"], file["labelled"], float(file["inertia"])
            )
            stored = str(file["digest"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a clustering ({reason}); delete it and rerun") from None
    if stored != clustering.digest:
        raise InputError(f"{path}: its centroids are not those it was saved with; delete and rerun")
    return clustering
