"""Other labelled sets to score on, in whole runs: scores, and that nothing learns from them."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from small_run import BEYOND, SMALL, TRIPLET, snakemake, would_run

from facesort.cluster.kmeans import load_clustering
from facesort.demo.dataset import write_labelled

SEEN = ("pool", "train", "naming")
# A row of each kind: clusters, a classifier, neighbours; of faces, landmarks and tight crops.
ROWS = {
    "geometry": BEYOND["models"]["geometry"],
    "triplet": TRIPLET
    | {"phases": {"compare": BEYOND["models"]["triplet"]["phases"]["compare"] | {"epochs": 1}}},
    "transformer": BEYOND["models"]["transformer"]
    | {"view": "aligned", "width": 16, "heads": 2, "depth": 1},
}
ROWS["transformer"]["phases"] = {
    "classify": ROWS["transformer"]["phases"]["classify"] | {"epochs": 1}
}
LEARN = {"train", "cluster", "name_clusters", "find_leaks", "split_labelled", "embed", "map_faces"}


@pytest.fixture(scope="module")
def project(project, tmp_path_factory):
    """A copy of the finished project: these runs change its tables."""
    return shutil.copytree(project, tmp_path_factory.mktemp("also score") / "project")


@pytest.fixture(scope="module")
def sets(project, tmp_path_factory):
    """The folder of two sets: the main scored faces once more, and others, some of which leak."""
    root = tmp_path_factory.mktemp("sets")
    tree = project / "results/demo/labelled"
    table = pd.read_csv(tree / "labels.csv", index_col=0)
    index = pd.read_parquet(project / "results/labelled/faces.parquet")
    part = pd.read_parquet(project / "results/labelled/split.parquet")["part"]
    part = pd.Series(part.to_numpy(), index=index["path"]).loc[table["pth"]].to_numpy()

    def copy(rows, folder, prefix=""):
        for path in rows["pth"]:
            target = folder / path.replace("/", f"/{prefix}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / path, target)
        return rows.assign(pth=rows["pth"].str.replace("/", f"/{prefix}"))

    copy(table[part == "test"], root / "same").to_csv(root / "same/labels.csv")

    other = root / "Other set"
    write_labelled(other, per_emotion=4, seed=7, workers=1)
    own = pd.read_csv(other / "labels.csv", index_col=0)
    own = own[(own["label"] != "contempt") & ~own["pth"].str.startswith("contempt")]
    shutil.rmtree(other / "contempt")
    known = [copy(table[part == name].iloc[:2], other, name) for name in ("train", "naming")]
    pool = np.load(project / "results/rgb/pool.npy")[:3]
    for number, face in enumerate(pool):
        Image.fromarray(face[:, ::-1]).save(other / f"happy/pool{number}.png")
    pooled = pd.DataFrame({"pth": [f"happy/pool{n}.png" for n in range(3)], "label": "happy"})
    (other / "sad/broken.jpg").write_bytes(b"no image")
    broken = pd.DataFrame({"pth": ["sad/broken.jpg"], "label": "sad"})
    known = [rows[rows["label"] != "contempt"] for rows in known]
    every = pd.concat([own, *known, pooled, broken], ignore_index=True)
    for path in (path for path in other.rglob("*.[jp][pn]g")):
        if path.relative_to(other).as_posix() not in set(every["pth"]):
            path.unlink()
    every.to_csv(other / "labels.csv")
    return root, len(own), sum(map(len, known))


@pytest.fixture(scope="module")
def scored(project, sets):
    """The finished small run, with other rows and both sets."""
    root, *_ = sets
    change = {
        "data": {"also_score": [str(root / "same"), {"folder": str(root / "Other set")}]},
        "models": SMALL["models"] | ROWS,
        "variants": ["rgb"],
    }
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    config = ("--configfile", "small.yaml", "change.yaml", "--")
    targets = ("results/elsewhere.md", "results/table1.csv")
    snakemake(project, *config, *targets)
    assert would_run(project, *config, *targets) == set()
    return project


def test_the_main_scored_faces_once_more_lose_nothing(scored):
    table = pd.read_csv(scored / "results/elsewhere.csv")
    assert list(dict.fromkeys(table["set"])) == ["same", "Other_set"]
    same = table[table["set"] == "same"].set_index("model")
    main = pd.read_csv(scored / "results/table1.csv").set_index("model")
    kinds = ["stacked", "geometry", "triplet", "semi_supervised", "transformer"]
    assert list(same.index) == list(main.index) == kinds
    assert list(same["n"]) == list(main["n_test"]) == list(same["main_n"])
    for name in ("accuracy", "accuracy_low", "accuracy_high", "balanced_accuracy", "macro_f1"):
        assert np.allclose(same[name], main[name])
    assert (
        np.allclose(same["loss"], 0, atol=1e-12)
        and (same["supervision"] == main["supervision"]).all()
    )
    text = (scored / "results/elsewhere.md").read_text(encoding="utf-8")
    assert f"{len(pd.read_parquet(scored / 'results/elsewhere/same/faces.parquet'))} of the" in text


def test_faces_that_the_run_has_seen_are_counted_and_not_scored(scored, sets):
    _, own, known = sets
    folder = scored / "results/elsewhere/Other_set"
    index, answers = (pd.read_parquet(folder / f"{n}.parquet") for n in ("faces", "answers"))
    assert len(index) == own + known + 3 and list(answers["path"]) == list(index["path"])
    refused = pd.read_parquet(folder / "refused.parquet")
    assert list(refused["path"]) == ["sad/broken.jpg"]
    overlap = pd.read_parquet(folder / "overlap.parquet")
    planted = index["path"].str.contains("/(?:pool|train|naming)")
    assert set(index["path"][overlap.loc[overlap["part"].isin(SEEN), "face"].unique()]) == set(
        index["path"][planted]
    )
    table = pd.read_csv(scored / "results/elsewhere.csv")
    rows = table[table["set"] == "Other_set"].set_index("model")
    assert (rows["n"] == own).all() and (rows["emotions"] == 7).all()
    assert rows["chance"].iloc[0] == pytest.approx(1 / 7)
    right = answers["rgb/stacked/seed0"] == answers["label"]
    assert rows.loc["stacked", "accuracy"] == pytest.approx(right[~planted].mean())
    text = (scored / "results/elsewhere.md").read_text(encoding="utf-8")
    text = text.partition("### Other_set")[2]
    assert f"{own + known + 3} faces; 1 other images or rows were left out" in text
    assert f"Not scored: {known + 3} near duplicates of the pool (3)" in text
    assert "It has no contempt" in text


def test_a_face_takes_the_name_of_the_nearest_centroid(scored):
    cell = scored / "results/rgb/stacked/seed0"
    embeddings = np.load(cell / "elsewhere/Other_set/embeddings.npy")
    centroids = load_clustering(cell / "clusters.npz").centroids
    nearest = np.linalg.norm(embeddings[:, None] - centroids, axis=2).argmin(1)
    names = pd.read_csv(cell / "names.csv")["emotion"].to_numpy(str)
    answers = pd.read_parquet(scored / "results/elsewhere/Other_set/answers.parquet")
    assert list(answers["rgb/stacked/seed0"]) == list(names[nearest])


def test_nothing_learns_from_such_a_set_nor_is_named_by_it(scored):
    printed = snakemake(
        scored, "-n", "--forceall", "--configfile", "small.yaml", "change.yaml", "--", "all"
    )
    inputs = {}
    for block in re.split(r"\n(?=\[)", printed):
        if rule := re.search(r"^(?:localrule|rule) (\w+):$", block, re.M):
            found = re.search(r"^    input: (.*)$", block, re.M)
            inputs.setdefault(rule[1], []).append(found[1] if found else "")
    assert set(inputs) >= LEARN and "elsewhere" in inputs["elsewhere_table"][0]
    apply = {"read_elsewhere", "find_overlap", "embed_elsewhere", "classify_elsewhere"}
    apply |= {"make_variant", "find_landmarks", "align_faces", "answer_elsewhere"}
    apply |= {"elsewhere_table", "summary_page", "data_sheets", "collect_costs", "all"}
    for rule in set(inputs) - apply:
        for line in inputs[rule]:
            assert "elsewhere" not in line and "/same" not in line and "Other set" not in line, rule


def test_a_set_that_cannot_be_read_is_told_with_its_name(project, tmp_path):
    (tmp_path / "empty").mkdir()
    change = {"data": {"also_score": [str(tmp_path / "empty")]}}
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    config = ("--configfile", "small.yaml", "change.yaml", "--")
    printed = snakemake(project, *config, "results/elsewhere/empty/faces.npy", expect=1)
    assert f"error: {tmp_path}/empty: no labels are recognised in it" in printed
    assert "of empty, keys of data stand in its entry of data.also_score" in printed
    assert "Traceback" not in printed
    printed = snakemake(project, "-n", *config, "results/elsewhere/other/faces.npy", expect=1)
    assert "Traceback" not in printed and "KeyError" not in printed


def test_a_set_that_the_run_has_seen_whole_cannot_be_scored_on(project, tmp_path):
    index = pd.read_parquet(project / "results/labelled/faces.parquet")
    part = pd.read_parquet(project / "results/labelled/split.parquet")["part"]
    for label, rows in index[part == "train"].groupby("label"):
        (tmp_path / "seen" / label).mkdir(parents=True)
        shutil.copy(
            project / "results/demo/labelled" / rows["path"].iloc[0], tmp_path / "seen" / label
        )
    change = {"data": {"also_score": [str(tmp_path / "seen")]}}
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    config = ("--configfile", "small.yaml", "change.yaml", "--")
    printed = snakemake(project, *config, "results/elsewhere/seen/overlap.parquet", expect=1)
    assert "error: seen: every face is a near duplicate of one that models learn from" in printed
    assert "Traceback" not in printed
