"""Maps: principal components from blocks, places that keep neighbours and repeat."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from facesort.pages.maps import NEAREST, choose, map_faces, place, principal_components
from facesort.pages.page import spread


@pytest.fixture
def grouped():
    """Three clear groups of 60 faces in 200 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    wide = (rng.normal(size=(3, 200))[labels] * 5 + rng.normal(size=(60, 200))).astype("f4")
    return wide, labels


def test_components_from_blocks_equal_scikit_learns():
    rng = np.random.default_rng(0)
    # Variances that fall, far from the origin.
    data = (rng.normal(size=(500, 300)) * 0.9 ** np.arange(300) + 50).astype("f4")
    found = principal_components(lambda: np.array_split(data, 7), 20, 0)
    expected = PCA(20, svd_solver="full").fit_transform(data.astype("f8"))
    signs = np.sign((found * expected).sum(0))
    assert np.abs(found * signs - expected).max() < 0.02 * np.abs(expected).max()
    assert found.dtype == np.float32
    assert np.array_equal(found, principal_components(lambda: np.array_split(data, 7), 20, 0))


def test_fewer_dimensions_than_components_keep_all_distances():
    data = np.random.default_rng(0).normal(size=(40, 3)).astype("f4")
    found = principal_components(lambda: [data], 50, 0)
    assert found.shape == (40, 3)
    assert np.allclose(
        np.linalg.norm(found[:, None] - found, axis=2),
        np.linalg.norm(data[:, None] - data, axis=2),
        atol=1e-4,
    )


def test_both_maps_keep_clear_groups_apart_and_repeat(tmp_path, grouped):
    wide, labels = grouped
    np.save(tmp_path / "pool.npy", wide[:40])
    np.save(tmp_path / "test.npy", wide[40:])
    sets = {
        "pool": (tmp_path / "pool.npy", np.arange(40)),
        "test": (tmp_path / "test.npy", np.arange(1, 20)),
    }
    table = map_faces(sets, 0)
    assert list(table["set"]) == ["pool"] * 40 + ["test"] * 19
    assert list(table["face"]) == [*range(40), *range(1, 20)]
    truth = np.concatenate([labels[:40], labels[41:]])
    for name in ("tsne", "umap"):
        places = table[[f"{name}_x", f"{name}_y"]].to_numpy()
        distances = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(59)
        assert (truth[distances.argmin(1)] == truth).all()
    nearest = table.filter(like="near_").to_numpy()
    assert nearest.shape == (59, NEAREST) and (truth[nearest] == truth[:, None]).all()
    assert table.equals(map_faces(sets, 0))


@pytest.mark.parametrize("count", [1, 3, 50])
def test_maps_survive_a_model_that_says_the_same_of_all(count):
    *both, nearest = place(np.full((count, 20), 0.3, np.float32), 0)
    for places in both:
        assert places.shape == (count, 2) and np.isfinite(places).all()
    assert nearest.shape == (count, 0)


@pytest.mark.parametrize("count", [4, 5, 20])
def test_maps_of_a_few_faces(count):
    data = np.random.default_rng(0).normal(size=(count, 2)).astype("f4")
    *both, nearest = place(data, 0)
    for places in both:
        assert places.shape == (count, 2) and np.isfinite(places).all()
    assert nearest.shape == (count, min(count - 1, NEAREST))
    apart = np.linalg.norm(data[:, None] - data, axis=2) + 1e9 * np.eye(count)
    assert np.array_equal(nearest, apart.argsort(1)[:, :NEAREST][:, : count - 1])


def test_a_choice_is_drawn_once_in_order():
    rows = np.arange(0, 3000, 3)
    chosen = choose(rows, 100, 1)
    assert len(set(chosen)) == 100 and (np.diff(chosen) > 0).all() and set(chosen) <= set(rows)
    assert np.array_equal(chosen, choose(rows, 100, 1))
    assert np.array_equal(choose(rows, 1000, 1), rows)


def test_spread_fills_its_range():
    assert list(spread(np.array([-2.0, 0, 2]))) == [0, 32768, 65535]
    assert list(spread(np.array([3.0, 3]))) == [0, 0]
