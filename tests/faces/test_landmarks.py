"""Landmarks, alignment, and the models that see them."""

import numpy as np
import pytest
import torch
from PIL import Image
from small_run import ROOT

from facesort.common.emotions import EMOTIONS
from facesort.faces.alignment import EYES_APART, EYES_HEIGHT, stable_places, tight_crops
from facesort.faces.face_mesh import LEFT_EYE, RIGHT_EYE, FaceMesh, around, undo, window
from facesort.faces.procrustes import POINTS, mean_shape
from facesort.train.models import build
from facesort.train.models.engineered import MEASURES
from facesort.train.models.shape import Normalised
from facesort.train.saving import load_model, save_model

DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def template():
    """A symmetric shape of 468 points, a random one: float (468, 3)."""
    half = np.random.default_rng(0).normal(0, 1, (POINTS // 2, 3)) + np.array([2, 0, 0])
    return np.concatenate([half, half * [-1, 1, 1]])


def turned(shape, generator, most=0.3):
    """A shape turned, scaled and moved at random."""
    yaw, pitch, roll = generator.uniform(-most, most, 3)
    matrices = [
        [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]],
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]],
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]],
    ]
    turn = matrices[0] @ np.array(matrices[1]) @ np.array(matrices[2])
    return shape @ turn.T * generator.uniform(1, 20) + generator.uniform(-50, 50, 3)


@pytest.fixture(scope="module")
def landmarks(template):
    """200 faces: the template with an open mouth or not, and noise; float32 (200, 468, 3)."""
    generator = np.random.default_rng(1)
    opened = np.zeros((POINTS, 3))
    opened[[13, 14]] = [[0, -3, 0], [0, 3, 0]]
    faces = [
        turned(template + (number % 2) * opened + generator.normal(0, 0.02, (POINTS, 3)), generator)
        for number in range(200)
    ]
    return np.array(faces, np.float32)


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


def test_the_mean_shape_does_not_depend_on_place_size_or_turn(template, landmarks):
    closed = landmarks[::2].astype(float)
    mean = mean_shape(closed)
    expected = mean_shape(np.stack([template, template]))
    # Up to a turn: distances tell.
    distances = [np.linalg.norm(s[:50, None] - s[None, :50], axis=2) for s in (mean, expected)]
    assert np.allclose(*distances, atol=2e-3)


def test_tight_crops_put_points_where_they_belong(landmarks):
    generator = np.random.default_rng(3)
    points = generator.uniform(20, 60, (3, POINTS, 3))
    places = stable_places(np.repeat(points[:1], 2, 0), 32)
    crops = tight_crops(np.full((3, 80, 80, 1), 7, np.uint8), points, places, 32)
    assert crops.shape == (3, 32, 32, 1) and (crops == 7).all()
    assert places[3, 0] - places[0, 0] == pytest.approx(EYES_APART * 32)


def test_pose_and_asymmetry_are_taken_out(template, landmarks):
    normalised = Normalised()
    normalised.fit(landmarks)
    shapes = normalised(torch.from_numpy(landmarks)).numpy()
    spread = shapes[::2].std(0).mean() / shapes.std()
    assert spread < 0.02
    generator = np.random.default_rng(5)
    same = np.array([turned(template, generator) for _ in range(10)], np.float32)
    assert normalised(torch.from_numpy(same)).std(0).mean() < 5e-4
    lopsided = same.copy()
    lopsided[:, 0] += 0.5
    mirrored = lopsided[:, np.r_[POINTS // 2 : POINTS, : POINTS // 2]] * np.float32([-1, 1, 1])
    both = (normalised(torch.from_numpy(one)) for one in (lopsided, mirrored))
    assert (next(both) - next(both)).abs().mean() < 2e-4


def test_geometry_tells_open_mouths_from_closed(landmarks, tmp_path):
    model = build("geometry", (POINTS, 3), {"dimensions": 3, "whitenings": [0.0, 1.0]})
    model.fit(landmarks, np.arange(200), None, 0)
    for candidate in (0.0, 1.0):
        model.choose(candidate)
        seen = model.embed(torch.from_numpy(landmarks)).numpy()
        assert (seen**2).mean() == pytest.approx(1, rel=0.05)
    first = seen[:, 0]
    assert abs(first[::2].mean() - first[1::2].mean()) > 5 * first[::2].std()
    about = {"model": "geometry", "shape": [POINTS, 3]}
    about["settings"] = {"dimensions": 3, "whitenings": [0.0, 1.0]}
    save_model(tmp_path / "model", model, about, [])
    loaded, _ = load_model(tmp_path / "model")
    assert np.allclose(loaded.embed(torch.from_numpy(landmarks)).numpy(), seen, atol=1e-5)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_engineered_features_learn_and_come_back_from_disk(kernel, landmarks, tmp_path):
    labels = np.where(np.arange(200) % 2, EMOTIONS.index("surprise"), EMOTIONS.index("neutral"))
    name = f"engineered_{kernel}"
    model = build(name, (POINTS, 3), {"balance": True})
    model.fit(landmarks, np.arange(100), labels, 0)
    x = torch.from_numpy(landmarks)
    answers = model.classify(x).argmax(1).numpy()
    assert (answers[100:] == labels[100:]).mean() > 0.95
    assert model.embed(x).shape == (200, len(MEASURES))
    about = {"model": name, "shape": [POINTS, 3], "settings": {"balance": True}}
    save_model(tmp_path / "model", model, about, [])
    loaded, _ = load_model(tmp_path / "model")
    assert torch.equal(loaded.classify(x), model.classify(x))
