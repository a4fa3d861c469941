"""How heads are turned, against MediaPipe's canonical face."""

import numpy as np
import pytest

from facesort.faces.canonical_face import angles, canonical_face, head_rotations
from facesort.faces.procrustes import FACE_POINTS, POINTS


def face_turned(yaw=0.0, pitch=0.0, roll=0.0):
    """The canonical face as a viewer sees it, turned by degrees: float (1, 478, 3), in pixels."""
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    # x to the viewer's right, y down, z away: the nose points to -z.
    to_the_right = [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    up = [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    clockwise = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    turn = np.array(clockwise) @ np.array(to_the_right) @ np.array(up)
    points = np.zeros((1, POINTS, 3))
    points[0, :FACE_POINTS] = 4 * canonical_face() @ turn.T + [50, 60, 0]
    return points


def test_the_canonical_face_is_symmetric_and_stands_upright():
    face = canonical_face()
    assert face.shape == (FACE_POINTS, 3)
    right, left, nose, chin, forehead = face[[33, 263, 1, 152, 10]]
    assert np.allclose(right, left * [-1, 1, 1]) and right[0] < 0
    assert forehead[1] < right[1] < nose[1] < chin[1]
    assert nose[2] < right[2], "the nose is nearest to the viewer"


@pytest.mark.parametrize(
    "turned", [{"yaw": 25.0}, {"pitch": 15.0}, {"roll": -40.0}, {"yaw": -12.0, "roll": 5.0}]
)
def test_the_angles_are_those_by_which_a_face_was_turned(turned):
    found = angles(head_rotations(face_turned(**turned)))
    for name, column in (("yaw", "headYaw"), ("pitch", "headPitch"), ("roll", "headRoll")):
        assert found[column][0] == pytest.approx(turned.get(name, 0.0), abs=1e-6)


def test_to_the_persons_left_is_where_a_viewer_sees_right():
    points = face_turned(yaw=20.0)[0]
    nose, eyes = points[1], points[[33, 263]].mean(0)
    assert nose[0] > eyes[0]
    points = face_turned(pitch=20.0)[0]
    assert points[1, 1] - points[[33, 263], 1].mean() < 0.9 * (
        face_turned()[0, 1, 1] - face_turned()[0, [33, 263], 1].mean()
    )
