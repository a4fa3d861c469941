"""What a run checks before it starts, and what it says when it ends."""

import io
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Template

from facesort.common import run as checks
from facesort.common.run import (
    REPORTED,
    clock_line,
    closing_words,
    container_error,
    disk_error,
    error_lines,
    made_files,
    read_only_error,
    say,
    told_lines,
    write_report,
)


def test_a_full_disk_is_an_error_and_a_missing_folder_is_none(tmp_path, monkeypatch):
    assert disk_error(tmp_path / "results") == read_only_error(tmp_path / "results") == ""
    usage = checks.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage._replace(free=999_999))
    assert "no space left on this disk" in disk_error(tmp_path)
    # Some file systems of networks tell nothing.
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: type(usage)(0, 0, 0))
    assert disk_error(tmp_path) == ""


def test_what_is_said_can_be_said_everywhere(monkeypatch):
    """Names of any bytes, and terminals that know few signs."""
    name = os.fsdecode("Fässer ".encode() + b"\xff")
    for encoding, said in (("utf-8", "Fässer \\udcff"), ("ascii", "F\\xe4sser \\udcff")):
        out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", out)
        say(name)
        out.flush()
        assert out.buffer.getvalue().decode(encoding) == f"{said}\n"


def test_a_file_from_the_future_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder/table.csv"
    path.write_text("")
    assert clock_line(tmp_path) == ""
    os.utime(path, (time.time() + 86400,) * 2)
    assert clock_line(tmp_path).startswith(f"error: {path} is from the future")


def test_the_errors_of_this_run_alone_are_told_again(tmp_path):
    old, new = tmp_path / "old.log", tmp_path / "train/new.log"
    new.parent.mkdir()
    old.write_text("error: long ago\n")
    new.write_text("begins\nerror: row 3: no such thing\nerrors are no error: lines\n")
    now = time.time()
    os.utime(old, (now - 60,) * 2)
    os.utime(new, (now + 1,) * 2)
    assert error_lines(tmp_path, now) == f"\nerror: row 3: no such thing (log: {new})"
    assert error_lines(tmp_path, now + 60) == ""


def test_a_report_that_cannot_be_made_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    said = write_report({"seeds": [3]}, tmp_path / "no Snakefile")
    assert said.startswith("results/report.html was not made: ") and len(said.splitlines()) == 1
    assert "no Snakefile" in said
    # All options that the run was given go to Snakemake in one file.
    assert json.loads((tmp_path / ".snakemake/report_config.json").read_text()) == {"seeds": [3]}


@pytest.fixture
def report_folder(tmp_path, monkeypatch):
    """A finished run of one rule, whose result the report shows; the folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results/table1.csv").touch()
    # A report needs a rule whose result is there.
    (tmp_path / "Snakefile").write_text(
        'rule table1:\n    output: report("results/table1.csv")\n    shell: "false"\n'
    )
    return tmp_path


def test_the_true_reason_of_a_missing_report_is_told(report_folder, monkeypatch):
    """Not the list of Snakemake's own files that stands below it."""
    (report_folder / "pygments.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(report_folder))
    said = write_report({}, report_folder / "Snakefile")
    assert said.endswith("Python package pygments must be installed to create reports."), said
    assert "File " not in said and not (report_folder / "results/report.html").exists()


@pytest.mark.parametrize("method", ["APPTAINER", "DeploymentMethod.APPTAINER", "apptainer"])
def test_containers_are_asked_for_in_vain_while_there_is_no_image(method):
    def asked(*methods):
        settings = SimpleNamespace(deployment_method=set(methods))
        return SimpleNamespace(deployment_settings=settings)

    wrong = container_error({"container": None}, asked("conda", method))
    assert wrong.startswith("--sdm apptainer: no image") and "container" in wrong
    assert len(wrong.splitlines()) == 1
    assert container_error({"container": "mine.sif"}, asked(method)) == ""
    assert container_error({"container": None}, asked("conda")) == ""


def test_a_report_that_is_made_needs_no_word(report_folder):
    assert write_report({}, report_folder / "Snakefile") == ""
    assert (report_folder / "results/report.html").stat().st_size


def test_the_report_tells_of_each_target_whose_page_is_there(report_folder):
    """Of exported models, if any were; and of a run of all, if one has ended."""
    rules = "".join(
        f'rule {target}:\n    input: "{page}"\n\nrule of_{target}:\n'
        f'    output: report("{page}")\n    shell: "false"\n\n'
        for target, page in REPORTED.items()
    )
    (report_folder / "Snakefile").write_text(rules)
    told = []
    for page in reversed(REPORTED.values()):
        Path(page).write_text("a page")
        assert write_report({}, report_folder / "Snakefile") == ""
        text = Path("results/report.html").read_text(encoding="utf-8")
        told.append([page for page in REPORTED.values() if f'"{page}"' in text])
    assert told == [["results/model_cards.html"], list(REPORTED.values())]


def test_the_reports_first_page_is_the_summary_if_there_is_one():
    """As Snakemake fills it in."""
    template = checks.Path(__file__).parents[2] / "docs/report/workflow.rst"
    text = Template(template.read_text(encoding="utf-8"))
    for targets in ([], ["figure.png"], ["figure.png", "summary.html"]):
        filled = text.render(files=[SimpleNamespace(target=target) for target in targets])
        assert (":file: results/summary_frame.html" in filled) == ("summary.html" in targets)


CELL = "rgb/stacked/seed0"
TABLE = """\
model,variant,seeds,n_test,accuracy,accuracy_low,accuracy_high,paper_accuracy,chance
stacked,rgb,1,1048,0.1042,0.0453,0.2217,0.1226,0.125
action_units,grayscale,1,1048,1.0,0.963,1.0,,0.125
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Whole results in the folder that is worked in; what a run says that has made some of them."""
    monkeypatch.chdir(tmp_path)
    names = ["summary.html", "report.html", "table1.csv", "table1.md", "table2.md"]
    names += ["archive/browse.html", f"{CELL}/map.html", f"{CELL}/figures/clusters.png"]
    for name in names:
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TABLE if name == "table1.csv" else "")

    def says(*made, unscored=""):
        paths = {f"results/{name}" for name in made or names}
        return closing_words(checks.Path("results"), paths, "rendered faces", unscored)

    return says


