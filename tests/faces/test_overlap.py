"""Faces of another set that a run has seen: found, counted, and told apart by part."""

import numpy as np
from test_duplicates import CHANGES, made_up_faces

from facesort.faces import overlap as overlaps
from facesort.faces.duplicates import prepare


def find_overlap(own, pool, kept, labelled, parts):
    own, pool, labelled = (prepare([faces]) for faces in (own, pool, labelled))
    return overlaps.find_overlap(own, pool, kept, labelled, parts)


def test_planted_near_duplicates_are_found_in_the_part_where_they_are():
    own = made_up_faces(12, 48, seed=1)
    pool, labelled = made_up_faces(10, 48, seed=2), made_up_faces(8, 48, seed=3)
    parts = np.array(["train", "naming", "test", "left_out"] * 2)
    own[0], own[1] = CHANGES["re-encoded"](pool[4]), CHANGES["mirrored"](pool[7])
    # Row 7 is one of those left out of the pool, so no model has seen it.
    kept = np.setdiff1d(np.arange(10), [7])
    own[2], own[3] = CHANGES["shifted"](labelled[0]), CHANGES["brighter"](labelled[1])
    own[4], own[5] = labelled[2], labelled[3]
    # Of the pool and of the test part at once: a model has seen it.
    pool[5] = labelled[6]
    own[6] = labelled[6]
    overlap = find_overlap(own, pool, kept, labelled, parts)
    assert list(overlap[["face", "part", "of"]].itertuples(index=False, name=None)) == [
        (0, "pool", 4),
        (2, "train", 0),
        (3, "naming", 1),
        (4, "test", 2),
        (6, "pool", 5),
    ]
    assert (overlap["similarity"] >= 0.92).all() and not overlap["mirrored"].any()


def test_of_several_near_duplicates_the_most_alike_is_told():
    own, labelled = made_up_faces(3, 48, seed=1), made_up_faces(4, 48, seed=3)
    labelled[1], labelled[2] = CHANGES["re-encoded"](own[0]), own[0][:, ::-1]
    pool = made_up_faces(2, 48, seed=2)
    overlap = find_overlap(own, pool, np.arange(2), labelled, np.array(["train"] * 4))
    told = overlap[["face", "part", "of", "mirrored"]]
    assert list(told.itertuples(index=False, name=None)) == [(0, "train", 2, True)]


def test_a_set_of_other_faces_overlaps_nowhere():
    faces = made_up_faces(5, 48, seed=1)
    overlap = find_overlap(
        faces,
        made_up_faces(5, 48, seed=2),
        np.arange(5),
        made_up_faces(5, 24, seed=3),
        np.array(["train"] * 5),
    )
    assert overlap.empty and overlap.dtypes["face"] == np.int64
