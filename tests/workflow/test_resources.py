"""What jobs ask of a cluster at the paper's size: as much as they need, and no more than it has."""

import json
import subprocess
import sys

import pytest
from small_run import ROOT

FACES, SIDE = 156_000, 200
ASKED = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from snakemake.api import ConfigSettings, OutputSettings, ResourceSettings, SnakemakeApi
size, *names = sys.argv[1:]
faces = SimpleNamespace(size_mb=float(size))
paper = ConfigSettings(configfiles=[Path("configs/paper.yaml")])
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(ResourceSettings(cores=1), paper, snakefile=Path("Snakefile"))
    found = {rule.name: rule.resources for rule in workflow._workflow.rules if rule.name in names}
for name, resources in found.items():
    each = [resources[kind].evaluate(None, faces, attempt=1) for kind in ("mem_mb", "runtime")]
    print("asked", json.dumps([name, *(one.value for one in each)]))
"""
# Rules that go through all faces once: megabytes and seconds of CPU that a face of this size took
# on an AMD EPYC in November 2026, and megabytes beside the faces.
NEEDED = {
    "find_duplicates": (0.006, 0.005, 300),
    "find_leaks": (0.006, 0.002, 300),
    "find_overlap": (0.006, 0.002, 300),
    "make_variant": (0, 0.0002, 350),
    "find_landmarks": (0, 0.010, 300),
    "align_faces": (0, 0.0025, 420),
}


@pytest.fixture(scope="module")
def asked():
    """Megabytes and minutes by rule."""
    size = str(FACES * SIDE * SIDE * 3 / 1e6)
    command = [sys.executable, "-c", ASKED, size, *NEEDED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (line.removeprefix("asked ") for line in done.stdout.splitlines() if "asked" in line)
    return {name: found for name, *found in map(json.loads, lines)}


@pytest.mark.parametrize("rule", NEEDED)
def test_jobs_of_all_faces_ask_for_what_they_need_and_a_node_has(asked, rule):
    by_face, seconds, beside = NEEDED[rule]
    megabytes, minutes = asked[rule]
    assert 1.5 * (beside + by_face * FACES) <= megabytes <= 5_000
    assert 5 * seconds * FACES / 60 <= minutes <= 12 * 60
