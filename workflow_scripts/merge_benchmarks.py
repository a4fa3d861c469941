"""Rule merge_benchmarks of stage pages.

Time and memory of every job.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.pages.costs import read_benchmarks

snakemake: Snakemake

with job(snakemake.log[0]):
    table = read_benchmarks(Path(snakemake.params.folder))
    table.to_csv(snakemake.output.csv, index=False)
