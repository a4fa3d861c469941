"""Where things lie, and what is wrong with it: what tests of the layout and of its recipes share.

A stage has one name: of a rules file, of a package of facesort, of a folder of tests. Each check
takes the root of a project and returns what is wrong with it, a line each.
"""

import ast
import re
import tomllib
from functools import cache

# Packages whose functions no rule runs, behind all stages: what persons start by `./run`.
APPLICATIONS = ["serve"]
# Folders of tests that are of no stage: of whole runs, and of comparisons that nobody need run.
OTHER_TESTS = {"common", "workflow", "benchmarks"}
MOST_LINES = 120
# Modules without a test file of their name: why, and in whose tests they are used.
TESTED_ELSEWHERE = {
    "tests/demo/test_demo.py": (
        "parts of one rendered face, and the faces made with it",
        "demo: action_units dataset eyes face flesh hair head mesh mouth outfit person sheet skin "
        "wrinkles",
    ),
    "tests/fetch/test_download.py": (
        "parts of one way, from a host to a file, which is tried as a whole",
        "demo: host; fetch: headers http journal outputs queues urls worklist",
    ),
    "tests/common/test_warm.py": (
        "the job's side of a warm start, which Python runs by its path",
        "common: start/hand_over start/sitecustomize",
    ),
    "tests/train/test_engine.py": (
        "what the engine keeps and brings back",
        "train: checkpoints reconstructions saving",
    ),
    "tests/train/test_batches.py": ("arrays on disk, as batches read them", "common: arrays"),
    "tests/score/test_scores.py": ("eight names", "common: emotions"),
    "tests/score/test_table1.py": ("gathers what the tables show", "score: cells"),
    "tests/archive/test_analysis.py": (
        "parts of one way, from a folder to its tables, which is tried as a whole",
        "archive: export joining journal listing model_crops model_views pictures tables",
    ),
    "tests/archive/test_answers.py": ("what the answers are set against", "archive: spread"),
    "tests/serve/test_application.py": (
        "parts of one way, from a request to its answer, which is tried as a whole",
        "serve: openapi form guard keeping limits",
    ),
    "tests/pages/test_figures.py": ("saves each figure", "common: drawing"),
    "tests/audit/test_pairs.py": ("names of what is changed", "audit: factors"),
    "tests/pages/test_pages.py": (
        "pages are tried in a browser, or by what stands in them",
        "pages: map_page naming_page page summary",
    ),
}


def read(path):
    return path.read_text(encoding="utf-8")


def stages(root):
    """The stages, in the order of the Snakefile's includes: that of the data."""
    found = re.findall(r'^include: "rules/(\w+)\.smk"$', read(root / "Snakefile"), re.M)
    return [name for name in found if name != "common"]


def packages(root):
    """The stages, and what stands behind them without rules."""
    return [*stages(root), *APPLICATIONS]


def rules(root):
    """The rules: {name: (stage, text)}."""
    return {
        match[1]: (path.stem, match[2])
        for path in sorted((root / "rules").glob("*.smk"))
        for match in re.finditer(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", read(path), re.M | re.S)
    }


def modules(root):
    """The modules of facesort: {path below facesort, without .py: path}; no package's __init__."""
    folder = root / "workflow_scripts/facesort"
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__init__.py"
    }


def scripts(root):
    return sorted((root / "workflow_scripts").glob("*.py"))


def imported(path):
    """All that a file imports, as dotted names, imports inside functions included."""
    return _imported(path.read_bytes())


