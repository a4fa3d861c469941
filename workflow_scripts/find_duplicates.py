"""Rule find_duplicates of stage faces.

Near duplicates among the labelled faces.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_blocks, write_index
from facesort.common.job import job
from facesort.faces.duplicates import find_pairs, prepare

snakemake: Snakemake

with job(snakemake.log[0]):
    faces = prepare(read_blocks(snakemake.input.faces))
    pairs = find_pairs(faces)
    write_index(pairs, snakemake.output.duplicates)
    print(f"{len(pairs):,} pairs of near duplicates among {len(faces.pixels):,} labelled faces")
