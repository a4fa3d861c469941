"""From pictures to answers by one module of torch: the numbers of the stages before."""

import numpy as np
import pytest
import torch
from made_landmarks import pictured

from facesort.export.label_free import AgainstUsual, Landmarks, Movements, windows_of
from facesort.faces import face_mesh
from facesort.faces.movements import movements
from facesort.faces.spread import Spread


@pytest.fixture(scope="module")
def faces():
    """Pictures of no face, grey and in colour alike, and landmarks that a face may have."""
    return pictured()


def test_landmarks_are_in_the_pictures_pixels(faces):
    pictures, points = faces
    seen, windows = windows_of(pictures[:2], points[:2])
    with torch.inference_mode():
        found, presence = Landmarks()(torch.from_numpy(seen), torch.from_numpy(windows))
    network = face_mesh.network(face_mesh.MODEL)
    for row in range(2):
        window = face_mesh.window(*face_mesh.around(points[row].astype(float)))
        own, logit = face_mesh.look(network, pictures[row], window)
        assert np.allclose(found[row], own, atol=1e-3)
        assert presence[row].item() == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)


def test_a_grey_picture_is_seen_as_one_in_colour_that_is_grey(faces):
    grey, points = faces[0][:1, :, :, :1], faces[1][:1]
    assert np.array_equal(windows_of(grey, points)[0], windows_of(grey.repeat(3, 3), points)[0])


def test_movements_and_what_is_usual_are_those_of_the_faces_stage(faces):
    strengths = movements(faces[1])
    with torch.inference_mode():
        found = Movements()(torch.from_numpy(faces[1]))
    assert np.allclose(found, strengths.to_numpy(), atol=1e-3)
    usual = Spread(strengths, np.ones(len(strengths)))
    with torch.inference_mode():
        told = AgainstUsual(usual)(torch.tensor(strengths.to_numpy()))
    # Where faces hardly differ, the last digits of a strength are many spreads.
    digits = 1e-6 / np.where(usual.spread > 0, usual.spread, 1)
    assert (abs(told.numpy() - usual(strengths)) < 1e-3 + digits).all()
