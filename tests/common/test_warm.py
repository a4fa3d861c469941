"""Jobs that start warm: a fork behaves as the job's own process would, and ends with it."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import psutil
import pytest
from snakemake.settings.types import DeploymentMethod

from facesort.common import warm

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")


def workflow_of(rules, methods=(), local=True):
    """What of Snakemake's workflow is looked at."""
    deployment = SimpleNamespace(deployment_method=methods)
    return SimpleNamespace(rules=rules, local_exec=local, deployment_settings=deployment)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start scripts as Snakemake does, this test's process standing for Snakemake's."""
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("FACESORT_WARM", "")
    monkeypatch.setenv("FACESORT_WARM_UNTIL", "")
    monkeypatch.setattr(warm.atexit, "register", lambda *_, **__: None)
    # Longer than a socket's path may be.
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(warm.tempfile, "mkdtemp", lambda prefix: str(folder))
    rules = [
        SimpleNamespace(
            script=f"../workflow_scripts/{name}.py",
            conda_env="../envs/faces.yaml",
            resources={"_cores": SimpleNamespace(value=threads)},
        )
        for name, threads in (("one", 1), ("many", 4))
    ]
    warm.offer(workflow_of(rules))
    scripts = tmp_path / "a folder/.snakemake/scripts"
    scripts.mkdir(parents=True)
    started = []

    def begin(text, name="one", threads="1", **how):
        script = scripts / f"tmp{len(started)}.{name}.py"
        script.write_text(text, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, str(script)],
            env=os.environ | {"OMP_NUM_THREADS": threads},
            cwd=scripts.parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Where the tests run in the background, Ctrl-C would be ignored.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            **how,
        )
        started.append(process)
        return process

    yield begin
    for process in [*started, *warm_processes()]:
        process.kill()


def warm_processes():
    """The warm processes of a test's run, by its folder, and their forks."""
    return [
        each
        for each in psutil.process_iter(["cmdline", "environ"])
        if "facesort.common.warm" in (each.info["cmdline"] or [])
        and (each.info["environ"] or {}).get("FACESORT_WARM") == os.environ["FACESORT_WARM"]
    ]


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def ended(number):
    """Whether a process is over, or waits to be buried."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


ABOUT = """
import json, os, sys
import colorsys
print(json.dumps({
    "argv": sys.argv, "name": __name__, "cwd": os.getcwd(), "parent": os.getppid(),
    "variable": os.environ.get("OF_THE_JOB"), "path": sys.path[0], "number": os.getpid(),
}))
print("said", file=sys.stderr)
sys.exit(7)
"""


def test_a_fork_has_the_jobs_arguments_folder_variables_output_and_status(
    start, tmp_path, monkeypatch
):
    monkeypatch.setenv("OF_THE_JOB", "ä")
    told = []
    for _ in range(2):
        process = start(ABOUT)
        out, err = process.communicate()
        told.append(about := json.loads(out))
        assert (process.returncode, err) == (7, "said\n")
        assert about["argv"] == process.args[1:] and about["name"] == "__main__"
        assert Path(about["cwd"]) == tmp_path / "a folder" and about["variable"] == "ä"
        assert about["path"] == str(Path(process.args[1]).parent)
        assert about["number"] != process.pid
    # Both are forks of one process, which has imported what they do.
    assert told[0]["parent"] == told[1]["parent"] == warm_processes()[0].pid


def test_what_a_script_imports_is_there_before_the_fork(start):
    text = "import sys\nwas = 'wave' in sys.modules\ndef later():\n    import wave\nprint(was)"
    assert start(text).communicate()[0] == "True\n"
    assert start(text, threads="2").communicate()[0] == "False\n"


def test_jobs_of_more_threads_and_other_scripts_start_as_ever(start):
    own = "import os\nprint(os.getpid())"
    for how in ({"threads": "2"}, {"name": "many"}, {"name": "unknown"}):
        process = start(own, **how)
        assert process.communicate()[0] == f"{process.pid}\n", how
    process = start(own)
    assert process.communicate()[0] != f"{process.pid}\n"


def test_where_nothing_can_be_started_the_script_runs_as_ever(start):
    name = f"{crc32(f'faces {sys.executable}'.encode()):x}.lock"
    (Path(os.environ["FACESORT_WARM"]) / name).mkdir()
    process = start("import os\nprint(os.getpid())")
    assert process.communicate() == (f"{process.pid}\n", "")


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("", 0, ""),
        ("raise SystemExit(300)", 300 % 256, ""),
        ("raise SystemExit('in words')", 1, "in words\n"),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
        ("import no_such_package", 1, "No module named 'no_such_package'\n"),
        ("import os\nos._exit(5)", 137, ""),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 137, ""),
    ],
)
def test_ends_are_told(start, text, status, said):
    process = start(text)
    _, err = process.communicate()
    assert (process.returncode, err[-len(said) :] if said else err) == (status, said)


WAIT = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)"


def test_a_fork_ends_with_the_jobs_own_process(start):
    process = start(WAIT)
    fork = int(process.stdout.readline())
    process.kill()
    wait_until(lambda: ended(fork))


def test_ctrl_c_ends_the_fork_and_the_next_job_starts_warm(start):
    """A terminal sends it to the whole group, the warm process among it."""
    process = start(WAIT.replace("time.sleep", "print('on', flush=True); time.sleep"))
    fork = int(process.stdout.readline())
    process.stdout.readline()
    (parent,) = [each for each in warm_processes() if each.pid != fork]
    for number in (parent.pid, process.pid, fork):
        os.kill(number, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 1 and "KeyboardInterrupt" in err
    assert start(ABOUT).communicate()[0].count(f'"parent": {parent.pid}') == 1


def test_warm_processes_end_with_snakemakes_and_their_jobs_go_on(start, monkeypatch):
    snakemake = subprocess.Popen(["sleep", "600"])
    monkeypatch.setenv("FACESORT_WARM_UNTIL", str(snakemake.pid))
    process = start(WAIT.replace("600", "2") + "\nprint('done')")
    fork = int(process.stdout.readline())
    (parent,) = [each for each in warm_processes() if each.pid != fork]
    snakemake.kill()
    snakemake.wait()
    wait_until(lambda: ended(parent.pid))
    assert not ended(fork)
    assert process.communicate()[0] == "done\n" and process.returncode == 0


@pytest.mark.parametrize("how", [{"local": False}, {"methods": [DeploymentMethod.APPTAINER]}])
def test_nothing_is_offered_to_clusters_and_containers(monkeypatch, how):
    monkeypatch.delenv("FACESORT_WARM", raising=False)
    warm.offer(workflow_of([], **how))
    assert "FACESORT_WARM" not in os.environ


def test_nobody_else_can_reach_the_socket(monkeypatch, tmp_path):
    monkeypatch.setattr(warm.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(warm.atexit, "register", lambda *_, **__: None)
    for name in ("PYTHONPATH", "FACESORT_WARM", "FACESORT_WARM_UNTIL"):
        monkeypatch.setenv(name, "")
    warm.offer(workflow_of([]))
    assert Path(os.environ["FACESORT_WARM"]).parent == tmp_path
    assert Path(os.environ["FACESORT_WARM"]).stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_process_with_threads_does_not_fork(start, monkeypatch):
    """OpenBLAS starts some when numpy is imported, if it may."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    process = start("import os, numpy\nprint(os.getpid())")
    assert process.communicate() == (f"{process.pid}\n", "")


def test_ctrl_c_while_packages_are_imported_ends_the_job(start, tmp_path):
    """The fork that comes after finds nobody who waits for it."""
    process = start("import torch\nopen('made', 'w')")
    (parent,) = wait_until(warm_processes)
    parent.suspend()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    parent.resume()
    # The next one comes after it.
    assert start("").wait() == 0
    assert not (tmp_path / "a folder/made").exists()
