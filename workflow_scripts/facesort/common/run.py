"""What a run checks before it starts, and what it says when it ends."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Print a text, whatever signs the terminal knows."""
    known = sys.stdout.encoding or "ascii"
    print(text.encode(known, "backslashreplace").decode(known))


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
        # File systems that do not tell have no size.
        if folder.is_dir() and (disk := shutil.disk_usage(folder)).total and disk.free < 1_000_000:
            return f"{folder.resolve()}: no space left on this disk; free some and run again"
    return ""


def container_error(config: dict[str, Any], workflow: Any) -> str:
    """A line if containers are asked for and there is no image: rules would run outside of any."""
    methods = map(str, workflow.deployment_settings.deployment_method)
    if config["container"] or not any("APPTAINER" in method.upper() for method in methods):
        return ""
    return (
        "--sdm apptainer: no image of facesort is published, and no rule is to run outside of one "
        "unnoticed. Build one (docs/cluster.md says how) and name it in the config (container), or "
        "leave --sdm apptainer out"
    )


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


def write_report(config: dict[str, Any], snakefile: Path) -> str:
    """Make ``results/report.html`` by Snakemake's own command.

    Returns:
        A line if it was not made, which does not fail the run; else empty.
    """
    # One file of the merged config stands for whatever files and options the run was given.
    merged = Path(".snakemake/report_config.json")
    merged.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--report", "results/report.html"]
    command += ["--snakefile", str(snakefile), "--cores", "1", "--nolock"]
    # Not --quiet: it hides the reason of a failure too. What is printed is shown only then.
    command += ["--configfile", str(merged)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not done.returncode:
        return ""
    # The reason stands above a list of Snakemake's own files.
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    lines = [line.strip() for line in lines if not line.startswith('  File "')]
    return f"results/report.html was not made: {' '.join(lines[-3:])}"


def told_lines(log: Path, since: float) -> str:
    """What a rule has told in its log since a time, but for progress and cost; perhaps empty."""
    if not log.is_file() or log.stat().st_mtime < since:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines if not re.search(r"^took | a second, .* left", line))


def closing_words(results: Path, unscored: str = "") -> str:
    """Table 1, and where it and the pictures lie; empty without a table.

    Args:
        unscored: why nothing was scored, which then stands in the table's place.
    """
    table = results / ("summary.html" if unscored else "table1.md")
    if not table.is_file():
        return ""
    folder = results.resolve()
    found = f"Table:    {folder}/table1.csv, and for reading {folder}/table1.md"
    return "\n".join(
        [
            "",
            f"{unscored}\n" if unscored else table.read_text(encoding="utf-8"),
            f"Summary:  {folder}/summary.html" if unscored else found,
            f"Report:   {folder}/report.html",
            f"Cells:    {folder}/<variant>/<model>/seed<n>: map.html, naming.html, figures",
        ]
    )
