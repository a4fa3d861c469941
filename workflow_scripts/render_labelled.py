"""Rule render_labelled of stage demo.

Render labelled faces, and a sheet of examples.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.demo.dataset import write_labelled
from facesort.demo.sheet import contact_sheet

snakemake: Snakemake

# The guard is for the worker processes, which read this file again.
if __name__ == "__main__":
    with job(snakemake.log[0]):
        params, output = snakemake.params, snakemake.output
        how = {"seed": params.seed, "workers": snakemake.threads}
        write_labelled(Path(output.folder), per_emotion=params.per_emotion, **how)
        contact_sheet(Path(output.sheet), per_emotion=8, **how)
