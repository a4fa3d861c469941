"""Reading the Snakefile, which each job of a cluster does twice, stays cheap.

What makes it dear is held here, not seconds, which judge the machine: the packages and modules of
ours that are imported, the files that are opened, and the time beside Snakemake's own.
"""

import ast
import json
import subprocess
import sys

import pytest
from small_run import ROOT

SCRIPTS = ROOT / "workflow_scripts"
HEAVY = {"numpy", "pandas", "torch", "sklearn", "matplotlib", "scipy", "pyarrow", "PIL", "cv2"}
# All of ours that the rules may import; nothing else is loaded.
LIGHT = {
    "facesort",
    "facesort.cluster",
    "facesort.cluster.names_files",
    "facesort.common",
    "facesort.common.config",
    "facesort.common.data_record",
    "facesort.common.digests",
    "facesort.common.display",
    "facesort.common.lines",
    "facesort.common.other_sets",
    "facesort.common.run",
    "facesort.common.schema_errors",
    "facesort.common.trees",
    "facesort.common.warm",
    "facesort.pages",
    "facesort.pages.wanted",
    "facesort.train",
    "facesort.train.cells",
    "facesort.train.models",
}
# Most are sources that code_digest reads, some of them for each rule that uses them: 460 in
# November 2026. A new rule adds some ten.
MOST_OPENED = 600
# Of Snakemake's own import: 0.4 to 0.75 in November 2026.
MOST_TIME = 1.1
PARSE = """
import json, sys, time
from pathlib import Path
began = time.process_time()
import snakemake.cli
from snakemake.api import OutputSettings, ResourceSettings, SnakemakeApi
imported = time.process_time() - began
before = set(sys.modules)
opened = []
sys.addaudithook(lambda event, about: opened.append(about[0]) if event == "open" else None)
began = time.process_time()
with SnakemakeApi(OutputSettings()) as api:
    workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))
    rules = len(list(workflow._workflow.rules))
read = time.process_time() - began
paths = [Path.cwd() / path for path in opened if isinstance(path, (str, Path))]
ours = sum(path.is_relative_to(Path.cwd()) and path.suffix != ".pyc" for path in paths)
modules = sorted(set(sys.modules) - before)
told = {"rules": rules, "modules": modules, "opened": ours, "ratio": read / imported}
print("told", json.dumps(told))
"""


def read_snakefile():
    """Read it in a fresh process: rules, modules, files opened, and time beside Snakemake's own."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.rpartition("told ")[2])


@pytest.fixture(scope="module")
def reading():
    return read_snakefile()


def test_only_light_modules_are_imported(reading):
    assert reading["rules"] > 30
    assert not HEAVY & {name.partition(".")[0] for name in reading["modules"]}
    assert {name for name in reading["modules"] if name.startswith("facesort")} == LIGHT


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_light_modules_import_nothing_heavy(module):
    """Snakemake may have imported a heavy package itself, so that reading would not show it."""
    path = SCRIPTS.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] not in HEAVY, path
            assert not name.startswith("facesort") or name in LIGHT, path


def test_few_files_are_opened(reading):
    assert reading["opened"] <= MOST_OPENED


def test_reading_takes_about_as_long_as_snakemakes_own_import_at_most(reading):
    """The best of up to four: what else runs on the machine only adds."""
    ratios = [reading["ratio"]]
    while min(ratios) > MOST_TIME and len(ratios) < 4:
        ratios.append(read_snakefile()["ratio"])
    assert min(ratios) <= MOST_TIME, ratios
