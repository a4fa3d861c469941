"""Rule render_photos of stage demo.

Render photos of faces, and the FEC-format CSV that points at them.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.job import job
from facesort.demo.dataset import write_photos

snakemake: Snakemake

# The guard is for the worker processes, which read this file again.
if __name__ == "__main__":
    with job(snakemake.log[0]):
        params, output = snakemake.params, snakemake.output
        write_photos(
            Path(output.photos),
            Path(output.csv),
            Path(output.truth),
            photos=params.photos,
            rows=params.rows,
            base_url=params.base_url,
            seed=params.seed,
            workers=snakemake.threads,
        )
