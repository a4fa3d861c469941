"""Everything lies where a newcomer looks for it: see tests/layout.py, and that it finds faults."""

import re
import shutil
import subprocess
from pathlib import Path

import layout
import pytest
from small_run import ROOT


@pytest.mark.parametrize("check", layout.CHECKS, ids=lambda check: check.__name__)
def test_the_house_is_in_order(check):
    assert check(ROOT) == []


@pytest.fixture
def house(tmp_path):
    """A copy of what the layout is read from."""
    for part in ("rules", "workflow_scripts", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("Snakefile", "pyproject.toml"):
        shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return listed.stdout.splitlines()


def test_the_page_of_the_layout_names_everything():
    """At the top, in docs, rules and facesort: nothing is left out, and nothing else is named."""
    page = (ROOT / "docs/layout.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([^`]+)` \|", page, re.M)
    top = {path.partition("/")[0] + ("/" if "/" in path else "") for path in tracked()}
    assert not top or {path for path in named if "/" not in path.rstrip("/")} == top
    docs = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    modules = {f"{name}.py" for name in layout.modules(ROOT)}
    modules |= {
        path.relative_to(ROOT / FACESORT).as_posix()
        for path in (ROOT / FACESORT).glob("*/*/__init__.py")
    }
    assert sorted(path for path in named if "/" in path.rstrip("/")) == sorted(docs | modules)
    files = {path.name for path in (ROOT / "rules").glob("*.smk")}
    assert set(re.findall(r"`rules/(\w+\.smk)`", page)) == files
    for rule, (stage, _) in layout.rules(ROOT).items():
        (line,) = (line for line in page.splitlines() if f"`rules/{stage}.smk`" in line)
        assert f"`{rule}`" in line


PATH = re.compile(
    r"(?:\.\./)?((?:tests|rules|docs|configs|envs|profiles|facesort|workflow_scripts)/[\w./-]+\.[a-z]+)"
)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "results/README.md",
        *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    ],
)
def test_pages_name_files_that_are_there(page):
    """But for the recipes, whose example is made as they are followed."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in PATH.findall(re.sub(r"^## Recipes\n.*?^## ", "", text, flags=re.M | re.S)):
        assert (ROOT / path).exists() or (ROOT / "workflow_scripts" / path).exists(), path


def test_the_readme_tells_every_stage_in_the_order_of_the_data():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (rows,) = re.findall(r"^\| stage \|.*\n((?:\|.*\n)+)", text, re.M)
    names = [cells.split("|")[1] for cells in rows.splitlines()]
    assert re.findall(r"`(\w+)`", " ".join(names)) == layout.stages(ROOT)
    (diagram,) = re.findall(r"^```mermaid\n(.*?)^```", text, re.M | re.S)
    assert all(re.search(rf"\b{name}\b", diagram) for name in layout.stages(ROOT))


def test_the_example_of_contributing_leads_from_each_to_the_others():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"^The stages are (.*), in the order", text, re.M)
    assert re.findall(r"`(\w+)`", sentence) == layout.stages(ROOT)
    cells = dict(re.findall(r"^\| (\w+) \| (.*) \|$", text, re.M))
    rule, rules = re.fullmatch(r"`(\w+)` in `(.*)`", cells["rule"]).groups()
    script, test = (cells[what].strip("`") for what in ("script", "test"))
    package, module = re.fullmatch(r"`(.*)/`, in it the module `(.*)`", cells["package"]).groups()
    stage, body = layout.rules(ROOT)[rule]
    assert rules == f"rules/{stage}.smk" and package == f"{FACESORT}/{stage}"
    assert body.rstrip().endswith(f'"../{script}"') and Path(script).stem == rule
    assert Path(module).parent == Path(package) and test.startswith(f"tests/{stage}/")
    for user in (script, test):
        assert f"facesort.{stage}.{Path(module).stem}" in layout.imported(ROOT / user)
    assert Path(test).stem == f"test_{Path(module).stem}"


FACESORT = "workflow_scripts/facesort"
FAULTS = {
    "a rules file without a package": (
        layout.stages_lie_side_by_side,
        lambda house: shutil.rmtree(house / FACESORT / "score"),
        "workflow_scripts/facesort: ['score']",
    ),
    "stages in another order": (
        layout.stages_lie_side_by_side,
        lambda house: replace(house / "Snakefile", "rules/demo.smk", "rules/pages.smk"),
        "rules/*.smk: ['demo']",
    ),
    "tests in another order": (
        layout.stages_lie_side_by_side,
        lambda house: replace(
            house / "pyproject.toml", '"tests/demo", "tests/fetch"', '"tests/fetch", "tests/demo"'
        ),
        "testpaths",
    ),
    "a module in no package": (
        layout.no_module_lies_outside_a_package,
        lambda house: (house / FACESORT / "loose.py").touch(),
        "facesort/loose.py",
    ),
    "an import of a later stage within a function": (
        layout.packages_use_earlier_ones_alone,
        lambda house: (house / FACESORT / "faces/split.py").write_text(
            "def late():\n    from facesort.score import scores\n    return scores\n"
        ),
        "faces/split.py imports a later stage: ['score']",
    ),
    "a common module that imports a stage": (
        layout.packages_use_earlier_ones_alone,
        lambda house: (house / FACESORT / "common/late.py").write_text(
            "import facesort.demo.face\n"
        ),
        "common/late.py imports a later stage: ['demo']",
    ),
    "a package that says less than it uses": (
        layout.packages_use_earlier_ones_alone,
        lambda house: replace(house / FACESORT / "cluster/__init__.py", "common, faces", "faces"),
        "cluster/__init__.py says ['faces'], imports ['common', 'faces']",
    ),
    "a package that says more than it uses": (
        layout.packages_use_earlier_ones_alone,
        lambda house: replace(
            house / FACESORT / "demo/__init__.py", "May use: common.", "May use: common, pages (x)."
        ),
        "demo/__init__.py says ['common', 'pages'], imports ['common']",
    ),
    "a relative import": (
        layout.packages_use_earlier_ones_alone,
        lambda house: (house / FACESORT / "demo/near.py").write_text("from . import face\n"),
        "demo/near.py: a relative import",
    ),
    "a script of another stage": (
        layout.scripts_know_their_rule_and_stage,
        lambda house: replace(house / "workflow_scripts/table1.py", "stage score", "stage train"),
        "table1.py says",
    ),
    "a script that imports a later stage": (
        layout.scripts_know_their_rule_and_stage,
        lambda house: replace(
            house / "workflow_scripts/embed.py",
            "from facesort",
            "import facesort.pages.page\nfrom facesort",
        ),
        "embed.py of stage train imports a later one: ['pages']",
    ),
    "a script that no rule runs": (
        layout.scripts_know_their_rule_and_stage,
        lambda house: shutil.copy(
            house / "workflow_scripts/table1.py", house / "workflow_scripts/table9.py"
        ),
        "table9.py says",
    ),
    "a module without a test": (
        layout.modules_have_tests_of_their_names,
        lambda house: (house / "tests/faces/test_split.py").unlink(),
        "faces/split has no tests/faces/test_split.py",
    ),
    "an exception that is none": (
        layout.modules_have_tests_of_their_names,
        lambda house: (house / "tests/demo/test_face.py").touch(),
        "demo/face has tests of its own",
    ),
    "an exception whose test does not use it": (
        layout.modules_have_tests_of_their_names,
        lambda house: (house / "tests/score/test_table1.py").write_text(""),
        "score/cells: tests/score/test_table1.py does not use it",
    ),
    "a test of no module": (
        layout.tests_bear_names_of_modules,
        lambda house: (house / "tests/faces/test_hats.py").touch(),
        "tests/faces/test_hats.py",
    ),
    "a long common.smk": (
        layout.the_rules_share_little,
        lambda house: (house / "rules/common.smk").write_text("\n" * 121),
        "121 lines",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_house_that_is_not_is_told(house, fault):
    check, change, words = FAULTS[fault]
    change(house)
    assert words in "\n".join(check(house))
