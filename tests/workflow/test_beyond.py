"""The rows beyond the paper that see landmarks, in a run of their own."""

import json

import numpy as np
import pandas as pd
import yaml
from small_run import ROOT, SMALL, copy_project, snakemake

BEYOND = yaml.safe_load((ROOT / "configs" / "beyond.yaml").read_text(encoding="utf-8"))


def test_rows_that_see_landmarks_stand_in_table_1(tmp_path):
    folder = copy_project(tmp_path / "project")
    blocks = {
        name: BEYOND["models"][name] for name in ("geometry", "selfsupervised", "engineered_linear")
    }
    contrast = blocks["selfsupervised"]["phases"]["contrast"] | {"epochs": 2, "batch_size": 32}
    small = SMALL | {
        "demo": SMALL["demo"] | {"photos": 40},
        "faces": SMALL["faces"] | {"size": 36, "aligned": 24, "train_joins_pool": True},
        "variants": ["rgb"],
        "models": {"stacked": None, "convolutional": None, "semi_supervised": None}
        | {"supervised": None}
        | blocks
        | {"selfsupervised": blocks["selfsupervised"] | {"phases": {"contrast": contrast}}},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    snakemake(folder, "results/table1.md", "results/figures/history.png")
    results = folder / "results"

    split = pd.read_parquet(results / "labelled/split.parquet")
    pool, labelled = (np.load(results / f"rgb/{name}.npy") for name in ("pool", "labelled"))
    train = np.flatnonzero(split["part"] == "train")
    kept = pd.read_parquet(results / "fetch/kept.parquet")
    assert len(pool) == len(kept) + len(train)
    assert np.array_equal(pool[len(kept) :], labelled[train])
    assert np.load(results / "rgb/landmarks/pool.npy").shape == (len(pool), 468, 3)
    assert np.load(results / "rgb/aligned/labelled.npy").shape == (len(labelled), 24, 24, 3)

    about = json.loads((results / "rgb/selfsupervised/seed0/model/model.json").read_text())
    assert {line["epoch"] for line in about["choice"]["tried"]} == {1, 2}
    assert len(about["choice"]["tried"]) == 6
    table = pd.read_csv(results / "table1.csv")
    assert list(table["model"]) == ["geometry", "selfsupervised", "engineered_linear"]
    assert list(table["told"]) == ["nothing", "nothing", "labels"]
    text = (results / "table1.md").read_text(encoding="utf-8")
    assert "joining the pool without their labels" in text
    assert "Chosen without labels, before anything was scored, by stability" in text
    assert "geometry, rgb, seed 0: whitening" in text
