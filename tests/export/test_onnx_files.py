"""Files of three precisions: what they hold, and that they answer as torch does."""

import sys

import numpy as np
import onnx
import pytest
import torch
from small_run import ROOT
from torch import nn

from facesort.archive import face_detector
from facesort.archive.face_detector import session
from facesort.common.emotions import EMOTIONS
from facesort.export.onnx_files import (
    OPSET,
    PRECISIONS,
    answers,
    to_float16,
    to_int8,
    weighing,
    write_float32,
)
from facesort.export.views import OUTPUTS, ByPictures, by_workflow, inputs_of, module_of
from facesort.faces.face_mesh import FaceMesh
from facesort.faces.movements import movements
from facesort.faces.spread import Spread
from facesort.train.classifying import answers_of
from facesort.train.models import build

sys.path.insert(0, str(ROOT / "tests/benchmarks"))
from movements_on_rendered_faces import rendered


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    settings = {"filters": 16, "blocks": [2, 2], "dense": 64, "initializer": "he_uniform"}
    return build("supervised", (24, 24, 3), settings).eval()


@pytest.fixture(scope="module")
def faces():
    smooth = np.random.default_rng(0).integers(0, 256, (48, 6, 6, 3), np.uint8)
    return {"faces": smooth.repeat(4, 1).repeat(4, 2)}


