"""The workflow on a real scheduler: a SLURM cluster of one node, started here."""

import random
import re
import shutil
import signal
import subprocess
import time

import pytest
import yaml
from slurm_cluster import missing, slurm_cluster
from small_run import ROOT, copy_project, snakemake, start, would_run
from test_archive import TARGET, add_many, configure, same_tables, under_way

# The rules that train or apply a model.
APPLIES = ("train", "embed", "classify", "embed_elsewhere", "classify_elsewhere")
TABLES = ("table1.csv", "table1.md", "causes.csv", "comparisons.csv")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The environment variables of a cluster of one node."""
    if missing():
        pytest.skip(
            f"needs {', '.join(missing())} "
            "(Debian: slurm-wlm, slurmdbd, munge, mariadb-server; .ci/run installs them)"
        )
    with slurm_cluster(tmp_path_factory.mktemp("cluster") / "slurm") as environment:
        yield environment


def profile_with(folder, *edits):
    """The profile as a user edits it, and asking the scheduler sooner than on a real cluster."""
    text = (ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8")
    for old, new in (("your_account", "lab"), ("your_partition", "batch"), *edits):
        assert text.count(old) == 1
        text = text.replace(old, new)
    # small_run.py asks each second from then on.
    quick = {"slurm-init-seconds-before-status-checks": 3, "latency-wait": 20}
    settings = yaml.safe_load(text) | quick
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return "--workflow-profile", str(folder)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return profile_with(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def profile_for_gpus(tmp_path_factory):
    marks = [
        (f"# {line}", line)
        for line in (
            "set-resources:",
            *(f"  {rule}: {{gpu: 1}}" for rule in APPLIES),
        )
    ]
    return profile_with(tmp_path_factory.mktemp("profile"), *marks)


@pytest.fixture
def finished(project, tmp_path):
    """A copy of the finished project."""
    return shutil.copytree(project, tmp_path / "finished")


def tell(cluster, *command):
    done = subprocess.run(command, env=cluster, check=True, capture_output=True, text=True)
    return done.stdout


def jobs_of(cluster, printed):
    """State, asked memory in MB, minutes and whole resources of each job of a run, by rule."""
    run = re.search(r"SLURM run ID: (\S+)", printed)[1]
    fields = "Comment,State,ReqMem,TimelimitRaw,AllocTRES"
    lines = tell(cluster, "sacct", "-X", "-n", "-P", "--name", run, "-o", fields).splitlines()
    jobs = {}
    for comment, state, memory, minutes, resources in (line.split("|") for line in lines):
        rule = re.match(r"rule_(\w+?)(_wildcards_.*)?$", comment)[1]
        jobs.setdefault(rule, []).append((state, memory, int(minutes), resources))
    return jobs


def wait_for(cluster, state):
    """Wait for a job in a state, and return its number."""
    end = time.monotonic() + 60
    while not (found := tell(cluster, "squeue", "-h", "-t", state, "-o", "%i").split()):
        assert time.monotonic() < end, f"no job is {state}"
        time.sleep(0.2)
    return found[0]


def test_the_scheduler_gives_the_local_table(finished, cluster, profile_for_gpus, tmp_path):
    """One variant, which locally takes only another table; on the cluster all, in two shards.

    But for the rendering, which takes this machine's cores, however many the cluster has.
    """
    folder = copy_project(tmp_path / "on a clüster", rendered=finished)
    for each, change in (
        (finished, "variants: [rgb]"),
        (folder, "variants: [rgb]\nfetch: {shards: 2}"),
    ):
        (each / "change.yaml").write_text(change, encoding="utf-8")
    config = ("--configfile", "small.yaml", "change.yaml")
    target = ("--", "results/table1.csv")
    snakemake(finished, *config, *target)
    printed = snakemake(folder, *config, *profile_for_gpus, *target, env=cluster)
    for name in TABLES:
        ours, others = (each / "results" / name for each in (folder, finished))
        assert ours.read_bytes() == others.read_bytes(), name
    jobs = jobs_of(cluster, printed)
    assert {state for job in jobs.values() for state, *_ in job} == {"COMPLETED"}
    assert [len(jobs[rule]) for rule in ("train", "fetch_shard", "fetch_faces")] == [2, 2, 1]
    with_gpu = {rule for rule, all_of in jobs.items() if "gres/gpu=1" in all_of[0][-1]}
    assert with_gpu == {"train", "embed", "classify"}
    # Tiny rules need no turn in the queue.
    assert not {"split_labelled", "name_clusters", "table1"} & set(jobs)


@pytest.mark.slow
def test_what_ran_out_of_memory_or_time_gets_more(finished, cluster, profile):
    # Fetching of some 60 photos at one each second and a half meets its limit of a minute.
    change = {
        "fetch": {"rate_per_host": 0.7},
        "models": {
            "supervised": {"filters": 2, "dense": 8, "phases": {"classify": {"epochs": 1}}},
        },
    }
    (finished / "change.yaml").write_text(yaml.safe_dump(change), encoding="utf-8")
    before = (finished / "results/fetch/faces.npy").read_bytes()
    shutil.rmtree(finished / "results/fetch/state")
    printed = snakemake(
        finished,
        *("--configfile", "small.yaml", "change.yaml"),
        *profile,
        *("--forcerun", "fetch_faces"),
        *("--set-resources", "train:mem_mb=200 if attempt == 1 else 4000 * attempt"),
        "fetch_faces:runtime=1 if attempt == 1 else 5 * attempt",
        *("--", "results/fetch/faces.npy", "results/rgb/supervised/seed0/model"),
        env=cluster,
    )
    assert (finished / "results/fetch/faces.npy").read_bytes() == before
    jobs = jobs_of(cluster, printed)
    (killed, less, *_), (done, more, *_) = jobs["train"]
    assert killed in ("FAILED", "OUT_OF_MEMORY") and done == "COMPLETED"
    assert (less, more) == ("200M", "8000M")
    (killed, _, less, _), (done, _, more, _) = jobs["fetch_faces"]
    assert (killed, done, less, more) == ("TIMEOUT", "COMPLETED", 1, 10)


def test_a_cancelled_job_and_a_drained_node_leave_a_run_to_resume(
    finished, project, cluster, profile
):
    target = "results/rgb/stacked/seed0/model"
    shutil.rmtree(finished / target)
    node = tell(cluster, "sinfo", "-h", "-o", "%N").strip()
    profile = (*profile, "--slurm-init-seconds-before-status-checks", "1")

    run = start(finished, *profile, "--retries", "0", "--", target, env=cluster)
    tell(cluster, "scancel", wait_for(cluster, "RUNNING"))
    printed, _ = run.communicate()
    assert run.returncode == 1 and "'CANCELLED'" in printed

    tell(cluster, "scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    run = start(finished, *profile, "--", target, env=cluster)
    try:
        wait_for(cluster, "PENDING")
        run.send_signal(signal.SIGINT)
        printed, _ = run.communicate(timeout=60)
    finally:
        tell(cluster, "scontrol", "update", f"nodename={node}", "state=resume")
    assert run.returncode == 1
    assert tell(cluster, "squeue", "-h") == ""

    snakemake(finished, *profile, "--", target, env=cluster)
    weights = f"{target}/weights.safetensors"
    assert (finished / weights).read_bytes() == (project / weights).read_bytes()
    assert would_run(finished, "--", target) == set()


def cut_short(cluster, folder, job, process, how):
    """End a job that analyses photos, and tell whether that was before its own end."""
    if how == "kill":
        process.kill()
    else:
        running = tell(cluster, "squeue", "-h", "-t", "RUNNING", "-o", "%i %k").splitlines()
        for number, comment in map(str.split, running):
            if comment == f"rule_analyse_photos_wildcards_{job}":
                tell(cluster, *how.split(), number)
    process.wait(120)
    return "took" not in (folder / f"results/logs/analyse_photos/{job}.log").read_text()


@pytest.mark.slow
def test_an_archive_whose_jobs_end_twenty_times_in_their_midst_has_the_local_tables(
    cluster, profile, tmp_path
):
    local, folder = (copy_project(tmp_path / name) for name in ("local", "on a clüster"))
    add_many(local, 300)
    for each in (local, folder):
        configure(each, photos=str(local / "photos"))
    snakemake(local, *TARGET)
    rng = random.Random(0)
    # As a user ends a job, as a node does, and as the system does that lacks memory.
    ways = ["scancel", "scancel --signal=KILL --full", "kill"]
    count = 0
    while count < 20:
        with (tmp_path / "said.txt").open("w") as said:
            run = start(folder, *profile, *TARGET, env=cluster, stdout=said)
        while run.poll() is None:
            time.sleep(0.05)
            if count < 20 and under_way(folder):
                time.sleep(rng.uniform(0, 2))
                if jobs := under_way(folder):
                    job = rng.choice(sorted(jobs))
                    count += cut_short(cluster, folder, job, jobs[job], ways[count % 3])
                    print(f"{count} jobs ended in their midst", flush=True)
        if count < 20 and run.returncode == 0:  # too quick: all over again
            shutil.rmtree(folder / "results")
    snakemake(folder, *profile, *TARGET, env=cluster)
    same_tables(local, folder)
