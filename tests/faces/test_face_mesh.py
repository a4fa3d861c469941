"""The face mesh: its windows, and landmarks of faces and of anything else."""

import numpy as np
import pytest
from PIL import Image
from small_run import ROOT

from facesort.faces.alignment import EYES_APART, EYES_HEIGHT, stable_places, tight_crops
from facesort.faces.face_mesh import LEFT_EYE, RIGHT_EYE, FaceMesh, around, undo, window
from facesort.faces.procrustes import POINTS

DATA = ROOT.parent / "shared" / "data"


def test_windows_map_there_and_back():
    points = np.random.default_rng(0).uniform(0, 192, (POINTS, 3))
    to_input = window(np.array([30.0, 20.0]), 80.0, 0.4)
    back = undo(to_input, points)
    forth = back[:, :2] @ to_input[:, :2].T + to_input[:, 2]
    assert np.allclose(forth, points[:, :2])
    assert np.allclose(back[:, 2] * 192 / 80, points[:, 2])


def test_the_next_window_is_level_with_the_eyes():
    points = np.random.default_rng(0).uniform(0, 50, (POINTS, 3))
    points[RIGHT_EYE, :2], points[LEFT_EYE, :2] = (10, 10), (40, 40)
    middle, side, angle = around(points)
    assert angle == pytest.approx(np.pi / 4)
    assert 0 < middle[0] < 50 and side > 50


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_landmarks_of_real_faces_lie_on_them():
    paths = sorted((DATA / "faces").iterdir())[:24] + sorted(DATA.glob("emotions/happy/*"))[:24]
    faces = np.stack([np.array(Image.open(p).convert("RGB").resize((64, 64))) for p in paths])
    points, presence = FaceMesh(1).find(faces)
    assert (presence > 0.5).mean() > 0.9
    eyes, mouth = points[:, [33, 263]].mean(1), points[:, [13, 14]].mean(1)
    assert (mouth[:, 1] > eyes[:, 1] + 8).mean() > 0.9
    mirrored, _ = FaceMesh(1).find(faces[:, :, ::-1])
    # The right eye of a mirrored face is the left one.
    assert np.median(abs(63 - mirrored[:, 33, 0] - points[:, 263, 0])) < 2
    places = stable_places(points, 48)
    crops = tight_crops(faces, points, places, 48)
    again, presence = FaceMesh(1).find(crops)
    level = np.median(again[:, [33, 263], :2], axis=0)
    assert np.allclose(level[:, 1], EYES_HEIGHT * 48, atol=3)
    assert level[1, 0] - level[0, 0] == pytest.approx(EYES_APART * 48, abs=4)


def test_anything_gets_landmarks_and_grey_faces_too():
    noise = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 1), np.uint8)
    points, presence = FaceMesh(1).find(noise)
    assert points.shape == (2, POINTS, 3) and np.isfinite(points).all()
    assert ((presence >= 0) & (presence <= 1)).all()
