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


def processes_in(folder):
    """Processes that still work in a folder: none, soon after a run."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = [each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(folder)]
        if not found:
            break
        time.sleep(0.5)
    return found


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


# A table alone would not miss what it was once made from.
TARGETS = ("--", "results/table1.csv", "results/rgb/stacked/seed0/model")


def first_job(process):
    """Wait for a run's first script."""
    while not (jobs := jobs_under(process)):
        assert process.poll() is None, process.returncode
        time.sleep(0.02)
    return jobs[0]


def restart(folder, project):
    """Run again, plainly, up to a model and the table, and compare."""
    snakemake(folder, *TARGETS)
    for name in ("table1.csv", "table1.md", "rgb/stacked/seed0/model/weights.safetensors"):
        ours, others = (each / "results" / name for each in (folder, project))
        assert ours.read_bytes() == others.read_bytes(), name


@pytest.mark.parametrize(
    ("seed", "stops"), [(0, 3), pytest.param(1, 25, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_runs_stopped_at_random_moments_end_with_the_same_bytes(project, tmp_path, seed, stops):
    """In a path with spaces and umlauts, with one core or two.

    Few stops would all meet the rendering of faces, which takes longest; so these are there.
    """
    rendered = project if stops < 10 else None
    folder = copy_project(tmp_path / "Ärger und Not", rendered)
    said = tmp_path / "said.txt"
    rng = random.Random(seed)
    left = [ACCIDENTS[number % len(ACCIDENTS)] for number in range(stops)]
    while left:
        # To a file: jobs whose Snakemake is killed go on, and would keep a pipe open.
        with said.open("w") as file:
            run = start(folder, cores=rng.choice([1, 2]), stdout=file, start_new_session=True)
            time.sleep(rng.uniform(2, 8))
            if run.poll() is None:
                how = left.pop()
                stop(run, how, rng)
                run.wait(300)
                print(f"--- {how}: {run.returncode}\n{said.read_text()[-1000:]}", flush=True)
            else:  # finished before anything could happen: all over again
                assert run.returncode == 0 and same_results(folder, project) == []
                shutil.rmtree(folder / "results")
        if any((folder / ".snakemake/locks").glob("*")):
            told = snakemake(folder, expect=1)
            assert "cannot be locked" in told and "--unlock" in told and "Traceback" not in told
            snakemake(folder, "--unlock")
    snakemake(folder)
    assert same_results(folder, project) == []
    assert would_run(folder) == set()
    assert processes_in(folder) == []


def test_the_job_of_a_killed_run_is_waited_for(finished, project, tmp_path):
    shutil.rmtree(finished / "results/rgb/stacked")
    with (tmp_path / "said.txt").open("w") as file:
        run = start(finished, *TARGETS, stdout=file)
        first_job(run)
        lock = finished / "results/logs/train/rgb/stacked/.seed0.log.lock"
        # The process that works, which is a fork if the job starts warm.
        before = lock.read_text()
        while (working := lock.read_text()) in (before, ""):
            time.sleep(0.02)
        job = psutil.Process(int(working))
        job.suspend()
        run.kill()
        run.wait()
    snakemake(finished, "--unlock")
    with (tmp_path / "said.txt").open("w") as file:
        again = start(finished, *TARGETS, stdout=file)
        while "waiting for its end" not in (said := (tmp_path / "said.txt").read_text()):
            assert again.poll() is None, said
            time.sleep(0.1)
        assert f"still runs from an earlier run, as process {job.pid}" in said
        job.resume()
        assert again.wait() == 0
    restart(finished, project)


def test_two_runs_in_one_folder_do_not_meet(finished, project):
    shutil.rmtree(finished / "results/rgb/stacked")
    first = start(finished, *TARGETS)
    first_job(first)
    printed = snakemake(finished, expect=1)
    assert "cannot be locked" in printed and "--unlock" in printed
    assert "Traceback" not in printed
    first.communicate()
    assert first.returncode == 0
    restart(finished, project)


# Files, each with one that is made from it; those of a round are nothing to each other.
CELL, OTHER, THIRD = (
    f"{cell}/seed0" for cell in ("rgb/stacked", "cropped/stacked", "rgb/semi_supervised")
)
ROUNDS = [
    {"fetch/faces.npy": "fetch/kept.parquet"},
    {
        "labelled/split.parquet": f"{CELL}/names.csv",
        f"{OTHER}/embeddings.npy": f"{OTHER}/clusters.npz",
    },
    {
        f"{CELL}/names.csv": f"{CELL}/predictions.parquet",
        f"{OTHER}/clusters.npz": f"{OTHER}/names.csv",
        f"{THIRD}/model/weights.safetensors": f"{THIRD}/embeddings.npy",
    },
    {f"{CELL}/metrics.json": "causes.csv"},
    {"comparisons.csv": "table1.csv"},
]


def test_a_damaged_file_is_named_and_a_restart_without_it_finishes(finished, project):
    """Cut short or another thing, by turns."""
    results, number = finished / "results", 0
    for files in ROUNDS:
        named = {path: path.removesuffix("/weights.safetensors") for path in files}
        for path, made in files.items():
            content, number = (results / path).read_bytes(), number + 1
            damaged = b"\0PNG nonsense" if number % 2 else content[: len(content) // 2]
            (results / path).write_bytes(damaged)
            (results / made).unlink()
        targets = ("--keep-going", "--", *(f"results/{made}" for made in files.values()))
        printed = snakemake(finished, *targets, expect=1)
        said = re.findall(r"^error: results/(.*?): ", printed, re.M)
        assert set(said) == set(named.values()), printed
        assert "Traceback" not in printed and "traceback" not in printed
        for path, about in named.items():
            if about == path:
                (results / path).unlink()
            else:
                shutil.rmtree(results / about)
        snakemake(finished, *targets)
    restart(finished, project)


@pytest.mark.parametrize("who", ["HOME=/proc/nobody", "nobody"])
def test_neither_a_home_folder_nor_a_name_is_needed(finished, project, who):
    """Caches then lie in the environment. In containers a user id may have no name either."""
    if not (ROOT / ".venv/made-from.lock").is_file():
        pytest.skip("needs the environment that ./run makes")
    nameless = ["unshare", "--user", "--map-user=4711", "--map-group=4711"]
    if who == "nobody" and subprocess.run([*nameless, "true"], capture_output=True).returncode:
        pytest.skip("needs leave to be another user (unshare)")
    shutil.rmtree(finished / "results/rgb/stacked")
    # No HOME, USER or LOGNAME.
    env = ["env", "-i", "PATH=/usr/bin:/bin", *([] if who == "nobody" else [who])]
    command = [*(nameless if who == "nobody" else []), *env, ROOT / "run", "snakemake"]
    targets = [*TARGETS, "results/rgb/stacked/seed0/map.html"]
    done = subprocess.run(
        [*command, "--configfile", "small.yaml", "--cores", "2", *targets],
        cwd=finished,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (finished / "~").exists()
    restart(finished, project)


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


@pytest.mark.parametrize("room", [0, 1_030_000, pytest.param(1_100_000, marks=pytest.mark.slow)])
def test_a_full_disk_is_named_and_a_restart_finishes(finished, project, room):
    shutil.rmtree(finished / "results/rgb")
    with on_a_disk_of_its_own(finished):
        filling = finished / "results/filling"
        filling.write_bytes(b"x" * (shutil.disk_usage(finished).free - room))
        printed = snakemake(finished, expect=1)
        print(printed)
        assert re.search(r"no space left on (this|the) disk.*; free some and r", printed)
        # With no byte left, Snakemake's own log complains besides.
        assert "Traceback" not in printed or not room
        filling.unlink()
        restart(finished, project)


def test_a_read_only_results_folder_is_named_and_a_restart_finishes(finished, project):
    shutil.rmtree(finished / "results/rgb/stacked")
    with on_a_disk_of_its_own(finished / "results"):
        mount("-o", "remount,ro", str(finished / "results"))
        # Snakemake tells it of files that are there, we of those that are missing.
        for targets, told in (
            ((), "Write-protected output files for rule"),
            (("--", f"results/{CELL}/model"), "cannot be written; make it writable and run again"),
        ):
            printed = snakemake(finished, *targets, expect=1)
            assert told in printed and "Traceback" not in printed, printed
        mount("-o", "remount,rw", str(finished / "results"))
        restart(finished, project)


def test_a_clock_set_back_is_named_and_a_restart_finishes(finished, project):
    """The results are from tomorrow, but for one model, which is made today."""
    shutil.rmtree(finished / "results/rgb/stacked")
    for path in (finished / "results").rglob("*"):
        times = path.stat()
        os.utime(path, (times.st_atime + 86400, times.st_mtime + 86400))
    printed = snakemake(finished, expect=1)
    said = re.search(r"^error: .* is from the future: .*: (find .*)$", printed, re.M)
    assert said, printed
    assert "Traceback" not in printed
    subprocess.run(["sh", "-c", said[1]], check=True, cwd=finished)
    assert "render_photos" not in would_run(finished)
    restart(finished, project)
