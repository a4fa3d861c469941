"""Formats, lint, types, environments, and what every rule must have."""

import re
import runpy
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import layout
import pytest
import yaml
from packaging.utils import canonicalize_name

from facesort.common.digests import imported_names, with_imports

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = packages_distributions()
RULES = {rule: text for rule, (_, text) in layout.rules(ROOT).items()}


@pytest.mark.parametrize(
    "command",
    [
        "ruff check .",
        "ruff format --check .",
        "snakefmt --check Snakefile rules",
        "typos",
        "mypy",
        "snakemake --lint",
    ],
)
def test_checks_pass(command):
    result = subprocess.run(command.split(), cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]


def test_environments_equal_the_lock():
    environments = runpy.run_path(str(ROOT / "envs" / "update.py"))["environments"]
    for name, text in environments().items():
        assert (ROOT / "envs" / f"{name}.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("rule", RULES)
def test_every_script_finds_its_packages_in_its_environment(rule):
    """What a script of a rule imports, directly or by our modules, its environment pins."""
    environment, script = (
        re.search(pattern, RULES[rule])[1]
        for pattern in (r"envs/(\w+)\.yaml", r"scripts/(\w+)\.py")
    )
    pins = set(
        re.findall(r"^ +- ([\w.-]+)==", (ROOT / f"envs/{environment}.yaml").read_text(), re.M)
    )
    models = "workflow_scripts/facesort/train/models/*.py"
    files = with_imports(
        ROOT / f"workflow_scripts/{script}.py",
        *(ROOT.glob(models) if script == "train" else []),
    )
    imported = {name.partition(".")[0] for path in files for name in imported_names(path)}
    # Snakemake puts itself on the path of every script.
    foreign = imported - set(sys.stdlib_module_names) - {"facesort", "snakemake"}
    for name in foreign:
        distributions = set(map(canonicalize_name, DISTRIBUTIONS[name]))
        assert distributions & pins, f"{script}.py imports {name}, not in envs/{environment}.yaml"


def test_what_a_module_reads_beside_it_bears_its_name():
    """Or no digest sees it, and nothing reruns when it changes."""
    endings = {".html", ".css", ".js", ".md", ".csv", ".tflite", ".onnx"}
    files = (ROOT / "workflow_scripts/facesort").rglob("*")
    read = [path for path in files if path.suffix in endings]
    assert len(read) > 20
    assert [path for path in read if not path.with_suffix(".py").is_file()] == []


@pytest.mark.parametrize("name", ["config.md", "layout.md", "limits.md"])
def test_made_pages_equal_what_they_are_made_from(name):
    update = runpy.run_path(str(ROOT / "docs" / "update.py"))
    page = ROOT / "docs" / name
    assert page.read_text(encoding="utf-8") == update["PAGES"][page](), "run docs/update.py"


def test_the_configs_page_tells_once_what_phases_have_in_common():
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    schema = (ROOT / "workflow_scripts/config.schema.yaml").read_text(encoding="utf-8")
    phase = yaml.safe_load(schema)["$defs"]["phase"]
    augment = phase["properties"]["augment"]["properties"]
    for key, about in [*phase["properties"].items(), *augment.items()]:
        row = f"| `{key}` | {about['description']} |\n"
        assert page.count(row) == 1, row
        assert key == "augment" or page.count(f"| {about['description']} |\n") == 1, key
    # So are keys of several models.
    for key in ("filters", "output", "balance", "sample", "dropout", "view", "mirror"):
        assert page.count(yaml.safe_load(schema)["$defs"][key]["description"]) == 1, key
    # What each phase is set to is there all the same.
    assert "| models.transfer.phases.classify |  |  | `{epochs: 40, " in page
    assert "| models.transfer.phases.classify.augment |  |  | `{flip: true, " in page


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_what_a_reader_expects(rule):
    body = RULES[rule]
    assert body.lstrip().startswith('"""')
    for part in ("output", "log", "conda", "resources", "params", "script"):
        assert re.search(rf"^    {part}:", body, re.M), f"{rule} has no {part}"
    script = re.search(r'"\.\./workflow_scripts/(\w+)\.py"', body)
    assert script and rule.startswith(script[1])
    assert body.rstrip().endswith(script[0]), "a rule's last line is its script"
    assert re.search(rf'code_digest\(\s*"{script[1]}"', body)
    environment = re.search(r'"\.\./envs/(\w+)\.yaml"', body)[1]
    assert f'packages=packages_digest("{environment}")' in body


def test_nothing_of_one_machine_is_tracked():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in tracked.stdout.split():
        assert not name.endswith((".jpg", ".jpeg", ".png", ".npy", ".safetensors")), name