def test_a_run_ends_with_its_table_and_where_all_lies_the_summary_first(made, tmp_path):
    assert made().splitlines() == [
        "",
        "Accuracy on 1,048 labelled faces, with 95% intervals; chance 12.5%",
        "  stacked       rgb         10.4% [ 4.5, 22.2]   paper 12.3%",
        "  action_units  grayscale  100.0% [96.3, 100.0]",
        "Data: rendered faces.",
        "",
        f"Summary:  {tmp_path}/results/summary.html",
        f"Report:   {tmp_path}/results/report.html",
        f"Table 1:  {tmp_path}/results/table1.csv",
        f"Browse:   {tmp_path}/results/archive/browse.html",
        f"Cells:    {tmp_path}/results/<variant>/<model>/seed<n>: map.html, figures",
    ]


def test_a_run_of_an_archive_ends_with_what_it_found(made, tmp_path):
    folder = tmp_path / "results/archive"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "photos.csv").write_text("\ufeffphoto,faces,answered\na.jpg,3,2\nb.jpg,0,0\n")
    (folder / "refused.csv").write_text("\ufeffphoto,reason\nnotes.txt,not an image\n")
    told = made("archive/photos.csv", "archive/refused.csv").splitlines()
    found = "2 photos with 3 faces, of which 2 could be read; refused files: 1"
    assert told[1] == found and told[-1] == f"Refused:  {folder}/refused.csv"


def test_a_run_names_nothing_that_another_run_has_made(made, tmp_path):
    """An old Table 1 above all, which reads as if it were this run's."""
    assert made("table2.md", "labelled/split.parquet") == ""
    assert made("archive/browse.html") == f"\nBrowse:   {tmp_path}/results/archive/browse.html"
    assert "naming.html" not in made(f"{CELL}/naming.html", f"{CELL}/map.html")  # it is not there
    # Files elsewhere, such as a person's model that a run of the archive asks for, are no results.
    assert made("../elsewhere") == ""


def test_a_run_without_scores_shows_no_table_of_an_earlier_one(made, tmp_path):
    words = made("summary.html", unscored="Nothing was scored.")
    assert words == f"\nNothing was scored.\n\nSummary:  {tmp_path}/results/summary.html"
    # Nor what it did not ask for, as where a single file is made.
    assert made("sample/faces.parquet", unscored="Nothing was scored.") == ""


def test_what_was_made_or_checked_is_what_the_graph_of_jobs_holds():
    jobs = [SimpleNamespace(output=["results/a.csv", "results/b.csv"]), SimpleNamespace(output=[])]
    workflow = SimpleNamespace(dag=SimpleNamespace(jobs=jobs))
    assert made_files(workflow) == {"results/a.csv", "results/b.csv"}


def test_what_a_rule_has_told_is_shown_at_the_end(tmp_path):
    log = tmp_path / "a.log"
    assert told_lines(log, 0) == ""
    log.write_text("a: 1 of 2 photos, 3.1 a second, 0:00 left\n2 photos: 2 new\ntook 1 s\n")
    now = time.time()
    assert told_lines(log, now - 60) == "2 photos: 2 new" and told_lines(log, now + 60) == ""
