"""A set's median and spread, and movements set against them."""

import numpy as np
import pandas as pd
import pytest

from facesort.faces.spread import MOST, Spread, median_and_spread, standardised


def test_odd_faces_move_neither_and_what_hardly_varies_has_no_spread():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.normal(5, 2, 4000), np.full(4000, 0.3)])
    values[:40] = 1e6
    median, spread = median_and_spread(values)
    assert median == pytest.approx([5, 0.3], abs=0.1)
    assert spread == pytest.approx([2, 0], rel=0.05)


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


def test_a_sample_tells_what_is_usual_and_faces_may_come_in_parts():
    strengths, _ = made()
    usual = Spread(strengths[:300], np.ones(300))
    assert np.array_equal(usual(strengths[:300]), standardised(strengths[:300], np.ones(300)))
    whole = usual(strengths)
    parts = np.concatenate([usual(strengths[:7]), usual(strengths[7:])])
    assert np.allclose(parts, whole, atol=1e-6)
    assert abs(whole[300:] - standardised(strengths, np.ones(400))[300:]).mean() < 0.1
