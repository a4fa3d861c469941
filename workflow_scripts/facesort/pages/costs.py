"""What the results cost: Snakemake's benchmarks of all jobs in one table."""

from pathlib import Path

import pandas as pd

COLUMNS = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "memory_mb"}


def read_benchmarks(folder: Path) -> pd.DataFrame:
    """The last run of every job.

    Returns:
        A row a job: stage (the rule), job (what it was run on), seconds, cpu_seconds, memory_mb
        (largest resident set). Figures of a job too short to be measured are NaN.
    """
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        stage, *rest = path.relative_to(folder).with_suffix("").parts
        # "NA" or "-" where a job ended before its first measurement.
        read = pd.read_csv(path, sep="\t", na_values=["NA", "-"]).iloc[-1]
        values = {name: float(read.get(column, "nan")) for column, name in COLUMNS.items()}
        rows.append({"stage": stage, "job": "/".join(rest), **values})
    return pd.DataFrame(rows, columns=["stage", "job", *COLUMNS.values()])


def by_stage(table: pd.DataFrame) -> pd.DataFrame:
    """A row a stage, the dearest first: jobs, sums of seconds, and the longest and largest job."""
    grouped = table.groupby("stage", sort=False).agg(
        jobs=("job", "size"),
        seconds=("seconds", "sum"),
        longest=("seconds", "max"),
        cpu_seconds=("cpu_seconds", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    return grouped.sort_values("seconds", ascending=False, kind="stable").reset_index()
