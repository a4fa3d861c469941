"""The rows beyond the paper, in runs of their own: those that see landmarks, and the triplet."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from small_run import BEYOND, SMALL, TRIPLET, copy_project, snakemake, would_run


def test_rows_that_see_landmarks_stand_in_table_1(project, tmp_path):
    folder = copy_project(tmp_path / "project", rendered=project)
    blocks = {
        name: BEYOND["models"][name]
        for name in ("geometry", "selfsupervised", "action_units", "engineered_linear")
    }
    contrast = blocks["selfsupervised"]["phases"]["contrast"] | {"epochs": 2, "batch_size": 32}
    small = SMALL | {
        "faces": SMALL["faces"] | {"size": 36, "aligned": 24, "train_joins_pool": True},
        "variants": ["rgb"],
        "naming": {"method": "facs"},
        "models": {"stacked": None, "convolutional": None, "semi_supervised": None}
        | {"supervised": None}
        | blocks
        | {"selfsupervised": blocks["selfsupervised"] | {"phases": {"contrast": contrast}}},
        "few_labels": {"per_emotion": [2], "draws": 2},
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    movements = "results/rgb/movements/labelled.npy"
    wanted = ("table1.md", "ensembles.md", "figures/history.png", "few_labels.md")
    snakemake(folder, *(f"results/{name}" for name in wanted))
    results = folder / "results"

    split = pd.read_parquet(results / "labelled/split.parquet")
    pool, labelled = (np.load(results / f"rgb/{name}.npy") for name in ("pool", "labelled"))
    train = np.flatnonzero(split["part"] == "train")
    kept = pd.read_parquet(results / "fetch/kept.parquet")
    assert len(pool) == len(kept) + len(train)
    assert np.array_equal(pool[len(kept) :], labelled[train])
    assert np.load(results / "rgb/landmarks/pool.npy").shape == (len(pool), 478, 3)
    assert np.load(results / "rgb/aligned/labelled.npy").shape == (len(labelled), 24, 24, 3)

    strengths = pd.read_parquet(folder / movements.replace(".npy", ".parquet"))
    standardised = np.load(folder / movements)
    assert standardised.shape == strengths.shape == (len(labelled), len(strengths.columns))
    assert standardised.dtype == np.float32 and np.isfinite(standardised).all()
    assert abs(np.median(standardised, axis=0)).max() < 0.1

    about = json.loads((results / "rgb/selfsupervised/seed0/model/model.json").read_text())
    assert {line["epoch"] for line in about["choice"]["tried"]} == {1, 2}
    assert len(about["choice"]["tried"]) == 6
    table = pd.read_csv(results / "table1.csv")
    assert list(table["model"]) == list(blocks)
    assert list(table["supervision"]) == ["none", "none", "none", "labels"]
    text = (results / "table1.md").read_text(encoding="utf-8")
    assert "joining the pool without their labels" in text
    assert "No person labelled a face for action_units." in text
    answers = np.load(results / "rgb/action_units/seed0/probabilities.npy")
    assert answers.shape == (len(labelled), 8) and np.allclose(answers.sum(1), 1, atol=1e-5)
    metrics = json.loads((results / "rgb/action_units/seed0/metrics.json").read_text())
    assert "learnt_accuracy" not in metrics and metrics["naming"] == "none"
    tried = pd.read_csv(results / "few_labels.csv")
    assert list(tried.loc[tried["way"] == "anatomy", "model"]) == list(blocks)
    assert list(table["named_by"]) == ["facs", "facs", "none", "none"]
    assert "- Named by facs: by what the faces do" in text
    causes = pd.read_csv(results / "causes.csv").set_index("model")
    for model in ("geometry", "selfsupervised"):
        names = pd.read_csv(results / f"rgb/{model}/seed0/names.csv")
        assert set(names["origin"]) == {"facs"} and names["emotion"].equals(names["facs"])
        told = pd.read_parquet(results / f"rgb/{model}/seed0/predictions.parquet")
        assert (told["predicted"] == told["facs"]).all()
        row = causes.loc[model]
        assert row["facs_accuracy"] == row["accuracy"] == (told["facs"] == told["label"]).mean()
        assert row["plurality_accuracy"] == (told["plurality"] == told["label"]).mean()
        assert row["facs_unanswered"] == (told["facs"] == "mixed").mean()
    assert causes["facs_accuracy"].notna().sum() == 2
    assert "Before anything was scored, by stability" in text
    assert "geometry, rgb, seed 0: whitening" in text


def small_project(folder, models):
    """A project whose small config has one variant and these models alone."""
    copy_project(folder)
    small = SMALL | {
        "demo": SMALL["demo"] | {"photos": 30, "per_emotion": 8},
        "faces": SMALL["faces"] | {"sample": None},
        "split": {"naming": 1},
        "models": dict.fromkeys(SMALL["models"]) | models,
        "variants": ["rgb"],
    }
    (folder / "small.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    return folder


def test_the_rules_run_with_the_model_alone(tmp_path):
    own = {"read_triplets", "score_triplets", "triplets_table", "answer_by_neighbours"}
    stacked = {"stacked": SMALL["models"]["stacked"]}
    with_it = would_run(small_project(tmp_path / "with", stacked | {"triplet": TRIPLET}))
    assert own <= with_it and "classify" not in with_it
    assert would_run(small_project(tmp_path / "without", stacked)) == with_it - own - {
        "predict_by_classifier"
    }


@pytest.mark.slow
def test_the_workflow_makes_the_row(tmp_path):
    block = TRIPLET | {
        "phases": {"compare": BEYOND["models"]["triplet"]["phases"]["compare"] | {"epochs": 1}}
    }
    folder = small_project(tmp_path / "project", {"triplet": block})
    cell = folder / "results/rgb/triplet/seed0"
    snakemake(folder, "results/rgb/triplet/seed0/metrics.json", "results/triplets.md")
    votes, embeddings = (
        np.load(cell / f"{name}.npy") for name in ("probabilities", "labelled_embeddings")
    )
    assert embeddings.shape == (64, 16) and votes.shape == (64, 8)
    triplets = pd.read_parquet(folder / "results/fetch/triplets.parquet")
    lost = pd.read_csv(folder / "results/fetch/triplets_lost.csv")
    assert len(triplets) + lost["rows"].sum() == 120
    answers = pd.read_parquet(cell / "triplets.parquet")
    assert list(answers["row"]) == list(triplets.loc[triplets["part"] == "held_out", "row"])
    metrics = pd.read_json(cell / "triplets.json", typ="series")
    assert metrics["triplet_accuracy"] == answers["right"].mean()
    text = (folder / "results/triplets.md").read_text(encoding="utf-8")
    assert "| triplet, rgb " in text and "annotators are simulated" in text
