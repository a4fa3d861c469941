"""Rule find_overlap of stage faces.

Faces of a set that is only scored on which are also in the pool or among the labelled faces.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index, write_index
from facesort.common.job import InputError, job
from facesort.faces.overlap import counts_of, find_overlap, is_seen

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs = snakemake.input
    faces = open_array(inputs.faces)
    overlap = find_overlap(
        faces,
        open_array(inputs.pool),
        read_index(inputs.kept)["face"].to_numpy(),
        open_array(inputs.labelled),
        read_index(inputs.split)["part"].to_numpy(str),
    )
    write_index(overlap, snakemake.output.overlap)
    if is_seen(overlap, len(faces)).all():
        raise InputError(
            f"{snakemake.wildcards.other}: every face is a near duplicate of one that models learn "
            "from or are named by, so none can be scored (config: data.also_score)"
        )
    words = ", ".join(f"{count:,} of {part}" for part, count in counts_of(overlap).items())
    print(f"of {len(faces):,} faces near duplicates: {words}")
