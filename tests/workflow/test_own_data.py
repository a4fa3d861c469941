"""Whole runs on data of one's own: a pile of faces, and a labelled set that lacks an emotion."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from small_run import SMALL, copy_project, jobs_to_run, snakemake, would_run

EMOTIONS = ["anger", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
QUICK = {
    "filters": 2,
    "blocks": [1, 1, 1],
    "dense": 8,
    "phases": {"classify": {"epochs": 1}},
}


@pytest.fixture(scope="module")
def pile(project, tmp_path_factory):
    """The finished run's fetched faces as pictures, and what else such folders hold."""
    root = tmp_path_factory.mktemp("data") / "my faces"
    (root / "2019").mkdir(parents=True)
    for number, face in enumerate(np.load(project / "results/fetch/faces.npy")):
        Image.fromarray(face).save(root / ("2019" if number % 2 else "") / f"{number:02}.png")
    shutil.copy(root / "00.png", root / "a copy.png")
    (root / "notes.txt").write_text("no face")
    (root / ".hidden").touch()
    return root


def own_project(folder, **changes):
    """A project whose small config has one variant, and this data."""
    copy_project(folder)
    small = SMALL | {"variants": ["rgb"], "faces": SMALL["faces"] | {"sample": None}} | changes
    (folder / "small.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    return folder


def test_a_pile_of_faces_without_labels_is_clustered_and_can_be_named(pile, tmp_path):
    own = {"data": {"faces": str(pile)}, "audit": {"pairs": 2}}
    project = own_project(tmp_path / "project", **own)
    results = project / "results"
    printed = snakemake(project)
    assert "Nothing was scored: the config names no labelled faces (data.labelled)" in printed
    assert "Left out, for want of labelled faces: semi_supervised." in printed
    rules = {path.name for path in (results / "logs").iterdir()}
    assert {"read_faces.log", "find_leaks.log", "cluster", "naming_page"} <= rules
    assert not rules & {"render_photos.log", "fetch_faces.log", "read_labelled.log", "predict"}
    assert not (results / "labelled").exists() and not (results / "demo").exists()

    faces, pool = np.load(results / "fetch/faces.npy"), np.load(results / "rgb/pool.npy")
    assert len(faces) == 60 and np.array_equal(faces, pool)
    refused = pd.read_parquet(results / "fetch/refused.parquet")
    assert dict(refused.to_numpy()) == {
        "a copy.png": "the same bytes as another file: 00.png",
        "notes.txt": "not an image: text that begins with 'no face'",
    }
    losses = pd.read_csv(results / "fetch/losses.csv")
    assert losses["faces"].sum() == 2 and set(losses["host"]) == {"the folder"}

    cell = results / "rgb/stacked/seed0"
    assert not list(results.glob("*/*/*/labelled_embeddings.npy"))
    clusters = np.load(cell / "clusters.npz")
    assert len(clusters["pool"]) == 60 and len(clusters["labelled"]) == 0
    names = pd.read_csv(cell / "names.csv")
    assert set(names["emotion"]) == {"unnamed"}
    assert set(pd.read_parquet(cell / "map.parquet")["set"]) == {"pool"}
    for file in ("map.html", "naming.html", "figures/embedding.png", "figures/clusters.png"):
        assert (cell / file).stat().st_size > 1000
    page = (results / "summary.html").read_text(encoding="utf-8")
    assert "2 of 62 files" in page and "An unlabelled face" in page
    assert "Nothing was scored" in page
    assert (results / "report.html").is_file()
    # Of rendered pairs, clusters without names answer by their numbers.
    pairs = pd.read_csv(results / "counterfactual.csv")
    assert len(pairs) == 10 and pairs["accuracy_first"].isna().all()
    assert set(pd.read_parquet(results / "pairs/answers.parquet").iloc[:, 0].str[:8]) == {
        "cluster "
    }
    assert "Skin tone: " in (results / "counterfactual.html").read_text(encoding="utf-8")
    assert would_run(project) == set()

    # Anatomy can name them, if it is asked to.
    (project / "change.yaml").write_text("naming: {method: facs}\n", encoding="utf-8")
    target = str((cell / "names.csv").relative_to(project))
    snakemake(project, "--configfile", "small.yaml", "change.yaml", "--", target)
    moved = pd.read_csv(cell / "names.csv")
    assert set(moved["origin"]) == {"facs"} and moved["emotion"].equals(names["facs"])
    assert set(moved["emotion"]) <= {*EMOTIONS, "contempt", "mixed"}
    assert set(moved["plurality"]) == set(moved["one_to_one"]) == {"unnamed"}

    # A person names the clusters; no label can.
    folder = project / "names/rgb/stacked"
    folder.mkdir(parents=True)
    names.assign(emotion=["happy", "sad"] * 4).to_csv(folder / "seed0.csv", index=False)
    assert would_run(project) >= {"name_clusters", "plot_embedding", "plot_clusters"}
    snakemake(project, str((cell / "map.html").relative_to(project)))
    assert set(pd.read_csv(cell / "names.csv")["origin"]) == {"person"}

    # Faces of one's own are not scored by rendered ones, nor joined by faces of the demo.
    printed = snakemake(project, "-n", "results/table1.csv", expect=1)
    assert "data.labelled of the config" in printed and "Traceback" not in printed
    printed = snakemake(project, "-n", "results/sample/faces.parquet", expect=1)
    assert "data.fec_csv of the config" in printed
    (pile / "new.png").write_bytes((pile / "2019/01.png").read_bytes() + b"\0")
    try:
        assert would_run(project) >= {"read_faces", "find_leaks", "train", "summary_page"}
    finally:
        (pile / "new.png").unlink()

    # Who forgets to name the data would have the demo made over all this.
    small = yaml.safe_load((project / "small.yaml").read_text(encoding="utf-8"))
    forgetful = yaml.safe_dump(small | {"data": {}})
    (project / "forgetful.yaml").write_text(forgetful, encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    printed = snakemake(project, "--configfile", "forgetful.yaml", expect=1)
    told = [line for line in printed.splitlines() if "rendered faces" in line]
    assert len(told) == 1 and told[0].startswith(f"error: {results} was made from {pile}, and")
    assert f"the same command with --configfile {project}/small.yaml" in told[0]
    assert "Traceback" not in printed and "Snakefile" not in printed.partition(told[0])[2]
    assert before == {path: path.stat().st_mtime_ns for path in before}

    # A CSV without labelled faces is the same, but for where the pool comes from.
    (tmp_path / "fec.csv").write_text("")
    change = {"data": {"faces": None, "fec_csv": str(tmp_path / "fec.csv")}}
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    rules = would_run(project, "--configfile", "small.yaml", "change.yaml")
    assert rules >= {"sample_faces", "fetch_faces", "train", "naming_page", "summary_page"}
    assert not rules & {"read_faces", "read_labelled", "classify", "predict_by_cluster", "table1"}


def test_a_set_of_seven_emotions_is_scored_by_these(project, pile, tmp_path):
    tree = shutil.copytree(project / "results/demo/labelled", tmp_path / "seven")
    shutil.rmtree(tree / "contempt")
    table = pd.read_csv(tree / "labels.csv")
    table[~table["pth"].str.startswith("contempt")].to_csv(tree / "labels.csv", index=False)
    own = own_project(
        tmp_path / "project",
        data={"faces": str(pile), "labelled": str(tree)},
        models=SMALL["models"] | {"supervised": QUICK},
        naming={"method": "one_to_one"},
        few_labels={"per_emotion": [2], "draws": 2},
    )
    results = own / "results"
    assert ("read_faces", "") in jobs_to_run(own)
    printed = snakemake(own)
    assert "Accuracy on 42 labelled faces, with 95% intervals; chance 14.3%" in printed
    text = (results / "table1.md").read_text(encoding="utf-8")
    assert "The labelled set has no contempt. So our figures are of 7 emotions" in text
    table = pd.read_csv(results / "table1.csv")
    assert list(table["model"]) == ["stacked", "semi_supervised", "supervised"]
    assert (table["chance"] == 1 / 7).all() and table["paper_accuracy"].notna().all()
    assert (table["n_test"] == 7 * 6).all()
    for model in table["model"]:
        told = pd.read_parquet(results / f"rgb/{model}/seed0/predictions.parquet")
        assert sorted(told["label"].unique()) == EMOTIONS
        for name in ("predicted", "linear_probe", "balanced_probe", "knn"):
            assert set(told[name]) <= set(EMOTIONS)
    for model in ("semi_supervised", "supervised"):
        probabilities = np.load(results / f"rgb/{model}/seed0/probabilities.npy")
        assert probabilities.shape == (7 * 16, 8) and (probabilities[:, 1] == 0).all()
        assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
    assert set(pd.read_csv(results / "rgb/stacked/seed0/names.csv")["emotion"]) <= set(EMOTIONS)
    few = pd.read_csv(results / "few_labels.csv")
    assert (few["labels"] == 14).all() and few["chance"].iloc[0] == pytest.approx(1 / 7)
    text = (results / "few_labels.md").read_text(encoding="utf-8")
    assert re.search(r"\| faces +\| +14 \|", text)
    assert would_run(own) == set()

    # The set has no split of its own; then it is given one.
    (own / "change.yaml").write_text("split: {from: data}\n", encoding="utf-8")
    target = ("--configfile", "small.yaml", "change.yaml", "--", "results/labelled/split.parquet")
    printed = snakemake(own, *target, expect=1)
    assert "error: split.from: the labelled set has no split of its own" in printed
    assert "Traceback" not in printed
    index = pd.read_parquet(results / "labelled/faces.parquet")
    part = np.where(np.arange(len(index)) % 3, "train", "test")
    index.assign(part=part).to_parquet(results / "labelled/faces.parquet")
    snakemake(own, *target)
    split = pd.read_parquet(results / "labelled/split.parquet")
    assert np.array_equal(split["part"] == "test", part == "test")
    assert (split["part"] == "naming").sum() == 7 * SMALL["split"]["naming"]