@cache
def _imported(source):
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def packages_used(path):
    """The packages of facesort that a file imports from."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("facesort.")}


def stages_lie_side_by_side(root):
    """Rules files, packages and folders of tests have the same names."""
    ours, wrong = packages(root), []
    folders = {
        "rules/*.smk": {path.stem for path in (root / "rules").glob("*.smk")} - {"common"}
        | {*APPLICATIONS},
        "workflow_scripts/facesort": {
            path.parent.name for path in (root / "workflow_scripts/facesort").glob("*/__init__.py")
        }
        - {"common"},
        "tests": {path.name for path in (root / "tests").iterdir() if any(path.glob("*.py"))}
        - OTHER_TESTS,
    }
    for where, names in folders.items():
        if names != set(ours):
            wrong.append(f"{where}: {sorted(names ^ set(ours))} not as the Snakefile includes")
    config = tomllib.loads(read(root / "pyproject.toml"))
    order = [f"tests/{name}" for name in ("workflow", "common", *ours)]
    if config["tool"]["pytest"]["ini_options"]["testpaths"] != order:
        wrong.append(f"pyproject.toml: testpaths are not {order}")
    return wrong


def no_module_lies_outside_a_package(root):
    loose = [name for name in modules(root) if "/" not in name]
    return [f"facesort/{name}.py lies in no package" for name in loose]


def packages_use_earlier_ones_alone(root):
    """``common`` uses none; and each says in its docstring which ones it uses, and no other."""
    order, wrong = ["common", *packages(root)], []
    for package in order:
        folder = root / "workflow_scripts/facesort" / package
        used = set()
        for path in sorted(folder.rglob("*.py")):
            names = packages_used(path) - {package}
            used |= names
            late = {name for name in names if name in order[order.index(package) :]}
            if late:
                wrong.append(f"{package}/{path.name} imports a later stage: {sorted(late)}")
            if any(name.startswith(".") for name in imported(path)):
                wrong.append(f"{package}/{path.name}: a relative import, which no digest sees")
        about = ast.get_docstring(ast.parse(read(folder / "__init__.py"))) or ""
        told = re.search(r"^May use: (.*)\.$", about, re.M)
        if not told or not re.search(r"^In: .*^Out: ", about, re.M | re.S):
            wrong.append(f"{package}/__init__.py lacks a line: In:, Out: or May use:")
            continue
        says = {name.strip() for name in re.sub(r"\(.*?\)", "", told[1]).split(",")} - {"nothing"}
        if says != used:
            wrong.append(f"{package}/__init__.py says {sorted(says)}, imports {sorted(used)}")
    return wrong


def scripts_know_their_rule_and_stage(root):
    """The first line of each names the rules that run it, and it imports from no later stage."""
    order, wrong = ["common", *stages(root)], []
    runs = {}
    for rule, (stage, text) in rules(root).items():
        for script in re.findall(r'"\.\./workflow_scripts/(\w+)\.py"', text):
            runs.setdefault(script, set()).add((rule, stage))
    names = {path.stem for path in scripts(root)}
    wrong += [f"{name}.py: no such script" for name in sorted(set(runs) - names)]
    for path in scripts(root):
        first = (ast.get_docstring(ast.parse(read(path))) or "").partition("\n")[0]
        match = re.fullmatch(r"Rules? ([\w ]+) of stage (\w+)\.", first)
        told = {(rule, match[2]) for rule in match[1].split(" and ")} if match else set()
        if told != runs.get(path.stem, set()):
            wrong.append(f"{path.name} says {first!r}; run by {sorted(runs.get(path.stem, []))}")
        elif late := packages_used(path) - set(order[: order.index(match[2]) + 1]):
            wrong.append(f"{path.name} of stage {match[2]} imports a later one: {sorted(late)}")
    return wrong


def elsewhere():
    """The exceptions: {module: test file}."""
    return {
        f"{stage.strip()}/{name}": test
        for test, (_, listed) in TESTED_ELSEWHERE.items()
        for stage, _, names in (part.partition(":") for part in listed.split(";"))
        for name in names.split()
    }


def modules_have_tests_of_their_names(root):
    """``tests/<stage>/test_<module>.py``, or for a package within one, ``test_<package>.py``."""
    found, wrong, exceptions = modules(root), [], elsewhere()
    for module in found:
        stage, *rest = module.split("/")
        own = [name for name in rest if (root / f"tests/{stage}/test_{name}.py").is_file()]
        if module in exceptions and own:
            wrong.append(f"{module} has tests of its own; it is no exception any more")
        elif module not in exceptions and not own:
            wrong.append(f"{module} has no tests/{stage}/test_{rest[-1]}.py")
    for module, test in exceptions.items():
        if module not in found:
            wrong.append(f"{module} is an exception, and no module")
        elif (found[module].parent / "__init__.py").is_file() and (
            f"facesort.{module.replace('/', '.')}" not in reached(root, root / test)
        ):  # what lies in a folder that is no package is run by its path
            wrong.append(f"{module}: {test} does not use it")
    return wrong


def reached(root, path):
    """The modules of facesort that a file imports, directly or by others."""
    seen, todo = set(), {path}
    while todo:
        names = {name for name in imported(todo.pop()) if name.startswith("facesort.")} - seen
        seen |= names
        paths = (root.joinpath("workflow_scripts", *name.split(".")) for name in names)
        todo |= {each for base in paths if (each := base.with_suffix(".py")).is_file()}
    return seen


def tests_bear_names_of_modules(root):
    """Or of their stage, or of a module tried as a whole."""
    wrong = []
    for stage in ("common", *packages(root)):
        own = (module.split("/") for module in modules(root))
        names = {part for parts in own if parts[0] == stage for part in parts}
        for path in sorted((root / "tests" / stage).glob("*.py")):
            if path.stem.removeprefix("test_").removesuffix("_whole") not in names:
                wrong.append(f"tests/{stage}/{path.name} bears the name of no module of its stage")
    return wrong


def the_rules_share_little(root):
    lines = len(read(root / "rules/common.smk").splitlines())
    return [f"rules/common.smk has {lines} lines"] if lines > MOST_LINES else []


CHECKS = (
    stages_lie_side_by_side,
    no_module_lies_outside_a_package,
    packages_use_earlier_ones_alone,
    scripts_know_their_rule_and_stage,
    modules_have_tests_of_their_names,
    tests_bear_names_of_modules,
    the_rules_share_little,
)
