"""Rule collect_costs of stage pages.

Time and memory of every job.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.pages.costs import read_costs

snakemake: Snakemake

with job(snakemake.log[0]):
    read_costs(Path(snakemake.params.logs)).to_csv(snakemake.output.csv, index=False)
