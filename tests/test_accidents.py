"""Accidents: what happens to a run costs none of its results, and changes none of them silently.

Each ends in a finished run after a plain restart, or in one clear line that says what to do.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

import psutil
import pytest
from small_run import ROOT, copy_project, same_results, snakemake, start, would_run


@pytest.fixture
def finished(project, tmp_path):
    """A copy of the finished project."""
    return shutil.copytree(project, tmp_path / "finished")


def jobs_under(process):
    """The processes of the scripts that a run of Snakemake has under way."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
        return [each for each in below if ".snakemake/scripts" in " ".join(each.cmdline())]
    except psutil.NoSuchProcess:
        return []


def stop(process, how, rng):
    """Do to a run what accidents do."""
    if how == "kill Snakemake":
        process.kill()
    elif how == "kill all":
        os.killpg(process.pid, signal.SIGKILL)
    elif how == "kill a job":
        if jobs := jobs_under(process):
            rng.choice(jobs).kill()
    else:
        # A terminal sends it to all processes.
        for _ in range(2 if how == "Ctrl-C twice" else 1):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.5)


ACCIDENTS = ("kill Snakemake", "kill all", "kill a job", "Ctrl-C", "Ctrl-C twice")


@pytest.mark.parametrize(
    ("seed", "stops"), [(0, 5), pytest.param(1, 30, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_runs_stopped_at_random_moments_end_with_the_same_bytes(project, tmp_path, seed, stops):
    """In a path with spaces and umlauts."""
    folder = copy_project(tmp_path / "Ärger und Not")
    rng = random.Random(seed)
    for number in range(stops):
        how = ACCIDENTS[number % len(ACCIDENTS)]
        run = start(folder, start_new_session=True)
        time.sleep(rng.uniform(2, 10))
        stop(run, how, rng)
        printed, _ = run.communicate(timeout=300)
        print(f"--- {how}: {run.returncode}\n{printed[-1500:]}", flush=True)
        if run.returncode and "cannot be locked" in printed:
            # The stop before has left its lock; Snakemake says how to take it off.
            assert "--unlock" in printed
        if run.returncode:
            subprocess.run(["snakemake", "--configfile", "small.yaml", "--unlock"], cwd=folder)
    snakemake(folder)
    assert same_results(folder, project) == []
    assert would_run(folder) == set()


def test_two_runs_in_one_folder_do_not_meet(finished, project):
    shutil.rmtree(finished / "results/rgb/stacked")
    first = start(finished)
    while not jobs_under(first):
        time.sleep(0.1)
    printed = snakemake(finished, expect=1)
    assert "cannot be locked" in printed and "--unlock" in printed
    assert "Traceback" not in printed
    first.communicate()
    assert first.returncode == 0
    assert same_results(finished, project) == []


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("rgb/pool.npy", "rgb/stacked/seed0/model"),
        ("fetch/faces.npy", "rgb/pool.npy"),
        ("labelled/split.parquet", "rgb/stacked/seed0/names.csv"),
        ("sample/faces.parquet", "fetch/faces.npy"),
        ("rgb/stacked/seed0/model/weights.safetensors", "rgb/stacked/seed0/embeddings.npy"),
        ("rgb/stacked/seed0/embeddings.npy", "rgb/stacked/seed0/clusters.npz"),
        ("rgb/stacked/seed0/clusters.npz", "rgb/stacked/seed0/names.csv"),
        ("rgb/stacked/seed0/names.csv", "rgb/stacked/seed0/predictions.parquet"),
        ("rgb/stacked/seed0/metrics.json", "causes.csv"),
        ("comparisons.csv", "table1.csv"),
    ],
)
@pytest.mark.parametrize("how", ["cut short", "foreign"])
def test_a_damaged_file_is_named_in_one_line(finished, project, path, target, how):
    damaged = finished / "results" / path
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2] if how == "cut short" else b"\0PNG nonsense")
    printed = snakemake(finished, "--", f"results/{target}", expect=1)
    said = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert said and all(path.rpartition("/")[0] in line or path in line for line in said), printed
    assert "Traceback" not in printed and not any("traceback in" in line for line in said), said
    shutil.rmtree(damaged.parent) if damaged.parent.name == "model" else damaged.unlink()
    snakemake(finished, "--", f"results/{target}")
    assert (finished / "results" / path).read_bytes() == content


def test_a_home_folder_that_cannot_be_written_is_not_needed(finished, project):
    """Not even by root: caches then lie in the environment."""
    if not (ROOT / ".venv/made-from.lock").is_file():
        pytest.skip("needs the environment that ./run makes")
    shutil.rmtree(finished / "results/rgb/stacked")
    env = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    env |= {"HOME": "/proc/nobody", "PATH": "/usr/bin:/bin"}
    command = [ROOT / "run", "snakemake", "--configfile", "small.yaml", "--cores", "2"]
    done = subprocess.run(command, cwd=finished, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert same_results(finished, project) == []


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs leave to mount: {done.stderr.strip()}")


@contextmanager
def on_a_disk_of_its_own(folder):
    """A folder on a small disk of its own, for a while."""
    kept = folder.rename(folder.with_name("kept"))
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=100m", "tmpfs", str(folder))
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("room", [0, 30_000, 100_000])
def test_a_full_disk_is_named_and_a_restart_finishes(finished, project, room):
    shutil.rmtree(finished / "results/rgb")
    with on_a_disk_of_its_own(finished):
        filling = finished / "results/filling"
        filling.write_bytes(b"x" * (shutil.disk_usage(finished).free - room))
        printed = snakemake(finished, expect=1)
        print(printed)
        assert re.search("(?i)no space left on", printed)
        assert "Traceback" not in printed
        filling.unlink()
        subprocess.run(["snakemake", "--configfile", "small.yaml", "--unlock"], cwd=finished)
        snakemake(finished)
        assert same_results(finished, project) == []


@pytest.mark.parametrize("target", ["all", "results/rgb/stacked/seed0/model"])
def test_a_read_only_results_folder_is_named_and_a_restart_finishes(finished, project, target):
    shutil.rmtree(finished / "results/rgb/stacked")
    with on_a_disk_of_its_own(finished / "results"):
        mount("-o", "remount,ro", str(finished / "results"))
        printed = snakemake(finished, "--", target, expect=1)
        print(printed)
        assert "Write-protected output files" in printed or "Read-only file system" in printed
        assert "Traceback" not in printed
        mount("-o", "remount,rw", str(finished / "results"))
        snakemake(finished)
        assert same_results(finished, project) == []


def test_a_clock_set_back_is_named_and_a_restart_finishes(finished, project):
    """Everything is from tomorrow, and one model is missing, which is made today."""
    shutil.rmtree(finished / "results/rgb/stacked")
    for path in [*finished.rglob("*"), finished]:
        times = path.stat()
        os.utime(path, (times.st_atime + 86400, times.st_mtime + 86400))
    printed = snakemake(finished, expect=1)
    said = re.search(r"^error: .* is from the future: .*: (find .*)$", printed, re.M)
    assert said, printed
    assert "Traceback" not in printed
    subprocess.run(["sh", "-c", said[1]], check=True, cwd=finished)
    snakemake(finished)
    assert same_results(finished, project) == []
    assert would_run(finished) == set()
