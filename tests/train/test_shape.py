"""Shapes of faces without their pose and asymmetry."""

import numpy as np
import torch
from made_landmarks import turned

from facesort.faces.procrustes import FACE_POINTS
from facesort.train.models.shape import Normalised, polar, rotations


def test_pose_and_asymmetry_are_taken_out(template, landmarks):
    normalised = Normalised()
    normalised.fit(landmarks)
    shapes = normalised(torch.from_numpy(landmarks)).numpy()
    spread = shapes[::2].std(0).mean() / shapes.std()
    assert spread < 0.02
    generator = np.random.default_rng(5)
    same = np.array([turned(template, generator) for _ in range(10)], np.float32)
    assert normalised(torch.from_numpy(same)).std(0).mean() < 5e-4
    lopsided = same.copy()
    lopsided[:, 0] += 0.5
    half = FACE_POINTS // 2
    mirrored = lopsided[:, np.r_[half:FACE_POINTS, :half]] * np.float32([-1, 1, 1])
    both = (normalised(torch.from_numpy(one)) for one in (lopsided, mirrored))
    assert (next(both) - next(both)).abs().mean() < 2e-4


def test_exported_files_turn_shapes_as_the_workflow_does_mirrored_ones_too():
    products = torch.randn(2000, 3, 3, generator=torch.Generator().manual_seed(0))
    values, mirrored = torch.linalg.svdvals(products), torch.linalg.det(products) < 0
    # Where the two smallest can be told apart, as turning over needs.
    clear = values[:, 1] - values[:, 2] > 0.05 * values[:, 0]
    assert 0.4 < mirrored[clear].float().mean() < 0.6
    turns = polar(products)[clear]
    torch.testing.assert_close(turns, rotations(products)[clear], atol=1e-4, rtol=0)
    assert torch.linalg.det(turns).min() > 0.999