@pytest.fixture(scope="module")
def files(model, faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    paths = {name: folder / f"{name}.onnx" for name in PRECISIONS}
    tell = answers_of(model, [name for name in EMOTIONS if name != "fear"], True)
    example = {"faces": faces["faces"][:2]}
    write_float32(ByPictures(model, tell), example, ("probabilities",), paths["float32"])
    to_float16(paths["float32"], paths["float16"])
    to_int8(paths["float32"], paths["int8"], faces)
    return paths, tell


@pytest.mark.parametrize("precision", PRECISIONS)
def test_only_standard_operators_of_the_named_opset(files, precision):
    loaded = onnx.load(files[0][precision])
    assert {each.domain: each.version for each in loaded.opset_import}[""] == OPSET
    assert {node.domain for node in loaded.graph.node} <= {"", "ai.onnx"}
    onnx.checker.check_model(loaded, full_check=True)


def test_float32_answers_as_torch_does(files, faces):
    paths, tell = files
    with torch.inference_mode():
        own = tell(torch.from_numpy(faces["faces"]).permute(0, 3, 1, 2).float() / 255).numpy()
    told = answers(session(paths["float32"]).run, faces)
    assert np.allclose(told, own, atol=1e-4)
    # What was not learnt is never answered, whatever the number of faces.
    assert (told[:, EMOTIONS.index("fear")] == 0).all()
    alone = answers(session(paths["float32"]).run, {"faces": faces["faces"][:1]})
    assert np.allclose(alone, told[:1], atol=1e-6)


def test_smaller_files_answer_nearly_the_same(files, faces):
    paths, _ = files
    own = answers(session(paths["float32"]).run, faces)
    for precision, bytes_of, far in (("float16", 0.55, 0.01), ("int8", 0.4, 0.1)):
        told = answers(session(paths[precision]).run, faces)
        assert 0 < abs(told - own).max() < far
        size = paths[precision].stat().st_size / paths["float32"].stat().st_size
        assert size < bytes_of, precision


def test_large_layers_become_whole_numbers_but_for_the_last_ones(files):
    loaded = onnx.load(files[0]["float32"])
    kinds = ("Conv", "Gemm", "Relu", "MaxPool")
    layers = [node.name for node in loaded.graph.node if node.op_type in kinds]
    chosen = weighing(loaded)
    assert len(weighing(loaded, {"model.dense.1.weight"})) == len(chosen) - 2
    # The mirrored picture goes through the same layers again.
    assert 0 < len(chosen) < len(layers) and set(chosen) < set(layers)
    weights = {w.name: w for w in onnx.load(files[0]["int8"]).graph.initializer}
    whole = [w for w in weights.values() if w.data_type == onnx.TensorProto.INT8]
    assert max(int(np.prod(w.dims)) for w in whole) == 12 * 12 * 16 * 64
    assert not any(list(w.dims) in ([64, 8], [8, 64]) for w in whole)


def test_weights_too_large_for_float16_stay(tmp_path):
    layer = nn.Linear(32, 32)
    nn.init.constant_(layer.weight, 1e6)
    path = tmp_path / "wide.onnx"
    write_float32(layer, {"x": np.ones((2, 32), np.float32)}, ("y",), path)
    before = session(path).run(None, {"x": np.ones((1, 32), np.float32)})[0]
    to_float16(path, path)
    after = session(path).run(None, {"x": np.ones((1, 32), np.float32)})[0]
    assert np.array_equal(before, after) and np.isfinite(after).all()


def test_the_detector_in_float16_sees_what_it_sees_in_float32(tmp_path, monkeypatch):
    path = tmp_path / "float16.onnx"
    to_float16(face_detector.MODEL, path)
    assert path.stat().st_size < 0.6 * face_detector.MODEL.stat().st_size
    x = np.random.default_rng(0).normal(0, 60, (1, 3, 64, 96)).astype(np.float32)
    for own, told in zip(
        session(face_detector.MODEL).run(None, {"input": x}),
        session(path).run(None, {"input": x}),
        strict=True,
    ):
        assert np.allclose(own, told, atol=0.02)


TRANSFORMER = {"patch": 8, "width": 16, "depth": 1, "heads": 2, "glimpses": 2, "dropout": 0.1}
SEMI = {"filters": [4] * 6, "pools": [2, 2, 2], "output": "sigmoid", "dense": [16, 8]}


@pytest.mark.parametrize(
    "name, settings", [("transformer", TRANSFORMER), ("semi_supervised", SEMI)]
)
def test_other_classifiers_of_pictures_are_written_too(name, settings, faces, tmp_path):
    torch.manual_seed(0)
    model = build(name, (24, 24, 3), settings).eval()
    tell = answers_of(model, list(EMOTIONS), True)
    path = tmp_path / "float32.onnx"
    write_float32(ByPictures(model, tell), {"faces": faces["faces"][:2]}, ("probabilities",), path)
    own = by_workflow("faces", tell, None, faces)
    assert np.allclose(answers(session(path).run, faces), own, atol=1e-4)


class Alone(nn.Module):
    """A model of landmarks without the network that finds them."""

    def __init__(self, model, tell):
        super().__init__()
        self.model, self.tell = model, tell

    def forward(self, points):
        return self.tell(points)


@pytest.mark.parametrize("name", ["engineered_linear", "engineered_rbf"])
def test_classifiers_of_landmarks_need_no_singular_values(name, landmarks, tmp_path):
    model = build(name, (478, 3), {"balance": True})
    model.fit(landmarks, np.arange(200), np.arange(200) % 8, 0)
    tell = answers_of(model, list(EMOTIONS), False)
    path = tmp_path / "float32.onnx"
    write_float32(Alone(model, tell), {"points": landmarks[:2]}, ("probabilities",), path)
    with torch.inference_mode():
        own = tell(torch.from_numpy(landmarks))
    assert np.allclose(answers(session(path).run, {"points": landmarks}), own, atol=1e-4)


@pytest.mark.slow
def test_the_label_free_file_answers_as_the_workflow_does(tmp_path):
    """LiteRT, NumPy and torch on one side, one file of standard operators on the other."""
    faces, _ = rendered(24, seed=5)
    points, presence = FaceMesh(1).find(faces)
    strengths = movements(points)
    usual = Spread(strengths, presence)
    model = build("action_units", (strengths.shape[1],), {"answer_by": ["prototypes"]})
    tell = answers_of(model, list(EMOTIONS), False)
    given = inputs_of("movements", faces, points)
    path = tmp_path / "float32.onnx"
    module = module_of("movements", model, tell, usual)
    write_float32(module, {k: v[:2] for k, v in given.items()}, OUTPUTS["movements"], path)
    assert {node.domain for node in onnx.load(path).graph.node} <= {"", "ai.onnx"}
    own = by_workflow("movements", tell, usual, given)
    assert np.allclose(answers(session(path).run, given), own, atol=1e-3)
    to_float16(path, path)
    assert path.stat().st_size < 4_000_000
    assert (answers(session(path).run, given).argmax(1) == own.argmax(1)).mean() > 0.9
