"""What a run checks before it starts, and what it says when it ends."""

import json
import os
import time

from facesort.common import run as checks
from facesort.common.run import (
    clock_line,
    closing_words,
    disk_error,
    error_lines,
    read_only_error,
    write_report,
)


def test_a_full_disk_is_an_error_and_a_missing_folder_is_none(tmp_path, monkeypatch):
    assert disk_error(tmp_path / "results") == read_only_error(tmp_path / "results") == ""
    usage = checks.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage._replace(free=999_999))
    assert "no space left on this disk" in disk_error(tmp_path)


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


def test_a_report_that_is_made_needs_no_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results/table1.csv").touch()
    # A report needs a rule whose result is there.
    (tmp_path / "Snakefile").write_text(
        'rule table1:\n    output: report("results/table1.csv")\n    shell: "false"\n'
    )
    assert write_report({}, tmp_path / "Snakefile") == ""
    assert (tmp_path / "results/report.html").stat().st_size


def test_a_run_ends_with_its_table_and_where_it_lies(tmp_path):
    assert closing_words(tmp_path) == ""
    (tmp_path / "table1.md").write_text("| model | accuracy |\n")
    words = closing_words(tmp_path)
    assert "| model | accuracy |" in words
    for name in ("table1.csv", "table1.md", "report.html"):
        assert f"{tmp_path}/{name}" in words


def test_a_run_without_scores_shows_no_table_of_an_earlier_one(tmp_path):
    (tmp_path / "table1.md").write_text("| model | accuracy |\n")
    assert closing_words(tmp_path, "Nothing was scored.") == ""
    (tmp_path / "summary.html").touch()
    words = closing_words(tmp_path, "Nothing was scored.")
    assert "Nothing was scored." in words and f"{tmp_path}/summary.html" in words
    assert "accuracy" not in words and "table1" not in words
