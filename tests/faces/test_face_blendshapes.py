"""The blendshapes' network: names, points, and answers that follow the face."""

import numpy as np
import pytest

from facesort.common.job import InputError
from facesort.demo.dataset import portrait
from facesort.faces import face_blendshapes
from facesort.faces.face_blendshapes import BLENDSHAPES, SEEN, blendshapes
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.procrustes import POINTS


@pytest.fixture(scope="module")
def points():
    """Landmarks of six persons, each without expression and surprised, float32 (12, 478, 3)."""
    faces = [
        portrait(np.random.default_rng([11, n]), emotion, 96, 1.0)[0]
        for n in range(6)
        for emotion in ("neutral", "surprise")
    ]
    return FaceMesh(1).find(np.stack(faces))[0]


def test_names_and_points_are_as_many_as_the_network_has():
    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 51
    assert len(np.unique(SEEN)) == 146 and SEEN.max() == POINTS - 1


def test_jaws_open_in_surprise_and_size_and_place_say_nothing(points):
    found = blendshapes(points)
    assert found.shape == (12, 51) and found.dtype == np.float32
    assert (found >= 0).all() and (found <= 1).all()
    jaw = found[:, BLENDSHAPES.index("jawOpen")]
    assert (jaw[1::2] > jaw[::2]).all()
    assert np.allclose(blendshapes(points * 3 + 40), found, atol=0.02)


def test_threads_change_nothing(points):
    assert np.array_equal(blendshapes(points, threads=3), blendshapes(points))
    assert blendshapes(points[:0], threads=2).shape == (0, 51)


def test_a_damaged_network_is_named(points, tmp_path, monkeypatch):
    damaged = tmp_path / "face_blendshapes.tflite"
    damaged.write_bytes(b"not a model")
    monkeypatch.setattr(face_blendshapes, "MODEL", damaged)
    with pytest.raises(InputError, match=r"face_blendshapes\.tflite: not a readable model"):
        blendshapes(points)
