"""Series: shots of one scene are put together, strangers never; the best is first, and why."""

import numpy as np
import pandas as pd
import pytest
from made_album import face, photos
from made_bursts import burst

from facesort.album.bursts import BY_CAMERA, BY_TIME, near_in_time, ranked, series
from facesort.album.faults import counted
from facesort.album.likeness import alike
from facesort.archive.face_detector import FaceDetector
from facesort.archive.face_reader import FaceReader, numbers, states
from facesort.archive.joining import tagged
from facesort.archive.review import NOBODY
from facesort.archive.shot import sharpness
from facesort.archive.tables import FOUND, MOVEMENTS
from facesort.archive.tags import built_in
from facesort.common.emotions import EMOTIONS
from facesort.faces.duplicates import prepare

NAN = float("nan")


def pairs(table):
    first, second = near_in_time(table)
    names = table["photo"]
    return {frozenset(names.iloc[list(pair)]) for pair in zip(first, second, strict=True)}


def test_photos_are_near_within_two_seconds_in_one_folder():
    table = photos(
        ("b/2.jpg", 2.0, "", 1),
        ("a/1.jpg", 0.0, "", 1),
        ("a/2.jpg", 2.0, "", 1),
        ("a/3.jpg", 4.1, "", 1),
        ("a/4.jpg", NAN, "", 1),
        ("a/5.jpg", 4.0, "camera", 1),
        ("b/1.jpg", 1.0, "", 1),
    )
    assert pairs(table) == {frozenset(("a/1.jpg", "a/2.jpg")), frozenset(("b/1.jpg", "b/2.jpg"))}
    for few in (table[:0], table[:1]):
        assert pairs(few.reset_index(drop=True)) == set()


def test_a_scan_of_ten_thousand_photos_of_one_second_costs_little():
    table = photos(*((f"{n:05d}.jpg", 0.0, "", 1) for n in range(10_000)))
    first, _ = near_in_time(table)
    assert len(first) < 32 * 10_000
    assert (series(table, *near_in_time(table)) == 0).all()


def test_series_are_what_the_camera_says_or_what_is_joined_by_likeness():
    table = photos(
        ("a/1.jpg", 0, "", 1),
        ("a/2.jpg", 1, "x", 1),
        ("a/3.jpg", 1, "", 1),
        ("a/4.jpg", 2, "", 1),
        ("a/5.jpg", 9, "x", 1),
        ("b/1.jpg", 9, "x", 1),
        ("b/2.jpg", 9, "", 1),
        ("b/2.nef", 9, "", 1),
    )
    found = series(table, np.array([0, 2, 6]), np.array([2, 3, 7]))
    assert found.tolist() == [0, 1, 0, 0, 1, -1, -1, -1]


def test_the_worst_face_counts_and_reasons_say_whose():
    table = photos(
        *(("p/1.jpg", 0, "", 9), ("p/2.jpg", 0, "", 1), ("p/3.jpg", 0, "", 1)),
        *(("p/4.jpg", 0, "", 1), ("p/5.jpg", 0, "", 1)),
    )
    rows = [
        face("p/1.jpg", 0, smiling=1.0),
        face("p/1.jpg", 1, eyeBlinkLeft=0.8, eyeBlinkRight=0.8),
        *(face("p/2.jpg", 0), face("p/2.jpg", 1)),
        *(face("p/3.jpg", 0, yaw=30.0), face("p/3.jpg", 1, state="covered")),
        *(face("p/4.jpg", 0, sharpness=0.2), face("p/4.jpg", 1)),
        face("p/5.jpg", 0),
    ]
    found = ranked(table, counted(pd.DataFrame(rows)), np.zeros(5, int)).set_index("photo")
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] and (found["of"] == 5).all()
    assert dict(found["reasons"]) == {
        "p/2.jpg": "no face has a fault",
        "p/4.jpg": "the first face from the left is less sharp than in the best",
        "p/1.jpg": "the second face from the left has the eyes closed",
        "p/3.jpg": "the second face from the left is covered; the first face from the left looks "
        "away",
        "p/5.jpg": "1 face fewer than in most of the series",
    }
    assert found.loc["p/5.jpg", "worst"] == 0 and (found["folder"] == "p").all()


