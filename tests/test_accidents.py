"""Accidents: what happens to a run costs none of its results, and changes none of them silently.

Each ends in a finished run after a plain restart, or in one clear line that says what to do.
"""

import os
import random
import shutil
import signal
import subprocess
import time

import psutil
import pytest
from small_run import copy_project, same_results, snakemake, start, would_run

# A home folder that nobody can make or write to, not even root.
HOMELESS = {
    **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
    "HOME": "/proc/nobody",
}


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
    """Without a home folder besides, and in a path with spaces and umlauts."""
    folder = copy_project(tmp_path / "Ärger und Not")
    rng = random.Random(seed)
    for number in range(stops):
        how = ACCIDENTS[number % len(ACCIDENTS)]
        run = start(folder, env=HOMELESS, start_new_session=True)
        time.sleep(rng.uniform(2, 10))
        stop(run, how, rng)
        printed, _ = run.communicate(timeout=300)
        print(f"--- {how}: {run.returncode}\n{printed[-1500:]}", flush=True)
        if run.returncode and "cannot be locked" in printed:
            # The stop before has left its lock; Snakemake says how to take it off.
            assert "--unlock" in printed
        if run.returncode:
            subprocess.run(["snakemake", "--configfile", "small.yaml", "--unlock"], cwd=folder)
    snakemake(folder, env=HOMELESS)
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


def mount(*arguments):
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"needs leave to mount: {done.stderr.strip()}")


@pytest.fixture
def disk(finished):
    """The finished project without one model, its results on a small disk of their own."""
    shutil.rmtree(finished / "results/rgb/stacked")
    results, kept = finished / "results", finished / "kept"
    results.rename(kept)
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=100m", "tmpfs", str(results))
    try:
        shutil.copytree(kept, results, dirs_exist_ok=True)
        yield finished
    finally:
        subprocess.run(["umount", "-l", str(results)], check=True)


def test_a_full_disk_is_named_and_a_restart_finishes(disk, project):
    filling = disk / "results/filling"
    free = shutil.disk_usage(disk / "results").free
    filling.write_bytes(b"x" * (free - 20_000))
    printed = snakemake(disk, expect=1)
    print(printed)
    assert "No space left on device" in printed
    assert "Traceback" not in printed
    filling.unlink()
    snakemake(disk)
    assert same_results(disk, project) == []


def test_a_read_only_results_folder_is_named_and_a_restart_finishes(disk, project):
    mount("-o", "remount,ro", str(disk / "results"))
    printed = snakemake(disk, expect=1)
    print(printed)
    assert "Read-only file system" in printed
    assert "Traceback" not in printed
    mount("-o", "remount,rw", str(disk / "results"))
    snakemake(disk)
    assert same_results(disk, project) == []


def test_a_clock_set_back_costs_nothing(finished, project):
    """Everything is from tomorrow; one model is missing and is made today."""
    shutil.rmtree(finished / "results/rgb/stacked/seed0")
    for path in [*finished.rglob("*"), finished]:
        times = path.stat()
        os.utime(path, (times.st_atime + 86400, times.st_mtime + 86400))
    printed = snakemake(finished)
    print(printed)
    assert same_results(finished, project) == []
    assert would_run(finished) == set()
