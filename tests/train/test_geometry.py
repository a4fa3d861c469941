"""The model that sees landmarks alone."""

import numpy as np
import pytest
import torch

from facesort.faces.procrustes import POINTS
from facesort.train.models import build
from facesort.train.saving import load_model, save_model


def test_geometry_tells_open_mouths_from_closed(landmarks, tmp_path):
    model = build("geometry", (POINTS, 3), {"dimensions": 3, "whitenings": [0.0, 1.0]})
    model.fit(landmarks, np.arange(200), None, 0)
    for candidate in (0.0, 1.0):
        model.choose(candidate)
        seen = model.embed(torch.from_numpy(landmarks)).numpy()
        assert (seen**2).mean() == pytest.approx(1, rel=0.05)
    first = seen[:, 0]
    assert abs(first[::2].mean() - first[1::2].mean()) > 5 * first[::2].std()
    about = {"model": "geometry", "shape": [POINTS, 3]}
    about["settings"] = {"dimensions": 3, "whitenings": [0.0, 1.0]}
    save_model(tmp_path / "model", model, about, [])
    loaded, _ = load_model(tmp_path / "model")
    assert np.allclose(loaded.embed(torch.from_numpy(landmarks)).numpy(), seen, atol=1e-5)
