"""What every script shares: its log, and its lock."""

import os
import subprocess
import sys
import time

import pytest

from facesort.common.job import InputError, Progress, job

SCRIPT = """
import sys, time
from facesort.common.job import job
with job(sys.argv[1]):
    print("begins")
    time.sleep(float(sys.argv[2]))
    with open(sys.argv[3], "a") as file:
        file.write(sys.argv[2] + " ")
"""


def start(log, seconds, record):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(log), str(seconds), str(record)],
        env={"PYTHONPATH": "workflow_scripts"},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_job_waits_for_its_double_and_a_killed_one_holds_nobody_up(tmp_path):
    log, record = tmp_path / "a job.log", tmp_path / "record"
    first = start(log, 2, record)
    while not log.is_file() or "begins" not in log.read_text():
        time.sleep(0.05)
    log.unlink()  # as Snakemake does before a job
    second = start(log, 0, record)
    _, said = second.communicate()
    assert record.read_text() == "2 0 "
    assert f"still runs from an earlier run, as process {first.pid}; waiting" in said
    begins, took = log.read_text().splitlines()
    assert begins == "begins" and took.startswith("took ")
    first.communicate()
    killed = start(log, 60, record)
    while (tmp_path / ".a job.log.lock").read_text() != str(killed.pid):
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    _, said = start(log, 0, record).communicate()
    assert "earlier" not in said


def test_errors_end_in_one_line_and_the_traceback_lies_in_the_log(tmp_path, capfd):
    log = tmp_path / "logs/job.log"
    with pytest.raises(SystemExit), job(log):
        raise InputError("row 3:\nno such thing")
    assert capfd.readouterr().err.splitlines() == ["error: row 3: no such thing"]
    with pytest.raises(SystemExit), job(log):
        raise ZeroDivisionError("oh")
    assert capfd.readouterr().err.splitlines() == [
        f"error: ZeroDivisionError: oh (traceback in {log})"
    ]
    assert "Traceback" in log.read_text() and "row 3" not in log.read_text()


@pytest.mark.parametrize("cluster", [False, True], ids=["here", "on a cluster"])
def test_beside_a_display_only_alarms_reach_the_terminal(tmp_path, capfd, monkeypatch, cluster):
    """But for a job of a cluster, which inherits the variable and has an output of its own."""
    monkeypatch.setenv("FACESORT_DISPLAY", "here")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    if cluster:
        monkeypatch.setenv("SLURM_JOB_ID", "7")
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit), job(log):
        print("reads: 3 of 9")
        print("warning: row", 3)
        print("no error: here")
        raise InputError("row 5")
    said = ["reads: 3 of 9", "warning: row 3", "no error: here", "error: row 5"]
    assert log.read_text(encoding="utf-8").splitlines()[:-1] == said
    assert capfd.readouterr().err.splitlines() == (said if cluster else [said[1], said[3]])


def progress(monkeypatch, capsys, begin, *steps, named=""):
    """Lines of a progress whose updates come at given seconds: (second, how much, figures)."""
    now = [0.0]
    monkeypatch.setattr("facesort.common.job.time.monotonic", lambda: now[0])
    monkeypatch.setattr("facesort.common.job._name", named)
    told = begin()
    for seconds, n, figures in steps:
        now[0] = seconds
        told.update(n, **figures)
    told.close()
    return capsys.readouterr().out.splitlines()


def test_progress_names_its_cell_and_counts_the_faces_of_an_epoch(monkeypatch, capsys):
    """Not faces times epochs, which nobody has."""
    lines = progress(
        monkeypatch,
        capsys,
        lambda: Progress(1000, "reconstruct", rounds=3, start=500),
        (5, 500, {"loss": 0.25}),
        (10, 700, {"loss": 0.2}),
        (12, 1300, {"loss": 0.1}),
        named="train rgb/stacked/seed0",
    )
    cell = "train rgb/stacked/seed0: reconstruct, epoch"
    assert lines == [
        f"{cell} 1 of 3: 1,000 of 1,000 faces, 100 a second, 0:20 left, loss 0.25",
        f"{cell} 2 of 3: 700 of 1,000 faces, 120 a second, 0:10 left, loss 0.2",
        f"{cell} 3 of 3: 1,000 of 1,000 faces, 208 a second, 0:00 left, loss 0.1",
    ]


def test_the_last_line_of_a_progress_stands_once(monkeypatch, capsys):
    whole = progress(monkeypatch, capsys, lambda: Progress(60, "rendering", "photos"), (6, 60, {}))
    assert whole == ["rendering: 60 of 60 photos, 10 a second, 0:00 left"]
    steps = ((6, 50, {}), (7, 10, {}))
    part = progress(monkeypatch, capsys, lambda: Progress(60, "rendering", "photos"), *steps)
    assert len(part) == 2 and part[1].startswith("rendering: 60 of 60 photos")
    none = progress(monkeypatch, capsys, lambda: Progress(0, "rendering", "photos"))
    assert none == ["rendering: 0 of 0 photos, 0 a second, 0:00 left"]


def test_a_job_names_its_progress(tmp_path, capfd):
    with job(tmp_path / "logs/embed/rgb/stacked/seed0.log"):
        Progress(3, "embeddings").close()
    assert capfd.readouterr().err.startswith("embed rgb/stacked/seed0: embeddings: 0 of 3 faces")


def test_beside_bars_what_libraries_write_and_the_rest_of_long_lines_go_to_the_log(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.setenv("FACESORT_DISPLAY", "here")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    log, reason = tmp_path / "job.log", "x" * 5000
    with pytest.raises(SystemExit), job(log):
        os.write(2, b"INFO: Created a delegate\n")
        raise InputError(reason)
    (told,) = capfd.readouterr().err.splitlines()
    assert told.startswith("error: xxx") and told.endswith(f" ... (whole: {log})")
    assert len(told) < 600
    first, second, _ = log.read_text(encoding="utf-8").splitlines()
    assert (first, second) == ("INFO: Created a delegate", f"error: {reason}")
    os.write(2, b"after the job\n")
    assert capfd.readouterr().err == "after the job\n"
