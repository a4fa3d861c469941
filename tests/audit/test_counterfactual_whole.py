"""Rendered pairs in a whole run: every row answers for the same faces, and nothing learns."""

import shutil

import numpy as np
import pandas as pd
import pytest
from small_run import jobs_to_run, snakemake, would_run

from facesort.audit.factors import ANOTHER, LEVELS, NOTHING

CONFIG = ("--configfile", "small.yaml", "pairs.yaml")
OWN = {"render_pairs", "embed_pairs", "classify_pairs", "answer_pairs"}
OWN |= {"counterfactual_table", "counterfactual_page", "make_variant"}


@pytest.fixture(scope="module")
def audited(project, tmp_path_factory):
    """A copy of the finished project, with three pairs of each factor; and what was to run."""
    folder = shutil.copytree(project, tmp_path_factory.mktemp("audited") / "project")
    (folder / "pairs.yaml").write_text("audit: {pairs: 3}\n", encoding="utf-8")
    jobs = jobs_to_run(folder, *CONFIG)
    snakemake(folder, *CONFIG)
    return folder, jobs


def test_the_audit_trains_and_names_nothing(audited):
    folder, jobs = audited
    assert {rule for rule, _ in jobs} == OWN | {"collect_costs", "summary_page"}
    assert all("set=pairs" in about for rule, about in jobs if rule == "make_variant")
    assert would_run(folder, *CONFIG) == set()


def test_every_row_answers_for_every_face_as_a_table_says(audited):
    results = audited[0] / "results"
    faces = pd.read_parquet(results / "pairs/faces.parquet")
    array = np.load(results / "pairs/faces.npy")
    assert array.shape == (len(faces), 24, 24, 3) and array.std() > 20
    answers = pd.read_parquet(results / "pairs/answers.parquet")
    cells = {f"{v}/{m}/seed0" for v in ("rgb", "cropped") for m in ("stacked", "semi_supervised")}
    assert set(answers) == cells | {f"{each} drawn" for each in cells if "semi" in each}
    assert len(answers) == len(faces)
    table = pd.read_csv(results / "counterfactual.csv")
    assert len(table) == len(cells) * (len(LEVELS) + 2)
    assert set(table["factor"]) == {NOTHING, ANOTHER, *LEVELS}
    assert (table.loc[table["factor"] != NOTHING, "pairs"] == 3).all()
    pairs = pd.read_parquet(results / "pairs/pairs.parquet")
    own = pairs[pairs["factor"] == "light"]
    given = answers["rgb/semi_supervised/seed0"].to_numpy()
    row = table[(table["model"] == "semi_supervised") & (table["factor"] == "light")].iloc[0]
    assert row["variant"] == "rgb"
    assert row["changed"] == np.mean(given[own["first"]] != given[own["second"]])
    assert row["accuracy_second"] == np.mean(given[own["second"]] == own["label"])


def test_the_summary_tells_of_it_and_leads_to_the_pairs(audited):
    results = audited[0] / "results"
    summary = (results / "summary.html").read_text(encoding="utf-8")
    assert 'id="counterfactual"' in summary and 'href="counterfactual.html"' in summary
    page = (results / "counterfactual.html").read_text(encoding="utf-8")
    assert "data:image/jpeg" in page and "semi_supervised on rgb" in page


def test_a_file_that_is_not_of_these_faces_is_told(audited):
    folder = audited[0]
    path = folder / "results/rgb/stacked/seed0/pairs/embeddings.npy"
    np.save(path, np.load(path)[:-1])
    printed = snakemake(folder, *CONFIG, "--", "results/pairs/answers.parquet", expect=1)
    assert "pairs/embeddings.npy: " in printed and "faces; delete it, rerun" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("pairs", ["-1", "2.5", "1000000000", "many", "null"])
def test_absurd_numbers_of_pairs_are_refused_before_anything_runs(project, pairs):
    printed = snakemake(project, "-n", "--config", f"audit={{pairs: {pairs}}}", expect=1)
    assert "error: the config is not right:" in printed and "audit.pairs: " in printed
    assert "Traceback" not in printed
