"""Principal directions of wide arrays, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from facesort.cluster.reduction import principal_directions, project
from facesort.common.arrays import row_blocks


def test_directions_are_the_principal_ones():
    rng = np.random.default_rng(0)
    loadings = rng.normal(0, 1, (30, 900)) / np.arange(1, 31)[:, None]
    pool = (rng.normal(0, 1, (200, 30)) @ loadings + 5).astype(np.float32)
    rows = np.arange(0, 200, 2)
    ours = principal_directions(pool, rows, 10)
    library = PCA(10, svd_solver="full").fit(pool[rows].astype(float)).components_
    assert np.abs((ours.T * library).sum(1)) == pytest.approx(np.ones(10), abs=1e-3)
    assert ours.T @ ours == pytest.approx(np.eye(10), abs=1e-4)
    assert project(pool, ours) == pytest.approx(pool @ ours, abs=0.05)


def test_rows_that_span_little_have_few_directions():
    pool = np.outer(np.arange(6.0), np.ones(700)).astype(np.float32)
    assert principal_directions(pool, np.arange(6), 10).shape == (700, 1)
    assert principal_directions(np.ones((5, 700), "f4"), np.arange(5), 10).shape[1] <= 1


def test_equal_rows_have_one_direction():
    for value in (0, 3):
        found = principal_directions(np.full((30, 600), value, "f4"), np.arange(30), 8)
        assert found.shape == (600, 1) and np.linalg.norm(found) == 1


def test_blocks_cover_every_row_once():
    array = np.zeros((7, 10_000_000), np.float32)
    assert [(b.start, b.stop) for b in row_blocks(array)] == [(n, n + 1) for n in range(7)]