def test_without_a_face_the_sharpest_is_first():
    table = photos(("1.jpg", 0, "x", 0.1), ("2.jpg", 0, "x", 0.3))
    none = counted(pd.DataFrame([face("other.jpg")]))[:0]
    found = ranked(table, none, np.zeros(2, int))
    assert found["photo"].tolist() == ["2.jpg", "1.jpg"] and (found["by"] == BY_CAMERA).all()
    assert found["reasons"].tolist() == ["the sharpest", "less sharp than the best"]
    assert found["worst"].isna().all() and (found["folder"] == "").all()
    one = ranked(table, counted(pd.DataFrame([face("1.jpg")])), np.zeros(2, int))
    assert one["reasons"].tolist() == [
        "no face has a fault",
        "1 face fewer than in most of the series",
    ]
    assert len(ranked(table, none, np.full(2, -1))) == 0


def test_where_all_are_bad_the_best_says_so():
    table = photos(("1.jpg", 0, "", 1), ("2.jpg", 0, "", 1))
    blinks = [0.6, 0.9]
    rows = [
        face(name, eyeBlinkLeft=blink, eyeBlinkRight=blink)
        for name, blink in zip(table["photo"], blinks, strict=True)
    ]
    found = ranked(table, counted(pd.DataFrame(rows)), np.zeros(2, int))
    assert found["reasons"].tolist() == [
        "the least bad: the face has the eyes closed",
        "the face has the eyes closed",
    ]
    assert (found["by"] == BY_TIME).all()


@pytest.fixture(scope="module")
def rendered():
    """Three bursts of strangers, all of the same seconds: shots, photos and faces."""
    shots = [
        (number, shot)
        for number in range(3)
        for shot in burst(np.random.default_rng([18, number]), 1 + number % 2, 3)
    ]
    table = photos(
        *((f"{n}.jpg", n % 3, "", sharpness(shot.picture)) for n, (_, shot) in enumerate(shots))
    )
    detector, reader = FaceDetector(640, False), FaceReader(40)
    parts = []
    for name, (_, shot) in zip(table["photo"], shots, strict=True):
        boxes = detector.find(shot.picture)
        rows = numbers(boxes, reader.read(shot.picture, boxes, 1.0))
        part = pd.DataFrame(rows, columns=[*FOUND, *MOVEMENTS]).assign(photo=name)
        parts.append(part.assign(face=range(len(part)), state=states(rows, 40)))
    nobody = pd.DataFrame(columns=["photo", "face", *EMOTIONS])
    nobody = nobody.astype({"face": int} | dict.fromkeys(EMOTIONS, float))
    faces = tagged(pd.concat(parts, ignore_index=True), nobody, False, built_in(), NOBODY)
    return shots, table, faces


def test_rendered_bursts_are_found_and_their_best_shot_is_first(rendered):
    shots, table, faces = rendered
    first, second = near_in_time(table)
    assert len(first) == 9 * 8 / 2
    pixels = prepare([np.stack([shot.picture for _, shot in shots])]).pixels
    same = alike(pixels, first, second)
    labels = series(table, first[same], second[same])
    assert labels.tolist() == [number for number, _ in shots]
    found = ranked(table, counted(faces), labels)
    best = found.loc[found["rank"] == 1, "photo"]
    assert [shots[int(name[0])][1].fault for name in best] == ["", "", ""]
    words = {"eyes closed": "eyes", "blurred": "blurred", "looks away": "looks"}
    for row in found[found["rank"] > 1].itertuples():
        fault = shots[int(row.photo[0])][1].fault
        assert words.get(fault, "looks") in row.reasons
