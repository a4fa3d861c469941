"""Faces of another set that a run has seen: found, counted, and told apart by part."""

import numpy as np
import pandas as pd
from test_duplicates import CHANGES, made_up_faces

from facesort.faces.overlap import counts_of, find_overlap, is_seen


def test_planted_near_duplicates_are_found_in_the_part_where_they_are():
    own = made_up_faces(12, 48, seed=1)
    pool, labelled = made_up_faces(10, 48, seed=2), made_up_faces(8, 48, seed=3)
    parts = np.array(["train", "naming", "test", "left_out"] * 2)
    own[0], own[1] = CHANGES["re-encoded"](pool[4]), CHANGES["mirrored"](pool[7])
    # Row 7 is one of those left out of the pool, so no model has seen it.
    kept = np.setdiff1d(np.arange(10), [7])
    own[2], own[3] = CHANGES["shifted"](labelled[0]), CHANGES["brighter"](labelled[1])
    own[4], own[5] = labelled[2], labelled[3]
    # Of the pool and of the test part at once.
    pool[5] = labelled[6]
    own[6] = labelled[6]
    overlap = find_overlap(own, pool, kept, labelled, parts)
    told = overlap.set_index("face")[["part", "of"]].sort_values(["face", "part"])
    assert list(told.itertuples()) == [
        (0, "pool", 4),
        (2, "train", 0),
        (3, "naming", 1),
        (4, "test", 2),
        (5, "left_out", 3),
        (6, "pool", 5),
        (6, "test", 6),
    ]
    assert (overlap["similarity"] >= 0.92).all()
    assert list(np.flatnonzero(is_seen(overlap, 12))) == [0, 2, 3, 6]
    counts = counts_of(overlap)
    assert counts == {"pool": 2, "train": 1, "naming": 1, "test": 1}
    assert sum(counts.values()) - counts["test"] == is_seen(overlap, 12).sum()


def test_a_set_of_other_faces_overlaps_nowhere():
    faces = made_up_faces(5, 48, seed=1)
    overlap = find_overlap(
        faces,
        made_up_faces(5, 48, seed=2),
        np.arange(5),
        made_up_faces(5, 24, seed=3),
        np.array(["train"] * 5),
    )
    assert overlap.empty and not is_seen(overlap, 5).any()
    assert counts_of(overlap) == dict.fromkeys(("pool", "train", "naming", "test"), 0)
    assert overlap.dtypes["face"] == np.int64 and isinstance(overlap, pd.DataFrame)
