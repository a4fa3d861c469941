"""Rule sample_faces: choose a seeded sample of distinct faces from the FEC CSV."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import write_index
from facesort.fec import sample_faces
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    faces, refused = sample_faces(snakemake.input.csv, snakemake.params.size, snakemake.params.seed)
    write_index(faces, snakemake.output.faces)
    write_index(refused, snakemake.output.refused)
    print(f"{len(faces):,} faces in {faces['url'].nunique():,} photos; {len(refused):,} refused")
    for row in refused.head(3).itertuples():
        print(f"warning: {snakemake.input.csv}, row {row.row}: {row.reason}")
