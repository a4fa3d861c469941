"""Clusters at chance: found where labels are dealt at random, and there alone."""

import numpy as np
import pandas as pd
import pytest

from facesort.cluster.chance import LEVEL, association_p, clusters_at_chance
from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS

NAMES = np.array(EMOTIONS)


@pytest.mark.parametrize("faces", [50, 500])
def test_few_clusters_at_chance_pass_for_others(faces):
    rng = np.random.default_rng(0)
    shares = np.array([8, 4, 2, 2, 1, 1, 1, 1]) / 20
    found = [
        association_p(rng.choice(8, faces, p=shares), rng.integers(0, 8, faces)) for _ in range(300)
    ]
    assert np.mean(np.array(found) < LEVEL) < 0.03


def test_a_weak_tie_is_found_in_many_faces():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 500)
    groups = np.where(rng.random(500) < 0.3, labels, rng.integers(0, 8, 500))
    assert association_p(groups, labels) < LEVEL


def test_one_cluster_or_one_emotion_tells_nothing():
    assert association_p(np.zeros(9, int), NAMES[np.arange(9) % 8]) == 1
    assert association_p(np.arange(9), np.repeat("sad", 9)) == 1


def test_names_and_scored_faces_are_not_asked(tmp_path):
    index, split = tmp_path / "faces.parquet", tmp_path / "split.parquet"
    labels = np.arange(400) % 8
    part = np.repeat(["naming", "train", "test", "left_out"], 100)
    pd.DataFrame({"label": NAMES[labels]}).to_parquet(index)
    pd.DataFrame({"part": part}).to_parquet(split)
    shuffled = np.random.default_rng(0).permutation(labels)
    scored = np.isin(part, ["test", "left_out"])
    for groups, at_chance in (
        (labels, False),
        (np.where(scored, labels, shuffled), True),
        (np.where(scored, shuffled, labels), False),
    ):
        clustering = Clustering(np.eye(8, dtype="f4"), np.zeros(9, "i4"), groups.astype("i4"), 1.0)
        assert clusters_at_chance(clustering, index, split) is at_chance
    # Without labelled faces nothing is known.
    assert clusters_at_chance(clustering, [], []) is False
