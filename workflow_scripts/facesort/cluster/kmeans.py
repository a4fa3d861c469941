"""K-means on embeddings (4.1), and the nearest cluster of other faces."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from facesort.cluster.reduction import NARROW, principal_directions, project
from facesort.common.arrays import row_blocks
from facesort.common.job import InputError, unreadable


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

    Embeddings wider than ``NARROW`` are clustered along their principal directions, which keep
    K-means' inertia nearly (Cohen et al. 2015, https://arxiv.org/abs/1410.6801); Lloyd's steps at
    full width, a block of rows at a time, finish the best start. So memory grows with clusters
    times width, not with faces times width.

    Args:
        pool: float32 (N, D), embeddings of the training pool; may be memory-mapped.
        labelled: float32 (M, D), embeddings of the labelled faces; M may be 0.
        starts: runs from different k-means++ centroids; the one of least inertia is kept.

    Raises:
        InputError: if there are fewer faces than clusters or an embedding is not finite.
    """
    if len(pool) < clusters:
        raise InputError(
            f"{len(pool)} faces cannot make {clusters} clusters; have more faces (faces.sample) or "
            "lower clustering.clusters in the config"
        )
    # One thread: sums in another order would differ in the last bit from run to run.
    with threadpool_limits(1):
        for name, embeddings in (("training pool", pool), ("labelled faces", labelled)):
            check_finite(embeddings, name)
        kmeans = KMeans(clusters, n_init=starts, random_state=seed)
        if pool.shape[1] <= NARROW:
            kmeans.fit(pool)
            centroids = kmeans.cluster_centers_.astype(np.float32)
            groups, inertia = kmeans.labels_, kmeans.inertia_
        else:
            narrow = project(pool, _directions(pool, clusters, seed))
            centroids, groups, inertia = refine(pool, kmeans.fit_predict(narrow), clusters)
        nearest = nearest_clusters(labelled, centroids)
    return Clustering(centroids, groups.astype(np.int32), nearest, float(inertia))


def _directions(pool: np.ndarray, clusters: int, seed: int) -> np.ndarray:
    """Some hundred principal directions of a seeded sample of the pool: float32 (D, m)."""
    components = min(max(256, 2 * clusters), 1024)
    size = min(4 * components, len(pool))
    rows = np.random.default_rng(seed).choice(len(pool), size, replace=False)
    return principal_directions(pool, np.sort(rows), components)


def refine(
    pool: np.ndarray, groups: np.ndarray, clusters: int, *, most: int = 20, tolerance: float = 1e-4
) -> tuple[np.ndarray, np.ndarray, float]:
    """Lloyd's steps from a given grouping, in blocks of rows.

    Args:
        pool: float32 (N, D); may be memory-mapped.
        groups: int (N,), of which each of 0 to ``clusters`` - 1 has a face.
        most, tolerance: steps end when no face moves, when one lowers the inertia by a smaller
            share than ``tolerance``, or after ``most``.

    Returns:
        float32 (K, D) centroids, int (N,) the nearest centroid of each face, and the inertia, the
        sum of squared distances to those centroids.
    """
    centroids = np.empty((clusters, pool.shape[1]), np.float32)
    inertia = np.inf
    for _ in range(most):
        # A cluster that lost its last face keeps its centroid.
        counts = np.bincount(groups, minlength=clusters)
        centroids[counts > 0] = (_sums(pool, groups, clusters) / counts[:, None])[counts > 0]
        before, moved, inertia = inertia, groups, 0.0
        groups = np.empty(len(pool), np.intp)
        for block in row_blocks(pool):
            groups[block] = _nearest(pool[block], centroids)
            rest = pool[block] - centroids[groups[block]]
            inertia += float(np.vdot(rest, rest))
        if np.array_equal(groups, moved) or before - inertia < tolerance * inertia:
            break
    return centroids, groups, inertia


def _sums(pool: np.ndarray, groups: np.ndarray, clusters: int) -> np.ndarray:
    """Sum of each group's rows: float64 (K, D)."""
    sums = np.zeros((clusters, pool.shape[1]))
    for block in row_blocks(pool):
        members = (groups[block] == np.arange(clusters)[:, None]).astype(np.float32)
        sums += members @ pool[block]
    return sums


def nearest_clusters(embeddings: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The nearest centroid of each face: int32 (n,).

    Args:
        embeddings: float32 (n, D); may be memory-mapped.
        centroids: float32 (K, D).
    """
    nearest = np.empty(len(embeddings), np.int32)
    for block in row_blocks(embeddings):
        nearest[block] = _nearest(embeddings[block], centroids)
    return nearest


def _nearest(faces: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The nearest centroid of each row: int (n,)."""
    # From the centroids' middle: far from the origin, products in float32 would lose digits.
    middle = centroids.mean(0)
    apart = centroids - middle
    lengths = np.einsum("kd,kd->k", apart, apart + 2 * middle, dtype=np.float64)
    return np.asarray((lengths - 2.0 * (faces @ apart.T)).argmin(1))


def check_finite(embeddings: np.ndarray, name: str) -> None:
    """Refuse embeddings, float32 (N, D), that are not finite, with the row: an InputError."""
    ones = np.ones(embeddings.shape[1], np.float32)
    for block in row_blocks(embeddings):
        # A row's sum is finite if its numbers are, unless it overflows.
        for row in np.flatnonzero(~np.isfinite(embeddings[block] @ ones)):
            if not np.isfinite(embeddings[block.start + row]).all():
                raise InputError(
                    f"embeddings of the {name}: row {block.start + row} is not finite; lower "
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
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise unreadable(path, "a clustering", error) from None
