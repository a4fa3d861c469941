"""Rule find_leaks of stage faces.

Faces of the pool that are also labelled, which must not train.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_blocks, write_index
from facesort.common.job import job
from facesort.faces.duplicates import find_pairs, prepare, without

snakemake: Snakemake

with job(snakemake.log[0]):
    pool = prepare(read_blocks(snakemake.input.pool))
    # Without labelled faces there is nothing to leak.
    labelled = prepare(read_blocks(snakemake.input.labelled) if snakemake.input.labelled else [])
    leaks = find_pairs(pool, labelled)
    leaks = leaks.rename(columns={"first": "face", "second": "labelled"})
    count = len(pool.pixels)
    kept = without(count, leaks["face"].to_numpy())
    write_index(leaks, snakemake.output.leaks)
    write_index(kept, snakemake.output.kept)
    print(f"{count - len(kept):,} of {count:,} fetched faces are also labelled: left out")
