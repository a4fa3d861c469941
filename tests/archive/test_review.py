"""Answers of persons: read with care, and given to the face that they were of."""

import numpy as np
import pandas as pd
import pytest

from facesort.archive.review import COLUMNS, matched, read_reviewed
from facesort.common.job import InputError

ROW = {
    "photo": "a/b.jpg",
    "face": "0",
    "left": "10",
    "top": "20",
    "width": "30",
    "height": "40",
    "tag": "looks happy",
    "verdict": "right",
    "by": "ada",
    "at": "2026-11-27T10:00:00Z",
    "chosen": "sample",
    "stratum": "with 1: 0.600 to 0.700",
    "stratum_faces": "120",
    "stratum_place": "3",
}


def write(path, *rows, **how):
    pd.DataFrame(rows or [ROW], columns=list(COLUMNS)).to_csv(path, index=False, **how)
    return path


def test_answers_are_read_and_the_latest_counts(tmp_path):
    other = ROW | {"tag": "smiling", "left": "", "stratum_faces": ""}
    later = ROW | {"by": "bob", "verdict": "wrong", "at": "2026-11-27T11:00:00Z"}
    found = read_reviewed(write(tmp_path / "r.csv", later, other, ROW))
    assert found["tag"].tolist() == ["smiling", "looks happy"]
    assert found["verdict"].tolist() == ["right", "wrong"] and found["face"].tolist() == [0, 0]
    assert np.isnan(found["left"][0]) and found["stratum_faces"][1] == 120
    assert found["stratum_place"].tolist() == [3, 3]
    table = write(tmp_path / "s.csv", ROW, sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    assert read_reviewed(table)["tag"].tolist() == ["looks happy"]
    newline = ROW | {"photo": 'a\n"b",c.jpg'}
    assert read_reviewed(write(tmp_path / "n.csv", newline))["photo"][0] == 'a\n"b",c.jpg'


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tag": "is happy"}, "line 3: tag is 'is happy'"),
        ({"verdict": "yes"}, "line 3: verdict is 'yes'"),
        ({"face": "-1"}, "line 3: face is '-1'"),
        ({"face": "1.5"}, "line 3: face is '1.5'"),
        ({"face": ""}, "line 3: face is ''"),
        ({"face": "inf"}, "line 3: face is 'inf'"),
        ({"width": "wide"}, "line 3: width is 'wide'"),
        ({"stratum_faces": "-3"}, "line 3: stratum_faces is '-3'"),
        ({"photo": ""}, "line 3: photo is ''"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, change, told):
    path = write(tmp_path / "r.csv", ROW, ROW | change)
    with pytest.raises(InputError, match=told) as error:
        read_reviewed(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no column photo"),
        (b"photo,face\n", "no column left"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (",".join(COLUMNS).encode() + b'\n"a,b', "line 2"),
        (None, "cannot be read"),
    ],
)
def test_another_file_is_named(tmp_path, content, told):
    path = tmp_path / "r.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_reviewed(path)


def test_answers_go_with_their_boxes_not_with_numbers():
    faces = pd.DataFrame(
        [["a.jpg", 0, 0, 0, 10, 10], ["a.jpg", 1, 52, 50, 10, 10], ["b.jpg", 0, 50, 50, 10, 10]],
        columns=["photo", "face", "left", "top", "width", "height"],
    )
    answers = pd.DataFrame(
        [
            ["a.jpg", 0, 50, 50, 10, 10],  # now the second face
            ["a.jpg", 1, 70, 70, 10, 10],  # gone
            ["a.jpg", 1, np.nan, 0, 0, 0],  # no box: by number
            ["c.jpg", 0, 0, 0, 10, 10],  # no such photo
            ["b.jpg", 5, np.nan, 0, 0, 0],
        ],
        columns=["photo", "face", "left", "top", "width", "height"],
    )
    assert matched(answers, faces).tolist() == [1, -1, 1, -1, -1]
    assert matched(answers[:0], faces).tolist() == []
