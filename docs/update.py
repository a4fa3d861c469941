"""Write docs/config.md from schema and configs, and docs/layout.md from what lies where.

Run it by ``./run python docs/update.py``; tests hold both pages equal to what they are made from.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FACESORT = ROOT / "workflow_scripts" / "facesort"
# What lies at the top. Other phrases of the page are the first sentences of the files themselves.
TOP = {
    "README.md": "what facesort does, and how to run it",
    "CONTRIBUTING.md": "how to find your way, and how to add a model, a figure, a stage",
    "CHANGELOG.md": "what each version brought",
    "CITATION.cff": "how to cite it",
    "LICENSE": "MIT",
    "run": "makes the environment in `.venv`, then runs a command or the application in it",
    "Snakefile": "the list of stages, and what a whole run makes",
    "rules/": "the rules, a file a stage",
    "workflow_scripts/": "a script a rule, and `facesort/`, the library that they call",
    "tests/": "a folder a stage; `workflow/` tries whole runs, `benchmarks/` compares speed",
    "config.yaml": "the default config; its keys are in `docs/config.md`",
    "configs/": "configs for the paper's sizes, for rows beyond the paper, for a GPU",
    "docs/": "pages to read, and `report/`, the captions of Snakemake's report",
    "results/": "all that runs make, each file told in `results/README.md`",
    "profiles/": "options of Snakemake: always, and on a SLURM cluster",
    "envs/": "environments for `--use-conda`, made from `uv.lock` by `envs/update.py`",
    "pyproject.toml": "packages, and settings of the tools",
    "uv.lock": "the exact version of every package",
    ".ci/": "what CI runs",
    ".github/": "that GitHub runs it",
    ".gitignore": "what git leaves out",
}

# Packages that no rule runs, and how they are started.
APPLICATIONS = {"serve": "No rule runs it: `./run serve`, `./run watch`"}


def load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return loaded


def config_page() -> str:
    """The page: a table of keys a block, with each config's values, and descriptions.

    What training phases have in common is described once, and each phase's values are one line.
    """
    schema = load("workflow_scripts/config.schema.yaml")
    defs = schema["$defs"]
    configs = [load(path) for path in ("config.yaml", "configs/paper.yaml", "configs/beyond.yaml")]
    lines = [
        "# The config",
        "",
        "Made by `docs/update.py` from `workflow_scripts/config.schema.yaml`, `config.yaml`, "
        "`configs/paper.yaml` and `configs/beyond.yaml`. A file given with `--configfile` holds "
        "only what differs. What other values gave: [methods.md](methods.md), "
        "[training.md](training.md).",
    ]
    for block, part in schema["properties"].items():
        lines += ["", f"## {block}", "", part["description"], ""]
        lines += ["| key | default | paper.yaml | beyond.yaml | what |", "| --- " * 5 + "|"]
        for path, about in keys(part, (block,), defs):
            values = [value(config, path) for config in configs]
            if path[-1] == "augment" and not any(values):
                continue
            lines.append("| " + " | ".join([".".join(path), *values, about]) + " |")
        if block == "models":
            for heading, words, name in (
                ("Keys of a phase", "`reconstruct` has the first three alone.", "phase"),
                ("Keys of augment", "Without a key faces stay as they are in it.", "augment"),
            ):
                part = defs["phase"]["properties"]["augment"] if name == "augment" else defs[name]
                rows = {f"`{key}`": each["description"] for key, each in part["properties"].items()}
                lines += ["", f"### {heading}", "", words, "", *table("key", rows)]
    return "\n".join(lines) + "\n"


def keys(
    part: dict[str, Any], path: tuple[str, ...], defs: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of every key at which a value stands, a phase and its augment too."""
    phase = part.get("$ref") == "#/$defs/phase"
    part = defs[part["$ref"].rpartition("/")[2]] | part if "$ref" in part else part
    named = part.get("propertyNames", {}).get("enum", part.get("properties", {}))
    # A number that may also be given by variant is one key.
    if phase or "properties" not in part or "integer" in part["type"]:
        yield path, part["description"]
        if phase:
            yield (*path, "augment"), part["properties"]["augment"]["description"]
        return
    for key in named:
        yield from keys(part["properties"][key], (*path, key), defs)


def value(config: Any, path: tuple[str, ...]) -> str:
    """A value as YAML writes it; empty where the config has none."""
    for key in path:
        if not isinstance(config, dict) or key not in config:
            return ""
        config = config[key]
    if path[-2:-1] == ("phases",):
        config = {key: each for key, each in config.items() if key != "augment"}
    text = yaml.safe_dump(config, default_flow_style=True, width=1000, sort_keys=False)
    return f"`{text.removesuffix(chr(10)).removesuffix('...').strip()}`"


def layout_page() -> str:
    """The page: what lies at the top, the docs, and of each stage its rules and modules."""
    lines = [
        "# Where things live",
        "",
        "Made by `docs/update.py` from the first sentences of the files. How to get from a rule to "
        "its script, package and test, and back: [CONTRIBUTING.md](../CONTRIBUTING.md).",
        "",
        "## At the top",
        "",
        *table("path", {f"`{path}`": what for path, what in TOP.items()}),
        "",
        "## Docs",
        "",
        *table("page", {f"`docs/{path.name}`": sentence(path) for path in pages()}),
    ]
    includes = re.findall(r'^include: "rules/(\w+)\.smk"$', text(ROOT / "Snakefile"), re.M)
    for stage in (*includes, *APPLICATIONS):
        folder = FACESORT / stage
        file = ROOT / f"rules/{stage}.smk"
        rules = re.findall(
            r"^(?:use rule \w+ as|rule) (\w+)(?: with)?:$",
            text(file) if file.is_file() else "",
            re.M,
        )
        by = f"Rules: `rules/{stage}.smk`" + "".join(f", `{rule}`" for rule in rules)
        modules = {
            f"`{path.relative_to(FACESORT)}`": sentence(path)
            for path in sorted(folder.rglob("*.py"))
            if path != folder / "__init__.py"
        }
        what = sentence(folder / "__init__.py").partition(": ")[2]
        lines += [
            "",
            f"## {stage}",
            "",
            f"{what[0].upper()}{what[1:]}. Tests: `tests/{stage}/`. "
            + (by.replace(",", ":", 1) if file.is_file() else APPLICATIONS[stage])
            + ".",
            "",
            *table(f"in `workflow_scripts/facesort/{stage}/`", modules),
        ]
    return "\n".join(lines) + "\n"


def table(heading: str, rows: dict[str, str]) -> list[str]:
    return [
        f"| {heading} | what |",
        "| --- | --- |",
        *(f"| {path} | {what} |" for path, what in rows.items()),
    ]


def pages() -> list[Path]:
    return sorted((ROOT / "docs").glob("*.md"))


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def sentence(path: Path) -> str:
    """The first sentence of a module's docstring, or a page's heading; without its full stop."""
    if path.suffix == ".md":
        return "Where things live" if path == LAYOUT else text(path).partition("\n")[0].strip("# ")
    about = ast.get_docstring(ast.parse(text(path))) or ""
    return about.partition("\n\n")[0].replace("\n", " ").replace("``", "`").rstrip(".")


# What is written: {page: what makes it}.
CONFIG, LAYOUT = ROOT / "docs" / "config.md", ROOT / "docs" / "layout.md"
PAGES = {CONFIG: config_page, LAYOUT: layout_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        page.touch()
        page.write_text(make(), encoding="utf-8")
