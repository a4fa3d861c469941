"""What exported modules answer, beside the workflow's own code, whatever a model sees."""

import numpy as np
import pytest
import torch
from made_landmarks import pictured

from facesort.common.emotions import EMOTIONS
from facesort.export.views import OUTPUTS, by_workflow, inputs_of, module_of
from facesort.faces.movements import movements
from facesort.faces.spread import Spread
from facesort.train.classifying import answers_of
from facesort.train.models import build


@pytest.fixture(scope="module")
def faces():
    """Pictures of no face, and landmarks that a face may have."""
    return pictured()


def models():
    torch.manual_seed(0)
    settings = {"filters": 4, "blocks": [1, 1], "dense": 8, "initializer": "he_uniform"}
    seen = len(movements(np.ones((1, 478, 3), np.float32)).columns)
    return {
        "faces": build("supervised", (60, 60, 3), settings),
        "landmarks": build("engineered_linear", (478, 3), {"balance": True}),
        "movements": build("action_units", (seen,), {"answer_by": ["prototypes"]}),
    }


@pytest.mark.parametrize("kind", ["faces", "landmarks", "movements"])
def test_a_module_answers_as_the_workflow_does(kind, faces, landmarks):
    pictures, points = faces
    strengths = movements(points)
    usual = Spread(strengths, np.ones(len(strengths)))
    model = models()[kind].eval()
    if kind == "landmarks":
        model.fit(landmarks, np.arange(len(landmarks)), np.arange(len(landmarks)) % 8, 0)
    tell = answers_of(model, list(EMOTIONS), False)
    given = inputs_of(kind, pictures[:3], points[:3])
    own = by_workflow(kind, tell, usual, given)
    with torch.inference_mode():
        found = module_of(kind, model, tell, usual)(*map(torch.from_numpy, given.values()))
    told = found if kind == "faces" else found[0]
    assert np.allclose(told, own, atol=1e-3) and np.allclose(own.sum(1), 1, atol=1e-5)
    assert len(OUTPUTS[kind]) == (1 if kind == "faces" else len(found))
