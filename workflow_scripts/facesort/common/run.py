"""What a run checks before it starts, and what it says when it ends."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from facesort.common.lines import shortened

# What the end of a run names of its results, if they were made.
NAMED_LAST: Final = (
    ("Summary", "summary.html"),
    ("Report", "report.html"),
    ("Table 1", "table1.csv"),
    ("Cards", "model_cards.html"),
    ("Browse", "archive/browse.html"),
    ("Photos", "archive/photos.csv"),
    ("Faces", "archive/faces.csv"),
    ("Refused", "archive/refused.csv"),
    ("Sidecars", "archive/sidecars.csv"),
    ("Undone", "archive/undone.csv"),
)
# The targets that the report tells of, and the page that each makes last.
REPORTED: Final = {"all": "results/summary.html", "export": "results/model_cards.html"}
OF_A_CELL: Final = re.compile(r"\w+/\w+/seed\d+/([^/]+)")


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
            told = [line for line in lines if line.startswith("error: ")]
            found += [shortened(f"{line} (log: {path})", path) for line in told]
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
        "--sdm apptainer: no image of facesort is published, and rules must not silently run "
        "outside of one. Build one (docs/cluster.md) and name it in the config (container), or "
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
    """Make ``results/report.html`` by Snakemake's own command, of whole runs that are there.

    Returns:
        A line if it was not made, which does not fail the run; else empty.
    """
    # One file of the merged config stands for whatever files and options the run was given.
    merged = Path(".snakemake/report_config.json")
    merged.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--report", "results/report.html"]
    command += ["--snakefile", str(snakefile), "--cores", "1", "--nolock"]
    # Not --quiet: it hides the reason of a failure too. What is printed is shown only then.
    command += ["--configfile", str(merged), "--"]
    command += [target for target, page in REPORTED.items() if Path(page).is_file()]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not done.returncode:
        return ""
    log = Path(".snakemake/report.log")
    log.write_bytes(done.stdout)
    # The reason stands above a list of Snakemake's own files.
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    lines = [line.strip() for line in lines if not line.startswith('  File "')]
    return shortened(f"results/report.html was not made: {' '.join(lines[-3:])}", log)


def told_lines(log: Path, since: float) -> str:
    """What a rule has told in its log since a time, but for progress and cost; perhaps empty."""
    if not log.is_file() or log.stat().st_mtime < since:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines if not re.search(r"^took | a second, .* left", line))


def made_files(workflow: Any) -> set[str]:
    """The files that a run has made, or found to be up to date."""
    return {str(path) for job in workflow.dag.jobs for path in job.output}


def table_lines(path: Path) -> list[str]:
    """Table 1 as a terminal shows it: a line a model and variant, all figures in percent."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [(row["model"], row["variant"]) for row in rows]
    wide = [max(map(len, column)) for column in zip(*names, strict=True)]
    lines = []
    for row in rows:
        mean, low, high = (100 * float(row[f"accuracy{end}"]) for end in ("", "_low", "_high"))
        paper = row["paper_accuracy"]
        beside = f"   paper {100 * float(paper):4.1f}%" if paper else ""
        name = f"{row['model']:<{wide[0]}}  {row['variant']:<{wide[1]}}"
        lines.append(f"  {name}  {mean:5.1f}% [{low:4.1f}, {high:4.1f}]{beside}")
    about = f"Accuracy on {int(rows[0]['n_test']):,} labelled faces, with 95% intervals"
    return [f"{about}; chance {100 * float(rows[0]['chance']):.1f}%", *lines]


def archive_line(folder: Path) -> str:
    """What an archive's tables hold, in numbers."""
    counts = dict.fromkeys(("photos", "faces", "answered", "refused", "left_out"), 0)
    for name in ("photos", "refused"):
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                counts[name] += 1
                for key in ("faces", "answered"):
                    counts[key] += int(row.get(key) or 0)
    if (path := folder / "left_out.csv").is_file():
        with path.open(encoding="utf-8", newline="") as file:
            counts["left_out"] = sum(int(row["photos"]) for row in csv.DictReader(file))
    left_out = f"; left out by archive.exclude: {counts['left_out']:,}"
    return (
        f"{counts['photos']:,} photos with {counts['faces']:,} faces, of which "
        f"{counts['answered']:,} could be read; refused files: {counts['refused']:,}"
        f"{left_out if counts['left_out'] else ''}"
    )


def closing_words(results: Path, made: Collection[str], data: str, unscored: str = "") -> str:
    """Table 1, and where a run's results lie, the summary first; only of what the run has made.

    Args:
        made: paths of files, as ``made_files`` has them.
        data: what Table 1 was made from.
        unscored: why nothing was scored, which then stands in the table's place.
    """
    made = {path for path in made if Path(path).is_file()}
    there = {str(Path(path).relative_to(results)) for path in made if results in Path(path).parents}
    folder = results.resolve()
    lines = [""]
    if unscored and "summary.html" in there:
        lines += [unscored, ""]
    elif "table1.csv" in there:
        lines += [*table_lines(results / "table1.csv"), f"Data: {data}.", ""]
    if {"archive/photos.csv", "archive/refused.csv"} <= there:
        lines += [archive_line(results / "archive")]
    lines += [f"{name + ':':9} {folder}/{path}" for name, path in NAMED_LAST if path in there]
    of_cells = {match[1] for path in there if (match := OF_A_CELL.match(path))}
    if cells := [name for name in ("map.html", "naming.html", "figures") if name in of_cells]:
        lines += [f"Cells:    {folder}/<variant>/<model>/seed<n>: {', '.join(cells)}"]
    return "\n".join(lines) if lines[1:] else ""
