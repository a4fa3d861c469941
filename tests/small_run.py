"""The whole workflow at a small size, in folders of its own: what tests of whole runs share."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache, partial
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "demo": {"photos": 60, "rows": 120, "per_emotion": 16},
    "faces": {"size": 24, "border": 3, "sample": 60},
    "split": {"naming": 3},
    "variants": ["rgb", "cropped"],
    "models": {
        "stacked": {"widths": [32, 16], "phases": {"reconstruct": {"epochs": 1}}},
        "convolutional": None,
        "semi_supervised": {
            "filters": [4, 4, 8, 8, 8, 8],
            "phases": {"reconstruct": {"epochs": 1}, "classify": {"epochs": 1}},
        },
        "supervised": None,
        # Its landmarks would take most of the time; test_beyond.py runs it.
        "action_units": None,
    },
    "clustering": {"starts": 1},
    "table": {"resamples": 100},
    # tests/audit/test_counterfactual_whole.py renders some.
    "audit": {"pairs": 0},
}
# The rows beyond the paper; one of them at a small size too.
BEYOND = yaml.safe_load((ROOT / "configs/beyond.yaml").read_text(encoding="utf-8"))
TRIPLET = BEYOND["models"]["triplet"] | {
    "filters": [8, 16],
    "reduce": 16,
    "growth": 8,
    "layers": 2,
    "dense": 32,
}

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    # By the environment, so that the workers of pytest-xdist take the same, and end with the same.
    os.environ.setdefault("FACESORT_TEST_PORT", str(probe.getsockname()[1]))
SMALL["demo"]["port"] = int(os.environ["FACESORT_TEST_PORT"])


# Forks a process for each run, which has imported Snakemake and what it loads later: most of a dry
# run's time.
FORKS = """
import gc, json, os, sys
import jsonschema, smart_open, snakemake.cli, snakemake.report
snakemake.cli.get_argument_parser()
# SLURM's plugin asks how jobs are after some seconds, and if none has ended after ten more, and so
# on. Here each second, since jobs are short and the cluster is this machine.
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, told: None)
gc.freeze()
for line in sys.stdin:
    folder, said, environment, sys.argv = json.loads(line)
    if forked := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]), flush=True)
        continue
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate((os.devnull, said, said)):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), number)
    snakemake.cli.main()
"""


def command_of(arguments, cores):
    """Snakemake's command line with the small config."""
    return ["snakemake", "--configfile", "small.yaml", "--cores", str(cores), *arguments]


def start(folder, *arguments, cores=2, **how):
    """Start Snakemake in a copy of the project."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | how
    # Where the tests run in the background, Ctrl-C would be ignored.
    how["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command_of(arguments, cores), cwd=folder, text=True, **how)


@cache
def forks():
    """The process that forks runs; it ends with this one."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-P", "-c", FORKS], **pipes)


def snakemake(folder, *arguments, cores=2, expect=0, env=None):
    """Run Snakemake in a copy of the project, and return all that it printed."""
    with tempfile.NamedTemporaryFile("r") as said:
        about = [str(folder), said.name, dict(env or os.environ), command_of(arguments, cores)]
        print(json.dumps(about, default=str), file=forks().stdin, flush=True)
        status, printed = int(forks().stdout.readline()), said.read()
    assert status == expect, printed[-5000:]
    return printed


def would_run(folder, *arguments):
    """The rules that a dry run would run."""
    printed = snakemake(folder, "-n", "--quiet", "rules", *arguments)
    return set(re.findall(r"^(\w+) +\d+$", printed, re.M)) - {"total", "all"}


def jobs_to_run(folder, *arguments):
    """The jobs that a dry run would run: (rule, its wildcards), sorted."""
    printed = snakemake(folder, "-n", *arguments)
    found = []
    for block in re.split(r"\n(?=\[)", printed):
        if rule := re.search(r"^(?:localrule|rule) (\w+):$", block, re.M):
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.M)
            found.append((rule[1], wildcards[1] if wildcards else ""))
    return sorted({job for job in found if job[0] != "all"})


def same_results(folder, other):
    """Check that two projects' results are the same bytes, but for what tells times and paths.

    Returns:
        The files that differ, or are in one of them alone: none.
    """
    kinds = ("*.npy", "*.npz", "*.safetensors", "*.png", "*.csv", "*.md", "predictions.parquet")
    kinds += ("map.parquet", "map.html", "naming.html")
    files = {
        path.relative_to(project / "results")
        for project in (folder, other)
        for kind in kinds
        for path in (project / "results").rglob(kind)
    }
    files = {path for path in files if "demo" not in path.parts}
    files -= {Path("costs.csv"), Path("README.md")}
    assert {"table1.csv", "faces.npy", "weights.safetensors"} <= {path.name for path in files}
    return [str(path) for path in sorted(files) if not _same(folder, other, path)]


def _same(folder, other, path):
    ours, others = (project / "results" / path for project in (folder, other))
    return ours.is_file() and others.is_file() and ours.read_bytes() == others.read_bytes()


def copy_project(folder, rendered=None):
    """The project in a new folder, with the small config.

    Args:
        rendered: a project that has run, whose rendered faces are taken over: to render them takes
            a quarter of a small run.
    """
    parts = ("Snakefile", "config.yaml", "docs", "profiles", "rules", "envs", "workflow_scripts")
    folder.mkdir()
    for part in parts:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "small.yaml").write_text(yaml.safe_dump(SMALL), encoding="utf-8")
    if rendered:
        shutil.copytree(rendered / "results/demo", folder / "results/demo")
    return folder
