"""Strengths of movements: on made faces, and on rendered ones."""

import sys

import numpy as np
import pytest
from small_run import ROOT
from test_canonical_face import face_turned

from facesort.faces.canonical_face import head_rotations
from facesort.faces.face_blendshapes import BLENDSHAPES
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.facs import columns, table
from facesort.faces.movements import measures, movements

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
