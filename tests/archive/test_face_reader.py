"""Faces read in photographs: at any turn, with pose and sharpness, and why not."""

import cv2
import numpy as np
import pytest
from made_photos import photo

from facesort.archive.face_detector import FaceDetector
from facesort.archive.face_reader import (
    SHARP,
    FaceReader,
    agree,
    first_window,
    numbers,
    sharpness,
    states,
    sure_faces,
    upright,
)
from facesort.archive.tables import FOUND, MOVEMENTS, STATES
from facesort.faces.face_mesh import around, change

PLACES = ((40, 60, 200), (400, 200, 160))


@pytest.fixture(scope="module")
def faces():
    """A photo with two rendered faces, where the detector finds them, and what is read."""
    picture = photo(PLACES)
    found = FaceDetector(1280).find(picture)
    return picture, found, FaceReader(20).read(picture, found, 1.0)


def test_faces_are_read_in_one_look(faces):
    _, found, reading = faces
    assert (reading.presence > 0.9).all() and sure_faces(found, reading).all()
    for row, points in zip(found, reading.points, strict=True):
        assert change(first_window(row), around(points)) < 0.15
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        assert np.allclose((low + high) / 2, row[:2] + row[2:4] / 2, atol=row[3] / 6)
        assert agree(points, row[5:].reshape(5, 2))
        assert not agree(points, row[5:].reshape(5, 2) + row[3])


@pytest.mark.parametrize("degrees", [-90, 30, 90, 180])
def test_a_face_does_the_same_at_any_turn(faces, degrees):
    picture, found, reading = faces
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderValue=(120, 120, 120))
    lying = found.copy()
    ones = np.ones((len(found), 1))
    for at in (5, 7, 9, 11, 13):
        lying[:, at : at + 2] = np.hstack([found[:, at : at + 2], ones]) @ turn.T
    corners = np.stack(
        [
            np.hstack([found[:, :2] + found[:, 2:4] * shift, ones]) @ turn.T
            for shift in ([0, 0], [1, 0], [0, 1], [1, 1])
        ]
    )
    lying[:, :2], lying[:, 2:4] = corners.min(0), np.ptp(corners, axis=0)
    told = numbers(lying, FaceReader(20).read(turned, lying, 1.0))
    before = numbers(found, reading)
    column = {name: at for at, name in enumerate((*FOUND, *MOVEMENTS))}
    apart = (told[:, column["roll"]] - before[:, column["roll"]] - degrees + 180) % 360 - 180
    assert abs(apart).max() < 3
    assert abs(told[:, column["yaw"]] - before[:, column["yaw"]]).max() < 4
    for name in ("mouthSmileLeft", "jawOpen", "eyeBlinkRight"):
        assert abs(told[:, column[name]] - before[:, column[name]]).max() < 0.2
    assert upright(lying).all() == (abs(degrees) < 60)


def test_small_faces_are_not_looked_at(faces):
    picture, found, _ = faces
    reading = FaceReader(found[:, 2:4].min(1).mean()).read(picture, found, 1.0)
    assert np.isnan(reading.presence).tolist() == [False, True]
    told = numbers(found, reading)
    least = float(found[:, 2:4].min(1).mean())
    assert states(told, least).tolist() == ["answered", "small"]
    # Pixels of the whole photo count, of which this one is a smaller picture.
    assert not np.isnan(FaceReader(least).read(picture, found, 2.0).presence).any()
    assert numbers(found[:0], FaceReader(9).read(picture, found[:0], 1.0)).shape[0] == 0


def test_a_blurred_face_is_told_from_a_sharp_one(faces):
    picture, found, _ = faces
    box = found[0, :4]
    sharp = sharpness(picture, box)
    blurred = [
        sharpness(cv2.GaussianBlur(picture, (0, 0), share * box[2]), box) for share in (0.01, 0.04)
    ]
    assert sharp > blurred[0] > SHARP > blurred[1]
    # Contrast and size do not make a face sharp.
    assert sharpness((picture // 2).astype(np.uint8), box) == pytest.approx(sharp, rel=0.1)
    assert sharpness(picture, np.array([-50, -50, 20, 20])) == 0


def test_what_is_no_face_is_not_answered():
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    face = np.array([[50, 50, 90, 100, 0.9, 75, 80, 115, 80, 95, 100, 78, 125, 112, 125]], float)
    reading = FaceReader(20).read(noise, face, 1.0)
    assert not sure_faces(face, reading).any()
    assert states(numbers(face, reading), 20).tolist() == ["covered"]


def test_the_first_reason_counts():
    found = np.full((6, len(FOUND) + len(MOVEMENTS)), 1.0)
    column = {name: at for at, name in enumerate(FOUND)}
    found[:, column["size"]] = 100
    found[1, column["size"]] = 39
    found[[1, 2], column["presence"]] = 0.5
    found[[2, 3], column["yaw"]] = -50
    found[4, column["sharpness"]] = 0.01
    found[5, column["presence"]] = np.nan
    told = ["answered", "small", "covered", "turned", "blurred", "small"]
    assert states(found, 40).tolist() == told and set(told) == set(STATES)
