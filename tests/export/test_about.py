"""What model.json says, and that the documentation's example does what it says."""

import hashlib
import json
import re
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from small_run import ROOT

from facesort.archive.face_detector import session
from facesort.archive.model_views import MARGIN, View
from facesort.common.emotions import EMOTIONS
from facesort.export.about import about_detector, about_model, look_thresholds
from facesort.export.onnx_files import PRECISIONS, write_float32
from facesort.export.views import OUTPUTS, ByPictures, module_of
from facesort.faces.alignment import STABLE
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.movements import movements
from facesort.faces.spread import Spread
from facesort.train.classifying import answers_of
from facesort.train.models import build

sys.path.insert(0, str(ROOT / "tests/benchmarks"))
from movements_on_rendered_faces import rendered

MADE = {"model": "supervised", "variant": "cropped", "seed": 0, "code": "c", "data": {}}
MADE |= {"emotions": [name for name in EMOTIONS if name != "fear"]}


def told(folder, view, variant="cropped", **more):
    for precision in PRECISIONS:
        (folder / f"{precision}.onnx").write_bytes(precision.encode())
    settings = {"border": 3, "pool_landmarks": None, "thresholds": {}, "told_by": 80}
    about = about_model(MADE | {"variant": variant}, view, folder, calibrated=64, **settings | more)
    return json.loads(json.dumps(about))


def test_files_shapes_and_labels(tmp_path):
    about = told(tmp_path, View("faces", (18, 18, 3), "cropped"))
    digest = hashlib.sha256(b"int8").hexdigest()
    assert about["files"]["int8"] == {"file": "int8.onnx", "bytes": 4, "sha256": digest}
    assert about["inputs"]["faces"]["shape"] == ["faces", 18, 18, 3]
    assert list(about["outputs"]) == ["probabilities"]
    assert about["labels"] == list(EMOTIONS) and about["never_answered"] == ["fear"]
    alignment = about["alignment"]
    assert (alignment["side"], alignment["cut"]) == (24, 3)
    assert alignment["square_by_longer_side"] == MARGIN


def test_a_persons_own_path_is_told_by_its_name_alone(tmp_path, monkeypatch):
    data = {"results/rgb/labelled.npy": "a", "/home/someone/start\n.pth": "b"}
    monkeypatch.setitem(MADE, "data", data)
    about = told(tmp_path, View("faces", (18, 18, 3), "cropped"))
    assert about["made_from"]["data"] == {"results/rgb/labelled.npy": "a", "start\\n.pth": "b"}


def test_one_channel_windows_and_places_are_told(tmp_path, landmarks):
    grey = told(tmp_path, View("faces", (24, 24, 1), "grayscale"), "grayscale")
    assert "BT.601" in grey["inputs"]["faces"]["channels"] and grey["alignment"]["cut"] == 0
    meshed = told(tmp_path, View("movements", (87,), "rgb"), "rgb")
    assert meshed["inputs"]["faces"]["shape"] == ["faces", 256, 256, 3]
    assert meshed["inputs"]["windows"]["shape"] == ["faces", 2, 3]
    assert tuple(meshed["outputs"]) == OUTPUTS["movements"]
    assert "jawOpen" in meshed["outputs"]["strengths"]["names"] and "Apache" in meshed["licence"]
    aligned = View("aligned", (48, 48, 3), "rgb")
    about = told(tmp_path, aligned, "rgb", pool_landmarks=landmarks)
    assert np.shape(about["alignment"]["places"]) == (len(STABLE), 2)


def test_thresholds_are_those_from_which_on_nine_of_ten_are_right():
    labels = np.repeat(["happy", "sad"], 40)
    answers = np.zeros((80, 8))
    answers[:, EMOTIONS.index("happy")] = np.linspace(1, 0.6, 80)
    found = look_thresholds(answers, labels)
    # Of the first 44 faces 40 are happy.
    assert found["happy"] == pytest.approx(answers[43].max(), abs=1e-3)
    none = look_thresholds(answers, np.repeat("anger", 80))
    assert set(none.values()) == {None}


def test_the_detector_is_told(tmp_path):
    path = tmp_path / "float16.onnx"
    path.write_bytes(b"x")
    about = about_detector(path)
    assert about["inputs"]["input"]["less"] == [104, 117, 123]
    assert about["files"]["float16"]["bytes"] == 1


def examples():
    text = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_the_example_of_the_docs_runs(tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    settings = {"filters": 4, "blocks": [1, 1], "dense": 8, "initializer": "he_uniform"}
    model = build("supervised", (48, 48, 3), settings).eval()
    tell = answers_of(model, list(EMOTIONS), False)
    folder = tmp_path / "export"
    folder.mkdir()
    faces = np.zeros((2, 48, 48, 3), np.uint8)
    view = View("faces", (48, 48, 3), "rgb")
    about = told(folder, view, "rgb")
    (folder / "model.json").write_text(json.dumps(about))
    example = {"faces": faces}
    write_float32(ByPictures(model, tell), example, ("probabilities",), folder / "float16.onnx")
    picture = np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "face.png")
    monkeypatch.chdir(tmp_path)
    exec(examples()[0], {})
    name, probability = capsys.readouterr().out.split()
    seen = np.asarray(Image.open("face.png").convert("RGB").resize((48, 48), Image.Resampling.BOX))
    (own,) = session(folder / "float16.onnx").run(None, {"faces": seen[None]})[0]
    assert name == EMOTIONS[own.argmax()]
    assert float(probability) == pytest.approx(own.max(), abs=0.005)


def test_the_example_of_the_label_free_row_finds_the_windows_that_the_workflow_finds(
    tmp_path, monkeypatch, capsys
):
    """By the module itself in the place of its file, which takes long to write."""
    faces, _ = rendered(1, seed=3)
    strengths = movements(np.random.default_rng(0).random((30, 478, 3), np.float32) * 50)
    usual = Spread(strengths, np.ones(30))
    model = build("action_units", (strengths.shape[1],), {"answer_by": ["prototypes"]})
    tell = answers_of(model, list(EMOTIONS), False)
    module = module_of("movements", model, tell, usual)
    found = []

    class Session:
        def __init__(self, path):
            assert path == "export/float16.onnx"

        def run(self, _, given):
            with torch.inference_mode():
                found[:] = (each.numpy() for each in module(*map(torch.from_numpy, given.values())))
            return found

    (tmp_path / "export").mkdir()
    about = told(tmp_path / "export", View("movements", (strengths.shape[1],), "rgb"), "rgb")
    (tmp_path / "export/model.json").write_text(json.dumps(about))
    Image.fromarray(faces[0]).save(tmp_path / "face.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    exec(examples()[1], {})
    name, _, presence = capsys.readouterr().out.split()
    points, own = FaceMesh(1).find(faces)
    eyes = np.linalg.norm(points[0, 33] - points[0, 263])
    assert np.linalg.norm(found[2][0] - points[0], axis=1).mean() < 0.05 * eyes
    assert name in EMOTIONS and float(presence) == pytest.approx(own[0], abs=0.1)
