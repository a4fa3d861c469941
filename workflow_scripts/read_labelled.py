"""Rule read_labelled of stage faces.

Read the labelled set into one array.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import write_index
from facesort.common.job import job
from facesort.common.lines import counted
from facesort.faces.labelled import read_labelled
from facesort.faces.layouts.listing import Settings

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    index, refused = read_labelled(
        params.folder,
        Settings(**params.settings),
        params.size,
        snakemake.threads,
        output.faces,
    )
    write_index(index, output.index)
    write_index(refused, output.refused)
    print(f"{len(index):,} labelled faces; {len(refused):,} left out, see {output.refused}")
    print(counted(index["label"].value_counts().items()))
