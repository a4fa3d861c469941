"""A set's median and spread."""

import numpy as np
import pytest

from facesort.faces.spread import median_and_spread


def test_odd_faces_move_neither_and_what_hardly_varies_has_no_spread():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(5, 2, 4000), np.full(4000, 0.3)])
    values[:40] = 1e6
    median, spread = median_and_spread(values)
    assert median == pytest.approx([5, 0.3], abs=0.1)
    assert spread == pytest.approx([2, 0], rel=0.05)
