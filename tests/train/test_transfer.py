"""Transfer: weights of a file, of a package or none, and what a frozen backbone keeps."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
import yaml
from learning import learn
from safetensors.torch import save_file

from facesort.common.config import model_settings
from facesort.common.job import InputError
from facesort.pages.architecture import plot_architecture
from facesort.train.engine import Phase
from facesort.train.models import build
from facesort.train.models.backbones import pretrained
from facesort.train.models.description import describe
from facesort.train.saving import load_model, save_model

ROOT = Path(__file__).resolve().parents[2]
BEYOND = yaml.safe_load((ROOT / "configs/beyond.yaml").read_text(encoding="utf-8"))
# One backbone at the size of the faces, whatever the config names: its numbers can be asserted.
LITE0 = model_settings(BEYOND, "transfer", "rgb")
SETTINGS = LITE0 | {"backbone": "resnet18", "weights": None, "enlarge": None}
BACKBONES = yaml.safe_load(
    (ROOT / "workflow_scripts/config.schema.yaml").read_text(encoding="utf-8")
)["properties"]["models"]["properties"]["transfer"]["properties"]["backbone"]["anyOf"][0]["enum"]


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(1)
    return torchvision.models.resnet18(weights=None).state_dict()


def assert_backbone_is(model, state):
    ours = model.backbone.state_dict()
    assert len(ours) == len(state) - 2  # without the last layer
    for key, tensor in ours.items():
        assert torch.equal(tensor, state[key]), key


@pytest.mark.parametrize("shape", [(36, 36, 3), (48, 48, 1), (64, 64, 3)])
def test_resnet18_answers_in_the_right_shapes(shape):
    model = build("transfer", shape, SETTINGS)
    x = torch.rand(2, shape[2], *shape[:2])
    assert model.embed(x).shape == (2, 512)
    assert model.classify(x).shape == (2, 8)


@pytest.mark.parametrize("name", [*BACKBONES, LITE0["backbone"]])
def test_every_backbone_can_be_built_described_and_drawn(name):
    settings = SETTINGS | {"backbone": name}
    layers = describe("transfer", (64, 64, 3), settings)
    with torch.device("meta"):
        model = build("transfer", (64, 64, 3), settings)
        embedding = model.embed(torch.empty(2, 3, 64, 64))
    assert embedding.ndim == 2 and embedding.shape[1] == model.head[-1].in_features
    assert [layer["shape"] for layer in layers[-2:]] == [[8], [8]]
    assert plot_architecture(layers, [64, 64, 3], name).axes


def test_a_gray_face_is_a_colour_face_without_colour(state):
    model = build("transfer", (36, 36, 1), SETTINGS).eval()
    x = torch.rand(2, 1, 36, 36)
    assert torch.equal(model.embed(x), model.embed(x.repeat(1, 3, 1, 1)))


def test_the_backbone_sees_what_torchvisions_recipe_shows_it(state, tmp_path):
    torch.save(state, tmp_path / "w.pth")
    model = build("transfer", (64, 64, 3), SETTINGS).eval()
    model.start_from(str(tmp_path / "w.pth"))
    theirs = torchvision.models.resnet18(weights=None)
    theirs.load_state_dict(state)
    theirs.fc = torch.nn.Identity()
    x = torch.rand(2, 3, 64, 64)
    recipe = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(model.embed(x), theirs.eval()(recipe(x)))


def test_small_faces_are_enlarged_and_large_ones_left():
    model = build("transfer", (36, 36, 3), SETTINGS | {"enlarge": 48}).eval()
    x = torch.rand(1, 3, 36, 36)
    larger = torch.nn.functional.interpolate(x, (48, 48), mode="bilinear")
    torch.testing.assert_close(model.embed(x), model.embed(larger))
    sides = []
    model.backbone.conv1.register_forward_hook(lambda _, given, __: sides.append(given[0].shape[2]))
    for side in (36, 48, 64):
        model.embed(torch.rand(1, 3, side, side))
    assert sides == [48, 48, 64]


@pytest.mark.parametrize("kind", ["pth", "safetensors", "without the last layer", "old"])
def test_it_starts_from_a_files_weights(state, tmp_path, kind):
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    written = dict(state)
    if kind == "without the last layer":
        del written["fc.weight"], written["fc.bias"]
    if kind == "old":  # torchvision's own file of this network has no counts
        written = {key: each for key, each in written.items() if "num_batches" not in key}
    (save_file if kind == "safetensors" else torch.save)(written, path)
    model = build("transfer", (36, 36, 3), SETTINGS)
    head = model.head[-1].weight.clone()
    model.start_from(str(path))
    assert_backbone_is(model, state)
    assert torch.equal(model.head[-1].weight, head)


def test_it_starts_from_a_packages_weights_and_shows_them_what_they_know():
    model = build("transfer", (48, 48, 1), LITE0).eval()
    head = model.head[-1].weight.clone()
    model.start_from("package")
    whole = pretrained("package", LITE0["backbone"], model.names)
    assert all(torch.equal(each, whole[key]) for key, each in model.backbone.state_dict().items())
    assert torch.equal(model.head[-1].weight, head)
    x = torch.rand(2, 1, 128, 128)
    from_minus_one_to_one = 2 * x.repeat(1, 3, 1, 1) - 1
    torch.testing.assert_close(model.embed(x), model.backbone(from_minus_one_to_one))


def test_null_leaves_the_random_weights():
    model = build("transfer", (36, 36, 3), SETTINGS)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    model.start_from(None)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


class Code:
    def __reduce__(self):
        return (Path.touch, (Path("ran"),))


def write_damaged(path, state):
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[:-5000])


def write_code(path, state):
    path.write_bytes(pickle.dumps(Code(), protocol=2))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path, state: None, "No such file"),
        (lambda path, state: path.mkdir(), "directory"),
        (lambda path, state: path.write_bytes(b""), "damaged"),
        (lambda path, state: path.write_bytes(b"<html>not found</html>"), "damaged"),
        (write_damaged, "damaged"),
        (write_code, "damaged, or of another kind"),
        (lambda path, state: torch.save({"epoch": 3, "model": state}, path), "more than tensors"),
        (lambda path, state: torch.save([1], path), "state_dict"),
        (lambda path, state: torch.save({}, path), "lacks conv1.weight and"),
        (
            lambda path, state: torch.save({f"module.{k}": t for k, t in state.items()}, path),
            "lacks conv1.weight and",
        ),
        (
            lambda path, state: torch.save(
                state | {"layer1.2.conv1.weight": state["fc.bias"]}, path
            ),
            "has, beyond those, layer1.2.conv1.weight;",
        ),
        (
            lambda path, state: torch.save(state | {"conv1.weight": state["fc.bias"]}, path),
            "another shape conv1.weight;",
        ),
    ],
)
def test_a_wrong_file_is_named_in_one_line(state, tmp_path, monkeypatch, write, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "w.pth", state)
    model = build("transfer", (36, 36, 3), SETTINGS)
    with pytest.raises(InputError, match=words) as error:
        model.start_from("w.pth")
    line = str(error.value)
    assert line.startswith("models.transfer.weights: w.pth: ") and "\n" not in line
    assert not Path("ran").exists()


def test_damaged_safetensors_are_named(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match=r"w\.safetensors: not a readable"):
        build("transfer", (36, 36, 3), SETTINGS).start_from(str(path))


@pytest.fixture
def lit():
    """Dark faces of which the top, the bottom, the left or the right half is lit: four kinds."""
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 4
    faces = rng.integers(0, 60, (64, 36, 36, 3), np.uint8)
    for face, label in zip(faces, labels, strict=True):
        part = [face[:18], face[18:], face[:, :18], face[:, 18:]][label]
        part += 150
    return faces, labels


def train(model, faces, labels, rows, folder, epochs, **how):
    phase = Phase("classify", faces, rows, labels, epochs, "adamw", 0.003, **how)
    return learn(model, phase, folder, batch_size=16)


@pytest.mark.parametrize("frozen", [False, True])
def test_it_learns_and_a_frozen_backbone_keeps_every_number(lit, tmp_path, frozen):
    torch.manual_seed(0)
    model = build("transfer", (36, 36, 3), SETTINGS | {"frozen": frozen, "dropout": 0.0})
    before = {key: tensor.clone() for key, tensor in model.backbone.state_dict().items()}
    history = train(model, *lit, np.arange(48), tmp_path, epochs=15 if frozen else 5)
    assert history[-1].accuracy > (0.6 if frozen else 0.9)
    after = model.backbone.state_dict()
    changed = [key for key, tensor in after.items() if not torch.equal(tensor, before[key])]
    assert changed == [] if frozen else len(changed) == len(before)
    model.eval()
    assert not any(module.training for module in model.backbone.modules())


def test_a_last_batch_of_one_tiny_face_does_no_harm(tmp_path):
    """At 24 pixels resnet18 ends in one place: a lone face has no variance."""
    faces = np.random.default_rng(0).integers(0, 256, (3, 24, 24, 1), np.uint8)
    model = build("transfer", (24, 24, 1), SETTINGS)
    train(model, faces, np.arange(3), np.arange(3), tmp_path, epochs=1, batch_size=2)
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())


def test_a_saved_model_needs_no_file_of_weights(tmp_path):
    settings = SETTINGS | {"weights": str(tmp_path / "gone.pth"), "frozen": True}
    model = build("transfer", (36, 36, 3), settings).eval()
    about = {"model": "transfer", "shape": [36, 36, 3], "settings": settings}
    save_model(tmp_path / "model", model, about, [])
    back, _ = load_model(tmp_path / "model")
    x = torch.rand(2, 3, 36, 36)
    assert torch.equal(back.classify(x), model.classify(x))
