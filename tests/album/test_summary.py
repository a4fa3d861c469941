"""Photos that stand for a folder: good, unlike each other, and of all that it shows."""

import numpy as np
import pandas as pd
from made_album import face, photos

from facesort.album import summary
from facesort.album.faults import counted
from facesort.album.summary import ALBUM, HEADSHOTS, choose, head_shots, summaries

RNG = np.random.default_rng(0)
ALL = np.ones(60, bool)


def groups(sizes, dimension=12, width=0.01):
    """Rows of some groups, each around a middle of its own."""
    middles = RNG.random((len(sizes), dimension))
    rows = np.repeat(middles, sizes, axis=0)
    return rows + RNG.normal(0, width, rows.shape), np.repeat(np.arange(len(sizes)), sizes)


def test_each_scene_has_its_best_photo_and_stands_for_its_size():
    colours, of = groups([30, 20, 10])
    good = RNG.uniform(0.2, 0.6, 60)
    best = [30 + 7, 3, 50 + 2]
    good[best] = 0.9
    rows, stands_for = choose(good, colours, np.zeros((60, 2)), ALL, 3)
    assert sorted(rows) == sorted(best)
    assert stands_for.tolist() == np.bincount(of)[of[rows]].tolist()


def test_looks_are_shown_where_scenes_are_the_same():
    shown, of = groups([50, 10], 13)
    rows, _ = choose(np.full(60, 0.5), np.zeros((60, 3)), shown, ALL, 2)
    assert sorted(of[rows]) == [0, 1]


def test_few_photos_are_all_chosen_and_those_not_allowed_never():
    colours, _ = groups([2, 3])
    allowed = np.array([True, False, True, True, False])
    rows, stands_for = choose(np.ones(5), colours, np.zeros((5, 1)), allowed, 12)
    assert sorted(rows) == [0, 2, 3] and stands_for.sum() == 5


def test_a_copy_is_not_chosen_beside_its_original():
    colours = np.array([[0.2] * 4, [0.2] * 4, [0.9] * 4])
    rows, stands_for = choose(np.array([0.5, 0.5, 0.0]), colours, np.zeros((3, 1)), ALL[:3], 12)
    assert rows.tolist() == [0, 2] and stands_for.tolist() == [2, 1]


def test_the_tables_have_each_folder_and_its_photos():
    table = photos(
        ("NA/1.jpg", 0, "", 0.2),
        ("NA/2.jpg", 1, "", 0.1),
        ("top.jpg", 0, "", 0.4),
        ("NA/none.jpg", 5, "", 0.9),
    )
    rows = [
        face("NA/1.jpg", 0, tags="smiling;looks happy"),
        face("NA/1.jpg", 1, tags="smiling"),
        face("NA/2.jpg", 0, yaw=20.0),
        face("top.jpg", 0, state="covered"),
    ]
    faces = counted(pd.DataFrame(rows))
    colours = np.eye(4)
    found = summaries(table, faces, colours, pd.Series(["NA/2.jpg"]), 12)
    assert tuple(found) == ALBUM
    assert found.set_index("photo")["looks"].to_dict() == {
        "top.jpg": "",
        "NA/1.jpg": "smiling;looks happy",
        "NA/none.jpg": "",
    }
    assert found["folder"].tolist() == ["", "NA", "NA"]
    good = found.set_index("photo")["good"]
    assert good["top.jpg"] == 0 and good["NA/none.jpg"] == summary.FACELESS < good["NA/1.jpg"]
    assert len(summaries(table[:0], faces[:0], colours[:0], pd.Series([], dtype=str), 3)) == 0


def test_head_shots_are_large_answered_and_alone():
    rows = [
        face("a/1.jpg", 0, smiling=0.9),
        face("a/1.jpg", 1, left=900),
        face("a/2.jpg", 0, size=79.0),
        face("a/3.jpg", 0, state="turned"),
        # Its neighbour's middle lies in the square that is cut out.
        *(face("a/4.jpg", 0), face("a/4.jpg", 1, left=110)),
        face("a/5.jpg", 0),
        face("a/copy of 1.jpg", 1, left=900),
        face("b/6.jpg", 0, yaw=10.0),
    ]
    faces = counted(pd.DataFrame(rows))
    found = head_shots(faces, pd.Series(["a/5.jpg"]), 12)
    assert tuple(found) == HEADSHOTS
    told = found[["folder", "place", "photo", "face"]].to_numpy().tolist()
    assert told == [["a", 1, "a/1.jpg", 0], ["a", 2, "a/1.jpg", 1], ["b", 1, "b/6.jpg", 0]]
    assert len(head_shots(faces, pd.Series([], dtype=str), 1)) == 2
    assert len(head_shots(faces[:0], pd.Series([], dtype=str), 1)) == 0
