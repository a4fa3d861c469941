"""Digests that tell rules when to rerun, and how quickly the Snakefile is read."""

import os
import re
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from facesort.common import config as settings
from facesort.common.config import config_errors, model_settings
from facesort.common.digests import packages_digest, tree_digest
from facesort.common.run import clock_line, disk_error, read_only_error

ROOT = Path(__file__).resolve().parents[2]
PARSE = """
import time
from pathlib import Path
import snakemake.cli
from snakemake.api import OutputSettings, ResourceSettings, SnakemakeApi
began = time.process_time()
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))
    assert len(list(workflow._workflow.rules)) > 30
print("seconds", time.process_time() - began)
"""


def test_the_snakefile_is_read_in_under_a_second():
    """CPU time beyond Snakemake's own import: each job of a cluster does it. The best of three."""
    seconds = []
    for _ in range(3):
        command = [sys.executable, "-c", PARSE]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        seconds.append(float(re.search(r"^seconds (.*)$", done.stdout, re.M)[1]))
    assert min(seconds) < 1


def test_packages_count_by_name_and_version_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ENVS", tmp_path)
    digests = []
    for name, text in {
        "a": "# one\n- numpy==1\n- torch==2\n",
        "b": "- torch==2\n\n- numpy==1\n",
        "c": "- numpy==1\n- torch==3\n",
    }.items():
        (tmp_path / f"{name}.yaml").write_text(text)
        digests.append(packages_digest(name))
    assert digests[0] == digests[1] != digests[2]


def test_a_tree_is_another_when_any_file_in_it_is(tmp_path):
    folder = tmp_path / "tree"
    (folder / "sad").mkdir(parents=True)
    (folder / "sad/a.png").write_bytes(b"a")
    (folder / "sad/broken").symlink_to("/nowhere")

    def digest():
        tree_digest.cache_clear()
        return tree_digest(str(folder))

    seen = [digest()]
    assert digest() == seen[0]
    for change in (
        lambda: (folder / "sad/b.png").write_bytes(b"b"),
        lambda: (folder / "sad/b.png").write_bytes(b"bb"),
        lambda: os.utime(folder / "sad/b.png", (1, 1)),
        lambda: (folder / "sad").rename(folder / "happy"),
    ):
        change()
        seen.append(digest())
    assert len(set(seen)) == 5
    assert re.fullmatch("[0-9a-f]{16}", tree_digest(str(tmp_path / "none")))


def test_a_full_disk_is_an_error_and_a_missing_folder_is_none(tmp_path, monkeypatch):
    assert disk_error(tmp_path / "results") == read_only_error(tmp_path / "results") == ""
    usage = settings.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(settings.shutil, "disk_usage", lambda path: usage._replace(free=999_999))
    assert "no space left on this disk" in disk_error(tmp_path)


def test_a_file_from_the_future_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder/table.csv"
    path.write_text("")
    assert clock_line(tmp_path) == ""
    os.utime(path, (time.time() + 86400,) * 2)
    assert clock_line(tmp_path).startswith(f"error: {path} is from the future")


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
