"""Digests of code, packages and folders, which tell rules when to rerun.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import ast
import hashlib
import os
import re
from functools import cache
from pathlib import Path

from facesort.common.trees import walk

SCRIPTS = Path(__file__).resolve().parents[2]
ENVS = SCRIPTS.parent / "envs"
# An import of ours: the package and what is taken from it, or a module.
OURS = re.compile(
    r"^[ \t]*(?:from (facesort[\w.]*) import +(\([^)]*\)|[^(\n].*)|import (facesort[\w.]*))", re.M
)


@cache
def _content(path: Path) -> bytes:
    """A file's bytes, read once for all rules."""
    return path.read_bytes()


@cache
def _source(module: str) -> Path | None:
    path = SCRIPTS.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imported_names(path: Path) -> frozenset[str]:
    """What a file imports, also within functions: modules, and names that may be modules."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(_content(path), filename=str(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """The modules of ours that a file imports, as paths.

    Found by a pattern, since to parse all files took a third of a dry run. In texts and comments it
    might find one too many; a test holds that it finds those of ``imported_names``.
    """
    names: set[str] = set()
    for package, listed, module in OURS.findall(_content(path).decode()):
        names.add(package or module)
        names |= {f"{package}.{name}" for name in re.findall(r"\w+", listed)}
    return frozenset(source for name in names if (source := _source(name)))


def with_imports(*files: Path) -> list[Path]:
    """Files, and all modules of ours behind them; each after one that imports it."""
    found: dict[Path, None] = {}
    todo = list(files)
    while todo:
        path = todo.pop()
        if path not in found:
            found[path] = None
            todo.extend(imports_of(path))
    return list(found)


@cache
def templates_of(path: Path) -> tuple[Path, ...]:
    """What a module reads: files beside it of the same name with another ending."""
    endings = (".html", ".css", ".js", ".md", ".csv", ".tflite", ".onnx")
    files = map(path.with_suffix, endings)
    return tuple(file for file in files if file.is_file())


@cache
def code_digest(script: str, *modules: str) -> str:
    """Digest of a rule's script, of given modules, of all of ours that they import in turn, and of
    these modules' templates.

    Snakemake sees an edited script, but not an edited module; as a rule's parameter, this digest
    makes it rerun what depends on one.

    Args:
        script: name of the script, which is the rule's.
        modules: modules that the script loads by name, such as "facesort.train.models.stacked".

    Returns:
        16 hexadecimal digits.
    """
    files = [SCRIPTS / f"{script}.py"]
    for module in modules:
        source = _source(module)
        if source is None:
            raise ValueError(f"{script}: no module {module} in {SCRIPTS}")
        files.append(source)
    modules_behind = with_imports(*files)
    paths = {*modules_behind, *(each for path in modules_behind for each in templates_of(path))}
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(SCRIPTS)).encode() + b"\0" + _content(path) + b"\0")
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

    Links are followed, so that a change behind one counts.

    Returns:
        16 hexadecimal digits; those of no file if there is no folder.
    """
    found = sorted(f"{path}\0{size}\0{time}\0{kind}" for path, kind, size, time in walk(folder))
    return hashlib.sha256(os.fsencode("\n".join(found))).hexdigest()[:16]
