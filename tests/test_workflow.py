"""The whole workflow at a small size: its results, and what reruns when something changes."""

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "demo": {"photos": 60, "rows": 120, "per_emotion": 16},
    "faces": {"size": 24, "border": 3, "sample": 60},
    "split": {"naming": 3},
    "variants": ["rgb", "cropped"],
    "models": {
        "stacked": {"widths": [32, 16], "phases": {"reconstruct": {"epochs": 1}}},
        "convolutional": None,
        "semi_supervised": {
            "filters": [4, 4, 8, 8, 8, 8],
            "phases": {"reconstruct": {"epochs": 1}, "classify": {"epochs": 1}},
        },
        "supervised": None,
    },
    "clustering": {"starts": 1},
    "table": {"resamples": 100},
}


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    SMALL["demo"]["port"] = probe.getsockname()[1]


def snakemake(folder, *arguments, cores=2, expect=0):
    """Run Snakemake in a copy of the project, and return all that it printed."""
    command = ["snakemake", "--configfile", "small.yaml", "--cores", str(cores), *arguments]
    result = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert result.returncode == expect, result.stdout[-5000:]
    return result.stdout


def would_run(folder, *arguments):
    """The rules that a dry run would run."""
    printed = snakemake(folder, "-n", "--quiet", "rules", *arguments)
    return set(re.findall(r"^(\w+) +\d+$", printed, re.M)) - {"total", "all"}


def copy_project(folder):
    """The project in a new folder, with the small config."""
    parts = ("Snakefile", "config.yaml", "rules", "envs", "workflow_scripts")
    folder.mkdir()
    for part in parts:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, run once."""
    folder = copy_project(tmp_path_factory.mktemp("a project") / "façade")
    snakemake(folder)
    return folder


def test_the_table_and_its_pictures_are_there(project):
    table = pd.read_csv(project / "results/table1.csv")
    assert list(table["model"]) == ["stacked"] * 2 + ["semi_supervised"] * 2
    assert list(table["variant"]) == ["rgb", "cropped"] * 2
    assert table["n_test"].nunique() == 1
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert (table["oracle_accuracy"] >= table["accuracy"]).all()
    pictures = list((project / "results").rglob("figures/*.png"))
    # Confusion, losses, history; two architectures; maps, clusters, reconstructions of the cells.
    assert len(pictures) == 3 + 2 + 4 + 2 + 4
    for path in pictures:
        with Image.open(path) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 50, path


def test_the_encoder_learns_before_the_classifier_whatever_the_configs_order(project):
    # `yaml.safe_dump` has put "classify" first.
    history = project / "results/rgb/semi_supervised/seed0/model/history.jsonl"
    phases = [json.loads(line)["phase"] for line in history.read_text().splitlines()]
    assert phases == ["reconstruct", "classify"]
