"""Write docs/config.md from schema and configs, docs/layout.md from what lies where.

The head of docs/limits.md is that of the text which pages and answers show.

Run it by ``./run python docs/update.py``; tests hold all pages equal to what they are made from.
"""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SHARED = "[below](#keys-of-several-models)"
FACESORT = ROOT / "workflow_scripts" / "facesort"
# What lies at the top. Other phrases of the page are the first sentences of the files themselves.
TOP = {
    "README.md": "what facesort does, and how to run it",
    "CONTRIBUTING.md": "how to find your way, and how to add a model, a figure, a stage",
    "CHANGELOG.md": "what changed in each version",
    "CITATION.cff": "how to cite it",
    "LICENSE": "MIT",
    "run": "makes the environment in `.venv`, then runs a command or the application in it",
    "Snakefile": "the list of stages, and what a whole run makes",
    "rules/": "the rules, one file per stage",
    "workflow_scripts/": "one script per rule, and `facesort/`, the library that they call",
    "tests/": "one folder per stage; `workflow/` tests whole runs, `benchmarks/` compares speed",
    "config.yaml": "the default config; its keys are in `docs/config.md`",
    "configs/": "configs for the paper's sizes, for rows beyond the paper, for a GPU",
    "docs/": "pages to read, the captions of Snakemake's report, and the README's picture",
    "results/": "everything that runs make, listed in `results/README.md`",
    "profiles/": "options of Snakemake: the default ones, those for one GPU, those for SLURM",
    "envs/": "environments for `--use-conda`, made from `uv.lock` by `envs/update.py`",
    "pyproject.toml": "packages, and settings of the tools",
    "uv.lock": "the exact version of every package",
    ".ci/": "what CI runs",
    ".github/": "runs it on GitHub",
    ".gitignore": "what git ignores",
}

# Packages that no rule runs, and how they are started.
APPLICATIONS = {"serve": "No rule runs it: `./run serve`, `./run watch`"}


def load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return loaded


def config_page() -> str:
    """The page: a table of keys per block, with each config's values, and descriptions.

    What several models or training phases have in common is described once. Each phase is a line.
    """
    schema = load("workflow_scripts/config.schema.yaml")
    defs = schema["$defs"]
    configs = [load(path) for path in ("config.yaml", "configs/paper.yaml", "configs/beyond.yaml")]
    lines = [
        "# The config",
        "",
        "Made by `docs/update.py` from `workflow_scripts/config.schema.yaml`, `config.yaml`, "
        "`configs/paper.yaml` and `configs/beyond.yaml`. Your own file (`--configfile`) holds only "
        "what differs. Why these values: [methods.md](methods.md). What others gave: "
        "[tried.md](tried.md).",
    ]
    for block, part in schema["properties"].items():
        lines += ["", f"## {block}", "", part["description"], ""]
        lines += ["| key | default | paper.yaml | beyond.yaml | what |", "| --- " * 5 + "|"]
        for path, about in keys(part, (block,), defs):
            values = [value(config, path) for config in configs]
            if about == SHARED and not any(values):
                continue
            lines.append("| " + " | ".join([".".join(path), *values, about]) + " |")
        if block == "models":
            lines += shared_keys(part, defs)
            for heading, words, name in (
                ("Keys of a phase", "`reconstruct` has only the first three.", "phase"),
                ("Keys of augment", "Without a key, that change is not made.", "augment"),
            ):
                part = defs["phase"]["properties"]["augment"] if name == "augment" else defs[name]
                rows = {f"`{key}`": each["description"] for key, each in part["properties"].items()}
                lines += ["", f"### {heading}", "", words, "", *table("key", rows)]
    return "\n".join(lines) + "\n"


def shared_keys(part: dict[str, Any], defs: dict[str, Any]) -> list[str]:
    """The table of keys that several models have: which have it, and what it is."""
    models: dict[str, list[str]] = {}
    about: dict[str, str] = {}
    for model, block in part["properties"].items():
        for key, each in block.get("properties", {}).items():
            if key == "phases":
                names = each["required"]
                of_model = {f"phases.{name}": defs[key]["properties"][name] for name in names}
            elif shared(each):
                of_model = {key: defs[each["$ref"].rpartition("/")[2]]}
            else:
                continue
            for name, what in of_model.items():
                models.setdefault(name, []).append(model)
                about[name] = what["description"]
    return [
        "",
        "### Keys of several models",
        "",
        "| key | models | what |",
        "| --- | --- | --- |",
        *(f"| `{key}` | {', '.join(models[key])} | {about[key]} |" for key in models),
    ]


def shared(part: dict[str, Any]) -> bool:
    """Whether a key of a model is described by the definitions alone."""
    return "$ref" in part and "description" not in part


def keys(
    part: dict[str, Any], path: tuple[str, ...], defs: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of every key at which a value stands, a phase and its augment too."""
    phase = part.get("$ref") == "#/$defs/phase"
    about = SHARED if path[0] == "models" and (phase or shared(part)) else ""
    part = defs[part["$ref"].rpartition("/")[2]] | part if "$ref" in part else part
    named = part.get("propertyNames", {}).get("enum", part.get("properties", {}))
    # What several models have is one key, also where it may be given by variant.
    if phase or "properties" not in part or (about and path[-1] != "phases"):
        yield path, about or part["description"]
        if phase:
            yield (*path, "augment"), about
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


def limits_page() -> str:
    """The page as it is, below the words that stand wherever people meet tags."""
    words = runpy.run_path(str(FACESORT / "common" / "limits.py"))
    heading, _, rest = text(LIMITS).partition("\n## ")
    return f"{heading.partition(chr(10))[0]}\n\n{words['NOT']}\n\n{words['LAW']}\n\n## {rest}"


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
CONFIG, LAYOUT, LIMITS = (ROOT / "docs" / f"{name}.md" for name in ("config", "layout", "limits"))
PAGES = {CONFIG: config_page, LAYOUT: layout_page, LIMITS: limits_page}

if __name__ == "__main__":
    for page, make in PAGES.items():
        page.touch()
        made = make()
        page.write_text(made, encoding="utf-8")
