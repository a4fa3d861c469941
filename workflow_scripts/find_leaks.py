"""Rule find_leaks of stage faces.

Faces of the pool that are also labelled, which must not train.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, write_index
from facesort.common.job import job
from facesort.faces.duplicates import find_pairs, without

snakemake: Snakemake

with job(snakemake.log[0]):
    pool = open_array(snakemake.input.pool)
    # Without labelled faces there is nothing to leak.
    labelled = open_array(snakemake.input.labelled) if snakemake.input.labelled else pool[:0]
    leaks = find_pairs(pool, labelled)
    leaks = leaks.rename(columns={"first": "face", "second": "labelled"})
    kept = without(len(pool), leaks["face"].to_numpy())
    write_index(leaks, snakemake.output.leaks)
    write_index(kept, snakemake.output.kept)
    print(f"{len(pool) - len(kept):,} of {len(pool):,} fetched faces are also labelled: left out")
