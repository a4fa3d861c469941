"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the project.

Files and commands are read from the recipe's text; here stands only what is written to each file.
"""

import re
import shlex
import shutil
import subprocess
import sys

import layout
import pytest
from matplotlib.image import imread
from small_run import ROOT, jobs_to_run, snakemake, would_run

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def steps(title):
    """What stands first in each numbered line of a recipe: a file, or a command."""
    (recipe,) = re.findall(rf"^### {re.escape(title)}.*?\n(.*?)(?=^##|\Z)", TEXT, re.M | re.S)
    found = re.findall(r"^\d+\. `([^`]+)`", recipe, re.M)
    assert 3 <= len(found) <= 8
    return found


def follow(title, folder, changes):
    """Change the files that a recipe names, in its order, and return its commands."""
    named = [step for step in steps(title) if not step.startswith("./run ")]
    assert named == list(changes)
    for path, change in changes.items():
        (folder / path).parent.mkdir(exist_ok=True)
        change(folder / path)
    commands = [step.removeprefix("./run ") for step in steps(title) if step not in named]
    return [shlex.split(command.replace(" --cores 2", "")) for command in commands]


def update_pages(folder):
    subprocess.run([sys.executable, "docs/update.py"], cwd=folder, check=True)
    return [(folder / "docs" / name).read_text() for name in ("config.md", "layout.md")]


def writes(text):
    def write(path):
        assert not path.exists()
        path.write_text(text, encoding="utf-8")

    return write


def adds(text, before):
    """Add a text before another, which stands there once; None: at the end."""

    def add(path):
        old = path.read_text(encoding="utf-8")
        if before is None:
            path.write_text(old + text, encoding="utf-8")
            return
        assert old.count(before) == 1
        path.write_text(old.replace(before, text + before), encoding="utf-8")

    return add


@pytest.fixture
def house(project, tmp_path):
    """A finished small project of the test's own, with all that is no part of a run too."""
    folder = shutil.copytree(project, tmp_path / "project")
    ignored = shutil.ignore_patterns("__pycache__")
    for part in ("tests", "configs"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for part in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "results/README.md"):
        shutil.copy(ROOT / part, folder / part)
    return folder


def faults(folder):
    return [fault for check in layout.CHECKS for fault in check(folder)]


TWIN_TEST = '''"""A model like another."""

import torch

from facesort.train.models import build


def test_it_embeds():
    model = build("twin", (8, 8, 3), {"widths": [16, 4], "output": "sigmoid"})
    assert model.embed(torch.rand(2, 3, 8, 8)).shape == (2, 4)
'''
TWIN_SCHEMA = """      twin:
        description: A model like the stacked one.
        type: [object, "null"]
        additionalProperties: false
        required: [widths, output, phases]
        properties:
          widths: {type: array, items: {type: integer, minimum: 1}, description: Widths.}
          output: {$ref: "#/$defs/output"}
          phases: {$ref: "#/$defs/phases", required: [reconstruct]}
"""
TWIN_CONFIG = """  twin:
    widths: [32, 16]
    output: sigmoid
    phases:
      reconstruct: {epochs: 1, optimizer: adam, learning_rate: 0.001}
"""


def test_add_a_model(house):
    models = "workflow_scripts/facesort/train/models"
    stacked = (ROOT / models / "stacked.py").read_text(encoding="utf-8")
    update, plan, train = follow(
        "Add a model",
        house,
        {
            f"{models}/twin.py": writes(stacked),
            f"{models}/__init__.py": adds(
                '    "twin": Kind("clusters", ("pool",), "none", reconstructs=True),\n',
                before='    "geometry": Kind(',
            ),
            "workflow_scripts/config.schema.yaml": adds(TWIN_SCHEMA, before="      geometry:\n"),
            "config.yaml": adds(TWIN_CONFIG, before="\nseeds: [0]\n"),
            "tests/train/test_twin.py": writes(TWIN_TEST),
        },
    )
    assert update == ["python", "docs/update.py"]
    config, things = update_pages(house)
    assert "models.twin.widths" in config and "`train/models/twin.py`" in things
    assert faults(house) == []

    assert plan == ["snakemake", "-n"]
    planned = jobs_to_run(house)
    for variant in ("rgb", "cropped"):
        cell = f"variant={variant}, model=twin, seed=0"
        followers = ("train", "embed", "cluster", "name_clusters", "predict_by_cluster")
        followers += ("map_faces", "plot_embedding", "plot_reconstructions", "naming_page")
        for rule in followers:
            assert (rule, cell) in planned
    assert ("plot_architecture", "model=twin") in planned

    assert train[0] == "snakemake"
    assert would_run(house, "--", *train[1:]) == {"train"}
    snakemake(house, *train[1:])
    assert (house / train[1] / "weights.safetensors").stat().st_size


SHARES_FUNCTION = '''

def plot_shares(cells: list[dict[str, str]], predictions: list[pd.DataFrame]) -> Figure:
    """How often each cell answers each emotion."""
    figure = new_figure(8, 4)
    axes = figure.subplots()
    for cell, table in zip(cells, predictions, strict=True):
        shares = table["predicted"].value_counts(normalize=True).sort_index()
        axes.plot(shares.index, shares, label=f"{cell['model']}, {cell['variant']}")
    axes.legend(fontsize=7)
    return figure
'''
SHARES_TEST = """

def test_shares_are_those_of_the_answers():
    from facesort.pages.figures import plot_shares

    cell = {"model": "stacked", "variant": "rgb", "seed": 0}
    answers = pd.DataFrame({"predicted": ["happy", "happy", "sad", "fear"]})
    (line,) = plot_shares([cell], [answers]).axes[0].lines
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True))["happy"] == 0.5
"""
FIGURES = "workflow_scripts/facesort/pages/figures.py"


