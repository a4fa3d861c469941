"""Rule split_labelled of stage faces.

Give every labelled face its part: naming, train or test.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index, write_index
from facesort.common.job import job
from facesort.faces.split import split_labelled

snakemake: Snakemake

with job(snakemake.log[0]):
    split = split_labelled(
        read_index(snakemake.input.index),
        read_index(snakemake.input.duplicates),
        **snakemake.params.split,
    )
    write_index(split, snakemake.output.split)
    print(split["part"].value_counts().to_string())
