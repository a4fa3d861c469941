"""What a run shows: bars on a terminal, else short lines, and Snakemake's own where asked."""

import fcntl
import io
import logging
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
from PIL import Image
from small_run import copy_project, snakemake, start
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter

from facesort.common.display import (
    Board,
    Display,
    ShortReasons,
    alarms,
    cell,
    clock,
    just_told,
    last_line,
    lasted,
)

STAGES = {"fetch_faces": "fetch", "train": "train", "embed": "train", "table1": "score"}
TARGET = ("--forcerun", "summary_page", "--", "results/summary.html")


def record(message=None, level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake.logging", level, "", 0, message, None, None)
    made.__dict__.update(fields)
    return made


def begins(number, rule, log=(), local=True, **wildcards):
    return record(
        event="job_info",
        jobid=number,
        rule_name=rule,
        wildcards=wildcards,
        log=list(log),
        local=local,
    )


def ends(number):
    return record(f"Finished jobid: {number}", event="job_finished", job_id=number)


def fails(number, rule, log=(), message=None):
    return record(
        "Error in rule",
        logging.ERROR,
        event="job_error",
        jobid=number,
        rule_name=rule,
        rule_msg=message,
        log=list(log),
    )


@pytest.fixture
def told(monkeypatch):
    """Handle records at given seconds, and return what a file would then hold."""
    now, output = [0.0], io.StringIO()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    own = ColorizingTextHandler(stream=output)
    own.setFormatter(DefaultFormatter())
    own.addFilter(DefaultFilter(None, False, False, False, False))
    board = Board({"fetch_faces": 1, "train": 8, "table1": 1}, STAGES, began=0.0)
    display = Display(own, board)

    def tell(*records):
        for seconds, each in records:
            now[0] = seconds
            display.handle(each)
        return output.getvalue().splitlines()

    tell.board = board
    monkeypatch.setattr("facesort.common.display._shown", display)
    return tell


def test_a_finished_job_is_one_line_and_routine_is_none(told):
    assert told(
        (1, record("Select jobs to execute...")),
        (1, record("Execute 2 jobs...", event="job_started", jobs=[1, 2])),
        (1, begins(1, "train", variant="rgb", model="stacked", seed="0")),
        (1, record("Shell command: x", event="shellcmd", shellcmd="x")),
        (2, begins(2, "fetch_faces")),
        (2, record("Job 2 has been submitted with SLURM jobid 77 (log: a).")),
        (70, ends(2)),
        (70, record(event="progress", done=1, total=10)),
        (83.4, ends(1)),
        (83.4, record("Removing temporary output a.")),
    ) == [
        "[ 1/10] 1:10 fetch_faces (68 s)",
        "[ 2/10] 1:23 train rgb/stacked/seed0 (82 s)",
    ]


def test_warnings_errors_and_what_is_not_known_are_told_in_full(told):
    assert told(
        (1, record("SLURM run ID: 12-34")),
        (1, record("Job 3 has been submitted, but the queue is full", logging.WARNING)),
        (1, record("RuleException:\nCommand 'x' died", logging.ERROR, event="error")),
        (1, record("Trying to restart job 5.")),
        (1, record("Error in group 7", logging.ERROR, event="group_error", **GROUP)),
    )[:5] == [
        "SLURM run ID: 12-34",
        "Job 3 has been submitted, but the queue is full",
        "RuleException:",
        "Command 'x' died",
        "Trying to restart job 5.",
    ]
    assert told()[-2:] == ["        rule train:", "            jobid: 3"]


GROUP = {
    "msg": None,
    "aux_logs": [],
    "job_error_info": [{"rule_name": "train", "jobid": 3, "output": [], "log": []}],
}


@pytest.mark.parametrize("local", [True, False], ids=["here", "on a cluster"])
def test_a_failed_job_is_named_with_its_log(told, tmp_path, local):
    """What a job of a cluster has to say stands in its log alone; others have said it."""
    log = tmp_path / "job.log"
    log.write_text("reads\nwarning: odd\n  error: no\nerror: row 3\n", encoding="utf-8")
    said = told(
        (1, begins(4, "train", [str(log)], local, variant="rgb", seed="1")),
        (31, fails(4, "train", [str(log), "slurm.log"], "SLURM status is: 'CANCELLED'")),
        (31, record("Trying to restart job 4.")),
        (32, begins(4, "train", [str(log)], local, variant="rgb", seed="1")),
        (40, ends(4)),
    )
    alarms = [] if local else ["warning: odd", "error: row 3"]
    assert said == [
        *alarms,
        "[ 0/10] 0:31 failed: train rgb/seed1 (30 s)",
        "    SLURM status is: 'CANCELLED'",
        f"    log: {log}",
        "    log: slurm.log",
        "Trying to restart job 4.",
        *alarms,
        "[ 1/10] 0:40 train rgb/seed1 (8 s)",
    ]


def test_an_error_is_told_again_at_the_end_only_if_others_stand_below_it(told):
    assert not just_told()
    told((1, begins(1, "train")), (1, begins(2, "embed")), (2, fails(1, "train")))
    assert just_told()
    told((3, ends(2)))
    assert not just_told()
    told((4, begins(3, "embed")), (5, fails(3, "embed")))
    assert not just_told()  # of two errors


def test_time_left_follows_the_jobs_of_each_rule_and_how_many_ran_at_once(told):
    told(*((0, begins(number, "train")) for number in range(4)), (10, ends(0)), (10, ends(1)))
    assert told.board.left(10) is None
    told((20, ends(2)))
    # 30 + 10 of 40 s done, by two at once; left are 5 trainings of 40/3 s and two jobs like them,
    # less what the one that runs has had.
    at_once = (10 + 10 + 20 + 20) / 20
    assert told.board.left(20) == pytest.approx((7 * 40 / 3 - 40 / 3) / at_once)
    assert told.board.bars() == [("fetch", 0, 1), ("train", 3, 8), ("score", 0, 1)]


def test_names_and_times():
    assert cell({"variant": "rgb", "model": "stacked", "seed": "0"}) == "rgb/stacked/seed0"
    assert cell({"shard": "3"}) == "shard3" and cell({}) == ""
    assert [clock(83), clock(7283), lasted(25.4), lasted(100)] == [
        "1:23",
        "2:01:23",
        "25 s",
        "1:40",
    ]


def test_what_a_job_does_now_is_told_without_what_is_known(tmp_path):
    """Its name stands before it; what it cost is for a table."""
    log = tmp_path / "logs/train/rgb/stacked/seed0.log"
    log.parent.mkdir(parents=True)
    log.write_text("train rgb/stacked/seed0: reconstruct, epoch 1 of 3: 5 of 9 faces\ntook 3 s\n")
    assert last_line([str(log)]) == "reconstruct, epoch 1 of 3: 5 of 9 faces"
    assert last_line([str(tmp_path / "none.log")]) == last_line([]) == ""


def test_an_alarm_of_kilobytes_is_cut_and_names_its_log(tmp_path):
    log = tmp_path / "job.log"
    log.write_text(f"error: {'x' * 5000}\n")
    (told,) = alarms([str(log)])
    assert len(told) < 600 and told.endswith(f"(whole: {log})")


def test_reasons_of_kilobytes_are_cut_on_the_terminal_alone():
    """Where a dry run says why; Snakemake's log has the same record whole."""
    about = {"is_checkpoint": False, "output": ["a"], "rule_msg": None, "resources": {}}
    about |= {"input": [], "benchmark": None, "priority": 0, "threads": 1, "indent": False}
    job = begins(3, "train", variant="rgb")
    job.__dict__.update(about, reason="Params have changed: " + "x" * 5000)
    lines = ShortReasons(DefaultFormatter()).format(job).splitlines()
    (told,) = [line for line in lines if "Params" in line]
    assert told.startswith("    reason: Params have changed: xxx") and len(told) < 500
    assert told.endswith("... (whole: --verbose)") and len(job.reason) > 5000
    job.reason = "Missing output files: a"
    own = DefaultFormatter().format(job)
    assert ShortReasons(DefaultFormatter()).format(job).partition("]")[2] == own.partition("]")[2]


ON_A_TERMINAL = """
import logging, subprocess, sys, time
from snakemake.logging import ColorizingTextHandler, DefaultFormatter
sys.path.insert(0, "tests/common")
from test_display import STAGES, Board, Display, begins, ends, record

own = ColorizingTextHandler(stream=sys.stderr)
own.setFormatter(DefaultFormatter())
display = Display(own, Board({"fetch_faces": 1, "train": 4, "all": 1}, STAGES))
display.handle(begins(1, "fetch_faces"))
display.handle(begins(2, "train", [sys.argv[1]], seed="0"))
subprocess.run(["sh", "-c", "echo error: from a job >&2; echo from its program"])
display.handle(record("Beware", logging.WARNING))
time.sleep(1.5)
print("not a whole line", end="", flush=True)
time.sleep(0.7)
display.handle(ends(1))
display.stop()
print("closing words")
subprocess.run(["echo", "and a last program"])
"""


def on_a_terminal(begin, columns=60, rows=30):
    """Start a process on a terminal of its own.

    Returns:
        The process, what collects its output, and the terminal's settings before and after.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    before = termios.tcgetattr(its)
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = begin(stdout=its, stderr=its, env=env | {"TERM": "xterm"}, start_new_session=True)
    said = bytearray()

    def collect():
        while True:
            try:
                said.extend(os.read(ours, 65536))
            except OSError:
                return

    reader = threading.Thread(target=collect)
    reader.start()

    def finish():
        process.wait(120)
        after = termios.tcgetattr(its)
        os.close(its)
        reader.join(10)
        assert after == before and b"?25l" not in said
        return said.decode()

    return process, said, finish


def seen(said):
    """What stands on an endless terminal after such output."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", said):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part[0] != "\x1b":
            lines[row] = lines[row][:column].ljust(column) + part
            column += len(part)
        elif part[-1] == "A":
            row -= int(part[2:-1])
        elif part[-1] == "J":
            lines[row:] = [lines[row][:column]]
    return lines


