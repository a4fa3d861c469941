"""Groups of people set side by side, in whole runs: figures, and that nothing learns from them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from small_run import SMALL, TRIPLET, snakemake, would_run

from facesort.common.emotions import EMOTIONS

CONFIG = ("--configfile", "small.yaml", "change.yaml", "--")


@pytest.fixture(scope="module")
def project(project, tmp_path_factory):
    """A copy of the finished project: these runs change it."""
    return shutil.copytree(project, tmp_path_factory.mktemp("audit") / "project")


def configure(project, **audit):
    """A row of each kind: clusters, neighbours, a classifier; and a table of groups."""
    phase = TRIPLET["phases"]["compare"] | {"epochs": 1}
    models = {"triplet": TRIPLET | {"phases": {"compare": phase}}}
    groups = {"groups": "people.csv", "smallest": 10} | audit
    change = {"models": SMALL["models"] | models, "variants": ["rgb"], "audit": groups}
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")


@pytest.fixture(scope="module")
def audited(project):
    labelled = pd.read_parquet(project / "results/labelled/faces.parquet")
    pool = pd.read_parquet(project / "results/fetch/faces.parquet")
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"file": [*labelled["path"], *pool["face_id"]]})
    people["age"] = rng.integers(5, 80, len(people)).astype(str)
    people["sex"] = rng.choice(["f", "m"], len(people))
    people.loc[:4, "sex"] = ""
    people.drop(index=9).to_csv(project / "people.csv", index=False)
    configure(project)
    snakemake(project, *CONFIG, "audit")
    return project, people


def test_figures_are_those_of_the_rows_and_their_faces(audited):
    project, people = audited
    table = pd.read_csv(project / "results/audit.csv")
    assert list(table["model"].unique()) == ["(faces)", "stacked", "triplet", "semi_supervised"]
    split = pd.read_parquet(project / "results/labelled/split.parquet")
    told = people["sex"].iloc[: len(split)].to_numpy(copy=True)
    told[9] = ""
    labels = pd.read_parquet(project / "results/labelled/faces.parquet")["label"].to_numpy(str)
    test = np.flatnonzero(split["part"] == "test")
    for model in ("stacked", "triplet", "semi_supervised"):
        folder = project / f"results/rgb/{model}/seed0"
        if model == "stacked":
            given = pd.read_parquet(folder / "predictions.parquet")["predicted"].to_numpy(str)
        else:
            given = np.array(EMOTIONS)[np.load(folder / "probabilities.npy")[test].argmax(1)]
        rows = table[(table["model"] == model) & (table["column"] == "sex")]
        rows = rows[(rows["set"] == "test") & (rows["group"] == "f")].set_index("measure")
        mine = told[test] == "f"
        right = given == labels[test]
        assert rows.loc["accuracy", "n"] == mine.sum()
        assert rows.loc["accuracy", "value"] == pytest.approx(right[mine].mean())
        for emotion in EMOTIONS:
            share = (given[mine] == emotion).mean()
            assert rows.loc[emotion, "value"] == pytest.approx(share)
    pool = table[(table["set"] == "pool") & (table["column"] == "sex")]
    assert set(pool["measure"]) == {"found", "answered", "confidence", *EMOTIONS}
    assert (pool["n"] + pool["other_n"] == len(np.load(project / "results/rgb/pool.npy"))).all()
    counts = pd.read_csv(project / "results/audit/groups.csv")
    assert counts[counts["group"] == "not told"]["faces"].tolist() == [1, 6]
    text = (project / "results/audit.md").read_text(encoding="utf-8")
    assert "### semi_supervised on rgb: scored faces" in text
    assert (project / "results/figures/audit.png").stat().st_size > 10_000


def test_another_table_of_groups_teaches_nothing_anew(audited):
    project, people = audited
    assert would_run(project, *CONFIG, "audit") == set()
    configure(project, smallest=20)
    assert would_run(project, *CONFIG, "audit") == {"audit", "audit_groups"}
    configure(project, columns=["sex"])
    people.to_csv(project / "people.csv", index=False)
    assert would_run(project, *CONFIG, "audit") == {"audit", "audit_groups", "read_groups"}
    configure(project, groups=None)
    assert would_run(project, *CONFIG, "audit") == {"audit"}


def test_a_table_that_fits_no_face_is_one_line_that_names_it(audited):
    project, people = audited
    configure(project)
    (project / "people.csv").write_text("file,sex\nnobody.jpg,f\n", encoding="utf-8")
    printed = snakemake(project, *CONFIG, "audit", expect=1)
    assert "people.csv: none of its 1 rows names a face, such as nobody.jpg" in printed
    assert "(config: audit.groups)" in printed and "Traceback" not in printed
    people.to_csv(project / "people.csv", index=False)
    assert would_run(project, *CONFIG, "audit") == {"audit", "audit_groups", "read_groups"}


def test_groups_may_count_alike_in_training_and_the_audit_tells_what_changed(audited):
    project, people = audited
    people.to_csv(project / "people.csv", index=False)
    configure(project)
    snakemake(project, *CONFIG, "audit")
    shutil.copy(project / "results/audit.csv", project / "before.csv")
    configure(project, before="before.csv")
    change = yaml.safe_load((project / "change.yaml").read_text(encoding="utf-8"))
    change["training"] = {"balance_groups": "sex"}
    (project / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    again = {"train", "classify", "classify_pool", "audit_groups", "audit"}
    assert would_run(project, *CONFIG, "audit") == again
    snakemake(project, *CONFIG, "audit")
    model = project / "results/rgb/semi_supervised/seed0/model/model.json"
    assert json.loads(model.read_text())["balance_groups"] == "sex"
    text = (project / "results/audit.md").read_text(encoding="utf-8")
    assert "### Since the earlier audit" in text
