"""What reruns when something changes, and that nothing else does: the table of docs/reruns.md.

Dry runs on a finished small project, which each test puts back as it was.
"""

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from small_run import ROOT, SMALL, copy_project, jobs_to_run, snakemake, would_run

# Rules that follow one another, from a cell's clusters or embeddings to the last page.
LAST = {"collect_costs", "summary_page"}
TABLES = {"find_causes", "compare_cells", "table1", "table2", "join_cells", "plot_confusion"}
NAMED = {"name_clusters", "predict_by_cluster", "plot_clusters", "plot_embedding"}
NAMED |= TABLES | LAST
CLUSTERED = {"cluster", "naming_page"} | NAMED
TRAINED = {"train", "embed", "map_faces"}
TRAINED |= {"plot_reconstructions", "plot_history", "plot_architecture"}
STACKED = TRAINED | CLUSTERED
SEMI = TRAINED | {"classify", "predict_by_classifier", "plot_embedding"} | TABLES | LAST
VARIANTS = {"make_variant", "find_landmarks", "measure_movements", "data_sheets"} | STACKED | SEMI
FETCHED = {"fetch_faces", "report_losses", "find_leaks"} | VARIANTS
PAIRS = {"render_pairs", "make_variant", "embed_pairs", "classify_pairs", "answer_pairs"}
PAIRS |= {"counterfactual_table", "counterfactual_page"}
LABELLED = {"find_duplicates", "split_labelled", "find_leaks"} | VARIANTS


