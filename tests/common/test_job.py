"""What every script shares: its log, and its lock."""

import subprocess
import sys
import time

import pytest

from facesort.common.job import InputError, job

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
