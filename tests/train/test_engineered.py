"""The models that learn from named measures of landmarks."""

import numpy as np
import pytest
import torch

from facesort.common.emotions import EMOTIONS
from facesort.faces.procrustes import POINTS
from facesort.train.models import build
from facesort.train.models.engineered import MEASURES
from facesort.train.saving import load_model, save_model


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_engineered_features_learn_and_come_back_from_disk(kernel, landmarks, tmp_path):
    labels = np.where(np.arange(200) % 2, EMOTIONS.index("surprise"), EMOTIONS.index("neutral"))
    name = f"engineered_{kernel}"
    model = build(name, (POINTS, 3), {"balance": True})
    model.fit(landmarks, np.arange(100), labels, 0)
    x = torch.from_numpy(landmarks)
    answers = model.classify(x).argmax(1).numpy()
    assert (answers[100:] == labels[100:]).mean() > 0.95
    assert model.embed(x).shape == (200, len(MEASURES))
    about = {"model": name, "shape": [POINTS, 3], "settings": {"balance": True}}
    save_model(tmp_path / "model", model, about, [])
    loaded, _ = load_model(tmp_path / "model")
    assert torch.equal(loaded.classify(x), model.classify(x))