def load(path):
    """A YAML file of the project."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def with_config(folder, change):
    """The arguments for the small config with a change."""
    (folder / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    return "--configfile", "small.yaml", "change.yaml"


@contextmanager
def edited(path, old, new):
    """A file with another text, for a while."""
    before = path.read_bytes()
    assert old in before
    path.write_bytes(before.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_bytes(before)


def test_a_second_run_does_nothing(project):
    assert would_run(project) == set()


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"table": {"seed": 1}}, {"compare_cells", "table1"} | LAST),
        ({"naming": {"method": "one_to_one"}}, NAMED),
        ({"naming": {"method": "facs"}}, NAMED),
        ({"clustering": {"starts": 2}}, CLUSTERED),
        (
            {"models": {"semi_supervised": {"mirror": True}}},
            {"classify", "predict_by_classifier", "plot_embedding"} | TABLES | LAST,
        ),
        ({"split": {"seed": 1}}, {"split_labelled", "data_sheets"} | SEMI | STACKED - {"cluster"}),
        ({"faces": {"border": 6}}, VARIANTS - {"plot_architecture"}),
        ({"faces": {"seed": 1}}, {"sample_faces"} | FETCHED),
        ({"fetch": {"attempts": 3}}, FETCHED),
        # What changes no face and no weight changes just the config's digest on the summary.
        (
            {"fetch": {"concurrency": 3, "per_host": 2, "contact": "me@example.org"}},
            {"summary_page"},
        ),
        ({"training": {"checkpoint_minutes": 3}}, {"summary_page"}),
        ({"audit": {"pairs": 2}}, PAIRS | LAST),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_an_edited_config_reruns_what_depends_on_it_alone(project, change, rules):
    assert would_run(project, *with_config(project, change)) == rules


def test_a_learning_rate_trains_its_model_alone(project):
    change = {"models": {"stacked": {"phases": {"reconstruct": {"learning_rate": 0.5}}}}}
    jobs = jobs_to_run(project, *with_config(project, change))
    assert {rule for rule, _ in jobs} == STACKED
    assert [cell for rule, cell in jobs if rule == "train"] == [
        "variant=cropped, model=stacked, seed=0",
        "variant=rgb, model=stacked, seed=0",
    ]


def test_a_number_of_clusters_trains_what_chooses_by_clusters(project):
    """Landmark geometry, which stands here as if it had been trained."""
    model = "results/rgb/geometry/seed0/model"
    rows = {"models": {"geometry": load("configs/beyond.yaml")["models"]["geometry"]}}

    def jobs(**clustering):
        config = with_config(project, rows | {"clustering": clustering})
        return jobs_to_run(project, *config, "--", model, "results/rgb/stacked/seed0/model")

    try:
        (project / model).mkdir(parents=True)
        snakemake(project, *with_config(project, rows), "--touch", "--force", "--", model)
        assert jobs() == jobs(starts=2) == []
        assert jobs(clusters=5) == [("train", "variant=rgb, model=geometry, seed=0")]
    finally:
        shutil.rmtree((project / model).parents[1])


@pytest.mark.parametrize(
    ("change", "cell", "trained", "sheets"),
    [
        ({"seeds": [0, 7]}, "seed=7", 4, set()),
        ({"variants": ["rgb", "cropped", "grayscale"]}, "variant=grayscale", 2, {"data_sheets"}),
        (
            {
                "models": {
                    "supervised": {"filters": 2, "phases": {"classify": {"epochs": 1}}},
                    **{key: SMALL["models"][key] for key in ("stacked", "semi_supervised")},
                }
            },
            "model=supervised",
            2,
            {"data_sheets"},
        ),
    ],
    ids=["seed", "variant", "model"],
)
def test_an_added_seed_variant_or_model_trains_that_alone(project, change, cell, trained, sheets):
    jobs = jobs_to_run(project, *with_config(project, change))
    # Nothing of the cells that are there; what looks on all cells has no wildcards.
    assert all(cell in wildcards for _, wildcards in jobs if wildcards)
    assert [rule for rule, _ in jobs].count("train") == trained
    whole = {rule for rule, wildcards in jobs if not wildcards}
    assert whole == TABLES | LAST | {"plot_history"} | sheets


def test_another_set_to_score_on_trains_and_names_nothing(project, tmp_path):
    other = shutil.copytree(project / "results/demo/labelled", tmp_path / "other")
    jobs = jobs_to_run(project, *with_config(project, {"data": {"also_score": [str(other)]}}))
    own = {"read_elsewhere", "find_overlap", "embed_elsewhere", "classify_elsewhere"}
    own |= {"make_variant", "answer_elsewhere", "elsewhere_table", "data_sheets"}
    assert {rule for rule, _ in jobs} == own | LAST
    assert all(
        "other=other" in about or "set=elsewhere/other" in about for _, about in jobs if about
    )


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("score/table1.py", {"table1"} | LAST),
        ("train/models/supervised.py", set()),
        (
            "cluster/naming.py",
            NAMED | {"measure_agreement", "predict_by_classifier"},
        ),
        ("cluster/anatomy.py", NAMED | {"naming_page"}),
        ("pages/map_page.js", {"plot_embedding"} | LAST),
        # Tables of labels are read a line at a time too.
        (
            "fetch/fec.py",
            {"sample_faces", "read_labelled", "find_duplicates", "split_labelled"} | FETCHED,
        ),
    ],
)
def test_an_edited_module_reruns_its_dependents_alone(project, module, rules):
    with edited(project / "workflow_scripts/facesort" / module, b"", b"\n"):
        assert would_run(project) == rules


@pytest.mark.parametrize(
    ("environment", "package", "first", "others"),
    [
        ("torch", "torch", {"train", "embed", "classify"}, {"fetch_faces", "make_variant"}),
        ("analysis", "scipy", CLUSTERED | {"map_faces"}, {"train", "embed", "make_variant"}),
    ],
)
def test_another_version_of_a_package_reruns_its_environments_rules(
    project, environment, package, first, others
):
    path = project / "envs" / f"{environment}.yaml"
    pin = re.search(rf"- {package}==".encode(), path.read_bytes())[0]
    with edited(path, pin, pin + b"9"):
        would = would_run(project)
    assert first <= would and not others & would
    with edited(path, b"# Made by", b"# Once made by"):
        assert would_run(project) == set()


def test_an_edited_names_file_is_noticed_and_an_equal_one_is_not(project):
    """Of what a person may edit in results/: a newer file of other bytes."""
    path = project / "results/labelled/split.parquet"
    before, times = path.read_bytes(), path.stat()
    try:
        path.write_bytes(before)
        assert would_run(project) == set()
        path.write_bytes(before + b" ")
        assert would_run(project) >= {"train", "predict_by_cluster"}
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_ones_own_files_are_noticed_wherever_they_are_edited(project, tmp_path):
    """A CSV, an image in a class's folder behind a link, that link, a list of exclusions."""
    own = copy_project(tmp_path / "own")
    labelled = shutil.copytree(project / "results/demo/labelled", tmp_path / "labelled")
    folder = labelled / "anger"
    shutil.move(folder, tmp_path / "anger")
    folder.symlink_to(tmp_path / "anger")
    csv = Path(shutil.copy(project / "results/demo/fec.csv", tmp_path / "fec.csv"))
    (tmp_path / "exclude.txt").write_text("")
    change = {
        "data": {"fec_csv": str(csv), "labelled": str(labelled)},
        "fetch": {"exclude": str(tmp_path / "exclude.txt")},
    }
    config = with_config(own, change)
    shutil.copytree(project / "results", own / "results", dirs_exist_ok=True)
    snakemake(own, *config, "--touch", "--forceall")
    assert would_run(own, *config) == set()

    image = next(folder.iterdir())
    hidden = image.rename(tmp_path / image.name)
    assert would_run(own, *config) == {"read_labelled"} | LABELLED
    hidden.rename(image)
    assert would_run(own, *config) == set()
    folder.rename(labelled / "other")
    assert would_run(own, *config) == {"read_labelled"} | LABELLED
    (labelled / "other").rename(folder)
    csv.write_bytes(csv.read_bytes() + b"\n")
    assert would_run(own, *config) == {"sample_faces"} | FETCHED
    snakemake(own, *config, "--touch")
    (tmp_path / "exclude.txt").write_text("http://example.org/a.jpg\n")
    assert would_run(own, *config) == {"sample_faces"} | FETCHED


