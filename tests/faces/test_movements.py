"""Strengths of movements: on made faces, on rendered ones, and set against their own spread."""

import sys

import numpy as np
import pandas as pd
import pytest
from small_run import ROOT
from test_canonical_face import face_turned

from facesort.faces.canonical_face import head_rotations
from facesort.faces.face_blendshapes import BLENDSHAPES
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.facs import columns, table
from facesort.faces.movements import measures, movements, standardised
from facesort.faces.spread import MOST

sys.path.insert(0, str(ROOT / "tests/benchmarks"))
from movements_on_rendered_faces import correlations, rendered

# Faces that the test renders. A correlation of so many strays by some .08.
SAMPLE, STRAY = 160, 0.2


@pytest.fixture(scope="module")
def sample():
    """Rendered faces of another seed than the table's: strengths, presence, truth."""
    faces, truth = rendered(SAMPLE, seed=7)
    points, presence = FaceMesh(1).find(faces)
    return movements(points), presence, truth


def test_every_column_is_a_movement_of_the_table(sample):
    strengths, _, _ = sample
    assert list(strengths.columns) == columns(table()) and set(BLENDSHAPES) < set(strengths)
    assert (strengths.dtypes == np.float32).all() and np.isfinite(strengths.to_numpy()).all()


def test_movements_that_the_table_calls_found_are_found(sample):
    found = correlations(*sample)["all"]
    told = table()
    checked = told.index[told["found"] == "yes"]
    assert len(checked) > 20
    for movement in checked:
        assert found[movement] > max(told.loc[movement, "all"] - STRAY, 0.08), movement


def test_measures_follow_what_is_moved_on_one_side_and_not_the_head():
    def measured(points):
        return {name: value[0] for name, value in measures(points, head_rotations(points)).items()}

    still = face_turned()
    moved = still.copy()
    moved[0, 61, 1] -= 4  # the right lip corner up
    moved[0, [55, 65, 66, 107], 1] += 2  # the right inner brow down
    before, after = measured(still), measured(moved)
    assert after["lipCornerUpRight"] > before["lipCornerUpRight"] + 0.05
    assert after["lipCornerDownRight"] < before["lipCornerDownRight"] - 0.05
    assert after["browLowerRight"] > before["browLowerRight"] + 0.02
    for name in ("lipCornerUpLeft", "lipCornerDownLeft", "browLowerLeft"):
        assert after[name] == pytest.approx(before[name], abs=0.01)
    looked_aside = measured(face_turned(yaw=20.0, pitch=-10.0, roll=15.0) * 2.5)
    for name in before:
        if not name.startswith("gaze"):  # the canonical face has no irises
            assert looked_aside[name] == pytest.approx(before[name], abs=1e-6), name


def made(faces=400):
    """Strengths of made faces: one that turning changes, one that rarely moves, one constant."""
    rng = np.random.default_rng(0)
    yaw, own = rng.uniform(-30, 30, faces), rng.normal(5, 2, faces)
    strengths = pd.DataFrame(
        {
            "turned": own + 8 * np.sin(np.radians(yaw)),
            "rare": (rng.random(faces) < 0.1) * 0.5,
            "constant": np.full(faces, 0.3),
            "headYaw": yaw,
            "headPitch": rng.normal(0, 5, faces),
            "headRoll": rng.normal(0, 5, faces),
        },
        dtype=np.float32,
    )
    return strengths, own


def test_standardised_takes_out_the_heads_turn_and_the_sets_own_spread():
    strengths, own = made()
    found = standardised(strengths, np.ones(400))
    assert found.shape == (400, 6) and found.dtype == np.float32
    assert abs(np.corrcoef(found[:, 0], strengths["headYaw"])[0, 1]) < 0.03
    assert np.corrcoef(found[:, 0], own)[0, 1] > 0.98
    assert np.allclose(np.median(found, axis=0), 0, atol=0.05)
    assert found[:, 0].std() == pytest.approx(1, abs=0.1)
    assert (found[:, 2] == 0).all() and (abs(found) <= MOST).all()
    assert found[strengths["rare"] > 0, 1].min() > 1, "what rarely moves is seen where it does"
    # The head's own turn stays, and another unit or brightness of the set says nothing.
    assert np.corrcoef(found[:, 3], strengths["headYaw"])[0, 1] > 0.99
    other = strengths.copy()
    other["turned"] = other["turned"] * 7 - 3
    assert np.allclose(standardised(other, np.ones(400))[:, 0], found[:, 0], atol=1e-3)


def test_faces_without_presence_say_nothing_of_the_others():
    strengths, _ = made()
    presence = np.ones(400)
    presence[:100] = 0.1
    spoilt = strengths.copy()
    spoilt.iloc[:100, 0] = 1e6
    found = standardised(spoilt, presence)
    assert np.array_equal(found[100:], standardised(strengths, presence)[100:])
    assert np.isfinite(found).all() and (found[:100, 0] == MOST).all()
    assert (standardised(strengths, np.zeros(400)) == 0).all()
    assert standardised(strengths[:1], np.ones(1)).tolist() == [[0] * 6]
