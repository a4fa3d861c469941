"""Rule compare: tests of all cells against chance and each other."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import read_index
from facesort.comparisons import compare
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    comparisons = compare(
        snakemake.params.cells,
        [read_index(path) for path in snakemake.input.predictions],
        **snakemake.params.table,
    )
    comparisons.to_csv(snakemake.output.csv, index=False)