def frames(said):
    """What stood there each time that the bars had been drawn."""
    ends_at = [match.end() for match in re.finditer(r"\x1b\[\?7h", said)]
    return [seen(said[:end]) for end in ends_at]


def test_bars_stand_below_all_that_a_run_and_its_programs_write(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("train: epoch 3 of 9, loss 0.123 and so on and on and on\n", encoding="utf-8")
    command = [sys.executable, "-c", ON_A_TERMINAL, str(log)]
    path = {"PYTHONPATH": "workflow_scripts:tests", "PYTHONUTF8": "1"}
    _, _, finish = on_a_terminal(
        lambda env, **how: subprocess.Popen(command, env=env | path, **how), columns=50
    )
    # How long all takes is the machine's affair.
    said = re.sub(r"0:\d\d", "0:0x", finish())
    above = ["error: from a job", "from its program", "Beware"]
    bars = [
        "fetch ─────────────────────────────────       0/1",
        "train ─────────────────────────────────       0/4",
        "[0/6] 0:0x elapsed",
        "  fetch_faces 0:0x  ",
        "  train seed0 0:0x  train: epoch 3 of 9, loss 0.1",
        "",
    ]
    assert [*above, *bars] in frames(said)
    assert seen(said) == [
        *above,
        "not a whole line",
        "fetch ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━       1/1",
        "train ─────────────────────────────────       0/4",
        "[1/6] 0:0x elapsed",
        "closing words",
        "and a last program",
        "",
    ]


def test_without_a_terminal_or_on_a_dumb_one_there_are_lines(monkeypatch):
    class Terminal(io.StringIO):
        isatty = staticmethod(lambda: True)

    monkeypatch.setenv("TERM", "dumb")
    display = Display(ColorizingTextHandler(stream=Terminal()), Board({"train": 1}, STAGES))
    assert display.screen is None


def whole_log(folder):
    """Snakemake's own log of the last run."""
    return max((folder / ".snakemake/log").glob("*.log")).read_text(encoding="utf-8")


def test_a_run_on_a_terminal_has_bars_and_a_whole_log(project):
    _, _, finish = on_a_terminal(lambda **how: start(project, *TARGET, **how))
    said = finish()
    shown = "\n".join(seen(said))
    assert re.search(r"^pages ━+ +1/1$", shown, re.M), shown
    assert re.search(r"^\[1/1\] \d:\d\d elapsed$", shown, re.M) and "Elapsed time" in shown
    assert any("  summary_page 0:0" in line for frame in frames(said) for line in frame)
    for block in ("rule summary_page:", "jobid:", "steps (100%) done"):
        assert block not in said and block in whole_log(project)


def test_a_run_without_a_terminal_has_a_line_for_each_job(project):
    printed = snakemake(project, *TARGET)
    assert re.search(r"^\[1/1\] \d:\d\d summary_page \(\d+ s\)$", printed, re.M), printed
    assert "jobid:" not in printed and "\x1b" not in printed
    assert "rule summary_page:" in whole_log(project)


@pytest.mark.parametrize(
    "asked", ["--printshellcmds", "--verbose", "--touch", "--show-failed-logs"]
)
def test_who_asks_for_snakemakes_own_output_gets_it(project, asked):
    printed = snakemake(project, asked, *TARGET)
    assert "rule summary_page:" in printed and "    jobid: " in printed
    assert "summary_page (" not in printed


def test_a_quiet_run_is_quiet(project):
    assert "summary_page" not in snakemake(project, "--quiet", "all", *TARGET)


def test_a_dry_run_prints_what_it_prints_without_the_display(project):
    def lines():
        printed = snakemake(project, "-n", *TARGET)
        return [
            line for line in printed.splitlines() if not re.match(r"  Date|  Workflow|\[", line)
        ]

    snakefile = project / "Snakefile"
    with_display, text = lines(), snakefile.read_text(encoding="utf-8")
    try:
        without = re.sub(r"^ +display\..*\n", "", text, flags=re.M)
        assert without != text
        snakefile.write_text(without, encoding="utf-8")
        assert lines() == with_display and "    jobid: 0" in with_display
    finally:
        snakefile.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("how", ["an error", "Ctrl-C"])
def test_a_run_that_fails_on_a_terminal_tells_why_and_leaves_it_sane(project, tmp_path, how):
    folder = shutil.copytree(project, tmp_path / "failing")
    if how == "an error":
        (folder / "results/comparisons.csv").write_bytes(b"\0PNG nonsense")
    arguments = ("--forcerun", "table1", "--", "results/table1.csv")
    run, said, finish = on_a_terminal(lambda **how: start(folder, *arguments, **how), columns=200)
    if how == "Ctrl-C":
        end = time.monotonic() + 60
        while b"  table1 0:0" not in said:
            assert time.monotonic() < end and run.poll() is None, said.decode()
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
    shown = "\n".join(seen(finish()))
    assert run.returncode == 1
    # Ctrl-C may meet a script that still imports, of which Python tells.
    assert "Traceback" not in shown or how == "Ctrl-C"
    assert re.search(
        r"^\[0/1\] \d:\d\d failed: table1 \(\d+ s\)\n    log: results/logs/", shown, re.M
    )
    assert re.search(r"^score ─+ +0/1\n\[0/1\] \d:\d\d elapsed$", shown, re.M), shown
    told = "Terminating" if how == "Ctrl-C" else "error: results/comparisons.csv: "
    times = len(re.findall(f"^{told}", shown, re.M))
    assert times == 1 or (times and how == "Ctrl-C"), shown


def test_the_log_takes_names_of_any_bytes(tmp_path):
    """Of the run's folder and of a config's file, which the head of Snakemake's log tells."""
    project, folder, config = (tmp_path / n for n in ("project", "run \udcff", "mine \udcfe.yaml"))
    copy_project(project)
    (tmp_path / "pile").mkdir()
    Image.new("RGB", (30, 30)).save(tmp_path / "pile/a.png")
    config.write_text(f"data: {{faces: {tmp_path / 'pile'}}}")
    told = snakemake(
        project, "--configfile", config, "--directory", folder, "--", "results/fetch/faces.npy"
    )
    assert "Logging error" not in told and "Traceback" not in told
    (log,) = (folder / ".snakemake/log").iterdir()
    told = log.read_text(encoding="utf-8")
    assert r"run \udcff" in told and r"mine \udcfe.yaml" in told
