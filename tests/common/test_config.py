"""What is wrong with a config, and what a model's training sees of it."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from facesort.common.config import config_errors, model_settings

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


DEFAULT, BEYOND = load("config.yaml"), load("configs/beyond.yaml")


def beyond(path, value):
    """The default config with all models beyond the paper's, and one key of theirs changed."""
    config = deepcopy(DEFAULT)
    config["models"] |= deepcopy(BEYOND["models"])
    *blocks, key = path.split(".")
    place = config["models"]
    for block in blocks:
        place = place[block]
    place[key] = value
    return config


def test_the_models_beyond_the_papers_have_a_right_config():
    assert config_errors(DEFAULT | {"models": DEFAULT["models"] | BEYOND["models"]}) == []


def test_the_configs_for_a_gpu_go_together():
    config = deepcopy(DEFAULT)
    for path in ("configs/beyond.yaml", "configs/gpu.yaml"):
        update_config(config, load(path))
    assert config_errors(config) == [] and config["models"]["transfer"]["backbone"] == "resnet18"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("transformer.heads", 5, "5 do not divide 128"),
        ("transformer.patch", 1, "1 is less than"),
        ("transfer.backbone", "vgg", "resnet18"),
        ("transfer.weights", "none.pth", "none.pth: no such file"),
        ("transfer.weights", ".", ".: no such file"),
        ("transfer.frozen", True, "models.transfer.weights"),
        ("transfer.view", "landmarks", "faces"),
        ("transfer.phases.classify.augment.shift", 0.6, "maximum of 0.5"),
        ("transfer.phases.classify.balance", 2, "maximum of 1"),
        ("supervised.mirror", "yes", "mirror image"),
    ],
)
def test_a_wrong_key_of_theirs_is_named(path, value, words):
    errors = config_errors(beyond(path, value))
    assert len(errors) == 1
    assert errors[0].startswith(f"models.{path}: ") and words in errors[0]


@pytest.mark.parametrize(("key", "value"), [("balance", 0), ("augment", None)])
def test_only_classifying_has_options_of_its_own(key, value):
    (error,) = config_errors(beyond(f"semi_supervised.phases.reconstruct.{key}", value))
    assert error.startswith("models.semi_supervised.phases.reconstruct: ") and key in error


def test_changes_may_be_turned_off():
    assert config_errors(beyond("transfer.phases.classify.augment", None)) == []


def test_training_does_not_see_whether_faces_will_be_mirrored():
    config = beyond("transfer.mirror", True)
    assert "mirror" not in model_settings(config, "transfer", "rgb")
    assert config["models"]["transfer"]["mirror"]


def blocks(**changes):
    """The default config with the models beyond the paper's, and some keys changed."""
    config = deepcopy(DEFAULT)
    config["models"] |= BEYOND["models"]
    return config | {name: config[name] | block for name, block in changes.items()}


def test_a_config_without_comparisons_is_named(tmp_path):
    block = BEYOND["models"]["triplet"]
    assert config_errors(blocks()) == []
    (tmp_path / "manifest.csv").touch()
    data = {"manifest": str(tmp_path / "manifest.csv"), "labelled": str(tmp_path)}
    (error,) = config_errors(blocks(data=data))
    assert error.startswith("models.triplet: a manifest") and "fec_csv" in error
    (error,) = config_errors(blocks(models={"triplet": block | {"filters": [8] * 6}}))
    assert error.startswith("models.triplet.filters: 6 halvings leave nothing of 36 pixels")
    (error,) = config_errors(blocks(models={"triplet": block | {"agreement": 0.5}}))
    assert error.startswith("models.triplet.agreement")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, None),
        ({"faces": "pile"}, None),
        ({"faces": "pile", "labelled": "pile"}, None),
        ({"fec_csv": "a.csv"}, None),
        ({"manifest": "a.csv"}, None),
        ({"labelled": "pile"}, "data: set one of fec_csv, manifest, faces beside labelled"),
        ({"fec_csv": "a.csv", "faces": "pile"}, "data.faces: set one of .* not fec_csv and faces"),
        ({"fec_csv": "a.csv", "manifest": "a.csv"}, "data.manifest: set one of"),
        ({"faces": "none"}, "data.faces: none: no such file or folder"),
        ({"faces": "a.csv"}, "data.faces: a.csv: not a folder"),
    ],
)
def test_one_pool_is_named_and_labels_may_be_missing(tmp_path, monkeypatch, data, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    (tmp_path / "a.csv").touch()
    errors = config_errors(DEFAULT | {"data": DEFAULT["data"] | data})
    assert len(errors) == (complaint is not None)
    assert all(re.match(complaint, error) for error in errors)


def test_without_labelled_faces_none_can_join_the_pool(tmp_path):
    changes = {"data": {"faces": str(tmp_path)}, "faces": {"train_joins_pool": True}}
    (error,) = config_errors(blocks(**changes))
    assert error.startswith("faces.train_joins_pool: ") and "data.labelled" in error


def test_a_folder_of_faces_holds_no_comparisons(tmp_path):
    data = {"faces": str(tmp_path), "labelled": str(tmp_path)}
    (error,) = config_errors(blocks(data=data))
    assert error.startswith("models.triplet: a folder of faces (data.faces) holds no comparisons")
    # Without labelled faces the model is left out anyway.
    assert config_errors(blocks(data=data | {"labelled": None})) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("layout", "imagenet", "auto, folders, affectnet"),
        ("numbers", "imagenet", "auto, affectnet, raf_db"),
        ("numbers", ["sad"], "list of emotions"),
        ("columns", {"face": "x"}, "face"),
        ("unmatched", 2, "maximum of 1"),
    ],
)
def test_a_wrong_key_of_the_labelled_set_is_named(key, value, words):
    (error,) = config_errors(blocks(data={key: value}))
    assert error.startswith(f"data.{key}: ") and words in error


def test_the_labelled_set_is_a_folder(tmp_path):
    (tmp_path / "labels.csv").touch()
    data = {"fec_csv": str(tmp_path / "labels.csv"), "labelled": str(tmp_path / "labels.csv")}
    (error,) = config_errors(blocks(data=data))
    assert error.startswith("data.labelled: ") and "name its folder, and it in data.table" in error
