"""As a module of another workflow, which is how Snakemake workflows are used again."""

import re
import shutil
import subprocess
import sys

import layout
import pytest
from small_run import ROOT, copy_project, jobs_to_run, snakemake

# How the other workflow may name it; {more} is a line of the module's own.
OUTER = """
module facesort:
    snakefile: "{inner}/Snakefile"
    {more}


use rule * from facesort as facesort_*
"""

IS = "    localrule: True\n"
# The rules that run where Snakemake does.
LOCAL = """
from pathlib import Path
from snakemake.api import OutputSettings, ResourceSettings, SnakemakeApi
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
    list(workflow.rules)
    print("told", *workflow._localrules)
"""


@pytest.fixture
def outer(tmp_path):
    """Another workflow's folder, whose Snakefile is written by the test; and this workflow's."""
    inner = copy_project(tmp_path / "inner façade")
    folder = tmp_path / "outer"
    folder.mkdir()
    shutil.move(inner / "small.yaml", folder / "small.yaml")

    def write(more=""):
        (folder / "Snakefile").write_text(OUTER.format(inner=inner, more=more), encoding="utf-8")
        return folder

    return write


def test_it_plans_the_same_jobs(outer, tmp_path):
    alone = jobs_to_run(copy_project(tmp_path / "alone"))
    folder = outer("config: config")
    planned = jobs_to_run(folder)
    planned.remove(("facesort_all", ""))
    assert [(rule.removeprefix("facesort_"), about) for rule, about in planned] == alone
    assert len(alone) > 40 and all(rule.startswith("facesort_") for rule, _ in planned)


def test_what_takes_seconds_is_local_under_its_new_name_too(outer):
    done = subprocess.run(
        [sys.executable, "-c", LOCAL], cwd=outer(), capture_output=True, text=True, check=True
    )
    local = {f"facesort_{rule}" for rule, (_, body) in layout.rules(ROOT).items() if IS in body}
    assert set(done.stdout.rpartition("told ")[2].split()) == local and len(local) > 10


def test_without_a_config_it_has_its_own(outer):
    """13 cells; the other workflow's config is no concern of its."""
    folder = outer()
    (folder / "small.yaml").write_text("{}")
    printed = snakemake(folder, "-n", "--quiet", "rules")
    assert re.search(r"^facesort_train +13$", printed, re.M), printed


def test_what_is_wrong_in_its_config_is_named(outer):
    folder = outer('config: {"seeds": "none"}')
    printed = snakemake(folder, "-n", expect=1)
    assert "seeds: 'none' is not of type 'array'" in printed and "Traceback" not in printed


def test_its_jobs_run_and_all_that_they_write_lies_below_the_prefix(outer, project):
    folder = outer('config: config; prefix: "mine"'.replace("; ", "\n    "))
    shutil.copytree(project / "results/demo", folder / "mine/results/demo")
    targets = ["fetch/faces.npy", "rgb/labelled.npy", "rgb/stacked/seed0/model"]
    printed = snakemake(folder, *(f"mine/results/{target}" for target in targets))
    assert "Traceback" not in printed
    for path in (*targets[:2], f"{targets[2]}/weights.safetensors"):
        ours, others = (each / "results" / path for each in (folder / "mine", project))
        assert ours.read_bytes() == others.read_bytes(), path
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        "Snakefile",
        "mine",
        "small.yaml",
    ]
    assert (folder / "mine/results/fetch/state").is_dir()


def test_pages_below_the_prefix_are_made_again_without_photos_that_are_left_out(outer):
    block = 'config: {"archive": {"photos": "photos", "exclude": "no.txt"}}'
    folder = outer(f'{block}\n    prefix: "mine"')
    (folder / "photos").mkdir()
    (folder / "no.txt").write_text("a.jpg\n")
    command = ("-n", "--quiet", "rules", "--", "facesort_archive")
    assert "facesort_album_page" not in snakemake(folder, *command)
    (folder / "mine/results/archive").mkdir(parents=True)
    (folder / "mine/results/archive/album.html").write_text("shows a.jpg")
    assert "facesort_album_page" in snakemake(folder, *command)
