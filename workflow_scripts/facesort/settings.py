"""The config checked, and the digests of code that tell rules when to rerun.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import ast
import hashlib
import os
import shutil
import time
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
ENVS = SCRIPTS.parent / "envs"


def model_settings(config: dict[str, Any], model: str, variant: str) -> dict[str, Any]:
    """A model's block of the config, as its training sees it: for one variant."""
    settings = dict(config["models"][model])
    for key in ("pools", "sample"):
        if isinstance(settings.get(key), dict):
            settings[key] = settings[key].get(variant)
    settings.pop("mirror", None)  # of no account before a trained model is applied
    return {"sample": None} | settings


@cache
def _source(module: str) -> Path | None:
    path = SCRIPTS.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """The modules of ours that a file imports, as paths."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    found = (_source(name) for name in names if name.partition(".")[0] == "facesort")
    return frozenset(path for path in found if path)


def templates_of(path: Path) -> list[Path]:
    """What a module reads: files beside it of the same name with another ending."""
    files = (path.with_suffix(ending) for ending in (".html", ".css", ".js", ".tflite"))
    return [file for file in files if file.is_file()]


@cache
def code_digest(script: str, *modules: str) -> str:
    """Digest of a rule's script, of given modules, of all of ours that they import in turn, and of
    these modules' templates.

    Snakemake sees an edited script, but not an edited module; as a rule's parameter, this digest
    makes it rerun what depends on one.

    Args:
        script: name of the script, which is the rule's.
        modules: modules that the script loads by name, such as "facesort.models.stacked".

    Returns:
        16 hexadecimal digits.
    """
    paths: set[Path] = set()
    todo = [SCRIPTS / f"{script}.py"]
    for module in modules:
        source = _source(module)
        if source is None:
            raise ValueError(f"{script}: no module {module} in {SCRIPTS}")
        todo.append(source)
    while todo:
        path = todo.pop()
        if path not in paths:
            paths.add(path)
            todo.extend(imports_of(path))
            paths.update(templates_of(path))
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(SCRIPTS)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def packages_digest(environment: str) -> str:
    """Digest of the packages and versions in ``envs/<environment>.yaml``.

    With ``--use-conda`` Snakemake sees another version by itself; as a rule's parameter, this
    digest makes it see one without conda too.

    Returns:
        16 hexadecimal digits; comments and the order of lines do not count.
    """
    lines = (ENVS / f"{environment}.yaml").read_text(encoding="utf-8").splitlines()
    pins = sorted(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    return hashlib.sha256("\n".join(pins).encode()).hexdigest()[:16]


@cache
def tree_digest(folder: str) -> str:
    """Digest of the paths, sizes and times of all files below a folder; their bytes are not read.

    Returns:
        16 hexadecimal digits; those of no file if there is no folder.
    """
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - a Path a file takes thrice as long
            about = os.stat(path, follow_symlinks=False)  # noqa: PTH116
            found.append(f"{os.path.relpath(path, folder)}\0{about.st_size}\0{about.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16]


def config_errors(config: dict[str, Any]) -> list[str]:
    """What is wrong with the config, one line a key; empty if nothing is."""
    import jsonschema
    import yaml

    schema = yaml.load((SCRIPTS / "config.schema.yaml").read_bytes(), yaml.CSafeLoader)
    errors = []
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(config), key=lambda e: [str(p) for p in e.path]):
        key = ".".join(str(part) for part in error.path) or "the top level"
        hint = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        errors.append(f"{key}: {error.message}" + (f" ({hint})" if hint else ""))
    if errors:
        return errors
    data, faces = config["data"], config["faces"]
    if data["fec_csv"] is not None and data["manifest"] is not None:
        errors.append("data.manifest: set either fec_csv or manifest")
    unlabelled = data["manifest"] if data["fec_csv"] is None else data["fec_csv"]
    if (unlabelled is None) != (data["labelled"] is None):
        errors.append(
            "data: set both fec_csv (or manifest) and labelled, or neither for the rendered faces"
        )
    for key in ("fec_csv", "manifest", "labelled"):
        if data[key] is not None and not Path(data[key]).exists():
            errors.append(f"data.{key}: {data[key]}: no such file or folder")
    if 2 * faces["border"] >= faces["size"]:
        errors.append(f"faces.border: {faces['border']} leaves nothing of {faces['size']} pixels")
    elif not errors:
        errors += _pool_errors(config) + _triplet_errors(config)
    errors += _transfer_errors(config["models"].get("transfer"))
    if (transformer := config["models"].get("transformer")) and (
        transformer["width"] % transformer["heads"]
    ):
        errors.append(
            "models.transformer.heads: {heads} do not divide {width}".format(**transformer)
        )
    if not any(config["models"].values()):
        errors.append("models: none is left; keep at least one of the blocks")
    return errors


def _pool_errors(config: dict[str, Any]) -> list[str]:
    errors = []
    for model, settings in config["models"].items():
        for variant in config["variants"] if settings and "pools" in settings else []:
            side = config["faces"]["size"]
            if variant == "cropped":
                side -= 2 * config["faces"]["border"]
            product = 1
            for pool in settings["pools"][variant]:
                product *= pool
            if side % product:
                errors.append(
                    f"models.{model}.pools.{variant}: {settings['pools'][variant]} do not divide "
                    f"the {side} pixels of a {variant} face (faces.size, faces.border)"
                )
    return errors


def _transfer_errors(settings: dict[str, Any] | None) -> list[str]:
    if not settings:
        return []
    weights = settings["weights"]
    if weights is None and settings["frozen"]:
        return [
            "models.transfer.frozen: a backbone with random weights must learn: set false, or name "
            "a file (or torchvision) in models.transfer.weights"
        ]
    if weights not in (None, "torchvision") and not Path(weights).is_file():
        return [f"models.transfer.weights: {weights}: no such file"]
    return []


def _triplet_errors(config: dict[str, Any]) -> list[str]:
    settings = config["models"].get("triplet")
    if not settings:
        return []
    errors = []
    if config["data"]["manifest"] is not None:
        errors.append(
            "models.triplet: a manifest (data.manifest) holds no comparisons to learn from; set "
            "data.fec_csv instead, or models.triplet to null"
        )
    side = config["faces"]["size"]
    side -= 2 * config["faces"]["border"] if "cropped" in config["variants"] else 0
    if side < 2 ** len(settings["filters"]):
        errors.append(
            f"models.triplet.filters: {len(settings['filters'])} halvings leave nothing of "
            f"{side} pixels (faces.size, faces.border)"
        )
    return errors


def error_lines(logs: Path, since: float) -> str:
    """The ``error:`` lines that jobs have logged since a time, to end a failed run with."""
    found = []
    for path in sorted(logs.rglob("*.log")):
        if path.stat().st_mtime >= since:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [f"{line} (log: {path})" for line in lines if line.startswith("error: ")]
    return "\n".join(["", *found]) if found else ""


def disk_error(results: Path) -> str:
    """A line if the disk is full, on which Snakemake itself ends in tracebacks; else empty."""
    for folder in (Path(), results):
        if folder.is_dir() and shutil.disk_usage(folder).free < 1_000_000:
            return f"{folder.resolve()}: no space left on this disk; free some and run again"
    return ""


def read_only_error(results: Path) -> str:
    """A line if the results folder cannot be written; else empty."""
    if results.is_dir() and not os.access(results, os.W_OK):
        return f"{results.resolve()}: cannot be written; make it writable and run again"
    return ""


def clock_line(results: Path) -> str:
    """A line for a failed run, if files are from the future: the clock was set back."""
    now = time.time()
    for parent, _, names in os.walk(results):
        for name in names:
            path = Path(parent, name)
            if path.stat(follow_symlinks=False).st_mtime > now + 60:
                return (
                    f"error: {path} is from the future: the clock was set back. Set it right, or "
                    f"make such files today's: find {results} -newermt now -exec touch -h -d "
                    '"$(date -R)" {} +'
                )
    return ""
