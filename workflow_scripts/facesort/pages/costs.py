"""What the results cost: the last line of every job's log, in one table."""

import re
from pathlib import Path
from typing import Final

import pandas as pd

COLUMNS: Final = ("rule", "job", "seconds", "cpu_seconds", "start_cpu_seconds", "memory_mb")
# As ``common.job`` ends a log.
TOOK: Final = re.compile(
    r"^took ([\d.]+) s, ([\d.]+) s of CPU, ([\d.]+) of them before its work began, "
    r"and at most (\d+) MB$",
    re.M,
)


def read_costs(logs: Path) -> pd.DataFrame:
    """The last run of every job whose log is there.

    Args:
        logs: the folder of the logs.

    Returns:
        A row a job: rule, job (what it was run on), seconds, cpu_seconds,
        start_cpu_seconds (of these, before its work began: Python's start and imports), memory_mb
        (largest resident set of one process). A job under way or killed has no row.
    """
    rows = []
    for path in sorted(logs.rglob("*.log")):
        if took := TOOK.findall(path.read_text(encoding="utf-8", errors="replace")):
            rule, *rest = path.relative_to(logs).with_suffix("").parts
            rows.append([rule, "/".join(rest), *map(float, took[-1])])
    return pd.DataFrame(rows, columns=COLUMNS)


def by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """A row a rule, the dearest first: jobs, sums of seconds, and the longest and largest job."""
    grouped = table.groupby("rule", sort=False).agg(
        jobs=("job", "size"),
        seconds=("seconds", "sum"),
        longest=("seconds", "max"),
        cpu_seconds=("cpu_seconds", "sum"),
        start_cpu_seconds=("start_cpu_seconds", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    return grouped.sort_values("cpu_seconds", ascending=False, kind="stable").reset_index()
