"""Names from anatomy: planted movements are named, others are mixed, and no label is there."""

import numpy as np
import pandas as pd
import pytest

from facesort.cluster.anatomy import (
    Anatomy,
    against_others,
    cluster_movements,
    name_by_fits,
    read_anatomy,
)
from facesort.faces import facs

COLUMNS = facs.columns(facs.table())
GROUPS = np.arange(800) % 8
SEEN = np.ones(800, bool)
PLANTED = {
    "happy": ("mouthSmile", "lipCornerUp", "lipCornerToCheek", "lowerLidRaise"),
    "surprise": ("browInnerUp", "browOuterUp", "browOuterRaise", "jawOpen", "jawDrop"),
    "anger": ("browDown", "browLower", "eyeSquint", "lipsThin"),
    "sad": ("mouthFrown", "lipCornerDown", "browOblique"),
    "disgust": ("noseShorten", "mouthUpperUp"),
}


def pool(strength, clusters=PLANTED, seed=0):
    """Faces of noise; those of the first clusters show movements besides: float32 (800, M)."""
    movements = np.random.default_rng(seed).normal(size=(800, len(COLUMNS))).astype("f4")
    for cluster, shown in enumerate(clusters.values()):
        for name in shown:
            columns = [column for column in COLUMNS if column.startswith(name)]
            assert columns
            at = [COLUMNS.index(column) for column in columns]
            movements[np.ix_(cluster == GROUPS, at)] += strength
    return movements


def names(movements, seen=SEEN, groups=GROUPS):
    return name_by_fits(Anatomy(movements, seen).fits, groups, seen, 8)


def test_clusters_are_named_by_what_their_faces_do():
    found = names(pool(1.5))
    assert found[:5] == list(PLANTED)
    # The others do less of everything.
    assert set(found[5:]) == {"neutral"}


def test_clusters_that_move_like_no_emotion_are_mixed():
    """One in twenty has a name by chance."""
    still = [names(pool(0, seed=seed)) for seed in range(10)]
    assert (np.array(still) == "mixed").mean() > 0.9
    # What is not of the face's expression, or is not found, names nothing.
    turned = {"a": ("headYaw", "gazeAcross"), "b": ("noseSneer",), "c": ("mouthFunnel",)}
    assert [names(pool(3, turned, seed)) for seed in range(10)] == still


def test_a_group_drawn_at_random_seldom_has_a_name():
    fits = Anatomy(pool(1.5), SEEN).fits
    rng = np.random.default_rng(1)
    drawn = [name_by_fits(fits, rng.permutation(GROUPS), SEEN, 8) for _ in range(100)]
    assert (np.array(drawn) != "mixed").mean() < 0.08


def test_a_slight_lean_names_no_cluster_however_many_faces_it_has():
    fits = np.zeros((40_000, 8))
    groups = np.arange(40_000) % 2
    fits[groups == 1, 4] = 0.15
    seen = np.ones(40_000, bool)
    assert name_by_fits(fits, groups, seen, 2) == ["mixed"] * 2
    fits[groups == 1, 4] = 0.25
    assert name_by_fits(fits, groups, seen, 2)[1] == "happy"


def test_faces_without_landmarks_do_not_count():
    seen = np.random.default_rng(2).random(800) < 0.7
    wild = pool(1.5)
    wild[~seen] = 4
    assert names(wild, seen)[:5] == list(PLANTED)
    nobody = np.zeros(800, bool)
    assert names(wild, nobody) == ["mixed"] * 8
    assert (cluster_movements(Anatomy(wild, nobody), GROUPS, 8) == 0).to_numpy().all()
    # A cluster of which none is seen, one of all faces, and an empty one.
    assert names(pool(1.5), GROUPS != 0)[0] == "mixed"
    assert names(pool(1.5), groups=np.zeros(800, int)) == ["mixed"] * 8


def test_a_pool_in_which_nothing_moves_has_fits_of_nothing():
    fits = Anatomy(np.zeros((5, len(COLUMNS)), "f4"), np.ones(5, bool)).fits
    assert fits.shape == (5, 8) and (fits == 0).all()


def test_a_mean_is_set_against_that_of_the_others():
    values = np.array([[1.0], [3.0], [5.0], [100.0]])
    seen = np.array([True, True, True, False])
    found = against_others(values, np.array([0, 0, 1, 1]), seen, 3)
    assert found.ravel() == pytest.approx([-3, 3, 0])


def test_a_clusters_movements_are_told_by_name():
    told = cluster_movements(Anatomy(pool(1.5), SEEN), GROUPS, 8)
    assert list(told.columns) == list(facs.reliable().index)
    assert told.loc[0, "mouthSmile"] == pytest.approx(1.5, abs=0.3)
    assert abs(told.loc[0, "jawOpen"] + 1.5 / 7) < 0.35


def test_what_earlier_rules_wrote_is_read(tmp_path):
    movements = pool(1)[:3]
    np.save(tmp_path / "pool.npy", movements)
    pd.DataFrame({"presence": [0.9, 0.5, 0.6]}).to_parquet(tmp_path / "pool.parquet")
    anatomy = read_anatomy(tmp_path / "pool.npy", tmp_path / "pool.parquet")
    assert np.array_equal(anatomy.movements, movements)
    assert list(anatomy.seen) == [True, False, True]
