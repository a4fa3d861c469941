"""Rule compare_cells of stage score.

Tests of all cells against chance and each other.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.score.comparisons import compare

snakemake: Snakemake

with job(snakemake.log[0]):
    comparisons = compare(
        snakemake.params.cells,
        [read_index(path) for path in snakemake.input.predictions],
        **snakemake.params.table,
    )
    comparisons.to_csv(snakemake.output.csv, index=False)
