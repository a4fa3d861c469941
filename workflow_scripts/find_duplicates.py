"""Rule find_duplicates: near duplicates among the labelled faces."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array, write_index
from facesort.duplicates import find_pairs
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    faces = open_array(snakemake.input.faces)
    pairs = find_pairs(faces)
    write_index(pairs, snakemake.output.duplicates)
    print(f"{len(pairs):,} pairs of near duplicates among {len(faces):,} labelled faces")
