"""The face mesh: its windows, and landmarks of faces and of anything else."""

import numpy as np
import pytest
from PIL import Image
from small_run import ROOT

from facesort.common.job import InputError
from facesort.demo.dataset import portrait
from facesort.faces.alignment import EYES_APART, EYES_HEIGHT, stable_places, tight_crops
from facesort.faces.face_mesh import (
    INPUT,
    LEFT_EYE,
    RIGHT_EYE,
    FaceMesh,
    around,
    change,
    network,
    undo,
    window,
)
from facesort.faces.procrustes import POINTS

DATA = ROOT.parent / "shared" / "data"


def test_windows_map_there_and_back():
    points = np.random.default_rng(0).uniform(0, INPUT, (POINTS, 3))
    to_input = window(np.array([30.0, 20.0]), 80.0, 0.4)
    back = undo(to_input, points)
    forth = back[:, :2] @ to_input[:, :2].T + to_input[:, 2]
    assert np.allclose(forth, points[:, :2])
    assert np.allclose(back[:, 2] * INPUT / 80, points[:, 2])


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
    places = stable_places([points], 48)
    crops = tight_crops(faces, points, places, 48)
    again, presence = FaceMesh(1).find(crops)
    level = np.median(again[:, [33, 263], :2], axis=0)
    assert np.allclose(level[:, 1], EYES_HEIGHT * 48, atol=3)
    assert level[1, 0] - level[0, 0] == pytest.approx(EYES_APART * 48, abs=4)


def test_windows_differ_by_place_size_or_turn():
    one = (np.array([30.0, 20.0]), 80.0, 0.1)
    assert change(one, one) == 0
    assert change(one, (np.array([30.0, 24.0]), 80.0, 0.1)) == pytest.approx(0.1)
    assert change(one, (one[0], 80.0 * np.e, 0.1)) == pytest.approx(1)
    assert change(one, (one[0], 80.0, -0.2)) == pytest.approx(0.3)


def test_rendered_faces_get_the_same_points_by_any_number_of_threads():
    faces = [portrait(np.random.default_rng([4, n]), "happy", 64)[0] for n in range(5)]
    points, presence = FaceMesh(1).find(np.stack(faces))
    assert (presence > 0.9).all()
    again, sure = FaceMesh(3).find(np.stack(faces))
    assert np.array_equal(again, points) and np.array_equal(sure, presence)
    # An iris lies between its eye's corners.
    for iris, corners in ((468, [33, 133]), (473, [362, 263])):
        low, high = points[:, corners, 0].min(1), points[:, corners, 0].max(1)
        assert ((low < points[:, iris, 0]) & (points[:, iris, 0] < high)).all()


def test_a_damaged_network_is_named(tmp_path):
    (tmp_path / "face_mesh.tflite").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"face_mesh\.tflite: not a readable model"):
        network(tmp_path / "face_mesh.tflite")


def test_anything_gets_landmarks_and_grey_faces_too():
    noise = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 1), np.uint8)
    points, presence = FaceMesh(1).find(noise)
    assert points.shape == (2, POINTS, 3) and np.isfinite(points).all()
    assert ((presence >= 0) & (presence <= 1)).all()
