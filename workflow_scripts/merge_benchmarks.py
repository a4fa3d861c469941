"""Rule merge_benchmarks: time and memory of every job."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.costs import read_benchmarks
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    table = read_benchmarks(Path(snakemake.params.folder))
    table.to_csv(snakemake.output.csv, index=False)
