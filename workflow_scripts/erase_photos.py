"""Rule erase_photos of stage sidecars.

Erase what other targets have kept of photos that are left out.
"""

from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.archive.left_out import read_exclusions
from facesort.common.job import job
from facesort.sidecars.erasing import erase

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, Path(snakemake.output.table)
    exclusions = read_exclusions(snakemake.input.exclude, params.folder)
    counts = erase(output.parent, params.folder, exclusions, params.jobs)
    pd.DataFrame(counts.items(), columns=["what", "count"]).to_csv(output, index=False)
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
