"""K-means of wide embeddings, against scikit-learn's at full width."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from facesort.cluster.kmeans import fit_clusters, load_clustering, refine, save_clustering
from facesort.cluster.reduction import NARROW
from facesort.common.arrays import row_blocks
from facesort.common.job import InputError


def wide(faces=600, width=3000, groups=12, seed=0):
    """Overlapping groups along few directions, in noise, far from the origin."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (groups, 40))[rng.integers(groups, size=faces)]
    factors = centres + rng.normal(0, 0.7, (faces, 40))
    loadings = rng.normal(0, 1, (40, width))
    return (factors @ loadings + rng.normal(0, 1, (faces, width)) + 5).astype(np.float32)


@pytest.mark.parametrize("clusters", [2, 8, 20])
def test_wide_embeddings_are_clustered_as_well_as_at_full_width(clusters):
    pool = wide()
    assert pool.shape[1] > NARROW
    ours = fit_clusters(pool, pool, clusters=clusters, starts=5, seed=0)
    with threadpool_limits(1):
        theirs = KMeans(clusters, n_init=5, random_state=0).fit(pool)
    assert ours.inertia < 1.01 * theirs.inertia_
    # What is said of the centroids is so: nearest, and their squared distances summed.
    distances = cdist(pool, ours.centroids, "sqeuclidean")
    assert np.array_equal(distances.argmin(1), ours.pool)
    assert np.array_equal(ours.labelled, ours.pool)
    assert ours.inertia == pytest.approx(distances.min(1).sum(), rel=1e-5)


def test_more_starts_are_no_worse_and_a_mapped_file_is_the_same(tmp_path):
    pool = wide()
    np.save(tmp_path / "pool.npy", pool)
    mapped = np.load(tmp_path / "pool.npy", mmap_mode="r")
    many = fit_clusters(pool, pool[:50], clusters=8, starts=10, seed=0)
    again = fit_clusters(mapped, mapped[:50], clusters=8, starts=10, seed=0)
    assert many.digest == again.digest and np.array_equal(many.pool, again.pool)
    one = fit_clusters(pool, pool[:50], clusters=8, starts=1, seed=0)
    assert many.inertia <= 1.001 * one.inertia


def test_the_number_of_threads_changes_no_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("facesort.common.arrays.BLOCK", 400_000)
    monkeypatch.setattr("facesort.cluster.reduction.BLOCK", 400_000)
    pool = wide()
    assert len(list(row_blocks(pool))) > 9
    settings = {"clusters": 8, "starts": 2, "seed": 0}
    one, *more = (fit_clusters(pool, pool, **settings, threads=n) for n in (1, 2, 5))
    for other in more:
        assert other.digest == one.digest and other.inertia == one.inertia
        assert np.array_equal(other.pool, one.pool)
        assert np.array_equal(other.labelled, one.labelled)


def test_equal_faces_and_one_group_are_no_trouble():
    pool = np.ones((30, NARROW + 1), np.float32)
    pool[10:] = 2
    found = fit_clusters(pool, pool, clusters=2, starts=1, seed=0)
    assert found.inertia == 0 and len(set(found.pool)) == 2


def test_lloyds_steps_are_the_librarys():
    pool = wide(300, 50)
    start = np.arange(300) % 5
    centroids, groups, inertia = refine(pool, start, 5, most=1)
    means = np.stack([pool[start == k].mean(0) for k in range(5)])
    assert centroids == pytest.approx(means, rel=1e-4)
    library = KMeans(5, init=means, n_init=1, tol=0, max_iter=300).fit(pool)
    centroids, groups, inertia = refine(pool, start, 5, most=300, tolerance=0)
    assert np.array_equal(groups, library.labels_)
    assert inertia == pytest.approx(library.inertia_, rel=1e-5)


def test_a_cluster_that_loses_its_faces_keeps_its_centroid():
    pool = np.array([[0.0], [0], [10], [10], [4.9]], np.float32)
    centroids, groups, _ = refine(pool, np.array([0, 0, 1, 1, 2]), 3)
    assert np.isfinite(centroids).all() and groups.max() <= 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_face_that_is_not_finite_is_named_by_its_row(bad):
    pool = wide(50, 1000)
    pool[31, 7] = bad
    with pytest.raises(InputError, match="training pool: row 31 is not finite"):
        fit_clusters(pool, pool, clusters=2, starts=1, seed=0)
    with pytest.raises(InputError, match="labelled faces: row 31"):
        fit_clusters(wide(50, 1000), pool, clusters=2, starts=1, seed=0)


def test_clustering_is_repeatable_and_survives_the_disk(planted, tmp_path):
    embeddings, _, clustering = planted
    again = fit_clusters(embeddings[:200], embeddings, clusters=8, starts=3, seed=0)
    save_clustering(again, tmp_path / "clusters.npz")
    back = load_clustering(tmp_path / "clusters.npz")
    assert back.digest == clustering.digest
    assert np.array_equal(back.labelled, clustering.labelled)


def test_without_labelled_faces_the_pool_is_clustered_alike(planted):
    embeddings, _, clustering = planted
    alone = fit_clusters(embeddings[:200], embeddings[:0], clusters=8, starts=3, seed=0)
    assert alone.digest == clustering.digest and np.array_equal(alone.pool, clustering.pool)
    assert alone.labelled.shape == (0,) and alone.labelled.dtype == clustering.labelled.dtype


def test_too_few_faces_and_bad_embeddings_are_refused():
    few = np.zeros((5, 2), np.float32)
    with pytest.raises(InputError, match=r"clustering\.clusters"):
        fit_clusters(few, few, clusters=8, starts=1, seed=0)
    bad = np.full((9, 2), np.nan, np.float32)
    with pytest.raises(InputError, match="finite"):
        fit_clusters(bad, bad, clusters=8, starts=1, seed=0)
