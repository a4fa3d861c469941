"""K-means on embeddings (4.1), and the nearest cluster of other faces."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from facesort.cluster.reduction import NARROW, in_threads, principal_directions, project
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
    pool: np.ndarray,
    labelled: np.ndarray,
    *,
    clusters: int,
    starts: int,
    seed: int,
    threads: int = 1,
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
        threads: of wide embeddings; the result is the same with any number.

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
            check_finite(embeddings, name, threads)
        kmeans = KMeans(clusters, n_init=starts, random_state=seed)
        if pool.shape[1] <= NARROW:
            kmeans.fit(pool)
            centroids = kmeans.cluster_centers_.astype(np.float32)
            groups, inertia = kmeans.labels_, kmeans.inertia_
        else:
            narrow = project(pool, _directions(pool, clusters, seed, threads), threads)
            start = kmeans.fit_predict(narrow)
            centroids, groups, inertia = refine(pool, start, clusters, threads=threads)
        nearest = nearest_clusters(labelled, centroids, threads)
    return Clustering(centroids, groups.astype(np.int32), nearest, float(inertia))


def _directions(pool: np.ndarray, clusters: int, seed: int, threads: int) -> np.ndarray:
    """Some 64 principal directions, or more for many clusters, of a seeded sample: float32 (D, m).

    Those that come after them lead to no better clusters on made-up and real embeddings.
    """
    components = min(max(64, 4 * clusters), 1024)
    size = min(max(512, 4 * components), len(pool))
    rows = np.random.default_rng(seed).choice(len(pool), size, replace=False)
    return principal_directions(pool, np.sort(rows), components, threads)


def refine(
    pool: np.ndarray,
    groups: np.ndarray,
    clusters: int,
    *,
    most: int = 20,
    tolerance: float = 1e-4,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Lloyd's steps from a given grouping, in blocks of rows.

    One pass sums all faces, and one more for each step finds those that move and moves their part
    of the sums.

    Args:
        pool: float32 (N, D); may be memory-mapped.
        groups: int (N,), of which each of 0 to ``clusters`` - 1 has a face.
        most, tolerance: steps end when one lowers the inertia by no more than this share, as when
            no face moves, or after ``most``.

    Returns:
        float32 (K, D) centroids, int (N,) the nearest centroid of each face, and the inertia, the
        sum of squared distances to those centroids.
    """
    # Sums are of differences from one face: far from the origin, float32 would lose digits.
    origin = np.array(pool[0])
    means, sums = np.zeros((2, clusters, pool.shape[1]))
    squares = 0.0
    summing = partial(_sums, pool, origin, groups, np.eye(clusters, dtype=np.float32))
    for part, square in in_threads(summing, row_blocks(pool), threads):
        sums += part
        squares += square
    for _ in range(most):
        counts = np.bincount(groups, minlength=clusters)
        # A cluster that lost its last face keeps its centroid.
        np.divide(sums, counts[:, None], out=means, where=counts[:, None] > 0)
        inertia = max(0.0, squares - float(counts @ np.einsum("kd,kd->k", means, means)))
        centroids = (origin + means).astype(np.float32)
        moving = partial(_moves, pool, origin, groups, centroids)
        found, gained = [], 0.0
        for group, gain, part in in_threads(moving, row_blocks(pool), threads):
            found.append(group)
            gained += gain
            sums += part
        groups = np.concatenate(found)
        inertia = max(0.0, inertia - gained)
        if gained <= tolerance * inertia:
            break
    return centroids, groups, inertia


def _sums(
    pool: np.ndarray, origin: np.ndarray, groups: np.ndarray, one: np.ndarray, block: slice
) -> tuple[np.ndarray, float]:
    """Sum of each group's rows, float32 (K, D), and their sum of squares, from an origin."""
    rest = pool[block] - origin
    squares = np.einsum("nd,nd->n", rest, rest)
    return one[:, groups[block]] @ rest, float(squares.sum(dtype=np.float64))


def _moves(
    pool: np.ndarray, origin: np.ndarray, groups: np.ndarray, centroids: np.ndarray, block: slice
) -> tuple[np.ndarray, float, np.ndarray]:
    """The nearest centroid of each row, by how much that lowers the inertia, and each sum's change.

    Returns:
        int (n,), a number, float32 (K, D).
    """
    faces, before = pool[block], groups[block]
    apart = _apart(faces, centroids)
    nearest = apart.argmin(1)
    moved = np.flatnonzero(nearest != before)
    gain = apart[moved, before[moved]] - apart[moved, nearest[moved]]
    one = np.eye(len(centroids), dtype=np.float32)
    change = one[:, nearest[moved]] - one[:, before[moved]]
    return nearest, float(gain.sum()), change @ (faces[moved] - origin)


def nearest_clusters(embeddings: np.ndarray, centroids: np.ndarray, threads: int = 1) -> np.ndarray:
    """The nearest centroid of each face: int32 (n,).

    Args:
        embeddings: float32 (n, D); may be memory-mapped.
        centroids: float32 (K, D).
    """
    nearest = np.empty(len(embeddings), np.int32)

    def fill(block: slice) -> None:
        nearest[block] = _apart(embeddings[block], centroids).argmin(1)

    list(in_threads(fill, row_blocks(embeddings), threads))
    return nearest


def _apart(faces: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Squared distances, less a number of each row's own: float64 (n, K)."""
    # From the centroids' middle: far from the origin, products in float32 would lose digits.
    middle = centroids.mean(0)
    apart = centroids - middle
    lengths = np.einsum("kd,kd->k", apart, apart + 2 * middle, dtype=np.float64)
    return np.asarray(lengths - 2.0 * (faces @ apart.T))


def check_finite(embeddings: np.ndarray, name: str, threads: int = 1) -> None:
    """Refuse embeddings, float32 (N, D), that are not finite, with the row: an InputError."""
    ones = np.ones((embeddings.shape[1], 1), np.float32)
    # A row's sum is finite if its numbers are, unless it overflows.
    for row in np.flatnonzero(~np.isfinite(project(embeddings, ones, threads))):
        if not np.isfinite(embeddings[row]).all():
            raise InputError(
                f"embeddings of the {name}: row {row} is not finite; lower "
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
