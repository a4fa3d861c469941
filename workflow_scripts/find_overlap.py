"""Rule find_overlap of stage faces.

Faces of a set that is only scored on which are also in the pool or among the labelled faces.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_blocks, read_index, write_index
from facesort.common.job import InputError, job
from facesort.common.lines import counted
from facesort.faces.duplicates import prepare
from facesort.faces.overlap import PARTS, find_overlap

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs = snakemake.input
    faces = prepare(read_blocks(inputs.faces))
    overlap = find_overlap(
        faces,
        prepare(read_blocks(inputs.pool)),
        read_index(inputs.kept)["face"].to_numpy(),
        prepare(read_blocks(inputs.labelled)),
        read_index(inputs.split)["part"].to_numpy(str),
    )
    write_index(overlap, snakemake.output.overlap)
    counts = overlap["part"].value_counts().reindex(PARTS, fill_value=0)
    print(f"near duplicates of {len(faces.pixels):,} faces, by part: {counted(counts.items())}")
    if (overlap["part"] != "test").sum() == len(faces.pixels):
        raise InputError(
            f"{snakemake.wildcards.other}: every face is a near duplicate of one that models learn "
            "from or are named by, so none can be scored (config: data.also_score)"
        )
