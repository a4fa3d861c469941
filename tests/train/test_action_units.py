"""The model that no label teaches."""

import numpy as np
import pytest
import torch

from facesort.common.emotions import EMOTIONS
from facesort.faces import facs
from facesort.faces.units import features, used_movements
from facesort.train.models import build
from facesort.train.saving import load_model, save_model

COLUMNS = facs.columns(facs.table())
SETTINGS = {"answer_by": ["prototypes", "rendered_faces"]}


def faces(**strengths):
    """Faces of noise, of which the first ten show movements so strongly: float32 (400, M)."""
    seen = np.random.default_rng(0).normal(0, 1, (400, len(COLUMNS))).astype(np.float32)
    seen[:10] = 0
    for name, strength in strengths.items():
        sides = [column for column in COLUMNS if column.startswith(name)]
        assert sides
        seen[:10, [COLUMNS.index(column) for column in sides]] = strength
    return seen


def answers(seen):
    """The model that has learnt from these faces, and its answers to the first ten."""
    model = build("action_units", seen.shape[1:], SETTINGS)
    model.fit(seen, np.arange(len(seen)), None, 0)
    found = model.classify(torch.from_numpy(seen[:10]))
    return model, {EMOTIONS[number] for number in found.argmax(1).tolist()}


SMILE = {"mouthSmile": 3, "lipCornerUp": 3, "lipCornerToCheek": 3, "lowerLidRaise": 2}
BROWS_UP = dict.fromkeys(("browInnerUp", "browOuterUp", "browOuterRaise", "browArch"), 3)
OPEN = {"mouthOpening": 3, "jawOpen": 3, "jawDrop": 3}
LOWERED = {"browDown": 3, "browLower": 3, "eyeSquint": 3}
PRESSED = {"lipsThin": 3, "mouthPress": 3, "mouthRollLower": 2}


@pytest.mark.parametrize(
    ("shown", "emotion"),
    [
        (SMILE | {"mouthOpening": 2}, "happy"),
        (BROWS_UP | OPEN | {"eyeOpening": 3}, "surprise"),
        (LOWERED | PRESSED, "anger"),
        ({}, "neutral"),
        ({"mouthFrown": 3, "lipCornerDown": 3, "browOblique": 3, "browInnerUp": 2}, "sad"),
        ({"mouthSmileLeft": 3, "lipCornerUpLeft": 3, "lipCornerToCheekLeft": 3}, "contempt"),
    ],
)
def test_textbook_faces_are_called_by_their_emotion(shown, emotion):
    assert answers(faces(**shown))[1] == {emotion}


def test_head_gaze_and_what_is_not_found_change_nothing():
    used = used_movements()
    assert not {"headYaw", "gazeAcross", "noseSneer", "mouthFunnel"} & set(used.index)
    seen = faces(**SMILE)
    model, _ = answers(seen)
    x = torch.from_numpy(seen)
    other = x.clone()
    unused = [c for c in COLUMNS if c not in facs.columns(used)]
    other[:, [COLUMNS.index(column) for column in unused]] = 4
    assert torch.equal(model.classify(x), model.classify(other))
    assert model.embed(x).shape == (400, len(features(used)))


def test_labels_are_not_looked_at():
    seen = faces(**SMILE)
    told = []
    for labels in (None, np.zeros(400, int), np.arange(400) % 8):
        model = build("action_units", seen.shape[1:], SETTINGS)
        model.fit(seen, np.arange(400), labels, 0)
        told.append(model.classify(torch.from_numpy(seen)))
    assert torch.equal(told[0], told[1]) and torch.equal(told[0], told[2])


def test_it_comes_back_from_disk_and_a_face_that_says_nothing_has_an_answer(tmp_path):
    seen = faces()
    model, _ = answers(seen)
    about = {"model": "action_units", "shape": list(seen.shape[1:]), "settings": SETTINGS}
    save_model(tmp_path / "model", model, about, [])
    loaded, _ = load_model(tmp_path / "model")
    x = torch.zeros(3, len(COLUMNS))
    assert torch.equal(loaded.classify(x), model.classify(x))
    assert loaded.classify(x).exp().isfinite().all()
    # A pool of one face, of which no movement varies.
    alone = build("action_units", seen.shape[1:], SETTINGS)
    alone.fit(seen[:1], np.arange(1), None, 0)
    assert alone.classify(x).isfinite().all()


def test_another_table_of_movements_is_no_input():
    with pytest.raises(ValueError, match="3 movements"):
        build("action_units", (3,), SETTINGS)