def test_edited_weights_train_what_starts_from_them(project, tmp_path):
    """Weights from a file are an input of training; this model was never trained, so all is new."""
    transfer = load("configs/beyond.yaml")["models"]["transfer"]
    (tmp_path / "w.pth").write_bytes(b"weights")
    change = {"models": {"transfer": transfer | {"weights": str(tmp_path / "w.pth")}}}
    target = "results/rgb/transfer/seed0/model"
    printed = snakemake(project, "-n", *with_config(project, change), "--", target)
    assert re.search(
        rf"input: results/rgb/aligned/labelled.npy, .*{tmp_path}/w.pth$", printed, re.M
    )
    change = {"models": {"transfer": transfer}}
    printed = snakemake(project, "-n", *with_config(project, change), "--", target)
    assert "results/rgb/aligned/labelled.npy" in printed and "w.pth" not in printed


def test_one_target_alone(project):
    target = "results/cropped/stacked/seed7/embeddings.npy"
    jobs = jobs_to_run(project, *with_config(project, {"seeds": [0, 7]}), "--", target)
    cell = "variant=cropped, model=stacked, seed=7"
    assert jobs == [("embed", cell), ("train", cell)]


def test_a_stage_is_forced_with_or_without_what_follows(project):
    assert would_run(project, "--forcerun", "cluster") == CLUSTERED
    assert would_run(project, "--forcerun", "cluster", "--until", "cluster") == {"cluster"}


def test_a_model_trained_elsewhere_is_brought_in(project, tmp_path):
    own = shutil.copytree(project, tmp_path / "own")
    model = "results/rgb/stacked/seed0/model"
    shutil.rmtree(own / "results/rgb/stacked")
    snakemake(own, "--cleanup-metadata", model)
    shutil.copytree(project / model, own / model)
    for path in (*(own / model).iterdir(), own / model):
        os.utime(path, (1.6e9, 1.6e9))
    cell = ("train", "variant=rgb, model=stacked, seed=0")
    assert cell in jobs_to_run(own)  # older than the faces it would be trained on
    snakemake(own, "--touch", "--force", "--", model)
    jobs = jobs_to_run(own)
    assert cell not in jobs and ("embed", cell[1]) in jobs
    # From now on it is as if it had been trained here.
    change = {"models": {"stacked": {"phases": {"reconstruct": {"learning_rate": 0.5}}}}}
    assert cell in jobs_to_run(own, *with_config(own, change))
