"""Rule split_labelled of stage faces.

Give every labelled face its part: naming, train or test; left_out beside the set's own split.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index, write_index
from facesort.common.job import job
from facesort.common.lines import counted
from facesort.faces.split import split_labelled

snakemake: Snakemake

with job(snakemake.log[0]):
    # `from` is a word of Python's own.
    settings = {"source" if key == "from" else key: v for key, v in snakemake.params.split.items()}
    split = split_labelled(
        read_index(snakemake.input.index), read_index(snakemake.input.duplicates), **settings
    )
    write_index(split, snakemake.output.split)
    print(f"by part: {counted(split['part'].value_counts().items())}")
