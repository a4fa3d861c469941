"""Shapes laid on one another."""

import numpy as np

from facesort.faces.procrustes import mean_shape


def test_the_mean_shape_does_not_depend_on_place_size_or_turn(template, landmarks):
    closed = landmarks[::2].astype(float)
    mean = mean_shape(closed)
    expected = mean_shape(np.stack([template, template]))
    # Up to a turn: distances tell.
    distances = [np.linalg.norm(s[:50, None] - s[None, :50], axis=2) for s in (mean, expected)]
    assert np.allclose(*distances, atol=2e-3)
