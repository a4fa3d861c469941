"""Rule read_elsewhere of stage faces.

Read a labelled set that is only scored on into one array.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import write_index
from facesort.common.job import InputError, job
from facesort.common.lines import counted
from facesort.faces.labelled import read_labelled
from facesort.faces.layouts.listing import Settings

snakemake: Snakemake

with job(snakemake.log[0]):
    params, output = snakemake.params, snakemake.output
    # The reader names the keys of the set that trains.
    keys = f"of {snakemake.wildcards.other}, keys of data stand in its entry of data.also_score"
    print(keys)
    try:
        index, refused = read_labelled(
            str(snakemake.input.folder),
            Settings(**params.settings),
            params.size,
            snakemake.threads,
            output.faces,
        )
    except InputError as error:
        raise InputError(f"{error}; {keys}") from None
    write_index(index, output.index)
    write_index(refused, output.refused)
    print(f"{len(index):,} labelled faces; {len(refused):,} left out, see {output.refused}")
    print(counted(index["label"].value_counts().items()))
