"""Tight crops, put in one place by landmarks."""

import numpy as np
import pytest

from facesort.faces.alignment import EYES_APART, stable_places, tight_crops
from facesort.faces.procrustes import POINTS


def test_tight_crops_put_points_where_they_belong(landmarks):
    generator = np.random.default_rng(3)
    points = generator.uniform(20, 60, (3, POINTS, 3))
    places = stable_places([points[:1], points[:1]], 32)
    crops = tight_crops(np.full((3, 80, 80, 1), 7, np.uint8), points, places, 32)
    assert crops.shape == (3, 32, 32, 1) and (crops == 7).all()
    assert places[3, 0] - places[0, 0] == pytest.approx(EYES_APART * 32)