def like_plot_confusion(path):
    """The rule and the script ``plot_confusion`` under another name."""
    text = path.read_text(encoding="utf-8")
    (rule,) = re.findall(r"^rule plot_confusion:\n.*?(?=^rule )", text, re.M | re.S)
    for old, new in (("plot_confusion", "plot_shares"), ("/confusion.", "/shares.")):
        rule = rule.replace(old, new)
    path.write_text(text.replace("rule naming_page:", rule + "rule naming_page:"))


def test_add_a_figure(house):
    script = (ROOT / "workflow_scripts/plot_confusion.py").read_text(encoding="utf-8")
    script = script.replace("pages.confusion", "pages.figures")
    script = script.replace("plot_confusions", "plot_shares")
    (draw,) = follow(
        "Add a figure",
        house,
        {
            FIGURES: adds(SHARES_FUNCTION, before=None),
            "tests/pages/test_figures.py": adds(SHARES_TEST, before=None),
            "workflow_scripts/plot_shares.py": writes(
                script.replace("plot_confusion ", "plot_shares ")
            ),
            "docs/report/shares.rst": writes("How often each emotion is answered.\n"),
            "rules/pages.smk": like_plot_confusion,
            "workflow_scripts/facesort/pages/wanted.py": adds(
                '        files.append("results/figures/shares.png")\n',
                before="        files += dict.fromkeys(",
            ),
            "results/README.md": adds("| `figures/shares.png` | x |\n", before="| `causes.csv`"),
        },
    )
    assert faults(house) == []
    assert "plot_shares" in would_run(house)
    test = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/pages/test_figures.py"]
    subprocess.run([*test, "-k", "shares_are"], cwd=house, check=True, capture_output=True)
    assert draw[0] == "snakemake"
    assert would_run(house, "--", *draw[1:]) == {"plot_shares"}
    snakemake(house, *draw[1:])
    assert imread(house / draw[1]).ndim == 3


REVIEW_RULES = '''"""
Looks back on the answers.

REQUIRED INPUTS:
    results/{variant}/{model}/seed{seed}/predictions.parquet

OUTPUTS:
    results/answers.csv  how often each emotion was answered
"""


rule count_answers:
    """Count the answers of all cells."""
    input:
        predictions=[
            "results/{variant}/{model}/seed{seed}/predictions.parquet".format(**cell)
            for cell in CELLS
        ],
    output:
        csv="results/answers.csv",
    log:
        "results/logs/count_answers.log",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        packages=packages_digest("analysis"),
        code=code_digest("count_answers"),
    script:
        "../workflow_scripts/count_answers.py"
'''
REVIEW_PACKAGE = '''"""Stage review: what was answered.

In: predictions.
Out: a table.
May use: common (the emotions).
"""
'''
REVIEW_MODULE = '''"""How often each emotion was answered."""

import pandas as pd

from facesort.common.emotions import EMOTIONS


def count_answers(predictions: list[pd.DataFrame]) -> pd.Series:
    return pd.concat(predictions)["predicted"].value_counts().reindex(EMOTIONS, fill_value=0)
'''
REVIEW_TEST = '''"""Counts of answers."""

import pandas as pd

from facesort.review.answers import count_answers


def test_all_cells_count():
    cells = [pd.DataFrame({"predicted": ["sad", "happy"]}), pd.DataFrame({"predicted": ["sad"]})]
    assert count_answers(cells)["sad"] == 2
'''
REVIEW_SCRIPT = '''"""Rule count_answers of stage review.

How often each emotion was answered.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.review.answers import count_answers

snakemake: Snakemake

with job(snakemake.log[0]):
    tables = [read_index(path) for path in snakemake.input.predictions]
    count_answers(tables).to_csv(snakemake.output.csv)
'''


def test_add_a_stage(house):
    package = "workflow_scripts/facesort/review"
    (plan,) = follow(
        "Add a stage",
        house,
        {
            "rules/review.smk": writes(REVIEW_RULES),
            "Snakefile": adds('include: "rules/review.smk"\n', before='include: "rules/pages.smk"'),
            f"{package}/__init__.py": writes(REVIEW_PACKAGE),
            f"{package}/answers.py": writes(REVIEW_MODULE),
            "tests/review/test_answers.py": writes(REVIEW_TEST),
            "workflow_scripts/count_answers.py": writes(REVIEW_SCRIPT),
            "pyproject.toml": adds('"tests/review", ', before='"tests/pages"'),
        },
    )
    _, things = update_pages(house)
    assert "`review/answers.py`" in things and "`count_answers`" in things
    assert faults(house) == []
    stages = layout.stages(house)
    assert stages[stages.index("review") + 1] == "pages"
    assert plan[:2] == ["snakemake", "-n"]
    assert would_run(house, "--", *plan[2:]) == {"count_answers"}
