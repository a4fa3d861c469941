"""Action units gathered from movements, and what prototypes expect of them."""

import numpy as np
import pytest
import torch

from facesort.common.emotions import EMOTIONS
from facesort.faces import facs
from facesort.faces.units import (
    HIDDEN,
    against,
    both_sides,
    expected_units,
    features,
    gather,
    gathered,
    shown_units,
    to_features,
    used_movements,
)

COLUMNS = facs.columns(facs.table())
USED = used_movements()
PAIRED = int((USED["sides"] == 2).sum())


def faces(count=300):
    return np.random.default_rng(0).normal(size=(count, len(COLUMNS))).astype("f4")


def test_features_are_means_and_differences_of_sides():
    movements = faces(4)
    found = gather(movements, to_features(USED), PAIRED)
    assert found.shape == (4, len(features(USED)))
    of = dict(zip(features(USED), found.T, strict=True))
    right, left = (movements[:, COLUMNS.index(f"mouthSmile{side}")] for side in facs.SIDES)
    assert of["mouthSmile"] == pytest.approx((right + left) / 2, abs=1e-6)
    assert of["mouthSmile on one side"] == pytest.approx(abs(right - left), abs=1e-6)
    assert of["jawOpen"] == pytest.approx(movements[:, COLUMNS.index("jawOpen")])


def test_arrays_and_tensors_give_the_same():
    movements, matrix = faces(), to_features(USED)
    own = gather(movements, matrix, PAIRED)
    other = gather(torch.from_numpy(movements), torch.from_numpy(matrix), PAIRED)
    assert np.allclose(own, other.numpy(), atol=1e-6)
    assert np.allclose(against(own, 0.5, 0.2), against(other, 0.5, 0.2).numpy(), atol=1e-5)
    assert abs(against(own, 0.5, 0.2)).max() == 4


def test_units_are_set_against_the_faces_that_are_seen():
    movements, seen = faces(), np.arange(300) < 250
    wild = movements.copy()
    wild[~seen] *= 100
    units = shown_units(movements, seen)
    names = list(gathered(USED)[0].index)
    assert units.shape == (300, len(names)) and np.isfinite(units).all()
    assert np.array_equal(shown_units(wild, seen)[seen], units[seen])
    assert abs(np.median(units[seen], axis=0)).max() < 1e-5
    # A face that opens its jaw shows that unit, and no smile.
    movements[0] = 0
    for name in USED.index[USED["unit"] == 26]:
        movements[0, COLUMNS.index(name)] = 3
    shown = dict(zip(names, shown_units(movements, seen)[0], strict=True))
    assert shown["26"] > 2 and abs(shown["12"]) < 0.5


def test_prototypes_expect_what_they_are_made_of():
    expected = expected_units()
    names = list(gathered(USED)[0].index)
    assert expected.shape == (8, len(names)) and (expected > HIDDEN).all()
    smile = dict(zip(EMOTIONS, expected[:, names.index("12")], strict=True))
    assert {"happy", "contempt"} == {name for name in EMOTIONS if smile[name] > 0.5}
    # A neutral face shows no unit more than any other emotion does.
    assert (expected[EMOTIONS.index("neutral")] == expected.min(0)).all()


def test_movements_of_both_sides_are_those_that_are_found_well():
    movements = faces(5)
    means = both_sides(movements)
    assert list(means.columns) == list(facs.reliable().index) and len(means) == 5
    assert {"headYaw", "gazeUp"} <= set(means.columns) and "noseSneer" not in means
    right, left = (movements[:, COLUMNS.index(f"browDown{side}")] for side in facs.SIDES)
    assert means["browDown"].to_numpy() == pytest.approx((right + left) / 2, abs=1e-6)
