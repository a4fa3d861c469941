"""Rule render_pairs of stage audit.

Render pairs of faces that differ in one thing.
"""

from snakemake.iocontainers import Snakemake

from facesort.audit.pairs import plan_pairs, render_pairs
from facesort.common.arrays import create_array, write_index
from facesort.common.job import job

snakemake: Snakemake

# The guard is for the worker processes, which read this file again.
if __name__ == "__main__":
    with job(snakemake.log[0]):
        params, output = snakemake.params, snakemake.output
        index, pairs = plan_pairs(params.pairs, params.seed)
        done, shape = 0, (len(index), params.size, params.size, 3)
        with create_array(output.faces, shape, "uint8") as faces:
            for part in render_pairs(
                index, params.size, seed=params.seed, workers=snakemake.threads
            ):
                faces[done : done + len(part)] = part
                done += len(part)
        write_index(index, output.index)
        write_index(pairs, output.pairs)
        print(f"{len(pairs):,} pairs of {index['person'].nunique():,} persons, {done:,} faces")
